"""Measure a unit on pictures, alone or against other pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from hubel.tools import contrast
from hubel.tools.context import Context, StimulusId, UnitName
from hubel.tools.exemplars import index_for
from hubel.tools.heatmap import grid, overlay
from hubel.tools.indexing.columns import place
from hubel.tools.interventions import distinct, minimal_pairs
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import ToolError, tool

#: Pictures that are drawn with their activation map.
FIGURES = 8

_MEASURES = {
    "activation": "activation on each picture: the maximum of the unit's map over positions",
    "position": "[row, column] of that maximum as parts of the map, null where it has none",
    "baseline": "activation on each picture of the baseline, null without one",
    "contrast": "stimuli less baseline: mean difference in activation with its 95% interval, "
    "effect size d, permutation p value; in_sd is the mean difference in standard deviations of "
    "the unit over the discovery half of the data set, null where the unit is constant there",
}


@tool(kind="observation")
def activate(
    ctx: Context,
    unit: UnitName,
    stimuli: list[StimulusId],
    baseline: list[StimulusId] | None = None,
) -> Result:
    """Measure a unit's activation on pictures, and its difference from a baseline.

    With edited pictures as stimuli and their originals, in the same order, as baseline, the
    difference is the effect of the edit: pairs are recognised by how the pictures were made.
    Other pictures are compared as two unrelated groups.

    Args:
        ctx: Where the tool runs.
        unit: The unit to measure.
        stimuli: Pictures to measure it on.
        baseline: Pictures to compare them with, if any.
    """
    parsed = str(ctx.target.unit(unit))
    paired = _paired(ctx, stimuli, baseline)
    images = ctx.images(stimuli)
    maps = ctx.maps(parsed, images)
    activation = [float(m.max()) for m in maps]
    values: dict[str, Any] = {
        "activation": activation,
        "position": [place(m.shape, int(m.argmax())) for m in maps],
        "baseline": None,
        "contrast": None,
    }
    counterfactual = "none"
    if baseline is not None:
        counterfactual = "minimal pairs" if paired else "other pictures"
        below = ctx.activations(parsed, ctx.images(baseline)).tolist()
        compare = contrast.paired if paired else contrast.unpaired
        found = compare(activation, below, ctx.seed)
        values["baseline"] = below
        values["contrast"] = {
            **found.to_json(),
            "counterfactual": counterfactual,
            "in_sd": _in_sd(ctx, parsed, found.mean),
        }
    return Result(
        values=values,
        measures=_MEASURES,
        metric="activation (maximum over positions)",
        counterfactual=counterfactual,
        seed=ctx.seed,
        artifacts=_figures(ctx, parsed, stimuli, maps),
    )


def _paired(ctx: Context, stimuli: list[str], baseline: list[str] | None) -> bool:
    """Whether the lists are minimal pairs; both lists are checked for pictures counted twice."""
    if not stimuli or baseline is None or not minimal_pairs(ctx, stimuli, baseline):
        distinct(stimuli, "stimuli")
        if baseline is not None:
            distinct(baseline, "baseline")
        return False
    pairs = list(zip(stimuli, baseline, strict=True))
    if len(set(pairs)) < len(pairs):
        raise ToolError("A picture is paired with the same baseline twice: name each pair once.")
    return True


def _in_sd(ctx: Context, unit: str, mean: float) -> float | None:
    """A difference in standard deviations of the unit; None for a unit that is constant.

    The index is opened, and made if need be, so that the result never depends on what was asked
    before.
    """
    sd = index_for(ctx, unit).stats(ctx.target.unit(unit)).sd
    return mean / sd if sd > 0 else None


def _figures(ctx: Context, unit: str, stimuli: list[str], maps: list[Any]) -> list[Artifact]:
    """Heat-maps of the first pictures, on one scale from zero (or below) to the highest shown."""
    shown = [(s, m) for s, m in zip(stimuli, maps, strict=True) if grid(m) is not None][:FIGURES]
    if not shown:
        return []
    low = min(0.0, *(float(m.min()) for _, m in shown))
    high = max(float(m.max()) for _, m in shown)
    made = []
    for stimulus, activation in shown:
        about = {
            "kind": "figure",
            "of": stimulus,
            "unit": unit,
            "activation": float(np.max(activation)),
        }
        picture = overlay(ctx.store.image(stimulus), activation, (low, high))
        made.append(ctx.store.put(picture, about, "figure"))
    return made
