"""The benchmark's results put together: shares with intervals, by suite and planner."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

#: FIND's own threshold on the normalised error.
PASSES = 0.1
_BINS = 10
_RESAMPLES = 2000


def board(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Suite -> planner -> its scores.

    Args:
        rows: Results, as `hubel.evals.bench.run` gives them.
    """
    out: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        out.setdefault(row["suite"], {}).setdefault(row["planner"], []).append(row)
    return {s: {p: _scores(r) for p, r in planners.items()} for s, planners in out.items()}


def _scores(rows: list[dict[str, Any]]) -> dict[str, Any]:
    real = [r for r in rows if r["real"]]
    null = [r for r in rows if not r["real"]]
    recovered = sum(r["recovered"] for r in real)
    values = [r["correlation"] for r in real if r["correlation"] is not None]
    won = [r for r in real if r["truth_nmse"] is not None and r["truth_nmse"] < PASSES]
    overlaps = [r["overlap"] for r in real if r["overlap"] is not None]
    return {
        "n": len(rows),
        "recovered": _share(recovered, len(real)),
        "recovered_ci": _wilson(recovered, len(real)),
        "agreement": _mean([r["agreement"].get("global", 0.0) for r in real]),
        "correlation": _mean(values),
        "ci": _interval(values),
        "floor": 0.0 if values else None,
        "ceiling": _mean([r["ceiling"] for r in real if r["ceiling"] is not None]),
        "find_passed": _share(sum(r["nmse"] < PASSES for r in won), len(won)),
        "exceptions_found": _share(sum(o > 0.9 for o in overlaps), len(overlaps)),
        "null_claimed": _share(sum(r["claimed"] for r in null), len(null)),
        "abstained": _share(sum(not r["claimed"] for r in real), len(real)),
        "failed": sum(bool(r["failed"]) for r in rows),
        "calibration": calibration(rows),
        "queries": _mean([r["queries"] for r in rows]),
        "seconds": _mean([r["seconds"] for r in rows]),
        "length": _mean([r["length"] for r in rows if r["claimed"]]),
        "by_kind": _by(real, "complexity"),
    }


def calibration(rows: Sequence[dict[str, Any]]) -> float | None:
    """Expected calibration error of what was claimed (Naeini et al. 2015).

    Stated confidence against the share recovered, in bins of a tenth; None if nothing was claimed.
    Fooled by one that always says the average.
    """
    claimed = [r for r in rows if r["claimed"]]
    if not claimed:
        return None
    total = 0.0
    for b in range(_BINS):
        inside = [r for r in claimed if min(int(r["confidence"] * _BINS), _BINS - 1) == b]
        if inside:
            said = sum(r["confidence"] for r in inside)
            total += abs(said - sum(r["recovered"] for r in inside))
    return total / len(claimed)


def _by(rows: list[dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    out = {}
    for value in sorted({r[key] for r in rows}):
        some = [r for r in rows if r[key] == value]
        out[value] = {
            "n": len(some),
            "recovered": _share(sum(r["recovered"] for r in some), len(some)),
        }
    return out


def show(found: dict[str, dict[str, dict[str, Any]]], console: Console) -> None:
    """Print a leaderboard for each suite, best first."""
    for suite, planners in found.items():
        table = Table(
            title=f"\n{suite}, {max(s['n'] for s in planners.values())} neurons",
            title_justify="left",
            box=None,
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        table.add_column("planner", no_wrap=True)
        told = [c for c in _COLUMNS if any(s[c[1]] is not None for s in planners.values())]
        for name, _key, _form in told:
            table.add_column(name, justify="right", no_wrap=True)
        ranked = sorted(planners.items(), key=lambda item: -(item[1]["recovered"] or 0.0))
        for planner, scores in ranked:
            table.add_row(planner, *(form(scores) for _name, _key, form in told))
        console.print(table)
    console.print(_LEGEND, style="dim")


def _number(key: str, digits: int = 2) -> Callable[[dict[str, Any]], str]:
    return lambda s: "-" if s[key] is None else _short(s[key], digits)


def _short(value: float, digits: int = 2) -> str:
    """Without the zero before the point, as tables of shares have it."""
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("0.") else text


def _with_interval(key: str, ci: str) -> Callable[[dict[str, Any]], str]:
    def form(s: dict[str, Any]) -> str:
        if s[key] is None or s[ci] is None:
            return "-"
        return f"{_short(s[key])} {_short(s[ci][0])}-{_short(s[ci][1])}"

    return form


_COLUMNS: tuple[tuple[str, str, Callable[[dict[str, Any]], str]], ...] = (
    ("recovered", "recovered", _with_interval("recovered", "recovered_ci")),
    ("agr.", "agreement", _number("agreement")),
    ("corr.", "correlation", _number("correlation")),
    ("FIND", "find_passed", _number("find_passed")),
    ("exc.", "exceptions_found", _number("exceptions_found")),
    ("null", "null_claimed", _number("null_claimed")),
    ("abst.", "abstained", _number("abstained")),
    ("cal.", "calibration", _number("calibration")),
    ("ask", "queries", _number("queries", 0)),
    ("s", "seconds", _number("seconds", 1)),
)
_LEGEND = (
    "recovered, with its 95% interval; agreement; correlation; FIND's own share; exceptions found; "
    "null units claimed; real ones abstained on; calibration error; inputs asked; seconds"
)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def _wilson(count: int, of: int) -> list[float] | None:
    """95% interval of a share (Wilson 1927)."""
    if not of:
        return None
    z, p = 1.96, count / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return [max(0.0, middle - half), min(1.0, middle + half)]


def _interval(values: Sequence[float]) -> list[float] | None:
    """95% bootstrap interval of a mean over neurons."""
    if not values:
        return None
    given = np.asarray(values)
    rng = np.random.default_rng(0)
    means = rng.choice(given, (_RESAMPLES, len(given))).mean(axis=1)
    return [float(q) for q in np.quantile(means, [0.025, 0.975])]
