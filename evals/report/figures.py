"""The report's plots: stated confidence against what was right, and cost against score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hubel.agent.web.svg import Span, circle, line, svg, text, tick
from hubel.evals.calibration import Rows, bins

#: Planners whose calibration is drawn: as many as there are colours.
SERIES = 4
#: Costs that are drawn where somebody had one, and what stands at the axis.
COSTS = {
    "queries": "inputs asked, mean of a neuron",
    "seconds": "seconds, mean of a neuron",
    "dollars": "dollars, mean of a neuron",
}

_WIDE, _TALL = 420.0, 330.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 40.0, 20.0, 408.0, 300.0
#: Points nearer than this, across and upwards, share one label.
_NEAR = (14.0, 11.0)
_SHARES = Span(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with the names of its axes, which stand outside, and its series, if it has some."""

    drawn: Markup
    across: str
    upwards: str
    series: list[str]


@dataclass(frozen=True, slots=True)
class _Axes:
    xs: Span
    ys: Span = _SHARES

    def place(self, x: float, y: float) -> tuple[float, float]:
        across = _LEFT + self.xs.at(x, _RIGHT - _LEFT)
        return round(across, 2), round(_BOTTOM - self.ys.at(y, _BOTTOM - _TOP), 2)

    def drawn(self) -> list[Markup]:
        parts = []
        for t in self.xs.ticks(5):
            x, _ = self.place(t, 0)
            parts.append(line(x, _TOP, x, _BOTTOM, "grid"))
            parts.append(text(x, _BOTTOM + 20, tick(t), "tick middle"))
        for t in self.ys.ticks(5):
            _, y = self.place(self.xs.low, t)
            parts.append(line(_LEFT, y, _RIGHT, y, "grid"))
            parts.append(text(_LEFT - 8, y + 4, tick(t), "tick end"))
        return parts


def calibration(planners: dict[str, Rows]) -> Plot | None:
    """Stated confidence against the share recovered, in tenths, with 95% intervals.

    Planners that never state a confidence above zero have none to draw.
    """
    said = {
        name: held
        for name, rows in planners.items()
        if (held := bins(rows)) and any(b["said"] > 0 for b in held)
    }
    if not said:
        return None
    axes = _Axes(_SHARES)
    parts = [*axes.drawn(), line(*axes.place(0, 0), *axes.place(1, 1), "perfect")]
    shown = dict(list(said.items())[:SERIES])
    for series, (name, held) in enumerate(shown.items()):
        for b in held:
            x, y = axes.place(b["said"], b["right"])
            (_, low), (_, high) = (axes.place(b["said"], end) for end in b["ci"])
            parts.append(line(x, low, x, high, f"whisker s{series}"))
            what = f"{name}: said {b['said']:.2f}, right {b['right']:.2f} of {b['n']}"
            parts.append(circle(x, y, 3 + math.sqrt(b["n"]), f"s{series}", what))
    return Plot(
        svg("square", _WIDE, _TALL, parts, "Stated confidence against the share recovered"),
        "stated confidence",
        "share recovered",
        list(shown),
    )


def costs(planners: Sequence[tuple[str, dict[str, Any]]]) -> list[Plot]:
    """The share recovered against each cost that somebody had. The oracle is told, and left out."""
    planners = [p for p in planners if p[0] != "oracle"]
    return [
        _cost([p for p in planners if p[1][key] is not None], key, across)
        for key, across in COSTS.items()
        if any(scores[key] for _, scores in planners)
    ]


def _cost(planners: Sequence[tuple[str, dict[str, Any]]], key: str, across: str) -> Plot:
    axes = _Axes(Span.of([s[key] for _, s in planners], zero=True, pad=0.06))
    parts = axes.drawn()
    labels: list[tuple[float, float, list[str]]] = []
    for name, scores in planners:
        if scores["recovered"] is None:
            continue
        x, y = axes.place(scores[key], scores["recovered"])
        (_, low), (_, high) = (axes.place(0, end) for end in scores["recovered_ci"])
        parts.append(line(x, low, x, high, "whisker s0"))
        parts.append(circle(x, y, 5, "s0", f"{name}: {scores['recovered']:.2f}"))
        near = [n for u, v, n in labels if abs(u - x) < _NEAR[0] and abs(v - y) < _NEAR[1]]
        if near:
            near[0].append(name)
        else:
            labels.append((x, y, [name]))
    parts += [_named(x, y, names) for x, y, names in labels]
    label = f"The share recovered against {across}"
    return Plot(svg("square", _WIDE, _TALL, parts, label), across, "share recovered", [])


def _named(x: float, y: float, names: list[str]) -> Markup:
    """The names of those at one place, on the side where there is room."""
    words = ", ".join(names)
    short = words if len(words) <= 34 else f"{words[:33]}…"
    right = x < (_LEFT + _RIGHT) / 2
    return text(x + (9 if right else -9), y - 8, short, "name" if right else "name end")
