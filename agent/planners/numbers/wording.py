"""A law in plain sentences."""

from __future__ import annotations

from hubel.agent.planners.numbers.ask import Interval
from hubel.agent.planners.numbers.data import Data
from hubel.agent.planners.numbers.expr import Expr, written
from hubel.agent.planners.numbers.scan import Fit


def worded(fit: Fit, whole: Expr, exceptions: tuple[Interval, ...], data: Data) -> str:
    """Two sentences at most: the form with its numbers, then noise or exceptions.

    Args:
        fit: The winning fit.
        whole: Its expression with the parameters put in.
        exceptions: Where it behaves otherwise.
        data: The answers.
    """
    text = f"A {fit.name}: {written(whole).replace('math.', '')}."
    if exceptions:
        spans = " and ".join(f"from {low:.4g} to {high:.4g}" for low, high in exceptions)
        text += f" It behaves otherwise {spans}."
    elif data.sigma > 0:
        text += f" Noise of standard deviation {data.sigma:.3g} is added."
    elif not fit.exact(data):
        text += f" It is met only nearly, to within about {fit.scale * data.unit:.2g}."
    return text
