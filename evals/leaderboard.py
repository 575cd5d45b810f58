"""The benchmark's results put together: shares with intervals, by suite and planner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hubel.evals.calibration import Rows, calibration, calibration_by_chance
from hubel.evals.intervals import of_difference, of_mean, wilson

#: FIND's own threshold on the normalised error.
PASSES = 0.1
#: Overlap with the true exceptions above which they count as found.
_OVERLAPS = 0.9
#: The group of rows that have no value where others have one (no noise was added).
_NONE = "none"

Board = dict[str, dict[str, dict[str, Any]]]


def board(rows: Iterable[dict[str, Any]]) -> Board:
    """Suite -> planner -> its scores.

    Each planner has ``versus``: what it is ahead of each other planner, on the neurons that both
    explained, as ``[difference, low, high]`` with a paired interval. Costs are means over neurons,
    None where nothing of the kind was spent.

    Args:
        rows: Results, as `hubel.evals.bench.run` gives them.
    """
    out: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        out.setdefault(row["suite"], {}).setdefault(row["planner"], []).append(row)
    return {
        suite: {
            planner: _scores(held)
            | {"versus": {p: versus(held, r) for p, r in planners.items() if p != planner}}
            for planner, held in planners.items()
        }
        for suite, planners in out.items()
    }


def _scores(rows: Rows) -> dict[str, Any]:
    # Lawful, but beyond what forms can say: of those, to say so is right.
    beyond = [r for r in rows if r["real"] and r.get("beyond")]
    real = [r for r in rows if r["real"] and not r.get("beyond")]
    null = [r for r in rows if not r["real"]]
    recovered = known(real, "recovered")  # nobody can know it of a real channel
    values = known(real, "correlation")
    won = [r for r in real if r["truth_nmse"] is not None and r["truth_nmse"] < PASSES]
    overlaps = known(real, "overlap")
    return {
        "n": len(rows),
        "recovered": _share(sum(recovered), len(recovered)),
        "recovered_ci": wilson(sum(recovered), len(recovered)),
        "agreement": _mean([r["agreement"].get("global", 0.0) for r in real if r["agreement"]]),
        "correlation": _mean(values),
        "rank_correlation": _mean(known(real, "rank_correlation")),
        "ci": of_mean(values),
        "floor": 0.0 if values else None,
        "ceiling": _mean(known(real, "ceiling")),
        "find_passed": _share(sum(r["nmse"] < PASSES for r in won), len(won)),
        "exceptions_found": _share(sum(o > _OVERLAPS for o in overlaps), len(overlaps)),
        "exceptions_false": _mean(known(real, "false_exception")),
        "unit_test": _mean(known(real, "unit_test")),
        "indicator": _mean(known(real, "indicator")),
        "named": _mean(known(real, "named")),
        "parts": _mean(known(real, "parts")),
        "precision": _mean(known(real, "precision")),
        "null_claimed": _share(sum(r["claimed"] for r in null), len(null)),
        "null_n": len(null),
        "abstained": _share(sum(not r["claimed"] for r in real), len(real)),
        "outside": _share(sum(r["outside"] for r in real), len(real)),
        "beyond_flagged": _share(sum(r["outside"] for r in beyond), len(beyond)),
        "beyond_n": len(beyond),
        "beyond_surest": max(known(beyond, "confidence"), default=None),
        "failed": sum(bool(r["failed"]) for r in rows),
        "calibration": calibration(rows),
        "calibration_chance": calibration_by_chance(rows),
        "budget": _budget(rows),
        "queries": _mean(known(rows, "queries")),
        "pictures": _mean(known(rows, "pictures")),
        "seconds": _mean(known(rows, "seconds")),
        "tokens": _mean(known(rows, "tokens")),
        "dollars": _mean(known(rows, "dollars")),
        "length": _mean(known([r for r in rows if r["claimed"]], "length")),
        "by_kind": _by(real, "kind"),
        "by_complexity": _by(real, "complexity"),
        "by_snr": _by(real, "snr"),
    }


def versus(ours: Rows, theirs: Rows) -> dict[str, Any]:
    """What one planner is ahead of another, on the real neurons that both explained.

    Args:
        ours: Rows of one planner in a suite.
        theirs: Rows of another, in the same.

    Returns:
        ``n`` neurons, ``recovered`` and ``correlation`` as ``[difference, low, high]`` (None where
        there is no such score), ``queries``: how many more inputs it asked on average, and
        ``matched``: whether both were allowed as many.
    """
    other = {r["number"]: r for r in theirs if r["real"]}
    both = [(r, other[r["number"]]) for r in ours if r["real"] and r["number"] in other]

    def ahead(key: str) -> list[float] | None:
        pairs = [(a[key], b[key]) for a, b in both if a[key] is not None and b[key] is not None]
        return of_difference([float(a) for a, _ in pairs], [float(b) for _, b in pairs])

    return {
        "n": len(both),
        "recovered": ahead("recovered"),
        "correlation": ahead("correlation"),
        "queries": _mean([a["queries"] - b["queries"] for a, b in both]),
        "matched": _budget(ours) is not None and _budget(ours) == _budget(theirs),
    }


def known(rows: Rows, key: str) -> list[Any]:
    """The values of a column, where rows have one."""
    return [r[key] for r in rows if r.get(key) is not None]


def _by(rows: Rows, key: str) -> dict[str, dict[str, Any]]:
    """Scores for each value of a column; empty where no row has one."""
    out = {}
    values = sorted(set(known(rows, key)), key=_order)
    missing = [_NONE] if values and any(r.get(key) is None for r in rows) else []
    for value in [*missing, *values]:
        some = [r for r in rows if (_NONE if r.get(key) is None else r[key]) == value]
        right = known(some, "recovered")
        out[value if isinstance(value, str) else f"{value:g}"] = {
            "n": len(some),
            "recovered": _share(sum(right), len(right)),
            "ci": wilson(sum(right), len(right)),
            "correlation": _mean(known(some, "correlation")),
            "rank_correlation": _mean(known(some, "rank_correlation")),
            "abstained": _share(sum(not r["claimed"] for r in some), len(some)),
            "outside": _share(sum(r["outside"] for r in some), len(some)),
            "calibration": calibration(some),
            "calibration_chance": calibration_by_chance(some),
        }
    return out


def _order(value: str | float) -> tuple[float, str]:
    """Numbers from large to small (little noise first), words by the alphabet."""
    return (0.0, value) if isinstance(value, str) else (-value, "")


def _budget(rows: Rows) -> int | None:
    """Inputs that could be asked of each neuron; None where that is not one number."""
    held = {r.get("budget") for r in rows}
    return held.pop() if len(held) == 1 else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def ranked(planners: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Planners with their scores, best first."""
    return sorted(
        planners.items(),
        key=lambda item: tuple(
            -(item[1][score] or 0.0) for score in ("recovered", "agreement", "correlation")
        ),
    )
