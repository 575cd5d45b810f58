"""What an explorer of scenes says in the end: a rule, that there is none, or none that it knows."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.scenes.fit import Data, Fitted, nothing
from hubel.agent.planners.scenes.grammar import BASES
from hubel.agent.planners.scenes.rivals import Rival, lead
from hubel.agent.planners.scenes.state import State
from hubel.agent.planners.scenes.unseen import Unseen
from hubel.agent.planners.scenes.words import Bits, Floats, names

#: Nats by which a rule must beat a constant to be claimed, and by which a law beyond the grammar
#: must beat the best rule, or a constant where no rule does, before the unit is taken to lie
#: outside the hypothesis space.
CLAIMED, BEATEN = 6.0, 2.0
#: Share of answers that a rule may miss by far, and the spread that it may leave, in units of the
#: noise, before the unit is taken to lie outside.
MISSED, LEFT = 0.05, 1.45
#: Share of errors of perception that are made again when the scene is redrawn, and how improbable
#: the misses that last must be if perception alone errs, before the unit is taken to lie outside.
_AGAIN, _ODDS = 0.3, 0.05
#: A residual, in units of the noise, that is missed by far.
FAR = 4.0
#: Different answers without noise from which a unit is taken for a mixture of many things.
_LEVELS = 24
#: Different scenes that must show each feature.
_SUPPORTED = 3
_STEP = 0.03
#: Confidence is never higher, and never higher for what lies outside: of 12 such verdicts on
#: development neurons none came with the right rule.
_MOST, _OUTSIDE = 0.945, 0.05
_ROUNDINGS = (1.0, 0.5, 0.1, 0.05, 0.01)
#: Standard errors by which a weight may be off a whole number that it is taken for.
_WHOLE = 2.0


def conclude(best: list[Fitted], sure: float, state: State, laws: list[Rival]) -> Finding:
    """Put the best hypothesis into code and words, or say that none holds.

    Args:
        best: Hypotheses, the most probable first.
        sure: Probability of those that say the same as the first.
        state: All answers.
        laws: Laws beyond the grammar, the most probable first.
    """
    data, free, top = state.data(), state.independent(), best[0]
    gain = top.score - nothing(data)
    gap, nearest = lead(laws, top, state, data)
    law = "" if nearest is None else nearest.text
    off, lasts = missed(top, data, free), lasting(top, state, data)
    odds = by_chance(*lasts)
    wide = spread(top, data, free)
    support = _support(top, data, free)
    about: dict[str, Any] = {
        "noise": round(state.noise, 4),
        "gain": round(gain, 2),
        "sure": round(sure, 4),
        "missed": round(off, 4),
        "lasting": lasts,
        "spread": round(wide, 3),
        "asked": state.asked,
        "support": support,
        "base": top.hypothesis.base,
        "extra": top.hypothesis.extra,
        "rivals": [_written(f, data)[1] for f in best[1:4]],
        "beyond": law,
        "gap": round(gap, 2) if laws else None,
    }
    if gain < CLAIMED:
        if nearest is None or laws[0].score - nothing(state.fair()) < CLAIMED + BEATEN:
            return Finding(None, "Nothing of the scenes was found to drive it.", 0.0, about=about)
        text = f"No rule of the space that was searched drives it, but perhaps this: {law}."
        return Finding(None, text, 0.0, outside=True, about=about)
    code, text = _written(top, data)
    noisy = state.noise >= _STEP
    unfit = off > MISSED or (wide > LEFT if noisy else support < _SUPPORTED or odds < _ODDS)
    if unfit or gap < -BEATEN:
        if not noisy and len(set(np.round(data.answers / _STEP))) > _LEVELS:
            text = "Nothing was found: it mixes many things, and no short rule tells it."
            return Finding(None, text, 0.0, outside=True, about=about)
        better = f" Better does this: {law}." if gap < -BEATEN else ""
        text = f"No rule of the space that was searched fits its answers.{better} Nearest: {text}"
        return Finding(code, text, min(_OUTSIDE, sure), outside=True, about=about)
    about["open"] = round(Unseen(top, state.fair()).odds, 4)
    return Finding(code, text, confidence(sure, about["open"], gap), about=about)


def supported(best: list[Fitted], data: Data, free: Bits) -> list[Fitted]:
    """The hypotheses each part of which independent scenes show; all, if there are none such.

    A scene that was misperceived, and its neighbours, would else buy themselves a term.
    """
    found = [f for f in best if _support(f, data, free) >= _SUPPORTED]
    return found or best


def missed(fitted: Fitted, data: Data, free: Bits) -> float:
    """The share of independent scenes that a hypothesis misses by far."""
    return float((np.abs(_left(fitted, data)[free]) > FAR).mean())


def spread(fitted: Fitted, data: Data, free: Bits) -> float:
    """Root mean square of what a hypothesis leaves of independent answers, in units of noise."""
    left = np.square(_left(fitted, data)[free]).sum()
    return float(np.sqrt(left / (1 / data.times[free]).sum()))


def lasting(fitted: Fitted, state: State, data: Data) -> tuple[int, int]:
    """How many scenes a hypothesis misses by far, and misses so again when they are redrawn.

    Returns:
        The misses that last, and all that were redrawn.
    """
    left = dict(zip(state.scenes, _left(fitted, data), strict=True))
    pairs = [(left[s], left[r]) for s, r in state.redrawn.items() if r in left]
    missed_once = [(one, other) for one, other in pairs if abs(one) > FAR]
    far = [abs(other) > FAR and one * other > 0 for one, other in missed_once]
    return int(sum(far)), len(far)


def by_chance(lasts: int, of: int) -> float:
    """Probability that so many misses or more last if perception alone errs.

    An error of perception mostly goes when the scene is redrawn; what a rule does not know stays.
    """
    return sum(comb(of, k) * _AGAIN**k * (1 - _AGAIN) ** (of - k) for k in range(lasts, of + 1))


def unexplained(fitted: Fitted, state: State, data: Data) -> bool:
    """Whether errors of perception are not enough to explain what a hypothesis misses."""
    return by_chance(*lasting(fitted, state, data)) < _ODDS


def _left(fitted: Fitted, data: Data) -> Floats:
    """What a hypothesis leaves of the answer to each scene, in units of the noise, [n]."""
    left: Floats = (data.answers - fitted.predict(data.bits)) / data.sigma
    return left


def _support(fitted: Fitted, data: Data, free: Bits) -> int:
    """Different scenes that show each of its features as it says, of the one shown least."""
    right = free & (np.abs(_left(fitted, data)) <= FAR)
    matrix = fitted.hypothesis.matrix(data.bits)[:, :-1]
    return min(len(np.unique(data.kinds[(on > 0) & right])) for on in matrix.T)


def confidence(sure: float, odds: float, gap: float) -> float:
    """How probable it is that a rule which fits is the rule, and all of it.

    It is the posterior of the hypotheses that were looked at, of further parts that the answers
    leave open, and of laws beyond the grammar.

    Args:
        sure: Posterior probability among hypotheses.
        odds: Of a further part, against none.
        gap: Nats by which it is ahead of the best law beyond the grammar.
    """
    return float(min(_MOST, sure / (1 + odds) / (1 + np.exp(-gap))))


def _written(fitted: Fitted, data: Data) -> tuple[str, str]:
    """A hypothesis as code and as a sentence."""
    hypothesis, weights = fitted.hypothesis, _rounded(fitted, data)
    size = BASES[hypothesis.base].slots
    holding = [f"{names()[s]!r} in x" for s in hypothesis.slots]
    said = [names()[s] for s in hypothesis.slots]
    letters = "abcde"[: len(said)]
    features = [f.format(*letters) for f in BASES[hypothesis.base].said]
    rest = letters[size:]
    if hypothesis.extra in ("silent", "other"):
        features = [f"({f} and not {rest[0]})" for f in features]
    if hypothesis.extra == "other":
        features.append(f"({rest[0]} and {rest[1]})")
    if hypothesis.extra == "cue":
        features.append(rest[0])
    terms = [f"{w:g} * {f}" for w, f in zip(weights, features, strict=False)]
    if weights[-1]:
        terms.append(f"{weights[-1]:g}")
    lines = [f"    {letter} = {held}" for letter, held in zip(letters, holding, strict=True)]
    code = "\n".join(["def f(x):", *lines, f"    return {' + '.join(terms)}", ""])
    written = " + ".join(terms)
    for letter, phrase in zip(letters, said, strict=True):
        written = _replaced(written, letter, f"[{phrase}]")
    return code, f"It is {written}."


def _replaced(text: str, letter: str, phrase: str) -> str:
    """A letter that stands for a phrase, by the phrase."""
    words = text.replace("(", "( ").replace(")", " )").split(" ")
    joined = " ".join(phrase if word == letter else word for word in words)
    return joined.replace("( ", "(").replace(" )", ")")


def _rounded(fitted: Fitted, data: Data) -> Floats:
    """Weights, rounded as far as the answers do not object; whole numbers are likelier."""
    matrix = fitted.hypothesis.matrix(data.bits)
    found, errors = _weighed(matrix, fitted, data)
    if abs(found[-1]) < 2 * errors[-1]:
        found, errors = _weighed(matrix[:, :-1], fitted, data)
    for n, (weight, error) in enumerate(zip(found, errors, strict=True)):
        room = [(s, (_WHOLE if s == 1.0 else 1.0) * error) for s in _ROUNDINGS]
        steps = [s for s, most in room if abs(round(weight / s) * s - weight) <= most]
        step = steps[0] if steps else _ROUNDINGS[-1]
        rounded = round(weight / step) * step
        found[n] = rounded if rounded or n == matrix.shape[1] - 1 else weight
    return np.round(np.append(found, [0.0] * (matrix.shape[1] - len(found))), 4)


def _weighed(matrix: Floats, fitted: Fitted, data: Data) -> tuple[Floats, Floats]:
    """Weights of some features by the trust in each answer, and their standard errors."""
    weighed = matrix * fitted.trust[:, None]
    spread = np.linalg.inv(weighed.T @ matrix + 1e-6 * np.eye(matrix.shape[1]))
    weights: Floats = spread @ (weighed.T @ data.answers)
    return weights, data.sigma * np.sqrt(np.diag(spread))
