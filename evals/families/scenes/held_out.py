"""Held-out scenes of a rule: all over the space, inside its exception, and at its border."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubel.evals.families.scenes.rules import Rule
from hubel.tools.imagery.changes import removed
from hubel.tools.imagery.scenes import (
    Scene,
    random_scene,
    scene_having,
    truth,
    with_phrase,
    without_phrase,
)
from hubel.tools.spec import ToolError

_BORDER, _EXCEPTION = 0.3, 0.2  # shares of the scenes, where there is a border or an exception
_COMPOSED = 0.6  # of the scenes all over the space, those in which a rule's phrases are set
_TRIES = 60  # scenes composed and changed in search of a border before there is taken to be none


def draw(rule: Rule, count: int, rng: np.random.Generator) -> tuple[list[Scene], list[str]]:
    """Held-out scenes and their strata.

    - ``global``: random scenes, and scenes in which each phrase of the rule is set at random, so
      that rare rules are on and off about equally often;
    - ``exception``: scenes in the region where the rule does otherwise, likewise;
    - ``border``: pairs, neighbours in the list, that differ by one smallest edit which changes the
      rule's value.

    Args:
        rule: The truth.
        count: How many scenes.
        rng: What draws them.
    """
    scenes: list[Scene] = []
    strata: list[str] = []
    pairs = borders(rule, rng)
    for _ in range(round(_BORDER * count / 2)):
        pair = next(pairs, None)
        if pair is None:
            break
        scenes += pair
        strata += ["border"] * 2
    if rule.region is not None:
        inside = [composed(rule, rng, rule.region) for _ in range(round(_EXCEPTION * count))]
        scenes += inside
        strata += ["exception"] * len(inside)
    while len(scenes) < count:
        free = rng.random() >= _COMPOSED
        scenes.append(random_scene(rng) if free else composed(rule, rng))
        strata.append("global")
    return scenes, strata


def composed(rule: Rule, rng: np.random.Generator, within: str | None = None) -> Scene:
    """A scene in which some phrases of the rule are wished true or false, others left open.

    Half of the time a whole term is wished for; otherwise each of at most four phrases is true,
    false or open by chance. Wishes that contradict each other are drawn again.

    Args:
        rule: The truth.
        rng: What draws it.
        within: A phrase that is true in any case.
    """
    having: list[str] = []
    lacking: list[str] = []
    for attempt in range(_TRIES):
        having, lacking = _wishes(rule, rng)
        if attempt > _TRIES // 2:  # a term may need what its region excludes
            having, lacking = [], []
        if within is not None:
            having = [*dict.fromkeys([within, *having])]
            lacking = [phrase for phrase in lacking if phrase != within]
        try:
            return scene_having(rng, having, lacking)
        except ToolError:
            continue
    raise RuntimeError(f"no scene was found that has {having} and lacks {lacking}")


def borders(rule: Rule, rng: np.random.Generator) -> Iterator[tuple[Scene, Scene]]:
    """Pairs of scenes, one smallest edit apart, of which the rule says different things."""
    phrases, failed = rule.phrases, 0
    while phrases and failed < _TRIES:
        scene = composed(rule, rng)
        changed = _edited(scene, str(rng.choice(phrases)), rng)
        first, second = rule([scene, changed])
        failed += 1
        if first != second:
            failed = 0
            yield scene, changed


def _wishes(rule: Rule, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    if rule.form is not None and rng.random() < 0.5:
        term = rule.form.terms[int(rng.integers(len(rule.form.terms)))]
        return [*term.having], [*term.lacking]
    having, lacking = [], []
    phrases = rule.phrases
    for number in rng.permutation(len(phrases))[:4]:
        wish = rng.random()
        if wish < 0.4:
            having.append(phrases[number])
        elif wish < 0.8:
            lacking.append(phrases[number])
    return having, lacking


def _edited(scene: Scene, phrase: str, rng: np.random.Generator) -> Scene:
    """The scene with a phrase made false or true, or else a thing taken away."""
    change = without_phrase if phrase in truth(scene) else with_phrase
    try:
        return change(scene, phrase, rng)[0]
    except ToolError:
        if not scene.things:
            return scene
        return removed(scene, int(rng.integers(len(scene.things))))
