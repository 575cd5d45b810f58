"""Null units over words: what they answer has nothing to do with meaning."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.lexicon import Lexicon
from hubel.evals.families.words import topics
from hubel.evals.families.words.judge import Judge
from hubel.evals.neuron import Neuron

NULLS = ("random", "constant", "spikes", "shuffled", "noise")


def null(
    name: str, kind: str, pairs: bool, rng: np.random.Generator, lexicon: Lexicon, judge: Judge
) -> Neuron:
    """A unit about which there is nothing to find.

    Args:
        name: Shown to planners.
        kind: One of `NULLS`: any number for each word; always the same; rare spikes; what another
            word would give; anything at each call.
        pairs: Whether it takes pairs of words.
        rng: Draws it.
        lexicon: Held-out words come from it.
        judge: Of relatedness, for the values that are shuffled.
    """
    key = int(rng.integers(2**32))
    fresh = np.random.default_rng(key)
    concept = str(rng.choice(topics.CONCEPTS))

    def hashed(inputs: Sequence[str]) -> NDArray[Any]:
        digests = (blake2b(f"{key} {w}".encode(), digest_size=8).digest() for w in inputs)
        return np.array([int.from_bytes(d, "big") / 2**64 for d in digests])

    def answer(inputs: Sequence[str]) -> NDArray[Any]:
        if kind == "constant":
            return np.full(len(inputs), 0.2)
        if kind == "noise":
            return fresh.normal(0, 0.2, len(inputs))
        if kind == "spikes":
            return np.where(hashed(inputs) > 0.99, 1.0, 0.05)
        if kind == "random":
            return hashed(inputs) ** 3
        others = [lexicon.words[int(h * len(lexicon.words))] for h in hashed(inputs)]
        return judge.related(others, concept)

    def function(inputs: Sequence[Any]) -> list[Any]:
        return [float(v) for v in answer(list(inputs))]

    def draw(n: int, rng: np.random.Generator) -> tuple[list[Any], list[str]]:
        words = [lexicon.words[int(a)] for a in rng.integers(len(lexicon.words), size=2 * n)]
        paired = [f"{a}, {b}" for a, b in zip(words[:n], words[n:], strict=True)]
        return list(paired if pairs else words[:n]), ["global"] * n

    return Neuron(
        name=name,
        domain="pairs" if pairs else "words",
        kind=f"null: {kind}",
        complexity="null",
        function=function,
        truth=function,
        draw=draw,
        description="Nothing: its activation has nothing to do with meaning.",
        real=False,
        about={"concepts": []},
    )
