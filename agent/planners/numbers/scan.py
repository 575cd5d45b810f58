"""Fitting a form: its grid of shapes at once, then the best shapes to the last digit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.optimize import leastsq  # type: ignore[import-untyped]

from hubel.agent.planners.numbers.data import CHOICE, OPERATOR, PARAMETER, Array, Data, Mask
from hubel.agent.planners.numbers.expr import Expr, X, evaluate, parameters, raw, size, substitute
from hubel.agent.planners.numbers.forms import Form
from hubel.agent.planners.numbers.roles import jumping, smooth_parameters, turning

#: Shapes that are fitted at a time (bounds the memory).
CHUNK = 1024


@dataclass
class Fit:
    """A form with its parameters, and how it does.

    Attributes:
        name: The form, in words.
        expr: The expression.
        params: Its parameters.
        cost: Description length of the answers and of the form, nats.
        scale: Residuals, in units of `Data.unit`.
        inside: Which answers it explains, shape (n,).
    """

    name: str
    expr: Expr
    params: Array
    cost: float
    scale: float
    inside: Mask

    def __call__(self, x: Array) -> Array:
        """Values at inputs of shape (m,); nan where undefined."""
        values = evaluate(self.expr, x, list(self.params))
        return np.asarray(np.broadcast_to(values, np.shape(x)), dtype=float)

    def exact(self, data: Data) -> bool:
        """Are all explained answers met to the last digits, without noise to hide behind?"""
        return data.sigma == 0 and self.scale <= 1.01 * data.floor


def judged(name: str, expr: Expr, params: Array, data: Data) -> Fit:
    """A fit with its description length."""
    fit = Fit(name, expr, np.asarray(params, dtype=float), 0.0, 0.0, np.zeros(0, dtype=bool))
    nats, scale, inside = data.cost(fit(data.x), fit(data.undefined))
    nats += PARAMETER * len(parameters(expr)) + OPERATOR * size(expr)
    if data.sigma > 0:
        nats += CHOICE * len(jumping(expr) | turning(expr))
    return replace(fit, cost=nats, scale=scale, inside=inside)


def solved(
    columns: list[Array], y: Array, w: Array, rounds: int = 0, scale: float = 0.0
) -> tuple[Array, Array]:
    """Least squares of the same outputs on many sets of columns.

    Args:
        columns: Each of shape (k, n).
        y: Outputs, shape (n,).
        w: Weights of the residuals, shape (n,).
        rounds: Repeat with Cauchy weights so many times, so that outliers count less.
        scale: Residuals above this count less.

    Returns:
        Coefficients, shape (k, columns), and weighted residuals, shape (k, n).
    """
    design = np.stack([*columns, np.ones_like(columns[0])], axis=2)
    # Squares must neither overflow nor vanish.
    bad = ~(np.abs(design) < 1e100)
    design = np.where(bad, 0.0, design) * w[None, :, None]
    target = np.broadcast_to(y * w, design.shape[:2])
    target = np.where(bad.any(2), 3.0, target)
    size_ = np.sqrt((design**2).sum(1))
    design = np.where(size_[:, None, :] < 1e-100, 0.0, design)
    size_ = np.where(size_ < 1e-100, 1.0, size_)
    design = design / size_[:, None, :]
    extra = np.ones(design.shape[:2])
    coefficients, residuals = np.zeros((*size_.shape, 1)), target
    for step in range(rounds + 1):
        left = design * extra[:, :, None]
        gram = left.transpose(0, 2, 1) @ design
        gram += 1e-11 * np.eye(gram.shape[1])
        right = left.transpose(0, 2, 1) @ target[:, :, None]
        coefficients = np.linalg.solve(gram, right)
        residuals = target - (design @ coefficients)[:, :, 0]
        if step < rounds:
            typical = np.maximum(np.median(np.abs(residuals), axis=1), scale)[:, None]
            extra = 1 / (1 + (residuals / (2 * typical + 1e-300)) ** 2) ** 2
    return coefficients[:, :, 0] / size_, residuals


def columns_of(form: Form, inner: Expr, x: Array, shapes: Array) -> list[Array]:
    """Columns of a form on a grid of shapes, each of shape (k, n)."""
    params = [shapes[:, n : n + 1] for n in range(shapes.shape[1])]
    whole = (len(shapes), len(x))
    found = []
    for column in form.columns:
        values = evaluate(substitute(column, inner), x[None, :], params)
        found.append(np.array(np.broadcast_to(values, whole)))
    return found or [np.zeros(whole)]


def ranked(
    form: Form, inner: Expr, data: Data, shapes: Array, fixed: list[Array] | None = None
) -> tuple[Array, Array]:
    """Shapes from best to worst by a robust score, with the scores."""
    scores = []
    for start in range(0, len(shapes), CHUNK):
        part = shapes[start : start + CHUNK]
        columns = columns_of(form, inner, data.x, part)
        for extra in fixed or []:
            columns.append(np.broadcast_to(extra, columns[0].shape))
        _, residuals = solved(columns, data.y, data.w)
        # Between squares and absolute values: outliers bend it, but do not rule it.
        scores.append(np.sum(np.abs(residuals) ** 1.3, axis=1))
    score = np.concatenate(scores)
    order = np.argsort(score)
    return shapes[order], score[order]


def zoomed(
    form: Form,
    inner: Expr,
    data: Data,
    shape: Array,
    rng: np.random.Generator,
    fixed: list[Array] | None = None,
    rounds: int = 14,
    step: Array | None = None,
) -> Array:
    """A shape with jumps, improved by ever smaller random steps."""
    if not len(shape):
        return shape
    if step is None:
        step = form.steps(shape, data) if form.steps else _steps(form, data)
    if form.steps:
        around = [np.linspace(-1, 1, count) for count in (17, 41, 7)[: len(shape)]]
        nearby = shape + np.array(list(product(*around))) * step
        shape, step = ranked(form, inner, data, nearby, fixed)[0][0], step / 8
    best, lowest = shape[None], np.inf
    scale = 0.05
    for turn in range(rounds):
        tries = best[:1] + step * 0.6**turn * rng.normal(size=(96, len(shape)))
        single = rng.random((96, len(shape))) < 0.5
        tries = np.concatenate([best, np.where(single, tries, best[:1])])
        columns = columns_of(form, inner, data.x, tries)
        for extra in fixed or []:
            columns.append(np.broadcast_to(extra, columns[0].shape))
        _, residuals = solved(columns, data.y, data.w, 2, data.floor)
        size_ = np.abs(residuals)
        now = max(float(np.median(size_[0])), data.floor, 1e-3) if turn == 0 else scale
        score = np.log1p((size_ / max(now, data.floor)) ** 2).sum(1)
        winner = int(np.argmin(score))
        best = tries[winner : winner + 1]
        scale = min(scale, max(data.floor, float(np.median(size_[winner])), 1e-4)) or scale
        if score[winner] == lowest and turn > 6:
            break
        lowest = float(score[winner])
    return np.asarray(best[0])


def _steps(form: Form, data: Data) -> Array:
    """First steps of the zoom: the usual spacing of the form's grid."""
    shapes = form.grid(data)
    steps = []
    for column in shapes.T:
        values = np.unique(column)
        steps.append(float(np.median(np.diff(values))) if len(values) > 1 else 0.1)
    return np.array(steps)


