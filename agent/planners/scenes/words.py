"""The public vocabulary of scenes as columns: what can be drawn, and how common it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hubel.tools.imagery.scenes import Scene, phrases, random_scene
from hubel.tools.imagery.truth import counted, facts, scene_facts, true_of

Bits = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: Random scenes that shares are counted on, and their seed.
_COUNTED, _SEED = 1200, 20_240
#: A phrase is at least this common, whatever was counted.
_LEAST = 0.002
#: Share of scenes from which phrases are looked at in pairs.
_PAIRED = 0.005


@cache
def names() -> tuple[str, ...]:
    """The phrase of each column."""
    return tuple(p.phrase for p in phrases())


def encode(scenes: Iterable[Scene]) -> Bits:
    """Which phrases are true of scenes, [scenes, phrases]."""
    rows = []
    for scene in scenes:
        row = np.zeros(len(names()), dtype=bool)
        for thing in counted(scene):
            row |= true_of("thing", facts(thing))
        for part, known in scene_facts(scene):
            row |= true_of(part, known)
        rows.append(row)
    return np.array(rows, dtype=bool).reshape(-1, len(names()))


@cache
def random_scenes() -> tuple[tuple[Scene, ...], Bits]:
    """A fixed sample of random scenes, and what is true of them, [scenes, phrases]."""
    scenes = tuple(random_scene(np.random.default_rng([_SEED, n])) for n in range(_COUNTED))
    return scenes, encode(scenes)


@cache
def costs() -> Floats:
    """What it costs to speak of each phrase, in nats, [phrases]: more, the rarer it is.

    A prior in proportion to the root of how often a phrase is true: a unit that responds to what
    is never there is less likely than one that responds to what is common.
    """
    shares = np.maximum(random_scenes()[1].mean(axis=0), _LEAST)
    prior = np.sqrt(shares)
    cost: Floats = -np.log(prior / prior.sum())
    return cost


@cache
def usable() -> NDArray[np.int64]:
    """The columns of phrases that are common enough to be looked at in pairs."""
    found: NDArray[np.int64] = np.flatnonzero(random_scenes()[1].mean(axis=0) >= _PAIRED)
    return found
