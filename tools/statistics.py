"""What can be measured on any picture: colours, light, edges, texture, and where they lie.

Each statistic has a phrase and a degree from 0 to 1. There are two poolings, since a unit's
activation is a maximum over positions:

- **whole**: the mean over the picture. Phrases are mass nouns: ``red colouring``,
  ``brightness``, ``vertical edges``, ``fine texture``; and where it lies: ``brighter at the top``.
- **somewhere**: the maximum over overlapping cells a seventh of the side wide. Phrases begin with
  "a" and say patch (or spot): ``a red patch``, ``a patch of vertical edges``.

No phrase about scenes is of these forms. Pictures are measured at 224 x 224 pixels, edges and
texture also at a half and a quarter of that. A degree is a measure between two fixed numbers
(`Statistic.low`, `Statistic.high`) chosen so that photographs spread over 0 to 1; nothing depends
on the other pictures of a data set. Edge energy is the multi-scale Sobel gradient, which with the
number of unique colours predicts how complex a picture looks (Kyle-Davidson et al., 2025).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from hubel.tools.colours import COLOURS, MEASURES, measure_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

Pooling = Literal["whole", "somewhere"]

SIDE = 224
_BLOCKS = 14  # along a side; a cell is 2 x 2 blocks


@dataclass(frozen=True, slots=True)
class Statistic:
    """One thing that is measured.

    Attributes:
        phrase: Its words.
        pooling: Mean over the picture, or maximum over cells.
        measure: The quantity, as `measure` calls it.
        low: The value of the quantity at degree 0.
        high: Its value at degree 1. Degrees outside are cut off.
        removed_by: Instruction of a Pillow edit that takes it away; None where there is none.
    """

    phrase: str
    pooling: Pooling
    measure: str
    low: float
    high: float
    removed_by: dict[str, Any] | None

    def degree(self, value: float) -> float:
        """A value of the quantity as a degree in 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def statistics(image: Image.Image) -> dict[str, float]:
    """Every statistic of a picture: phrase -> degree in 0 to 1.

    Args:
        image: Of any size; it is stretched to a square.
    """
    measured = measure(image)
    return {s.phrase: s.degree(measured[s.pooling, s.measure]) for s in []}


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
    # An edge's direction has no sign: at twice the angle, opposite gradients are one.
    upright, rising = _doubled(*slopes[1], strengths[1])
    for name, part in (
        ("vertical", upright),
        ("horizontal", -upright),
        ("rising", rising),
        ("falling", -rising),
    ):
        maps[name] = _blocks(np.maximum(part, 0))
    maps["straight"] = np.hypot(*map(_blocks, _doubled(*slopes[2], strengths[2])))
    return maps


def _blocks(pixels: Array, side: int = _BLOCKS) -> Array:
    """Means over the blocks of a grid: [H, W, ...] -> [side, side, ...]."""
    step = pixels.shape[0] // side
    rows = pixels.reshape(side, step, *pixels.shape[1:]).sum(axis=1)
    sums: Array = rows.reshape(side, side, step, *pixels.shape[2:]).sum(axis=2)
    return sums / step**2


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
