"""Scene -> pixels, and the exact pixels of each thing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from hubel.tools.imagery import pictographs
from hubel.tools.imagery.drawing import OUTLINES, PATTERNS
from hubel.tools.imagery.graph import RGB

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

    from hubel.tools.imagery.drawing import Plane
    from hubel.tools.imagery.graph import Background, Scene, Text, Thing

_FINE = 4  # subpixels per pixel and axis
_TEXTURE_PERIOD = 0.22  # of a thing's diameter
_RIM = 0.04  # of a thing's diameter
_GROUND_PERIOD = 0.14  # of the picture's side
_GRAIN = 28.0  # standard deviation of a noise background, grey levels
_TEXT_HEIGHT = 0.13  # of the picture's side
_TEXT_AT = {"top": 0.12, "centre": 0.5, "bottom": 0.88}
_LIGHT = 170.0  # luminance, grey levels, from which a texture's second colour is dark


@dataclass(frozen=True, slots=True)
class _Layer:
    """Something to paste: colours, coverage 0 to 255, and where its upper left corner goes."""

    colours: Image.Image
    alpha: Image.Image
    corner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Parts:
    """Masks of a scene's parts, bool [size, size] each: the background, the things, the text."""

    background: NDArray[np.bool_]
    things: list[NDArray[np.bool_]]
    text: NDArray[np.bool_]


def render(scene: Scene) -> Image.Image:
    """Draw a scene: RGB, `scene.size` pixels square. The same scene gives the same bytes."""
    picture = _ground(scene.background, scene.size, scene.seed)
    for layer in _layers(scene):
        picture.paste(layer.colours, layer.corner, layer.alpha)
    return picture


def masks(scene: Scene) -> list[NDArray[np.bool_]]:
    """For each thing, the pixels it has a part in, bool [size, size]; see `parts`."""
    return parts(scene).things


def parts(scene: Scene) -> Parts:
    """Which pixels each part of a scene has a part in.

    A pixel on an edge belongs to all that blend there; a pixel that something in front covers
    wholly does not belong to what is behind. Changing one part's looks changes no other pixel.
    """
    uncovered = np.ones((scene.size, scene.size), dtype=bool)
    found: list[NDArray[np.bool_]] = []
    for layer in reversed(_layers(scene)):
        whole = Image.new("L", (scene.size, scene.size))
        whole.paste(layer.alpha, layer.corner)
        alpha = np.asarray(whole)
        found.append((alpha > 0) & uncovered)
        uncovered = uncovered & (alpha < 255)
    nothing = np.zeros_like(uncovered)
    text = nothing if scene.text is None else found.pop(0)
    return Parts(uncovered, found[::-1], text)


def visible(scene: Scene) -> list[float]:
    """For each thing, the share of its pixels that is in the picture and not covered."""
    if _apart(scene):
        return [1.0] * len(scene.things)
    layers = _layers(scene)
    return [
        float(mask.sum() / max(1, np.count_nonzero(np.asarray(layer.alpha))))
        for mask, layer in zip(masks(scene), layers, strict=False)
    ]


