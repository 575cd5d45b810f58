"""What an index measures: every unit of some sites, and single directions, side by side.

Each unit is a column of one table with a row per picture, so that all layers share one buffer
and one merge.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hubel.tools.target import Target
from hubel.tools.units import Unit


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring columns that are read from one site.

    Attributes:
        name: The site's name, or the name of a direction unit.
        site: The site that is read.
        start: First column.
        width: Number of columns.
        grid: Shape of one unit's activation map: [H, W], [T] or [].
        direction: Unit vector [C] of a direction unit, None where all channels are read.
    """

    name: str
    site: str
    start: int
    width: int
    grid: tuple[int, ...]
    direction: Tensor | None = None

    def identity(self) -> list[object]:
        """What tells this block from another, as JSON."""
        digest = None
        if self.direction is not None:
            digest = hashlib.sha256(self.direction.cpu().numpy().tobytes()).hexdigest()
        return [self.name, self.width, list(self.grid), digest]


def blocks(target: Target, names: Sequence[str]) -> list[Block]:
    """The columns for sites and direction units, sites first, in the order of the network.

    Raises:
        ToolError: No such site or direction.
    """
    directions = [target.unit(name) for name in sorted({n for n in names if "@" in n})]
    wanted = {target.site(n).name for n in names if "@" not in n}
    read: list[tuple[str, Unit | None]] = [(s, None) for s in target.sites if s in wanted]
    read += [(unit.site, unit) for unit in directions]
    found: list[Block] = []
    start = 0
    for name, unit in read:
        site = target.site(name)
        grid = site.shape[1:] if site.layout == "NCHW" else site.shape[:-1]
        if unit is None:
            found.append(Block(name, name, start, site.units, grid))
        else:
            found.append(Block(str(unit), name, start, 1, grid, target.direction(unit)))
        start += found[-1].width
    return found


class Rows:
    """A buffer with a row per picture and a column per unit, filled while the network runs.

    Args:
        columns: What to measure.
        size: Pictures that fit.
        device: Where the network runs.
        locate: Whether to keep where in its map each maximum is.
    """

    def __init__(
        self, columns: Sequence[Block], size: int, device: torch.device, *, locate: bool
    ) -> None:
        width = sum(block.width for block in columns)
        self.values = torch.empty(size, width, dtype=torch.float32, device=device)
        self.places: Tensor | None = None
        if locate:
            self.places = torch.zeros(size, width, dtype=torch.int32, device=device)
        self.filled = 0
        sites: dict[str, list[Block]] = {}
        for block in columns:
            sites.setdefault(block.site, []).append(block)
        self._readers = {site: self._reader(read) for site, read in sites.items()}

    def take(self, target: Target, inputs: Tensor) -> None:
        """Run the network on one batch, [N, 3, H, W], and write its rows."""
        target.observe(inputs, self._readers)
        self.filled += len(inputs)

    def _reader(self, read: Sequence[Block]) -> Callable[[Tensor], None]:
        parts = [(block.direction, *self._columns(block)) for block in read]

        def reader(output: Tensor) -> None:
            # At once: a later layer may overwrite the output in place.
            for direction, values, places in parts:
                part = output
                if direction is not None:
                    vector = direction.to(output)
                    part = torch.einsum("nc...,c->n...", output, vector)[:, None]
                value, place = strongest(part, locate=places is not None)
                values.narrow(0, self.filled, len(output)).copy_(value)
                if places is not None and place is not None:
                    places.narrow(0, self.filled, len(output)).copy_(place)

        return reader

    def _columns(self, block: Block) -> tuple[Tensor, Tensor | None]:
        """The block's part of the buffers."""
        here = slice(block.start, block.start + block.width)
        return self.values[:, here], None if self.places is None else self.places[:, here]


def strongest(output: Tensor, *, locate: bool) -> tuple[Tensor, Tensor | None]:
    """Activation of every unit, and its place: the first position, row by row, that reaches it.

    Where channels lie innermost in memory, max pooling over the whole map walks through memory
    in order and finds both at the speed at which it can be read: on a CPU 2 to 4 times as fast
    as `torch.max`. Elsewhere places cost three times what maxima cost.

    Args:
        output: [N, C, positions...].
        locate: Whether places are wanted.

    Returns:
        Activations [N, C], and places [N, C] as numbers into the flattened map, or None.
    """
    if output.ndim == 2:
        return output, None
    n, c = output.shape[:2]
    inner = output.movedim(1, -1)
    if output.device.type == "cpu" and inner.is_contiguous() and not output.is_contiguous():
        tall = inner.reshape(n, -1, 1, c).permute(0, 3, 1, 2)
        value, place = functional.max_pool2d(tall, (tall.shape[2], 1), return_indices=True)
        return value.view(n, c), place.view(n, c)
    if not locate:
        return output.flatten(2).amax(dim=2), None
    found = output.flatten(2).max(dim=2)
    return found.values, found.indices


def place(grid: Sequence[int], number: int) -> tuple[float, float] | None:
    """A place in a map as (row, column) of the cell's middle, as parts of the map.

    Tokens that form a square, with or without a leading class token, have rows and columns too.
    None where the map has no place in the picture, and for a class token.

    Args:
        grid: Shape of the map.
        number: Number into the flattened map.
    """
    if len(grid) == 2:
        height, width = grid
    elif len(grid) == 1 and grid[0] >= 4:
        height = width = math.isqrt(grid[0])
        leading = grid[0] - height * width
        number -= leading
        if leading > 1 or number < 0:
            return None
    else:
        return None
    row, column = divmod(number, width)
    return (row + 0.5) / height, (column + 0.5) / width
