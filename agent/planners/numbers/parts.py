"""Laws made of parts: sums and products of two forms, gates, and rounded laws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import leastsq  # type: ignore[import-untyped]

from hubel.agent.planners.numbers.data import Array, Data, Mask
from hubel.agent.planners.numbers.expr import Expr, X, evaluate, k, p, substitute
from hubel.agent.planners.numbers.forms import FORMS, Form
from hubel.agent.planners.numbers.scan import (
    Fit,
    apart,
    columns_of,
    fitted,
    judged,
    linear,
    polished,
    ranked,
    zoomed,
)

#: Forms that the parts of a gate may have.
_SIDES = (
    "constant", "line", "parabola", "cubic", "distance", "exponential", "wave", "saturating rise",
    "hyperbola", "logarithm", "power", "bell",
)  # fmt: skip
#: Bases of pairs, and second forms that are fitted to the end for each.
BASES, SECONDS = 3, 3
#: A stretch must be wider than this to have a law of its own.
NARROW = 2.0


def pairs(best: list[tuple[Form, Fit]], data: Data, rng: np.random.Generator) -> Iterator[Fit]:
    """Sums and products of two forms: a*g + b*h + c*g*h + d."""
    bases = [(form, fit) for form, fit in best if form.plain and 1 <= len(form.columns) <= 2]
    tried = bases[:BASES] + [pair for pair in bases[BASES:] if pair[0].name == "wave"]
    for base, fit in tried:
        shape = fit.params[: len(fit.params) - len(base.columns) - 1]
        fixed = columns_of(base, X, data.x, shape[None])
        found = []
        for form in FORMS:
            if form.plain and form.columns:
                for joined in (_sum(base, form), _product(base, shape, form)):
                    shapes, scores = ranked(joined, X, data, form.grid(data), fixed)
                    found.append((float(scores[0]), joined, form, shapes))
        found.sort(key=lambda item: item[0])
        for _, joined, form, shapes in found[:SECONDS]:
            yield _together(base, shape, joined, form, apart(shapes, 1)[0], data, rng)


def _sum(base: Form, form: Form) -> Form:
    return Form(f"{base.name} and {form.name}", form.columns, form.grid, steps=form.steps)


def _product(base: Form, shape: Array, form: Form) -> Form:
    """Columns h and g*h; g itself is given as a fixed column."""
    held = [_held(column, shape) for column in base.columns]
    products = tuple(("mul", g, h) for g in held for h in form.columns)
    name = f"{base.name} times {form.name}"
    return Form(name, (*form.columns, *products), form.grid, steps=form.steps)


def _held(expr: Expr, shape: Array) -> Expr:
    """The expression with its parameters at given values."""
    if expr[0] == "p":
        return k(float(shape[expr[1]]))
    if expr[0] in ("x", "k"):
        return expr
    return (expr[0], *(_held(part, shape) for part in expr[1:]))


def _together(
    base: Form, first: Array, joined: Form, form: Form, second: Array,
    data: Data, rng: np.random.Generator,
) -> Fit:  # fmt: skip
    """Both shapes fitted, in turns where there are jumps, then all at once."""
    for turn in range(2):
        if not form.smooth:
            fixed = columns_of(base, X, data.x, first[None])
            second = zoomed(joined, X, data, second, rng, fixed)
        if not base.smooth and turn == 0:
            fixed = columns_of(form, X, data.x, second[None])
            first = zoomed(base, X, data, first, rng, fixed)
    both = _free(base, form, joined, len(first), len(second))
    return polished(linear(both, X, data, np.concatenate([first, second])), data)


def _free(base: Form, form: Form, joined: Form, m: int, n: int) -> Form:
    """The pair with the shapes of both as parameters."""
    second = tuple(substitute(column, X, m) for column in form.columns)
    columns = [*base.columns, *second]
    if len(joined.columns) > len(form.columns):
        columns += [("mul", g, h) for g in base.columns for h in second]
    return Form(joined.name, tuple(columns), lambda _: np.zeros((1, m + n)))


def gates(
    best: list[tuple[Form, Fit]], data: Data, rng: np.random.Generator
) -> Iterator[tuple[Fit, Mask]]:
    """Laws of one stretch of the inputs, with the widest stretch that each leaves unexplained."""
    whole = [fit for _, fit in best[:3]]
    sides = [form for form in FORMS if form.name in _SIDES]
    count = len(data.x)
    for low, high in ((0, 0.35), (0.65, 1), (0.3, 0.7)):
        part = np.zeros(count, dtype=bool)
        part[int(low * count) : int(np.ceil(high * count))] = True
        local = min((fitted(form, data.only(part), rng, X, 1) for form in sides), key=_cost)
        whole.append(polished(judged(local.name, local.expr, local.params, data), data))
    for fit in whole:
        stretch = longest(~fit.inside)
        known = stretch.sum() <= 0.8 * count and fit.inside.sum() >= 8
        if known and fit.expr[0] != "where" and wide(stretch, data):
            yield fit, stretch


def wide(stretch: Mask, data: Data) -> bool:
    """Do at least four answers lie in it, over more than a step of the grid?"""
    x = data.x[stretch]
    return len(x) >= 4 and float(x[-1] - x[0]) > NARROW


def _cost(fit: Fit) -> float:
    return fit.cost


def longest(mask: Mask) -> Mask:
    """The longest stretch of true values, across single gaps."""
    closed = mask.copy()
    closed[1:-1] |= mask[:-2] & mask[2:]
    edges = np.flatnonzero(np.diff(np.r_[0, closed.astype(int), 0]))
    found = np.zeros_like(mask)
    if len(edges):
        starts, ends = edges[::2], edges[1::2]
        n = int(np.argmax(ends - starts))
        found[starts[n] : ends[n]] = True
    return found


def gated(law: Fit, inside: Fit, stretch: Mask, data: Data) -> Fit:
    """One law inside a stretch of the inputs, another outside."""
    other = substitute(inside.expr, X, len(law.params))
    name = f"{law.name}, with {inside.name}"
    return _joined(name, law, other, inside.params, stretch, data)


def imaged(law: Fit, stretch: Mask, data: Data) -> Fit:
    """The law, and inside a stretch the same law scaled, turned or moved: a*law + b."""
    values = np.nan_to_num(law(data.x))[stretch]
    varies = bool(np.ptp(values) > 1e-9 * (1 + np.abs(values).max()))
    pair = np.polyfit(values, data.y[stretch], 1) if varies else (1.0, data.y[stretch] - values)
    n = len(law.params)
    other = ("add", ("mul", p(n), law.expr), p(n + 1))
    params = np.array([pair[0], np.median(pair[1])])
    return _joined(f"{law.name}, elsewhere another", law, other, params, stretch, data)


def _joined(name: str, law: Fit, other: Expr, params: Array, stretch: Mask, data: Data) -> Fit:
    """The law outside a stretch, the other expression, with parameters of its own, inside."""
    where = np.flatnonzero(stretch)
    low, high = _between(data.x, where[0] - 1), _between(data.x, where[-1])
    n = len(law.params) + len(params)
    if where[0] == 0:
        expr: Expr = ("where", ("less", X, p(n)), other, law.expr)
        ends = [high]
    elif where[-1] == len(data.x) - 1:
        expr, ends = ("where", ("less", X, p(n)), law.expr, other), [low]
    else:
        expr, ends = ("where", ("between", X, p(n), p(n + 1)), other, law.expr), [low, high]
    return polished(judged(name, expr, np.array([*law.params, *params, *ends]), data), data)


def envelopes(law: Fit, other: Fit, data: Data) -> Iterator[Fit]:
    """The larger and the smaller of two laws."""
    second = substitute(other.expr, X, len(law.params))
    params = np.concatenate([law.params, other.params])
    for head, word in (("max", "larger"), ("min", "smaller")):
        name = f"the {word} of {law.name} and {other.name}"
        yield judged(name, (head, law.expr, second), params, data)


def _between(x: Array, n: int) -> float:
    return float((x[n] + x[n + 1]) / 2) if 0 <= n < len(x) - 1 else float(x[0])


def lattice(data: Data, rng: np.random.Generator) -> Iterator[Fit]:
    """Rounded laws: all outputs are a whole number of steps apart."""
    levels = np.unique(np.round(data.y, 9))
    if data.sigma > 0 or len(levels) < 4:
        return
    step = float(np.diff(levels).min())
    turns = (data.y - levels[0]) / step
    if step < 1e-4 * data.unit or np.abs(turns - np.round(turns)).max() > 1e-5:
        return
    lowest = float(levels[0]) - step * round(float(levels[0]) / step)
    counts = np.round((data.y - lowest) / step)
    middle = Data(data.x, counts + 0.5, 0.3, data.undefined)
    fits = sorted((fitted(f, middle, rng) for f in FORMS if f.plain and f.smooth), key=_cost)
    # What is left of a line between roundings is at most half a step.
    near = sorted((fit for fit in fits if fit.scale * middle.unit < 0.45), key=_count)
    for fit in (near or fits)[:3]:
        params = _held_in(fit, data.x, counts)
        last = len(params)
        expr = ("add", ("mul", p(last), ("floor", fit.expr)), p(last + 1))
        name = f"{fit.name} rounded down"
        yield judged(name, expr, np.array([*params, step, lowest]), data)


def _count(fit: Fit) -> int:
    return len(fit.params)


def _held_in(fit: Fit, x: Array, counts: Array) -> Array:
    """Parameters with which the fit lies between each count and the next."""

    def outside(params: Array) -> Array:
        values = np.broadcast_to(evaluate(fit.expr, x, list(params)), x.shape)
        over = np.maximum(values - counts - 1 + 1e-9, 0) + np.minimum(values - counts - 1e-9, 0)
        return np.asarray(np.nan_to_num(over, nan=30.0))

    params = fit.params
    for _ in range(3):
        params = leastsq(outside, params, full_output=True, maxfev=100 * len(params))[0]
    return np.asarray(params)
