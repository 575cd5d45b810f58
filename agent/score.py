"""Scores of executed explanations on held-out pictures.

The primary score is the Pearson correlation between predicted and measured activation over the
whole range: the strongest pictures alone can be predicted by one that is wrong elsewhere.
Pictures are drawn with more strong ones than the data hold, and weighted back, so the score is an
estimate for the whole held-out half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

#: Resamples of the bootstrap and shuffles of the permutation test.
RESAMPLES = 2000
#: Level of the reported intervals.
LEVEL = 0.95
#: A picture counts as active above this weighted quantile of the held-out activations.
ACTIVE = 0.9


@dataclass(frozen=True, slots=True)
class Correlation:
    """A weighted correlation with a bootstrap interval and a permutation test.

    Attributes:
        pearson: 0.0 where the prediction is constant: a constant explains no variation.
        low: Lower end of the 95% interval, from resampling whole groups.
        high: Upper end.
        shuffled: 95th percentile of the correlation of shuffled predictions: the floor.
        p: Share of shuffled predictions that do as well, with the usual +1.
        n: Number of pictures.
        groups: Number of independent groups (crops of one photograph are one).
    """

    pearson: float
    low: float
    high: float
    shuffled: float
    p: float
    n: int
    groups: int


def correlate(
    predicted: NDArray[Any],
    measured: NDArray[Any],
    weights: NDArray[Any],
    groups: Sequence[str],
    seed: int,
) -> Correlation:
    """Weighted Pearson correlation of a prediction with what was measured.

    Args:
        predicted: [N].
        measured: Activations, [N].
        weights: How many pictures of the population each one stands for, [N].
        groups: Group of each picture; the bootstrap resamples groups, since crops of one
            photograph are not independent.
        seed: Of the resampling.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    point = float(pearson(predicted, measured, weights[None])[0])
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    resampled = pearson(predicted, measured, draws[:, member] * weights)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    shuffles = np.stack([rng.permutation(len(predicted)) for _ in range(RESAMPLES)])
    shuffled = np.concatenate(
        [pearson(predicted[order], measured, weights[None]) for order in shuffles]
    )
    as_good = int((shuffled >= point).sum())
    return Correlation(
        pearson=point,
        low=float(low),
        high=float(high),
        shuffled=float(np.quantile(shuffled, LEVEL)),
        p=(as_good + 1) / (RESAMPLES + 1),
        n=len(predicted),
        groups=len(names),
    )


def pearson(
    predicted: NDArray[Any], measured: NDArray[Any], weights: NDArray[Any]
) -> NDArray[np.float64]:
    """Weighted correlation for several weightings at once.

    Args:
        predicted: [N].
        measured: [N].
        weights: [B, N], not negative.

    Returns:
        [B]; 0.0 where either side does not vary.
    """
    import numpy as np

    x, y = np.asarray(predicted, float), np.asarray(measured, float)
    w = np.asarray(weights, float)
    w = w / np.maximum(w.sum(axis=1, keepdims=True), 1e-300)
    mx, my = w @ x, w @ y
    vx, vy = w @ (x * x) - mx**2, w @ (y * y) - my**2
    # Differences of rounded sums: anything this small is a constant.
    floor_x, floor_y = 1e-12 * (w @ (x * x)), 1e-12 * (w @ (y * y))
    varies = (vx > floor_x) & (vy > floor_y)
    scale = np.sqrt(np.where(varies, vx * vy, 1.0))
    return np.asarray(np.where(varies, (w @ (x * y) - mx * my) / scale, 0.0).clip(-1, 1))


def precision_recall(
    degree: NDArray[Any], measured: NDArray[Any], weights: NDArray[Any]
) -> dict[str, float | None]:
    """How well one phrase picks out the pictures on which the unit is active.

    A picture has the phrase where its degree is at least one half, and is active above the
    `ACTIVE` quantile.

    Returns:
        ``precision``: share of the pictures with the phrase that are active; None if none has it.
        ``recall``: share of the active pictures that have the phrase; None if none is active.
    """
    import numpy as np

    order = np.argsort(measured)
    cumulative = np.cumsum(weights[order]) / weights.sum()
    last = min(int(np.searchsorted(cumulative, ACTIVE)), len(order) - 1)
    threshold = measured[order][last]
    has, active = degree >= 0.5, measured > threshold
    both = float(weights[has & active].sum())
    with_phrase, with_activity = float(weights[has].sum()), float(weights[active].sum())
    return {
        "precision": both / with_phrase if with_phrase else None,
        "recall": both / with_activity if with_activity else None,
    }
