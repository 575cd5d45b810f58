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

from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.lexicon import Vectors, unit
from hubel.agent.planners.lexical.model import Floats, Model, logistic

#: Words that may be a concept: the commonest ones.
COMMON = 8000
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

    Args:
        asked: All answers so far.
        count: How many, a third for each hypothesis.
    """
    scanned, vectors = scan(asked), asked.lexicon.vectors
    models = (scanned.alone, scanned.either, scanned.without)
    alone, either, without = (asked.fit(m, held=True).predict(vectors) for m in models)
    taken = asked.surrogate.kept.copy()
    taken[asked.surrogate.asked] = True
    chosen: list[int] = []
    for worth in (alone, np.abs(either - alone), np.abs(without - alone)):
        ranked = np.argsort(np.where(taken, -np.inf, worth))[::-1]
        some = [int(n) for n in ranked[: count // 3] if not taken[n]]
        taken[some] = True
        chosen += some
    return chosen


def scan(asked: Asked, model: Model | None = None) -> Scanned:
    """Find the words that explain the answers best: alone, in pairs, or added to a model.

    Args:
        asked: All answers so far.
        model: What is grown; None for pairs of words.
    """
    words, values = asked.lexicon.vectors[:COMMON], asked.values
    cosines = words @ asked.vectors.T
    found: dict[str, tuple[float, Model]] = {}
    for half, slope in CURVES:
        g = logistic(slope * (cosines - half)).astype(np.float32)
        squares = g * g
        alone = _left(g @ values, g.sum(axis=1), squares.sum(axis=1), values)
        first = np.argsort(alone, kind="stable")[:FIRSTS]
        one = Model(words[first[:1]], words[:0], (half, half), slope, 0.0, 1.0)
        rivals: dict[str, tuple[float, Model]] = {}
        if model is None:
            rivals["alone"] = float(alone.min()), _phrased(one, 0, words[first], asked)
        shapes = g[first] if model is None else model.shape(asked.vectors)[None]
        for name, left in _paired(shapes.astype(np.float64), g, squares, values).items():
            row, column = np.unravel_index(int(left.argmin()), left.shape)
            base = model or replace(one, on=words[first[row]][None])
            pair = _grown(base, words[column][None], name == "without")
            if name not in found or left.min() < found[name][0]:
                if model is None:
                    pair = _phrased(pair, 0, words[first[np.argsort(left[:, column])]], asked)
                second = words[np.argsort(left[row], kind="stable")[:FIRSTS]]
                pair = _phrased(pair, len(base.on), second, asked)
                rivals[name] = (float(left.min()), pair)
        for name, rival in rivals.items():
            if name not in found or rival[0] < found[name][0]:
                found[name] = rival
    either, without = found["either"][1], found["without"][1]
    return Scanned(model or found["alone"][1], either, without)


def _grown(base: Model, extra: Vectors, out: bool) -> Model:
    """A model with a concept more, or with one taken out."""
    if out:
        return replace(base, off=extra, half=(base.half[0], base.half[0]))
    return replace(base, on=np.concatenate([base.on, extra]))


def _paired(s: Floats, g: NDArray[Any], squares: NDArray[Any], y: Floats) -> dict[str, Floats]:
    """What pairs miss: squares summed, [firsts, words], by kind.

    Args:
        s: Of the first concepts: [firsts, asked].
        g: Of all words: [words, asked].
        squares: The same, squared.
        y: The answers: [asked].
    """
    rest, s2 = 1 - s, s * s

    def through(weights: Floats, table: NDArray[Any]) -> Floats:
        return np.asarray((table @ weights.T.astype(np.float32)).T, np.float64)

    def column(weights: Floats) -> Floats:
        return np.asarray(weights.sum(axis=1, keepdims=True), np.float64)

    either = _left(
        column(s * y) + through(rest * y, g),
        column(s) + through(rest, g),
        column(s2) + 2 * through(s * rest, g) + through(rest * rest, squares),
        y,
    )
    without = _left(
        column(s * y) - through(s * y, g),
        column(s) - through(s, g),
        column(s2) - 2 * through(s2, g) + through(s2, squares),
        y,
    )
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
