"""Laws that the grammar does not have, held against its best rule: numbers, relations, any three.

They are few and simple, and are there to be better than the best rule where that is wrong: then a
neuron lies outside the hypothesis space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.scenes.crowd import Crowd, columns, crowded
from hubel.agent.planners.scenes.design import SAME, probabilities
from hubel.agent.planners.scenes.fit import Data, Fitted, fit, loss, room, weigh
from hubel.agent.planners.scenes.library import library
from hubel.agent.planners.scenes.state import State
from hubel.agent.planners.scenes.words import Bits, Floats, costs, names
from hubel.tools.imagery.scenes import Scene

#: What a law of numbers or of a relation says, of phrases.
SAID = {
    "twice": "at least two things are [{0}]",
    "thrice": "at least three things are [{0}]",
    "odd": "an odd number of things is [{0}]",
    "left": "a thing that is [{0}] is left of one that is [{1}]",
    "above": "a thing that is [{0}] is above one that is [{1}]",
    "larger": "the largest thing that is [{0}] is larger than any that is [{1}]",
    "same": "one thing is both [{0}] and [{1}]",
    "three": "a law of [{0}], [{1}] and [{2}] together",
}
_NUMBERS, _RELATIONS = ("twice", "thrice", "odd"), ("left", "above", "larger", "same")
_COST = 3.0  # nats, to say the shape
_TABLES = _COST + 8 * float(np.log(2))  # nats, to say which table of three phrases
_TRIED = 4  # best of each law that are fitted
_PHRASES = 9  # of the beam, of which any three are looked at
_THIRDS = 4  # phrases that are tried beside each two of the best rule
_LIKE, _KEPT = 10, 4  # hypotheses that laws are compared with, laws that are kept
_APART = 0.5  # of the highest weight, by which two laws differ on a scene that tells them apart


@dataclass(frozen=True)
class Rival:
    """A law beyond the grammar, fitted.

    Attributes:
        law: One of `SAID`.
        slots: Columns of its phrases.
        table: Of three phrases, the value for each of the 8 states of them; else empty.
        weights: Its weight, and the intercept.
        score: Log posterior up to the constant that `Fitted.score` has, nats.
        gap: Nats by which the best rule is ahead of it.
    """

    law: str
    slots: tuple[int, ...]
    table: tuple[bool, ...]
    weights: Floats
    score: float
    gap: float = np.nan

    @property
    def text(self) -> str:
        """The law in words."""
        return SAID[self.law].format(*(names()[s] for s in self.slots))

    def predict(self, crowd: Crowd, bits: Floats) -> Floats:
        """Its value on scenes by their things and by what is true of them, [n]."""
        if self.law == "three":
            holds = np.array(self.table)[_cells(bits, self.slots)]
        else:
            places = np.searchsorted(columns(), self.slots)
            table = crowd.of(places).holding(self.law)
            holds = table[(slice(None), *range(len(places)))]
        value: Floats = holds * self.weights[0] + self.weights[1]
        return value


def rivals(best: Sequence[Fitted], state: State) -> list[Rival]:
    """The best laws beyond the grammar, the most probable first.

    A table of three phrases that says what one of the best hypotheses says is no such law. All are
    weighed without scenes that were made from others: of 20 neighbours of one misperceived scene a
    law can be made.
    """
    data = state.fair()
    found = _of_things(state, data)
    weights = probabilities(list(best), 4.0)
    counts = np.zeros(len(names()))
    for fitted, weight in zip(best, weights, strict=True):
        counts[list(fitted.hypothesis.slots)] += weight
    some = [int(n) for n in np.argsort(-counts, kind="stable")[:_PHRASES] if counts[n]]
    triples = {tuple(sorted(three)) for three in combinations(some, 3)}
    for pair in combinations(best[0].hypothesis.slots, 2):
        triples |= {tuple(sorted((*pair, n))) for n in _thirds(pair, data)}
    found += [_of_three(three, data) for three in sorted(triples)]
    bits = library().numbers
    said = [(fitted.predict(bits), _full(fitted.weights[:-1])) for fitted in best[:_LIKE]]
    rule = fit(best[0].hypothesis, data).score
    other: list[Rival] = []
    for rival in sorted(found, key=lambda r: (-r.score, r.slots)):
        value = rival.predict(_library(), bits)
        if all(np.abs(value - held).max() > SAME * full for held, full in said):
            other.append(replace(rival, gap=rule - rival.score))
        if len(other) == _KEPT:
            break
    return other


def _full(weights: Floats) -> float:
    """The highest weight."""
    return max(1e-9, float(np.abs(weights).max()))


def apart(rival: Rival, top: Fitted, state: State, count: int) -> list[Scene]:
    """Scenes of the library that tell a law from the best rule: new ones, with few things."""
    lib = library()
    said, other = rival.predict(_library(), lib.numbers), top.predict(lib.numbers)
    full = max(_full(rival.weights[:-1]), _full(top.weights[:-1]))
    differ = np.flatnonzero(np.abs(said - other) > _APART * full)
    few = sorted((state.times(lib.scenes[n]), len(lib.scenes[n].things), int(n)) for n in differ)
    high = [n for _, _, n in few if said[n] > other[n]]
    low = [n for _, _, n in few if said[n] < other[n]]
    mixed = [n for pair in zip(high, low, strict=False) for n in pair]
    chosen = [*mixed, *high[len(low) :], *low[len(high) :]][:count]
    return [lib.scenes[n] for n in chosen]


def duel(rival: Rival, top: Fitted, state: State, data: Data) -> float:
    """Nats by which a law does better than the best rule where the two were told apart.

    Only scenes count that were asked about for that: those which suggested the law may hold errors
    of perception that it was chosen to explain.
    """
    asked = np.flatnonzero([scene in state.duels for scene in state.scenes])
    if not len(asked):
        return 0.0
    part = data.of(asked)
    other = rival.predict(crowded([state.scenes[n] for n in asked]), part.bits)
    said = top.predict(part.bits)
    differ = np.abs(said - other) > _APART * max(_full(rival.weights[:-1]), _full(top.weights[:-1]))
    lost, gained = (loss(part.answers - value, part) for value in (said, other))
    return float((lost - gained)[differ].sum())


def lead(
    laws: Sequence[Rival], top: Fitted, state: State, data: Data
) -> tuple[float, Rival | None]:
    """Nats by which the best rule is ahead of laws beyond the grammar, and the law nearest to it.

    A law that all answers put ahead is judged by the scenes that were to tell it from the rule.
    """
    gaps = [(w.gap if w.gap > 0 else -duel(w, top, state, data), w) for w in laws]
    return min(gaps, key=lambda pair: pair[0], default=(np.inf, None))


def _of_things(state: State, data: Data) -> list[Rival]:
    """Laws of numbers and relations."""
    crowd = crowded(state.scenes)
    price = costs()[columns()]
    found = []
    for law in (*_NUMBERS, *_RELATIONS):
        on = crowd.holding(law).reshape(data.n, -1)
        said = price if law in _NUMBERS else price[:, None] + price[None, :]
        worth = _gain(on, data) - 2 * data.sigma**2 * said.ravel()
        for n in np.argsort(-worth, kind="stable")[:_TRIED]:
            place = np.unravel_index(int(n), said.shape)
            slots = tuple(int(columns()[p]) for p in place)
            found.append(_fitted(law, slots, (), on[:, n], data))
    return found


def _gain(on: Bits, data: Data) -> Floats:
    """How much of the sum of squares each feature explains, [features], where it raises."""
    sums = np.stack([data.worth, data.worth * data.centred]).astype(np.float32)
    held, summed = sums @ on.astype(np.float32)
    gain: Floats = np.square(np.maximum(summed, 0.0)) / room(held, float(data.worth.sum()))
    return gain


def _thirds(pair: tuple[int, int], data: Data) -> list[int]:
    """Phrases which, beside a pair, tell most about the answers."""
    y = data.centred
    cell = _cells(data.bits, pair)
    gain = np.zeros(data.bits.shape[1])
    for number in range(4):
        worth = data.worth * (cell == number)
        held, summed = worth @ data.bits, (worth * y) @ data.bits
        for count, total in ((held, summed), (worth.sum() - held, (worth * y).sum() - summed)):
            gain += np.where(count > 0, np.square(total) / np.maximum(count, 1e-9), 0.0)
    worth = gain - 2 * data.sigma**2 * costs()
    worth[list(pair)] = -np.inf
    return [int(n) for n in np.argsort(-worth, kind="stable")[:_THIRDS]]


def _of_three(slots: tuple[int, ...], data: Data) -> Rival:
    """The best table of three phrases: high where the mean answer is nearer to the highest."""
    cell = _cells(data.bits, slots)
    held = np.bincount(cell, data.worth, 8)
    middle = np.bincount(cell, data.worth * data.answers, 8) / np.maximum(held, 1e-9)
    known = held > 0
    edge = (middle[known].min() + middle[known].max()) / 2
    table = tuple(bool(v) for v in known & (middle > edge))
    return _fitted("three", slots, table, np.array(table)[cell], data)


def _fitted(
    law: str, slots: tuple[int, ...], table: tuple[bool, ...], holds: Bits, data: Data
) -> Rival:
    matrix = np.stack([holds.astype(np.float64), np.ones(data.n)], axis=1)
    weights, _, lost = weigh(matrix, data)
    said = (_TABLES if table else _COST) + costs()[list(slots)].sum()
    return Rival(law, slots, table, weights, float(-lost - said - np.log(data.n)))


def _cells(bits: Floats, slots: Sequence[int]) -> NDArray[np.int64]:
    """In which of the states of some phrases a scene is, [n]."""
    powers = 2 ** np.arange(len(slots))
    found: NDArray[np.int64] = (bits[:, list(slots)] @ powers).astype(np.int64)
    return found


@cache
def _library() -> Crowd:
    return crowded(library().scenes)
