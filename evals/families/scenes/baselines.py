"""Baselines over scenes: explanations that observe, and make no experiment.

They ask about random scenes and read off which phrases are true of those that drive the neuron.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.tools.imagery.scenes import random_scene, truth

Floats = NDArray[np.float64]

#: Exemplars that are looked at, and phrases that are named.
_TOP, _NAMED = 15, 3
#: Guesses of which the best on all observations is kept.
_GUESSES = 200
#: Phrases from which rules are put together exhaustively.
_CANDIDATES = 40


@dataclass(frozen=True)
class Observed:
    """Random scenes and the answers to them.

    Attributes:
        true: The phrases that are true of each.
        answers: [n].
    """

    true: list[frozenset[str]]
    answers: Floats

    @property
    def top(self) -> list[frozenset[str]]:
        """Phrases of the exemplars: the scenes with the highest answers."""
        return [self.true[n] for n in np.argsort(-self.answers, kind="stable")[:_TOP]]

    def column(self, phrase: str) -> Floats:
        """Whether a phrase is true, [n]."""
        return np.array([float(phrase in true) for true in self.true])


def constant(budget: int, seed: int) -> Explorer:
    """The mean of what it saw."""
    seen = yield from _observe(min(budget, 50), seed)
    middle = float(seen.answers.mean())
    return Finding(f"def f(x):\n    return {middle:.4g}\n", f"It is {middle:.3g}.", 0.0)


def random_labels(budget: int, seed: int) -> Explorer:
    """Phrases drawn by chance, as often as they are true."""
    seen = yield from _observe(min(budget, 50), seed)
    rng = np.random.default_rng(seed)
    known = sorted({phrase for true in seen.true for phrase in true})
    return _any_of([str(p) for p in rng.choice(known, 2, replace=False)], seen, 0.0)


def commonest(budget: int, seed: int) -> Explorer:
    """The commonest attributes of the exemplars, one-shot.

    As MILAN describes what strong exemplars have in common (Hernandez et al. 2022).
    """
    seen = yield from _observe(budget, seed)
    count = Counter(phrase for true in seen.top for phrase in sorted(true))
    named = sorted(count, key=lambda p: (-count[p], p))[:_NAMED]
    return _any_of(named, seen, 0.5)


def lift(budget: int, seed: int) -> Explorer:
    """Attributes that exemplars have more often than others, weighted by by how much.

    In the spirit of CLIP-Dissect (Oikarinen & Weng 2023), which scores concepts by how well they
    tell a unit's exemplars from the rest, with exact truth in the place of CLIP.
    """
    seen = yield from _observe(budget, seed)
    everywhere = Counter(phrase for true in seen.true for phrase in true)
    here = Counter(phrase for true in seen.top for phrase in true)
    total = len(seen.true)

    def lifted(phrase: str) -> float:
        share, base = here[phrase] / _TOP, everywhere[phrase] / total
        return share * math.log(share / base) if share > base else 0.0

    named = sorted(here, key=lambda p: (-lifted(p), p))[:_NAMED]
    return _any_of(named, seen, 0.5)


def best_of(budget: int, seed: int) -> Explorer:
    """Many guesses from the exemplars, of which the one that fits all observations best is kept."""
    seen = yield from _observe(budget, seed)
    rng = np.random.default_rng(seed)
    pool = sorted({phrase for true in seen.top for phrase in true})
    best = _Best(seen.answers)
    for _ in range(_GUESSES):
        one, other = (str(p) for p in rng.choice(pool, 2, replace=False))
        for rule in (
            f"{one!r} in x",
            f"{one!r} in x and {other!r} in x",
            f"{one!r} in x or {other!r} in x",
            f"{one!r} in x and {other!r} not in x",
        ):
            said = np.array([float(_holds(rule, true)) for true in seen.true])
            best.offer(said, rule)
    return _scaled(best.rule, seen, 0.5)


def observation(budget: int, seed: int) -> Explorer:
    """Every single phrase and every pair of the best, on all observations; no intervention.

    What can be learned from pictures as they come, however hard one looks.
    """
    seen = yield from _observe(budget, seed)
    names = sorted({phrase for true in seen.true for phrase in true})
    ranked = sorted(names, key=lambda p: (-abs(_correlation(seen.column(p), seen.answers)), p))
    near = ranked[:_CANDIDATES]
    columns = {phrase: seen.column(phrase) for phrase in near}
    best = _Best(seen.answers)
    for place, one in enumerate(near):
        a = columns[one]
        best.offer(a, f"{one!r} in x")
        for other in near[:place]:
            b = columns[other]
            for said, rule in (
                (a * b, f"{one!r} in x and {other!r} in x"),
                (a + b - a * b, f"{one!r} in x or {other!r} in x"),
                (a * (1 - b), f"{one!r} in x and {other!r} not in x"),
                (b * (1 - a), f"{other!r} in x and {one!r} not in x"),
                (a + b - 2 * a * b, f"({one!r} in x) != ({other!r} in x)"),
            ):
                best.offer(said, rule)
    return _scaled(best.rule, seen, 0.5)


BASELINES = {
    "constant": constant,
    "random": random_labels,
    "commonest": commonest,
    "lift": lift,
    "best-of": best_of,
    "observation": observation,
}


def _observe(count: int, seed: int) -> Generator[list[Any], list[Any], Observed]:
    """Ask about random scenes."""
    scenes = [random_scene(np.random.default_rng([seed, 0xBA5E, n])) for n in range(count)]
    answers = yield [scene.to_json() for scene in scenes]
    known = [0.0 if y is None else y for y in answers]
    return Observed([frozenset(truth(scene)) for scene in scenes], np.array(known))


class _Best:
    """The rule that goes along most with the answers; of equals, the shortest."""

    def __init__(self, answers: Floats) -> None:
        self._answers = answers
        self._worth = (-1.0, 0)
        self.rule = "False"

    def offer(self, said: Floats, rule: str) -> None:
        """Keep a rule if it is better."""
        worth = (round(_correlation(said, self._answers), 9), -len(rule))
        if worth > self._worth:
            self._worth, self.rule = worth, rule


def _any_of(named: Sequence[str], seen: Observed, confidence: float) -> Finding:
    return _scaled(" or ".join(f"{p!r} in x" for p in named), seen, confidence)


def _scaled(rule: str, seen: Observed, confidence: float) -> Finding:
    """A rule with the two values that fit best where it holds and where it does not."""
    said = np.array([_holds(rule, true) for true in seen.true])
    high = float(seen.answers[said].mean()) if said.any() else 1.0
    low = float(seen.answers[~said].mean()) if not said.all() else 0.0
    code = f"def f(x):\n    return {high:.3g} if {rule} else {low:.3g}\n"
    return Finding(code, f"It is {high:.2g} where {rule}, else {low:.2g}.", confidence)


def _holds(rule: str, true: frozenset[str]) -> bool:
    return bool(eval(rule, {}, {"x": true}))  # noqa: S307  (written above, of known phrases)


def _correlation(
    said: Floats,
    answers: Floats,
) -> float:
    if np.ptp(said) == 0 or np.ptp(answers) == 0:
        return 0.0
    return float(np.corrcoef(said, answers)[0, 1])
