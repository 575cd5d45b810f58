"""Exemplars of every unit of every chosen site, found in one pass over a data set.

For each unit and each half of the data: the pictures that activate it most, its activation on a
sample over the whole range, where in the picture the activation lies, and statistics over all
pictures. What network dissection and MILAN take a pass per layer for, and CLIP-dissect memory for
every activation, takes one forward pass per picture and constant memory here.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hubel.tools.context import BATCH, Context
from hubel.tools.data import Dataset, held_out
from hubel.tools.directions import count_directions
from hubel.tools.indexing.building import Pass, Plan
from hubel.tools.indexing.columns import blocks
from hubel.tools.indexing.entries import Entry, SampleEntry, Statistics
from hubel.tools.indexing.reading import Index
from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.units import Unit

__all__ = ["Entry", "Index", "SampleEntry", "Statistics", "index_for", "open_index"]

#: Strongest pictures kept of each unit, in each half.
TOP = 16
#: Pictures of each half in the uniform sample.
SAMPLE = 1024
#: Directions of one file that share a pass.
TOGETHER = 64


def open_index(
    target: Target,
    data: Dataset,
    sites: Sequence[str],
    cache: Path,
    *,
    report: Callable[[int, int, str], None],
    k: int = TOP,
    sample: int = SAMPLE,
    seed: int = 0,
    batch: int = BATCH,
    locate: bool = True,
) -> Index:
    """Open the index of some sites over a data set, making it if it is not there.

    It is made in one pass. A pass that was interrupted goes on where it was saved last, and ends
    with the same bits. The result is kept under a key of weights, preprocessing, pictures, split
    and options, so a second call runs no forward pass, nor does one for some of the sites. Memory
    depends on the number of units, `k` and `sample`, not on the number of pictures: about 18 KB
    a unit with the default options.

    Args:
        target: The network.
        data: The pictures. Those that cannot be read, and those on which a unit is not finite,
            are left out and named in `Index.skipped`.
        sites: Names of sites, of which every unit is indexed, and of direction units.
        cache: Folder for what can be computed again.
        report: Called with (done, total, what) as pictures are done.
        k: Strongest pictures kept of each unit and half.
        sample: Pictures of each half in the uniform sample; more than `k`.
        seed: Of the uniform sample.
        batch: Pictures per forward pass.
        locate: Whether to keep where in the map each activation is.

    Raises:
        ToolError: No such site or direction, or options that cannot be.
        DataError: One half of the data has no picture that can be read.
    """
    if not sites or not 1 <= k < sample or batch < 1:
        raise ToolError("An index needs a site, at least one exemplar and a larger sample.")
    columns = blocks(target, sites)
    plan = Plan(target, data, columns, held_out(data), k, sample, seed, batch, locate)
    folder = cache / "index" / plan.key()[:32]
    path = folder / f"{plan.name()[:32]}.safetensors"
    found = _covering(folder, plan)
    if found is None:
        with _alone(path.with_suffix(".lock")):
            found = _covering(folder, plan)
            if found is None:
                Pass(plan, path, report).run()
    return Index(found or path)


def index_for(ctx: Context, unit: str) -> Index:
    """The index to look a unit up in, over the context's data.

    It covers all main sites if the unit is in one of them, so that the next unit's question is
    answered at once; else the unit's site. With a direction come those beside it in its file.

    Args:
        ctx: Where the tool runs.
        unit: Name of the unit.

    Raises:
        ToolError: No such unit.
        DataError: One half of the data has no picture that can be read.
    """
    parsed = ctx.target.unit(unit)
    main = ctx.target.main_sites
    if parsed.file is not None:
        sites = _neighbours(parsed)
    else:
        sites = main if parsed.site in main else [parsed.site]
    name = "\n".join(sites)
    if name not in ctx._index:
        ctx._index[name] = open_index(ctx.target, ctx.data, sites, ctx.cache, report=ctx.report)
    return ctx._index[name]


def _neighbours(unit: Unit) -> list[str]:
    """A direction with the other rows of its block of `TOGETHER` rows."""
    first = unit.index // TOGETHER * TOGETHER
    rows = range(first, min(first + TOGETHER, count_directions(str(unit.file))))
    return [str(replace(unit, index=row)) for row in rows]


def _covering(folder: Path, plan: Plan) -> Path | None:
    """A finished index that holds all that is planned."""
    there = sorted(folder.glob("*.safetensors"))
    return next((path for path in there if plan.covered_by(path)), None)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock against other processes; they wait, and find the work done."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
