"""Activation maps laid over pictures, for people to look at."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: The colour map "inferno" (S. van der Walt, N. Smith) at eight even steps, RGB.
_INFERNO = np.array(
    [
        (0, 0, 4),
        (40, 11, 84),
        (101, 21, 110),
        (159, 42, 99),
        (212, 72, 66),
        (245, 125, 21),
        (250, 193, 39),
        (252, 255, 164),
    ],
    dtype=np.float64,
)

#: Part of the light that a picture keeps where the unit is silent.
_DIMMED = 0.62
#: How much of the colour covers the picture where the unit is strongest.
_COVER = 0.66
#: The level, as a part of the span, that the contour follows.
_CONTOUR = 0.5


def grid(activation: NDArray[Any]) -> NDArray[np.float32] | None:
    """An activation map as rows and columns, or None where it has no place in the picture.

    Args:
        activation: [H, W]; [T] tokens, of which a leading class token is left out; or a scalar.
    """
    values = np.asarray(activation, dtype=np.float32)
    if values.ndim == 2:
        return values
    if values.ndim != 1 or values.size < 4:
        return None
    for tokens in (values, values[1:]):
        side = math.isqrt(tokens.size)
        if side * side == tokens.size:
            return tokens.reshape(side, side)
    return None


def overlay(
    image: Image.Image, activation: NDArray[Any], span: tuple[float, float] | None = None
) -> Image.Image:
    """A picture with an activation map over it: dimmed where silent, glowing where active.

    A thin line follows the middle of the span. The map is taken to cover the whole picture. Give
    pictures that are shown side by side the same span, so that their colours compare.

    Args:
        image: The picture, of any size.
        activation: Its map: [H, W], [T] tokens, or a scalar (which leaves the picture as it is).
        span: The activations drawn as nothing and as the full colour; by default the lowest and
            the highest of the map.

    Returns:
        RGB, of the picture's size.
    """
    rgb = image.convert("RGB")
    cells = grid(activation)
    if cells is None:
        return rgb
    low, high = span if span is not None else (float(cells.min()), float(cells.max()))
    if not high > low:
        return rgb
    level = np.clip((cells - low) / (high - low), 0.0, 1.0)
    smooth = _resize(level, rgb.size)
    base = np.asarray(rgb, dtype=np.float64)
    lit = base * (_DIMMED + (1.0 - _DIMMED) * np.sqrt(smooth))[..., None]
    cover = (_COVER * smooth**1.25)[..., None]
    out = lit * (1.0 - cover) + _inferno(0.25 + 0.75 * smooth) * cover
    line = _contour(smooth)[..., None]
    out = out * (1.0 - 0.85 * line) + 255.0 * 0.85 * line
    return Image.fromarray(np.clip(np.rint(out), 0, 255).astype(np.uint8))


def _resize(level: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float64]:
    """Bicubic, cut to [0, 1]: [h, w] -> [H, W] for a size (W, H)."""
    enlarged = Image.fromarray(level.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(enlarged, dtype=np.float64), 0.0, 1.0)


def _inferno(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """[H, W] in [0, 1] -> [H, W, 3] in [0, 255], linear between the steps."""
    steps = np.linspace(0.0, 1.0, len(_INFERNO))
    return np.stack([np.interp(level, steps, _INFERNO[:, c]) for c in range(3)], axis=-1)


def _contour(smooth: NDArray[np.float64]) -> NDArray[np.float64]:
    """An even line, in [0, 1], where the level crosses `_CONTOUR`.

    The distance to the crossing is the difference in level over the slope. The line is as wide as
    a hundred-and-sixtieth of the picture's longer side, at least one pixel.
    """
    width = max(1.0, max(smooth.shape) / 160)
    padded = np.pad(smooth, 1, mode="edge")  # so that one-pixel pictures have a slope too
    down, right = np.gradient(padded)
    slope = np.hypot(down, right)[1:-1, 1:-1]
    distance = np.abs(smooth - _CONTOUR) / np.maximum(slope, 1e-6)
    return np.asarray(np.clip(width / 2 + 0.5 - distance, 0.0, 1.0), dtype=np.float64)
