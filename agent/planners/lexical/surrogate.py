"""A Gaussian process over the words of a lexicon: what to expect of a word not asked yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.lexicon import Vectors

Floats = NDArray[np.float64]

#: Distance (one minus cosine) over which what is known of a word fades by e.
REACH = 0.25
#: Words whose deviation is computed: those with the highest means.
LIKELY = 3000
#: Words of one batch are no more alike than this.
ALIKE = 0.8
#: Words less alike than this to any that drives the neuron may belong to another concept.
APART = 0.4


class Surrogate:
    """Regression by a Gaussian process with covariance ``exp((cosine - 1) / REACH)``.

    Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", chapter 2; words are
    asked where mean plus deviation is largest (GP-UCB: Srinivas et al. 2010).

    Attributes:
        vectors: Of the words that may be asked: [words, width].
        kept: Words kept back, which are not proposed: [words].
        asked: Numbers of the words asked, in order.
        values: What they gave; the mean if asked again.
    """

    def __init__(self, vectors: Vectors, kept: NDArray[np.bool_]) -> None:
        self.vectors = vectors
        self.kept = kept
        self.asked: list[int] = []
        self.values: list[float] = []
        self._columns = np.empty((len(vectors), 0), np.float32)

    def tell(self, numbers: Sequence[int], values: Sequence[float]) -> None:
        """Add what new words gave."""
        fresh = np.exp((self.vectors @ self.vectors[list(numbers)].T - 1) / REACH)
        self._columns = np.concatenate([self._columns, fresh.astype(np.float32)], axis=1)
        self.asked.extend(numbers)
        self.values.extend(values)

    def predict(self, noise: float) -> tuple[Floats, Floats]:
        """Mean and standard deviation for all words.

        Args:
            noise: Standard deviation of one answer.
        """
        values = np.array(self.values)
        base, spread = float(np.median(values)), float(max(values.std(), 1e-6))
        kernel = self._columns[self.asked].astype(np.float64)
        nugget = (noise / spread) ** 2 + 0.02
        inverse = np.linalg.inv(kernel + nugget * np.eye(len(kernel))).astype(np.float32)
        mean = self._columns @ (inverse @ ((values - base) / spread).astype(np.float32))
        # Deviations cost most and matter for promising words only; elsewhere they count as none.
        some = np.argsort(-mean, kind="stable")[:LIKELY]
        explained = np.einsum("ij,ij->i", self._columns[some] @ inverse, self._columns[some])
        deviation = np.zeros(len(mean))
        deviation[some] = np.sqrt(np.clip(1 - explained, 0, 1))
        return base + spread * mean.astype(np.float64), spread * deviation

    def expected(self, groups: NDArray[Any], noise: float) -> Floats:
        """Mean for all words, each without what the words of its own group gave.

        Args:
            groups: Label of each word's group: [words].
            noise: Standard deviation of one answer.
        """
        values = np.array(self.values)
        base, spread = float(np.median(values)), float(max(values.std(), 1e-6))
        kernel = self._columns[self.asked].astype(np.float64)
        nugget = (noise / spread) ** 2 + 0.02
        inverse = np.linalg.inv(kernel + nugget * np.eye(len(kernel)))
        weights, own = inverse @ ((values - base) / spread), groups[self.asked]
        mean = np.zeros(len(self.vectors))
        for label in np.unique(groups):
            inside, rows = np.flatnonzero(own == label), np.flatnonzero(groups == label)
            # The inverse of a part of the matrix follows from that of the whole, block by block.
            block = inverse[np.ix_(inside, inside)]
            rest = weights - inverse[:, inside] @ np.linalg.solve(block, weights[inside])
            mean[rows] = self._columns[rows] @ rest.astype(np.float32)
        return np.asarray(base + spread * mean)

    def propose(self, count: int, noise: float) -> list[int]:
        """The words to ask next: most near the best known, a third where another best may be."""
        mean, deviation = self.predict(noise)
        upper = mean + deviation
        upper[self.asked] = upper[self.kept] = -np.inf
        chosen = self._spread(upper, count - count // 3, [])
        tops = np.argsort(-np.array(self.values), kind="stable")[: max(len(self.values) // 20, 5)]
        nearest = (self.vectors @ self.vectors[[self.asked[k] for k in tops]].T).max(axis=1)
        elsewhere = np.where(nearest < APART, upper + deviation, -np.inf)
        elsewhere[chosen] = -np.inf
        return chosen + self._spread(elsewhere, count // 3, chosen)

    def _spread(self, score: Floats, count: int, before: list[int]) -> list[int]:
        """The best by score, none too like another of the batch."""
        pool = [int(n) for n in np.argsort(-score, kind="stable")[: 8 * count + 8]]
        chosen: list[int] = []
        for number in pool if count else ():
            others = self.vectors[chosen + before]
            if np.isfinite(score[number]) and not (others @ self.vectors[number] > ALIKE).any():
                chosen.append(number)
            if len(chosen) == count:
                break
        return chosen
