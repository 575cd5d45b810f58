"""The explorer of neurons over pairs of words, ``"first, second"``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares  # type: ignore[import-untyped]

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.entities import MISNAMED, SURE, agreement, confidence, study
from hubel.agent.planners.lexical.form import WordForm
from hubel.agent.planners.lexical.lexicon import Lexicon
from hubel.agent.planners.lexical.pairform import UNDEFINED, PairForm, inside

#: Shares of the budget for either side; the rest goes to pairs of both.
FIRST, SECOND = 0.45, 0.4
#: Deviations from zero with which a side is good enough to go on; pairs of both must confirm it.
LIKELY = 1.0
#: First words before which second words are tried in turn.
PARTNERS = 2
#: Ranks among the best first words where partners are looked for, and seconds to try them with.
RANKS, PROBES = (0, 2, 5, 10, 20, 40, 80, 120), 5


def explore(budget: int, seed: int, lexicon: Lexicon) -> Explorer:
    """Find the relation whose instances a neuron over pairs responds to.

    The first side is found by asking what lies outside (``"word, undefined"``), as a neuron over
    words; then the second, after words of the first kind; then pairs of both fit how they add up,
    and a third of them, kept back, must confirm it.

    Args:
        budget: Pairs that may be asked; 1,000 is plenty, under 450 little is found.
        seed: Draws the pairs of the last step.
        lexicon: What may be asked, and its vectors.
    """
    first, asked, why = yield from _through(
        study(int(FIRST * budget), seed, lexicon, LIKELY),
        lambda word: f"{word}, {UNDEFINED}",
        lambda value: 1 - value,
    )
    spent, sides = asked.queries, [why]
    if first is None:
        return _nothing(spent, why)
    partners, tried = yield from _partners(first, lexicon)
    second, asked, why = yield from _through(
        study(int(SECOND * budget) - tried, seed, lexicon, LIKELY),
        lambda word: f"{partners[lexicon.numbers[word] % len(partners)]}, {word}",
        lambda value: value,
    )
    spent += asked.queries + tried
    sides.append(why)
    if second is None:
        return _nothing(spent, why)
    pairs = _crossed(first, second, budget - spent, lexicon, np.random.default_rng(seed))
    answers = yield pairs
    spent += len(pairs)
    known = [(p, float(a)) for p, a in zip(pairs, answers, strict=True) if a is not None]
    kept = len(known) // 3
    form = _fitted(
        PairForm(first, second, (-16.0, 20.0, 20.0, 5.0), 0.6, 0.0, 1.0), known[kept:], lexicon
    )
    expected = form.predict([p for p, _ in known[:kept]], lexicon.of)
    given = np.array([a for _, a in known[:kept]])
    evidence = agreement(expected, given, asked.noise) | {"noise": asked.noise}
    # Three independent confirmations, each of which alone had little to go by (Stouffer 1949).
    all_three = sum(e["deviations"] for e in (*sides, evidence)) / np.sqrt(3)
    if evidence["deviations"] < LIKELY or all_three < SURE:
        return _nothing(spent, evidence)
    about = {"queries": spent, **evidence, **form.to_json()}
    doubt = MISNAMED if first.unless else 0.0
    return Finding(form.code(), form.said(), confidence(evidence, doubt), about=about)


def _nothing(spent: int, why: Mapping[str, Any]) -> Finding:
    text = "No relation was found that this unit responds to."
    return Finding(None, text, 0.0, about={"queries": spent, **why})


Studied = tuple[WordForm | None, Asked, dict[str, Any]]


def _through(
    inner: Generator[list[str], list[Any], Studied],
    asking: Callable[[str], str],
    answering: Callable[[float], float],
) -> Generator[list[str], list[Any], Studied]:
    """A study of words whose questions and answers are translated."""
    words = next(inner)
    while True:
        answers = yield [asking(word) for word in words]
        try:
            words = inner.send([None if a is None else answering(float(a)) for a in answers])
        except StopIteration as stopped:
            studied: Studied = stopped.value
            return studied


def _partners(
    first: WordForm, lexicon: Lexicon
) -> Generator[list[str], list[Any], tuple[list[str], int]]:
    """Words inside the relation after which it matters most which word comes second."""
    shape = first.shape(lexicon.words, lexicon.of)
    ranked = np.argsort(-shape, kind="stable")
    words = [lexicon.words[ranked[rank]] for rank in RANKS if rank < len(ranked)]
    seconds = [lexicon.words[n] for n in lexicon.coverage[:PROBES]]
    pairs = [f"{one}, {two}" for one in words for two in seconds]
    answers = yield pairs
    values = np.array([np.nan if a is None else float(a) for a in answers])
    spread = np.nan_to_num(np.nanstd(values.reshape(len(words), -1), axis=1))
    best = np.argsort(-spread, kind="stable")[:PARTNERS]
    return [words[k] for k in best], len(pairs)


def _crossed(
    first: WordForm, second: WordForm, count: int, lexicon: Lexicon, rng: np.random.Generator
) -> list[str]:
    """Pairs in random order: each side from its best, its middling or from all words."""
    sides: list[list[str]] = []
    for form in (first, second):
        near = np.argsort(-form.shape(lexicon.words, lexicon.of), kind="stable")
        pools = (near[:100], near[100:600], near)
        sides.append([lexicon.words[int(rng.choice(pools[rng.integers(3)]))] for _ in range(count)])
    return [f"{one}, {two}" for one, two in zip(*sides, strict=True)]


def _fitted(form: PairForm, known: Sequence[tuple[str, float]], lexicon: Lexicon) -> PairForm:
    """The form with the curve that fits what pairs have answered best."""
    pairs, values = [p for p, _ in known], np.array([a for _, a in known])
    features, kept = (
        form.features(pairs, lexicon.of),
        form.first.kept([p.split(",")[0] for p in pairs], lexicon.of),
    )

    begun = np.array([*form.curve, form.cap, form.low, form.height])

    def missed(x: NDArray[Any]) -> NDArray[Any]:
        error = x[5] + x[6] * inside(features, x[:4], x[4]) * kept - values
        return np.concatenate([error, 0.002 * (x - begun)])

    x = [float(v) for v in least_squares(missed, begun).x]
    return replace(form, curve=(x[0], x[1], x[2], x[3]), cap=x[4], low=x[5], height=x[6])
