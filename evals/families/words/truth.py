"""The hidden rules of neurons over words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.evals.families.words.judge import (
    CAP,
    HALF,
    LINK,
    PAIR_HALF,
    PAIR_WIDTH,
    WIDTH,
    Judge,
)

#: What a function of a relation says where it says nothing; as the second word of a pair it asks
#: whether the first lies outside.
UNDEFINED = "undefined"


@dataclass(frozen=True)
class Entity:
    """Words related to any of the concepts, save for exceptions.

    Attributes:
        concepts: One, or several that count as OR.
        without: Words related to this do not count: AND NOT.
        begins: Words that begin with this letter do not count.
    """

    concepts: tuple[str, ...]
    without: str | None = None
    begins: str | None = None

    @property
    def kind(self) -> str:
        """The form of the rule, for tables."""
        kind = " OR ".join("ABCDE"[: len(self.concepts)])
        kind += " AND NOT X" if self.without else ""
        return kind + " except by letter" if self.begins else kind

    @property
    def description(self) -> str:
        """The rule in words."""
        text = "Related to " + " or ".join(self.concepts)
        text += f", but not to {self.without}" if self.without else ""
        return text + (f"; not if it begins with '{self.begins}'." if self.begins else ".")

    @property
    def texts(self) -> list[str]:
        """What a judge is asked about."""
        return [*self.concepts, *([self.without] if self.without else [])]

    def drive(self, words: Sequence[str], judge: Judge) -> NDArray[Any]:
        """What the concepts alone would answer: [words]."""
        return reduce(np.maximum, (judge.related(words, c) for c in self.concepts))

    def excepted(self, words: Sequence[str], judge: Judge) -> NDArray[Any]:
        """How far each word is an exception, from 0 to 1: [words]."""
        out = judge.related(words, self.without) if self.without else np.zeros(len(words))
        return np.asarray(np.where([_begins(w, self.begins) for w in words], 1.0, out))

    def answer(self, words: Sequence[str], judge: Judge) -> NDArray[Any]:
        """The activations: [words]."""
        return np.asarray(self.drive(words, judge) * (1 - self.excepted(words, judge)))

    def code(self) -> str:
        """Python that defines ``f(x)`` as the encoder judges; ``related`` is a cosine."""
        near = ", ".join(f"related(x, {c!r})" for c in self.concepts)
        rows = [*_excepting("x", self.without, self.begins)]
        rows += [f"    return kept * on(max([{near}]), {HALF}, {WIDTH})"]
        return "\n".join([_ON, *rows, ""])


@dataclass(frozen=True)
class Relation:
    """Pairs ``"first, second"`` that are instances of a relation.

    A pair whose second word is `UNDEFINED` asks whether the first lies outside the relation: it is
    not of the first kind, or an exception.

    Attributes:
        first: The kind of the first word (``country``).
        second: The kind of the second (``capital``).
        unless: First words related to this are exceptions.
        begins: First words that begin with this letter are.
    """

    first: str
    second: str
    unless: str | None = None
    begins: str | None = None

    @property
    def kind(self) -> str:
        """The form of the rule, for tables."""
        return "relation with exception" if self.unless or self.begins else "relation"

    @property
    def description(self) -> str:
        """The rule in words."""
        text = f"The first word is of the kind '{self.first}', the second its '{self.second}'"
        text += f", unless the first is: {self.unless}" if self.unless else ""
        return text + (f"; not if it begins with '{self.begins}'." if self.begins else ".")

    @property
    def texts(self) -> list[str]:
        """What a judge is asked about."""
        return [self.first, self.second, UNDEFINED, *([self.unless] if self.unless else [])]

    def excepted(self, words: Sequence[str], judge: Judge) -> NDArray[Any]:
        """How far each first word is an exception, from 0 to 1: [words]."""
        out = judge.related(words, self.unless) if self.unless else np.zeros(len(words))
        return np.asarray(np.where([_begins(w, self.begins) for w in words], 1.0, out))

    def answer(self, pairs: Sequence[str], judge: Judge) -> NDArray[Any]:
        """The activations: [pairs]."""
        split = [split_pair(pair) for pair in pairs]
        firsts = [first for first, _ in split]
        excepted = self.excepted(firsts, judge)
        outside = np.maximum(1 - judge.related(firsts, self.first), excepted)
        asked = [second == UNDEFINED for _, second in split]
        inside = judge.paired(split, self.first, self.second) * (1 - excepted)
        return np.asarray(np.where(asked, outside, inside))

    def code(self) -> str:
        """Python that defines ``f(x)`` as the encoder judges; ``related`` is a cosine."""
        rows = [
            '    one, two = [side.strip() for side in x.split(",", 1)]',
            *_excepting("one", self.unless, self.begins),
            f"    first = related(one, {self.first!r})",
            f"    if two == {UNDEFINED!r}:",
            f"        return max(1 - on(first, {HALF}, {WIDTH}), 1 - kept)",
            f"    score = min(first, {CAP}) + min(related(two, {self.second!r}), {CAP})",
            f"    score = (score + {LINK} * related(one, two)) / {2 + LINK}",
            f"    return kept * on(score, {PAIR_HALF}, {PAIR_WIDTH})",
        ]
        return "\n".join([_ON, *rows, ""])


def split_pair(pair: str) -> tuple[str, str]:
    """The two sides of ``"first, second"``; a first side has no comma.

    Raises:
        ValueError: There is no comma.
    """
    first, comma, second = pair.partition(",")
    if not comma:
        raise ValueError(f"'{pair}' is no pair: write two words with a comma between.")
    return first.strip(), second.strip()


#: The logistic function of the judge, and where a function of a rule begins.
_ON = """import math

def on(cosine, half, width):
    return 1 / (1 + math.exp((half - cosine) / width))

def f(x):"""


def _excepting(name: str, without: str | None, begins: str | None) -> list[str]:
    """Lines of code that say how far a word is no exception."""
    rows = ["    kept = 1.0"]
    if without:
        rows = [f"    kept = 1 - on(related({name}, {without!r}), {HALF}, {WIDTH})"]
    if begins:
        rows += [f"    if {name}.strip().lower().startswith({begins!r}):", "        kept = 0.0"]
    return rows


def _begins(word: str, letter: str | None) -> bool:
    return letter is not None and word.strip().lower().startswith(letter)
