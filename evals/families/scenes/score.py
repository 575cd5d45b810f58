"""What an explanation of a neuron over scenes is worth: its code is executed in a cell.

Its agreement is with the written rule, on exact truth about scenes, which costs no pictures; its
correlation is with the network's own answers to pictures that were rendered for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Finding
from hubel.evals.families.scenes import held_out
from hubel.evals.families.scenes.rules import Rule
from hubel.evals.families.scenes.seen import described, phrases_in, said_of
from hubel.evals.families.scenes.suite import watched
from hubel.evals.families.scenes.wiring import BEYOND, Wiring
from hubel.evals.neuron import Neuron
from hubel.evals.score import AGREEING, Scored, correlation, length_of
from hubel.sandbox.cells import CellSession
from hubel.tools.imagery.scenes import Scene, phrases, random_scene

#: Fresh scenes: random ones, and such in which the phrases of the rule are set at random.
RANDOM, COMPOSED = 1700, 300
#: Pairs at the border of the rule, and scenes inside its exception.
PAIRS, INSIDE = 30, 60
#: Scenes that are rendered for the correlation, half of them random.
RENDERED = 64
#: Two values agree within this share of the rule's highest weight: half of the smallest step
#: between two weights of a graded rule.
NEAR = 0.15

_RANDOM = 0x5CE4E
_PRESENTED = 1 << 30  # noise of held-out scenes does not depend on how many were asked about


def score(neuron: Neuron, finding: Finding | None, cells: CellSession, seed: int) -> Scored:
    """Execute an explanation in a cell and compare it with the rule and with the network.

    It is ``recovered`` if it agrees on 99% of `RANDOM` + `COMPOSED` fresh scenes, and on 99% of the
    composed ones alone: on random scenes a rare rule agrees with a constant. An ``outside`` verdict
    without code claims nothing. ``overlap`` is that of the region where the rule does otherwise
    with the best of the phrases that the code speaks of; naming many is punished by ``precision``.

    Args:
        neuron: What it explains.
        finding: The explanation; None, or one without code, claims nothing.
        cells: Where code runs.
        seed: Of the held-out scenes.
    """
    about = neuron.about or {}
    wiring = Wiring.from_json(about["wiring"])
    rule = Rule(wiring)
    code = finding.code if finding is not None else None
    rng = np.random.default_rng([seed, 0x5C0])
    fresh, strata = _fresh(rule, rng)
    drawn, as_given = _random(about["family"])
    scenes = [*drawn, *fresh]
    strata = ["random"] * RANDOM + strata
    shown = [*as_given, *(described(scene) for scene in fresh)]
    said, why = said_of(cells, code, shown, [s != "random" for s in strata])
    words = [p.phrase for p in phrases()]
    held = [frozenset(words[n] for n in on) for on, _ in shown]
    true = rule(scenes) if wiring.join in BEYOND else [rule.where(on) for on in held]
    agree = _near(said, true, NEAR * wiring.full)
    by = {s: float(agree[[t == s for t in strata]].mean()) for s in sorted(set(strata))}
    both = agree[: RANDOM + COMPOSED]
    by["global"] = float(both.mean())
    enough = min(by["global"], by["composed"]) >= AGREEING
    pictured = [*range(RENDERED // 2), *range(RANDOM, RANDOM + RENDERED // 2)]
    some = [scenes[n] for n in pictured]
    seen = watched(wiring, _PRESENTED)(some)
    named, meant = phrases_in(code), set(rule.phrases) if neuron.real else set()
    return Scored(
        claimed=code is not None,
        recovered=code is not None and neuron.real and enough,
        agreement=by,
        correlation=correlation([said[n] for n in pictured], seen),
        ceiling=correlation([true[n] for n in pictured], seen),
        nmse=None,
        truth_nmse=None,
        overlap=_overlap(rule, named, held[RANDOM:]),
        length=length_of(code),
        why=why,
        named=len(named & meant) / len(meant) if meant else None,
        parts=named >= meant if len(meant) > 1 else None,
        precision=len(named & meant) / len(named) if named and meant else None,
    )


@lru_cache(maxsize=2)
def _random(seed: int) -> tuple[list[Scene], list[list[Any]]]:
    """Random scenes, as they are and as a cell gets them: the same for all neurons of a family."""
    scenes = [random_scene(np.random.default_rng([seed, _RANDOM, n])) for n in range(RANDOM)]
    return scenes, [described(scene) for scene in scenes]


def _fresh(rule: Rule, rng: np.random.Generator) -> tuple[list[Scene], list[str]]:
    """Scenes made for a rule, and their strata."""
    scenes = [held_out.composed(rule, rng) for _ in range(COMPOSED)]
    strata = ["composed"] * COMPOSED
    pairs = held_out.borders(rule, rng)
    border = [scene for _, pair in zip(range(PAIRS), pairs, strict=False) for scene in pair]
    inside = []
    if rule.region is not None:
        inside = [held_out.composed(rule, rng, rule.region) for _ in range(INSIDE)]
    strata += ["border"] * len(border) + ["exception"] * len(inside)
    return [*scenes, *border, *inside], strata


def _near(
    said: Sequence[Any], true: Sequence[float], room: float
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where two lists of values agree."""
    return np.array(
        [isinstance(s, int | float) and abs(s - t) <= room for s, t in zip(said, true, strict=True)]
    )


def _overlap(rule: Rule, named: set[str], held: Sequence[frozenset[str]]) -> float | None:
    """Intersection over union of the true region and the best of the phrases that are named."""
    if rule.region is None:
        return None
    inside = {n for n, true in enumerate(held) if rule.region in true}
    best = 0.0
    for phrase in named:
        where = {n for n, true in enumerate(held) if phrase in true}
        best = max(best, len(inside & where) / max(1, len(inside | where)))
    return best
