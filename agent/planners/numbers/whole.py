"""Laws of the whole part of the input: digits, divisors, and what else counts whole numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubel.agent.planners.numbers.data import Data
from hubel.agent.planners.numbers.expr import Expr, X, evaluate, k, p
from hubel.agent.planners.numbers.scan import Fit, judged

#: How the input becomes whole.
PARTS: tuple[tuple[str, Expr], ...] = (
    ("the size of x cut off", ("floor", ("abs", X))),
    ("x rounded down", ("abs", ("floor", X))),
    ("x rounded", ("abs", ("round", X))),
)
#: Largest number whose common divisors are tried.
DIVISORS = 60


def counting(data: Data) -> Iterator[Fit]:
    """Fits of a*g(n) + b, n the whole part; none where the answers change within a unit."""
    if data.sigma > 0 or np.ptp(data.y) == 0:
        return
    laws: list[tuple[str, Expr]] = [
        ("sum of the digits", ("digits", X)),
        ("number of divisors", ("divisors", X)),
        ("number of binary ones", ("ones", X)),
        ("being prime", ("prime", X)),
    ]
    laws += [(f"greatest common divisor with {n}", ("gcd", X, k(n))) for n in range(2, DIVISORS)]
    for words, part in PARTS:
        n = evaluate(part, data.x, ())
        order = np.lexsort((data.y, n))
        same = np.diff(n[order]) == 0
        if same.sum() < 8 or np.mean(np.abs(np.diff(data.y[order]))[same] < 1e-9) < 0.8:
            continue
        for name, law in laws:
            values = evaluate(law, n, ())
            if np.ptp(values) == 0:
                continue
            slope, height = np.polyfit(values, data.y, 1)
            whole: Expr = (law[0], part, *law[2:])
            expr = ("add", ("mul", p(0), whole), p(1))
            yield judged(f"{name} of {words}", expr, np.array([slope, height]), data)
