"""Pictures of the data set that have a concept, whatever a unit makes of them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from hubel.tools.concepts import source_of
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
def find(
    ctx: Context,
    phrase: str,
    n: Annotated[int, Field(ge=1, le=64)] = 8,
    having: list[str] = [],  # noqa: B006 - copied by the schema, never changed
    lacking: list[str] = [],  # noqa: B006
) -> Result:
    """Find pictures that have a concept, for edits and contrasts.

    They are chosen by the concept alone. Pictures chosen by a unit's activation would fall under
    any edit (regression to the mean), and their fall would show nothing.

    Args:
        ctx: Where the tool runs.
        phrase: The concept.
        n: How many pictures at most.
        having: Concepts that they have besides; the least degree of all counts.
        lacking: Concepts that they lack; the degree of one that is lacking is 1 less its own.
    """
    for besides in (*having, *lacking):
        source_of(besides)
    discovery = np.flatnonzero(~np.asarray(held_out(ctx.data)))
    drawn = ctx.rng().permutation(discovery)[:LOOKED_THROUGH]
    numbers = sorted(int(number) for number in drawn)
    judgements = judged_if_readable(ctx, numbers)
    degrees = {
        number: min(
            *(j.concepts.get(p, 0.0) for p in (phrase, *having)),
            *(1 - j.concepts.get(p, 0.0) for p in lacking),
            1.0,
        )
        for number, j in judgements.items()
    }
    order = sorted((i for i, d in degrees.items() if d > 0), key=lambda i: (-degrees[i], i))[:n]
    if not order:
        seen = {p for j in judgements.values() for p in j.concepts}
        raise ToolError(
            f"None of {len(degrees)} pictures has any '{phrase}'"
            f"{' beside what else was asked for' if having or lacking else ''}. "
            f"{nearest(phrase, seen)}"
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
