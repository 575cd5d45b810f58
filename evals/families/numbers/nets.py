"""A small network trained to stand in for a law, in numpy: one hidden layer of ReLU units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Hidden units, steps of training, inputs per step.
HIDDEN, STEPS, BATCH = 64, 1500, 128


def stand_in(
    x: Array, y: Array, rng: np.random.Generator, steps: int = STEPS
) -> Callable[[Array], Array]:
    """Train a network on a law.

    Args:
        x: Inputs, shape (n,).
        y: Outputs, shape (n,).
        rng: Draws the starting weights and the batches.
        steps: Steps of Adam (Kingma & Ba 2015), rate 0.01 falling to zero.

    Returns:
        The trained network, from inputs of shape (m,) to outputs of shape (m,).
    """
    span, middle, scale = float(np.abs(x).max()), float(y.mean()), float(y.std()) or 1.0
    inputs, targets = (x / span)[:, None], ((y - middle) / scale)[:, None]
    weights = [
        rng.normal(0, 2, (1, HIDDEN)),
        rng.uniform(-2, 2, HIDDEN),
        rng.normal(0, HIDDEN**-0.5, (HIDDEN, 1)),
        np.zeros(1),
    ]
    means = [np.zeros_like(w) for w in weights]
    squares = [np.zeros_like(w) for w in weights]
    for step in range(1, steps + 1):
        rows = rng.integers(len(x), size=BATCH)
        for k, slope in enumerate(_slopes(weights, inputs[rows], targets[rows])):
            means[k] = 0.9 * means[k] + 0.1 * slope
            squares[k] = 0.999 * squares[k] + 0.001 * slope**2
            rate = 0.01 * (1 - step / steps) / (1 - 0.9**step)
            weights[k] -= rate * means[k] / (np.sqrt(squares[k] / (1 - 0.999**step)) + 1e-8)
    first, bias, second, last = weights

    def network(values: Array) -> Array:
        hidden = np.maximum((values / span)[:, None] @ first + bias, 0)
        return np.asarray((hidden @ second + last)[:, 0] * scale + middle)

    return network


def _slopes(weights: list[Array], inputs: Array, targets: Array) -> list[Array]:
    """Gradients of the mean squared error."""
    first, bias, second, last = weights
    before = inputs @ first + bias
    hidden = np.maximum(before, 0)
    error = 2 * (hidden @ second + last - targets) / len(inputs)
    back = (error @ second.T) * (before > 0)
    return [inputs.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
