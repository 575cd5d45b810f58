"""Outlines of shapes and patterns of textures: pure geometry, one entry each.

An outline is one polygon, or an outer polygon and a hole, in the unit circle around (0, 0), y
downwards. A pattern is a function of pixel distances from its centre, [H, W] each, and a period in
pixels; it gives the share of the second colour in each pixel, with antialiased edges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating[Any]]
Plane = NDArray[np.floating[Any]]
Pattern = Callable[[Plane, Plane, float], Plane]


def _on_circle(count: int, turn: float = 0.0) -> Points:
    """Corners of a regular polygon, the first at the top, turned by `turn` degrees: [count, 2]."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False) + np.radians(turn)
    return np.stack([np.sin(angle), -np.cos(angle)], axis=1)


def _cross(half: float) -> Points:
    end = float(np.sqrt(1 - half**2))
    corners = [(-half, -end), (half, -end), (half, -half)]
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    arms = [np.array(corners) @ np.linalg.matrix_power(turn.T, n) for n in range(4)]
    return np.concatenate(arms)


def _star(inner: float) -> Points:
    radius = np.where(np.arange(10) % 2, inner, 1.0)
    return _on_circle(10) * radius[:, None]


def _heart() -> Points:
    t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    points = np.stack([x, y], axis=1)
    points -= (points.min(axis=0) + points.max(axis=0)) / 2
    unit: Points = points / np.hypot(*points.T).max()
    return unit


_DISC = _on_circle(96)

OUTLINES: Mapping[str, tuple[Points, ...]] = {
    "circle": (_DISC,),
    "square": (_on_circle(4, 45),),
    "triangle": (_on_circle(3),),
    "ring": (_DISC, _DISC * 0.58),
    "cross": (_cross(0.3),),
    "star": (_star(0.42),),
    "ellipse": (_DISC * [1.0, 0.55],),
    "hexagon": (_on_circle(6),),
    "crescent": (_DISC, _DISC * 0.82 + [0.42, 0.0]),
    "heart": (_heart(),),
}


def _bands(distance: Plane, period: float) -> Plane:
    """Stripes across `distance`; the middle of a first-colour stripe is at 0."""
    return _edge(period / 4 - np.abs((distance / period) % 1 - 0.5) * period)


def _edge(inside: Plane) -> Plane:
    """Pixels inside an edge -> coverage, antialiased over one pixel."""
    cover: Plane = np.clip(inside + 0.5, 0, 1)
    return cover


def _checker(x: Plane, y: Plane, period: float) -> Plane:
    across, down = _bands(x - period / 4, period), _bands(y - period / 4, period)
    return across + down - 2 * across * down


def _dots(x: Plane, y: Plane, period: float) -> Plane:
    across = ((x / period + 0.5) % 1 - 0.5) * period
    down = ((y / period + 0.5) % 1 - 0.5) * period
    return _edge(0.31 * period - np.hypot(across, down))


PATTERNS: Mapping[str, Pattern] = {
    "horizontal stripes": lambda _x, y, period: _bands(y, period),
    "vertical stripes": lambda x, _y, period: _bands(x, period),
    "diagonal stripes": lambda x, y, period: _bands((x + y) / np.sqrt(2), period),
    "dots": _dots,
    "checker": _checker,
    "rings": lambda x, y, period: _bands(np.hypot(x, y), period),
}
