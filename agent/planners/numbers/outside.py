"""When no form is the law: a short line through a few knots, and how well such a line predicts."""

from __future__ import annotations

import numpy as np

from hubel.agent.planners.numbers.data import PARAMETER, Array, Data

#: Knots that a line may have: more would be a table.
KNOTS = 14


class Line:
    """A continuous line through knots.

    Attributes:
        at: Places of the knots, shape (k,).
        values: Their heights, shape (k,).
        cost: Description length of the answers and of the line, nats.
        scale: Residuals, in units of `Data.unit`.
    """

    def __init__(self, at: Array, values: Array) -> None:
        self.at, self.values = at, values
        self.cost, self.scale = np.inf, np.inf

    def __call__(self, x: Array) -> Array:
        """Values at inputs of shape (n,)."""
        return np.interp(x, self.at, self.values)

    def code(self) -> str:
        """Python source that defines ``f(x)``."""
        knots = ", ".join(f"({a:.5g}, {v:.5g})" for a, v in zip(self.at, self.values, strict=True))
        return (
            "def f(x):\n"
            f"    knots = [{knots}]\n"
            "    for (a, u), (b, v) in zip(knots, knots[1:]):\n"
            "        if x <= b:\n"
            "            return u + (v - u) * (x - a) / (b - a)\n"
            f"    return {self.values[-1]:.5g}\n"
        )


def line(data: Data, most: int = KNOTS, reach: float = 128.0) -> Line:
    """The line with the shortest description, knots added where they help most.

    Args:
        data: The answers.
        most: Knots at most.
        reach: The first and the last knot lie at minus and plus this.
    """
    at = np.array([-reach, reach])
    best = _through(data, at)
    current = best
    places = np.unique(np.quantile(data.x, np.linspace(0.01, 0.99, 60)))
    while len(at) < most:
        room = [place for place in places if np.abs(at - place).min() > 0.4]
        if not room:
            break
        tries = [_through(data, np.sort(np.append(at, place))) for place in room]
        current = min(tries, key=lambda tried: tried.cost)
        at = current.at
        if current.cost < best.cost:
            best = current
    return best


def _through(data: Data, at: Array) -> Line:
    """Heights at given places by least squares, with its description length."""
    where = np.clip(np.searchsorted(at, data.x) - 1, 0, len(at) - 2)
    part = (data.x - at[where]) / (at[where + 1] - at[where])
    design = np.zeros((len(data.x), len(at)))
    rows = np.arange(len(data.x))
    design[rows, where] = 1 - part
    design[rows, where + 1] = part
    weight = np.full(len(data.x), 1 / data.unit)
    heights = np.linalg.lstsq(design * weight[:, None], data.y * weight, rcond=1e-8)[0]
    found = Line(at, np.asarray(heights, dtype=np.float64))
    nats, found.scale, _ = data.cost(found(data.x))
    found.cost = nats + 2 * PARAMETER * len(at)
    return found


def predictable(data: Data, rng: np.random.Generator, folds: int = 5) -> float:
    """Share of the variance of left-out answers that their neighbours predict, at most 1.

    Ranks stand for outputs, so that one spike does not decide. Near zero or below: nothing lawful.
    """
    if len(data.x) < 10 or np.ptp(data.y) == 0:
        return 0.0
    y = np.argsort(np.argsort(data.y)).astype(float)
    fold = rng.integers(folds, size=len(y))
    width = 3.0 if data.sigma == 0 else 8.0
    wrong = np.zeros(len(y))
    for n in range(folds):
        kept = fold != n
        apart = np.abs(data.x[~kept][:, None] - data.x[kept][None, :])
        weight = np.exp(-0.5 * (apart / width) ** 2) + 1e-12
        wrong[~kept] = y[~kept] - weight @ y[kept] / weight.sum(1)
    return float(1 - np.mean(wrong**2) / np.var(y))


def straight(data: Data) -> bool:
    """Do close answers lie on straight lines, of a different slope in many places?"""
    slopes = []
    for n in range(len(data.x) - 3):
        x, y = data.x[n : n + 4], data.y[n : n + 4]
        if x[-1] - x[0] > 1.5 or x[-1] - x[0] < 0.2:
            continue
        slope = np.polyfit(x - x[0], y, 1)
        wrong = np.abs(np.polyval(slope, x - x[0]) - y).max()
        if wrong > 1e-5 * data.unit:
            slopes.append(np.nan)
        elif abs(slope[0]) * (x[-1] - x[0]) > 1e-3 * data.unit:
            slopes.append(float(slope[0]))
    found = np.array(slopes)
    if len(found) < 5 or float(np.isfinite(found).mean()) < 0.6:
        return False
    known = np.sort(found[np.isfinite(found)])
    return int(np.sum(np.diff(known) > 1e-3 * np.abs(known).max())) >= 3
