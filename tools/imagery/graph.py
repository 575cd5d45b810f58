"""The scene graph: what a drawn picture holds, as data that are checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import Field
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from hubel.tools.imagery import pictographs
from hubel.tools.imagery.drawing import OUTLINES
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

Colour = Literal[
    "red",
    "orange",
    "yellow",
    "green",
    "cyan",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "grey",
    "white",
]
Texture = Literal[
    "plain",
    "horizontal stripes",
    "vertical stripes",
    "diagonal stripes",
    "dots",
    "checker",
    "rings",
]
Ground = Literal[
    "plain",
    "gradient",
    "horizontal stripes",
    "vertical stripes",
    "diagonal stripes",
    "dots",
    "checker",
    "noise",
]
Position = Literal["top", "centre", "bottom"]

RGB: Mapping[str, tuple[int, int, int]] = {
    "red": (217, 38, 44),
    "orange": (245, 130, 30),
    "yellow": (250, 212, 40),
    "green": (45, 155, 70),
    "cyan": (70, 205, 222),
    "blue": (42, 85, 200),
    "purple": (125, 62, 170),
    "pink": (245, 145, 188),
    "brown": (122, 74, 40),
    "black": (24, 24, 26),
    "grey": (140, 140, 140),
    "white": (250, 250, 250),
}
COLOURS: tuple[Colour, ...] = get_args(Colour)
TEXTURES: tuple[Texture, ...] = get_args(Texture)
GROUNDS: tuple[Ground, ...] = get_args(Ground)
ONE_COLOUR = ("plain", "noise")
SHAPES = tuple(OUTLINES)

#: Ranges that have a word, of sizes and of coordinates. Between them nothing is said.
SIZES = {"small": (0.14, 0.2), "medium": (0.26, 0.34), "large": (0.42, 0.54)}
THIRDS = {"low": (0.0, 0.38), "middle": (0.45, 0.55), "high": (0.62, 1.0)}

_strict = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, config=_strict)
class Thing:
    """One object.

    Attributes:
        shape: A geometric shape or the name of a pictograph.
        x: Centre, as a share of the picture's width, from the left.
        y: Centre, as a share of its height, from the top.
        size: Diameter of the circle around the shape, as a share of the picture's side.
        colour: Of geometric shapes; None for a pictograph, which has its own.
        texture: Of geometric shapes; None for a pictograph.
        rotation: Degrees, clockwise. Textures do not turn with the shape.
    """

    shape: str
    x: Share
    y: Share
    size: Annotated[float, Field(ge=0.04, le=1)]
    colour: Colour | None = None
    texture: Texture | None = None
    rotation: Annotated[float, Field(ge=-360, le=360)] = 0.0

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Thing:
        if self.shape in SHAPES:
            if self.colour is None or self.texture is None:
                raise _wrong(f"a {self.shape} needs a colour and a texture")
        elif self.shape in pictographs.vocabulary():
            if self.colour is not None or self.texture is not None:
                raise _wrong(
                    f"the pictograph '{self.shape}' has its own colours: leave out colour and "
                    "texture"
                )
        else:
            known = (*SHAPES, *pictographs.vocabulary())
            near = nearest(self.shape, known).rstrip("?.")
            raise _wrong(f"there is no shape '{self.shape}'. {near}{_lack()}")
        return self


@dataclass(frozen=True, config=_strict)
class Background:
    """What lies behind the objects.

    Attributes:
        kind: Its pattern.
        colour: First colour; of a gradient, the upper end.
        second: Second colour; None for the kinds of one colour, plain and noise.
    """

    kind: Ground
    colour: Colour
    second: Colour | None = None

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Background:
        if self.kind in ONE_COLOUR and self.second is not None:
            raise _wrong(f"a {self.kind} background has one colour: leave out 'second'")
        if self.kind not in ONE_COLOUR and self.second in (None, self.colour):
            raise _wrong(f"a background of kind '{self.kind}' needs two different colours")
        return self

    @property
    def colours(self) -> frozenset[Colour]:
        """Its one or two colours."""
        second: tuple[Colour, ...] = () if self.second is None else (self.second,)
        return frozenset((self.colour, *second))


@dataclass(frozen=True, config=_strict)
class Text:
    """A written word, in front of everything."""

    word: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,9}$")]
    colour: Colour
    position: Position


@dataclass(frozen=True, config=_strict)
class Scene:
    """A picture as data. Later things are drawn over earlier ones.

    Attributes:
        size: Side of the picture in pixels.
        seed: Of the grain of a noise background.
    """

    background: Background
    things: Annotated[tuple[Thing, ...], Field(max_length=12)] = ()
    text: Text | None = None
    size: Annotated[int, Field(ge=32, le=1024)] = 224
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back."""
        json: dict[str, Any] = _adapter.dump_python(self, mode="json")
        return json

    @classmethod
    def from_json(cls, json: Any) -> Scene:
        """Read a scene.

        Raises:
            ToolError: It is not one; the message says where.
        """
        try:
            return _adapter.validate_python(json)
        except pydantic.ValidationError as error:
            raise ToolError(f"This is not a scene: {explain(error)}.") from None


_adapter = pydantic.TypeAdapter(Scene)


def explain(error: pydantic.ValidationError) -> str:
    """The first thing that is wrong, with its place."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"'{where}': {first['msg']}" if where else first["msg"]


def third(coordinate: float) -> str | None:
    """The word of a coordinate."""
    return _word(coordinate, THIRDS)


def size_word(size: float) -> str | None:
    """The word of a size."""
    return _word(size, SIZES)


def _word(value: float, words: Mapping[str, tuple[float, float]]) -> str | None:
    return next((word for word, (low, high) in words.items() if low <= value <= high), None)


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("scene", "{message}", {"message": message})


def _lack() -> str:
    if pictographs.installed():
        return ""
    return ". Pictographs need pip install 'hubel[demo]'"
