"""An index, read unit by unit: exemplars, samples over the range, statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from hubel.tools.indexing.columns import place
from hubel.tools.indexing.entries import Entry, Place, SampleEntry, Statistics
from hubel.tools.indexing.running import unpack
from hubel.tools.indexing.storing import HALVES, Reader
from hubel.tools.indexing.strata import LEAST, draw
from hubel.tools.spec import ToolError
from hubel.tools.units import Unit, nearest

#: The quantiles that `Index.quantiles` gives unless asked for others.
LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


class Index:
    """What was measured of every unit of some sites in one pass over a data set.

    Args:
        path: The file.

    Raises:
        ToolError: It is missing or not whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = Reader(path)
        self._blocks = {block["name"]: block for block in self._file.about["blocks"]}

    @property
    def names(self) -> list[str]:
        """The sites and direction units that are covered."""
        return list(self._blocks)

    @property
    def units(self) -> int:
        """Number of units."""
        return sum(block["width"] for block in self._blocks.values())

    @property
    def pictures(self) -> int:
        """Pictures that could be read, in both halves."""
        return self._count(held_out=False) + self._count(held_out=True)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Pictures that were left out: name and reason."""
        return [(name, why) for name, why in self._file.about["skipped"]]

    def top(self, unit: Unit, k: int, *, held_out: bool = False) -> list[Entry]:
        """The strongest pictures of a half, the strongest first; ties go to the lowest number.

        Args:
            unit: The unit.
            k: How many; fewer come where the half has fewer.
            held_out: Of the half that planners never see.

        Raises:
            ToolError: The index does not cover the unit, or keeps fewer pictures.
        """
        most = self._file.about["k"]
        if not 1 <= k <= most:
            raise ToolError(f"The index keeps the {most} strongest pictures: ask for 1 to {most}.")
        values, numbers = unpack(self._line(unit, "keys", held_out))
        places = self._line(unit, "places", held_out)
        return [
            Entry(int(numbers[i]), float(values[i]), self._place(unit, places, i))
            for i in range(min(k, len(values)))
        ]

    def uniform(self, unit: Unit, *, held_out: bool = False) -> list[Entry]:
        """A uniform sample of a half, the same pictures for every unit, by rising number.

        Args:
            unit: The unit.
            held_out: Of the half that planners never see.

        Raises:
            ToolError: The index does not cover the unit.
        """
        numbers = self._file.about["sample"][HALVES[held_out]]
        values = self._line(unit, "sample", held_out)
        places = self._line(unit, "sample_places", held_out)
        read = self._file.table("read", held_out=held_out)
        return [
            Entry(numbers[i], float(values[i]), self._place(unit, places, i))
            for i in read.nonzero()[:, 0].tolist()
        ]

    def sample(
        self, unit: Unit, n: int, rng: np.random.Generator, *, held_out: bool = False
    ) -> list[SampleEntry]:
        """Pictures over the whole range of a half, the strongest first, with weights.

        Weighted means over the sample are unbiased estimates over the half: see `strata`.

        Args:
            unit: The unit.
            n: How many; fewer come where the index knows fewer.
            rng: Source of chance.
            held_out: From the half that planners never see.

        Raises:
            ToolError: The index does not cover the unit, or `n` is too small.
        """
        if n < LEAST:
            raise ToolError(f"A sample over the range needs at least {LEAST} pictures, not {n}.")
        top = self.top(unit, self._file.about["k"], held_out=held_out)
        among = {entry.number for entry in top}
        rest = [e for e in self.uniform(unit, held_out=held_out) if e.number not in among]
        count = self._count(held_out=held_out)
        if not rest and count > len(top):
            raise ToolError(
                "Too few of the pictures drawn for the sample could be read: "
                "index the data with a larger sample."
            )
        known = top + rest
        strongest, others = (np.array([e.activation for e in part]) for part in (top, rest))
        return [
            SampleEntry(e.number, e.activation, e.position, d.stratum, d.weight)
            for d in draw(strongest, others, count, n, rng)
            for e in [known[d.at]]
        ]

    def stats(self, unit: Unit, *, held_out: bool = False) -> Statistics:
        """Statistics of a unit over every readable picture of a half.

        Args:
            unit: The unit.
            held_out: Of the half that planners never see.

        Raises:
            ToolError: The index does not cover the unit.
        """
        one = {
            name: self._line(unit, name, held_out).item()
            for name in ("mean", "square", "low", "high", "zeros", "tied")
        }
        count = self._count(held_out=held_out)
        constant = one["low"] == one["high"]
        return Statistics(
            pictures=count,
            mean=one["low"] if constant else one["mean"],
            sd=0.0 if constant else math.sqrt(one["square"] / count),
            low=one["low"],
            high=one["high"],
            zero_share=one["zeros"] / count,
            tied=int(one["tied"]),
            constant=constant,
        )

    def quantiles(
        self, unit: Unit, levels: Sequence[float] = LEVELS, *, held_out: bool = False
    ) -> list[float]:
        """Quantiles of a unit's activation over a half, one for each level.

        From the uniform sample, so exact where it holds the whole half; those of 0 and 1 are
        always the exact lowest and highest.

        Args:
            unit: The unit.
            levels: Between 0 and 1.
            held_out: Of the half that planners never see.

        Raises:
            ToolError: The index does not cover the unit.
        """
        stats = self.stats(unit, held_out=held_out)
        values = [entry.activation for entry in self.uniform(unit, held_out=held_out)]
        found = [float(q) for q in np.quantile(values, levels)]
        exact = {0.0: stats.low, 1.0: stats.high}
        return [exact.get(level, q) for level, q in zip(levels, found, strict=True)]

    def _count(self, *, held_out: bool) -> int:
        return int(self._file.table("count", held_out=held_out))

    def _block(self, unit: Unit) -> dict[str, Any]:
        name = unit.site if unit.file is None else str(unit)
        if name not in self._blocks:
            raise ToolError(f"The index does not cover '{name}'. {nearest(name, self._blocks)}")
        return dict(self._blocks[name])

    def _line(self, unit: Unit, table: str, held_out: bool) -> Tensor:
        block = self._block(unit)
        within = unit.index if unit.file is None else 0
        if within >= block["width"]:
            raise ToolError(f"'{unit.site}' has {block['width']} units; there is no {within}.")
        return self._file.line(table, block["start"] + within, held_out=held_out)

    def _place(self, unit: Unit, places: Tensor, i: int) -> Place | None:
        return place(self._block(unit)["grid"], int(places[i])) if len(places) else None
