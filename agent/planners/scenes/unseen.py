"""What else may drive a unit, as the answers leave it open: one phrase more, or two together.

Under noise a part that is weak, or was seldom seen, shows in sums alone. Each phrase, and each pair
of phrases that occur together, is held against what the best rule leaves where it is off, with the
weight that it would have; what it costs to say is its prior. The sum of these odds is how far the
best rule is from being all; the next scenes are those which show most of them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.scenes.fit import Data, Fitted, Short, loss
from hubel.agent.planners.scenes.grammar import BASES
from hubel.agent.planners.scenes.library import library
from hubel.agent.planners.scenes.state import State
from hubel.agent.planners.scenes.words import Floats, costs, random_scenes, usable
from hubel.tools.imagery.scenes import Scene

#: Weights that a part may have, in units of the highest of the rule; those of pairs have the first.
_WEIGHTS = (1.0, 0.6, 0.3)
#: Share of random scenes from which phrases are looked at in pairs, and pairs of them; and the most
#: of either phrase's scenes on which the other holds too: else one of the two says as much.
_PAIRED, _JOINT, _IMPLIED = 0.005, 0.002, 0.7
_LARGEST = 20.0  # nats
#: Nats that one scene tells for a part at most, however often it is asked about: perception errs on
#: about three scenes in a thousand.
_ERRED = 5.8


class Unseen:
    """The odds of further parts against none, given the answers.

    Args:
        best: The best rule.
        data: All answers.
    """

    def __init__(self, best: Fitted, data: Data) -> None:
        self._best = best
        self._full = float(np.abs(best.weights[:-1]).max())
        self._edge = float(best.weights[-1]) + 0.5 * self._full
        said = best.predict(data.bits)
        left, off = data.answers - said, said < self._edge
        lost = loss(left, data)
        _, first, place = np.unique(data.kinds, return_index=True, return_inverse=True)
        told = []
        for weight in _WEIGHTS:
            nats = off * (lost - loss(left - weight * self._full, data))
            told.append(np.minimum(np.bincount(place, nats), _ERRED))
        prior = np.zeros(len(costs()))
        prior[usable()] = np.exp(-costs()[usable()] - BASES["or"].cost) / len(_WEIGHTS)
        prior[list(best.hypothesis.slots)] = 0.0
        self._one = [prior * _ratios(nats @ data.bits[first]) for nats in told]
        columns, pairs = _pairs()
        bits: Short = data.short[np.ix_(first, columns)]
        both = bits.T @ (told[0].astype(np.float32)[:, None] * bits)
        self._two: Short = (pairs * _ratios(both)).astype(np.float32)
        self._noise = data.sigma / self._full

    @property
    def odds(self) -> float:
        """Of there being a further part, against none."""
        return float(sum(one.sum() for one in self._one) + self._two.sum())

    def scenes(self, count: int, state: State) -> list[Scene]:
        """Scenes of the library that show most of what may drive it besides, one after another.

        Those that were asked about already are worth less: one that is misperceived would else
        make a part again and again.
        """
        lib, (columns, _) = library(), _pairs()
        free = np.flatnonzero(self._best.predict(lib.numbers) < self._edge)
        bits = lib.numbers[free].astype(np.float32)
        some = bits[:, columns]
        one, two = [o.astype(np.float32) for o in self._one], self._two.copy()
        left = [float(np.exp(-((w / self._noise) ** 2) / 2)) for w in _WEIGHTS]
        tired = np.array([1.0 + state.times(lib.scenes[n]) for n in free], dtype=np.float32)
        pairs = ((some @ two) * some).sum(axis=1)
        chosen: list[Scene] = []
        for _ in range(count if len(free) else 0):
            worth = (1 - left[0]) * pairs
            for odds, kept in zip(one, left, strict=True):
                worth += (1 - kept) * (bits @ odds)
            n = int(np.argmax(worth / tired))
            tired[n] += 1
            chosen.append(lib.scenes[int(free[n])])
            for odds, kept in zip(one, left, strict=True):
                odds *= np.where(bits[n] > 0, kept, 1.0)
            on = np.flatnonzero(some[n])
            shown = (1 - left[0]) * two[np.ix_(on, on)]
            pairs -= ((some[:, on] @ shown) * some[:, on]).sum(axis=1)
            two[np.ix_(on, on)] -= shown
        return chosen


def _ratios(nats: Floats | Short) -> Floats:
    """Likelihood ratios of nats."""
    ratios: Floats = np.exp(np.minimum(nats, _LARGEST))
    return ratios


@cache
def _pairs() -> tuple[NDArray[np.int64], Short]:
    """Columns that are looked at in pairs, and the prior odds of each pair, [columns, columns]."""
    bits = random_scenes()[1].astype(np.float64)
    share = bits.mean(axis=0)
    columns = np.flatnonzero(share >= _PAIRED)
    own = share[columns]
    joint = bits[:, columns].T @ bits[:, columns] / len(bits)
    implied = joint >= _IMPLIED * np.minimum(own[:, None], own[None, :])
    joint[implied | (joint < _JOINT) | np.tri(len(columns), dtype=bool)] = 0.0
    prior = np.sqrt(joint)
    odds: Short = (np.exp(-BASES["and or"].cost) * prior / prior.sum()).astype(np.float32)
    return columns, odds
