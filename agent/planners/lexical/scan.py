"""Hypotheses whose concepts are single words, all of them scored against all answers at once.

A free direction bends to whatever was asked: without what is taken out, or without the second part
of an OR, it settles for something between. A word cannot bend, so pairs of words show what is there
before any direction is let free. With ``s`` and ``g`` the logistic functions of the cosines to two
words, ``s (1 - g)`` and ``s + g - s g`` (nearly their maximum) are linear in ``g``, so that the
least squares of all pairs are a few matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.asked import COMMON, Asked
from hubel.agent.planners.lexical.lexicon import Vectors, unit
from hubel.agent.planners.lexical.model import Floats, Model, logistic

#: Words that may be the first of a pair: those that do best alone.
FIRSTS = 24
#: Cosines at which relatedness is one half, and how steep it is there; fits begin from these.
CURVES = ((0.28, 10.0), (0.35, 16.0), (0.42, 16.0), (0.49, 16.0))
#: How much that cosine may change with words for a direction: phrases are nearer to everything.
NEARER = (-0.05, 0.0, 0.05)
#: Words of a phrase have at least this cosine.
ALIKE = 0.35
#: Words less likely than the best by this factor say nothing about a direction.
UNLIKELY = 1e-3


@dataclass(frozen=True)
class Scanned:
    """The best hypotheses of words.

    Attributes:
        alone: One concept, or the model that is grown.
        either: One concept more.
        without: One concept taken out.
    """

    alone: Model
    either: Model
    without: Model


def telling(asked: Asked, count: int) -> list[int]:
    """Numbers of words to ask next: on which the best hypotheses of words answer most, or differ.

    And words near to those that answered more than any of these says: another concept may be there.

    Args:
        asked: All answers so far.
        count: How many, a quarter for each.
    """
    scanned, vectors = scan(asked), asked.lexicon.vectors
    models = [asked.fit(m, held=True) for m in (scanned.alone, scanned.either, scanned.without)]
    alone, either, without = (m.predict(vectors) for m in models)
    least = min(models, key=asked.missed)
    missed = asked.values - least.predict(asked.vectors)
    surprising = asked.surrogate.surprising(missed, asked.noise)
    taken = asked.surrogate.kept.copy()
    taken[asked.surrogate.asked] = True
    chosen: list[int] = []
    for worth in (alone, np.abs(either - alone), np.abs(without - alone), surprising):
        ranked = np.argsort(np.where(taken, -np.inf, worth))[::-1]
        some = [int(n) for n in ranked[: count // 4] if not taken[n]]
        taken[some] = True
        chosen += some
    return chosen


def scan(asked: Asked, model: Model | None = None) -> Scanned:
    """Find the words that explain the answers best: alone, in pairs, or added to a model.

    Args:
        asked: All answers so far.
        model: What is grown; None for pairs of words.
    """
    words, values = asked.lexicon.vectors[:COMMON], asked.values - asked.values.mean()
    found: dict[str, _Chosen] = {}
    for half, slope in CURVES:
        g = asked.related(half, slope)
        squares = g * g
        ones = np.ones(len(g), np.float32)
        alone = _left(values.astype(np.float32) @ g, ones @ g, ones @ squares, values)
        first = np.argsort(alone, kind="stable")[:FIRSTS]
        one = Model(words[first[:1]], words[:0], (half, half), slope, 0.0, 1.0)
        tried = [("alone", _Chosen(float(alone.min()), one, first))] if model is None else []
        shapes = g[:, first].T if model is None else model.shape(asked.vectors)[None]
        for name, left in _paired(shapes.astype(np.float64), g, squares, values).items():
            row, column = np.unravel_index(int(left.argmin()), left.shape)
            base = model or replace(one, on=words[first[row]][None])
            pair = _grown(base, words[column][None], name == "without")
            firsts = first[np.argsort(left[:, column])] if model is None else None
            seconds = np.argsort(left[row], kind="stable")[:FIRSTS]
            tried.append((name, _Chosen(float(left.min()), pair, firsts, seconds, len(base.on))))
        for name, chosen in tried:
            if name not in found or chosen.left < found[name].left:
                found[name] = chosen
    phrased = {name: chosen.phrased(words, asked) for name, chosen in found.items()}
    return Scanned(model or phrased["alone"], phrased["either"], phrased["without"])


@dataclass(frozen=True)
class _Chosen:
    """The best of one kind with single words.

    Attributes:
        left: What it misses, squares summed.
        model: With one word for each direction that is sought.
        firsts: Numbers of the words that do best as its first concept; None if that was given.
        seconds: The same for the direction at `place`; None where there is one direction only.
        place: Of the direction that was added.
    """

    left: float
    model: Model
    firsts: NDArray[np.intp] | None = None
    seconds: NDArray[np.intp] | None = None
    place: int = 0

    def phrased(self, words: Vectors, asked: Asked) -> Model:
        """The same with phrases for the words."""
        model = self.model
        if self.firsts is not None:
            model = _phrased(model, 0, words[self.firsts], asked)
        if self.seconds is not None:
            model = _phrased(model, self.place, words[self.seconds], asked)
        return model


def _grown(base: Model, extra: Vectors, out: bool) -> Model:
    """A model with a concept more, or with one taken out."""
    if out:
        return replace(base, off=extra, half=(base.half[0], base.half[0]))
    return replace(base, on=np.concatenate([base.on, extra]))


def _paired(s: Floats, g: NDArray[Any], squares: NDArray[Any], y: Floats) -> dict[str, Floats]:
    """What pairs miss: squares summed, [firsts, words], by kind.

    Args:
        s: Of the first concepts: [firsts, asked].
        g: Of all words: [asked, words].
        squares: The same, squared.
        y: The answers: [asked].
    """
    s2 = s * s
    ones = np.ones((1, len(y)))
    # All that the moments of both kinds are made of, in two products.
    linear = np.concatenate([s * y, s, s2, y[None], ones]).astype(np.float32) @ g
    quadratic = np.concatenate([s, s2, ones]).astype(np.float32) @ squares
    sy_g, s_g, s2_g, (y_g, all_g) = np.split(
        linear.astype(np.float64), [len(s) * k for k in (1, 2, 3)]
    )
    s_q, s2_q, all_q = np.split(quadratic.astype(np.float64), [len(s), 2 * len(s)])

    def column(weights: Floats) -> Floats:
        return np.asarray(weights.sum(axis=1, keepdims=True), np.float64)

    either = _left(
        column(s * y) + y_g - sy_g,
        column(s) + all_g - s_g,
        column(s2) + 2 * (s_g - s2_g) + all_q - 2 * s_q + s2_q,
        y,
    )
    without = _left(column(s * y) - sy_g, column(s) - s_g, column(s2) - 2 * s2_g + s2_q, y)
    return {"either": either, "without": without}


def _left(with_y: NDArray[Any], sums: NDArray[Any], squares: NDArray[Any], y: Floats) -> Floats:
    """What the best rising line through each shape misses, from its moments with the answers."""
    covered = with_y.astype(np.float64) - sums * y.mean()
    spread = np.maximum(squares.astype(np.float64) - sums.astype(np.float64) ** 2 / len(y), 1e-6)
    height = np.maximum(covered, 0) / spread
    total = float(((y - y.mean()) ** 2).sum())
    return np.asarray(total - 2 * height * covered + height**2 * spread, np.float64)


def _phrased(model: Model, place: int, words: Vectors, asked: Asked) -> Model:
    """A model with one direction replaced by the mean of phrases of one or two words.

    Each phrase counts as the answers make it probable; arguments as of `left_by`.
    """
    one, two = pairs_of(words)
    phrases = unit(words[one] + words[two])
    left, halves = min(left_by(phrases, model, place, asked), key=lambda tried: tried[0].min())
    odds = np.exp((left.min() - left) / (2 * asked.variance))
    whole = model.directions
    whole[place] = unit(np.where(odds > UNLIKELY, odds, 0.0) @ phrases)
    return replace(model.turned(whole), half=halves)


def pairs_of(words: Vectors) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The numbers of the words of each phrase: one word twice, or two that are alike enough."""
    one, two = np.triu_indices(len(words))
    alike = (words @ words.T)[one, two] > ALIKE
    return one[alike], two[alike]