def text_box(text: Text, size: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a text, as shares of the picture's side."""
    layer = _text(text, size)
    left, top = layer.corner
    box = (left, top, left + layer.alpha.width, top + layer.alpha.height)
    return (box[0] / size, box[1] / size, box[2] / size, box[3] / size)


def gap(box: tuple[float, float, float, float], x: Plane, y: Plane) -> Plane:
    """Distance of points from a box; 0 inside it."""
    across = np.maximum(np.maximum(box[0] - x, x - box[2]), 0.0)
    down = np.maximum(np.maximum(box[1] - y, y - box[3]), 0.0)
    distance: Plane = np.hypot(across, down)
    return distance


def _apart(scene: Scene) -> bool:
    """Whether all things surely lie inside the picture, clear of each other and of the text."""
    slack = 2 / scene.size
    for thing in scene.things:
        radius = thing.size / 2 + slack
        if not (radius <= thing.x <= 1 - radius and radius <= thing.y <= 1 - radius):
            return False
        centre = np.array([thing.x]), np.array([thing.y])
        if scene.text and gap(text_box(scene.text, scene.size), *centre)[0] < radius:
            return False
    return all(
        np.hypot(a.x - b.x, a.y - b.y) >= (a.size + b.size) / 2 + 2 * slack
        for a, b in combinations(scene.things, 2)
    )


def _layers(scene: Scene) -> list[_Layer]:
    """From the rearmost thing to the text."""
    layers = [_thing(thing, scene.size) for thing in scene.things]
    if scene.text is not None:
        layers.append(_text(scene.text, scene.size))
    return layers


def _thing(thing: Thing, size: int) -> _Layer:
    if thing.colour is None or thing.texture is None:
        return _pictograph(thing, size)
    radius, x, y = thing.size * size / 2, thing.x * size, thing.y * size
    left, top = int(np.floor(x - radius)) - 1, int(np.floor(y - radius)) - 1
    side = int(np.ceil(2 * radius)) + 3
    alpha = Image.new("L", (side * _FINE, side * _FINE))
    draw = ImageDraw.Draw(alpha)
    cos, sin = np.cos(np.radians(thing.rotation)), np.sin(np.radians(thing.rotation))
    turn = np.array([[cos, sin], [-sin, cos]])
    for outline, fill in zip(OUTLINES[thing.shape], (255, 0), strict=False):
        points = (outline @ turn * radius + [x - left, y - top]) * _FINE - 0.5
        draw.polygon([(float(px), float(py)) for px, py in points], fill=fill)
    alpha = alpha.reduce(_FINE)
    colours = Image.new("RGB", (side, side), RGB[thing.colour])
    if thing.texture != "plain":
        centre = (x - left - 0.5, y - top - 0.5)
        pattern = _pattern(thing.texture, side, centre, _TEXTURE_PERIOD * 2 * radius)
        inner = _shrunk(alpha, _RIM * 2 * radius)
        colours.paste(_second(thing.colour), (0, 0), ImageChops.multiply(pattern, inner))
    return _Layer(colours, alpha, (left, top))


def _shrunk(alpha: Image.Image, rim: float) -> Image.Image:
    """Coverage of a shape less its rim, which keeps its colour: any background shows the shape."""
    blurred = alpha.filter(ImageFilter.BoxBlur(rim))
    return blurred.point([max(0, 255 - 8 * (255 - level)) for level in range(256)])


def _second(colour: str) -> tuple[int, int, int]:
    """What textures alternate a thing's colour with: white, or black for light colours."""
    luminance = np.dot(RGB[colour], (0.299, 0.587, 0.114))
    return RGB["black"] if luminance >= _LIGHT else RGB["white"]


def _pictograph(thing: Thing, size: int) -> _Layer:
    side = max(3, round(thing.size * size))
    image = pictographs.drawing(thing.shape)
    if thing.rotation:
        image = image.rotate(-thing.rotation, Image.Resampling.BICUBIC)
    image = image.resize((side, side), Image.Resampling.HAMMING)
    corner = (round(thing.x * size - side / 2), round(thing.y * size - side / 2))
    return _Layer(image.convert("RGB"), image.getchannel("A"), corner)


@lru_cache(maxsize=64)
def _text(text: Text, size: int) -> _Layer:
    font = _font(max(8, round(_TEXT_HEIGHT * size)))
    bold = max(1, round(_TEXT_HEIGHT * size / 20))
    box = font.getbbox(text.word, anchor="ls", stroke_width=bold)
    left, top, right, bottom = (int(v) for v in box)
    width, height = right - left, bottom - top
    alpha = Image.new("L", (width, height))
    draw = ImageDraw.Draw(alpha)
    draw.text((-left, -top), text.word, 255, font, anchor="ls", stroke_width=bold)
    corner = (round((size - width) / 2), round(_TEXT_AT[text.position] * size - height / 2))
    return _Layer(Image.new("RGB", alpha.size, RGB[text.colour]), alpha, corner)


@lru_cache(maxsize=8)
def _font(pixels: int) -> FreeTypeFont:
    font = ImageFont.load_default(size=pixels)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, which text in scenes needs")
    return font


def _ground(background: Background, size: int, seed: int) -> Image.Image:
    first = RGB[background.colour]
    if background.kind == "plain":
        return Image.new("RGB", (size, size), first)
    if background.kind == "noise":
        grain = np.random.default_rng(seed).normal(0, _GRAIN, (size, size, 1))
        # Near black or white half of the grain would be cut off, and change the mean colour.
        base = np.clip(np.array(first, dtype=np.float64), 2 * _GRAIN, 255 - 2 * _GRAIN)
        return Image.fromarray(np.clip(base + grain, 0, 255).astype(np.uint8))
    if background.kind == "gradient":
        ramp = np.linspace(0, 255, size).round().astype(np.uint8)
        blend = Image.fromarray(np.repeat(ramp[:, None], size, axis=1))
    else:
        blend = _pattern(background.kind, size, (0.0, 0.0), _GROUND_PERIOD * size)
    picture = Image.new("RGB", (size, size), first)
    picture.paste(RGB[background.second or background.colour], (0, 0), blend)
    return picture


def _pattern(name: str, side: int, centre: tuple[float, float], period: float) -> Image.Image:
    """Share of the second colour in each pixel of a square, 0 to 255."""
    x = np.arange(side)[None, :] - centre[0]
    y = np.arange(side)[:, None] - centre[1]
    cover = np.broadcast_to(PATTERNS[name](x, y, period), (side, side))
    return Image.fromarray((cover * 255).round().astype(np.uint8))
