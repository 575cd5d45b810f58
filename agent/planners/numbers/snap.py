"""Round parameters where the answers do not object: people and programs write short numbers."""

from __future__ import annotations

from itertools import product

import numpy as np

from hubel.agent.planners.numbers.data import Data
from hubel.agent.planners.numbers.expr import parameters
from hubel.agent.planners.numbers.roles import jumping, smooth_parameters
from hubel.agent.planners.numbers.scan import Fit, judged, polished

#: Nats that rounding may cost under noise: a short number is likelier beforehand.
ALLOWED = 1.0


def snapped(fit: Fit, data: Data) -> Fit:
    """The fit with its parameters as short as the answers allow."""
    allowed = ALLOWED if data.sigma > 0 else 0.5
    best = _jumps_snapped(fit, data) if data.sigma == 0 else fit
    held: set[int] = set()
    free = smooth_parameters(fit.expr)
    done = jumping(fit.expr) if best is not fit else set()
    for index in sorted(parameters(fit.expr) - done, key=lambda n: abs(fit.params[n])):
        held.add(index)
        for digits in range(0, 9):
            value = float(np.round(best.params[index], digits))
            params = best.params.copy()
            params[index] = value
            tried = judged(fit.name, fit.expr, params, data)
            if tried.cost > best.cost + allowed:
                rest = [n for n in free if n not in held]
                tried = polished(tried, data, rest, rounds=1) if rest else tried
            if tried.cost <= fit.cost + allowed:
                best = tried
                break
        else:
            params = best.params.copy()
            params[index] = float(f"{params[index]:.10g}")
            best = judged(fit.name, fit.expr, params, data)
    return best


def _jumps_snapped(fit: Fit, data: Data) -> Fit:
    """Parameters of jumps, rounded together: each alone would move jumps over answers."""
    moving = sorted(jumping(fit.expr))
    if not 1 < len(moving) <= 3:
        return fit
    for digits in sorted(product(range(4), repeat=len(moving)), key=sum):
        choices = []
        for index, count in zip(moving, digits, strict=True):
            value, unit = float(fit.params[index]), 10.0**-count
            # Only neighbours that the answers may leave open.
            near = [round(value + n * unit, count) for n in (0, -1, 1)]
            choices.append([v for v in near if abs(v - value) < 0.02 * (1 + abs(value))])
        for values in product(*choices):
            params = fit.params.copy()
            params[moving] = values
            tried = judged(fit.name, fit.expr, params, data)
            if tried.cost <= fit.cost + 0.5:
                return tried
    return fit
