"""Writes studies of a planted unit into a real ledger, with real pictures and real scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from hubel.agent import confirm
from hubel.agent.ledger import Ledger
from hubel.agent.planner import Conclusion, View
from hubel.agent.records import Experiment, Hypothesis, Message, Prediction
from hubel.agent.verdicts import judge_predictions
from hubel.tools import contrast
from hubel.tools.concepts import judge
from hubel.tools.data.bundled import Patches, photographs
from hubel.tools.heatmap import overlay
from hubel.tools.imagery.scenes import (
    Scene,
    random_scene,
    render,
    scene_having,
    without_phrase,
)
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import ToolError

UNIT = "blocks.5.1.conv_pw:42"
Weights = dict[str, float]
#: What the planted unit responds to.
PLANTED: Weights = {"red object": 1.9, "striped object": 0.9, "a red patch": 0.8, "text": -0.7}
NULL: Weights = {}


class Author:
    """Writes one study into a ledger, row by row, as the loop does."""

    def __init__(
        self, ledger: Ledger, planted: Weights, seed: int = 7, pictures: int = 80, **columns: Any
    ) -> None:
        self.ledger, self.planted, self.pictures = ledger, planted, pictures
        self.rng = np.random.default_rng(seed)
        self.study = ledger.begin(
            **{
                "question": "What does this unit respond to?",
                "model": "demo",
                "unit": UNIT,
                "data": "demo:400",
                "planner": "builtin",
                "device": "cpu",
                "seed": seed,
                "budget": {"rounds": 20, "calls": 60, "seconds": 900.0},
                **columns,
            }
        ).id
        ledger.opened(self.study, OPENED)
        self.n = self.message = 0

    def step(self, thought: str, claims: Weights | None = None, **content: Any) -> None:
        """A planner's step that registers hypotheses; predictions follow with their calls."""
        self.message += 1
        hypotheses = [
            Hypothesis(f"h{i}", self.message, f"Responds to {phrase}", form({phrase: weight}), None)
            for i, (phrase, weight) in enumerate((claims or {}).items(), start=1)
        ]
        step = {
            "thought": thought,
            "hypotheses": [
                {"name": h.name, "claim": h.claim, "form": h.form, "revises": None}
                for h in hypotheses
            ],
            "calls": [],
            "conclusion": None,
            **content,
        }
        self.ledger.record_step(
            self.study,
            Message(self.message, "planner", {"first_experiment": self.n + 1, "step": step}),
            0.05,
            hypotheses,
        )

    def predict(self, hypothesis: str, least: float) -> None:
        """Register what a hypothesis says of the next experiment."""
        self.message += 1
        expects = {"op": ">", "value": 0.0, "path": "contrast.ci.0"}
        refutes = {"op": "<", "value": least, "path": "contrast.ci.1"}
        prediction = Prediction(
            self.n + 1, hypothesis, self.message, "contrast.mean", expects, refutes
        )
        step = {"thought": f"Does taking it away change the unit as {hypothesis} says?"}
        message = Message(self.message, "planner", {"first_experiment": self.n + 1, "step": step})
        self.ledger.record_step(self.study, message, 0.02, (), [prediction])

    def call(
        self,
        tool: str,
        kind: str,
        args: dict[str, Any],
        values: dict[str, Any] | None = None,
        artifacts: list[Artifact] | None = None,
        *,
        by: str = "planner",
        status: str = "done",
        error: str | None = None,
        **about: Any,
    ) -> Experiment:
        """An experiment from its start to its end; without an end where the status is running."""
        self.n += 1
        experiment = Experiment(
            self.n, self.message, by, tool, kind, args, 1000 + self.n, "running", None, None, None
        )
        self.ledger.start(self.study, experiment)
        result = None
        if status == "done":
            result = Result(
                values=values or {},
                metric=about.pop("metric", "activation (maximum over positions)"),
                measures=about.pop("measures", {}),
                seed=1000 + self.n,
                artifacts=artifacts or [],
                **about,
            ).to_json()
        if status != "running":
            mine = [p for p in self.ledger.predictions(self.study) if p.experiment == self.n]
            verdicts = judge_predictions(mine, result["values"]) if result else []
            self.ledger.finish(
                self.study,
                self.n,
                status,
                0.3 * self.n,
                result=result,
                error=error,
                verdicts=verdicts,
            )
        return self.ledger.experiments(self.study)[-1]

    # Pictures

    def scene(self, scene: Any, **more: Any) -> Artifact:
        about = {"kind": "scene", "scene": scene.to_json()} | more
        return self.ledger.pictures.put(render(scene), about, "stimulus")

    def population(self, n: int) -> list[Artifact]:
        """As many scenes as patches of photographs."""
        scenes = [self.scene(random_scene(self.rng)) for _ in range(n // 2)]
        patches = Patches("demo", photographs(), n - n // 2)
        items = [patches.item(i) for i in range(n - n // 2)]
        put = self.ledger.pictures.put
        return scenes + [put(item.image, item.provenance, "stimulus") for item in items]

    def activation(self, made: Artifact) -> float:
        """What the planted unit does on a picture."""
        degrees = self.concepts(made)
        clean = sum(w * degrees.get(p, 0.0) for p, w in self.planted.items())
        return float(max(0.0, 0.6 + clean + self.rng.normal(0, 0.35)))

    def concepts(self, made: Artifact) -> dict[str, float]:
        return judge(self.ledger.pictures.image(made.id), made.provenance)

    def heatmap(self, made: Artifact, activation: float) -> Artifact:
        """An activation map with one peak, at the first thing of a scene."""
        things = (made.provenance.get("scene") or {}).get("things") or [{"x": 0.6, "y": 0.4}]
        y, x = np.mgrid[0:14, 0:14] / 13
        bump = np.exp(-((x - things[0]["x"]) ** 2 + (y - things[0]["y"]) ** 2) / 0.03)
        shown = overlay(self.ledger.pictures.image(made.id), activation * bump, (0.0, 3.5))
        about = {"kind": "figure", "of": made.id, "unit": UNIT, "activation": activation}
        return self.ledger.pictures.put(shown, about, "figure")

    def sample(self, n: int) -> dict[str, Any]:
        """Values of a survey or a held-out sample, the most active picture first."""
        measured = [(self.activation(m), m) for m in self.population(n)]
        measured.sort(key=lambda pair: -pair[0])
        activation, made = [a for a, _ in measured], [m for _, m in measured]
        degrees = [self.concepts(m) for m in made]
        phrases = sorted({p for d in degrees for p in d})
        return {
            "activation": activation,
            "weight": [0.35 if i < 0.2 * n else 1.0 for i in range(n)],
            "stratum": [["strong", "middle", "weak", "zero"][4 * i // n] for i in range(n)],
            "group": [
                m.provenance.get("item", m.id).split(" ")[0] if "item" in m.provenance else m.id
                for m in made
            ],
            "population": [
                "rendered scenes" if "scene" in m.provenance else "pictures" for m in made
            ],
            "concepts": {p: [d.get(p, 0.0) for d in degrees] for p in phrases},
            "repeat": {"pearson": 0.963, "n": n // 4},
            "shown": [{"at": at, "stimulus": made[at].id} for at in range(0, n, n // 8)],
        }

    # Experiments

    def exemplars(self) -> Experiment:
        size = min(32, self.pictures // 2)
        made = sorted(self.population(size), key=self.activation)[::-1]
        made = made[:9]
        activation = sorted((self.activation(m) for m in made), reverse=True)
        figures = [self.heatmap(m, a) for m, a in zip(made, activation, strict=True)]
        values = {
            "stimuli": [m.id for m in made],
            "activation": activation,
            "position": [[0.5, 0.5] for _ in made],
            "figures": [f.id for f in figures],
            "labels": [m.provenance.get("labels", []) for m in made],
            "concepts": [self.concepts(m) for m in made],
            "statistics": {"pictures": 200, "mean": 0.71, "sd": 0.83, "high": activation[0]},
        }
        return self.call(
            "exemplars", "observation", {"unit": UNIT}, values, made + figures, by="program"
        )

    def minimal_pairs(self, phrase: str, hypothesis: str, n: int = 9, least: float = 0.08) -> None:
        """Scenes with a phrase, the same without it, and the difference in activation."""
        with_it = [self.scene(scene_having(self.rng, [phrase], [])) for _ in range(n)]
        self.step(f"Scenes with {phrase}.")
        args = {"n": n, "having": [phrase], "lacking": []}
        scenes = [m.provenance["scene"] for m in with_it]
        values = {"stimuli": [m.id for m in with_it], "scenes": scenes, "pictographs": True}
        self.call("synthesize", "stimulus", args, values, with_it, metric="none: pictures are made")
        instruction = {"op": "without", "phrase": phrase}
        pairs = [(m, edited) for m in with_it if (edited := self._edited(m, phrase, instruction))]
        parents, without = [m for m, _ in pairs], [edited for _, edited in pairs]
        values = {
            "stimuli": [m.id for m in without],
            "parents": [m.id for m in parents],
            "changed": [m.provenance.get("changed") for m in without],
            "rejected": [],
        }
        self.step("The same pictures, with the phrase taken away.")
        args = {"stimuli": [m.id for m in with_it], "instruction": instruction}
        self.call("edit", "stimulus", args, values, without, metric="none: pictures are made")
        self.predict(hypothesis, least)
        self.compare(parents, without)

    def compare(self, made: list[Artifact], beside: list[Artifact]) -> Experiment:
        after, before = ([self.activation(m) for m in ms] for ms in (made, beside))
        figures = [self.heatmap(m, a) for m, a in zip(made[:4], after[:4], strict=True)]
        found = contrast.paired(after, before, seed=1).to_json()
        args = {"unit": UNIT, "stimuli": [m.id for m in made], "baseline": [m.id for m in beside]}
        values = {
            "activation": after,
            "position": [[0.5, 0.5] for _ in made],
            "baseline": before,
            "contrast": {**found, "counterfactual": "minimal pairs", "in_sd": found["mean"] / 0.8},
        }
        return self.call(
            "activate", "observation", args, values, figures, counterfactual="minimal pairs"
        )

    def _edited(
        self, parent: Artifact, phrase: str, instruction: dict[str, Any]
    ) -> Artifact | None:
        """The smallest edit; None for a scene that has the phrase more than once."""
        before = Scene.from_json(parent.provenance["scene"])
        try:
            after, changed = without_phrase(before, phrase, self.rng)
        except ToolError:
            return None
        about = {
            "kind": "edit",
            "parent": parent.id,
            "instruction": instruction,
            "changed": changed,
            "scene": after.to_json(),
        }
        return self.ledger.pictures.put(render(after), about, "stimulus")

    def look_inside(self, stimuli: list[str]) -> None:
        self.step("What does the network lose without the unit, and which edits move it?")
        n = len(stimuli)
        change = self.rng.normal(-0.4, 0.2, n).tolist()
        moved = [
            {"output": name, "change": mean, "ci": [mean - 0.12, mean + 0.12], "control": 0.02}
            for name, mean in (("traffic light", -0.52), ("pinwheel", -0.41), ("paddle", 0.17))
        ]
        values = {
            "pictures": {
                "top": ["traffic light", "pinwheel", "espresso"][: n % 3]
                + ["ping-pong ball"] * (n - n % 3),
                "logit": change,
                "kl": [0.05] * n,
                "becomes": ["balloon", *[None] * (n - 1)],
            },
            "effect": {"logit": -0.41, "probability": -0.07, "kl": 0.052, "flipped": 0.11},
            "moved": moved,
            "control": {"units": ["blocks.5.1.conv_pw:3"], "effect": {"kl": 0.011}, "kl": [0.011]},
            "contrast": {
                "kl": contrast.paired([0.05, 0.06, 0.04], [0.01, 0.012, 0.009], 1).to_json(),
                "logit": contrast.paired([0.4, 0.5, 0.3], [0.1, 0.05, 0.08], 1).to_json(),
                "exceeds": 1.0,
            },
        }
        self.call(
            "ablate",
            "model intervention",
            {"unit": UNIT, "stimuli": stimuli, "mode": "mean"},
            values,
            metric="change of the class logits",
            mediator=f"the whole map of unit {UNIT}",
            counterfactual="the unit at its mean over 24 random pictures",
        )
        edits = (("greyscale", -1.4), ("hue turned by 120 degrees", -1.1), ("blur", -0.3),
                 ("mirrored", 0.04), ("faint noise (control)", 0.0))  # fmt: skip
        listed = []
        for name, mean in edits:
            changed = self.rng.normal(mean, 0.2, 4).tolist()
            found = contrast.paired(changed, [0.0] * 4, 1).to_json()
            listed.append({"edit": name, "change": changed, "contrast": {**found, "p_holm": 0.2}})
        values = {"baseline": [2.0, 2.2, 1.8, 2.4], "edits": listed}
        args = {"unit": UNIT, "stimuli": stimuli[:4]}
        about = {"counterfactual": "the same pictures unedited"}
        self.call("profile", "input intervention", args, values, **about)

    def conclude(self, text: str, claimed: Weights | None, evidence: list[int]) -> None:
        """A conclusion, the held-out sample that scores it, and the end of the study."""
        claim = None if claimed is None else form(claimed, 0.6)
        conclusion = {
            "text": text, "form": claim, "exceptions": [], "evidence": evidence,
        }  # fmt: skip
        if claimed:
            conclusion["exceptions"] = ["Where there is many colours, it responds more."]
        self.step("What was not refuted, with its weights fitted again.", conclusion=conclusion)
        args = {"unit": UNIT, "n": self.pictures, "phrases": list(claimed or {})}
        sample = self.call(
            "held_out_sample", "observation", args, self.sample(self.pictures), by="program"
        )
        explained = confirm.explain(self.view(), Conclusion.model_validate(conclusion), sample)
        self.ledger.conclude(self.study, *explained)
        self.ledger.end(self.study, explained[0].verdict, None)

    def view(self) -> View:
        ledger, study = self.ledger, self.study
        return View(
            "", UNIT, [], {}, False, 7, ledger.messages(study), ledger.hypotheses(study),
            ledger.predictions(study), ledger.experiments(study), ledger.verdicts(study),
        )  # fmt: skip


def form(weights: Weights, intercept: float = 0.0) -> dict[str, Any]:
    """A form with one term per phrase."""
    from hubel.agent.form import Form, Term

    return Form(tuple(Term(w, (p,)) for p, w in weights.items()), intercept=intercept).to_json()


OPENED: dict[str, Any] = {
    "target": {
        "name": "demo",
        "hash": "5d41402abc4b2a76b9719d911017c592" * 2,
        "device": "cpu",
        "classes": 1000,
        "sites": [{"name": "blocks.5.1.conv_pw", "shape": [192, 14, 14], "units": 192}],
        "main_sites": ["blocks.5.1.conv_pw"],
    },
    "data": {"name": "demo:400", "pictures": 800, "hash": "8f14e45fceea167a5a36dedd4bea2543" * 2},
    "versions": {"python": "3.11.7", "hubel": "0.1.0", "torch": "2.13.0", "numpy": "2.4.0"},
}
