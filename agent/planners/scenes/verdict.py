"""What an explorer of scenes says in the end: a rule, that there is none, or none that it knows."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.scenes.fit import Data, Fitted, nothing
from hubel.agent.planners.scenes.grammar import BASES
from hubel.agent.planners.scenes.rivals import Rival
from hubel.agent.planners.scenes.state import State
from hubel.agent.planners.scenes.words import Bits, Floats, names

#: Nats by which a rule must beat a constant to be claimed, and by which a law beyond the grammar
#: must beat the best rule, or a constant where no rule does, before the unit is taken to lie
#: outside the hypothesis space.
CLAIMED, BEATEN = 9.0, 2.0
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
#: Noise at which confidence is half, in units of the rule, and how steeply it falls there.
_HALF, _STEEP = 1.0, 5
_ROUNDINGS = (1.0, 0.5, 0.1, 0.05, 0.01)


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
    gap, law = (top.score - laws[0].score, laws[0].text) if laws else (np.inf, "")
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
        "asked": data.n,
        "support": support,
        "base": top.hypothesis.base,
        "extra": top.hypothesis.extra,
        "rivals": [_written(f, data)[1] for f in best[1:4]],
        "beyond": law,
        "gap": round(gap, 2) if laws else None,
    }
    if gain < CLAIMED:
        if gain - gap < CLAIMED + BEATEN:
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
    noise = state.noise / max(1e-9, _full(top))
    return Finding(code, text, confidence(sure, noise, gap), about=about)


def _full(fitted: Fitted) -> float:
    """The highest weight."""
    return float(np.abs(fitted.weights[:-1]).max())


def supported(best: list[Fitted], data: Data, free: Bits) -> list[Fitted]:
    """The hypotheses each part of which independent scenes show; all, if there are none such.

    A scene that was misperceived, and its neighbours, would else buy themselves a term.
    """
    found = [f for f in best if _support(f, data, free) >= _SUPPORTED]
    return found or best


def missed(fitted: Fitted, data: Data, free: Bits) -> float:
    """The share of independent answers that a hypothesis misses by far."""
    return float((np.abs(_left(fitted, data)[free]) > FAR).mean())


def spread(fitted: Fitted, data: Data, free: Bits) -> float:
    """Root mean square of what a hypothesis leaves of independent answers, in units of noise."""
    return float(np.sqrt(np.square(_left(fitted, data)[free]).mean()))


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
    """What a hypothesis leaves of each answer, in units of the noise, [n]."""
    left: Floats = (data.answers - fitted.predict(data.bits)) / data.sigma
    return left


def _support(fitted: Fitted, data: Data, free: Bits) -> int:
    """Different scenes that show each of its features as it says, of the one shown least."""
    right = free & (np.abs(_left(fitted, data)) <= FAR)
    matrix = fitted.hypothesis.matrix(data.bits)[:, :-1]
    return min(len(np.unique(data.kinds[(on > 0) & right])) for on in matrix.T)


def confidence(sure: float, noise: float, gap: float) -> float:
    """How probable it is that a rule which fits is the rule.

    The posterior knows the hypotheses that were looked at. What it does not know is how often a
    weak part was never seen. Of 41 rules that were claimed under noise on development seeds (401,
    402) 34 were right, of 23 on seed 1013 21, about as many at a noise of half the rule (27 of 30)
    as at .2; only beyond does it fall, which nothing has measured. Without noise 54 of 55 were.
    (Before phrases that were neglected were asked about, half were right at .5: seeds 300 to 313.)
    Answers that a rule misses which fits are errors of perception, and say nothing: all 9 rules
    with such (seeds 300 and 401) were right.

    Args:
        sure: Posterior probability.
        noise: Standard deviation of answers to the same question, in units of the rule.
        gap: Nats by which it is ahead of the best law beyond the grammar.
    """
    calm = _MOST / (1 + (noise / _HALF) ** _STEEP)
    return float(sure * calm / (1 + np.exp(-gap)))


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
    """Weights, rounded as far as the answers do not object."""
    matrix = fitted.hypothesis.matrix(data.bits)
    gram = (matrix * fitted.trust[:, None]).T @ matrix + 1e-6 * np.eye(matrix.shape[1])
    errors = data.sigma * np.sqrt(np.diag(np.linalg.inv(gram)))
    found = fitted.weights.copy()
    for n, (weight, error) in enumerate(zip(fitted.weights, errors, strict=True)):
        if n == len(found) - 1 and abs(weight) < 2 * error:
            found[n] = 0.0
            continue
        steps = [s for s in _ROUNDINGS if abs(round(weight / s) * s - weight) <= error]
        step = steps[0] if steps else _ROUNDINGS[-1]
        rounded = round(weight / step) * step
        found[n] = rounded if rounded or n == len(found) - 1 else weight
    return np.round(found, 4)
