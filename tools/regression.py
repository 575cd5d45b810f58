"""How much of a measurement a set of features explains, on pictures the fit has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDS = 5
RESAMPLES = 1000
PERMUTATIONS = 199
#: Strengths of the ridge, in units of the features' variance times the number of pictures.
_RIDGES = (1e-4, 1e-2, 1e-1, 1.0, 10.0, 100.0)


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

    Folds never split a group. The strength of the ridge is chosen inside each training fold, by
    cross-validation over groups again. Permutations exchange whole groups, since pictures of one
    group (crops of one photograph) are alike; this is exact where groups are equally large.

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
    errors, spread = _left_out(x, tried, group)
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
    _, group = np.unique(group, return_inverse=True)
    sizes = np.bincount(group)
    fold = np.zeros(len(sizes), dtype=int)
    filled = np.zeros(min(FOLDS, len(sizes)))
    for number in np.argsort(-sizes, kind="stable"):
        fold[number] = int(filled.argmin())
        filled[fold[number]] += sizes[number]
    return [fold[group] == f for f in range(len(filled))]


def _left_out(x: Floats, y: Floats, group: NDArray[Any]) -> tuple[Floats, Floats]:
    """Squared errors of the ridge and of the training mean on left-out pictures, [N, P] each.

    Each column of y has the ridge that does best on groups left out of the training fold in turn.
    """
    errors, spread = np.zeros_like(y), np.zeros_like(y)
    for out in _folds(group):
        x_in, y_in = x[~out], y[~out]
        inner = [((y_in[o] - p) ** 2).sum(axis=1) for o, p in _paths(x_in, y_in, group[~out])]
        chosen = np.sum(inner, axis=0).argmin(axis=0)  # [P], numbers of ridges
        path = _ridges(x_in, y_in, x[out])
        predicted = np.take_along_axis(path, chosen[None, None], axis=0)[0]
        errors[out] = (y[out] - predicted) ** 2
        spread[out] = (y[out] - y_in.mean(axis=0)) ** 2
    return errors, spread


def _paths(x: Floats, y: Floats, group: NDArray[Any]) -> Iterator[tuple[NDArray[np.bool_], Floats]]:
    """For each fold the pictures left out, and their predictions under every ridge."""
    for out in _folds(group):
        yield out, _ridges(x[~out], y[~out], x[out])


def _ridges(x: Floats, y: Floats, new: Floats) -> Floats:
    """Predictions of a ridge regression: x [N, K], y [N, P], new [M, K] -> [ridges, M, P].

    The last is the mean of y, which is what an infinite ridge predicts.
    """
    centre, scale, mean = x.mean(axis=0), x.std(axis=0), y.mean(axis=0)
    scale[scale < 1e-9] = 1.0
    left, values, right = np.linalg.svd((x - centre) / scale, full_matrices=False)
    inside, onto = left.T @ (y - mean), ((new - centre) / scale) @ right.T
    shrunk = [values / (values**2 + ridge * len(x)) for ridge in _RIDGES]
    fits = [mean + onto @ (s[:, None] * inside) for s in shrunk]
    return np.stack([*fits, np.broadcast_to(mean, fits[0].shape)])


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
