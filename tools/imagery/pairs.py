"""Minimal pairs: a scene and the same scene with exactly one factor changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hubel.tools.imagery.changes import FACTORS, candidates
from hubel.tools.imagery.graph import Background, Scene, Text, Thing
from hubel.tools.imagery.render import parts, visible
from hubel.tools.imagery.truth import Phrase, counted, find, truth
from hubel.tools.spec import ToolError

Change = dict[str, Any]


def with_phrase(scene: Scene, phrase: str, rng: np.random.Generator) -> tuple[Scene, Change]:
    """Make a phrase true by the smallest change.

    A thing that lacks one factor gets it; if there is none, a thing is added.

    Returns:
        The new scene, and what changed: {"factor", "thing", "from", "to"}. The factor is one of
        `FACTORS`, ``thing`` (one was added or removed), ``background`` or ``text``.

    Raises:
        ToolError: The phrase is unknown or true already, or no single change makes it true.
    """
    return _smallest(scene, find(phrase), True, rng)


def without_phrase(scene: Scene, phrase: str, rng: np.random.Generator) -> tuple[Scene, Change]:
    """Make a phrase false by the smallest change; returns and raises as `with_phrase` does.

    One factor of the thing that makes it true is changed, colour before texture, size, position
    and shape; if that cannot be, the thing is removed.
    """
    return _smallest(scene, find(phrase), False, rng)


def differences(old: Scene, new: Scene) -> list[Change]:
    """Every factor in which two scenes differ, things matched by their order."""
    found: list[Change] = []
    if old.background != new.background:
        found.append(_change("background", None, old.background, new.background))
    if old.text != new.text:
        found.append(_change("text", None, old.text, new.text))
    if len(old.things) == len(new.things):
        for number, (before, after) in enumerate(zip(old.things, new.things, strict=True)):
            was, now = factors(before), factors(after)
            found += [_change(f, number, was[f], now[f]) for f in FACTORS if was[f] != now[f]]
        return found
    if len(new.things) > len(old.things):
        return found + [_change("thing", n, None, new.things[n]) for n in _extra(new, old)]
    return found + [_change("thing", n, old.things[n], None) for n in _extra(old, new)]


def _extra(more: Scene, fewer: Scene) -> list[int]:
    """The things of one scene that are not in the other, which has fewer, matched in order."""
    kept, extra = 0, []
    for number, thing in enumerate(more.things):
        if kept < len(fewer.things) and thing == fewer.things[kept]:
            kept += 1
        else:
            extra.append(number)
    return extra


def factors(thing: Thing) -> dict[str, Any]:
    """A thing's `FACTORS` and their values."""
    values = asdict(thing)
    values["position"] = [values.pop("x"), values.pop("y")]
    return values


def flaw(old: Scene, new: Scene, before: Image.Image, after: Image.Image) -> str | None:
    """Why two scenes are no minimal pair, or None if they are one.

    The graphs differ in one factor; the pictures differ, and only where the changed thing was or
    is; no other thing is hidden or laid open; and everything can be seen.

    Args:
        old: One scene.
        new: The other.
        before: The picture that is to show `old`, RGB.
        after: The picture that is to show `new`.
    """
    changes = differences(old, new)
    if len(changes) != 1:
        return f"{len(changes)} factors changed instead of one"
    if before.size != after.size:
        return "the pictures have different sizes"
    changed = np.any(np.asarray(before) != np.asarray(after), axis=2)
    if not changed.any():
        return "no pixel changed"
    if (changed & ~_affected(old, new, changes[0])).any():
        return "pixels outside of what was to change have changed"
    if _seen_beside(old, changes[0]["from"], changes[0]) != _seen_beside(
        new, changes[0]["to"], changes[0]
    ):
        return "another thing was hidden or laid open"
    if len(counted(new)) != len(new.things):
        return "a thing is for the most part out of sight"
    if any(t.colour in new.background.colours for t in new.things) and not any(
        t.colour in old.background.colours for t in old.things
    ):
        return "a thing has a colour of its background"
    return None


def _affected(old: Scene, new: Scene, change: Change) -> NDArray[np.bool_]:
    """The pixels that the changed part has, before or after: bool [size, size]."""
    before, after = parts(old), parts(new)
    if change["factor"] == "background":
        return before.background | after.background
    if change["factor"] == "text":
        return before.text | after.text
    number, nowhere = change["thing"], np.zeros_like(before.text)
    was = nowhere if change["from"] is None else before.things[number]
    now = nowhere if change["to"] is None else after.things[number]
    return was | now


def _seen_beside(scene: Scene, state: Any, change: Change) -> list[float]:
    """How much is seen of each thing but the changed one, which is here if it has a state."""
    shares = visible(scene)
    if change["thing"] is not None and state is not None:
        del shares[change["thing"]]
    return shares


def _change(factor: str, thing: int | None, old: Any, new: Any) -> Change:
    return {"factor": factor, "thing": thing, "from": _plain(old), "to": _plain(new)}


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Thing | Background | Text) else value


def _smallest(
    scene: Scene, phrase: Phrase, wanted: bool, rng: np.random.Generator
) -> tuple[Scene, Change]:
    if (phrase.phrase in truth(scene)) == wanted:
        state = "true" if wanted else "false"
        raise ToolError(f"'{phrase.phrase}' is {state} of this scene already.")
    for candidate in candidates(scene, phrase, wanted, rng):
        changes = differences(scene, candidate)
        if len(changes) == 1 and (phrase.phrase in truth(candidate)) == wanted:
            return candidate, changes[0]
    state = "true" if wanted else "false"
    raise ToolError(
        f"No single change makes '{phrase.phrase}' {state} of this scene: change it in several "
        "steps, or synthesize another."
    )
