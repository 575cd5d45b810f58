"""A unit over its whole range: a weighted sample with the concepts in each picture."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hubel.tools.context import Context, UnitName
from hubel.tools.exemplars import index_for
from hubel.tools.indexing.strata import LEAST
from hubel.tools.result import Result
from hubel.tools.sampled import MEASURES, table
from hubel.tools.spec import tool


@tool(kind="observation")
def survey(
    ctx: Context, unit: UnitName, n: Annotated[int, Field(ge=LEAST, le=2000)] = 240
) -> Result:
    """Sample pictures over a unit's whole range, with what is in each of them.

    More strong pictures are drawn than the data hold; the weights undo that. The pictures are
    those of the discovery half.

    Args:
        ctx: Where the tool runs.
        unit: The unit.
        n: How many pictures.
    """
    parsed = ctx.target.unit(unit)
    entries = index_for(ctx, unit).sample(parsed, n, ctx.rng())
    return Result(
        values=table(ctx, entries),
        measures=MEASURES,
        metric="activation (maximum over positions)",
        seed=ctx.seed,
    )
