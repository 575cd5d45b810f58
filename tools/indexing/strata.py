"""A sample over the whole range of a unit's activation, with weights that undo its bias.

What is known of a population of n pictures: the k strongest exactly, and a uniform sample. The
uniform sample without those of the k strongest that are in it, m pictures, is a uniform sample of
the other n - k. It is split by activation:

- zero: exactly 0, where the unit is silent;
- weak, middle, strong: of the others, below the median, up to the 90th percentile, and above.

The k strongest count as strong, in a cell of their own. From each cell a uniform subsample is
taken, at least one picture of each. A picture's weight is the number of pictures it stands for:

- k / (taken of the k strongest) for one of the k strongest;
- (n - k) / m * (pictures of the cell in the uniform sample) / (taken of the cell) for others.

The weights sum to n. The sum of weight times any quantity f, over n, is an unbiased estimate of
the mean of f over the population: given the uniform sample each subsample is unbiased for its
cell, and the uniform sample for the n - k. A weighted correlation is a smooth function of five
such means, so it is consistent, with a bias of the order 1/n (Horvitz and Thompson 1952;
importance sampling for scores of explanations over all inputs: METHODS row 25, "Rethinking
crowd-sourced evaluation of neuron explanations").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Stratum = Literal["strong", "middle", "weak", "zero"]

#: Strata and their shares of a sample.
SHARES: dict[Stratum, float] = {"strong": 0.35, "middle": 0.25, "weak": 0.2, "zero": 0.2}

#: Quantiles of the activations other than zero where middle and strong begin.
MIDDLE, STRONG = 0.5, 0.9

#: The fewest pictures that a sample can have: one of each cell.
LEAST = 5


@dataclass(frozen=True, slots=True)
class Draw:
    """One picture of a sample.

    Attributes:
        at: Which it is: i for number i of the strongest, k + j for number j of the uniform sample.
        stratum: Its part of the range.
        weight: How many pictures of the population it stands for.
    """

    at: int
    stratum: Stratum
    weight: float


class _Cell(NamedTuple):
    stratum: Stratum
    at: NDArray[np.intp]  # its pictures, numbered as in `Draw`
    stands_for: float  # pictures of the population that each is one of


def draw(
    top: NDArray[Any],
    uniform: NDArray[Any],
    population: int,
    n: int,
    rng: np.random.Generator,
) -> list[Draw]:
    """Draw a stratified sample, the strongest first.

    Args:
        top: Activations of the k strongest pictures, [k].
        uniform: Activations of a uniform sample of the others, [m].
        population: Number of pictures, at least k + m.
        n: Pictures wanted. Fewer come where fewer are known.
        rng: Source of chance.

    Raises:
        ValueError: `n` is below `LEAST`, or a part of the population is not represented.
    """
    if n < LEAST:
        raise ValueError(f"a sample over the range needs at least {LEAST} pictures, not {n}")
    if population > len(top) and not len(uniform):
        raise ValueError("no picture stands for those that are not among the strongest")
    k = len(top)
    each = (population - k) / len(uniform) if len(uniform) else 0.0
    cells = [_Cell("strong", np.arange(k), 1.0)]
    cells += [_Cell(name, k + at, each) for name, at in _split(uniform).items()]
    cells = [cell for cell in cells if len(cell.at)]
    drawn = []
    for cell, count in zip(cells, _shared(n, cells), strict=True):
        weight = cell.stands_for * len(cell.at) / count
        taken = np.sort(rng.permutation(cell.at)[:count])
        drawn += [Draw(int(i), cell.stratum, weight) for i in taken]
    activation = np.concatenate([top, uniform])
    return sorted(drawn, key=lambda d: (-activation[d.at], d.at))


def _split(uniform: NDArray[Any]) -> dict[Stratum, NDArray[np.intp]]:
    """Which pictures of the uniform sample are in which stratum."""
    active = uniform != 0
    middle, strong = np.quantile(uniform[active], [MIDDLE, STRONG]) if active.any() else (0, 0)
    return {
        "strong": np.flatnonzero(active & (uniform > strong)),
        "middle": np.flatnonzero(active & (uniform > middle) & (uniform <= strong)),
        "weak": np.flatnonzero(active & (uniform <= middle)),
        "zero": np.flatnonzero(~active),
    }


def _shared(n: int, cells: Sequence[_Cell]) -> list[int]:
    """How many to take of each cell: one, then turn by turn of the one furthest below its share."""
    strata: list[Stratum] = [cell.stratum for cell in cells]
    share = [SHARES[stratum] / strata.count(stratum) for stratum in strata]
    taken = [1] * len(cells)
    for _ in range(min(n, sum(len(cell.at) for cell in cells)) - len(cells)):
        left = [i for i, cell in enumerate(cells) if taken[i] < len(cell.at)]
        taken[min(left, key=lambda i: taken[i] / share[i])] += 1
    return taken
