"""Laws that repeat: the period by folding, and sums of several waves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubel.agent.planners.numbers.data import Array, Data, shortlist
from hubel.agent.planners.numbers.expr import Expr, X, p, substitute
from hubel.agent.planners.numbers.forms import Form
from hubel.agent.planners.numbers.grids import none
from hubel.agent.planners.numbers.scan import Fit, judged, linear, polished

#: Shortest period, and turns that the range must hold at least.
SHORTEST, TURNS = 1.5, 2.0
#: A period is worth a look if the folded answers are so much smoother than the unfolded ones.
SMOOTHER = 0.5
#: Waves that are added up at most.
WAVES = 3


def period(data: Data) -> tuple[float, float] | None:
    """Where a turn begins, and the period; None where folding does not help.

    The right period is the one at which neighbours in phase have the least different answers
    (string length: Lafler & Kinman 1965, Dworetsky 1983).
    """
    x, y = data.x, np.tanh((data.y - np.median(data.y)) * data.w / 2)
    span = float(x[-1] - x[0])
    rates = np.arange(TURNS / span, 1 / SHORTEST, 1 / (12 * span))
    step = float(rates[1] - rates[0])
    best, shortest = 0.0, float("inf")
    for _ in range(4):
        lengths = _length(x, y, rates)
        best = float(rates[np.argmin(lengths)])
        shortest = float(lengths.min())
        rates, step = best + step * np.linspace(-1, 1, 41), step / 10
    if shortest > SMOOTHER * np.abs(np.diff(y)).sum():
        return None
    phase = x * best % 1
    order = np.argsort(phase)
    moves = np.abs(np.diff(y[order], append=y[order[0]]))
    after = int(np.argmax(moves))
    begin = phase[order[after]]
    end = phase[order[(after + 1) % len(x)]]
    middle = begin + ((end - begin) % 1) / 2
    return float(middle / best), 1 / best


def _length(x: Array, y: Array, rates: Array) -> Array:
    order = np.argsort(x[None, :] * rates[:, None] % 1, axis=1)
    turned = y[order]
    return np.asarray(np.abs(np.diff(turned, axis=1, append=turned[:, :1])).sum(1))


def folded(data: Data, begin: float, turn: float) -> Data:
    """The answers by their place in a turn."""
    return Data((data.x - begin) % turn, data.y, data.sigma)


def unfolded(fit: Fit, data: Data, begin: float, turn: float) -> Fit:
    """A law of the place in a turn as a law of the input."""
    place: Expr = ("mod", ("sub", X, p(0)), p(1))
    expr = substitute(fit.expr, place, 2)
    params = np.concatenate([[begin, turn], fit.params])
    name = f"repeated {fit.name}"
    whole = judged(name, expr, params, data)
    return polished(whole, data, list(range(1, len(params))))


def waves(data: Data) -> Iterator[Fit]:
    """A line and several waves, the strongest first, each fitted together with those before it."""
    left, rates = data.y, np.zeros(0)
    for count in range(1, WAVES + 1):
        fits = []
        for rate in shortlist(data.x, left, data.unit, 2):
            form = _sum_of_waves(count)
            fits.append(polished(linear(form, X, data, np.append(rates, rate)), data, rounds=1))
        best = min(fits, key=lambda fit: fit.cost)
        best = polished(best, data)
        rates = best.params[:count]
        left = data.y - np.nan_to_num(best(data.x))
        if count > 1:
            yield best


def _sum_of_waves(count: int) -> Form:
    columns: list[Expr] = [X]
    for n in range(count):
        turn: Expr = ("mul", p(n), X)
        columns += [("sin", turn), ("cos", turn)]
    return Form(f"line and {count} waves", tuple(columns), none, False)
