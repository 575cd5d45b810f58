"""Baselines: explanations that cost nothing, which every planner has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hubel.agent.form import Form, Term

if TYPE_CHECKING:
    from hubel.agent.confirm import Sample

#: Phrases that the one-shot baseline names, and those that the one by lift does.
NAMED, LIFTED = 3, 5
#: Share of the pictures that count as exemplars, and of these that must have a phrase to name it.
STRONG, COMMON = 0.1, 0.2
#: Strengths of the ridge that are tried, in units of the number of pictures, and folds.
_RIDGES, _FOLDS = (0.03, 0.1, 0.3, 1.0, 3.0), 5


def one_shot(concepts: Sequence[Mapping[str, float]]) -> Form:
    """The commonest concepts among the top exemplars, without any experiment.

    As MILAN-like describers do, it looks at the strongest pictures only, so it names what is
    common everywhere as readily as what drives the unit.

    Args:
        concepts: For each exemplar, its phrases and their degrees.

    Returns:
        The sum of the `NAMED` phrases that hold (degree at least one half) in most exemplars;
        ties go to the larger total degree, then to the alphabet.
    """
    count: Counter[str] = Counter()
    degree: Counter[str] = Counter()
    for one in concepts:
        count.update(p for p, d in one.items() if d >= 0.5)
        degree.update(one)
    ranked = sorted(count, key=lambda p: (-count[p], -degree[p], p))
    return Form(tuple(Term(1.0, (p,)) for p in ranked[:NAMED]))


def by_lift(sample: Sample) -> Form:
    """The phrases that are commoner among the strongest pictures than among all, by their lift.

    Like `one_shot` it makes no experiment; unlike it, it does not name what is common everywhere.

    Args:
        sample: A sample over the unit's whole range.

    Returns:
        The sum of the `LIFTED` phrases of the largest lift that at least `COMMON` of the strongest
        tenth have, each weighted by the logarithm of its lift.
    """
    import numpy as np

    order = np.argsort(-sample.measured, kind="stable")
    reached = np.cumsum(sample.weights[order]) / sample.weights.sum()
    strong = np.zeros(len(sample))
    strong[order[: max(1, int(np.searchsorted(reached, STRONG)) + 1)]] = 1.0
    weighted, strong_weights = sample.weights, sample.weights * strong
    lifts = {}
    for phrase, degree in sample.degrees.items():
        here = float(strong_weights @ degree / strong_weights.sum())
        everywhere = float(weighted @ degree / weighted.sum())
        if here >= COMMON and here > everywhere > 0:
            lifts[phrase] = float(np.log(here / everywhere))
    best = sorted(lifts, key=lambda p: (-lifts[p], p))[:LIFTED]
    return Form(tuple(Term(lifts[p], (p,)) for p in best))


def ridge(sample: Sample) -> Form:
    """Every phrase with the weight that ridge regression gives it: predicts, and explains nothing.

    Its strength is chosen by cross-validation (Hoerl & Kennard 1970). What a short explanation
    reaches is to be read beside it.

    Args:
        sample: A sample over the unit's whole range.
    """
    import numpy as np

    phrases = sorted(sample.degrees)
    if not phrases:
        return Form(())
    x = np.stack([sample.degrees[p] for p in phrases], axis=1)
    w = sample.weights / sample.weights.sum()
    x, y = x - w @ x, sample.measured - w @ sample.measured
    fold = np.arange(len(y)) % _FOLDS

    def fit(rows: np.ndarray, strength: float) -> np.ndarray:
        weighted = x[rows].T * w[rows]
        gram = weighted @ x[rows] + strength * np.eye(len(phrases)) * float(w @ (x**2).mean(1))
        solved: np.ndarray = np.linalg.solve(gram, weighted @ y[rows])
        return solved

    def error(strength: float) -> float:
        left = [
            w[fold == k] @ (y[fold == k] - x[fold == k] @ fit(fold != k, strength)) ** 2
            for k in range(_FOLDS)
        ]
        return float(sum(left))

    best = fit(np.ones(len(y), bool), min(_RIDGES, key=error))
    return Form(tuple(Term(float(c), (p,)) for c, p in zip(best, phrases, strict=True)))
