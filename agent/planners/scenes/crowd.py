"""The single things of scenes as columns: their number, where they are, how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.scenes.words import Bits, Floats, random_scenes
from hubel.tools.imagery.graph import SIZES
from hubel.tools.imagery.scenes import Scene, phrases
from hubel.tools.imagery.truth import counted, facts, true_of

_SHARE = 0.02  # share of random scenes of phrases that are looked at


@dataclass(frozen=True)
class Crowd:
    """The things of scenes, as many places for each as any has.

    Attributes:
        held: Which phrases are true of each thing, [scenes, things, phrases].
        x: Centres, from the left, [scenes, things, 1].
        y: Centres, from the top, [scenes, things, 1].
        size: The number of the word for their size, from 1, [scenes, things, 1].
    """

    held: Bits
    x: Floats
    y: Floats
    size: Floats

    def of(self, places: NDArray[np.int64]) -> Crowd:
        """The same with fewer phrases."""
        return replace(self, held=self.held[:, :, places])

    def holding(self, law: str) -> Bits:
        """Of which phrases, or pairs of them, a law holds: [scenes, phrases (, phrases)]."""
        match law:
            case "twice" | "thrice" | "odd":
                count = self.held.sum(axis=1)
                some: Bits = {"twice": count >= 2, "thrice": count >= 3, "odd": count % 2 == 1}[law]
                return some
            case "left" | "above":
                at = self.x if law == "left" else self.y
                first = np.where(self.held, at, np.inf).min(axis=1)
                last = np.where(self.held, at, -np.inf).max(axis=1)
                before: Bits = first[:, :, None] < last[:, None, :]
                return before
            case "larger":
                largest = np.where(self.held, self.size, 0.0).max(axis=1)
                one, other = largest[:, :, None], largest[:, None, :]
                larger: Bits = (one > other) & (other > 0)
                return larger
            case _:
                whole = self.held.astype(np.float32)
                same: Bits = whole.transpose(0, 2, 1) @ whole > 0
                return same


def crowded(scenes: Sequence[Scene]) -> Crowd:
    """The things of scenes."""
    rows = [_things(scene) for scene in scenes]
    most = max([1, *(len(row[0]) for row in rows)])
    held = np.zeros((len(rows), most, len(columns())), dtype=bool)
    rest = np.zeros((3, len(rows), most, 1))
    for n, (true, at) in enumerate(rows):
        held[n, : len(true)] = true
        rest[:, n, : len(true), 0] = at
    return Crowd(held, *rest)


@lru_cache(maxsize=4096)
def _things(scene: Scene) -> tuple[Bits, Floats]:
    """Phrases of the things of a scene, [things, phrases]; x, y and size, [3, things]."""
    things = counted(scene)
    held = np.array([true_of("thing", facts(thing))[columns()] for thing in things], dtype=bool)
    middles = np.array([sum(ends) / 2 for ends in SIZES.values()])
    sizes = [np.abs(middles - thing.size).argmin() + 1.0 for thing in things]
    at = np.array([[t.x for t in things], [t.y for t in things], sizes])
    return held.reshape(-1, len(columns())), at


@cache
def columns() -> NDArray[np.int64]:
    """The columns of phrases about things that are common enough to be looked at."""
    thing = np.array([p.part == "thing" for p in phrases()])
    found: NDArray[np.int64] = np.flatnonzero(thing & (random_scenes()[1].mean(0) >= _SHARE))
    return found
