"""What to ask: the first design, and where a fit is still loose."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data, Mask
from hubel.agent.planners.numbers.scan import Fit

#: Inputs lie between minus and plus this.
REACH = 128.0
#: A jump or a border is known well enough when it is bracketed so closely.
CLOSE = 0.01
#: Outputs are smaller than this.
LARGEST = 1e100

Interval = tuple[float, float]


@dataclass
class Record:
    """Questions and answers so far.

    Attributes:
        x: Inputs asked, in order.
        y: Their outputs; nan where undefined.
    """

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)

    def add(self, inputs: list[float], outputs: list[float | None]) -> None:
        """Take in a batch; outputs whose squares would overflow count as undefined."""
        self.x += inputs
        self.y += [np.nan if y is None or not abs(y) < LARGEST else float(y) for y in outputs]

    def pairs(self) -> tuple[Array, Array]:
        """Inputs asked more than once, and the difference of their first two answers."""
        seen: dict[float, list[float]] = {}
        for x, y in zip(self.x, self.y, strict=True):
            seen.setdefault(x, []).append(y)
        twice = {x: ys[0] - ys[1] for x, ys in seen.items() if len(ys) > 1}
        twice = {x: d for x, d in sorted(twice.items()) if np.isfinite(d)}
        return np.array(list(twice)), np.array(list(twice.values()))

    def noise(self) -> float:
        """Standard deviation of answers to the same question."""
        seen: dict[float, list[float]] = {}
        for x, y in zip(self.x, self.y, strict=True):
            seen.setdefault(x, []).append(y)
        several = [np.array(ys) for ys in seen.values() if len(ys) > 1 and np.isfinite(ys).all()]
        squares = sum(float(np.sum((ys - ys.mean()) ** 2)) for ys in several)
        return float(np.sqrt(squares / max(sum(len(ys) - 1 for ys in several), 1)))

    def data(self, sigma: float, without: Interval | None = None) -> Data:
        """The answers as data; without noise each input once, noisy stretches left out."""
        x, y = np.array(self.x), np.array(self.y)
        if sigma == 0:
            _, first = np.unique(x, return_index=True)
            x, y = x[first], y[first]
        if without is not None:
            keep = (x < without[0]) | (x > without[1])
            x, y = x[keep], y[keep]
        known = np.isfinite(y)
        return Data(x[known], y[known], sigma, np.unique(x[~known]))


def first(count: int, rng: np.random.Generator) -> list[float]:
    """The first inputs: a jittered grid, a cluster around zero, a dense stretch off the centre.

    Args:
        count: How many.
        rng: Draws the jitter.
    """
    near, dense = int(0.2 * count), int(0.12 * count)
    grid = count - near - dense - 1
    cell = 2 * REACH / grid
    even = -REACH + cell * (np.arange(grid) + rng.uniform(0.05, 0.95, grid))
    sizes = np.geomspace(0.02, 30, near)
    around = sizes * np.where(np.arange(near) % 2, -1, 1)
    start = float(rng.uniform(25, 60)) * float(rng.choice([-1, 1]))
    row = start + np.cumsum(rng.uniform(0.05, 0.3, dense))
    return [0.0, *(float(x) for x in np.concatenate([even, around, row]))]


def spread(record: Record, count: int, rng: np.random.Generator) -> list[float]:
    """Known inputs to ask again, spread over the range."""
    x = np.unique(record.x)
    y = dict(zip(record.x, record.y, strict=True))
    x = np.array([value for value in x if np.isfinite(y[value])])
    if not len(x):
        return []
    edges = np.linspace(-REACH, REACH, count + 1)
    middles = (edges[1:] + edges[:-1]) / 2 + rng.uniform(-3, 3, count)
    return sorted({float(x[np.argmin(np.abs(x - middle))]) for middle in middles})


def gaps(record: Record, count: int, rng: np.random.Generator) -> list[float]:
    """New inputs where the widest gaps are."""
    x = np.unique([-REACH, *record.x, REACH])
    found: list[float] = []
    for _ in range(count):
        widths = np.diff(x)
        n = int(np.argmax(widths))
        value = float(x[n] + widths[n] * rng.uniform(0.35, 0.65))
        found.append(value)
        x = np.insert(x, n + 1, value)
    return found


def grid(count: int, rng: np.random.Generator) -> Array:
    """Inputs over the whole range, its ends among them."""
    inner = np.linspace(-REACH, REACH, count) + rng.uniform(-0.4, 0.4, count) * 2 * REACH / count
    inner[0], inner[-1] = -REACH, REACH
    return np.asarray(inner)


def widest(record: Record) -> float:
    """The widest gap between inputs that were asked."""
    return float(np.diff(np.unique([-REACH, *record.x, REACH])).max())


def jumps(fit: Fit, data: Data, most: int) -> list[float]:
    """Inputs that halve the brackets of jumps: the outermost first, then the widest."""
    x = data.x
    if len(x) < 3:
        return []
    inner = np.linspace(x[:-1], x[1:], 13)
    values = fit(inner)
    moves = np.abs(np.diff(values, axis=0))
    moves[~np.isfinite(moves)] = 0
    total, top = moves.sum(0), moves.max(0)
    weight = (data.w[:-1] + data.w[1:]) / 2
    # A jump is one step that is far above the other steps between the same neighbours.
    others = (total - top) / 11
    found = (top > 6 * others) & (top * weight > 1e-3) & (np.diff(x) > CLOSE)
    where = np.flatnonzero(found)
    if not len(where):
        return []
    # The outermost hold the period and the width; the others follow from them.
    ends = [where[n] for n in (0, -1, 1, -2) if -len(where) <= n < len(where)]
    order = [*ends, *sorted(where, key=lambda n: -(x[n + 1] - x[n]))]
    unique = list(dict.fromkeys(int(n) for n in order))[:most]
    return [float((x[n] + x[n + 1]) / 2) for n in unique]


def borders(inside: Mask, data: Data, most: int) -> list[float]:
    """Inputs that halve the brackets between what a fit explains and what it does not."""
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    edges = np.array([n for n in edges if data.x[n + 1] - data.x[n] > CLOSE], dtype=int)
    return [float((data.x[n] + data.x[n + 1]) / 2) for n in edges[:most]]
