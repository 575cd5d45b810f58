"""Whether a unit is explained by simple statistics of the picture already."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from hubel.tools.context import Context, UnitName
from hubel.tools.exemplars import index_for
from hubel.tools.judged import judged_if_readable
from hubel.tools.regression import explain
from hubel.tools.result import Result
from hubel.tools.spec import ToolError, tool
from hubel.tools.statistics import STATISTICS

#: Fewer pictures than this say nothing about so many statistics.
LEAST = 20
#: Single statistics listed.
LISTED = 5

_MEASURES = {
    "pictures": "how many pictures of the discovery half were measured, drawn over the whole range "
    "of the activation, and of how many groups (crops of one photograph are a group)",
    "together": "all image statistics in one ridge regression: part of the variance of the "
    "activation that is predicted on groups left out (r2; below 0 is worse than the mean), with "
    "95% interval over groups and permutation p value",
    "best": "the single statistic with the largest Pearson correlation, its 95% interval over "
    "groups, and a permutation p value for the largest of all",
    "singles": "the statistics with the largest correlations",
}


@tool(kind="observation")
def image_stats(
    ctx: Context, unit: UnitName, n: Annotated[int, Field(ge=LEAST, le=2000)] = 200
) -> Result:
    """Test whether brightness, colour, edges or texture explain a unit, before any meaning does.

    Activation over a sample of pictures from strong to silent is regressed on statistics that are
    measured on the pixels. Where they predict it, a semantic label needs more evidence. The
    features are of the kind that Sarıtaş et al., "Complexity in Complexity" (2025), use for visual
    complexity.

    Args:
        ctx: Where the tool runs.
        unit: The unit to explain.
        n: How many pictures to measure.
    """
    parsed = str(ctx.target.unit(unit))
    rng = ctx.rng()
    rows, activation, groups = _measured(ctx, parsed, n, rng)
    if len(rows) < LEAST or len(set(groups)) < 2:
        raise ToolError(
            f"image_stats needs {LEAST} pictures of at least two groups; '{ctx.data.name}' gives "
            f"{len(rows)} of {len(set(groups))}: use a larger data set."
        )
    if np.ptp(activation) == 0:
        raise ToolError(
            f"Unit '{parsed}' has the activation {activation[0]:.6g} on all {len(rows)} pictures: "
            "there is nothing to explain."
        )
    phrases = list(rows[0])
    features = np.array([[row[p] for p in phrases] for row in rows])
    found = explain(features, np.array(activation), groups, rng)
    order = np.argsort(-np.abs(found.correlations), kind="stable")[:LISTED]
    values: dict[str, Any] = {
        "pictures": {"n": len(rows), "groups": found.groups},
        "together": {"r2": found.r2, "ci": list(found.r2_ci), "p": found.r2_p},
        "best": {
            "statistic": phrases[found.best],
            "correlation": float(found.correlations[found.best]),
            "ci": list(found.best_ci),
            "p": found.best_p,
        },
        "singles": [
            {"statistic": phrases[i], "correlation": float(found.correlations[i])} for i in order
        ],
    }
    return Result(
        values=values,
        measures=_MEASURES,
        metric="variance of the activation explained by image statistics",
        counterfactual="the same regression with activations exchanged between groups of pictures",
        seed=ctx.seed,
    )


def _measured(
    ctx: Context, unit: str, n: int, rng: np.random.Generator
) -> tuple[list[dict[str, float]], list[float], list[str]]:
    """Statistics, activation and group of each picture of a sample that can be read."""
    drawn = index_for(ctx, unit).sample(ctx.target.unit(unit), n, rng)
    judgements = judged_if_readable(ctx, [entry.number for entry in drawn])
    read = [entry for entry in drawn if entry.number in judgements]
    concepts = [judgements[entry.number].concepts for entry in read]
    return (
        [{phrase: found.get(phrase, 0.0) for phrase in STATISTICS} for found in concepts],
        [float(entry.activation) for entry in read],
        [ctx.data.groups[entry.number] for entry in read],
    )
