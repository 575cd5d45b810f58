"""The forms that a law of one number may have: each a sum of columns with a few shape parameters.

The coefficients of the columns, and a constant, are always fitted by least squares; only the shape
parameters are searched, from a grid (variable projection: Golub & Pereyra 1973).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hubel.agent.planners.numbers.data import Array, Data
from hubel.agent.planners.numbers.expr import Expr, X, k, p, smooth
from hubel.agent.planners.numbers.grids import (
    chirps,
    climbing,
    damped,
    kink,
    left_powers,
    lines,
    log_left,
    log_offset,
    log_right,
    none,
    pair,
    place_scale,
    place_square,
    poles,
    powers,
    rates,
    saw,
    square,
    stairs,
    tangents,
    turning,
    waves,
)

Grid = Callable[[Data], Array]


@dataclass(frozen=True)
class Form:
    """A family of functions.

    Attributes:
        name: In words.
        columns: Expressions in ``x`` and the shape parameters.
        grid: Where the search over the shape parameters starts, shape (k, parameters).
        plain: May be a part of sums, gates and exceptions.
        steps: First steps of the search around a shape; by default the spacing of the grid.
    """

    name: str
    columns: tuple[Expr, ...]
    grid: Grid
    plain: bool = True
    steps: Callable[[Array, Data], Array] | None = None

    @property
    def smooth(self) -> bool:
        """Can its shape be fitted by following slopes?"""
        return all(smooth(column) for column in self.columns)

    def expr(self, shapes: int) -> Expr:
        """The whole sum; parameters are the shape, the columns' coefficients, the constant."""
        total: Expr | None = None
        for n, column in enumerate(self.columns):
            term = ("mul", p(shapes + n), column)
            total = term if total is None else ("add", total, term)
        constant = p(shapes + len(self.columns))
        return constant if total is None else ("add", total, constant)


_AWAY = ("sub", X, p(0))
_SCALED = ("div", _AWAY, p(1))
_PHASE = ("mul", p(0), X)
_SHIFTED = ("add", _PHASE, p(1))
_CLIMB = ("add", ("mul", p(1), X), p(0))
_BELOW = ("add", ("int", _AWAY, k(2)), p(1))
_TURN = ("mod", _AWAY, p(1))
_AFTER = ("where", ("less", X, p(0)), k(0), k(1))
_SQUARED = ("int", X, k(2))


def _polynomial(degree: int) -> Form:
    names = ("constant", "line", "parabola", "cubic", "polynomial of degree 4")
    name = names[degree] if degree < len(names) else f"polynomial of degree {degree}"
    columns = tuple(X if n == 1 else ("int", X, k(n)) for n in range(1, degree + 1))
    return Form(name, columns, none, degree <= 3)


#: Every form, simple ones first.
FORMS: tuple[Form, ...] = (
    *(_polynomial(degree) for degree in range(6)),
    Form("distance", (("abs", _AWAY),), kink),
    Form("ramp", (("max", _AWAY, k(0)),), kink),
    Form("falling ramp", (("min", _AWAY, k(0)),), kink),
    Form("kinked line", (X, ("abs", _AWAY)), kink),
    Form("step", (("where", ("less", X, p(0)), k(0), k(1)),), kink),
    Form("window", (("where", ("between", X, p(0), p(1)), k(1), k(0)),), pair),
    Form("held line", (("min", ("max", X, p(0)), p(1)),), pair),
    Form("exponential", (("exp", _PHASE),), rates),
    Form("line and exponential", (X, ("exp", _PHASE)), rates, False),
    Form("line times exponential", (("exp", _PHASE), ("mul", X, ("exp", _PHASE))), rates, False),
    Form("logarithm", (("log", ("add", ("abs", _AWAY), p(1))),), log_offset),
    Form("logarithm of a square", (("log", _BELOW),), place_square, False),
    Form("logarithm from the left", (("log", _AWAY),), log_left),
    Form("logarithm from the right", (("log", ("sub", p(0), X)),), log_right),
    Form("root from the left", (("sqrt", _AWAY),), log_left),
    Form("root from the right", (("sqrt", ("sub", p(0), X)),), log_right),
    Form("power", (("pow", _AWAY, p(1)),), powers),
    Form("power from the left", (("rise", _AWAY, p(1)),), left_powers),
    Form("hyperbola", (("div", k(1), _AWAY),), poles),
    Form("line and hyperbola", (X, ("div", k(1), _AWAY)), poles, False),
    Form("bell of a square", (("div", k(1), _BELOW),), place_square),
    Form("line over a square", (("div", k(1), _BELOW), ("div", X, _BELOW)), place_square),
    Form("wave", (("sin", _PHASE), ("cos", _PHASE)), waves),
    Form("line and wave", (X, ("sin", _PHASE), ("cos", _PHASE)), waves),
    Form(
        "growing wave",
        (
            ("mul", X, ("sin", _PHASE)),
            ("mul", X, ("cos", _PHASE)),
            ("sin", _PHASE),
            ("cos", _PHASE),
        ),
        waves,
        False,
    ),
    Form(
        "damped wave",
        (
            ("mul", ("exp", ("mul", p(1), X)), ("sin", _PHASE)),
            ("mul", ("exp", ("mul", p(1), X)), ("cos", _PHASE)),
        ),
        damped,
        False,
    ),
    Form(
        "chirp",
        (
            ("sin", ("mul", p(0), ("int", X, k(2)))),
            ("cos", ("mul", p(0), ("int", X, k(2)))),
        ),
        chirps,
        False,
    ),
    Form("tangent", (("tan", _SHIFTED),), tangents),
    Form("saturating rise", (("tanh", _SCALED),), place_scale),
    Form("arctangent", (("atan", _SCALED),), place_scale),
    Form("bell", (("exp", ("sub", k(0), ("int", _SCALED, k(2)))),), place_scale),
    Form("peak", (("exp", ("sub", k(0), ("abs", _SCALED))),), place_scale),
    Form("soft ramp", (("log", ("add", k(1), ("exp", _SCALED))),), place_scale, False),
    Form("soft falling ramp", (X, ("log", ("add", k(1), ("exp", _SCALED)))), place_scale, False),
    Form("stairs", (("floor", _CLIMB),), stairs, steps=climbing),
    Form("saw", (_TURN,), saw, steps=turning),
    Form("stairs on a line", (X, ("floor", _CLIMB)), stairs, False, climbing),
    Form(
        "square wave",
        (("where", ("less", _TURN, p(2)), k(1), k(0)),),
        square,
        steps=turning,
    ),
    Form("triangle wave", (("abs", ("sub", _TURN, ("div", p(1), k(2)))),), saw, steps=turning),
    Form("two lines", (X, _AFTER, ("mul", X, _AFTER)), lines, False),
    Form(
        "two parabolas",
        (X, _SQUARED, _AFTER, ("mul", X, _AFTER), ("mul", _SQUARED, _AFTER)),
        lines,
        False,
    ),
    Form("folded wave", (("abs", ("sin", _SHIFTED)),), tangents),
)
