"""The axis and the few shapes that plots are drawn with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_PLOT = Markup('<svg class="plot {}" viewBox="0 0 {:g} {:g}"{}{}>{}</svg>')
_SILENT = Markup(' aria-hidden="true"')


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an axis."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], *, zero: bool = False, pad: float = 0.05) -> Span:
        """The span of some values, widened a little, with zero inside if wanted."""
        held = [*values, 0.0] if zero else list(values)
        low, high = (min(held), max(held)) if held else (0.0, 1.0)
        if high - low < 1e-12 * max(1.0, abs(high)):
            low, high = low - 0.5, high + 0.5
        room = pad * (high - low)
        return cls(low - room, high + room)

    def at(self, value: float, length: float = 100.0) -> float:
        """Where a value lies on an axis of that length, cut off at its ends."""
        share = (value - self.low) / (self.high - self.low)
        return round(length * min(1.0, max(0.0, share)), 2)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values inside the span."""
        raw = (self.high - self.low) / about
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= raw * 0.999)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [float(f"{i * step:.10g}") for i in range(first, last + 1)]


def svg(
    name: str,
    wide: float,
    tall: float,
    parts: list[Markup],
    label: str = "",
    *,
    stretch: bool = False,
) -> Markup:
    """A plot. One without a label only repeats what is written beside it."""
    told = Markup(' role="img" aria-label="{}"').format(label) if label else _SILENT
    fit = Markup(' preserveAspectRatio="none"') if stretch else ""
    return _PLOT.format(name, wide, tall, told, fit, Markup("").join(parts))


def line(x1: float, y1: float, x2: float, y2: float, name: str) -> Markup:
    """A line of a class."""
    return Markup('<line class="{}" x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}"/>').format(
        name, x1, y1, x2, y2
    )


def rect(x: float, y: float, wide: float, tall: float, name: str) -> Markup:
    """A rectangle of a class."""
    return Markup('<rect class="{}" x="{:.4g}" y="{:.4g}" width="{:.4g}" height="{:.4g}"/>').format(
        name, x, y, max(0.0, wide), tall
    )


def circle(x: float, y: float, radius: float, name: str, title: str = "") -> Markup:
    """A disc of a class, with a tooltip if it has a title."""
    inner = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<circle class="{}" cx="{:g}" cy="{:g}" r="{:g}">{}</circle>').format(
        name, x, y, radius, inner
    )


def text(x: float, y: float, words: str, name: str) -> Markup:
    """Words of a class."""
    return Markup('<text class="{}" x="{:g}" y="{:g}">{}</text>').format(name, x, y, words)


def tick(value: float) -> str:
    """A round value as the label of a tick."""
    return f"{value:.6g}".replace("-", "−")
