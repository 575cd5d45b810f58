"""Where the search over the shape parameters of each form starts."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data


def none(_: Data) -> Array:
    """No shape."""
    return np.zeros((1, 0))


def table(*axes: Array) -> Array:
    """All combinations."""
    return np.array(list(product(*axes)))


def places(data: Data, count: int = 96) -> Array:
    """Places over the range."""
    low, high = float(data.x[0]), float(data.x[-1])
    return np.linspace(low, high, count) + 1e-3 * (high - low)


def span(data: Data) -> float:
    """Width of the range of inputs."""
    return float(data.x[-1] - data.x[0]) or 1.0


def kink(data: Data) -> Array:
    """Places of one kink."""
    return places(data)[:, None]


def pair(data: Data) -> Array:
    """Pairs of places, the lower first."""
    ends = places(data, 30)
    return np.array([(a, b) for a in ends for b in ends if a < b])


def rates(data: Data) -> Array:
    """Rates of growth and decay."""
    sizes = np.geomspace(0.3, 180, 40) / span(data)
    return np.concatenate([-sizes, sizes])[:, None]


def place_scale(data: Data) -> Array:
    """Places and widths."""
    return table(places(data, 49), span(data) * np.geomspace(0.002, 1.0, 14))


def place_square(data: Data) -> Array:
    """Places and squared widths."""
    return table(places(data, 49), (span(data) * np.geomspace(0.004, 0.5, 10)) ** 2)


def log_offset(data: Data) -> Array:
    """Places and what is added to the distance."""
    return table(places(data, 65), np.array([0.0, 0.1, 1.0, 3.0, 10.0, 30.0]))


def log_left(data: Data) -> Array:
    """Places below all inputs."""
    return np.asarray(data.x[0] - span(data) * np.geomspace(1e-5, 3, 30))[:, None]


def log_right(data: Data) -> Array:
    """Places above all inputs."""
    return np.asarray(data.x[-1] + span(data) * np.geomspace(1e-5, 3, 30))[:, None]


def powers(data: Data) -> Array:
    """Places and exponents."""
    return table(places(data, 65), np.array([-2, -1, -0.5, 0.33, 0.5, 0.7, 1.5, 2.5, 3, 3.5]))


def left_powers(data: Data) -> Array:
    """Places below all inputs, and exponents."""
    below = data.x[0] - span(data) * np.array([0, 1e-5, 1e-3, 0.01, 0.1])
    return table(below, np.array([0.2, 0.25, 0.333, 0.4, 0.6, 0.7, 1.5, 2.5]))


def poles(data: Data) -> Array:
    """Places of a pole, which may lie outside."""
    outer = span(data) * np.array([-1.0, -0.75, -0.55, 0.55, 0.75, 1.0])
    return np.concatenate([places(data, 257), outer + float(data.x.mean())])[:, None]


def waves(data: Data) -> Array:
    """Angular frequencies."""
    return data.peaks()[:, None]


def tangents(data: Data) -> Array:
    """Angular frequencies and phases."""
    peaks = data.peaks()
    rates = np.concatenate([peaks / 2, peaks])
    return table(rates, np.arange(0, np.pi, np.pi / 16))


def periods(data: Data) -> Array:
    """Periods by the periodogram."""
    peaks = data.peaks()
    rates = np.unique(np.concatenate([peaks, peaks / 2]))
    return np.asarray(2 * np.pi / rates)


def phased(data: Data, phases: int, *more: Array) -> Array:
    """Periods and phases, with more axes."""
    shapes = table(periods(data), np.arange(phases) / phases, *more)
    shapes[:, 1] *= shapes[:, 0]
    return shapes


def saw(data: Data) -> Array:
    """Places and periods."""
    return phased(data, 16)[:, ::-1]


def square(data: Data) -> Array:
    """Places, periods and widths."""
    shapes = phased(data, 16, np.array([0.2, 0.35, 0.5, 0.65, 0.8]))
    shapes[:, 2] *= shapes[:, 0]
    return np.concatenate([folded(data), shapes[:, [1, 0, 2]]])


def folded(data: Data) -> Array:
    """Square waves by folding: at the right period the two levels meet only twice in a turn."""
    levels, counts = np.unique(np.round(data.y, 9), return_counts=True)
    if data.sigma > 0 or len(levels) < 2:
        return np.zeros((0, 3))
    # A third level may be that of an exception.
    common = levels[np.argsort(-counts)[:3]]
    return np.concatenate([_folded(data, np.array(two)) for two in combinations(common, 2)])


def _folded(data: Data, two: Array) -> Array:
    """Square waves between two levels."""
    known = np.isin(np.round(data.y, 9), two)
    if known.mean() < 0.5:
        return np.zeros((0, 3))
    x, upper = data.x[known], np.round(data.y[known], 9) == two.max()
    rates = np.arange(0.005, 1.5, 0.0002)
    phases = x[None, :] * rates[:, None] % 1
    order = np.argsort(phases, axis=1)
    turned = upper[order]
    changes = (turned != np.roll(turned, 1, axis=1)).sum(1)
    found = []
    for n in np.argsort(changes, kind="stable")[:6]:
        phase, high = phases[n][order[n]], turned[n]
        edges = np.flatnonzero(high & ~np.roll(high, 1))
        widths = []
        for edge in edges:
            run = np.roll(high, -edge)
            length = int(np.argmin(run)) or len(run)
            end = phase[(edge + length) % len(run)] + phase[(edge + length - 1) % len(run)]
            start = phase[edge] + phase[edge - 1]
            if edge == 0:
                start -= 1
            if (edge + length) >= len(run):
                end += 1 if (edge + length) % len(run) == 0 else 2
            widths.append((length, start / 2, (end - start) / 2))
        if widths:
            _, start, width = max(widths)
            found.append((start / rates[n], 1 / rates[n], width / rates[n]))
    return np.array(found).reshape(-1, 3)


def stairs(data: Data) -> Array:
    """Phases and steps per unit."""
    rates = np.unique(np.concatenate([data.peaks() / (2 * np.pi), 1 / np.geomspace(2, 128, 24)]))
    return table(np.arange(0, 1, 1 / 16), rates)


def turning(shape: Array, data: Data) -> Array:
    """Steps of place, period and width: an eighth of a turn, at the far end for the period."""
    period = abs(shape[1])
    steps = [period / 16, min(period**2 / (1.5 * span(data)), period / 4), period / 8]
    return np.array(steps[: len(shape)])


def climbing(_: Array, data: Data) -> Array:
    """Steps of phase and rate."""
    return np.array([1 / 16, 1 / (1.5 * span(data))])


def lines(data: Data) -> Array:
    """Places of one break."""
    return places(data, 120)[:, None]


def damped(data: Data) -> Array:
    """Angular frequencies and rates of decay."""
    sizes = np.geomspace(0.5, 20, 6) / span(data)
    return table(data.peaks(), np.concatenate([-sizes, sizes]))


def chirps(data: Data) -> Array:
    """Frequencies of the square."""
    warped = Data(data.x**2, data.y, data.sigma)
    return (warped.peaks() / 4)[:, None]
