"""The hypothesis space of neurons over words, and its fit.

A neuron is taken to answer ``low + height * on(x) * (1 - off(x))``, where ``on`` is a logistic
function of the largest cosine to any of its concepts, and ``off`` one of the cosine to what is
taken out; or with the lesser of ``on`` and ``1 - off`` for their product. Concepts are free
directions here; `form` puts words to them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.lexicon import Vectors, unit

Floats = NDArray[np.float64]

STEPS = 160
RATE = 0.03
#: Logarithm of the odds of being on below which a word is out of reach of a fit.
FAR = -5.0
#: How far concepts lie from where they are sought first: the square of the distance, a prior.
PRIOR = 0.5


@dataclass(frozen=True)
class Model:
    """A member of the space.

    Attributes:
        on: Directions of the concepts, of length one: [concepts, width].
        off: Direction of what is taken out: [0 or 1, width].
        half: Cosine at which ``on`` is one half, and the same for ``off``.
        slope: How steep both are there.
        low: Answer to unrelated words.
        height: How far above a fully related one lies.
        least: Of what is on and what is not taken out the lesser counts, not their product.
    """

    on: Vectors
    off: Vectors
    half: tuple[float, float]
    slope: float
    low: float
    height: float
    least: bool = False

    def shape(self, vectors: NDArray[Any]) -> Floats:
        """Between 0 and 1, before `low` and `height`: [words]."""
        on = logistic(self.slope * ((vectors @ self.on.T).max(axis=1) - self.half[0]))
        kept = self.kept(vectors)
        return np.asarray(np.minimum(on, kept) if self.least else on * kept, np.float64)

    def kept(self, vectors: NDArray[Any]) -> Floats:
        """What is not taken out, between 0 and 1: [words]."""
        if not len(self.off):
            return np.ones(len(vectors))
        out = (vectors @ self.off.T).max(axis=1)
        return np.asarray(1 - logistic(self.slope * (out - self.half[1])), np.float64)

    @property
    def directions(self) -> Vectors:
        """Of its concepts, then of what is taken out: [concepts + parts, width]."""
        return np.concatenate([self.on, self.off])

    def turned(self, directions: Vectors) -> Model:
        """The same with other directions, in the order of `directions`."""
        parts = len(self.on)
        return replace(self, on=directions[:parts], off=directions[parts:])

    def predict(self, vectors: NDArray[Any]) -> Floats:
        """What the neuron should answer: [words]."""
        return self.low + self.height * self.shape(vectors)


def fit(
    model: Model, vectors: NDArray[Any], values: Floats, noise: float, held: bool = False
) -> Model:
    """The most probable parameters, by Adam (Kingma and Ba 2015) from a model's directions.

    Args:
        model: Where to begin.
        vectors: Of the words asked: [words, width].
        values: What they gave: [words].
        noise: Standard deviation of one answer; the larger, the less directions move.
        held: Directions stay where they are; only the curve is fitted.
    """
    directions = model.directions.astype(np.float64)
    begun, concepts = directions.copy(), len(model.on)
    curve = np.array([*model.half, np.log(model.slope)])
    first, second = np.zeros((2, 3 if held else directions.size + 3))
    variance, low, height = float(values.var()) + 1e-12, 0.0, 1.0
    share = max(noise**2 / variance, 0.01)
    pull_back = share * directions.shape[1] / PRIOR / len(values)
    # Words far from every concept answer `low` whatever its direction and its curve come to.
    reach = np.array([model.half[0]] * concepts + [model.half[1]] * len(model.off))
    near = np.flatnonzero(((vectors @ directions.T - reach) * model.slope).max(axis=1) > FAR)
    some, given, shape = vectors[near], values[near], np.zeros(len(values))
    rows, single = np.arange(len(near)), np.zeros(len(near), np.intp)
    cosine = _products(some, directions)
    for step in range(1, STEPS + 1):
        slope = float(np.exp(curve[2]))
        owner = cosine[:, :concepts].argmax(axis=1) if concepts > 1 else single
        best = cosine[rows, owner]
        on = logistic(slope * (best - curve[0]))
        out = cosine[:, concepts:].max(axis=1, initial=-1.0)
        off = logistic(slope * (out - curve[1])) if len(model.off) else np.zeros(len(on))
        by_on, by_off, shape[near] = 1 - off, on, on * (1 - off)
        if model.least:
            by_on, by_off = (on <= 1 - off).astype(float), (on > 1 - off).astype(float)
            shape[near] = np.minimum(on, 1 - off)
        low, height = _line(shape, values)
        error = 2 * (low + height * shape[near] - given) / len(values) / variance * height
        d_on, d_off = error * by_on * on * (1 - on), -error * by_off * off * (1 - off)
        steep = float((d_on * (best - curve[0]) + d_off * (out - curve[1])).sum()) * slope
        whole = np.array([-slope * float(d_on.sum()), -slope * float(d_off.sum()), steep])
        if not held:
            pull = np.zeros_like(cosine)
            pull[rows, owner] = slope * d_on
            pull[:, concepts:] = slope * d_off[:, None]
            gradient = _products(pull.T, some.T) + 2 * pull_back * (directions - begun)
            whole = np.concatenate([gradient.ravel(), whole])
        first = 0.9 * first + 0.1 * whole
        second = 0.99 * second + 0.01 * whole**2
        move = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
        # A direction has hundreds of coordinates of size 0.05: it moves by less in each.
        if not held:
            directions -= 0.1 * RATE * move[:-3].reshape(directions.shape)
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
            cosine = _products(some, directions)
        curve -= RATE * np.array([0.3, 0.3, 3.0]) * move[-3:]
        curve = np.clip(curve, [0.05, 0.05, 1.5], [0.95, 0.95, 4.0])
    whole_on, whole_off = directions[:concepts], directions[concepts:]
    fitted = replace(
        model,
        on=unit(whole_on),
        off=unit(whole_off),
        half=(float(curve[0]), float(curve[1])),
        slope=float(np.exp(curve[2])),
    )
    low, height = _line(fitted.shape(vectors), values)
    return replace(fitted, low=low, height=height)


def _products(one: NDArray[Any], two: NDArray[Any]) -> Floats:
    """Of each row of one with each of the other, at half the cost of full precision."""
    product = one.astype(np.float32, copy=False) @ two.astype(np.float32, copy=False).T
    return np.asarray(product, np.float64)


def _line(shape: Floats, values: Floats) -> tuple[float, float]:
    """The line through values over shape, rising: intercept and slope."""
    middle, mean = float(shape.sum()) / len(shape), float(values.sum()) / len(values)
    spread = float(shape @ shape) / len(shape) - middle**2
    height = max((float(shape @ values) / len(shape) - middle * mean) / (spread + 1e-9), 0.0)
    return mean - height * middle, height


def logistic(x: NDArray[Any] | float) -> NDArray[Any]:
    """The logistic function, without overflow, in the precision given."""
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))
