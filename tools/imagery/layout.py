"""Where things fit: positions clear of the edge, of other things and of the text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from hubel.tools.imagery.render import gap, text_box
from hubel.tools.imagery.truth import CELLS, cell

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from hubel.tools.imagery.drawing import Plane
    from hubel.tools.imagery.graph import Text, Thing

#: Least distance between two things, or a thing and the text, as a share of the picture's side.
GAP = 0.02
#: Least distance from the edge of the picture.
MARGIN = 0.01
_STEPS = 100  # positions lie on a grid: its steps per side


def free(
    radius: float, cells: Collection[str], others: Sequence[Thing], text: Text | None, size: int
) -> NDArray[np.float64]:
    """Where the centre of a thing can be, x and y: [positions, 2], maybe none.

    Args:
        radius: Of the thing.
        cells: Thirds of the picture where its centre may be; only those of `CELLS` are looked at.
        others: What it must be clear of.
        text: The text that it must be clear of.
        size: Side of the picture in pixels.
    """
    grid, words = _grid()
    inside = (grid >= radius + MARGIN) & (grid <= 1 - radius - MARGIN)
    good = inside.all(axis=1) & np.isin(words, [n for n, c in enumerate(CELLS) if c in cells])
    for other in others:
        apart = np.hypot(grid[:, 0] - other.x, grid[:, 1] - other.y)
        good &= apart >= radius + other.size / 2 + GAP
    if text is not None:
        good &= gap(text_box(text, size), grid[:, 0], grid[:, 1]) >= radius + GAP
    found: NDArray[np.float64] = grid[good]
    return found


def fits(thing: Thing, others: Sequence[Thing], text: Text | None, size: int) -> bool:
    """Whether a thing is clear of the edge, of the others and of the text."""
    x, y, radius = np.array([thing.x]), np.array([thing.y]), thing.size / 2
    inside = all(radius + MARGIN <= c <= 1 - radius - MARGIN for c in (thing.x, thing.y))
    room: list[Plane] = [np.hypot(x - o.x, y - o.y) - o.size / 2 for o in others]
    if text is not None:
        room.append(gap(text_box(text, size), x, y))
    return inside and all(distance[0] >= radius + GAP for distance in room)


@cache
def _grid() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions that have a word, [n, 2], and the number of the cell of each, [n]."""
    points = [
        (x / _STEPS, y / _STEPS)
        for x in range(_STEPS + 1)
        for y in range(_STEPS + 1)
        if cell(x / _STEPS, y / _STEPS) in CELLS
    ]
    return np.array(points), np.array([CELLS.index(cell(x, y)) for x, y in points])
