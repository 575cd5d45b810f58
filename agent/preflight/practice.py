"""A study for practice: a unit that responds to red, its results computed on the spot, no network.

It is there to see whether a planner follows the loop, not whether it is right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubel.agent.guards import FEWEST
from hubel.agent.planner import Call, Desk, Malformed, Planner, Step, View, problem
from hubel.agent.records import Experiment, Hypothesis, Message, Prediction, Verdict
from hubel.agent.verdicts import judge_predictions
from hubel.tools.result import Result
from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    import numpy as np

UNIT = "practice:0"
#: Tools that the practice lab has.
TOOLS = ("exemplars", "survey", "synthesize", "edit", "activate")
#: Turns that a planner has; at the last it must conclude.
TURNS = 7
#: What is looked at.
RULES = ("steps in order", "registers rivals", "predicts before it measures", "concludes")
_PHRASE = "red object"


@dataclass
class Practice:
    """One study.

    Args:
        tools: The announced tools.
        desk: What planners work with; holds the pictures.
        rng: Draws them.
    """

    tools: list[dict[str, Any]]
    desk: Desk
    rng: np.random.Generator
    messages: list[Message] = field(default_factory=list)
    hypotheses: list[Hypothesis] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    experiments: list[Experiment] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def run(self, planner: Planner) -> dict[str, bool]:
        """Let a planner go through the study; which of the `RULES` it kept.

        Raises:
            PlannerFailed: It cannot be asked.
        """
        question = "What does this unit respond to?"
        self.messages.append(Message(0, "user", {"question": question}))
        self._call(Call(tool="exemplars", args={"unit": UNIT}), 0)
        concluded = False
        for turn in range(TURNS):
            concluded = self._turn(planner, question, TURNS - turn)
            if concluded:
                break
        forms = {str(sorted(map(str, h.form["terms"]))) for h in self.hypotheses}
        kept = (
            not any(m.role == "error" for m in self.messages),
            len(forms) > 1,
            bool(self.predictions),
            concluded,
        )
        return dict(zip(RULES, kept, strict=True))

    def _turn(self, planner: Planner, question: str, left: int) -> bool:
        """One step of the planner; whether it concluded."""
        view = View(
            question, UNIT, self.tools, {"rounds": float(left - 1), "calls": 30.0 * (left > 1)},
            left == 1, 0, list(self.messages), list(self.hypotheses), list(self.predictions),
            list(self.experiments), list(self.verdicts), self.desk,
        )  # fmt: skip
        n = len(self.messages)
        try:
            step = planner.next(view)
        except Malformed as error:
            self.messages.append(Message(n, "error", {"error": str(error), "said": error.said}))
            return False
        said = {"step": step.model_dump(mode="json")}
        if wrong := problem(step, view):
            self.messages.append(Message(n, "error", {"error": wrong, **said}))
            return False
        first = len(self.experiments) + 1
        self.messages.append(Message(n, "planner", {"first_experiment": first, **said}))
        self._register(step, n, first)
        for call in step.calls if left > 1 else ():
            self._call(call, n)
        return step.conclusion is not None

    def _register(self, step: Step, n: int, first: int) -> None:
        self.hypotheses += [
            Hypothesis(c.name, n, c.claim, c.form, c.revises) for c in step.hypotheses
        ]
        self.predictions += [
            Prediction(
                first + i, p.hypothesis, n, p.path,
                p.expects.model_dump(exclude_none=True), p.refutes.model_dump(exclude_none=True),
            )
            for i, call in enumerate(step.calls)
            for p in call.predictions
        ]  # fmt: skip

    def _call(self, call: Call, message: int) -> None:
        """An experiment with its result, or with the reason why there is none."""
        n = len(self.experiments) + 1
        result, error = None, None
        try:
            result = self._result(call, n).to_json()
        except ToolError as refusal:
            error = str(refusal)
        status = "refused" if result is None else "done"
        kind = next(t["kind"] for t in self.tools if t["name"] == call.tool)
        self.experiments.append(
            Experiment(
                n, message, "planner", call.tool, kind, call.args, n, status, result, error, 0.1
            )
        )
        mine = [p for p in self.predictions if p.experiment == n]
        self.verdicts += judge_predictions(mine, result["values"]) if result else []

    def _result(self, call: Call, n: int) -> Result:
        if call.tool == "survey":
            return Result(_survey(self.rng), {"activation": "of each"}, "activation", seed=n)
        if call.tool == "exemplars":
            level = [2.0 - i / 10 for i in range(FEWEST)]
            values = {"activation": level, "concepts": [{_PHRASE: 1.0} for _ in level]}
            return self._drawn(n, len(level), red=True, **values)
        if call.tool == "synthesize":
            return self._drawn(n, FEWEST + 2, red=_PHRASE in (call.args.get("having") or ()))
        pictures = call.args.get("stimuli")
        if not isinstance(pictures, list):
            raise ToolError(f"{call.tool} needs the argument 'stimuli', a list of pictures.")
        if call.tool == "edit":
            changed = [{"factor": "colour", "lost": [_PHRASE]} for _ in pictures]
            more = {"parents": pictures, "changed": changed, "rejected": []}
            return self._drawn(n, len(pictures), red=False, **more)
        contrast = {"mean": 1.1, "ci": [0.8, 1.4], "d": 2.0, "p": 0.01, "n": len(pictures)}
        beside = call.args.get("baseline") is not None
        level = [1.5] * len(pictures)
        values = {"activation": level, "contrast": contrast if beside else None}
        return Result(values, {"activation": "of each"}, "activation", seed=n)

    def _drawn(self, n: int, count: int, *, red: bool, **more: Any) -> Result:
        """A result with new scenes."""
        from hubel.tools.imagery.scenes import render, scene_having

        having, lacking = ([_PHRASE], []) if red else ([], [_PHRASE])
        scenes = [scene_having(self.rng, having, lacking) for _ in range(count)]
        made = [
            self.desk.pictures.put(render(s), {"kind": "scene", "scene": s.to_json()}, "stimulus")
            for s in scenes
        ]
        values = {"stimuli": [a.id for a in made], "scenes": [s.to_json() for s in scenes], **more}
        return Result(values, {"stimuli": "ids"}, "pictures", seed=n, artifacts=made)


def _survey(rng: np.random.Generator) -> dict[str, Any]:
    """Pictures of which the red ones are strong."""
    n = 24
    red = rng.random(n) < 0.4
    round_ = rng.random(n) < 0.4
    activation = 1.2 * red + rng.normal(0.3, 0.1, n)
    return {
        "activation": activation.tolist(),
        "weight": [1.0] * n,
        "group": [str(i) for i in range(n)],
        "population": ["rendered scenes"] * n,
        "concepts": {_PHRASE: red.astype(float).tolist(), "circle": round_.astype(float).tolist()},
    }
