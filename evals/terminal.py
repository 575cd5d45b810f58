"""The leaderboards as a terminal shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from hubel.evals.leaderboard import Board, ranked

Scores = dict[str, Any]

#: Columns of a terminal between two columns of a table.
_GAP = 2


def show(found: Board, console: Console) -> None:
    """Print a leaderboard for each suite, best first, and what the best is ahead of the others."""
    for suite, planners in found.items():
        order = ranked(planners)
        title = f"\n{suite}, {max(s['n'] for s in planners.values())} neurons"
        for table in _tables(order, console.width):
            console.print(title)
            console.print(table)
            title = ""
        for text in differences(order):
            console.print(text, style="dim", markup=False)
    heads = {name for planners in found.values() for name, _, _ in _told(planners)}
    legend = "; ".join(f"{name}: {means}" for name, means in _LEGEND.items() if name in heads)
    console.print(f"\n{legend}. Intervals are at 95%.", style="dim")


def _tables(order: list[tuple[str, Scores]], width: int) -> list[Table]:
    """The leaderboard, in as many tables as the width of the terminal needs."""
    first = max(len(name) for name, _ in order) + _GAP
    parts: list[list[_Column]] = [[]]
    room = width - first
    for column in _told(dict(order)):
        name, _key, form = column
        wide = max(len(name), *(len(form(scores)) for _, scores in order)) + _GAP
        if parts[-1] and wide > room:
            parts.append([])
            room = width - first
        parts[-1].append(column)
        room -= wide
    return [_table(order, columns) for columns in parts]


def _table(order: list[tuple[str, Scores]], columns: list[_Column]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    table.add_column("planner", overflow="fold")
    for name, _key, _form in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for planner, scores in order:
        table.add_row(planner, *(form(scores) for _name, _key, form in columns))
    return table


def _told(planners: dict[str, Scores]) -> list[_Column]:
    """The columns in which anybody has a number."""
    return [c for c in _COLUMNS if any(s[c[1]] is not None for s in planners.values())]


def differences(order: list[tuple[str, Scores]]) -> list[str]:
    """What the best planner is ahead of each other, and a warning where budgets differ.

    Args:
        order: Planners with their scores, best first. The oracle is no rival: it was told.
    """
    rivals = [(name, scores) for name, scores in order if name != "oracle"]
    lines = []
    for other, _ in rivals[1:]:
        best, scores = rivals[0]
        ahead = scores["versus"][other]
        parts = [
            f"{key} {signed(ahead[key][0])} ({signed(ahead[key][1])} to {signed(ahead[key][2])})"
            for key in ("recovered", "correlation")
            if ahead[key] is not None
        ]
        if parts:
            lines.append(f"{best} over {other} ({ahead['n']} neurons): {', '.join(parts)}")
    if differing := unmatched(rivals):
        lines.append(f"WARNING: budgets are not matched: {differing}")
    return lines


def unmatched(rivals: list[tuple[str, Scores]]) -> str:
    """What each planner was allowed to ask, where that differs; else nothing."""
    if len({scores["budget"] for _, scores in rivals}) < 2:
        return ""
    said = (f"{name} {'unknown' if s['budget'] is None else s['budget']}" for name, s in rivals)
    return ", ".join(said) + " inputs a neuron"


def short(value: float, digits: int = 2) -> str:
    """A share without the zero before its point, as tables have it."""
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0.") else text


def signed(value: float) -> str:
    """A difference, with its sign."""
    size = short(abs(value))
    return size if float(size) == 0 else f"{'+' if value > 0 else '-'}{size}"


def _number(key: str, digits: int = 2) -> Callable[[Scores], str]:
    return lambda s: "-" if s[key] is None else short(s[key], digits)


def _with_interval(key: str, ci: str) -> Callable[[Scores], str]:
    def form(s: Scores) -> str:
        if s[key] is None or s[ci] is None:
            return "-"
        return f"{short(s[key])} {short(s[ci][0])}-{short(s[ci][1])}"

    return form


_Column = tuple[str, str, Callable[[Scores], str]]
_COLUMNS: tuple[_Column, ...] = (
    ("recovered", "recovered", _with_interval("recovered", "recovered_ci")),
    ("agr.", "agreement", _number("agreement")),
    ("corr.", "correlation", _with_interval("correlation", "ci")),
    ("rank", "rank_correlation", _number("rank_correlation")),
    ("FIND", "find_passed", _number("find_passed")),
    ("unit", "unit_test", _number("unit_test")),
    ("ind.", "indicator", _number("indicator")),
    ("named", "named", _number("named")),
    ("all", "parts", _number("parts")),
    ("prec.", "precision", _number("precision")),
    ("exc.", "exceptions_found", _number("exceptions_found")),
    ("null", "null_claimed", _number("null_claimed")),
    ("abst.", "abstained", _number("abstained")),
    ("bey.", "beyond_flagged", _number("beyond_flagged")),
    ("cal.", "calibration", _number("calibration")),
    ("ask", "queries", _number("queries", 0)),
    ("s", "seconds", _number("seconds", 1)),
    ("tokens", "tokens", _number("tokens", 0)),
    ("$", "dollars", _number("dollars", 3)),
)
_LEGEND = {
    "recovered": "share that is right on 99% of fresh inputs; of words: names every concept",
    "agr.": "agreement",
    "corr.": "correlation",
    "rank": "correlation of ranks",
    "FIND": "FIND's own share",
    "unit": "three-way unit tests",
    "ind.": "FIND's string indicator",
    "named": "concepts named",
    "all": "neurons of several concepts with all of them named",
    "prec.": "share of what was named that is right",
    "exc.": "exceptions found",
    "null": "null units claimed",
    "abst.": "real ones abstained on",
    "bey.": "laws beyond the grammar flagged as such",
    "cal.": "calibration error",
    "ask": "inputs asked",
    "s": "seconds",
}
