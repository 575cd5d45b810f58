"""The quantities behind `statistics`: a picture in, unscaled numbers out, numpy only.

Pictures are measured at 224 x 224 pixels, edges and texture also at a half and a quarter of that.
Texture is how much pixels differ from the mean around them: fine has periods of up to 5 of the 224
pixels, medium of up to 8, coarse longer ones. Edge energy is the multi-scale Sobel gradient, which
with the number of unique colours predicts how complex a picture looks (Sarıtaş et al., "Complexity
in Complexity", 2025).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from hubel.tools.colours import MEASURES, measure_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]

Pooling = Literal["whole", "somewhere"]

SIDE = 224
_BLOCKS = 14  # along a side; a cell is 2 x 2 blocks


def measure(image: Image.Image) -> dict[tuple[Pooling, str], float]:
    """The quantities behind the statistics, unscaled."""
    image = image.convert("RGB")
    if image.size != (SIDE, SIDE):
        image = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    grey = np.asarray(image.convert("L"), dtype=np.float32) / 255
    levels = [grey, _blocks(grey, SIDE // 2), _blocks(grey, SIDE // 4)]
    small = np.asarray(image.reduce(2))
    maps = _maps(measure_colours(small), levels)
    out: dict[tuple[Pooling, str], float] = {}
    for name, blocks in maps.items():
        out["whole", name] = float(blocks.mean())
        out["somewhere", name] = float(_cells(blocks).max())
    out |= _variation(levels[1])
    out |= _spots(_blocks(grey, 2 * _BLOCKS))
    for name in ("light", "edges"):
        out |= _layout(name, maps[name])
    out["whole", "colours"] = _unique_colours(small)
    return out


def _maps(colours: Array, levels: list[Array]) -> dict[str, Array]:
    """Quantities that are averaged over space, by name: [14, 14] each."""
    maps = dict(zip(MEASURES, np.moveaxis(_blocks(colours), -1, 0), strict=True))
    maps["light"] = _blocks(levels[1])
    maps["dark"] = 1 - maps["light"]
    for name, level in zip(("fine", "medium", "coarse"), levels, strict=True):
        maps[name] = _blocks(np.abs(level - _surround(level)))
    slopes = [_slopes(level) for level in levels]
    strengths = [np.hypot(x, y) for x, y in slopes]
    maps["edges"] = np.mean([_blocks(s) for s in strengths], axis=0, dtype=np.float32)
    # An edge's direction has no sign: at twice the angle, opposite gradients are one. Directions
    # that cancel within a block, as in gravel, are none.
    upright, rising = map(_blocks, _doubled(*slopes[1], strengths[1]))
    maps["vertical"], maps["horizontal"] = np.maximum(upright, 0), np.maximum(-upright, 0)
    maps["rising"], maps["falling"] = np.maximum(rising, 0), np.maximum(-rising, 0)
    maps["straight"] = np.hypot(*map(_blocks, _doubled(*slopes[2], strengths[2])))
    return maps


def _blocks(pixels: Array, side: int = _BLOCKS) -> Array:
    """Means over the blocks of a grid: [H, W, ...] -> [side, side, ...]."""
    step = pixels.shape[0] // side
    rows = pixels.reshape(side, step, *pixels.shape[1:]).sum(axis=1)
    means: Array = rows.reshape(side, side, step, *pixels.shape[2:]).sum(axis=2) / step**2
    return means


def _cells(blocks: Array) -> Array:
    """Means over every square of 2 x 2 blocks: [14, 14] -> [13, 13]."""
    return (blocks[:-1, :-1] + blocks[1:, :-1] + blocks[:-1, 1:] + blocks[1:, 1:]) / 4


def _surround(pixels: Array) -> Array:
    """Mean of each pixel's 3 x 3 neighbourhood; the rim is repeated."""
    wide = np.pad(pixels, 1, mode="edge")
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    mean: Array = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
    return mean


def _slopes(pixels: Array) -> tuple[Array, Array]:
    """Sobel gradients along x and y, per pixel."""
    wide = np.pad(pixels, 1, mode="edge")
    x = wide[:, 2:] - wide[:, :-2]
    y = wide[2:] - wide[:-2]
    return (x[:-2] + 2 * x[1:-1] + x[2:]) / 8, (y[:, :-2] + 2 * y[:, 1:-1] + y[:, 2:]) / 8


def _doubled(x: Array, y: Array, strength: Array) -> tuple[Array, Array]:
    """Gradients at twice their angle: vertical against horizontal edges, rising against falling."""
    scale = 1 / (strength + 1e-6)
    return (x * x - y * y) * scale, 2 * x * y * scale


def _variation(grey: Array) -> dict[tuple[Pooling, str], float]:
    """Standard deviation of the light, and how much of the picture hardly varies."""
    squares = _cells(_blocks(grey * grey)) - _cells(_blocks(grey)) ** 2
    deviation = np.sqrt(np.maximum(squares, 0))
    plain = np.maximum(1 - deviation / 0.04, 0)
    return {
        ("whole", "contrast"): float(grey.std()),
        ("somewhere", "contrast"): float(deviation.max()),
        ("whole", "plain"): float(plain.mean()),
        ("somewhere", "plain"): float(plain.max()),
    }


def _spots(grey: Array) -> dict[tuple[Pooling, str], float]:
    """The lightest and the darkest place beside its surround; and mirror symmetry."""
    apart = grey - _surround(grey)
    centred = grey - grey.mean()
    power = float((centred**2).mean())
    mirrored = float((centred * centred[:, ::-1]).mean())
    return {
        ("somewhere", "bright spot"): float(apart.max()),
        ("somewhere", "dark spot"): float(-apart.min()),
        # A picture without contrast has nothing that could be symmetric.
        ("whole", "symmetry"): mirrored / power if power > 1e-4 else 0.0,
    }


def _layout(name: str, blocks: Array) -> dict[tuple[Pooling, str], float]:
    """Where a quantity lies: differences between parts, relative to their sum."""
    half, inner = _BLOCKS // 2, slice(4, -4)
    middle = float(blocks[inner, inner].mean())
    count = blocks[inner, inner].size
    rest = (float(blocks.sum()) - middle * count) / (blocks.size - count)
    pairs = {
        ("top", "bottom"): (float(blocks[:half].mean()), float(blocks[half:].mean())),
        ("left", "right"): (float(blocks[:, :half].mean()), float(blocks[:, half:].mean())),
        ("centre", "rim"): (middle, rest),
    }
    out: dict[tuple[Pooling, str], float] = {}
    for (first, second), (one, other) in pairs.items():
        share = (one - other) / (one + other + 0.02)
        out["whole", f"{name} {first}"], out["whole", f"{name} {second}"] = share, -share
    return out


def _unique_colours(rgb: NDArray[np.uint8]) -> float:
    """How many of 4096 colours at least four pixels have."""
    levels = (rgb >> 4).astype(np.int32)
    codes = (levels[..., 0] << 8) | (levels[..., 1] << 4) | levels[..., 2]
    return float((np.bincount(codes.ravel()) > 3).sum())
