"""What noise leaves open: laws drawn from the posterior, where to ask next, and how sure to be.

Parameters are drawn by walkers that stretch towards each other (Goodman & Weare 2010), since their
steps need no scale; forms are drawn by their description length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data
from hubel.agent.planners.numbers.expr import evaluate, parameters
from hubel.agent.planners.numbers.refine import looseness
from hubel.agent.planners.numbers.roles import jumping
from hubel.agent.planners.numbers.scan import Fit

#: Rival forms that are drawn from, and nats behind the best beyond which none is.
RIVALS, BEHIND = 6, 12.0
#: Nats count so much less between forms, since the law may be none of them.
TEMPER = 0.5
#: Walkers of a form, their steps, and laws that are kept of all forms together.
WALKERS, STEPS, KEPT = 48, 160, 160
#: Two numbers agree within these shares of one's size and of the range's middle half.
OF_SIZE, OF_RANGE, NEARLY_ALL = 0.01, 0.05, 0.99


def tolerance(y: Array, middle_half: Array) -> Array:
    """Differences from outputs that do not matter, where the middle half of them is so wide."""
    return np.asarray(OF_SIZE * np.abs(y) + OF_RANGE * middle_half + 1e-9)


@dataclass(frozen=True)
class Posterior:
    """Laws that the answers leave possible.

    Attributes:
        x: Inputs, shape (m,).
        y: Outputs of each law, shape (laws, m).
        sigma: Standard deviation of the noise.
    """

    x: Array
    y: Array
    sigma: float

    def tolerance(self) -> Array:
        """Differences that do not matter, for each law and input, shape (laws, m)."""
        low, high = np.quantile(self.y, [0.25, 0.75], axis=1)
        return tolerance(self.y, (high - low)[:, None])

    def right(self, said: Array) -> float:
        """Share of the laws with which what was said agrees on nearly all inputs."""
        agree = np.abs(said - self.y) <= self.tolerance()
        return float(np.mean(agree.mean(1) >= NEARLY_ALL))

    def loose(self, count: int) -> list[float]:
        """Inputs whose answers tell most, one after the other (Wynn 1970; MacKay 1992).

        Each is where the laws differ most, in what matters, once the answers to those before it
        are counted in: as if outputs were jointly normal, with the covariance of the laws.
        """
        room = np.median(self.tolerance(), axis=0)
        spread = (self.y - self.y.mean(0)) / room
        noise = (self.sigma / room) ** 2
        # One wild law must not decide.
        spread = np.clip(spread, *np.quantile(spread, [0.02, 0.98], axis=0))
        covariance = spread.T @ spread / len(spread)
        found = []
        for _ in range(count):
            n = int(np.argmax(np.diag(covariance)))
            found.append(float(self.x[n]))
            row = covariance[n]
            covariance = covariance - np.outer(row, row) / (row[n] + noise[n])
        return found


def posterior(fits: list[Fit], data: Data, x: Array, rng: np.random.Generator) -> Posterior:
    """Laws drawn from the best fits.

    Args:
        fits: Best first.
        data: The answers, with noise.
        x: Inputs at which the laws are wanted, shape (m,).
        rng: Draws.
    """
    rivals = [fit for fit in fits if fit.cost < fits[0].cost + BEHIND][:RIVALS]
    weights = np.exp([TEMPER * (fits[0].cost - fit.cost) for fit in rivals])
    sigma = max(fits[0].scale * data.unit, data.sigma / 2)
    laws = []
    for fit, share in zip(rivals, weights / weights.sum(), strict=True):
        count = round(KEPT * share)
        if count:
            params = walked(fit, data, sigma, rng)
            some = params[rng.choice(len(params), count)]
            values = np.broadcast_to(_values(fit, x, some), (count, len(x)))
            laws.append(np.where(np.isfinite(values), values, fit(x)))
    return Posterior(x, np.nan_to_num(np.concatenate(laws)), sigma)


def walked(fit: Fit, data: Data, sigma: float, rng: np.random.Generator) -> Array:
    """Parameters drawn from the posterior of one form, shape (draws, parameters)."""
    free = sorted(parameters(fit.expr))
    params = np.tile(fit.params, (WALKERS, 1))
    if not free:
        return params
    params[1:, free] += _begun(fit, data, sigma, free, rng)
    params = params[np.isfinite(params).all(1)]
    half = len(params) // 2
    sides = (slice(0, half), slice(half, 2 * half))
    params = params[: 2 * half]
    height = _likelihood(fit, data, sigma, params)
    kept = []
    for step in range(STEPS):
        for mine, theirs in (sides, sides[::-1]):
            stretch = (1 + rng.random(half)) ** 2 / 2
            other = params[theirs][rng.integers(half, size=half)]
            tried = other + stretch[:, None] * (params[mine] - other)
            new = _likelihood(fit, data, sigma, tried)
            chance = (len(free) - 1) * np.log(stretch) + new - height[mine]
            taken = np.log(rng.random(half)) < chance
            params[mine] = np.where(taken[:, None], tried, params[mine])
            height[mine] = np.where(taken, new, height[mine])
        if step >= STEPS // 2 and step % 10 == 0:
            kept.append(params.copy())
    return np.concatenate(kept)


def _begun(fit: Fit, data: Data, sigma: float, free: list[int], rng: np.random.Generator) -> Array:
    """Where the walkers start: the normal approximation for what is smooth, little steps else."""
    start = np.zeros((WALKERS - 1, len(free)))
    jumps = jumping(fit.expr)
    smooth = [n for n, index in enumerate(free) if index not in jumps]
    now = np.nan_to_num(fit(data.x))
    slopes = []
    for n in smooth:
        params = fit.params.copy()
        step = 1e-5 * max(abs(float(params[free[n]])), 1e-3)
        params[free[n]] += step
        slopes.append((np.nan_to_num(evaluate(fit.expr, data.x, list(params))) - now) / step)
    if smooth:
        design = np.stack([np.broadcast_to(s, now.shape) for s in slopes], axis=1) / sigma
        size = np.sqrt((design**2).sum(0)) + 1e-12
        information = (design / size).T @ (design / size) + 1e-9 * np.eye(len(smooth))
        half = np.linalg.cholesky(np.linalg.inv(information))
        start[:, smooth] = (rng.normal(size=(len(start), len(smooth))) @ half.T) / size
    for n, index in enumerate(free):
        if index in jumps:
            start[:, n] = looseness(fit, index, data, 0.03) * rng.normal(size=len(start))
    return start


def _values(fit: Fit, x: Array, params: Array) -> Array:
    columns = [params[:, n : n + 1] for n in range(params.shape[1])]
    return np.asarray(evaluate(fit.expr, x[None, :], columns))


def _likelihood(fit: Fit, data: Data, sigma: float, params: Array) -> Array:
    """Of each row of parameters; answers far off count as so many deviations."""
    wrong = (_values(fit, data.x, params) - data.y) / sigma
    squares = np.where(np.isfinite(wrong), np.minimum(wrong**2, 25.0), 25.0)
    squares = np.broadcast_to(squares, (len(params), len(data.x)))
    return np.asarray(-0.5 * squares.sum(1))
