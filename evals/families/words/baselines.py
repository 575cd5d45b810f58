"""Baselines for neurons over words and pairs, with the interface of an explorer.

None of them makes an experiment: they look at words that stand for all others once.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.agent.planners.lexical.lexicon import Lexicon, unit

#: Words that drive most from which the one-shot baseline reads what is common.
TOP = 15
#: Words of the table of the nearest.
TABLE = 300
#: What a constant of no confidence says.
_CODE = "def f(x):\n    return {}\n"

Seen = list[tuple[list[str], float]]


def of(domain: str) -> dict[str, Callable[..., Explorer]]:
    """The baselines of ``words`` or ``pairs``, by name."""
    sides = 2 if domain == "pairs" else 1
    return {
        "constant": partial(constant, sides=sides),
        "random": partial(random_label, sides=sides),
        "commonest": partial(commonest, sides=sides),
        "nearest": partial(nearest, sides=sides),
    }


def constant(budget: int, seed: int, lexicon: Lexicon, sides: int = 1) -> Explorer:
    """The mean of what it saw."""
    seen = yield from _look(budget, seed, lexicon, sides)
    value = statistics.mean([y for _, y in seen] or [0.0])
    return Finding(_CODE.format(repr(value)), f"It is {value:g}.", 0.0)


def random_label(_budget: int, seed: int, lexicon: Lexicon, sides: int = 1) -> Explorer:
    """Words drawn at random, without looking: what a name is worth that says nothing."""
    yield from ()
    rng = np.random.default_rng(seed)
    return _claim([str(rng.choice(lexicon.words)) for _ in range(sides)], 0.0)


def commonest(budget: int, seed: int, lexicon: Lexicon, sides: int = 1) -> Explorer:
    """What the words that drive most have in common, as MILAN-like describers say it.

    (Hernandez et al. 2022, "Natural Language Descriptions of Deep Visual Features".) Of each side
    the one word nearest to the mean of the top ones. It looks at the top only, so it names one
    concept where there are two, and one also where there is none.
    """
    seen = yield from _look(budget, seed, lexicon, sides)
    top = sorted(seen, key=lambda pair: -pair[1])[:TOP]
    words = []
    for side in range(sides if top else 0):
        mean = unit(lexicon.of([given[side] for given, _ in top]).sum(axis=0))
        words.append(lexicon.words[int(lexicon.nearest(mean, 1)[0])])
    return _claim(words, 0.5) if words else Finding(None, "It is undefined.", 0.0)


def nearest(budget: int, seed: int, lexicon: Lexicon, sides: int = 1) -> Explorer:
    """A table of what it saw, read at the nearest input: it predicts, and explains nothing."""
    seen = yield from _look(min(budget, TABLE), seed, lexicon, sides)
    table = {", ".join(given): round(y, 3) for given, y in seen}
    near = "related(x, k)"
    if sides == 2:
        near = "sum(related(a.strip(), b.strip()) for a, b in zip(x.split(','), k.split(',')))"
    code = f"T = {table!r}\ndef f(x):\n    return T[max(T, key=lambda k: {near})]\n"
    return Finding(code, "What was seen at the nearest input.", 0.0)


def _look(
    budget: int, seed: int, lexicon: Lexicon, sides: int
) -> Generator[list[str], list[Any], Seen]:
    """Ask words from all over the lexicon, then any; pairs of such words."""
    rng = np.random.default_rng(seed)
    others = [int(k) for k in rng.permutation(len(lexicon.words))]
    order = [lexicon.words[k] for k in dict.fromkeys([*lexicon.coverage, *others])]
    given = [[word] for word in order[:budget]]
    if sides == 2:
        pool = order[: len(lexicon.coverage)]
        given = [[str(w) for w in rng.choice(pool, 2)] for _ in range(budget)]
    answers = yield [", ".join(words) for words in given]
    return [(w, float(y)) for w, y in zip(given, answers, strict=True) if y is not None]


def _claim(words: Sequence[str], confidence: float) -> Finding:
    """That it responds to one concept, or to pairs of two."""
    sides = [{"concepts": [{"name": word}]} for word in words]
    if len(words) == 1:
        code = f"def f(x):\n    return max(related(x, {words[0]!r}), 0.0)\n"
        return Finding(code, f"Related to {words[0]}.", confidence, about=sides[0])
    code = (
        "def f(x):\n    one, two = [side.strip() for side in x.split(',', 1)]\n"
        f"    near = related(one, {words[0]!r}) + related(two, {words[1]!r})\n"
        "    return max(near / 2, 0.0)\n"
    )
    about = {"first": sides[0], "second": sides[1]}
    return Finding(code, f"Pairs related to {words[0]} and {words[1]}.", confidence, about=about)
