"""Forms of forms: an outer function around a simple law, and laws of a changed argument."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data
from hubel.agent.planners.numbers.expr import Expr, X, k, p, parameters, substitute
from hubel.agent.planners.numbers.forms import Form

#: Starting shapes of a nested form.
TRIES = 700

#: Outer functions; the flag says that scaling the argument is more than scaling the result.
OUTER: tuple[tuple[str, Expr, bool], ...] = (
    ("absolute value", ("abs", X), False),
    ("positive part", ("max", X, k(0)), False),
    ("square", ("int", X, k(2)), False),
    ("root of the size", ("sqrt", ("abs", X)), False),
    ("logarithm of the size", ("log", ("add", k(1), ("abs", X))), True),
    ("hyperbolic tangent", ("tanh", X), True),
    ("exponential", ("exp", X), True),
    ("sine", ("sin", X), True),
    ("what lies within bounds", ("min", ("max", X, k(-1)), k(1)), True),
    ("one over", ("div", k(1), X), False),
)
_SCALED = ("div", ("sub", X, p(0)), p(1))
#: Simple laws of bounded size, as inner functions of two shape parameters.
INNER: tuple[tuple[str, Expr, str], ...] = (
    ("a wave", ("sin", ("add", ("mul", p(0), X), p(1))), "wave"),
    ("a square", ("int", _SCALED, k(2)), "scaled"),
    ("a distance", ("abs", _SCALED), "scaled"),
    ("a saturating rise", ("tanh", _SCALED), "scaled"),
    ("a bell", ("exp", ("sub", k(0), ("int", _SCALED, k(2)))), "scaled"),
    ("a cube", ("int", _SCALED, k(3)), "scaled"),
    ("an exponential", ("exp", _SCALED), "scaled"),
)
#: What the argument may pass through before a law sees it.
CHANGED: tuple[tuple[str, Expr], ...] = (
    ("the size of x", ("abs", X)),
    ("x rounded down", ("floor", X)),
    ("x rounded", ("round", X)),
    ("x rounded up", ("ceil", X)),
    ("the positive part of x", ("max", X, k(0))),
    ("the negative part of x", ("min", X, k(0))),
)


def nested(rng: np.random.Generator) -> list[Form]:
    """Outer functions around simple laws: y = a*outer(s*inner(x) + c) + b."""
    forms = []
    for outer_name, outer, scaled in OUTER:
        for inner_name, inner, sort in INNER:
            body: Expr = ("mul", p(3), ("add", inner, p(2))) if scaled else ("add", inner, p(2))
            column = substitute(outer, body)
            if parameters(column) != set(range(4 if scaled else 3)):
                continue
            name = f"{outer_name} of {inner_name}"
            forms.append(Form(name, (column,), _grid(sort, scaled, rng), False))
    return forms


def _grid(sort: str, scaled: bool, rng: np.random.Generator) -> Callable[[Data], Array]:
    seed = int(rng.integers(2**32))

    def grid(data: Data) -> Array:
        own = np.random.default_rng(seed)
        span = float(data.x[-1] - data.x[0]) or 1.0
        shapes = np.empty((TRIES, 4 if scaled else 3))
        if sort == "wave":
            peaks = data.peaks()
            rates = np.concatenate([peaks, peaks, peaks / 2])
            shapes[:, 0] = own.choice(rates, TRIES)
            shapes[:, 1] = own.uniform(0, 2 * np.pi, TRIES)
        else:
            shapes[:, 0] = own.uniform(data.x[0], data.x[-1], TRIES)
            size = span * np.exp(own.uniform(np.log(0.01), 0, TRIES))
            shapes[:, 1] = size * own.choice([-1, 1], TRIES)
        shapes[:, 2] = own.normal(0, 1.0, TRIES) * own.choice([0.0, 0.5, 3.0], TRIES)
        if scaled:
            size = np.exp(own.uniform(np.log(0.1), np.log(20), TRIES))
            shapes[:, 3] = size * own.choice([-1, 1], TRIES)
        return shapes

    return grid
