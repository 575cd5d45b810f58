"""Stated confidence against what was right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hubel.evals.intervals import wilson

_BINS = 10

Rows = Sequence[dict[str, Any]]


def bins(rows: Rows) -> list[dict[str, Any]]:
    """What was claimed, in tenths of stated confidence: how many, what was said, what was right."""
    out = []
    for inside in _binned(rows):
        right = sum(bool(r["recovered"]) for r in inside)
        out.append(
            {
                "n": len(inside),
                "said": float(np.mean([r["confidence"] for r in inside])),
                "right": right / len(inside),
                "ci": wilson(right, len(inside)),
            }
        )
    return out


def _binned(rows: Rows) -> list[Rows]:
    """What was claimed, by tenths of stated confidence that are not empty."""
    claimed = [r for r in rows if r["claimed"] and r["confidence"] is not None]
    tenth = [min(int(r["confidence"] * _BINS), _BINS - 1) for r in claimed]
    some = ([r for r, t in zip(claimed, tenth, strict=True) if t == b] for b in range(_BINS))
    return [inside for inside in some if inside]


def calibration(rows: Rows) -> float | None:
    """Expected calibration error of what was claimed (Naeini et al. 2015).

    Stated confidence against the share recovered, in bins of a tenth; None if nothing was claimed.
    Fooled by one that always says the average.
    """
    held = bins(rows)
    total = sum(b["n"] for b in held)
    return sum(b["n"] * abs(b["said"] - b["right"]) for b in held) / total if total else None


def calibration_by_chance(rows: Rows) -> float | None:
    """The calibration error to expect of one that says the same and is right just so often.

    The error is never below zero, so few claims have one by luck alone (Roelofs et al. 2022,
    "Mitigating Bias in Calibration Error Estimation"); an error near this says nothing against the
    planner. None if nothing was claimed.
    """
    said = [[r["confidence"] for r in inside] for inside in _binned(rows)]
    total = sum(len(some) for some in said)
    return sum(_astray(np.array(some)) for some in said) / total if total else None


def _astray(odds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Mean distance of how many of independent events come true from how many are expected."""
    chances = np.ones(1)
    for p in odds:
        chances = np.convolve(chances, [1 - p, p])
    return float(chances @ np.abs(np.arange(len(chances)) - odds.sum()))
