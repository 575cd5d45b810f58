"""Plots as inline SVG. Colours are CSS variables, so they follow the light and the dark theme.

Words and numbers of small plots stay outside, in HTML, where they keep their size on a phone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hubel.agent.web.svg import Span, circle, line, rect, svg, text, tick

#: Most points drawn in a scatter plot, and bins of its trend.
MOST_POINTS, TREND_BINS = 1500, 8
#: From so many points of the same prediction on, they are spread.
TIED = 6
#: Steps of the golden ratio cover an interval evenly, and the same way in every run.
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a scatter plot: prediction, measurement, weight, series, and its tooltip."""

    x: float
    y: float
    weight: float
    series: int
    title: str


def interval(
    span: Span, value: float, ci: Sequence[float] | None, floor: float | None = None
) -> Markup:
    """One row of a forest plot: zero line, interval, value, and a tick for the floor."""
    parts = []
    if span.low <= 0 <= span.high:
        parts.append(line(span.at(0.0), 0, span.at(0.0), 20, "zero"))
    if floor is not None:
        parts.append(line(span.at(floor), 3, span.at(floor), 17, "floor"))
    if ci is not None:
        parts.append(line(span.at(ci[0]), 10, span.at(ci[1]), 10, "ci"))
    # A line of no length with round ends stays a circle when the plot is stretched.
    parts.append(line(span.at(value), 10, span.at(value), 10, "dot"))
    return svg("track", 100, 20, parts, stretch=True)


def ruler(
    span: Span, score: float, ci: Sequence[float], floor: float | None, ceiling: float | None
) -> Markup:
    """The score between its floor and its ceiling; what lies beyond either is shaded."""
    low = span.at(floor) if floor is not None else 0.0
    high = span.at(ceiling) if ceiling is not None else 100.0
    left, right = span.at(ci[0]), span.at(ci[1])
    parts = [
        rect(0, 8, 100, 24, "reach"),
        rect(0, 8, low, 24, "below"),
        rect(high, 8, 100 - high, 24, "beyond"),
        rect(left, 8, max(0.4, right - left), 24, "band"),
    ]
    if span.low < 0:
        parts.append(line(span.at(0.0), 8, span.at(0.0), 32, "zero"))
    if floor is not None:
        parts.append(line(low, 8, low, 40, "floor"))
    if ceiling is not None:
        parts.append(line(high, 0, high, 32, "ceiling"))
    parts.append(line(span.at(score), 3, span.at(score), 37, "score"))
    return svg("ruler", 100, 40, parts, stretch=True)


def histogram(values: Sequence[float], bins: int = 24) -> Markup:
    """How some values are distributed, by the roots of the counts: tails are seen, too."""
    span = Span.of(values, pad=0.0)
    counts = [0] * bins
    for v in values:
        counts[min(bins - 1, int(span.at(v, bins)))] += 1
    most, wide = max(counts), 100 / bins
    heights = [20 * math.sqrt(c / most) for c in counts]
    parts = [rect(i * wide + 0.3, 20 - h, wide - 0.6, h, "bin") for i, h in enumerate(heights) if h]
    return svg("histogram", 100, 20, parts, stretch=True)


def pairs(before: Sequence[float], after: Sequence[float], *, joined: bool) -> Markup:
    """Two columns of measurements with their means; lines join what belongs together."""
    span = Span.of([*before, *after], zero=True, pad=0.06)
    width, height, left, right = 220.0, 150.0, 76.0, 184.0

    def y(value: float) -> float:
        return round(height - span.at(value, height), 2)

    parts = [line(42, y(0.0), width, y(0.0), "zero")]
    parts += [text(36, y(t) + 3.5, tick(t), "tick end") for t in span.ticks(4)]
    if joined:
        parts += [
            line(left, y(b), right, y(a), "rise" if a > b else "fall")
            for b, a in zip(before, after, strict=False)
        ]
    for x, side, values, name in ((left, -14, before, "before"), (right, 14, after, "after")):
        parts += [circle(x, y(v), 3.2, name) for v in values]
        mean = sum(values) / len(values)
        parts.append(line(x + side - 7, y(mean), x + side + 7, y(mean), f"mean {name}"))
    return svg("pairs", width, height, parts)


def scatter(points: Sequence[Point], label: str) -> Markup:
    """Measured against predicted, with the line on which perfect predictions lie, and the trend.

    Points that share a prediction with many others would hide them, so they are spread a little
    sideways.
    """
    frame = _Frame(Span.of([p.x for p in points]), Span.of([p.y for p in points]))
    parts = frame.axes()
    low, high = max(frame.xs.low, frame.ys.low), min(frame.xs.high, frame.ys.high)
    if low < high:
        parts.append(line(*frame.place(low, low), *frame.place(high, high), "perfect"))
    tied = Counter(p.x for p in points)
    step = -(-len(points) // MOST_POINTS) or 1
    for i, p in enumerate(points[::step]):
        x, y = frame.place(p.x, p.y)
        x += 18 * ((i * _GOLDEN) % 1 - 0.5) if tied[p.x] >= TIED else 0.0
        parts.append(circle(round(x, 2), y, 3.4, f"s{p.series}", p.title))
    trend = [frame.place(x, y) for x, y in _trend(points)]
    if len(trend) > 1:
        path = " ".join(f"{x},{y}" for x, y in trend)
        shape = Markup('<polyline class="{}" points="{}"/>')
        parts += [shape.format(name, path) for name in ("halo", "trend")]
        parts += [circle(x, y, 4, "knot") for x, y in trend]
    return svg("scatter", _Frame.WIDTH, _Frame.HEIGHT, parts, label)


@dataclass(frozen=True, slots=True)
class _Frame:
    """The box of a scatter plot with its two axes. Their names stand outside, in HTML."""

    xs: Span
    ys: Span

    WIDTH, HEIGHT = 720.0, 440.0
    LEFT, TOP, RIGHT, BOTTOM = 56.0, 6.0, 714.0, 404.0

    def place(self, x: float, y: float) -> tuple[float, float]:
        right = self.LEFT + self.xs.at(x, self.RIGHT - self.LEFT)
        return round(right, 2), round(self.BOTTOM - self.ys.at(y, self.BOTTOM - self.TOP), 2)

    def axes(self) -> list[Markup]:
        parts = []
        for t in self.xs.ticks(6):
            x, _ = self.place(t, 0)
            parts.append(line(x, self.TOP, x, self.BOTTOM, "grid"))
            parts.append(text(x, self.BOTTOM + 24, tick(t), "tick middle"))
        for t in self.ys.ticks(5):
            _, y = self.place(0, t)
            parts.append(line(self.LEFT, y, self.RIGHT, y, "grid"))
            parts.append(text(self.LEFT - 9, y + 4, tick(t), "tick end"))
        return parts


def _trend(points: Sequence[Point]) -> list[tuple[float, float]]:
    """Weighted mean prediction and measurement in bins of as many points, by prediction."""
    by_x: dict[float, list[Point]] = {}
    for p in sorted(points, key=lambda p: p.x):
        by_x.setdefault(p.x, []).append(p)
    bins: list[list[Point]] = []
    full = len(points) / TREND_BINS if len(by_x) > TREND_BINS else 0
    for tied in by_x.values():  # the same prediction is never torn apart
        if bins and len(bins[-1]) < full:
            bins[-1] += tied
        else:
            bins.append(list(tied))
    means = []
    for held in bins:
        total = sum(p.weight for p in held)
        if total > 0:
            x = sum(p.weight * p.x for p in held) / total
            means.append((x, sum(p.weight * p.y for p in held) / total))
    return means
