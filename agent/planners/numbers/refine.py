"""Fits carried over to new answers: judged again, polished, and their jumps moved a little."""

from __future__ import annotations

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data
from hubel.agent.planners.numbers.expr import evaluate
from hubel.agent.planners.numbers.roles import jumping
from hubel.agent.planners.numbers.scan import Fit, judged, polished


def refreshed(fits: list[Fit], data: Data, keep: int = 24) -> list[Fit]:
    """Fits judged on new answers, and polished again; best first."""
    again = [judged(fit.name, fit.expr, fit.params, data) for fit in fits]
    again = sorted(again, key=lambda fit: fit.cost)[:keep]
    again[:2] = [polished(fit, data, rounds=2) for fit in again[:2]]
    again.sort(key=lambda fit: fit.cost)
    again[:1] = [moved(fit, data) for fit in again[:1]]
    return again


def moved(fit: Fit, data: Data, rounds: int = 10) -> Fit:
    """The fit with its jumps moved a little, if that explains more."""
    moving = sorted(jumping(fit.expr))
    if not moving or fit.inside.all() or fit.inside.mean() < 0.8:
        return fit
    rng = np.random.default_rng(len(data.x))
    best, before = fit, np.inf
    step = np.array([looseness(fit, n, data) for n in moving])
    for turn in range(rounds):
        for _ in range(30):
            params = best.params.copy()
            some = rng.random(len(moving)) < 0.6
            params[moving] += step * 0.6**turn * rng.normal(size=len(moving)) * some
            tried = judged(fit.name, fit.expr, centred(fit, params, data), data)
            if tried.cost < best.cost:
                best = tried
        if best.inside.all() or (turn > 3 and best.cost > before - 1):
            break
        before = best.cost
    return polished(best, data, rounds=1)


def centred(fit: Fit, params: Array, data: Data) -> Array:
    """The parameters with the constant, where a law ends with one, at the middle of what is left.

    A saw moved sideways is moved up as well, so its place alone cannot be searched.
    """
    if fit.expr[0] == "add" and fit.expr[2][0] == "p":
        left = data.y - evaluate(fit.expr, data.x, list(params))
        params[fit.expr[2][1]] += float(np.median(np.nan_to_num(left)))
    return params


def looseness(fit: Fit, index: int, data: Data, few: float = 0.1) -> float:
    """How far a parameter may be off: what moves the predictions of few answers."""
    value = fit.params[index]
    step = 0.02 * max(abs(float(value)), 1e-3)
    now = fit(data.x)
    loud = (0.5 if data.sigma > 0 else 10) * max(fit.scale, data.floor)
    for _ in range(12):
        params = fit.params.copy()
        params[index] += step
        then = evaluate(fit.expr, data.x, list(params))
        off = np.nan_to_num(then - now)
        off = off - np.median(off) if data.sigma == 0 else off
        far = np.abs(off) * data.w > loud
        if far.mean() < few:
            return float(step)
        step /= 2
    return float(step)
