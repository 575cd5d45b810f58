"""Exceptions by spelling: words that begin with one letter answer nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.model import Floats

#: Words on which a letter can be told: expected to reach this share of the highest expectation.
DRIVEN = 0.5
#: A letter is an exception if so many words or more lack this share of what is expected of them,
#: and if that is so many deviations from what words of other letters lack.
FEWEST, LOST, SURE = 3, 0.6, 4.0


def excepted(asked: Asked, probes: int) -> Generator[list[str], list[Any], str]:
    """The letter with which words begin that answer nothing; empty if there is none.

    What is expected of a word comes from the words of the other letters alone, by a Gaussian
    process, so that no model of what the neuron means is needed.

    Args:
        asked: All answers so far.
        probes: Words of each letter that are asked besides.
    """
    initials = np.array([word[0] for word in asked.lexicon.words])
    mean = asked.surrogate.expected(initials, asked.noise)
    mean[asked.confirming] = mean[asked.surrogate.asked] = -np.inf
    ranked = np.argsort(-mean, kind="stable")
    fresh = [
        int(n)
        for letter in np.unique(initials[asked.surrogate.asked])
        for n in ranked[initials[ranked] == letter][:probes]
        if np.isfinite(mean[n])
    ]
    yield from asked.ask(fresh)
    mean = asked.surrogate.expected(initials, asked.noise)
    given = asked.surrogate.asked
    return _lacking(mean[given], asked.values, initials[given])


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
