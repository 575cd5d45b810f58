"""The public vocabulary of scenes as columns: what can be drawn, and how common it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from hubel.tools.imagery.scenes import Scene, phrases, random_scene
from hubel.tools.imagery.truth import Facts, Part, counted, facts, scene_facts

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
            row |= said_of("thing", facts(thing))
        for part, known in scene_facts(scene):
            row |= said_of(part, known)
        rows.append(row)
    return np.array(rows, dtype=bool).reshape(-1, len(names()))


def said_of(part: Part, known: Facts) -> Bits:
    """Which phrases are true of one part of a scene, [phrases]."""
    row = _about(part)
    for attribute, values in known:
        row = row & _allowed(attribute, values)
    return row


@cache
def _about(part: Part) -> Bits:
    """Which phrases speak of a part, [phrases]."""
    return np.array([p.part == part for p in phrases()])


@lru_cache(maxsize=4096)
def _allowed(attribute: str, values: frozenset[str]) -> Bits:
    """Which phrases need no other value of an attribute, [phrases]."""
    return np.array([all(a != attribute or values & v for a, v in p.needs) for p in phrases()])


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
