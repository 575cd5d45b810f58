"""What the code of an explanation is given of a scene, and its execution in a cell.

``f(x)`` gets in `x` the set of phrases that are true of the scene, so that ``"red circle" in x``
says whether there is one. ``x.things`` has such a set for each thing of which at least half is to
be seen, each with its ``x`` and ``y`` (0 to 1, from the left and from the top) and its ``size``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from hubel.evals.score import run
from hubel.sandbox.cells import CellSession
from hubel.tools.imagery.scenes import Scene, phrases
from hubel.tools.imagery.truth import Facts, Part, counted, facts, scene_facts, true_of

_SPACE = """
class Thing(frozenset):
    pass
class Seen(frozenset):
    pass
def _seen(given):
    on, things = given
    seen = Seen(phrases[n] for n in on)
    seen.things = []
    for x, y, size, own in things:
        thing = Thing(phrases[n] for n in own)
        thing.x, thing.y, thing.size = x, y, size
        seen.things.append(thing)
    return seen
inputs = [_seen(given) for given in inputs]
space = {}
"""


def described(scene: Scene) -> list[Any]:
    """A scene as a cell gets it: numbers of its phrases, and of those of each thing."""
    things = counted(scene)
    own = [_held("thing", facts(thing)) for thing in things]
    rest = [n for part, known in scene_facts(scene) for n in _held(part, known)]
    shown = [[t.x, t.y, t.size, held] for t, held in zip(things, own, strict=True)]
    return [sorted({*rest, *(n for held in own for n in held)}), shown]


def _held(part: Part, known: Facts) -> list[int]:
    """Numbers of the phrases that are true of a part."""
    held: list[int] = np.flatnonzero(true_of(part, known)).tolist()
    return held


def said_of(
    cells: CellSession, code: str | None, shown: Sequence[list[Any]], made: Sequence[bool] = ()
) -> tuple[list[Any], str]:
    """What code says of scenes, and why it could not be run if it could not.

    Args:
        cells: Where it runs.
        code: Defines ``f``.
        shown: Scenes, as `described` gives them.
        made: Which of them were made for the rule; none by default.
    """
    words = [p.phrase for p in phrases()]
    return run(cells, code, list(shown), made, _SPACE, lambda _: {"phrases": words})


def phrases_in(code: str | None) -> set[str]:
    """The phrases that stand in code as texts; of what cannot be read, none."""
    try:
        tree = ast.parse(code or "")
    except (SyntaxError, ValueError):
        return set()
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    return {p.phrase for p in phrases()} & texts
