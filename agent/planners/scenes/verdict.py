"""What an explorer of scenes says in the end: a rule, that there is none, or none that it knows."""

from __future__ import annotations

from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.scenes.fit import Data, Fitted, nothing
from hubel.agent.planners.scenes.grammar import BASES
from hubel.agent.planners.scenes.words import Bits, Floats, names

#: Nats by which a rule must beat a constant to be claimed.
CLAIMED = 9.0
#: Share of answers that a rule may miss by far, and the spread that it may leave, in units of the
#: noise, before the unit is taken to lie outside the hypothesis space.
MISSED, LEFT = 0.05, 1.45
_FAR = 4.0  # a residual, in units of the noise, that is missed by far
#: Different answers without noise from which a unit is taken for a mixture of many things.
_LEVELS = 24
#: Different scenes that must show each feature.
_SUPPORTED = 3
_STEP = 0.03
#: Confidence is never higher, and never higher for what lies outside.
_MOST, _OUTSIDE = 0.97, 0.2
#: Noise above which confidence falls, in units of the rule, and how fast.
_CALM, _NOISY = 0.2, 0.25
_DOUBT = 2.5  # fall of confidence with the share of answers that are missed by far
_ROUNDINGS = (1.0, 0.5, 0.1, 0.05, 0.01)


def conclude(best: list[Fitted], sure: float, data: Data, noise: float, free: Bits) -> Finding:
    """Put the best hypothesis into code and words, or say that none holds.

    Args:
        best: Hypotheses, the most probable first.
        sure: Probability of those that say the same as the first.
        data: All answers.
        noise: Standard deviation of answers to the same question.
        free: Which answers are to scenes that were not made from others, [n].
    """
    top = best[0]
    gain = top.score - nothing(data)
    off = missed(top, data, free)
    spread = float(np.sqrt(np.square(_left(top, data)[free]).mean()))
    support = _support(top, data, free)
    about: dict[str, Any] = {
        "noise": round(noise, 4),
        "gain": round(gain, 2),
        "sure": round(sure, 4),
        "missed": round(off, 4),
        "spread": round(spread, 3),
        "asked": data.n,
        "support": support,
        "base": top.hypothesis.base,
        "extra": top.hypothesis.extra,
        "rivals": [_written(f, data)[1] for f in best[1:4]],
    }
    if gain < CLAIMED:
        return Finding(None, "Nothing of the scenes was found to drive it.", 0.0, about=about)
    code, text = _written(top, data)
    noisy = noise >= _STEP
    if off > MISSED or (noisy and spread > LEFT) or (not noisy and support < _SUPPORTED):
        if not noisy and len(set(np.round(data.answers / _STEP))) > _LEVELS:
            text = "Nothing was found: it mixes many things, and no short rule tells it."
            return Finding(None, text, 0.0, outside=True, about=about)
        text = f"No rule of the space that was searched fits its answers. The nearest is: {text}"
        return Finding(code, text, min(_OUTSIDE, sure), outside=True, about=about)
    return Finding(code, text, confidence(sure, noise / max(1e-9, _full(top)), off), about=about)


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
    return float((np.abs(_left(fitted, data)[free]) > _FAR).mean())


def _left(fitted: Fitted, data: Data) -> Floats:
    """What a hypothesis leaves of each answer, in units of the noise, [n]."""
    left: Floats = (data.answers - fitted.predict(data.bits)) / data.sigma
    return left


def _support(fitted: Fitted, data: Data, free: Bits) -> int:
    """Different scenes that show each of its features as it says, of the one shown least."""
    right = free & (np.abs(_left(fitted, data)) <= _FAR)
    matrix = fitted.hypothesis.matrix(data.bits)[:, :-1]
    return min(len(np.unique(data.bits[(on > 0) & right], axis=0)) for on in matrix.T)


def confidence(sure: float, noise: float, off: float) -> float:
    """How probable it is that a rule which fits is the rule.

    The posterior knows the hypotheses that were looked at. What it does not know is how often a
    weak part was never seen, which is more often under noise; that was measured on neurons of
    seeds 100 to 102 and is taken off.

    Args:
        sure: Posterior probability.
        noise: Standard deviation of answers to the same question, in units of the rule.
        off: Share of independent answers that the rule misses by far.
    """
    return float(sure * (_MOST - _NOISY * max(0.0, noise - _CALM)) * (1 - _DOUBT * off))


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
