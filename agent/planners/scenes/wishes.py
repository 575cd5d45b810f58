"""Which phrases can be true together: what is asked for in vain costs time and gives no scene."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from hubel.agent.planners.scenes.library import library
from hubel.agent.planners.scenes.words import Floats, names
from hubel.tools.imagery.scenes import Scene, phrases, scene_having
from hubel.tools.spec import ToolError

#: Scenes on which two phrases would be expected together by chance before their absence counts.
_EXPECTED = 4.0
#: Phrases about the background that are asked for at once: more than two seldom go together.
_GROUNDS = 2
_PAIRS = 5  # pairs of narrower phrases that are tried


@cache
def together() -> Floats:
    """For how many scenes of the library two phrases are true, [phrases, phrases]."""
    bits = library().numbers
    found: Floats = bits.T @ bits
    return found


@cache
def backgrounds() -> frozenset[int]:
    """The columns of phrases about the background."""
    return frozenset(n for n, p in enumerate(phrases()) if p.part == "background")


def fit_together(having: Sequence[int], lacking: Sequence[int]) -> bool:
    """Whether nothing in the library speaks against a scene with these and without those."""
    both, total = together(), len(library().scenes)
    if sum(n in backgrounds() for n in having) > _GROUNDS:
        return False
    for place, one in enumerate(having):
        for other in having[:place]:
            expected = both[one, one] * both[other, other] / total
            if both[one, other] == 0 and expected > _EXPECTED:
                return False
        for other in lacking:
            if both[one, one] >= _EXPECTED and both[one, other] == both[one, one]:
                return False
    return True


def wished(rng: np.random.Generator, having: Sequence[int], lacking: Sequence[int]) -> Scene | None:
    """A scene with some phrases and without others; None if there seems to be none."""
    if not fit_together(having, lacking):
        return None
    try:
        return scene_having(rng, [names()[n] for n in having], [names()[n] for n in lacking])
    except ToolError:
        return None


def doubled(rng: np.random.Generator, having: Sequence[int]) -> list[int]:
    """Two narrower phrases which make one of some phrases true twice: does the number count?

    Empty where none of them has two such phrases.
    """
    both = together()
    some = [n for n in having if phrases()[n].part == "thing"]
    for one in rng.permutation(some):
        within = (both[one] == np.diag(both)) & (np.diag(both) >= _EXPECTED)
        within[[*having]] = False
        narrower = [n for n in np.flatnonzero(within) if phrases()[n].part == "thing"]
        for _ in range(_PAIRS if len(narrower) > 1 else 0):
            first, second = rng.choice(narrower, 2, False)
            if both[first, second] < min(both[first, first], both[second, second]):
                return [int(first), int(second)]
    return []
