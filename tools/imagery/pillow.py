"""Edits of any picture, of all of it or of a region.

Adding one is adding one function to the table: see `EDITS`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from pydantic import Field

from hubel.tools.imagery.graph import RGB, Colour
from hubel.tools.imagery.operations import Instruction, Operations
from hubel.tools.imagery.regions import Anywhere, Box, Somewhere, pixels, region
from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hubel.tools.imagery.graph import Scene

EDITS = Operations(given=("image",))
_F = TypeVar("_F", bound=Callable[..., Image.Image])
_FILL = (127, 127, 127)  # where nothing is left
_LEAST = 8  # pixels per side of a crop


def apply(image: Image.Image, instruction: Instruction, scene: Scene | None = None) -> Image.Image:
    """Carry out an instruction of `EDITS`.

    Args:
        image: RGB.
        instruction: An instance of one of ``EDITS.models``.
        scene: What the picture shows, where that is known: regions can then be things.

    Raises:
        ToolError: The region is not in the picture, or a crop would be too small.
    """
    edited: Image.Image = EDITS.call(instruction, image=image)
    inside = region(image, instruction, scene) if isinstance(instruction, Anywhere) else None
    if inside is None:
        return edited
    if instruction.op == background.__name__:
        inside = 255 - inside
    return Image.composite(edited, image, Image.fromarray(inside))


def measure(before: Image.Image, after: Image.Image) -> dict[str, Any]:
    """How much an edit changed.

    Returns:
        ``pixels``, the share of pixels that differ, and ``mean``, the mean absolute difference of
        the channel values as a share of their range; both None where the sizes differ. ``size``
        is the new width and height in pixels.
    """
    size = [after.width, after.height]
    if before.size != after.size:
        return {"pixels": None, "mean": None, "size": size}
    old, new = (np.asarray(i.convert("RGB"), dtype=np.int16) for i in (before, after))
    apart = np.abs(new - old)
    pixels, mean = float(apart.any(axis=2).mean()), float(apart.mean() / 255)
    return {"pixels": pixels, "mean": mean, "size": size}


def _anywhere(function: _F) -> _F:
    return EDITS.add(function, Anywhere)


def _somewhere(function: _F) -> _F:
    return EDITS.add(function, Somewhere)


@_anywhere
def hue(image: Image.Image, degrees: Annotated[float, Field(ge=-360, le=360)]) -> Image.Image:
    """Turn the hue of every pixel; lightness (of HSV) and saturation stay."""
    rgb = np.asarray(image, dtype=np.float64)
    value = rgb.max(axis=2)
    chroma = value - rgb.min(axis=2)
    red, green, blue = np.moveaxis(rgb, 2, 0)
    sector = np.select(
        [value == red, value == green],
        [green - blue, blue - red + 2 * chroma],
        red - green + 4 * chroma,
    ) / np.maximum(chroma, 1)
    turned = sector + degrees / 60

    def channel(start: int) -> NDArray[np.float64]:
        k = (start + turned) % 6
        mixed: NDArray[np.float64] = value - chroma * np.clip(np.minimum(k, 4 - k), 0, 1)
        return mixed

    out = np.stack([channel(5), channel(3), channel(1)], axis=2)
    return Image.fromarray(out.round().astype(np.uint8))


@_anywhere
def saturation(image: Image.Image, factor: Annotated[float, Field(ge=0, le=4)]) -> Image.Image:
    """Multiply the distance of every pixel from grey; 0 gives greys, 1 changes nothing."""
    return ImageEnhance.Color(image).enhance(factor)


@_anywhere
def brightness(image: Image.Image, factor: Annotated[float, Field(ge=0, le=4)]) -> Image.Image:
    """Multiply every channel; 0 gives black, 1 changes nothing."""
    return ImageEnhance.Brightness(image).enhance(factor)


@_anywhere
def contrast(image: Image.Image, factor: Annotated[float, Field(ge=0, le=4)]) -> Image.Image:
    """Multiply the distance from the picture's mean grey; 0 gives grey, 1 changes nothing."""
    return ImageEnhance.Contrast(image).enhance(factor)


@_anywhere
def blur(image: Image.Image, radius: Annotated[float, Field(ge=0, le=50)]) -> Image.Image:
    """Gaussian blur; the radius is its standard deviation in pixels."""
    return image.filter(ImageFilter.GaussianBlur(radius))


@_anywhere
def noise(
    image: Image.Image,
    sd: Annotated[float, Field(ge=0, le=128)],
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0,
) -> Image.Image:
    """Add Gaussian noise to every channel; `sd` is in grey levels of 255."""
    rgb = np.asarray(image, dtype=np.float64)
    noisy = rgb + np.random.default_rng(seed).normal(0, sd, rgb.shape)
    return Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))


@_anywhere
def greyscale(image: Image.Image) -> Image.Image:
    """Take the colour away; luminance stays."""
    return image.convert("L").convert("RGB")


@_anywhere
def jpeg(image: Image.Image, quality: Annotated[int, Field(ge=1, le=95)]) -> Image.Image:
    """Compress as JPEG and read back."""
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=quality)
    with Image.open(file) as compressed:
        return compressed.convert("RGB")


@_somewhere
def occlude(image: Image.Image) -> Image.Image:
    """Cover the region with grey."""
    return Image.new("RGB", image.size, _FILL)


@_somewhere
def background(image: Image.Image, colour: Colour = "grey") -> Image.Image:
    """Replace everything outside of the region by one colour."""
    return Image.new("RGB", image.size, RGB[colour])


@EDITS.add
def rotate(image: Image.Image, degrees: Annotated[float, Field(ge=-180, le=180)]) -> Image.Image:
    """Turn clockwise about the centre; corners that come free are grey."""
    return image.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=_FILL)


@EDITS.add
def flip(image: Image.Image, axis: Literal["left-right", "top-bottom"]) -> Image.Image:
    """Mirror the picture."""
    across = axis == "left-right"
    return ImageOps.mirror(image) if across else ImageOps.flip(image)


@EDITS.add
def crop(image: Image.Image, box: Box) -> Image.Image:
    """Keep only the box; the picture gets its size."""
    left, top, right, bottom = pixels(image, box)
    if min(right - left, bottom - top) < _LEAST:
        raise ToolError(f"A crop keeps at least {_LEAST} pixels a side: give a larger 'box'.")
    return image.crop((left, top, right, bottom))
