"""A stratified sample of a unit as a table: pictures by activation, weight and concepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hubel.tools.context import Context
from hubel.tools.exemplars import SampleEntry
from hubel.tools.judged import Judgement, judged

#: A phrase is left out where fewer pictures than this share have any of it.
RARE = 0.02

#: What the columns of `table` mean.
MEASURES = {
    "stimuli": "name of each picture in the data set, the most active first",
    "activation": "activation on each picture: the maximum of the unit's map over positions",
    "weight": "how many pictures of the half each one stands for: weighted means over the table "
    "are unbiased estimates over the half",
    "stratum": "part of the unit's range that each picture is from: strong, middle, weak or zero",
    "group": "group of each picture: crops of one photograph are not independent",
    "population": "whether each picture is a rendered scene, whose content is known exactly",
    "concepts": "phrase -> degree in [0, 1] on each picture, or {at: numbers of the pictures that "
    "have it} where it is 0 or 1; a phrase that is not there is rare or the same everywhere",
}


def table(
    ctx: Context, entries: Sequence[SampleEntry], phrases: Sequence[str] | None = None
) -> dict[str, Any]:
    """A sample as columns, with the keys of `MEASURES`.

    Args:
        ctx: Where the tool runs.
        entries: The sample.
        phrases: The concepts wanted; None for all that are neither rare nor the same everywhere.
    """
    judgements = judged(ctx, [entry.number for entry in entries])
    return {
        "stimuli": [j.name for j in judgements],
        "activation": [e.activation for e in entries],
        "weight": [e.weight for e in entries],
        "stratum": [e.stratum for e in entries],
        "group": [ctx.data.groups[e.number] for e in entries],
        "population": [j.population for j in judgements],
        "concepts": _concepts(judgements, phrases),
    }


def _concepts(judgements: Sequence[Judgement], phrases: Sequence[str] | None) -> dict[str, Any]:
    wanted = phrases
    if wanted is None:
        wanted = sorted({phrase for j in judgements for phrase in j.concepts})
    found: dict[str, Any] = {}
    for phrase in wanted:
        degrees = [j.concepts.get(phrase, 0.0) for j in judgements]
        at = [i for i, degree in enumerate(degrees) if degree > 0]
        if phrases is None and (len(at) < RARE * len(degrees) or len(set(degrees)) == 1):
            continue
        found[phrase] = {"at": at} if set(degrees) <= {0.0, 1.0} else degrees
    return found
