"""Ratios of polynomials: linear in their coefficients once multiplied out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data
from hubel.agent.planners.numbers.expr import Expr, X, k, p
from hubel.agent.planners.numbers.scan import Fit, judged, polished

#: Highest degrees of the polynomials above and below the line.
ABOVE, BELOW = 5, 5


def rationals(data: Data) -> Iterator[Fit]:
    """Fits of growing degree (Sanathanan & Koerner 1963: reweighted linear least squares)."""
    for total in range(2, ABOVE + BELOW + 1):
        for below in range(1, BELOW + 1):
            above = total - below
            if 0 <= above <= ABOVE and above + below + 4 < len(data.x):
                fit = _ratio(data, above, below)
                yield polished(fit, data) if total <= 5 and not fit.exact(data) else fit


def _ratio(data: Data, above: int, below: int) -> Fit:
    """The ratio of polynomials of these degrees."""
    x, y = data.x, data.y
    powers = x[:, None] ** np.arange(max(above, below) + 1)
    design = np.concatenate([powers[:, : above + 1], -y[:, None] * powers[:, : below + 1]], axis=1)
    q = np.ones(len(x))
    coefficients = np.zeros(above + below + 2)
    for _ in range(4):
        rows = design * (data.w / np.maximum(np.abs(q), 1e-12 * np.abs(q).max()))[:, None]
        size = np.sqrt((rows**2).sum(0)) + 1e-300
        coefficients = np.linalg.svd(rows / size, full_matrices=False)[2][-1] / size
        q = powers[:, : below + 1] @ coefficients[above + 1 :]
    lead = coefficients[above + 1 :]
    # The ratio is known up to a factor: the largest coefficient below the line is one.
    coefficients = coefficients / lead[int(np.argmax(np.abs(lead)))]
    top = _polynomial(above, 0)
    bottom = _polynomial(below, above + 1)
    name = f"ratio of polynomials of degrees {above} and {below}"
    return judged(name, ("div", top, bottom), _clean(coefficients), data)


def _clean(coefficients: Array) -> Array:
    return np.where(np.abs(coefficients) < 1e-13 * np.abs(coefficients).max(), 0, coefficients)


def _polynomial(degree: int, first: int) -> Expr:
    """Powers with coefficients from parameter `first` on."""
    total: Expr = p(first)
    for n in range(1, degree + 1):
        power = X if n == 1 else ("int", X, k(n))
        total = ("add", total, ("mul", p(first + n), power))
    return total
