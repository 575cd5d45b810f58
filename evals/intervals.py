"""Intervals of what was measured on a sample of neurons, and of differences between planners."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: Samples of a bootstrap. Its seed is fixed: the same rows give the same interval.
RESAMPLES = 2000
_LOW, _HIGH = 0.025, 0.975


def wilson(count: int, of: int) -> list[float] | None:
    """95% interval of a share (Wilson 1927); None of nothing."""
    if not of:
        return None
    z, p = 1.96, count / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return [max(0.0, middle - half), min(1.0, middle + half)]


def of_mean(values: Sequence[float]) -> list[float] | None:
    """95% bootstrap interval of a mean over neurons (Efron 1979); None of nothing."""
    if not values:
        return None
    given = np.asarray(values, dtype=float)
    rng = np.random.default_rng(0)
    means = rng.choice(given, (RESAMPLES, len(given))).mean(axis=1)
    return [float(q) for q in np.quantile(means, [_LOW, _HIGH])]


def of_difference(ours: Sequence[float], theirs: Sequence[float]) -> list[float] | None:
    """The mean difference of two planners on the same neurons, and its 95% bootstrap interval.

    Neurons are drawn, each with both of its scores: what makes a neuron hard for both falls out,
    so the interval is narrower than that of two independent samples. Where every neuron has the
    same difference, the bootstrap gives an interval without width, which says that no neuron
    differed from the others and not that the difference is certain.

    Args:
        ours: Scores, one a neuron.
        theirs: Scores on the same neurons in the same order.

    Returns:
        ``[difference, low, high]``; None of nothing.

    Raises:
        ValueError: The two are not of the same length.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} scores cannot be paired with {len(theirs)}")
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    ends = of_mean(differences)
    return None if ends is None else [float(np.mean(differences)), *ends]
