"""The explorer of neurons over single words."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.form import Concept, WordForm
from hubel.agent.planners.lexical.letters import excepted
from hubel.agent.planners.lexical.lexicon import Lexicon
from hubel.agent.planners.lexical.model import Floats, logistic
from hubel.agent.planners.lexical.naming import names
from hubel.agent.planners.lexical.rivals import best
from hubel.agent.planners.lexical.scan import scan, telling
from hubel.agent.planners.lexical.surrogate import Surrogate

#: Shares of the budget: coverage, repeats, separating rivals, confirming; the rest is adaptive.
COVERAGE, REPEATS, RIVALS, CONFIRM = 0.34, 0.03, 0.2, 0.08
#: Rounds of words that a Gaussian process proposes, then of those on which hypotheses differ.
ROUNDS, GUIDED = 4, 2
#: Letters that words begin with, and words of each that are asked besides, where there is plenty.
LETTERS, PROBES, PLENTY = 26, 2, 800
#: Words that confirm, at least.
CONFIRMING = 50
#: Share of the lexicon that is asked only to confirm, and as much only to tell rivals apart.
KEPT = 0.1
#: Correlation with fresh answers below which nothing was found, and its deviations from zero.
FOUND, SURE = 0.2, 3.0
#: Confidence where all is explained without noise; how much of it goes where names are rough, and
#: where noise hides what was missed; how often what is taken out is named wrong though all answers
#: are foretold.
CERTAIN, ROUGH, UNSEEN, MISNAMED = 0.97, 0.1, 0.15, 0.25


def explore(budget: int, seed: int, lexicon: Lexicon) -> Explorer:
    """Find the concepts that a neuron over words responds to.

    Coverage of the lexicon by clusters; then words where a Gaussian process expects the best, a
    third of them away from what is known, for the other part of an OR; words on which hypotheses
    of single words differ; rival models, told apart on words about which they disagree; at last
    fresh words on which the winner must hold.

    Args:
        budget: Words that may be asked; 1,000 is plenty, under 200 little is found.
        seed: Draws the words of the confirmation.
        lexicon: What may be asked, and its vectors.
    """
    form, asked, evidence = yield from study(budget, seed, lexicon)
    about: dict[str, Any] = {"noise": asked.noise, "queries": asked.queries, **evidence}
    if form is None:
        return Finding(None, "No concept was found that this unit responds to.", 0.0, about=about)
    text = f"Responds to {form.said()}."
    doubt = MISNAMED if form.unless else 0.0
    return Finding(form.code(), text, confidence(evidence, doubt), about=about | form.to_json())


def study(
    budget: int, seed: int, lexicon: Lexicon, sure: float = SURE
) -> Generator[list[str], list[Any], tuple[WordForm | None, Asked, dict[str, Any]]]:
    """As `explore`, but for the form itself, what was asked and the evidence; None: not found.

    Args:
        budget: As of `explore`.
        seed: As of `explore`.
        lexicon: As of `explore`.
        sure: Deviations from zero that the confirmation must reach; fewer if another one follows.
    """
    rng = np.random.default_rng(seed)
    lot = rng.random(len(lexicon.words))
    lot[list(lexicon.coverage)] = 1.0
    asked = Asked(lexicon, Surrogate(lexicon.vectors, lot < 2 * KEPT), lot < KEPT)
    yield from asked.ask(lexicon.coverage[: int(COVERAGE * budget)])
    if len(asked.values) < 2 or np.ptp(asked.values) < 1e-9:
        return None, asked, {"why": "constant"}
    yield from asked.repeat(int(REPEATS * budget))
    probes = PROBES if budget >= PLENTY else 0
    kept = max(int(CONFIRM * budget), CONFIRMING)
    reserve = int(RIVALS * budget) + kept + probes * LETTERS
    batch = (budget - asked.queries - reserve) // (ROUNDS + GUIDED)
    if batch < 1:
        return None, asked, {"why": "too few queries"}
    for _ in range(ROUNDS):
        yield from asked.ask(asked.surrogate.propose(batch, asked.noise))
    for _ in range(GUIDED):
        yield from asked.ask(telling(asked, batch))
    scanned = scan(asked)
    begins = yield from excepted(asked, probes, scanned)
    if begins:
        asked = asked.without(begins)
        scanned = scan(asked)
    model, gains = yield from best(asked, int(RIVALS * budget), scanned)
    directions = zip(names(model, asked), (*model.on, *model.off), strict=True)
    concepts = tuple(Concept.of(name, direction, lexicon) for name, direction in directions)
    words = WordForm(
        concepts[: len(model.on)],
        concepts[len(model.on) :],
        begins,
        model.half,
        model.slope,
        model.low,
        model.height,
        model.least,
    )
    form = _curved(words, asked, lexicon)
    evidence = yield from _confirm(form, asked, kept, rng, lexicon)
    found = evidence["confirmed"] > min(FOUND, sure / 10) and evidence["deviations"] > sure
    return (form if found else None), asked, evidence | gains


def _curved(form: WordForm, asked: Asked, lexicon: Lexicon) -> WordForm:
    """The form with its curve fitted to what was asked, now that words stand for directions."""
    model = asked.fit(form.model(lexicon.of), held=True)
    return replace(form, half=model.half, slope=model.slope, low=model.low, height=model.height)


def _confirm(
    form: WordForm, asked: Asked, count: int, rng: np.random.Generator, lexicon: Lexicon
) -> Generator[list[str], list[Any], dict[str, Any]]:
    """The correlation with answers to words kept back, half of them the most related."""
    shape = form.shape(asked.lexicon.words, lexicon.of)
    fresh = np.flatnonzero(asked.confirming)
    ranked = fresh[np.argsort(-shape[fresh], kind="stable")]
    half = min(count // 2, len(ranked) // 2)
    others = rng.choice(ranked[half:], half, replace=False)
    chosen = [int(n) for n in (*ranked[:half], *others)]
    answers = yield from asked.ask(chosen)
    expected = shape[chosen]
    if len(answers) < len(chosen):
        return agreement(np.zeros(2), np.zeros(2), 0.0)
    return agreement(expected, answers, asked.noise)


def agreement(expected: Floats, answers: Floats, noise: float) -> dict[str, Any]:
    """How well fresh answers agree with what was expected of them.

    Returns:
        ``confirmed``: their correlation; ``deviations``: how many standard deviations that is from
        zero (Fisher's z); ``explained``: the correlation over the largest that the noise allows;
        ``share of noise``: of the answers' variance.
    """
    spread = float(answers.var())
    if spread < 1e-20 or np.ptp(expected) < 1e-12:
        return {"confirmed": 0.0, "deviations": 0.0, "explained": 0.0, "share of noise": 1.0}
    r = float(np.corrcoef(expected, answers)[0, 1])
    z = float(np.arctanh(np.clip(r, -0.999, 0.999)) * np.sqrt(max(len(answers) - 3, 1)))
    share = min(noise**2 / spread, 0.9)
    explained = float(np.clip(r / np.sqrt(1 - share), 0, 1))
    return {"confirmed": r, "deviations": z, "explained": explained, "share of noise": share}


def confidence(evidence: dict[str, Any], doubt: float = 0.0) -> float:
    """Probability that all concepts are the right ones, no other, and the exception if any.

    Fresh answers that are not foretold wholly may hold a part that was missed, or only words that
    name a concept roughly. Where much of their variance is noise, a part or an exception is easily
    missed, and nothing shows it. `ROUGH`, `UNSEEN` and `MISNAMED` were fitted to what was right of
    226 claims about some 150 generated neurons (seeds 311, 321 and 411).

    Args:
        evidence: As of `agreement`.
        doubt: Probability that something is wrong which such answers do not show.
    """
    explained, share = evidence["explained"], evidence["share of noise"]
    rough = ROUGH * logistic((0.95 - explained) / 0.01)
    partly = logistic((0.75 - explained) / 0.03)
    unseen = UNSEEN * logistic((share - 0.4) / 0.04)
    return float(CERTAIN * (1 - rough) * (1 - partly) * (1 - unseen) * (1 - doubt))
