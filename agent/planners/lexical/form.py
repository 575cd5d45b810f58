"""Explanations of neurons over words: concepts, each a name and a few weighted words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls  # type: ignore[import-untyped]

from hubel.agent.planners.lexical.lexicon import Lexicon, Vectors, unit
from hubel.agent.planners.lexical.model import Floats, Model

#: Looks up, or computes, vectors of length one: [texts, width].
VectorsOf = Callable[[Sequence[str]], Vectors]

#: Words to a concept, and how many near its direction are tried.
WORDS = 8
POOL = 150


@dataclass(frozen=True)
class Concept:
    """A direction in words.

    Attributes:
        name: One word, or two joined by "and".
        words: Their weighted sum is the direction.
    """

    name: str
    words: Mapping[str, float]

    def direction(self, of: VectorsOf) -> NDArray[Any]:
        """Of length one: [width]."""
        weights = np.array(list(self.words.values()), np.float32)
        return unit(weights @ of(list(self.words)))

    @classmethod
    def of(cls, name: str, direction: NDArray[Any], lexicon: Lexicon) -> Self:
        """A concept with the few words whose weighted sum comes nearest to a direction."""
        near = lexicon.nearest(direction, POOL)
        target = direction.astype(np.float64)
        weights, _ = nnls(lexicon.vectors[near].T.astype(np.float64), target)
        kept = near[np.argsort(-weights, kind="stable")[:WORDS]]
        weights, _ = nnls(lexicon.vectors[kept].T.astype(np.float64), target)
        ranked = sorted(zip(weights, kept, strict=True), key=lambda pair: (-pair[0], pair[1]))
        words = {lexicon.words[n]: round(float(w), 3) for w, n in ranked if w > 0.005}
        return cls(name, words)

    def to_json(self) -> dict[str, Any]:
        """For a `Finding`."""
        return {"name": self.name, "words": dict(self.words)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(str(data["name"]), {str(w): float(v) for w, v in data["words"].items()})


@dataclass(frozen=True)
class WordForm:
    """Answers to words: related to any of the concepts, save for exceptions.

    Attributes:
        concepts: The largest cosine counts.
        unless: Taken out: none or one.
        begins: Words that begin with this letter answer `low`; "" for none.
        half: Cosines at which relatedness and exception are one half.
        slope: How steep both are there.
        low: Answer to unrelated words.
        height: How far above a fully related one lies.
        least: Of relatedness and what exceptions leave the lesser counts, not their product.
    """

    concepts: tuple[Concept, ...]
    unless: tuple[Concept, ...]
    begins: str
    half: tuple[float, float]
    slope: float
    low: float
    height: float
    least: bool = False

    def model(self, of: VectorsOf) -> Model:
        """The same with directions for words."""
        on = np.stack([c.direction(of) for c in self.concepts])
        off = np.stack([c.direction(of) for c in self.unless]) if self.unless else on[:0]
        return Model(on, off, self.half, self.slope, self.low, self.height, self.least)

    def shape(self, words: Sequence[str], of: VectorsOf) -> Floats:
        """Between 0 and 1: [words]."""
        shape = self.model(of).shape(of(words))
        return np.where([self._begun(w) for w in words], 0.0, shape)

    def kept(self, words: Sequence[str], of: VectorsOf) -> Floats:
        """What exceptions leave of each word, between 0 and 1: [words]."""
        kept = self.model(of).kept(of(words))
        return np.where([self._begun(w) for w in words], 0.0, kept)

    def _begun(self, word: str) -> bool:
        return bool(self.begins) and word.strip().lower().startswith(self.begins)

    def predict(self, words: Sequence[str], of: VectorsOf) -> Floats:
        """What the neuron should answer: [words]."""
        return self.low + self.height * self.shape(words, of)

    def to_json(self) -> dict[str, Any]:
        """For `Finding.about`."""
        return {
            "concepts": [c.to_json() for c in self.concepts],
            "unless": [c.to_json() for c in self.unless],
            "begins": self.begins,
            "half": list(self.half),
            "slope": self.slope,
            "low": self.low,
            "height": self.height,
            "least": self.least,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        one, two = data["half"]
        return cls(
            tuple(Concept.from_json(c) for c in data["concepts"]),
            tuple(Concept.from_json(c) for c in data["unless"]),
            str(data["begins"]),
            (float(one), float(two)),
            float(data["slope"]),
            float(data["low"]),
            float(data["height"]),
            bool(data["least"]),
        )

    def said(self) -> str:
        """The form as part of a sentence."""
        text = "words related to " + " or to ".join(c.name for c in self.concepts)
        text += "".join(f", but not to {c.name}" for c in self.unless)
        return text + (f", unless they begin with '{self.begins}'" if self.begins else "")

    def code(self) -> str:
        """Python that defines ``f(x)``; ``related(x, words)`` is the cosine to their sum."""
        near = f"on({self.nearness('x')}, {self.half[0]:.3f}, {self.slope:.3g})"
        last = f"    return {self.low:.4g} + {self.height:.4g} * {self.joined(near)}"
        return "\n".join([*self.preamble(), *self.keeping("x"), last, ""])

    def preamble(self) -> list[str]:
        """Lines with which code begins: the logistic function, and the head of ``f``."""
        return [
            "import math",
            "",
            "def on(cosine, half, slope):",
            "    return 1 / (1 + math.exp(min(slope * (half - cosine), 500)))",
            "",
            "def f(x):",
        ]

    def joined(self, near: str) -> str:
        """An expression for relatedness and what is ``kept`` of it."""
        return f"min(kept, {near})" if self.least else f"kept * {near}"

    def nearness(self, name: str) -> str:
        """An expression for how near the word in a variable is to any concept."""
        terms = [f"related({name}, {dict(c.words)!r})" for c in self.concepts]
        return terms[0] if len(terms) == 1 else "max(" + ", ".join(terms) + ")"

    def keeping(self, name: str) -> list[str]:
        """Lines that set ``kept`` to what exceptions leave of the word in a variable."""
        rows = ["    kept = 1.0"]
        for c in self.unless:
            off = f"related({name}, {dict(c.words)!r})"
            rows = [f"    kept = 1 - on({off}, {self.half[1]:.3f}, {self.slope:.3g})"]
        if self.begins:
            rows += [f"    if {name}.strip().lower().startswith({self.begins!r}):"]
            rows += ["        kept = 0.0"]
        return rows
