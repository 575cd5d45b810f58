"""Colour words for pixels.

Every colour has a degree for each of the twelve words, adding up to 1: the nearer to one of a
word's examples in the OKLab space (Ottosson, 2020), the higher. Degrees come out of a table over
RGB in steps of 8, so a picture takes one look-up per pixel.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Examples of each word, chosen by eye.
EXAMPLES = {
    "red": ("c81e1e", "e0403a", "8f1414"),
    "orange": ("ff8000", "e8721c", "f5a050"),
    "yellow": ("ffe119", "f0d040", "fff080", "c8b020"),
    "green": ("2a9d30", "70c050", "1a5c20", "8ca050"),
    "cyan": ("20c8d0", "80e0e0", "108088"),
    "blue": ("1e46c8", "5a90e0", "102a70", "a0c4f0"),
    "purple": ("8020a0", "a060d0", "4a1060"),
    "pink": ("f060b0", "fab4c8", "d02080"),
    "brown": ("7a4a20", "5a3014", "a87848"),
    "black": ("000000", "1c1c1c"),
    "white": ("ffffff", "f0f0f0"),
    "grey": ("808080", "505050", "b0b0b0", "343434", "d0d0d0"),
}
COLOURS = tuple(EXAMPLES)

#: What `measure_colours` gives for each pixel, in this order.
MEASURES = (*COLOURS, "warm", "cool", "saturated")

_BITS = 5
_NEAR = 0.05  # a colour this far from an example is about as well named by it as by its neighbour
_WEIGHTS = (0.7, 1.6, 1.6)  # of lightness and the two opponent axes: hue says more than shade


def measure_colours(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the colour of each pixel is like.

    Args:
        rgb: [H, W, 3].

    Returns:
        [H, W, 15], in the order of `MEASURES`: degrees of the words in 0 to 1; how far the colour
        lies towards yellow (warm) and towards blue (cool), and how strong it is, in OKLab units.
    """
    levels = (rgb >> (8 - _BITS)).astype(np.int32)
    red, green, blue = levels[..., 0], levels[..., 1], levels[..., 2]
    found: NDArray[np.float32] = _table()[(red << 2 * _BITS) | (green << _BITS) | blue]
    return found


@cache
def _table() -> NDArray[np.float32]:
    """`MEASURES` for every colour, [32768, 15]."""
    levels = np.linspace(0, 1, 2**_BITS)
    colours = oklab(np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3))
    nearness = np.stack([_nearness(colours, examples) for examples in EXAMPLES.values()], axis=1)
    words = np.exp(nearness - nearness.max(axis=1, keepdims=True))
    words /= words.sum(axis=1, keepdims=True)
    yellow, strength = colours[:, 2:], np.hypot(colours[:, 1:2], colours[:, 2:])
    others = [np.maximum(yellow, 0), np.maximum(-yellow, 0), strength]
    return np.concatenate([words, *others], axis=1).astype(np.float32)


def _nearness(colours: NDArray[np.float64], examples: tuple[str, ...]) -> NDArray[np.float64]:
    """Logarithm of an unnormalised degree, [N]: the nearest example counts."""
    places = oklab(np.array([list(bytes.fromhex(e)) for e in examples]) / 255)
    apart = (colours[:, None] - places[None]) * np.array(_WEIGHTS)
    nearest: NDArray[np.float64] = (apart**2).sum(axis=2).min(axis=1)
    return -nearest / (2 * _NEAR**2)


def oklab(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours in sRGB, 0 to 1, [..., 3] -> OKLab (L, a, b), [..., 3]."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    out: NDArray[np.float64] = np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T
    return out


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
