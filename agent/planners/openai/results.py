"""What a model is told of an experiment's result: short, in numbers, nothing judged.

The whole result stays in the ledger, and code that the model writes can look at all of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hubel.agent.planners.openai.names import shortened
from hubel.agent.planners.openai.pictures import most_true
from hubel.agent.records import Experiment, Verdict
from hubel.agent.summaries import summary_of

#: Characters of one result; further passes keep fewer items until it fits.
ROOM = 6000
_ITEMS = (16, 8, 4, 2)
_WORDS = 1200
#: Phrases shown of a survey, by how strongly they go with the activation.
_PHRASES = 24
#: A picture counts as having a phrase from this degree on.
_HAS = 0.5


def told(experiment: Experiment, verdicts: Iterable[Verdict], *, brief: bool = False) -> str:
    """An experiment in words and numbers.

    Args:
        experiment: Ended or not.
        verdicts: Of the study.
        brief: Say it in one sentence, for lack of room.
    """
    about = f"Experiment {experiment.n}, {experiment.tool}: {experiment.status}."
    own = [v for v in verdicts if v.experiment == experiment.n]
    lines = [about, *map(_verdict, own)]
    if experiment.error:
        lines.append(str(shortened(experiment.error)))
    if experiment.status == "done":
        lines.append(str(shortened(summary_of(experiment))) if brief else values_of(experiment))
    return "\n".join(lines)


def _verdict(verdict: Verdict) -> str:
    measured = "not measured" if verdict.measured is None else f"{verdict.measured:.4g}"
    return f"Hypothesis '{verdict.hypothesis}': {verdict.outcome} (measured {measured})."


def values_of(experiment: Experiment) -> str:
    """The values of a result as compact JSON, at most `ROOM` characters."""
    values = experiment.values
    title = "Values"
    if digest := _DIGESTS.get(experiment.tool):
        values, title = digest(values), "Values, in short"
    text = ""
    for items in _ITEMS:
        text = json.dumps(shortened(_fewer(values, items)), ensure_ascii=False)
        if len(text) <= ROOM:
            return f"{title}: {text}"
    return f"{title}: {text[:ROOM]}… (cut off)"


def _fewer(value: Any, items: int) -> Any:
    """A value with numbers rounded, and long lists and texts cut; how much is left out is said."""
    if isinstance(value, float):
        return float(f"{value:.3g}")
    if isinstance(value, str):
        return value if len(value) <= _WORDS else f"{value[:_WORDS]}… ({len(value)} characters)"
    if isinstance(value, Mapping):
        kept = {k: _fewer(v, items) for k, v in list(value.items())[: 3 * items]}
        more = len(value) - len(kept)
        return {**kept, "…": f"{more} more"} if more > 0 else kept
    if isinstance(value, list):
        # Pictures are named in full: a planner cannot use what it cannot name.
        if value and all(isinstance(v, str) and len(v) == 64 for v in value):
            return value
        kept_items = [_fewer(v, items) for v in value[:items]]
        more = len(value) - len(kept_items)
        return [*kept_items, f"… {more} more"] if more > 0 else kept_items
    return value


# Results that are too large to be shown as they are


def _exemplars(values: Mapping[str, Any]) -> dict[str, Any]:
    empty = ("labels", "captions")
    rest = {k: v for k, v in values.items() if k not in empty or any(v)}
    return {
        **{k: v for k, v in rest.items() if k not in ("position", "names")},
        "concepts": [most_true(found) for found in values.get("concepts", ())],
    }


def _survey(values: Mapping[str, Any]) -> dict[str, Any]:
    """Phrases by their correlation with the activation, and the unit with and without each."""
    import numpy as np

    from hubel.agent.confirm import Sample
    from hubel.agent.score import pearson

    sample = Sample(dict(values), sorted(values["concepts"]))
    weights, measured = sample.weights, sample.measured
    rows: dict[str, list[float | None]] = {}
    for phrase, degree in sample.degrees.items():
        has = degree >= _HAS
        rows[phrase] = [
            float(pearson(degree, measured, weights[None])[0]),
            _mean(measured, weights, has),
            _mean(measured, weights, ~has),
            float(weights[has].sum() / weights.sum()),
        ]
    ranked = sorted(rows.items(), key=lambda row: -abs(row[1][0] or 0.0))
    quantiles = np.quantile(measured, [0, 0.25, 0.5, 0.75, 1])
    return {
        "pictures": len(measured),
        "quantiles of the sample": [float(q) for q in quantiles],
        "mean": _mean(measured, weights, np.ones(len(measured), bool)),
        "phrases": {
            "columns": ["phrase", "correlation", "mean with it", "mean without it", "share"],
            "rows": dict(ranked[:_PHRASES]),
            "left out": max(0, len(rows) - _PHRASES),
        },
    }


def _mean(measured: Any, weights: Any, where: Any) -> float | None:
    """Weighted mean activation of some pictures; None where there are none."""
    total = float(weights[where].sum())
    return float((weights[where] @ measured[where]) / total) if total > 0 else None


def _synthesize(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"stimuli": values["stimuli"], "scenes": [_scene(s) for s in values["scenes"]]}


def _scene(scene: Mapping[str, Any]) -> str:
    """A scene in a line; things by their number, from 0."""
    ground = scene["background"]
    colours = " and ".join(c for c in (ground["colour"], ground["second"]) if c)
    things = [
        f"{i}: " + " ".join(str(t[k]) for k in ("texture", "colour", "shape") if t[k])
        for i, t in enumerate(scene["things"])
    ]
    text = [f"text {scene['text']['word']} in {scene['text']['colour']}"] if scene["text"] else []
    return "; ".join([f"{ground['kind']} {colours} background", *things, *text])


def _edit(values: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("factor", "thing", "from", "to", "gained", "lost", "mean")
    changed = [{k: c[k] for k in kept if k in c} for c in values["changed"]]
    return {**values, "changed": changed}


def _profile(values: Mapping[str, Any]) -> dict[str, Any]:
    edits = [
        {
            "edit": e["edit"],
            "mean": e["contrast"]["mean"],
            "ci": e["contrast"]["ci"],
            "p_adjusted": e["contrast"]["p_adjusted"],
            "changed": e["changed"],
        }
        for e in values["edits"]
    ]
    return {"baseline": values["baseline"], "edits": edits}


_DIGESTS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "exemplars": _exemplars,
    "survey": _survey,
    "synthesize": _synthesize,
    "edit": _edit,
    "profile": _profile,
}
