"""The report's tables: leaderboards, differences, and heat-mapped shares by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hubel.agent.web import plots
from hubel.agent.web.cards import Row
from hubel.agent.web.svg import Span
from hubel.agent.web.tidy import Estimate
from hubel.agent.wording import MISSING, score_text

Planners = list[tuple[str, dict[str, Any]]]

#: Columns of a leaderboard: their heads, keys, and digits.
_COLUMNS: tuple[tuple[str, str, int], ...] = (
    ("agree", "agreement", 2),
    ("corr.", "correlation", 2),
    ("ceiling", "ceiling", 2),
    ("FIND", "find_passed", 2),
    ("unit test", "unit_test", 2),
    ("indicator", "indicator", 2),
    ("named", "named", 2),
    ("all named", "parts", 2),
    ("prec.", "precision", 2),
    ("exc.", "exceptions_found", 2),
    ("null claimed", "null_claimed", 2),
    ("abstained", "abstained", 2),
    ("calib.", "calibration", 2),
    ("by chance", "calibration_chance", 2),
    ("asked", "queries", 0),
    ("pictures", "pictures", 0),
    ("s", "seconds", 1),
    ("tokens", "tokens", 0),
    ("dollars", "dollars", 3),
)
_SHARES = Span(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Line:
    """A planner's line of a leaderboard."""

    planner: str
    track: Markup
    recovered: str
    interval: str
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Heat:
    """A heat-mapped table.

    Attributes:
        title: What it is by.
        head: Names of the columns, each with a word below.
        lines: The name of a row, with a word below, and its cells: text and share, None if empty.
    """

    title: str
    head: list[tuple[str, str]]
    lines: list[tuple[str, str, list[tuple[str, float | None]]]]


def leaderboard(planners: Planners) -> tuple[list[str], list[Line]]:
    """Heads of the columns that anybody has a number in, and a line for each planner."""
    told = [c for c in _COLUMNS if any(s[c[1]] is not None for _, s in planners)]
    lines = []
    for name, s in planners:
        ci = s["recovered_ci"]
        share = s["recovered"]
        track = plots.interval(_SHARES, share, ci) if share is not None else Markup("")
        cells = [_cell(s[key], digits) for _, key, digits in told]
        between = f"{score_text(ci[0])} to {score_text(ci[1])}" if ci else MISSING
        lines.append(Line(name, track, score_text(share), between, cells))
    return [head for head, _, _ in told], lines


def _cell(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:,.{digits}f}"


def differences(planners: Planners) -> list[tuple[str, list[Row]]]:
    """What the best planner is ahead of each other, the oracle apart, by score."""
    rivals = [p for p in planners if p[0] != "oracle"]
    tables = []
    for key in ("recovered", "correlation"):
        if found := [_ahead(rivals[0], other, key) for other, _ in rivals[1:]]:
            rows = [r for r in found if r is not None]
            tables.append((f"{key}, {rivals[0][0]} over", rows))
    return [(name, _tracked(rows)) for name, rows in tables if rows]


def _ahead(best: tuple[str, dict[str, Any]], other: str, key: str) -> Estimate | None:
    ahead = best[1]["versus"][other][key]
    if ahead is None:
        return None
    value, low, high = ahead
    return Estimate(key, other, value, (low, high), None, None, None)


def _tracked(found: list[Estimate]) -> list[Row]:
    ends = [end for e in found for end in (e.ci or ())]
    span = Span.of(ends, zero=True)
    return [Row(e, plots.interval(span, e.value, e.ci)) for e in found]


def heats(planners: Planners) -> list[Heat]:
    """Shares recovered by complexity, by signal-to-noise ratio, and by kind."""
    shown = [p for p in planners if p[0] != "oracle"] or planners
    found = [
        _across("by complexity", "by_complexity", shown),
        _across("by signal-to-noise ratio", "by_snr", shown),
        _down("by kind", "by_kind", shown),
    ]
    return [heat for heat in found if heat is not None]


def _groups(key: str, planners: Planners) -> dict[str, int]:
    """Names of groups with their sizes, in their order; the largest size any planner has."""
    sizes: dict[str, int] = {}
    for _, scores in planners:
        for name, held in scores[key].items():
            sizes[name] = max(sizes.get(name, 0), held["n"])
    return sizes


def _across(title: str, key: str, planners: Planners) -> Heat | None:
    """A row for each planner, and below it one with its calibration errors."""
    sizes = _groups(key, planners)
    if not sizes:
        return None
    lines = []
    for name, scores in planners:
        lines.append((name, "recovered", [_share(scores[key].get(g), "recovered") for g in sizes]))
        errors = [scores[key].get(g, {}).get("calibration") for g in sizes]
        if any(errors):
            lines.append(("", "calibration error", [(score_text(e), None) for e in errors]))
    return Heat(title, [(g, f"n {n}") for g, n in sizes.items()], lines)


def _down(title: str, key: str, planners: Planners) -> Heat | None:
    """A row for each kind, since there are many."""
    sizes = _groups(key, planners)
    if not sizes:
        return None
    lines = [
        (g, f"n {n}", [_share(scores[key].get(g), "recovered") for _, scores in planners])
        for g, n in sizes.items()
    ]
    return Heat(title, [(name, "") for name, _ in planners], lines)


def _share(held: dict[str, Any] | None, key: str) -> tuple[str, float | None]:
    value = held[key] if held else None
    return score_text(value), value