def linear(expr_form: Form, inner: Expr, data: Data, shape: Array) -> Fit:
    """The fit for one shape: coefficients by robust least squares."""
    columns = columns_of(expr_form, inner, data.x, shape[None])
    if not expr_form.columns:
        columns = []
        coefficients = np.array([float(np.median(data.y))])
    else:
        coefficients = solved(columns, data.y, data.w, 4, data.floor)[0][0]
    expr = substitute(expr_form.expr(len(shape)), inner)
    return judged(expr_form.name, expr, np.concatenate([shape, coefficients]), data)


def polished(fit: Fit, data: Data, free: list[int] | None = None, rounds: int = 3) -> Fit:
    """The fit with its parameters at the optimum for the answers that it explains.

    Args:
        fit: Where to start.
        data: The answers.
        free: The parameters to move; by default those that the expression follows smoothly.
        rounds: How often what is explained is looked at anew.
    """
    best = fit
    if free is None:
        free = smooth_parameters(fit.expr)
    if not free:
        return fit
    everything = np.ones(len(data.x), dtype=bool)
    for turn in range(rounds):
        some = [best.inside] if best.inside.sum() >= len(free) + 2 else [everything]
        if turn == 0 and rounds > 1 and not best.inside.all():
            # Outliers may be a part that the form explains, once its shape has moved.
            some.append(everything)
        tries = [_least_squares(best, data, inside, free) for inside in some]
        judgements = [judged(fit.name, fit.expr, params, data) for params in tries]
        tried = min(judgements, key=lambda other: other.cost)
        gain = best.cost - tried.cost
        if gain > 0:
            best = tried
        if gain < 0.01:
            break
    return best


def _least_squares(fit: Fit, data: Data, inside: Mask, free: list[int]) -> Array:
    x, y, w = data.x[inside], data.y[inside], data.w[inside]
    params = fit.params.copy()
    if len(x) < len(free):
        return params

    def residuals(values: Array) -> Array:
        params[free] = values
        wrong = (raw(fit.expr, x, params.tolist()) - y) * w
        return np.where(wrong * wrong < 1e12, wrong, 30.0)

    most = (20 if data.sigma > 0 else 40) * len(free)
    near = 1e-6 if data.sigma > 0 else 1e-13
    with np.errstate(all="ignore"):
        start = fit.params[free]
        found = leastsq(residuals, start, full_output=True, ftol=near, xtol=near, maxfev=most)
    params[free] = found[0]
    return params


def start(form: Form, data: Data, inner: Expr = X, starts: int = 2) -> tuple[float, list[Array]]:
    """The best score on the form's grid, and shapes to fit from."""
    shapes = form.grid(data)
    shapes, scores = ranked(form, inner, data, shapes)
    return float(scores[0]), apart(shapes, starts)


def fitted(
    form: Form, data: Data, rng: np.random.Generator, inner: Expr = X, starts: int = 2
) -> Fit:
    """The best fit of one form."""
    return best_of(form, data, start(form, data, inner, starts)[1], rng, inner)


def best_of(
    form: Form, data: Data, shapes: list[Array], rng: np.random.Generator, inner: Expr = X
) -> Fit:
    """The best fit from several starting shapes."""
    fits: list[Fit] = []
    for shape in shapes:
        if not form.smooth:
            shape = zoomed(form, inner, data, shape, rng)
        fits.append(polished(linear(form, inner, data, shape), data))
        if fits[-1].exact(data) and fits[-1].inside.all():
            break
    return min(fits, key=lambda fit: fit.cost)


def apart(shapes: Array, count: int) -> list[Array]:
    """The first shapes that differ clearly from each other."""
    if not shapes.shape[1]:
        return [shapes[0]]
    chosen: list[Array] = []
    for shape in shapes[:40]:
        if all(np.abs(shape - other).max() > 0.02 * np.abs(other).max() for other in chosen):
            chosen.append(shape)
        if len(chosen) == count:
            break
    return chosen
