"""Edits of a scene by its graph, one factor each.

Adding one is adding one function to the table: see `STEPS`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import pydantic
from pydantic import Field

from hubel.tools.imagery import pictographs
from hubel.tools.imagery.changes import moved, removed, replaced
from hubel.tools.imagery.graph import SHAPES, SIZES, Background, Scene, Text, Thing, explain
from hubel.tools.imagery.operations import Instruction, Operations
from hubel.tools.imagery.pairs import with_phrase, without_phrase
from hubel.tools.imagery.regions import ThingNumber, no_thing
from hubel.tools.imagery.truth import places
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

STEPS = Operations(given=("scene", "rng"))

_Pair = tuple[float, float]


def step(scene: Scene, instruction: Instruction, rng: np.random.Generator) -> Scene:
    """Carry out an instruction of `STEPS`.

    Raises:
        ToolError: It cannot be done to this scene.
    """
    try:
        changed: Scene = STEPS.call(instruction, scene=scene, rng=rng)
    except pydantic.ValidationError as error:
        raise ToolError(f"{instruction.op}: {explain(error)}.") from None
    return changed


@STEPS.add
def with_(scene: Scene, phrase: str, rng: np.random.Generator) -> Scene:
    """Make a phrase true by the smallest change."""
    return with_phrase(scene, phrase, rng)[0]


@STEPS.add
def without(scene: Scene, phrase: str, rng: np.random.Generator) -> Scene:
    """Make a phrase false by the smallest change."""
    return without_phrase(scene, phrase, rng)[0]


@STEPS.add
def set_(
    scene: Scene,
    thing: ThingNumber,
    factor: Literal["shape", "colour", "texture", "size", "position", "rotation"],
    value: Annotated[
        str | float | _Pair,
        Field(description="a word; or a number (size, rotation), or [x, y] (position)"),
    ],
) -> Scene:
    """Give one thing another shape, colour, texture, size, position or rotation."""
    old = _thing(scene, thing)
    if factor == "position":
        return _moved(scene, thing, value)
    kinds = (SHAPES, pictographs.vocabulary())
    if factor == "shape" and any(value in k and old.shape not in k for k in kinds):
        raise ToolError(
            "A geometric shape can only become another one, and a pictograph another pictograph: "
            "otherwise colour and texture would change too; use remove and add."
        )
    if factor in ("colour", "texture") and old.colour is None:
        raise ToolError(f"Thing {thing} is a pictograph, which has no {factor} to set.")
    if factor == "size" and isinstance(value, str):
        low, high = SIZES[_known("size", value, SIZES)]
        value = round((low + high) / 2, 3)
    return replaced(scene, thing, replace(old, **{factor: value}))  # type: ignore[arg-type]


@STEPS.add
def remove(scene: Scene, thing: ThingNumber) -> Scene:
    """Take one thing away."""
    _thing(scene, thing)
    return removed(scene, thing)


@STEPS.add
def add(scene: Scene, thing: Thing) -> Scene:
    """Put one more thing in front."""
    return replace(scene, things=(*scene.things, thing))


@STEPS.add
def set_background(scene: Scene, background: Background) -> Scene:
    """Give the scene another background."""
    return replace(scene, background=background)


@STEPS.add
def set_text(scene: Scene, text: Text | None) -> Scene:
    """Give the scene another text, or none."""
    return replace(scene, text=text)


def _moved(scene: Scene, number: int, value: str | float | _Pair) -> Scene:
    if isinstance(value, tuple):
        x, y = value
        return replaced(scene, number, replace(scene.things[number], x=x, y=y))
    if not isinstance(value, str):
        raise ToolError("A position is a word (left, right, top, bottom, centre) or [x, y].")
    near = moved(scene, number, places()[_known("position", value, places())])
    if near is None:
        raise ToolError(f"There is no room for thing {number} at '{value}'.")
    return near


def _thing(scene: Scene, number: int) -> Thing:
    if number >= len(scene.things):
        raise ToolError(no_thing(scene, number))
    return scene.things[number]


def _known(factor: str, word: str, words: Collection[str]) -> str:
    if word not in words:
        raise ToolError(f"There is no {factor} '{word}'. {nearest(word, words)}")
    return word
