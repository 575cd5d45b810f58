"""Explanations of neurons over pairs of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hubel.agent.planners.lexical.form import VectorsOf, WordForm
from hubel.agent.planners.lexical.model import Floats

#: A second word that asks whether the first lies outside the relation.
UNDEFINED = "undefined"


@dataclass(frozen=True)
class PairForm:
    """Answers to pairs: a logistic function of how near each side is to its kind, and to the other.

    Attributes:
        first: Which first words lie inside the relation.
        second: Which second words belong to it.
        curve: Bias and the weights of the two cosines to the kinds and of the one between sides.
        cap: Neither cosine to a kind counts beyond this.
        low: Answer to unrelated pairs.
        height: How far above a perfect pair lies.
    """

    first: WordForm
    second: WordForm
    curve: tuple[float, float, float, float]
    cap: float
    low: float
    height: float

    def features(self, pairs: Sequence[str], of: VectorsOf) -> Floats:
        """One, the three cosines: [pairs, 4]."""
        sides = [[part.strip() for part in pair.split(",", 1)] for pair in pairs]
        one, two = of([s[0] for s in sides]), of([s[1] for s in sides])
        near = (one @ self.first.model(of).on.T).max(axis=1)
        also = (two @ self.second.model(of).on.T).max(axis=1)
        return np.stack([np.ones(len(one)), near, also, (one * two).sum(axis=1)], axis=1)

    def predict(self, pairs: Sequence[str], of: VectorsOf) -> Floats:
        """What the neuron should answer: [pairs].

        Raises:
            IndexError: A pair has no comma.
        """
        firsts = [pair.split(",", 1)[0].strip() for pair in pairs]
        asks = [pair.split(",", 1)[1].strip() == UNDEFINED for pair in pairs]
        fit = inside(self.features(pairs, of), np.array(self.curve), self.cap)
        fits = self.low + self.height * fit * self.first.kept(firsts, of)
        return np.where(asks, 1 - self.first.predict(firsts, of), fits)

    def to_json(self) -> dict[str, Any]:
        """For `Finding.about`."""
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "curve": list(self.curve),
            "cap": self.cap,
            "low": self.low,
            "height": self.height,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        a, b, c, d = (float(v) for v in data["curve"])
        sides = WordForm.from_json(data["first"]), WordForm.from_json(data["second"])
        rest = (float(data[name]) for name in ("cap", "low", "height"))
        return cls(*sides, (a, b, c, d), *rest)

    def said(self) -> str:
        """The form in one sentence."""
        return (
            f"Responds to pairs whose first word is one of the {self.first.said()}, "
            f"and whose second is one of the {self.second.said()}."
        )

    def code(self) -> str:
        """Python that defines ``f(x)``; ``related(x, words)`` is the cosine to their sum."""
        a, b, c, d = self.curve
        one, two = self.first, self.second
        rows = [
            *one.preamble(),
            '    one, two = [side.strip() for side in x.split(",", 1)]',
            *one.keeping("one"),
            f"    first = {one.nearness('one')}",
            f"    if two == {UNDEFINED!r}:",
            f"        inside = on(first, {one.half[0]:.3f}, {one.slope:.3g})",
            f"        return 1 - ({one.low:.4g} + {one.height:.4g} * {one.joined('inside')})",
            f"    second = {two.nearness('two')}",
            f"    score = {a:.3g} + {b:.3g} * min(first, {self.cap:.3f})",
            f"    score += {c:.3g} * min(second, {self.cap:.3f}) + {d:.3g} * related(one, two)",
            f"    return {self.low:.4g} + {self.height:.4g} * kept * on(score, 0, 1)",
        ]
        return "\n".join([*rows, ""])


def inside(features: Floats, curve: Floats, cap: float) -> Floats:
    """Between 0 and 1, how well pairs fit, from `PairForm.features`: [pairs]."""
    kinds = np.minimum(features[:, 1:3], cap)
    near = np.concatenate([features[:, :1], kinds, features[:, 3:]], axis=1)
    return np.asarray(1 / (1 + np.exp(-np.clip(near @ curve, -50, 50))), np.float64)
