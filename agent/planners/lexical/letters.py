"""Exceptions by spelling: words that begin with one letter answer nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.model import Floats, Model, fit
from hubel.agent.planners.lexical.scan import Scanned

#: Words on which a letter can be told: expected to reach this share of the highest expectation.
DRIVEN = 0.5
#: A letter is an exception if so many words or more lack this share of what is expected of them,
#: and if that is so many deviations from what words of other letters lack.
FEWEST, LOST, SURE = 3, 0.6, 4.0


def excepted(asked: Asked, probes: int, scanned: Scanned) -> Generator[list[str], list[Any], str]:
    """The letter with which words begin that answer nothing; empty if there is none.

    Args:
        asked: All answers so far.
        probes: Words of each letter that are asked besides.
        scanned: What words are to be expected to answer, and what else their silence could mean.
    """
    model = min((scanned.alone, scanned.either), key=asked.held)
    initials = np.array([word[0] for word in asked.lexicon.words])
    mean = asked.fit(model, held=True).predict(asked.lexicon.vectors)
    mean[asked.confirming] = mean[asked.surrogate.asked] = -np.inf
    ranked = np.argsort(-mean, kind="stable")
    fresh = [
        int(n)
        for letter in np.unique(initials[asked.surrogate.asked])
        for n in ranked[initials[ranked] == letter][:probes]
        if np.isfinite(mean[n])
    ]
    yield from asked.ask(fresh)
    given = initials[asked.surrogate.asked]
    letter = _lacking(asked.fit(model, held=True).predict(asked.vectors), asked.values, given)
    return letter if letter and _spelt(asked, model, letter, scanned) else ""


def _spelt(asked: Asked, model: Model, letter: str, scanned: Scanned) -> bool:
    """Whether a letter says better than a meaning which words answer nothing."""
    begun = np.array([asked.lexicon.words[n][0] == letter for n in asked.surrogate.asked])
    rest = fit(model, asked.vectors[~begun], asked.values[~begun], asked.noise, held=True)
    spelt = np.where(begun, rest.low, rest.predict(asked.vectors))
    return float(np.mean((spelt - asked.values) ** 2)) < asked.held(scanned.without)


def _lacking(expected: Floats, values: Floats, given: NDArray[Any]) -> str:
    base = float(np.median(values))
    drive, lack = expected - base, expected - values
    driven = drive > DRIVEN * float(np.quantile(drive, 0.99))
    best, found = SURE, ""
    for letter in sorted(set(given[driven])):
        own, others = driven & (given == letter), driven & (given != letter)
        if own.sum() < FEWEST or others.sum() < FEWEST:
            continue
        usual = float(lack[others].mean())
        spread = float(lack[others].std()) + 1e-9
        lost = float((lack[own] - usual).sum() / drive[own].sum())
        score = float((lack[own] - usual).mean()) / (spread / np.sqrt(own.sum()))
        if lost > LOST and score > best:
            best, found = score, str(letter)
    return found
