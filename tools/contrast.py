"""Statistics of the difference between two lists of measurements.

Every number is finite: what cannot be measured (an interval from one value, an effect in units of
a spread of zero) is None. The same input and seed give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Up to this many arrangements all are tried; beyond it, so many are drawn.
ARRANGEMENTS = 9999

#: Differences closer to zero than this part of the values are rounding noise of float32 sums.
_NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class Contrast:
    """How far a list of measurements lies above another.

    Attributes:
        mean: Mean difference, in the unit of the measurements.
        ci: 95% interval of the mean difference, by Student's t (Welch's for unpaired lists).
            Without any spread it is the point [mean, mean]; None where a list has one value.
        d: `mean` in standard deviations: of the differences where paired (Cohen's d_z), pooled
            where not (Cohen's d). 0 where all is equal; None where a difference has no spread.
        p: Two-sided permutation p value: signs flipped where paired, values exchanged between
            the lists where not; exact for small lists.
        n: Number of pairs, or of values in the first list.
        paired: Whether value i of one list belongs to value i of the other.
    """

    mean: float
    ci: tuple[float, float] | None
    d: float | None
    p: float
    n: int
    paired: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "mean": self.mean,
            "ci": None if self.ci is None else list(self.ci),
            "d": self.d,
            "p": self.p,
            "n": self.n,
            "paired": self.paired,
        }


def paired(a: Sequence[float], b: Sequence[float], seed: int = 0) -> Contrast:
    """Contrast of `a` against `b`, where a[i] belongs to b[i].

    Args:
        a: [N], at least one.
        b: [N].
        seed: Of the sign flips, where not all 2^N are tried.

    Raises:
        ValueError: The lists are empty or differ in length.
    """
    first, second = _array(a), _array(b)
    if len(first) != len(second):
        raise ValueError("paired lists differ in length")
    change = first - second
    change[np.abs(change) <= _NOISE * np.maximum(np.abs(first), np.abs(second))] = 0.0
    n = len(change)
    mean = float(change.mean())
    spread = _spread(change)
    ci = None if n < 2 else _interval(mean, spread / math.sqrt(n), n - 1)
    return Contrast(mean, ci, _ratio(mean, spread), _sign_flips(change, seed), n, paired=True)


def unpaired(a: Sequence[float], b: Sequence[float], seed: int = 0) -> Contrast:
    """Contrast of `a` against `b`, two lists of unrelated measurements.

    Args:
        a: [N], at least one.
        b: [M], at least one.
        seed: Of the exchanges, where not all are tried.

    Raises:
        ValueError: A list is empty.
    """
    first, second = _array(a), _array(b)
    n, m = len(first), len(second)
    mean = float(first.mean() - second.mean())
    s, t = _spread(first) ** 2 / n, _spread(second) ** 2 / m
    ci = None
    if n > 1 and m > 1:
        error = s + t
        freedom = error**2 / (s**2 / (n - 1) + t**2 / (m - 1)) if error > 0 else 1.0
        ci = _interval(mean, math.sqrt(error), freedom)
    pooled = math.sqrt((s * n * (n - 1) + t * m * (m - 1)) / max(n + m - 2, 1))
    p = _exchanges(first, second, seed)
    return Contrast(mean, ci, _ratio(mean, pooled), p, n, paired=False)


def ratio(part: Sequence[float], whole: Sequence[float]) -> tuple[float, list[float] | None] | None:
    """Sum of `part` over sum of `whole`, with its 95% interval.

    The interval comes from the residuals of the ratio (Cochran, "Sampling Techniques", 1977,
    section 6.4) and Student's t; it is None for a single pair.

    Args:
        part: [N].
        whole: [N], not negative.

    Returns:
        The ratio and its interval, or None where `whole` is zero throughout.
    """
    top, bottom = _array(part), _array(whole)
    if bottom.sum() <= 0:
        return None
    estimate = float(top.sum() / bottom.sum())
    n = len(top)
    if n < 2:
        return estimate, None
    error = _spread(top - estimate * bottom) / math.sqrt(n) / float(bottom.mean())
    return estimate, list(_interval(estimate, error, n - 1))


def adjusted(p: Sequence[float]) -> list[float]:
    """P values adjusted for their number, so that those below q hold a part of at most q false.

    Benjamini and Hochberg, "Controlling the false discovery rate" (1995).
    """
    # Imported here: it takes half as long as torch, and few labs need it.
    from scipy.stats import false_discovery_control  # type: ignore[import-untyped]

    return [float(q) for q in false_discovery_control(p)] if len(p) else []


def _array(values: Sequence[float]) -> NDArray[np.float64]:
    if not len(values):
        raise ValueError("a contrast needs at least one measurement")
    return np.array(values, dtype=np.float64)


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation of the sample, 0 for one value; what is rounding noise counts as 0."""
    if len(values) < 2:
        return 0.0
    spread = float(values.std(ddof=1))
    return spread if spread > _NOISE * float(np.abs(values).max()) else 0.0


def _ratio(mean: float, spread: float) -> float | None:
    if spread > 0:
        return mean / spread
    return 0.0 if mean == 0 else None


def _interval(mean: float, error: float, freedom: float) -> tuple[float, float]:
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    half = float(stdtrit(freedom, 0.975)) * error
    return mean - half, mean + half


def _share(found: NDArray[np.float64], seen: float, drawn: bool) -> float:
    """Part of the arrangements at least as far from zero as what was seen, itself included."""
    hits = int((np.abs(found) >= abs(seen) * (1 - 1e-9)).sum())
    return (hits + 1) / (len(found) + 1) if drawn else hits / len(found)


def _sign_flips(change: NDArray[np.float64], seed: int) -> float:
    n = len(change)
    exact = 2**n <= ARRANGEMENTS
    if exact:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], size=(ARRANGEMENTS, n))
    return _share((signs * change).mean(axis=1), float(change.mean()), drawn=not exact)


def _exchanges(a: NDArray[np.float64], b: NDArray[np.float64], seed: int) -> float:
    n, values = len(a), np.concatenate([a, b])
    exact = math.comb(len(values), n) <= ARRANGEMENTS
    if exact:
        chosen = np.array(list(combinations(range(len(values)), n)))
    else:
        rng = np.random.default_rng(seed)
        chosen = rng.permuted(np.tile(np.arange(len(values)), (ARRANGEMENTS, 1)), axis=1)[:, :n]
    first = values[chosen].sum(axis=1)
    found = first / n - (values.sum() - first) / len(b)
    return _share(found, float(a.mean() - b.mean()), drawn=not exact)
