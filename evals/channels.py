"""The suite `real`: channels of the bundled network, explained by whole studies in the lab.

Nobody knows the truth of a real channel. What can be known is how well an executed explanation
predicts activations on pictures that its author has not seen; rendered scenes are used, since what
is in them is exact. Among the channels are planted ones of noise, about which any claim is false.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from hubel.agent.budget import Budget
from hubel.agent.confirm import Sample
from hubel.agent.form import Form
from hubel.agent.ledger import Ledger
from hubel.agent.planners import open_describer, open_planner
from hubel.agent.question import Question
from hubel.evals import baselines
from hubel.sandbox.jail import Jail
from hubel.sandbox.session import LabSession, LabSettings
from hubel.tools.spec import ToolError

#: The network, with a channel of noise at the end of each main site; and its pictures.
TARGET, DATA = "null:demo", "scenes:1600"
QUESTION = "What does this unit respond to?"
#: Every so manieth main site, and the round of channels in which the planted one is asked about.
EVERY, PLANTED = 4, 7
#: Pictures that baselines are shown at most, as the built-in planner is, and held-out pictures on
#: which all are scored.
SEEN, HELD_OUT = 1024, 320
#: Those that make no experiment.
BASELINES = ("exemplars", "lift", "ridge", "constant", "empty")


def installed() -> None:
    """Refuse to begin without the bundled network.

    Raises:
        ToolError: It is not installed.
    """
    if find_spec("efficientnet_lite_pytorch") is None:
        raise ToolError("The suite 'real' needs the bundled network: pip install 'hubel[demo]'.")


def check(planner: str) -> None:
    """Refuse a planner that cannot be asked about channels.

    Raises:
        ValueError: There is none of that name, or it is one that needs to be told the truth.
    """
    if planner == "oracle":
        raise ValueError("nobody knows the truth of real channels: leave the oracle out of 'real'")
    if planner not in BASELINES:
        open_planner(planner)


class Channels:
    """Explains channels and scores what came of it; holds a lab, opened when it is needed.

    Args:
        home: Folder of the ledger, which keeps the studies.
        jail: How the lab's box is started.
    """

    def __init__(self, home: Path, jail: Jail) -> None:
        self._home = home
        self._opened: Ledger | None = None
        self._lab = LabSession(LabSettings(TARGET, DATA, home, "cpu", (), jail))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._lab.__exit__(None, None, None)
        if self._opened is not None:
            self._opened.close()

    @property
    def _ledger(self) -> Ledger:
        """Opened when it is needed, in the thread that needs it."""
        if self._opened is None:
            self._opened = Ledger(self._home)
        return self._opened

    def row(self, planner: str, seed: int, number: int, budget: int) -> dict[str, Any]:
        """Explain a channel and score it.

        Args:
            planner: One of `BASELINES`, or a planner's name.
            seed: Draws the channels.
            number: Which channel.
            budget: Tool calls that a planner may make.
        """
        unit, site, real = channel(self._lab.hello["target"], seed, number)
        begun = time.monotonic()
        found = (
            self._baseline(planner, unit, seed, number)
            if planner in BASELINES
            else self._study(planner, unit, seed, number, budget, real=real)
        )
        return {
            "suite": "real",
            "planner": planner,
            "number": number,
            "kind": site,
            "complexity": "channel" if real else "null",
            "real": real,
            "truth": unit if real else "a planted channel of noise",
            "truth_code": None,
            "code": None,
            "confidence": None,
            "outside": False,
            "seconds": round(time.monotonic() - begun, 3),
            "budget": budget,
            **_NOT_KNOWN,
            **found,
        }

    def _study(
        self, planner: str, unit: str, seed: int, number: int, budget: int, *, real: bool
    ) -> dict[str, Any]:
        """A whole study, recorded in the ledger like any other; one that fails predicts nothing."""
        from hubel.agent.loop import run  # the other suites do not wait for its libraries

        ledger, allowed = self._ledger, asdict(Budget(calls=budget))
        asked = Question(QUESTION, TARGET, unit, DATA, planner, seed=seed, budget=allowed)
        begun = asked.begin(ledger, self._lab.hello["target"])
        opened = open_planner(planner, {}, ledger.home)
        describer = open_describer(planner, {}, ledger.home)
        study = run(begun.id, ledger, self._lab, opened, describer=describer)
        explanation = ledger.explanation(study.id)
        experiments = ledger.experiments(study.id)
        called = sum(e.asked_by == "planner" for e in experiments)
        shown = {p for e in experiments[:-1] for p in e.values.get("stimuli") or ()}
        told = {
            "study": study.id,
            "queries": called,
            "pictures": len(shown),
            "text": explanation.text if explanation else None,
        }
        if explanation is None:
            nothing = {"correlation": 0.0, "rank_correlation": 0.0} if real else {}
            failed = f"{study.stop}: {study.stop_detail}"
            return {**told, "failed": failed, "claimed": False, **nothing}
        form = Form.from_json(explanation.form)
        claimed = explanation.verdict == "answered"
        scored = self._scored(unit, form, seed, number)
        return {**told, "failed": "", "claimed": claimed, **scored}

    def _baseline(self, name: str, unit: str, seed: int, number: int) -> dict[str, Any]:
        form, shown = Form(()), 0
        if name == "exemplars":
            seen = self._lab.call("exemplars", {"unit": unit}, seed)["values"]
            form, shown = baselines.one_shot(seen["concepts"]), len(seen["stimuli"])
        elif name in ("lift", "ridge"):
            values = self._lab.call("survey", {"unit": unit, "n": SEEN}, seed)["values"]
            sample = Sample(values, sorted(values["concepts"]))
            form = baselines.by_lift(sample) if name == "lift" else baselines.ridge(sample)
            shown = len(sample)
        text = str(form) if 0 < len(form.terms) <= baselines.LIFTED else None
        return {
            "queries": 1 if shown else 0,
            "pictures": shown,
            "text": text,
            "failed": "",
            # What has no rule for saying nothing claims of everything, a constant included.
            "claimed": name != "empty",
            **self._scored(unit, form, seed, number),
        }

    def _scored(self, unit: str, form: Form, seed: int, number: int) -> dict[str, Any]:
        """Correlations on held-out pictures: the same ones for everybody."""
        args = {"unit": unit, "n": HELD_OUT, "phrases": form.phrases}
        values = self._lab.call("held_out_sample", args, _seed(seed, number))["values"]
        sample = Sample(values, form.phrases)
        predicted = sample.predicted(form)
        return {
            "form": form.to_json() if len(form.terms) <= baselines.LIFTED else None,
            "correlation": sample.correlate(form, seed).pearson,
            "rank_correlation": rank_correlation(predicted, sample.measured, sample.weights),
            "ceiling": values["repeat"]["pearson"],
        }


#: Scores that need a truth.
_NOT_KNOWN: dict[str, Any] = {
    "recovered": None,
    "agreement": {},
    "nmse": None,
    "truth_nmse": None,
    "overlap": None,
    "length": None,
    "why": "",
    "correlation": None,
    "rank_correlation": None,
    "ceiling": None,
}


def channel(target: dict[str, Any], seed: int, number: int) -> tuple[str, str, bool]:
    """A channel: its name, its site, and whether it is a real one.

    Args:
        target: The network, as the lab announced it.
        seed: Draws the channels of each site, without replacement.
        number: Which; sites take turns.

    Raises:
        ValueError: The sites do not have so many channels.
    """
    sites = target["main_sites"][EVERY - 1 :: EVERY]
    turn, at = divmod(number, len(sites))
    units = {s["name"]: s["units"] for s in target["sites"]}
    real = units[sites[at]] - 1  # the last one is planted
    if turn == PLANTED:
        return f"{sites[at]}:{real}", sites[at], False
    k = turn - (turn > PLANTED)
    if k >= real:
        raise ValueError(f"the suite 'real' has fewer than {number + 1} channels: lower --n")
    order = np.random.default_rng([seed, at]).permutation(real)
    return f"{sites[at]}:{order[k]}", sites[at], True


def rank_correlation(predicted: Any, measured: Any, weights: Any) -> float:
    """Weighted correlation of ranks (Spearman 1904); 0 for a constant."""
    from scipy.stats import rankdata  # type: ignore[import-untyped]

    from hubel.agent.score import pearson

    ranks = rankdata(predicted), rankdata(measured)
    return float(pearson(ranks[0], ranks[1], np.asarray(weights)[None])[0])


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
