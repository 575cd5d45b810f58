"""What is said in the end: a law with its exceptions, a line, or nothing; and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.numbers.ask import REACH, Interval
from hubel.agent.planners.numbers.data import Array, Data, Mask
from hubel.agent.planners.numbers.expr import (
    Expr,
    simplified,
    size,
    uses_input,
    written,
)
from hubel.agent.planners.numbers.outside import Line, line, predictable
from hubel.agent.planners.numbers.parts import NARROW
from hubel.agent.planners.numbers.scan import Fit
from hubel.agent.planners.numbers.snap import snapped
from hubel.agent.planners.numbers.sure import confident
from hubel.agent.planners.numbers.wording import worded

#: Longest source that is handed in.
LENGTH = 700


@dataclass
class State:
    """All that an explorer knows when it stops.

    Attributes:
        data: The answers outside noisy stretches.
        everything: All answers.
        fits: Best first.
        noisy: A stretch in which answers are noise.
        tested: Fresh questions that the best fit of the time predicted.
        missed: How many of those it got wrong.
        asked: Questions asked.
        rng: For cross-validation.
    """

    data: Data
    everything: Data
    fits: list[Fit]
    noisy: Interval | None
    tested: int
    missed: int
    asked: int
    rng: np.random.Generator


def verdict(state: State) -> Finding:
    """What was found."""
    data = state.data
    if len(data.x) < 4 or not state.fits:
        return _nothing("It is undefined nearly everywhere.", state, 0.9)
    best = plainest(state.fits, data)
    reason = _null(best, state)
    if reason:
        return _nothing(reason, state, 0.95)
    if not fits_well(best, data):
        rough = line(data)
        if _lineworthy(best, rough, data):
            return _outlined(rough, state)
    return _law(snapped(best, data), state)


def plainest(fits: list[Fit], data: Data) -> Fit:
    """The best fit; where none is exact, the shortest of those that are near enough.

    A network that stands in for a law is met by no law exactly, and the answers without noise would
    always pay for one term more.
    """
    best = fits[0]
    if data.sigma > 0 or best.exact(data):
        return best
    near = max(3 * best.scale, 0.02)
    enough = [fit for fit in fits if fit.scale <= near and fit.inside.mean() > 0.9]
    return min(enough or [best], key=lambda fit: 2 * len(fit.params) + size(fit.expr))


def _nothing(why: str, state: State, confidence: float) -> Finding:
    return Finding(None, f"Nothing found: {why}", confidence, about=_about(state))


def _about(state: State) -> dict[str, object]:
    rivals = [
        {"form": fit.name, "nats": round(fit.cost, 1), "residual": round(fit.scale, 9)}
        for fit in state.fits[:4]
    ]
    return {
        "noise_sd": state.data.sigma,
        "rivals": rivals,
        "predicted": state.tested - state.missed,
        "tested": state.tested,
        "asked": state.asked,
    }


def _null(fit: Fit, state: State) -> str | None:
    """Why there is nothing to be found; None if there may be something."""
    data = state.data
    values, counts = np.unique(np.round(data.y, 9), return_counts=True)
    usual, share = float(values[np.argmax(counts)]), float(counts.max()) / len(data.y)
    if data.sigma == 0 and share == 1 and usual == 0:
        return "it is always 0."
    if data.sigma == 0 and 0.85 < share < 1 and state.noisy is None:
        rare = np.abs(data.y - usual) > 1e-9
        lawful = fit.exact(data) and bool(fit.inside.all()) and rare.sum() > 3
        if not (lawful and fit.expr[0] != "where") and not _one_stretch(rare, data):
            return f"it is {usual:g} nearly always, with rare values elsewhere."
    # Few rare values are met by a wave of some period, wherever they are.
    if state.noisy is not None and (share > 0.85 or not uses_input(fit.expr)):
        everything = state.everything
        held = (everything.x >= state.noisy[0]) & (everything.x <= state.noisy[1])
        if held.any() and np.mean(np.abs(everything.y[held] - usual) > 1e-9) < 0.7:
            return f"it is {usual:g} nearly always, with rare values at random moments."
    if data.sigma == 0 and len(data.x) < 0.5 * len(state.everything.x) and state.noisy is None:
        return "its answers do not repeat."
    return _lawless(fit, state)


def _lawless(fit: Fit, state: State) -> str | None:
    data = state.data
    flat = Data.cost(data, np.full(len(data.x), float(np.median(data.y))))[0]
    mean, spread = float(np.mean(data.y)), float(np.std(data.y))
    if data.sigma > 0 and fit.cost > flat - 10:
        if abs(mean) > 4 * spread:
            return None
        return "its outputs vary as much at one input as between inputs."
    poor = data.sigma == 0 and not fit.exact(data) and _unsure(fit, data)
    if poor and predictable(data, state.rng) < 0.2:
        return "its outputs repeat, but no input tells of its neighbour."
    return None


def _unsure(fit: Fit, data: Data) -> bool:
    """Does the fit explain little of the variance?"""
    wrong = np.clip(np.nan_to_num((fit(data.x) - data.y) * data.w, nan=3.0), -3, 3)
    around = np.clip((data.y - np.median(data.y)) * data.w, -3, 3)
    return bool(np.mean(wrong**2) > 0.4 * np.mean(around**2))


def _one_stretch(mask: Mask, data: Data) -> bool:
    """Are the true values neighbours of each other, over more than a spike is wide?"""
    where = np.flatnonzero(mask)
    if len(where) < 4 or data.x[where[-1]] - data.x[where[0]] < NARROW / 2:
        return False
    return float(np.mean(mask[where[0] : where[-1] + 1])) > 0.5


def fits_well(fit: Fit, data: Data) -> bool:
    """Is it exact on most answers?"""
    return fit.exact(data) and float(fit.inside.mean()) > 0.6


def _lineworthy(fit: Fit, rough: Line, data: Data) -> bool:
    """Does a line through knots say more than the best form, which is not good enough itself?"""
    if fit.scale < 0.03 and fit.inside.mean() > 0.9 and data.sigma == 0:
        return False
    return rough.cost < fit.cost - 10


def _outlined(rough: Line, state: State) -> Finding:
    text = (
        f"No form of mine is its law; a line through {len(rough.at)} knots follows it, "
        f"with residuals of {rough.scale * state.data.unit:.3g}."
    )
    sure = confident(rough, (), state.data, state.fits, state.rng)
    return Finding(rough.code(), text, sure, outside=sure < 0.5, about=_about(state))


def _law(fit: Fit, state: State) -> Finding:
    data = state.data
    exceptions = exceptional(fit, state)
    whole = simplified(fit.expr, list(fit.params))
    body = written(whole)
    # Chance in a stretch is no fault of the law; a stretch that has a law of its own is missed.
    chance = exceptions if state.noisy is not None else ()
    unknown = not chance and bool(_leftover(fit, data))
    if chance or unknown:
        low, high = exceptions[0]
        held = (state.everything.x >= low) & (state.everything.x <= high)
        usual = float(np.mean(state.everything.y[held])) if held.any() else 0.0
        body = f"{body} if x < {low:.6g} or x > {high:.6g} else {usual:.6g}"
    code = f"def f(x):\n    return {body}\n"
    if "math." in code:
        code = f"import math\n\n{code}"
    confidence = confident(fit, chance, data, state.fits, state.rng)
    outside = data.sigma == 0 and not fit.exact(data) and fit.scale > 0.1
    if len(code) > LENGTH:
        return _outlined(line(data), state)
    text = worded(fit, whole, exceptions, data)
    if unknown:
        text += " What holds there is no form of mine: its mean stands for it."
    return Finding(code, text, confidence, exceptions, outside, _about(state))


def _where(expr: Expr) -> bool:
    return bool(expr[0] == "where" and expr[1][0] == "between")


def exceptional(fit: Fit, state: State) -> tuple[Interval, ...]:
    """Stretches in which another law holds, or noise."""
    data = state.data
    if state.noisy is not None:
        return (_noisy_ends(fit, state),)
    left = _leftover(fit, data)
    if left or data.sigma > 0 or not _where(fit.expr):
        return left
    low, high = (float(fit.params[part[1]]) for part in fit.expr[1][2:4])
    return (_widened(low, high, fit, data) if fit.exact(data) else (low, high),)


def _widened(low: float, high: float, fit: Fit, data: Data) -> Interval:
    """The stretch with the answers next to it that neither of its laws explains."""
    x, held = data.x, np.flatnonzero((data.x >= low) & (data.x <= high))
    if not len(held):
        return (low, high)
    n, m = int(held[0]), int(held[-1])
    while n > 0 and not fit.inside[n - 1]:
        n -= 1
    while m < len(x) - 1 and not fit.inside[m + 1]:
        m += 1
    wider = _ends(x, n, m)
    return (wider[0] if n < held[0] else low, wider[1] if m > held[-1] else high)


def _ends(x: Array, n: int, m: int) -> Interval:
    """Ends of the stretch from the nth to the mth answer, half way to their neighbours."""
    low = -REACH if n == 0 else float((x[n - 1] + x[n]) / 2)
    high = REACH if m == len(x) - 1 else float((x[m] + x[m + 1]) / 2)
    return (low, high)


def _leftover(fit: Fit, data: Data) -> tuple[Interval, ...]:
    """The stretch that an exact law does not explain, if there is one."""
    if not fit.exact(data) or fit.inside.all() or not _one_stretch(~fit.inside, data):
        return ()
    where = np.flatnonzero(~fit.inside)
    return (_ends(data.x, int(where[0]), int(where[-1])),)


def _noisy_ends(fit: Fit, state: State) -> Interval:
    """The ends of the noisy stretch, by what the law does not explain."""
    if state.noisy is None:
        return (0.0, 0.0)
    everything = state.everything
    x = everything.x
    wrong = ~(np.abs(fit(x) - everything.y) * everything.w <= 1e-4)
    inside = np.flatnonzero(wrong & (x >= state.noisy[0] - 3) & (x <= state.noisy[1] + 3))
    if not len(inside):
        return state.noisy
    return _ends(x, int(inside[0]), int(inside[-1]))
