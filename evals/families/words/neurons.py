"""The generator of neurons over words: seeded, with noise, exceptions and null units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.lexicon import Lexicon
from hubel.evals.families.words import topics
from hubel.evals.families.words.encoder import Encoder, shared
from hubel.evals.families.words.judge import EncoderJudge, Judge
from hubel.evals.families.words.null import NULLS, null
from hubel.evals.families.words.truth import UNDEFINED, Entity, Relation
from hubel.evals.neuron import Neuron
from hubel.evals.unit_tests import CHOICES, TESTS, UnitTest

Rule = Entity | Relation
Answer = Callable[[Sequence[str]], NDArray[Any]]

#: Kinds of neurons and how often each comes.
MIX = {
    "one": 0.26,
    "or": 0.24,
    "and not": 0.10,
    "letter": 0.08,
    "relation": 0.14,
    "relation with exception": 0.06,
    "null": 0.12,
}
#: Standard deviation of the truth over that of the noise.
SNRS = (float("inf"), 5.0, 2.0, 1.0)
#: Concepts that names are told apart from.
POOL = [text for text in topics.texts() if text != UNDEFINED]
#: Words whose drive reaches this are "on"; held-out words are half of them, if there are so many.
ON = 0.3
#: Unit tests choose between words that drive their neuron at least so much, or are among so many
#: that drive it most; words of other neurons that drive this one too are no wrong answers.
STRONG, STRONGEST, WEAK = 0.6, 30, 0.2


def make(seed: int, number: int) -> Neuron:
    """Neuron `number` of the suite of a seed, by the encoder of this process.

    Raises:
        ToolError: The encoder cannot be used.
    """
    encoder = shared()
    encoder.of(topics.texts())
    return _neuron(number, seed, encoder.lexicon(), EncoderJudge(encoder))


def generate(n: int, seed: int, encoder: Encoder, judge: Judge | None = None) -> list[Neuron]:
    """Neurons over words, drawn by their number and the seed alone.

    Args:
        n: How many.
        seed: Of the family.
        encoder: Gives the vocabulary.
        judge: Of relatedness; the encoder unless given.

    Raises:
        ToolError: The encoder cannot be used.
    """
    judge = judge or EncoderJudge(encoder)
    encoder.of(topics.texts())  # all at once: each call for new texts starts a process
    lexicon = encoder.lexicon()
    return [_neuron(number, seed, lexicon, judge) for number in range(n)]


def _neuron(number: int, seed: int, lexicon: Lexicon, judge: Judge) -> Neuron:
    rng = np.random.default_rng([seed, number])
    kind = str(rng.choice(list(MIX), p=list(MIX.values())))
    name = f"words/{number}"
    if kind == "null":
        pairs = bool(rng.random() < 0.3)
        return null(name, str(rng.choice(NULLS)), pairs, rng, lexicon, judge)
    snr = float(rng.choice(SNRS))
    rule = drawn(kind, rng, lexicon, judge)
    about = {"unit_tests": unit_tests(rule, rng, lexicon, judge), "pool": POOL}
    return neuron(name, rule, snr, rng, lexicon, judge, about)


def unit_tests(
    rule: Rule, rng: np.random.Generator, lexicon: Lexicon, judge: Judge
) -> list[UnitTest]:
    """Three words (or pairs) each, of which one drives the neuron; the others drive other ones."""
    kind = "relation" if isinstance(rule, Relation) else "one"
    tests: list[UnitTest] = []
    right = _strong(rule, rng, lexicon, judge)
    while len(tests) < TESTS:
        inputs = [right()]
        most = min(WEAK, float(rule.answer(inputs, judge)[0]) / 2)
        while len(inputs) < CHOICES:
            other = _strong(drawn(kind, rng, lexicon, judge), rng, lexicon, judge)()
            if rule.answer([other], judge)[0] < most:
                inputs.append(other)
        order = [int(k) for k in rng.permutation(CHOICES)]
        tests.append(UnitTest(tuple(inputs[k] for k in order), order.index(0)))
    return tests


def _strong(
    rule: Rule, rng: np.random.Generator, lexicon: Lexicon, judge: Judge
) -> Callable[[], str]:
    """Draws words (or pairs) that drive a rule much."""
    if isinstance(rule, Entity):
        sides = [rule.answer(lexicon.words, judge)]
    else:
        kept = 1 - rule.excepted(lexicon.words, judge)
        first = judge.related(lexicon.words, rule.first) * kept
        sides = [first, judge.related(lexicon.words, rule.second)]
    pools = []
    for drive in sides:
        strong = np.flatnonzero(drive >= STRONG)
        pools.append(strong if len(strong) >= STRONGEST else np.argsort(-drive)[:STRONGEST])
    return lambda: ", ".join(lexicon.words[int(rng.choice(pool))] for pool in pools)


def drawn(kind: str, rng: np.random.Generator, lexicon: Lexicon, judge: Judge) -> Rule:
    """A rule of a kind of `MIX`."""

    def pick(texts: Sequence[Any]) -> Any:
        return texts[int(rng.integers(len(texts)))]

    if kind == "or":
        one, two = rng.choice(topics.CONCEPTS, 2, replace=False)
        return Entity((str(one), str(two)))
    if kind == "and not":
        broad, narrow = pick(topics.EXCEPTIONS)
        return Entity((broad,), without=narrow)
    if kind == "letter":
        concept = str(pick(topics.CONCEPTS))
        on = np.flatnonzero(judge.related(lexicon.words, concept) > 0.5)
        letters = [lexicon.words[n][0] for n in on] or ["s"]
        return Entity((concept,), begins=str(pick(letters)))
    if kind == "relation with exception":
        first, second = pick([r for r in topics.RELATIONS if r[0] in topics.UNLESS])
        return Relation(first, second, unless=str(pick(topics.UNLESS[first])))
    if kind == "relation":
        return Relation(*pick(topics.RELATIONS))
    return Entity((str(pick(topics.CONCEPTS)),))


def neuron(
    name: str,
    rule: Rule,
    snr: float,
    rng: np.random.Generator,
    lexicon: Lexicon,
    judge: Judge,
    about: dict[str, Any] | None = None,
) -> Neuron:
    """A neuron that follows a rule, with noise.

    Args:
        name: Shown to planners.
        rule: The truth.
        snr: Standard deviation of the truth over that of the noise, on held-out inputs.
        rng: Seeds the noise.
        lexicon: Held-out words come from it.
        judge: Of relatedness.
        about: What else scores need.
    """

    def truth(inputs: Sequence[Any]) -> list[Any]:
        return [float(v) for v in rule.answer(list(inputs), judge)]

    def draw(n: int, rng: np.random.Generator) -> tuple[list[Any], list[str]]:
        return _held_out(rule, n, rng, lexicon, judge)

    sample = draw(200, np.random.default_rng(0))[0]
    sigma = float(np.std(truth(sample))) / snr
    noise = np.random.default_rng(int(rng.integers(2**32)))

    def function(inputs: Sequence[Any]) -> list[Any]:
        return [v + float(noise.normal(0, sigma)) if sigma else v for v in truth(inputs)]

    parts = rule.concepts if isinstance(rule, Entity) else (rule.first, rule.second)
    given = {
        "concepts": list(parts),
        "without": rule.without if isinstance(rule, Entity) else rule.unless,
        "begins": rule.begins,
        "told": told(rule),
        "snr": None if snr == float("inf") else snr,
    }
    return Neuron(
        name=name,
        domain="words" if isinstance(rule, Entity) else "pairs",
        kind=rule.kind,
        complexity="clean" if snr == float("inf") else f"noise {snr:g}",
        function=function,
        truth=truth,
        draw=draw,
        description=rule.description,
        code=rule.code() if isinstance(judge, EncoderJudge) else None,
        about=given | (about or {}),
    )


def told(rule: Rule) -> dict[str, Any]:
    """What the truth names, laid out as `Finding.about`."""

    def side(concepts: Sequence[str]) -> dict[str, Any]:
        return {"concepts": [{"name": c} for c in concepts]}

    if isinstance(rule, Entity):
        taken, first, both = rule.without, side(rule.concepts), {}
    else:
        taken, first = rule.unless, side([rule.first])
        both = {"first": first, "second": side([rule.second])}
    first["unless"] = [{"name": taken}] if taken else []
    first["begins"] = rule.begins or ""
    return both or first


def _held_out(
    rule: Rule, n: int, rng: np.random.Generator, lexicon: Lexicon, judge: Judge
) -> tuple[list[Any], list[str]]:
    """Half any words, half words that drive it; pairs: each side half so."""
    if isinstance(rule, Relation):
        firsts = _mixed(judge.related(lexicon.words, rule.first), n, rng)
        seconds = _mixed(judge.related(lexicon.words, rule.second), n, rng)
        words = [lexicon.words[a] for a in firsts]
        inputs = [f"{w}, {lexicon.words[b]}" for w, b in zip(words, seconds, strict=True)]
        drive = judge.related(words, rule.first)
    else:
        chosen = _mixed(rule.drive(lexicon.words, judge), n, rng)
        words = inputs = [lexicon.words[a] for a in chosen]
        drive = rule.drive(words, judge)
    excepted = rule.excepted(words, judge) * (drive > ON)
    strata = np.where(excepted > 0.5, "exception", np.where(excepted > 0.1, "border", "global"))
    return list(inputs), [str(s) for s in strata]


def _mixed(drive: NDArray[Any], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    on = np.flatnonzero(drive > ON)
    half = rng.choice(on, n // 2) if len(on) else rng.integers(len(drive), size=n // 2)
    return rng.permutation(np.concatenate([half, rng.integers(len(drive), size=n - n // 2)]))
