"""How much of a measurement a set of features explains, on pictures the fit has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDS = 5
RESAMPLES = 1000
PERMUTATIONS = 499
#: Strengths of the ridge, in units of the features' variance times the number of pictures.
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Explained:
    """What features explain of a measurement.

    Attributes:
        r2: Part of the variance of left-out pictures that a ridge regression on all features
            predicts; below 0 where it predicts worse than the mean.
        r2_ci: 95% interval, by bootstrap over groups.
        r2_p: Permutation p value of `r2`.
        correlations: Pearson correlation of each feature with the measurement, [K].
        best: The feature whose correlation is farthest from zero.
        best_ci: 95% interval of its correlation, by bootstrap over groups.
        best_p: Permutation p value of the correlation farthest from zero, whichever feature has it.
        groups: How many groups of pictures there were.
    """

    r2: float
    r2_ci: tuple[float, float]
    r2_p: float
    correlations: Floats
    best: int
    best_ci: tuple[float, float]
    best_p: float
    groups: int


def explain(
    features: Floats, measured: Floats, groups: Sequence[str], rng: np.random.Generator
) -> Explained:
    """Regress a measurement on features, with cross-validation and a permutation test.

    Folds never split a group. The strength of the ridge is chosen inside each training fold by
    generalised cross-validation (Golub, Heath and Wahba, 1979). Permutations exchange whole groups,
    since pictures of one group (crops of one photograph) are alike; this is exact where groups are
    equally large.

    Args:
        features: [N, K].
        measured: [N], not constant.
        groups: [N] names, of at least two groups.
        rng: Draws folds, resamples and permutations.

    Raises:
        ValueError: The measurement is constant or there is a single group.
    """
    if np.ptp(measured) == 0 or len(set(groups)) < 2:
        raise ValueError("nothing to explain, or a single group")
    names = {name: n for n, name in enumerate(rng.permutation(sorted(set(groups))).tolist())}
    numbered = np.array([names[name] for name in groups])
    order = np.argsort(numbered, kind="stable")
    x, y, group = features[order], measured[order], numbered[order]
    permuted = [y[_permutation(group, rng)] for _ in range(PERMUTATIONS)]
    tried = np.stack([y, *permuted], axis=1)  # [N, 1 + permutations]
    errors, spread = _left_out(x, tried, _folds(group))
    r2 = 1 - errors.sum(axis=0) / spread.sum(axis=0)
    correlations = _correlations(x, tried)
    farthest = np.abs(correlations).max(axis=0)
    best = int(np.abs(correlations[:, 0]).argmax())
    counts = rng.multinomial(len(names), [1 / len(names)] * len(names), RESAMPLES)
    weights = counts[:, group].astype(np.float64)  # [resamples, N]
    sampled = 1 - (weights @ errors[:, 0]) / np.maximum(weights @ spread[:, 0], 1e-12)
    return Explained(
        r2=float(r2[0]),
        r2_ci=_interval(sampled),
        r2_p=float((r2 >= r2[0]).mean()),
        correlations=correlations[:, 0],
        best=best,
        best_ci=_interval(_weighted_correlation(x[:, best], y, weights)),
        best_p=float((farthest >= farthest[0]).mean()),
        groups=len(names),
    )


def _permutation(group: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Numbers of the pictures with the groups in another order, and the pictures inside them."""
    places = rng.permutation(group.max() + 1)[group]
    return np.lexsort((rng.random(len(group)), places))


def _folds(group: NDArray[Any]) -> list[NDArray[np.bool_]]:
    """Masks of the pictures left out in turn: whole groups, about as many pictures each."""
    sizes = np.bincount(group)
    fold = np.zeros(len(sizes), dtype=int)
    filled = np.zeros(min(FOLDS, len(sizes)))
    for number in np.argsort(-sizes, kind="stable"):
        fold[number] = int(filled.argmin())
        filled[fold[number]] += sizes[number]
    return [fold[group] == f for f in range(len(filled))]


def _left_out(x: Floats, y: Floats, folds: list[NDArray[np.bool_]]) -> tuple[Floats, Floats]:
    """Squared errors of the ridge and of the training mean on left-out pictures, [N, P] each."""
    errors, spread = np.zeros_like(y), np.zeros_like(y)
    for out in folds:
        mean = y[~out].mean(axis=0)
        errors[out] = (y[out] - mean - _ridge(x[~out], y[~out] - mean, x[out])) ** 2
        spread[out] = (y[out] - mean) ** 2
    return errors, spread


def _ridge(x: Floats, y: Floats, new: Floats) -> Floats:
    """Predictions for new rows: x [N, K], y [N, P] with mean 0, new [M, K] -> [M, P].

    Each column of y has the ridge of the least generalised cross-validation error.
    """
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-9] = 1.0
    left, values, right = np.linalg.svd((x - centre) / scale, full_matrices=False)
    inside, n = left.T @ y, len(x)
    rest = (y**2).sum(axis=0) - (inside**2).sum(axis=0)
    kept = values > 1e-9 * values[0] if values[0] > 0 else np.zeros(len(values), dtype=bool)
    best, chosen = np.full(y.shape[1], np.inf), np.zeros_like(inside)
    for ridge in _RIDGES:
        shrink = np.where(kept, values**2 / (values**2 + ridge * n), 0.0)
        error = rest + (((1 - shrink)[:, None] * inside) ** 2).sum(axis=0)
        score = error / (1 - (shrink.sum() + 1) / n) ** 2
        better = score < best
        best[better] = score[better]
        weights = np.where(kept, shrink / np.where(kept, values, 1.0), 0.0)
        chosen[:, better] = weights[:, None] * inside[:, better]
    return np.asarray(((new - centre) / scale) @ right.T @ chosen)


def _correlations(x: Floats, y: Floats) -> Floats:
    """Pearson correlations of columns, 0 for a constant one: x [N, K], y [N, P] -> [K, P]."""
    return np.asarray(_unit(x).T @ _unit(y))


def _unit(columns: Floats) -> Floats:
    centred = columns - columns.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    length[length < 1e-9] = np.inf
    return np.asarray(centred / length)


def _weighted_correlation(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Correlation of two lists [N] under each row of weights [R, N]."""
    total = weights.sum(axis=1)
    mx, my = weights @ x / total, weights @ y / total
    cov = weights @ (x * y) / total - mx * my
    spread = (weights @ x**2 / total - mx**2) * (weights @ y**2 / total - my**2)
    return np.asarray(cov / np.sqrt(np.maximum(spread, 1e-18)))


def _interval(sampled: Floats) -> tuple[float, float]:
    low, high = np.percentile(sampled, [2.5, 97.5])
    return float(low), float(high)