def left_by(
    phrases: Vectors, model: Model, place: int, asked: Asked
) -> list[tuple[Floats, tuple[float, float]]]:
    """What a model misses, squares summed, with each of some phrases for one of its directions.

    Args:
        phrases: Directions: [phrases, width].
        model: Its other directions stay where they are.
        place: Of the direction, among concepts and what is taken out.
        asked: All answers so far.

    Returns:
        For each of `NEARER` what is missed, [phrases], and the cosines of one half.
    """
    vectors, parts, values = asked.vectors, len(model.on), asked.values
    cosines = phrases @ vectors.T
    others = np.delete(model.on, place, axis=0) if place < parts else model.on
    near = (vectors @ others.T).max(axis=1, initial=-1.0)
    away = (vectors @ model.off.T).max(axis=1, initial=-1.0)
    out = []
    for nearer in NEARER:
        halves = (model.half[0] + nearer, model.half[1])
        on_by, off_by = np.maximum(near, cosines), away
        if place >= parts:
            halves = (model.half[0], model.half[1] + nearer)
            on_by, off_by = near, cosines
        shapes = logistic(model.slope * (on_by - halves[0]))
        if len(model.off):
            kept = 1 - logistic(model.slope * (off_by - halves[1]))
            shapes = np.minimum(shapes, kept) if model.least else shapes * kept
        out.append((_left(shapes @ values, shapes.sum(1), (shapes**2).sum(1), values), halves))
    return out
