"""What the code of an explanation is given of a scene, and its execution in a cell.

``f(x)`` gets in `x` the set of phrases that are true of the scene, so that ``"red circle" in x``
says whether there is one. ``x.things`` has such a set for each thing of which at least half is to
be seen, each with its ``x`` and ``y`` (0 to 1, from the left and from the top) and its ``size``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache
from typing import Any

from hubel.evals.score import run
from hubel.sandbox.cells import CellSession
from hubel.tools.imagery.graph import Thing
from hubel.tools.imagery.scenes import Scene, phrases
from hubel.tools.imagery.truth import Facts, counted, facts, scene_facts

#: Attributes of things that phrases speak of together.
_GROUPS = (("shape", "colour", "texture"), ("size",), ("position",))

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
    own = [_held_by(thing) for thing in things]
    rest = [n for part, known in scene_facts(scene) for n in _held(part, known)]
    shown = [[t.x, t.y, t.size, held] for t, held in zip(things, own, strict=True)]
    return [sorted({*rest, *(n for held in own for n in held)}), shown]


def _held_by(thing: Thing) -> list[int]:
    """The phrases that are true of a thing."""
    known = facts(thing)
    groups = (tuple(f for f in known if f[0] in group) for group in _GROUPS)
    return [n for group in groups for n in _held("thing", group)]


@cache
def _held(part: str, known: Facts) -> list[int]:
    """The phrases about one part and these attributes, and no others, that hold for the values."""
    about = {attribute for attribute, _ in known}
    return [
        n
        for n, p in enumerate(phrases())
        if p.part == part and about.issuperset(a for a, _ in p.needs) and p.holds(known)
    ]


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
