"""Weights of hypotheses by least squares, what each is worth, and scans over every phrase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.scenes.grammar import Hypothesis
from hubel.agent.planners.scenes.words import Floats, costs, usable

#: For what only ranks phrases.
Short = NDArray[np.float32]

#: Squared residual, in units of the noise, above which a scene counts as an outlier, once, however
#: often it was asked about: perception errs on about three scenes in a thousand.
_CAP = 14.0
#: Least standard deviation of answers around a rule: perception is graded at borders, and a network
#: may stand in for the rule.
FLOOR = 0.07
_RIDGE = 1e-6
_ROUNDS = 2  # of reweighting
_LEAST = 0.5  # of the sum of squares of a feature that is looked at


@dataclass(frozen=True)
class Data:
    """What was asked and answered, a row for each scene.

    Attributes:
        bits: What is true of each scene, [n, phrases], 0 or 1.
        answers: The mean of the answers to each scene, [n].
        sigma: Standard deviation of one answer around a rule.
        times: How often each scene was asked about, [n].
        worth: How many answers each scene counts, [n]: fewer than were given, where one
            misperceived scene may be behind many.
        kinds: Numbers that scenes of which the same is true share, [n].
    """

    bits: Floats
    answers: Floats
    sigma: float
    times: Floats
    worth: Floats
    kinds: NDArray[np.int64]

    @property
    def centred(self) -> Floats:
        """Answers less their mean, in which each counts what it is worth, [n]."""
        return self.answers - np.average(self.answers, weights=self.worth)

    @cached_property
    def short(self) -> Short:
        """`bits` in short numbers, for what only ranks phrases, [n, phrases]."""
        return self.bits.astype(np.float32)

    def of(self, rows: NDArray[np.int64]) -> Data:
        """Some of the scenes alone."""
        arrays = (self.times[rows], self.worth[rows], self.kinds[rows])
        return Data(self.bits[rows], self.answers[rows], self.sigma, *arrays)

    @property
    def n(self) -> int:
        """How many scenes."""
        return len(self.answers)


@dataclass(frozen=True)
class Fitted:
    """A hypothesis with its weights.

    Attributes:
        hypothesis: What is fitted.
        weights: Of its features, and the intercept last.
        score: Log posterior up to a constant, nats.
        trust: Weight of each scene in the fit: low for outliers, [n].
    """

    hypothesis: Hypothesis
    weights: Floats
    score: float
    trust: Floats

    def predict(self, bits: Floats) -> Floats:
        """Its value on scenes, [n], of what is true of them, [n, phrases]."""
        found: Floats = self.hypothesis.matrix(bits) @ self.weights
        return found


def fit(hypothesis: Hypothesis, data: Data) -> Fitted:
    """Fit its weights, outliers held down, and weigh it."""
    weights, trust, lost = weigh(hypothesis.matrix(data.bits), data)
    said = hypothesis.cost + costs()[list(hypothesis.slots)].sum()
    score = -lost - said - 0.5 * len(weights) * np.log(data.n) - _implausible(hypothesis, weights)
    return Fitted(hypothesis, weights, float(score), trust)


def weigh(matrix: Floats, data: Data) -> tuple[Floats, Floats, float]:
    """Weights of features by least squares, outliers held down.

    Args:
        matrix: Features, [n, features].
        data: The answers.

    Returns:
        The weights, [features]; the trust in each scene, [n]; the loss in nats.
    """
    trust = data.worth
    weights = _solve(matrix, data.answers, trust)
    for _ in range(_ROUNDS):
        trust = _trust(data.answers - matrix @ weights, data)
        weights = _solve(matrix, data.answers, trust)
    return weights, trust, float(loss(data.answers - matrix @ weights, data).sum())


def loss(left: Floats, data: Data) -> Floats:
    """What a residual of each scene loses, in nats, [n]: outliers no more than others."""
    lost: Floats = 0.5 * np.minimum(_squared(left, data), _CAP) * data.worth / data.times
    return lost


def _trust(left: Floats, data: Data) -> Floats:
    """How many answers each scene counts in a fit that leaves these residuals, [n]."""
    squared = np.maximum(_squared(left, data), 1e-9)
    trust: Floats = data.worth * np.minimum(1.0, _CAP / squared)
    return trust


def _squared(left: Floats, data: Data) -> Floats:
    """Squared residuals, in units of the noise of the mean answer to each scene, [n]."""
    squared: Floats = data.times * np.square(left / data.sigma)
    return squared


def nothing(data: Data) -> float:
    """The score of a constant."""
    middle = float(np.median(data.answers))
    for _ in range(_ROUNDS):
        trust = _trust(data.answers - middle, data)
        middle = float((trust * data.answers).sum() / trust.sum())
    return float(-loss(data.answers - middle, data).sum() - 0.5 * np.log(data.n))


def scan(hypothesis: Hypothesis, slot: int, data: Data, trust: Floats) -> Floats:
    """How well each phrase would do in one slot: sums of squared residuals, [phrases].

    Features are affine in the column g of a slot, a + b g with g of 0 and 1, so that the normal
    equations of all phrases are a few products with the matrix of all columns.
    """
    a, b = hypothesis.affine(data.bits, slot)
    a = np.concatenate([a, np.ones((data.n, 1))], axis=1)
    b = np.concatenate([b, np.zeros((data.n, 1))], axis=1)
    width, phrases = a.shape[1], data.bits.shape[1]
    pairs = list(combinations_with_replacement(range(width), 2))
    crossed = np.stack(
        [trust * (a[:, k] * b[:, m] + a[:, m] * b[:, k] + b[:, k] * b[:, m]) for k, m in pairs]
        + [trust * data.answers * b[:, k] for k in range(width)]
    )
    sums = (crossed.astype(np.float32) @ data.short).astype(np.float64)
    gram = np.empty((phrases, width, width))
    for (k, m), row in zip(pairs, sums, strict=False):
        gram[:, k, m] = gram[:, m, k] = row + float((trust * a[:, k] * a[:, m]).sum())
    right = sums[len(pairs) :].T + (trust * data.answers) @ a
    gram[:, range(width), range(width)] += _RIDGE
    weights = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    total = float((trust * np.square(data.answers)).sum())
    found: Floats = total - (weights * right).sum(axis=1)
    return found


def room(held: Short, total: float) -> Short:
    """Sums of squares of centred features; infinite where there is nothing to be seen.

    Args:
        held: What the scenes count in which each holds, of any shape.
        total: What all scenes count.
    """
    rest = held * (1 - held / total)
    seen: Short = np.where(rest > _LEAST, rest, np.inf).astype(np.float32)
    return seen


class Pairs:
    """How much of a sum of squares pairs of phrases explain.

    What does not depend on the answers is reckoned once: pairs are looked for in what several
    hypotheses leave of the same scenes.

    Args:
        data: Scenes, and what each counts.
    """

    def __init__(self, data: Data) -> None:
        bits = data.short[:, usable()]
        self._bits = bits.T
        self._weighed: Short = data.worth.astype(np.float32)[:, None] * bits
        count, total = self._weighed.sum(axis=0), float(data.worth.sum())
        held = _joined(count, self._bits @ self._weighed)
        self._room = {
            base: _paired(room(one, total), ordered=base == "and not") for base, one in held
        }

    def explained(self, data: Data) -> dict[str, Short]:
        """How much each pair explains, by base.

        Args:
            data: The same scenes, perhaps with other answers.

        Returns:
            Tables over the phrases of `usable`, [usable, usable].
        """
        y: Short = data.centred.astype(np.float32)
        told: Short = y[:, None] * self._weighed
        found: dict[str, Short] = {}
        for base, summed in _joined(told.sum(axis=0), self._bits @ told):
            root: Short = np.maximum(summed, np.float32(0))
            found[base] = root * root / self._room[base]
        return found


def _joined(one: Short, both: Short) -> Iterator[tuple[str, Short]]:
    """Sums over the scenes where a base holds, of those for phrases and for both of two."""
    first, second = one[:, None], one[None, :]
    yield "and", both
    yield "or", first + second - both
    yield "xor", first + second - 2 * both
    yield "and not", first - both


def _paired(rest: Short, *, ordered: bool) -> Short:
    """Sums of squares for pairs; infinite for those that others stand for."""
    rest[np.diag_indices(len(rest)) if ordered else np.tril_indices(len(rest))] = np.inf
    return rest


def _solve(matrix: Floats, answers: Floats, trust: Floats) -> Floats:
    weighed = matrix * trust[:, None]
    gram = weighed.T @ matrix + _RIDGE * np.eye(matrix.shape[1])
    found: Floats = np.asarray(np.linalg.solve(gram, weighed.T @ answers), dtype=np.float64)
    return found


def _implausible(hypothesis: Hypothesis, weights: Floats) -> float:
    """A fine for weights that the base does not mean: falling, or of a wrong order."""
    main = weights[:-1]
    if hypothesis.extra in ("cue", "other"):
        main = main[:-1]
    fine = 12.0 * float((main <= 0.0).sum())
    if hypothesis.base in ("either", "graded"):
        fine += 4.0 * float((np.diff(main) >= 0).sum())
    return fine
