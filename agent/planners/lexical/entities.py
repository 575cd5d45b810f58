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
from hubel.agent.planners.lexical.model import Floats
from hubel.agent.planners.lexical.rivals import best
from hubel.agent.planners.lexical.surrogate import Surrogate

#: Shares of the budget: coverage, repeats, separating rivals, confirming; the rest is adaptive.
COVERAGE, REPEATS, RIVALS, CONFIRM = 0.34, 0.03, 0.2, 0.08
ROUNDS = 6
#: Letters that words begin with, and words of each that are asked besides, where there is plenty.
LETTERS, PROBES, PLENTY = 26, 2, 800
#: Words that confirm, at least.
CONFIRMING = 50
#: Share of the lexicon that is asked only to confirm, and as much only to tell rivals apart.
KEPT = 0.1
#: Correlation with fresh answers below which nothing was found, and its deviations from zero.
FOUND, SURE = 0.2, 3.0
#: Share of fresh answers that is explained as often with all parts as without one.
MISSING = 0.9


def explore(budget: int, seed: int, lexicon: Lexicon) -> Explorer:
    """Find the concepts that a neuron over words responds to.

    Coverage of the lexicon by clusters; then words where a Gaussian process expects the best, a
    third of them away from what is known, for the other part of an OR; then rival models, told
    apart on words about which they disagree; at last fresh words on which the winner must hold.

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
    return Finding(form.code(), text, confidence(evidence), about=about | form.to_json())


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
    batch = (budget - asked.queries - reserve) // ROUNDS
    if batch < 1:
        return None, asked, {"why": "too few queries"}
    for _ in range(ROUNDS):
        yield from asked.ask(asked.surrogate.propose(batch, asked.noise))
    begins = yield from excepted(asked, probes)
    if begins:
        asked = asked.without(begins)
    model, gains = yield from best(asked, int(RIVALS * budget))
    words = WordForm(
        tuple(Concept.naming(d, lexicon) for d in model.on),
        tuple(Concept.naming(d, lexicon) for d in model.off),
        begins,
        model.half,
        model.slope,
        model.low,
        model.height,
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


def confidence(evidence: dict[str, Any]) -> float:
    """Probability that all concepts are the right ones, and no other.

    What is explained of fresh answers is nearly all, where everything was found; under noise parts
    are missed. The curve was set by hand on 55 generated neurons; see the benchmark for how well it
    is calibrated.
    """
    whole = 1 / (1 + np.exp((MISSING - evidence["explained"]) / 0.025))
    return float((0.97 - 0.2 * evidence["share of noise"]) * whole)
