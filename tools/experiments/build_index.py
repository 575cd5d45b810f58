"""Index sites ahead of any question."""

from __future__ import annotations

from hubel.tools.context import Context
from hubel.tools.exemplars import open_index
from hubel.tools.result import Result
from hubel.tools.spec import tool

_MEASURES = {
    "sites": "the sites and directions that were indexed",
    "units": "number of their units",
    "pictures": "pictures that were measured",
    "skipped": "name and reason of each picture that was left out",
}


@tool(kind="observation", audience="host")
def build_index(ctx: Context, sites: list[str]) -> Result:
    """Find the exemplars of every unit of some sites in one pass over the data.

    Args:
        ctx: Where the tool runs.
        sites: Names of sites and of direction units; the main sites if there are none.
    """
    names = sites or ctx.target.main_sites
    index = open_index(ctx.target, ctx.data, names, ctx.cache, report=ctx.report)
    return Result(
        values={
            "sites": index.names,
            "units": index.units,
            "pictures": index.pictures,
            "skipped": index.skipped,
        },
        measures=_MEASURES,
        metric="activation (maximum over positions)",
    )
