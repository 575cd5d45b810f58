"""Regions of a picture that an edit is limited to: a box, or a thing of the scene it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
import pydantic
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from hubel.tools.imagery.operations import Instruction
from hubel.tools.imagery.render import masks
from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from hubel.tools.imagery.graph import Scene


def _ordered(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise PydanticCustomError(
            "box", "a box is left, top, right, bottom, with left < right and top < bottom"
        )
    return box


Share = Annotated[float, Field(ge=0, le=1)]
# Named types stand once in a JSON schema, however many edits have them.
Box = TypeAliasType(
    "Box",
    Annotated[
        tuple[Share, Share, Share, Share],
        AfterValidator(_ordered),
        Field(description="left, top, right, bottom, as shares of the picture's width and height"),
    ],
)
ThingNumber = TypeAliasType(
    "ThingNumber",
    Annotated[int, Field(ge=0, description="number of a thing of the scene, from 0")],
)


class Anywhere(Instruction):
    """Instruction that can be limited to a region; without one it means the whole picture."""

    box: Box | None = None
    thing: ThingNumber | None = None

    @pydantic.model_validator(mode="after")
    def _one_region(self) -> Anywhere:
        if self.box is not None and self.thing is not None:
            raise PydanticCustomError("region", "give 'box' or 'thing', not both")
        return self


class Somewhere(Anywhere):
    """Instruction that needs a region."""

    @pydantic.model_validator(mode="after")
    def _a_region(self) -> Somewhere:
        if self.box is None and self.thing is None:
            raise PydanticCustomError("region", "a region is needed: give 'box' or 'thing'")
        return self


def region(
    image: Image.Image, instruction: Anywhere, scene: Scene | None
) -> NDArray[np.uint8] | None:
    """The region of an instruction: 255 inside, 0 outside, [height, width]; None if it has none.

    Raises:
        ToolError: It is not in the picture.
    """
    if instruction.box is None and instruction.thing is None:
        return None
    inside = np.zeros((image.height, image.width), dtype=np.uint8)
    if instruction.box is not None:
        left, top, right, bottom = pixels(image, instruction.box)
        inside[top:bottom, left:right] = 255
        if not inside.any():
            raise ToolError("The box is smaller than a pixel: give a larger one.")
    elif scene is None:
        raise ToolError("Things are known only of pictures that show a scene: give 'box' instead.")
    elif instruction.thing is not None and instruction.thing < len(scene.things):
        inside[masks(scene)[instruction.thing]] = 255
    else:
        raise ToolError(no_thing(scene, instruction.thing))
    return inside


def pixels(image: Image.Image, box: Box) -> tuple[int, int, int, int]:
    """A box in pixels."""
    left, right = (round(share * image.width) for share in (box[0], box[2]))
    top, bottom = (round(share * image.height) for share in (box[1], box[3]))
    return left, top, right, bottom


def no_thing(scene: Scene, number: int | None) -> str:
    """What to say where a scene has no thing of that number."""
    count = len(scene.things)
    has = f"things numbered 0 to {count - 1}" if count else "no things"
    return f"There is no thing {number}: the scene has {has}."
