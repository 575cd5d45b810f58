"""A Gaussian process over the words of a lexicon: what to expect of a word not asked yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.lexicon import Vectors
from hubel.agent.planners.lexical.table import Table

Floats = NDArray[np.float64]

#: Distance (one minus cosine) over which what is known of a word fades by e.
REACH = 0.25
#: Words whose deviation is computed: those with the highest means.
LIKELY = 3000
#: Words of one batch are no more alike than this.
ALIKE = 0.8
#: Words less alike than this to any that drives the neuron may belong to another concept.
APART = 0.4
#: Share of the highest answer below which traces are no longer told from nothing.
FAINT = 0.02


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
        self._covariances = Table(len(vectors))

    def tell(self, numbers: Sequence[int], values: Sequence[float]) -> None:
        """Add what new words gave."""
        self.asked.extend(numbers)
        self.values.extend(values)

    def predict(self, noise: float) -> tuple[Floats, Floats]:
        """Mean and standard deviation for all words, of the compressed answer (`_raised`).

        Args:
            noise: Standard deviation of one answer.
        """
        values, unsure = self._raised(noise)
        spread = float(max(values.std(), 1e-6))
        rows, inverse = self._inverse((unsure / spread) ** 2)
        mean = (inverse @ (values / spread).astype(np.float32)) @ rows
        # Deviations cost most and matter for promising words only; elsewhere they count as none.
        some = np.argsort(-mean, kind="stable")[:LIKELY]
        near = rows[:, some]
        explained = np.einsum("ij,ij->j", inverse @ near, near)
        deviation = np.zeros(len(mean))
        deviation[some] = np.sqrt(np.clip(1 - explained, 0, 1))
        return spread * mean.astype(np.float64), spread * deviation

    def surprising(self, missed: Floats, noise: float) -> Floats:
        """What a model is to be expected to miss of each word: [words].

        Args:
            missed: By how much the words asked answered more than it says, in their order.
            noise: Standard deviation of one answer.
        """
        spread = float(max(missed.std(), 1e-6))
        rows, inverse = self._inverse((noise / spread) ** 2)
        return np.asarray((inverse @ missed.astype(np.float32)) @ rows, np.float64)

    def _inverse(self, unsure: float) -> tuple[Vectors, Vectors]:
        """Covariances of the words asked with all, and their own, with noise, inverted."""
        rows = self._covariances.upto(len(self.asked), self._covarying)
        own = rows[:, self.asked].astype(np.float64)
        inverse = np.linalg.inv(own + (unsure + 0.02) * np.eye(len(own)))
        return rows, inverse.astype(np.float32)

    def _covarying(self, known: int) -> Vectors:
        """Covariances of the words asked, from a number on, with all words: [asked, words]."""
        rows = self.vectors[self.asked[known:]] @ self.vectors.T
        rows -= 1
        rows /= np.float32(REACH)
        np.exp(rows, out=rows)
        return rows

    def _raised(self, noise: float) -> tuple[Floats, float]:
        """How far each answer lies above the usual one, compressed, and how unsure that is.

        A word far from a concept drives the neuron a little, and it is by such traces that a
        concept is first met where no word of the coverage is near it. The inverse of the hyperbolic
        sine is a line within twice the noise and a logarithm beyond.
        """
        raised = np.array(self.values) - float(np.median(self.values))
        faint = max(2 * noise, FAINT * float(np.abs(raised).max()), 1e-9)
        return np.arcsinh(raised / faint), noise / faint

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
