"""How sure to be of what is said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hubel.agent.planners.numbers.ask import REACH, Interval
from hubel.agent.planners.numbers.data import Array, Data
from hubel.agent.planners.numbers.posterior import posterior, tolerance
from hubel.agent.planners.numbers.scan import Fit

#: Confidence by the least share of answers that are met.
LEVELS = ((0.99, 0.96), (0.94, 0.29), (0.0, 0.05))


def confident(
    said: Callable[[Array], Array],
    exceptions: tuple[Interval, ...],
    data: Data,
    fits: list[Fit],
    rng: np.random.Generator,
) -> float:
    """Probability that the code is right within 5% of the spread, on nearly all inputs.

    Without noise by the share of the answers that it meets so nearly, each counted for the inputs
    to which it is the nearest; the levels are shares that were right among some 100 functions of
    known truth, with one right and one wrong added (Laplace). Under noise it is the share of the
    laws that the answers leave possible with which it agrees.

    Args:
        said: What the code says at inputs of shape (m,).
        exceptions: Stretches of which it says that the law does not hold there.
        data: The answers.
        fits: Laws that were fitted, best first.
        rng: Draws the laws that are possible.
    """
    x = np.linspace(-REACH, REACH, 257)
    if data.sigma > 0:
        return round(posterior(fits, data, x, rng).right(said(x)), 3)
    share = met(said, exceptions, data, x)
    return next(level for least, level in LEVELS if share >= least)


def met(
    said: Callable[[Array], Array], exceptions: tuple[Interval, ...], data: Data, x: Array
) -> float:
    """Share of inputs outside exceptions whose nearest answer is what was said, nearly."""
    at = np.concatenate([data.x, data.undefined])
    y = np.concatenate([data.y, np.full(len(data.undefined), np.nan)])
    for low, high in exceptions:
        x = x[(x < low) | (x > high)]
    near = np.argmin(np.abs(x[:, None] - at[None, :]), axis=1)
    truth, values = y[near], np.asarray(said(at))[near]
    if not np.isfinite(truth).any():
        return 0.0
    low, high = np.nanquantile(truth, [0.25, 0.75])
    agree = np.abs(values - truth) <= tolerance(truth, high - low)
    return float(np.mean(agree | (np.isnan(values) & np.isnan(truth))))
