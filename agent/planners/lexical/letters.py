"""Exceptions by spelling: words that begin with one letter answer nothing."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np

from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.lexicon import unit
from hubel.agent.planners.lexical.model import Model, fit

#: A letter is an exception if its words stay this far below what is expected, in deviations.
LETTER = 5.0
#: Share of the expected answer that is missing where a letter is an exception; words that check it.
LOST, CHECKS = 0.6, 10


def by_letter(model: Model, asked: Asked) -> Generator[list[str], list[Any], tuple[Model, str]]:
    """Whether words that begin with one letter answer nothing, and the model without them."""
    first = np.array([w[0] for w in asked.lexicon.words])
    letters, rough = first[asked.surrogate.asked], _rough(model, asked)
    shape = rough.shape(asked.vectors)
    short = rough.low + rough.height * shape - asked.values
    on = shape > 0.4
    best, letter = LETTER, ""
    for one in sorted(set(letters[on])):
        chosen = on & (letters == one)
        usual = float(np.median(np.abs(short[on & ~chosen]))) if (on & ~chosen).any() else np.inf
        lost = float(short[chosen].mean()) / (rough.height * float(shape[chosen].mean()) + 1e-9)
        score = float(short[chosen].mean()) / (1.48 * usual / np.sqrt(chosen.sum()) + 1e-9)
        if chosen.sum() >= 3 and lost > LOST and score > best:
            best, letter = score, one
    if not letter:
        return model, ""
    cleaned = asked.fit(model, letters != letter)
    expected = cleaned.shape(asked.lexicon.vectors)
    expected[first != letter] = -1.0
    expected[asked.surrogate.asked] = expected[asked.confirming] = -1.0
    fresh = [int(n) for n in np.argsort(-expected, kind="stable")[:CHECKS] if expected[n] > 0.3]
    answers = yield from asked.ask(fresh)
    foreseen = cleaned.height * expected[fresh].mean() if fresh else np.inf
    if len(answers) and answers.mean() - cleaned.low > (1 - LOST) * foreseen:
        return model, ""
    return asked.fit(cleaned, first[asked.surrogate.asked] != letter), letter


def _rough(model: Model, asked: Asked) -> Model:
    """The model with the mean of what drives it for each concept.

    Free directions bend away from single words that answer nothing; means do not.
    """
    owner = (asked.vectors @ model.on.T).argmax(axis=1)
    weights = np.maximum(asked.values - np.quantile(asked.values, 0.7), 0)
    means = [(weights * (owner == k)) @ asked.vectors for k in range(len(model.on))]
    begun = replace(model, on=unit(np.stack(means)))
    return fit(begun, asked.vectors, asked.values, asked.noise, held=True)
