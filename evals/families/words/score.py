"""What an explanation of a neuron over words is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.lexical.form import WordForm
from hubel.agent.planners.lexical.pairform import PairForm
from hubel.evals.families.find_words import unit_tests
from hubel.evals.families.words.encoder import Encoder
from hubel.evals.neuron import Neuron

#: Held-out inputs.
HELD_OUT = 600
#: How much of what a word usually has to do with anything is taken off, and over which words.
USUAL, NEIGHBOURS = 0.5, 20


@dataclass(frozen=True)
class WordScore:
    """Scores of one explanation.

    Attributes:
        correlation: Of the executed form with the truth on held-out inputs; 0 if there is none.
        by_stratum: The same in each stratum with ten inputs or more.
        named: For each true concept, whether a name of the explanation is nearest to it among all
            concepts of the pool.
        parts: Whether it names as many concepts as there are.
        tests: Share of the three-way unit tests passed, if the neuron has some. Chance is .33.
    """

    correlation: float
    by_stratum: dict[str, float]
    named: tuple[bool, ...]
    parts: bool
    tests: float | None


def score(finding: Finding, neuron: Neuron, pool: Sequence[str], encoder: Encoder) -> WordScore:
    """Score an explanation by its form; its wording does not count.

    A name counts if the right concept is the nearest of the pool to it, by the encoder; its
    failure mode: a pool of few or unlike concepts makes this easy, so state its size.

    Args:
        finding: The explanation; its form is in `Finding.about`.
        neuron: What it explains.
        pool: Concepts that names are told apart from; the neuron's own are among them.
        encoder: Runs the form and judges names.
    """
    about = neuron.about or {}
    concepts, tests = list(about.get("concepts", [])), "unit_tests" in about
    if finding.code is None:
        chance = 1 / 3 if tests else None
        return WordScore(0.0, {}, (False,) * len(concepts), not concepts, chance)
    inputs, strata = neuron.draw(HELD_OUT, np.random.default_rng(1))
    truth, expected = np.array(neuron.truth(inputs)), predict(finding, inputs, encoder)
    sides = _names(finding)
    pools = encoder.of(pool)
    nearest = [{pool[int((pools @ v).argmax())] for v in encoder.of(side)} for side in sides]
    sought = concepts if len(sides) == 1 else concepts[: len(sides)]
    named = tuple(c in (nearest[k] if len(sides) > 1 else nearest[0]) for k, c in enumerate(sought))
    return WordScore(
        _correlation(expected, truth),
        {
            stratum: _correlation(expected[chosen], truth[chosen])
            for stratum in sorted(set(strata))
            if (chosen := np.array(strata) == stratum).sum() >= 10
        },
        named,
        sum(map(len, sides)) == len(concepts),
        unit_tests(neuron, lambda x: list(preference(finding, x, encoder))) if tests else None,
    )


def predict(finding: Finding, inputs: Sequence[str], encoder: Encoder) -> NDArray[Any]:
    """What the explanation expects of inputs: the form in `Finding.about`, executed."""
    about = finding.about or {}
    form = PairForm.from_json(about) if "first" in about else WordForm.from_json(about)
    return np.asarray(form.predict(inputs, encoder.of))


def preference(finding: Finding, inputs: Sequence[str], encoder: Encoder) -> NDArray[Any]:
    """How much inputs stand out for an explanation, for choosing one of three.

    Some words are near to everything; what each usually reaches, the mean cosine to its twenty
    nearest of a sample of all words, is taken off by half (as in cross-domain similarity local
    scaling: Conneau et al. 2018, "Word Translation Without Parallel Data"). Of pairs it is what
    the form expects.
    """
    about = finding.about or {}
    if "first" in about:
        return predict(finding, inputs, encoder)
    form, lexicon = WordForm.from_json(about), encoder.lexicon()
    vectors, model = encoder.of(inputs), form.model(encoder.of)
    sample = vectors @ lexicon.vectors[list(lexicon.coverage)].T
    usual = np.sort(sample, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    near = (vectors @ model.on.T).max(axis=1) - USUAL * usual
    return np.asarray(np.where(form.kept(inputs, encoder.of) < 0.5, near - 2, near))


def _names(finding: Finding) -> list[list[str]]:
    about = finding.about or {}
    sides = [about["first"], about["second"]] if "first" in about else [about]
    return [[str(concept["name"]) for concept in side["concepts"]] for side in sides]


def _correlation(one: NDArray[Any], two: NDArray[Any]) -> float:
    if np.ptp(one) < 1e-12 or np.ptp(two) < 1e-12:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])
