"""Pictures of the data set that have a concept, whatever a unit makes of them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from hubel.tools.context import Context
from hubel.tools.data import held_out
from hubel.tools.judged import item, judged_if_readable
from hubel.tools.result import Result
from hubel.tools.spec import ToolError, tool
from hubel.tools.units import nearest

#: Pictures that are looked through.
LOOKED_THROUGH = 512

_MEASURES = {
    "stimuli": "id of each picture, those that have most of the concept first",
    "names": "name of each picture in the data set",
    "degrees": "degree of the concept in each picture, in (0, 1]",
    "looked_through": "pictures of the discovery half, drawn at random, that were judged",
}


@tool(kind="stimulus")
def find(ctx: Context, phrase: str, n: Annotated[int, Field(ge=1, le=64)] = 8) -> Result:
    """Find pictures that have a concept, for edits and contrasts.

    They are chosen by the concept alone. Pictures chosen by a unit's activation would fall under
    any edit (regression to the mean), and their fall would show nothing.

    Args:
        ctx: Where the tool runs.
        phrase: The concept.
        n: How many pictures at most.
    """
    discovery = np.flatnonzero(~np.asarray(held_out(ctx.data)))
    drawn = ctx.rng().permutation(discovery)[:LOOKED_THROUGH]
    numbers = sorted(int(number) for number in drawn)
    judgements = judged_if_readable(ctx, numbers)
    degrees = {number: j.concepts.get(phrase, 0.0) for number, j in judgements.items()}
    order = sorted((i for i, d in degrees.items() if d > 0), key=lambda i: (-degrees[i], i))[:n]
    if not order:
        seen = {p for j in judgements.values() for p in j.concepts}
        raise ToolError(
            f"None of {len(degrees)} pictures has any '{phrase}'. {nearest(phrase, seen)}"
        )
    pictures = [item(ctx, number) for number in order]
    stimuli = [ctx.store.put(p.image, p.provenance, "stimulus") for p in pictures]
    return Result(
        values={
            "stimuli": [s.id for s in stimuli],
            "names": [p.name for p in pictures],
            "degrees": [degrees[i] for i in order],
            "looked_through": len(degrees),
        },
        measures=_MEASURES,
        metric="degree of the concept",
        seed=ctx.seed,
        artifacts=stimuli,
    )
