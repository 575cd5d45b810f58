"""What a neuron over words has answered so far."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.lexicon import Lexicon, Vectors
from hubel.agent.planners.lexical.model import Floats, Model, fit, logistic
from hubel.agent.planners.lexical.surrogate import Surrogate
from hubel.agent.planners.lexical.table import Table

#: Share of the variance of all answers that models of words miss at their best.
NEGLIGIBLE = 0.02
#: Words that may be a concept: the commonest ones.
COMMON = 8000


@dataclass
class Asked:
    """All answers so far.

    Attributes:
        lexicon: What may be asked.
        surrogate: What was asked, and what to ask next.
        confirming: Words that are asked only to confirm: [words].
        noise: Standard deviation of one answer, from repeats.
        queries: How many were spent.
    """

    lexicon: Lexicon
    surrogate: Surrogate
    confirming: NDArray[np.bool_]
    noise: float = 0.0
    queries: int = 0
    _tables: dict[tuple[float, float] | None, Table] = field(default_factory=dict, repr=False)

    @property
    def vectors(self) -> NDArray[Any]:
        """Of the words asked: [words, width]."""
        return self.lexicon.vectors[self.surrogate.asked]

    @property
    def values(self) -> Floats:
        """What they gave: [words]."""
        return np.array(self.surrogate.values)

    @property
    def variance(self) -> float:
        """Of an answer around the best that can be said of it: noise, and what no model says."""
        return self.noise**2 + NEGLIGIBLE * float(self.values.var()) + 1e-12

    def fit(self, model: Model, held: bool = False) -> Model:
        """A model fitted to what was asked; held, its directions stay where they are."""
        return fit(model, self.vectors, self.values, self.noise, held)

    def related(self, half: float, slope: float) -> Vectors:
        """How related each word asked is to each common one, between 0 and 1: [asked, common]."""
        common, numbers = self.lexicon.vectors[:COMMON], self.surrogate.asked
        cosines = self._tables.setdefault(None, Table(len(common))).upto(
            len(numbers), lambda known: self.lexicon.vectors[numbers[known:]] @ common.T
        )
        table = self._tables.setdefault((half, slope), Table(len(common)))
        return table.upto(len(cosines), lambda known: logistic(slope * (cosines[known:] - half)))

    def missed(self, model: Model) -> float:
        """Mean square of what a model misses."""
        return float(np.mean((model.predict(self.vectors) - self.values) ** 2))

    def held(self, model: Model) -> float:
        """Mean square of what a model misses whose directions stay where they are."""
        return self.missed(self.fit(model, held=True))

    def ask(self, numbers: Sequence[int]) -> Generator[list[str], list[Any], Floats]:
        """Ask words that were not asked before."""
        if not numbers:
            return np.zeros(0)
        answers = yield [self.lexicon.words[n] for n in numbers]
        self.queries += len(numbers)
        known = [(n, float(a)) for n, a in zip(numbers, answers, strict=True) if a is not None]
        if known:
            self.surrogate.tell([n for n, _ in known], [a for _, a in known])
        return np.array([a for _, a in known])

    def without(self, letter: str) -> Asked:
        """The same as if no word that begins with a letter could be asked."""
        kept = np.array([word[0] != letter for word in self.lexicon.words])
        place = np.cumsum(kept) - 1
        lexicon = Lexicon(
            tuple(w for w, k in zip(self.lexicon.words, kept, strict=True) if k),
            self.lexicon.vectors[kept],
            tuple(int(place[n]) for n in self.lexicon.coverage if kept[n]),
        )
        surrogate = Surrogate(lexicon.vectors, self.surrogate.kept[kept])
        known = [
            (int(place[n]), value)
            for n, value in zip(self.surrogate.asked, self.surrogate.values, strict=True)
            if kept[n]
        ]
        surrogate.tell([n for n, _ in known], [value for _, value in known])
        return Asked(lexicon, surrogate, self.confirming[kept], self.noise, self.queries)

    def repeat(self, count: int) -> Generator[list[str], list[Any], None]:
        """Ask again the highest and some others, and take the noise from the differences."""
        if not count:
            return
        order = np.argsort(-self.values, kind="stable")
        spaced = order[np.linspace(0, len(order) - 1, count - count // 2).astype(int)]
        chosen = [int(k) for k in dict.fromkeys([*order[: count // 2], *spaced])]
        numbers = [self.surrogate.asked[k] for k in chosen]
        answers = yield [self.lexicon.words[n] for n in numbers]
        self.queries += len(numbers)
        differences = [
            (float(a) - self.surrogate.values[k]) / np.sqrt(2)
            for k, a in zip(chosen, answers, strict=True)
            if a is not None
        ]
        self.noise = float(np.sqrt(np.mean(np.square(differences)))) if differences else 0.0
        for k, a in zip(chosen, answers, strict=True):
            if a is not None:
                self.surrogate.values[k] = (self.surrogate.values[k] + float(a)) / 2
