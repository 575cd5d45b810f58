"""Straight pieces, and laws that hold but for the stretch between two breaks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data, Mask
from hubel.agent.planners.numbers.expr import Expr, X, k, p
from hubel.agent.planners.numbers.scan import Fit, judged, polished

#: Answers that a straight piece must hold, and pieces of a law at most.
LEAST, MOST = 4, 5
#: Share of the answers that must lie on straight pieces.
COVERED = 0.97
#: A step is a jump if it is so far beyond the slopes beside it, between inputs so close.
LEAP, SHARP = 0.02, 0.06
#: Where more steps than these look like jumps, something repeats or nothing is lawful.
MANY = 16


def bends(data: Data) -> Iterator[Fit]:
    """The law of a few straight pieces, which meet or jump, if all answers lie on such pieces."""
    runs = _straight(data, MOST + 1)
    if not 3 <= len(runs) <= MOST or sum(map(len, runs)) < COVERED * len(data.x):
        return
    lines = [np.polyfit(data.x[part], data.y[part], 1) for part in runs]
    # The first line, then at each break what is added to the slope and to the height.
    expr: Expr = ("add", ("mul", p(0), X), p(1))
    params = [float(lines[0][0]), float(lines[0][1])]
    for n in range(1, len(runs)):
        before, after = lines[n - 1], lines[n]
        low, high = float(data.x[runs[n - 1][-1]]), float(data.x[runs[n][0]])
        slope, height = after - before
        meet = -height / slope if abs(slope) > 1e-12 else np.inf
        at = len(params)
        if low - 0.01 <= meet <= high + 0.01:
            expr = ("add", expr, ("mul", p(at + 1), ("max", ("sub", X, p(at)), k(0))))
            params += [float(meet), float(slope)]
        else:
            rest = ("add", ("mul", p(at + 1), X), p(at + 2))
            expr = ("add", expr, ("where", ("less", X, p(at)), k(0), rest))
            params += [(low + high) / 2, float(slope), float(height)]
    fit = judged(f"{len(runs)} straight pieces", expr, np.array(params), data)
    yield polished(fit, data)


def longest_straight(data: Data, most: int) -> Iterator[Mask]:
    """The widest runs of answers on one line."""
    runs = _straight(data, len(data.x))
    for run in sorted(runs, key=lambda run: data.x[run[0]] - data.x[run[-1]])[:most]:
        stretch = np.zeros(len(data.x), dtype=bool)
        stretch[run] = True
        yield stretch


def excess(data: Data) -> Array:
    """How far each step between neighbours is beyond what the slopes beside it explain.

    Returns:
        Weighted differences, shape (n - 1,); below 0 where the slopes explain the step.
    """
    if len(data.x) < 3:
        return np.zeros(max(len(data.x) - 1, 0))
    wide = np.diff(data.x) + 1e-9
    moves = np.abs(np.diff(data.y)) * (data.w[1:] + data.w[:-1]) / 2
    slopes = np.pad(moves / wide, 1)
    return np.asarray(moves - 2 * wide * np.maximum(slopes[:-2], slopes[2:]))


def sharp(data: Data) -> Mask:
    """Which steps between neighbours are jumps: beyond the slopes beside them, and narrow."""
    return (excess(data) > LEAP) & (np.diff(data.x) < SHARP)


def leaps(data: Data, most: int) -> list[int]:
    """Steps between neighbours that may be jumps, from left to right.

    The largest sharp ones; where there are not two, those that stand out among their neighbours.
    """
    moves = np.abs(np.diff(data.y)) * (data.w[1:] + data.w[:-1]) / 2
    sure = sharp(data)
    if sure.sum() > 1:
        return sorted(np.argsort(np.where(sure, -moves, 0))[: min(most, int(sure.sum()))])
    usual = np.array([np.median(moves[max(0, n - 5) : n + 6]) for n in range(len(moves))])
    return sorted(np.argsort(np.where(sure, -np.inf, -moves / (usual + 1e-3)))[:most])


def leaping(data: Data, most: int) -> list[float]:
    """Inputs that halve the brackets of what may be a jump; none where jumps are many.

    A jump is as high in a bracket of half the width; a slope is not.
    """
    beyond = excess(data)
    found = np.flatnonzero(beyond > LEAP)
    if len(found) > MANY:
        return []
    order = found[np.argsort(-beyond[found])][:most]
    x = data.x
    return [float((x[n] + x[n + 1]) / 2) for n in order if x[n + 1] - x[n] >= SHARP]


def _straight(data: Data, most: int) -> list[list[int]]:
    """Runs of answers on one line, from the left each as long as can be."""
    runs: list[list[int]] = []
    n, count = 0, len(data.x)
    while n <= count - LEAST:
        end = n + LEAST
        if not _on_line(data, n, end):
            n += 1
            continue
        while end < count and _on_line(data, n, end + 1):
            end += 1
        runs.append(list(range(n, end)))
        n = end
        if len(runs) == most:
            break
    return runs


def _on_line(data: Data, start: int, end: int) -> bool:
    x, y = data.x[start:end], data.y[start:end]
    (slope, height) = np.polyfit(x - x[0], y, 1)
    wrong = np.abs(slope * (x - x[0]) + height - y) * data.w[start:end]
    return bool(wrong.max() < 1e-7)


def stretches(fit: Fit, data: Data) -> Iterator[Mask]:
    """What lies between two breaks of a law: there may be an exception from a plainer one."""
    places = sorted(set(_breaks(fit.expr, fit.params)))
    for low, high in combinations(places, 2):
        stretch = (data.x >= low) & (data.x <= high)
        if high - low <= 0.4 * (data.x[-1] - data.x[0]):
            yield stretch


def _breaks(expr: Expr, params: Array) -> list[float]:
    """Places at which the expression says so another one holds."""
    if expr[0] in ("x", "p", "k"):
        return []
    found = []
    if expr[0] in ("less", "between") and expr[1] == X:
        found = [float(params[part[1]]) for part in expr[2:] if part[0] == "p"]
    if expr[0] == "max" and expr[1][0] == "sub" and expr[1][1] == X and expr[1][2][0] == "p":
        found = [float(params[expr[1][2][1]])]
    return found + [place for part in expr[1:] for place in _breaks(part, params)]
