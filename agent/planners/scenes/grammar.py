"""The hypothesis space: what a neuron over scenes may compute, as features that are weighted.

A hypothesis is a *base* over one to three phrases, and perhaps an *extra*: a cue that drives the
unit besides, a region in which it is silent, or one in which another phrase drives it. Each gives
features of 0 and 1, each with a weight of its own, and an intercept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from hubel.agent.planners.scenes.words import Floats

Columns = Sequence[Floats]


@dataclass(frozen=True, slots=True)
class Base:
    """A shape of rules.

    Attributes:
        slots: Phrases that it needs.
        features: From the columns of the phrases to its features; affine in each column.
        said: Its features in Python, the phrases being ``{0}``, ``{1}``, ``{2}``.
        cost: What it costs to say, in nats: simplicity.
        symmetric: The first so many slots can be exchanged.
    """

    slots: int
    features: Callable[[Columns], list[Floats]]
    said: tuple[str, ...]
    cost: float
    symmetric: int = 1


BASES: dict[str, Base] = {
    "one": Base(1, lambda c: [c[0]], ("{0}",), 0.0),
    "or": Base(2, lambda c: [c[0] + c[1] - c[0] * c[1]], ("({0} or {1})",), 1.0, 2),
    "and": Base(2, lambda c: [c[0] * c[1]], ("({0} and {1})",), 1.0, 2),
    "and not": Base(2, lambda c: [c[0] * (1 - c[1])], ("({0} and not {1})",), 1.0),
    "xor": Base(2, lambda c: [c[0] + c[1] - 2 * c[0] * c[1]], ("({0} != {1})",), 1.0, 2),
    "either": Base(2, lambda c: [c[0], c[1] * (1 - c[0])], ("{0}", "({1} and not {0})"), 2.0),
    "sum": Base(2, lambda c: [c[0], c[1]], ("{0}", "{1}"), 1.5, 2),
    "and or": Base(
        3,
        lambda c: [c[0] * c[1] + c[2] - c[0] * c[1] * c[2]],
        ("(({0} and {1}) or {2})",),
        2.0,
        2,
    ),
    "graded": Base(
        3,
        lambda c: [c[0], c[1] * (1 - c[0]), c[2] * (1 - c[0]) * (1 - c[1])],
        ("{0}", "({1} and not {0})", "({2} and not {1} and not {0})"),
        2.5,
    ),
    "sum of three": Base(3, lambda c: [c[0], c[1], c[2]], ("{0}", "{1}", "{2}"), 2.0, 3),
}
#: Extras, by how many phrases each adds, and what it costs to say.
EXTRAS = {"": (0, 0.0), "cue": (1, 1.5), "silent": (1, 1.5), "other": (2, 2.0)}


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a unit may compute.

    Attributes:
        base: Name of the base.
        extra: Name of the extra; empty for none.
        slots: Columns of the phrases, those of the base first.
    """

    base: str
    extra: str
    slots: tuple[int, ...]

    def features(self, columns: Columns) -> list[Floats]:
        """Its features, [n] each, from the columns of its phrases in their order."""
        size = BASES[self.base].slots
        main, rest = BASES[self.base].features(columns[:size]), columns[size:]
        if self.extra == "cue":
            return [*main, rest[0]]
        if self.extra:
            main = [f * (1 - rest[0]) for f in main]
        return [*main, rest[0] * rest[1]] if self.extra == "other" else main

    def matrix(self, bits: Floats) -> Floats:
        """Its features and a column of ones, [n, features + 1], of scenes [n, phrases]."""
        columns = [bits[:, s] for s in self.slots]
        return np.stack([*self.features(columns), np.ones(len(bits))], axis=1)

    def affine(self, bits: Floats, slot: int) -> tuple[Floats, Floats]:
        """Its features as ``a + b * g``, g being the column in one slot: two [n, features]."""
        columns = [bits[:, s] for s in self.slots]
        zeros = np.zeros(len(bits))
        columns[slot] = zeros
        a = np.stack(self.features(columns), axis=1)
        columns[slot] = zeros + 1
        return a, np.stack(self.features(columns), axis=1) - a

    @property
    def cost(self) -> float:
        """What its shape costs to say, in nats."""
        return BASES[self.base].cost + EXTRAS[self.extra][1]

    def canonical(self) -> Hypothesis | None:
        """The same with exchangeable slots in order; None if it repeats a phrase or another."""
        if len(set(self.slots)) < len(self.slots):
            return None
        if self.extra == "cue" and self.base in ("one", "sum"):
            name = "sum" if self.base == "one" else "sum of three"
            return Hypothesis(name, "", self.slots).canonical()
        if self.extra == "silent" and self.base == "one":
            return Hypothesis("and not", "", self.slots)
        some = BASES[self.base].symmetric
        return Hypothesis(self.base, self.extra, (*sorted(self.slots[:some]), *self.slots[some:]))

    def at(self, slot: int, column: int) -> Hypothesis:
        """The same with another phrase in a slot."""
        return Hypothesis(
            self.base, self.extra, (*self.slots[:slot], column, *self.slots[slot + 1 :])
        )

    def grown(self) -> Iterator[tuple[Hypothesis, int]]:
        """Hypotheses with one phrase more, and the slot where it is to be put."""
        size = BASES[self.base].slots
        main, rest = self.slots[:size], self.slots[size:]
        for name, base in BASES.items():
            if base.slots == size + 1:
                for order in _orders(main, base.symmetric):
                    yield Hypothesis(name, self.extra, (*order, *rest)), order.index(-1)
        if not self.extra:
            yield Hypothesis(self.base, "cue", (*main, -1)), size
            yield Hypothesis(self.base, "silent", (*main, -1)), size
        if self.extra == "silent":
            yield Hypothesis(self.base, "other", (*main, *rest, -1)), size + 1
        if self.base == "and not" and not self.extra:  # silent in a region
            yield Hypothesis("one", "other", (*main, -1)), 2

    def rearranged(self) -> Iterator[Hypothesis]:
        """Every hypothesis over the same phrases."""
        for extra, (more, _) in EXTRAS.items():
            for name, base in BASES.items():
                if base.slots + more == len(self.slots):
                    for order in permutations(self.slots):
                        yield Hypothesis(name, extra, order)

    def nearby(self) -> Iterator[Hypothesis]:
        """Hypotheses over the same phrases, or over all but one of them."""
        size = BASES[self.base].slots
        main, rest = self.slots[:size], self.slots[size:]
        for name, base in BASES.items():
            if base.slots == size:
                for order in permutations(main):
                    yield Hypothesis(name, self.extra, (*order, *rest))
            elif base.slots == size - 1:
                for left in permutations(main, size - 1):
                    yield Hypothesis(name, self.extra, (*left, *rest))
        if self.extra:
            yield Hypothesis(self.base, "", main)
        if self.extra == "other":
            yield Hypothesis(self.base, "silent", (*main, rest[0]))


def _orders(main: tuple[int, ...], symmetric: int) -> Iterator[tuple[int, ...]]:
    """Ways to put a new phrase (-1) among others; exchangeable slots give one."""
    found = set()
    for place in range(len(main) + 1):
        for order in permutations(main):
            new = (*order[:place], -1, *order[place:])
            key = (*sorted(new[:symmetric]), *new[symmetric:])
            if key not in found:
                found.add(key)
                yield new
