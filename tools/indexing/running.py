"""Running tables of an index: what is kept of every unit while pictures stream by.

Memory depends on the number of units, never on the number of pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

#: Units that are merged at a time: what a merge needs of them stays in the processor's cache.
SLAB = 1024

_EMPTY = -(2**63)  # below every key
_LAST = 2**32 - 1  # the highest picture number


@dataclass(slots=True)
class Table:
    """All that is known of every unit over one half of the pictures so far.

    U units, the k strongest pictures of each, a sample of R pictures drawn before the start.

    Attributes:
        keys: Activation and number of the strongest pictures, the strongest first; see `pack`.
            int64 [U, k].
        places: Where in the map these activations are, int32 [U, k].
        mean: float64 [U].
        square: Sum of squared deviations from the mean, float64 [U].
        low: Lowest activation, float32 [U].
        high: Highest activation, float32 [U].
        zeros: Pictures with an activation of exactly zero, int64 [U].
        tied: Pictures that share the highest activation, int64 [U].
        count: Pictures, int64 [].
        read: Which pictures of the sample have been read, uint8 [R].
        sample: Activations on the sample, float32 [U, R].
        sample_places: Where these are, int32 [U, R].
    """

    keys: Tensor
    places: Tensor
    mean: Tensor
    square: Tensor
    low: Tensor
    high: Tensor
    zeros: Tensor
    tied: Tensor
    count: Tensor
    read: Tensor
    sample: Tensor
    sample_places: Tensor

    @classmethod
    def empty(cls, units: int, k: int, sample: int, *, locate: bool) -> Table:
        """Before the first picture. Without `locate` the tables of places have no columns."""
        return cls(
            keys=torch.full((units, k), _EMPTY),
            places=torch.zeros(units, k if locate else 0, dtype=torch.int32),
            mean=torch.zeros(units, dtype=torch.float64),
            square=torch.zeros(units, dtype=torch.float64),
            low=torch.full((units,), torch.inf),
            high=torch.full((units,), -torch.inf),
            zeros=torch.zeros(units, dtype=torch.int64),
            tied=torch.zeros(units, dtype=torch.int64),
            count=torch.zeros((), dtype=torch.int64),
            read=torch.zeros(sample, dtype=torch.uint8),
            sample=torch.zeros(units, sample),
            sample_places=torch.zeros(units, sample if locate else 0, dtype=torch.int32),
        )

    def spare(self) -> Table:
        """A second table to merge into. The two share the sample, where each cell is final."""
        twin = {f.name: getattr(self, f.name) for f in fields(self)}
        own = {n: t.clone() for n, t in twin.items() if n not in ("sample", "sample_places")}
        return Table(**{**twin, **own})

    def tensors(self) -> dict[str, Tensor]:
        """All tensors, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to merge.

    Attributes:
        row: Where its activations are.
        number: Its number in the data set.
        column: Its place in the sample, None if it is not in it.
    """

    row: int
    number: int
    column: int | None


def merge(
    old: Table,
    new: Table,
    values: Tensor,
    places: Tensor | None,
    pictures: Sequence[Picture],
) -> None:
    """Write into `new` what `old` becomes by further pictures. `old` stays as it is.

    Args:
        old: What is known so far.
        new: Its spare.
        values: Activations, float32 [rows, U].
        places: Where they are, int32 [rows, U].
        pictures: The pictures to add, by rising number: one at least.
    """
    new.count.copy_(old.count + len(pictures))
    new.read.copy_(old.read)
    rows = torch.tensor([p.row for p in pictures])
    numbers = torch.tensor([p.number for p in pictures])
    drawn = torch.tensor([i for i, p in enumerate(pictures) if p.column is not None]).long()
    into = torch.tensor([p.column for p in pictures if p.column is not None]).long()
    new.read[into] = 1
    for start in range(0, values.shape[1], SLAB):
        slab = slice(start, start + SLAB)
        # Adding zero makes -0.0 a 0.0, so that the two are a tie.
        part = (values[:, slab].index_select(0, rows).T + 0.0).contiguous()
        _merge_moments(old, new, part, slab)
        new.sample[slab].index_copy_(1, into, part.index_select(1, drawn))
        where = None
        if places is not None:
            where = places[:, slab].index_select(0, rows).T.contiguous()
            new.sample_places[slab].index_copy_(1, into, where.index_select(1, drawn))
        _merge_strongest(old, new, part, where, numbers, slab)


def pack(values: Tensor, numbers: Tensor) -> Tensor:
    """Activations and picture numbers as int64 keys that sort by activation.

    Equal activations sort by the lower number, since all numbers differ. The upper half of a key
    is the float's bits, of which those of negative numbers are turned round; the lower half counts
    down from the highest number.
    """
    bits = values.view(torch.int32)
    rising = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (rising.long() << 32) | (_LAST - numbers)


def unpack(keys: Tensor) -> tuple[Tensor, Tensor]:
    """Activations, float32, and picture numbers, int64, of keys; those of empty places left out."""
    keys = keys[keys != _EMPTY]
    rising = (keys >> 32).int()
    bits = rising ^ ((rising >> 31) & 0x7FFFFFFF)
    return bits.view(torch.float32), _LAST - (keys & _LAST)


def _merge_strongest(
    old: Table,
    new: Table,
    part: Tensor,
    where: Tensor | None,
    numbers: Tensor,
    slab: slice,
) -> None:
    keys = pack(part, numbers)
    found = torch.cat([old.keys[slab], keys], dim=1).topk(old.keys.shape[1], dim=1)
    new.keys[slab] = found.values
    if where is not None:
        new.places[slab] = torch.cat([old.places[slab], where], dim=1).gather(1, found.indices)


def _merge_moments(old: Table, new: Table, part: Tensor, slab: slice) -> None:
    """Chan, Golub and LeVeque 1979: moments of two sets joined, without cancellation."""
    before, more = float(old.count), part.shape[1]
    after = before + more
    exact = part.double()
    mean = exact.mean(dim=1)
    square = (exact - mean[:, None]).square_().sum(dim=1)
    apart = mean - old.mean[slab]
    new.mean[slab] = old.mean[slab] + apart * (more / after)
    new.square[slab] = old.square[slab] + square + apart.square() * (before * more / after)
    low, high = torch.aminmax(part, dim=1)
    new.low[slab] = torch.minimum(old.low[slab], low)
    new.high[slab] = torch.maximum(old.high[slab], high)
    new.zeros[slab] = old.zeros[slab] + (part == 0).sum(dim=1)
    tied = (part == high[:, None]).sum(dim=1)
    highest = new.high[slab]
    kept = torch.where(old.high[slab] == highest, old.tied[slab], 0)
    new.tied[slab] = kept + torch.where(high == highest, tied, 0)
