"""An index on disk: the exemplars, a sample and the statistics of every unit, read one by one.

The file is in the safetensors format and mapped into memory: opening it reads nothing but its
header, and a question about a unit reads the lines of that unit.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from hubel.tools.columns import place
from hubel.tools.running import Table, unpack
from hubel.tools.spec import ToolError
from hubel.tools.strata import LEAST, Stratum, draw
from hubel.tools.units import Unit, nearest

#: The halves of the data: planners see the first, the confirm step draws from the second.
HALVES = ("discovery", "held_out")

#: The quantiles that `Index.quantiles` gives unless asked for others.
LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture and how strongly a unit responds to it.

    Attributes:
        number: The picture's number in the data set.
        activation: Maximum over positions.
        position: (row, column) of that maximum as parts of the map; None where it has none, or
            where the index holds no places.
    """

    number: int
    activation: float
    position: Place | None


@dataclass(frozen=True, slots=True)
class SampleEntry(Entry):
    """An entry of a sample over the range.

    Attributes:
        stratum: Its part of the range.
        weight: How many pictures of the half it stands for.
    """

    stratum: Stratum
    weight: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """A unit over all readable pictures of a half.

    Attributes:
        pictures: Their number, n.
        mean: Mean activation.
        sd: Its standard deviation (over n).
        low: Lowest.
        high: Highest.
        zero_share: Share of pictures with an activation of exactly zero.
        tied: Pictures that share the highest activation: where there are many, the strongest are
            an arbitrary choice (the first) among them.
        constant: The activation is the same on every picture.
    """

    pictures: int
    mean: float
    sd: float
    low: float
    high: float
    zero_share: float
    tied: int
    constant: bool


class Index:
    """What was measured of every unit of some sites in one pass over a data set.

    Args:
        path: The file.

    Raises:
        ToolError: It is not there or not whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.about = read_header(path)
        self._blocks = {b["name"]: b for b in self.about["blocks"]}
        self._file = safe_open(path, framework="pt")
        self._numbers = {half: self.about["sample"][half] for half in HALVES}

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
        return sum(int(self._file.get_tensor(f"{half}.count")) for half in HALVES)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Pictures that were left out: name and reason."""
        return [(name, why) for name, why in self.about["skipped"]]

    def top(self, unit: Unit, k: int, *, held_out: bool = False) -> list[Entry]:
        """The strongest pictures of a half, the strongest first; ties go to the lowest number.

        Args:
            unit: The unit.
            k: How many; fewer come where the half has fewer.
            held_out: Of the half that planners never see.

        Raises:
            ToolError: The index does not cover the unit, or keeps fewer pictures.
        """
        most = self.about["k"]
        if not 1 <= k <= most:
            raise ToolError(f"The index keeps the {most} strongest pictures: ask for 1 to {most}.")
        values, numbers = unpack(self._line(unit, "keys", held_out))
        places = self._line(unit, "places", held_out)
        return [
            Entry(int(numbers[i]), float(values[i]), self._place(unit, places, i))
            for i in range(min(k, len(values)))
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
        top = self.top(unit, self.about["k"], held_out=held_out)
        among = {entry.number for entry in top}
        numbers, values, places = self.uniform(unit, held_out=held_out)
        rest = [i for i, number in enumerate(numbers) if number not in among]
        known = top + [
            Entry(numbers[i], float(values[i]), self._place(unit, places, i)) for i in rest
        ]
        population = int(self._file.get_tensor(f"{_half(held_out)}.count"))
        strongest = np.array([entry.activation for entry in top])
        drawn = draw(strongest, values[rest].numpy(), population, n, rng)
        return [
            SampleEntry(
                known[d.at].number, known[d.at].activation, known[d.at].position, d.stratum, d.weight
            )
            for d in drawn
        ]

    def uniform(
        self, unit: Unit, *, held_out: bool = False
    ) -> tuple[list[int], torch.Tensor, torch.Tensor]:
        """A uniform sample of a half, the same pictures for every unit.

        Returns:
            Picture numbers, activations [R], and places in the flattened map ([R], or [0]).
        """
        read = self._file.get_tensor(f"{_half(held_out)}.read").bool()
        places = self._line(unit, "sample_places", held_out)
        drawn = self._numbers[_half(held_out)]
        numbers = [number for number, there in zip(drawn, read.tolist(), strict=True) if there]
        located = places[read] if len(places) else places
        return numbers, self._line(unit, "sample", held_out)[read], located

    def stats(self, unit: Unit, *, held_out: bool = False) -> Statistics:
        """Statistics of a unit over every readable picture of a half."""
        one = {
            name: self._line(unit, name, held_out).item()
            for name in ("mean", "square", "low", "high", "zeros", "tied")
        }
        count = int(self._file.get_tensor(f"{_half(held_out)}.count"))
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
    ) -> NDArray[Any]:
        """Quantiles of a unit's activation over a half, float64 [levels].

        From the uniform sample, so exact where it holds the whole half; 0 and 1 are always the
        exact lowest and highest.
        """
        _numbers, values, _places = self.uniform(unit, held_out=held_out)
        stats = self.stats(unit, held_out=held_out)
        found = np.quantile(values.double().numpy(), levels)
        found[np.asarray(levels) == 0.0] = stats.low
        found[np.asarray(levels) == 1.0] = stats.high
        return found

    def _line(self, unit: Unit, table: str, held_out: bool) -> torch.Tensor:
        """The unit's line of a table."""
        name = unit.site if unit.file is None else str(unit)
        block = self._blocks.get(name)
        if block is None:
            raise ToolError(f"The index does not cover '{name}'. {nearest(name, self._blocks)}")
        within = 0 if unit.file is not None else unit.index
        if within >= block["width"]:
            raise ToolError(f"'{name}' has {block['width']} units; there is no {within}.")
        return self._file.get_slice(f"{_half(held_out)}.{table}")[block["start"] + within]

    def _place(self, unit: Unit, places: torch.Tensor, i: int) -> Place | None:
        if not len(places):
            return None
        grid = self._blocks[unit.site if unit.file is None else str(unit)]["grid"]
        return place(grid, int(places[i]))


def read_header(path: Path) -> dict[str, Any]:
    """What the file says about itself.

    Raises:
        ToolError: It is missing or not whole.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, Any] = json.loads(file.metadata()["about"])
    except (OSError, SafetensorError) as error:
        raise ToolError(f"The index '{path}' cannot be read ({error}): delete it.") from None
    return about


def write(path: Path, about: dict[str, Any], tables: Sequence[Table]) -> None:
    """Write an index, whole or partial, in one step: the old file stays until the new is there.

    Args:
        path: The file.
        about: What goes into the header.
        tables: The table of each half.
    """
    named = {
        f"{half}.{name}": tensor
        for half, table in zip(HALVES, tables, strict=True)
        for name, tensor in table.tensors().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as out:
        try:
            out.write(save(named, {"about": json.dumps(about)}))
            out.flush()
            os.fsync(out.fileno())
            os.replace(out.name, path)
        except BaseException:
            Path(out.name).unlink(missing_ok=True)
            raise


def _half(held_out: bool) -> str:
    return HALVES[held_out]
