"""Scenes that are at hand: crowded ones that cover the vocabulary evenly, and random ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.scenes.words import Bits, Floats, encode, names, random_scenes
from hubel.tools.imagery.graph import COLOURS
from hubel.tools.imagery.scenes import Scene, phrases, scene_having
from hubel.tools.spec import ToolError

#: Scenes that cover the vocabulary, the seed that they are drawn with.
COVERING, _SEED = 260, 77
#: Every so many scenes one has few things: what is said of small numbers is seen there alone.
_FEW_EVERY = 4
_ASKED = 5  # phrases of things that a crowded scene is made for
_TRIES = 8
_GROUNDS = (
    [f"{colour} background" for colour in COLOURS],
    [p.phrase for p in phrases() if p.part == "background" and p.needs[0][0] == "kind"],
)
#: Least share of random scenes of a phrase, and of a pair of phrases, that are to be covered.
_SHARE, _PAIR = 0.005, 0.0015
_ORDERED = 300  # scenes that are put in order
#: Places of the order for scenes without a thing, the first of them the one of which least is true:
#: they show the fewest pairs, and would come last.
_BARE, _EMPTY = 8, range(9, 12)


@dataclass(frozen=True)
class Library:
    """Scenes and what is true of them.

    Attributes:
        scenes: Covering ones, then random ones.
        bits: [scenes, phrases].
        numbers: The same as 0 and 1, for products, [scenes, phrases].
        order: The scenes that together show most pairs of phrases soonest.
    """

    scenes: tuple[Scene, ...]
    bits: Bits
    numbers: Floats
    order: tuple[int, ...]


@cache
def library() -> Library:
    """The library, the same in every process."""
    rng = np.random.default_rng(_SEED)
    random, random_bits = random_scenes()
    often = random_bits.mean(axis=0)
    # The phrases that nothing else would show often enough: compounds, and what is rare.
    compound = np.array(["+" in p.factor for p in phrases()])
    single = np.array([p.factor == "shape" for p in phrases()]) & (often > _SHARE)
    wanted = np.flatnonzero(compound | single)
    seen = np.zeros(len(names()))
    scenes: list[Scene] = []
    rows = []
    for number in range(COVERING):
        few = number % _FEW_EVERY == _FEW_EVERY - 1
        scene = _covering(rng, wanted, seen, 1 if few else _ASKED)
        bits = encode([scene])[0]
        seen += bits
        scenes.append(scene)
        rows.append(bits)
    every = np.concatenate([np.array(rows), random_bits])
    numbers = every.astype(np.float64)
    return Library((*scenes, *random), every, numbers, _ordered(every, random_bits))


def _covering(
    rng: np.random.Generator, wanted: NDArray[np.int64], seen: NDArray[np.float64], count: int
) -> Scene:
    """A scene with those phrases that were seen least."""
    for attempt in range(_TRIES):
        order = wanted[np.argsort(seen[wanted] + rng.random(len(wanted)))]
        near = order[: 3 * count]
        asked = [names()[n] for n in rng.choice(near, max(1, count - attempt // 2), replace=False)]
        if rng.random() < 0.5:
            asked += [str(rng.choice(_GROUNDS[0])), str(rng.choice(_GROUNDS[1]))]
        if count == 1:
            asked.append(str(rng.choice(["one object", "two objects"])))
        try:
            return scene_having(rng, asked)
        except ToolError:
            continue
    return scene_having(rng)


def _ordered(bits: Bits, random: Bits) -> tuple[int, ...]:
    """Scenes, chosen one by one for the pairs of phrases that were seen least before."""
    joint = random.T.astype(np.float32) @ random / len(random)
    usable = np.flatnonzero(np.diag(joint) >= _SHARE)
    worth = (joint[np.ix_(usable, usable)] >= _PAIR).astype(np.float32)
    near = bits[: 2 * COVERING, usable].astype(np.float32)
    times = np.zeros_like(worth)
    chosen: list[int] = []
    empty = bits[: 2 * COVERING, names().index("no object")]
    for place in range(_ORDERED):
        value = ((near @ (worth / np.square(1 + times))) * near).sum(axis=1)
        value[chosen] = -1
        if place == _BARE:
            value = -near.sum(axis=1)
        elif place in _EMPTY:
            value[~empty] = -1
        best = int(np.argmax(value))
        chosen.append(best)
        times += np.outer(near[best], near[best])
    return tuple(chosen)
