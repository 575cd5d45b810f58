"""The measured result decides: predictions against values, and the grade of the evidence."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

from hubel.agent.records import Experiment, Prediction, Verdict

_OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}

#: What an experiment must be to count as an intervention.
_INTERVENTIONS = ("input intervention", "model intervention")

#: Digits that a position in a list may have.
_DIGITS = 9


def number_at(values: Mapping[str, Any], path: str) -> float | None:
    """The number at a dotted path (list positions are numbers); None if there is none."""
    found: Any = values
    for part in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and _is_position(part) and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number else None


def judge_predictions(
    predictions: Iterable[Prediction], values: Mapping[str, Any]
) -> list[Verdict]:
    """Compare what was predicted with what was measured.

    A refuting result refutes even where it is also the expected one: a hypothesis gains nothing
    by predicting everything. A number that was not measured decides nothing.
    """
    verdicts = []
    for p in predictions:
        measured = number_at(values, p.path)
        outcome = "inconclusive"
        if _holds(p.refutes, values, p.path):
            outcome = "refuted"
        elif _holds(p.expects, values, p.path):
            outcome = "supported"
        verdicts.append(Verdict(p.experiment, p.hypothesis, outcome, measured))
    return verdicts


def fate(hypothesis: str, verdicts: Iterable[Verdict]) -> str:
    """What became of a hypothesis: refuted by any refutation, else supported by any support."""
    outcomes = {v.outcome for v in verdicts if v.hypothesis == hypothesis}
    for outcome in ("refuted", "supported", "inconclusive"):
        if outcome in outcomes:
            return outcome
    return "untested"


def is_intervention(experiment: Experiment) -> bool:
    """Whether something was changed and the change's effect measured.

    Comparing edited pictures with their originals is an intervention on the input, whatever tool
    measured the two.
    """
    minimal = (experiment.result or {}).get("counterfactual") == "minimal pairs"
    return experiment.kind in _INTERVENTIONS or minimal


def grade(
    evidence: Iterable[int],
    experiments: Iterable[Experiment],
    verdicts: Iterable[Verdict],
    *,
    confirmed: bool,
) -> str:
    """How strong the evidence is: causal, correlational or observed.

    Causal: a cited intervention supported a prediction that was registered before it.
    Correlational: no such support, but the explanation was confirmed on held-out pictures.
    """
    cited = set(evidence)
    interventions = {e.n for e in experiments if is_intervention(e) and e.status == "done"}
    supported = {v.experiment for v in verdicts if v.outcome == "supported"}
    if cited & interventions & supported:
        return "causal"
    return "correlational" if confirmed else "observed"


def _is_position(part: str) -> bool:
    """Whether a part of a path can be a position: Python reads no number of 5,000 digits."""
    return part.isdecimal() and len(part) <= _DIGITS


def _holds(condition: Mapping[str, Any], values: Mapping[str, Any], path: str) -> bool:
    measured = number_at(values, condition.get("path") or path)
    if measured is None:
        return False
    return bool(_OPERATORS[condition["op"]](measured, condition["value"]))
