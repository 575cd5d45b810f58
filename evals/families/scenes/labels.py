"""What the perception network is taught: scenes as tables of numbers, and the names of its outputs.

Only training and the evaluator read names; the network and what is wired to it know numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hubel.tools.imagery import pictographs
from hubel.tools.imagery.graph import COLOURS, GROUNDS, SHAPES, SIZES, TEXTURES, Scene, size_word

#: Most things of a scene that are taught.
MOST = 6
#: Where a text stands, from top to bottom.
TEXT_AT = ("top", "centre", "bottom")
#: Columns of a thing's table.
X, Y, SHAPE, COLOUR, TEXTURE, SIZE = range(6)


@dataclass(frozen=True, slots=True)
class Labels:
    """A scene as numbers.

    Attributes:
        things: One row each, columns as named above; rows without a thing are -1: [MOST, 6].
            Coordinates are shares of the picture; a pictograph's colour and texture are the last
            class (none); a size without a word is -1.
        background: Kind, first colour, second colour or -1: [3].
        text: Colour and place, or -1 for both: [2].
    """

    things: NDArray[np.float32]
    background: NDArray[np.int16]
    text: NDArray[np.int16]


@cache
def shapes() -> tuple[str, ...]:
    """Every shape that a thing can have: geometric ones, then pictographs."""
    return (*SHAPES, *pictographs.vocabulary())


def classes() -> dict[str, int]:
    """Number of classes of each of the network's groups of outputs, in their order."""
    return {
        "shape": len(shapes()),
        "colour": len(COLOURS) + 1,
        "texture": len(TEXTURES) + 1,
        "size": len(SIZES),
        "ink": len(COLOURS),
        "kind": len(GROUNDS),
        "ground": len(COLOURS),
    }


def labels(scene: Scene) -> Labels:
    """The numbers of a scene whose things are all in sight."""
    things = np.full((MOST, 6), -1, dtype=np.float32)
    for row, thing in zip(things, scene.things, strict=False):
        word = size_word(thing.size)
        row[:] = (
            thing.x,
            thing.y,
            _shape_numbers()[thing.shape],
            len(COLOURS) if thing.colour is None else COLOURS.index(thing.colour),
            len(TEXTURES) if thing.texture is None else TEXTURES.index(thing.texture),
            -1 if word is None else [*SIZES].index(word),
        )
    ground, text = scene.background, scene.text
    second = -1 if ground.second is None else COLOURS.index(ground.second)
    background = (GROUNDS.index(ground.kind), COLOURS.index(ground.colour), second)
    written = (
        (-1, -1) if text is None else (COLOURS.index(text.colour), TEXT_AT.index(text.position))
    )
    return Labels(things, np.array(background, dtype=np.int16), np.array(written, dtype=np.int16))


@cache
def _shape_numbers() -> dict[str, int]:
    return {name: number for number, name in enumerate(shapes())}
