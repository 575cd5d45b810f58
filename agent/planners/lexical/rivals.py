"""Rival models of a neuron over words: how they grow, and how they are told apart."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np

from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.model import Model
from hubel.agent.planners.lexical.scan import Scanned, scan

#: Parts of an OR that are sought.
PARTS = 3
#: Parts of an OR have directions less alike than this.
DISTINCT = 0.8
#: Share of what a model misses beyond the noise that a part or an exception explains at least.
MATTERS = 0.3
#: Logarithm of the number of pairs that a rival was chosen from, and what the odds count by the
#: answers that it was fitted to; those to words that it had to foresee count wholly.
CHOICE, TRUST = 12.2, 0.2
#: Times the model may grow, duels in all, and the logarithm of the odds that one takes.
STEPS, DUELS, MARGIN = 3, 6, 5.0


def best(
    asked: Asked, spare: int, scanned: Scanned
) -> Generator[list[str], list[Any], tuple[Model, dict[str, Any]]]:
    """Fit rivals from small to large; each larger one must foresee better where they disagree.

    A part that lost is sought once more before an exception is: what the duel asked may have met
    what no rival knew before.
    """
    model = asked.fit(scanned.alone)
    gains: dict[str, Any] = {}
    duels = 0
    for step in range(1, STEPS + 1):
        better: list[tuple[float, Model]] = []
        for kind in ("part", "part again", "exception"):
            if duels == DUELS or (kind == "exception" and len(model.off)):
                continue
            if better and kind == "part again":
                continue
            if duels:
                scanned = scan(asked, model if len(model.directions) > 1 else None)
            rival = _rival(kind, asked, scanned)
            if _sensible(rival):
                duels += 1
                gain = yield from _duel(model, rival, asked, spare // DUELS)
                gains[f"gain of {kind}, step {step}"] = gain
                if gain > MARGIN:
                    better.append((gain, rival))
        if not better:
            break
        # By what they foresaw: a free direction fits what it was fitted to, true or not.
        model = asked.fit(max(better, key=lambda won: won[0])[1])
    return asked.fit(model), gains


def _rival(kind: str, asked: Asked, scanned: Scanned) -> Model:
    """The best model found that has a part or an exception more."""
    begun = scanned.without if kind == "exception" else scanned.either
    joined = [begun, replace(begun, least=True)] if len(begun.off) else [begun]
    return asked.fit(min(joined, key=asked.held) if len(joined) > 1 else begun)


def _sensible(model: Model) -> bool:
    """Whether there are no more parts than are sought, nor two alike."""
    alike = (model.on @ model.on.T - 2 * np.eye(len(model.on))).max()
    return len(model.on) <= PARTS and bool(alike < DISTINCT)


def _duel(
    model: Model, rival: Model, asked: Asked, spare: int
) -> Generator[list[str], list[Any], float]:
    """The logarithm of a rival's odds, from words about which the two disagree most.

    The first half of the words corrects what either has made up, the second half decides.
    """
    vectors, fresh, answers = asked.lexicon.vectors, [0], np.zeros(0)
    for half in range(2):
        if half:
            model, rival = asked.fit(model), asked.fit(rival)
        differ = np.abs(model.predict(vectors) - rival.predict(vectors))
        differ[asked.surrogate.asked] = differ[asked.confirming] = -1.0
        fresh = [int(n) for n in np.argsort(-differ, kind="stable")[: spare // 2]]
        answers = yield from asked.ask(fresh)
        if not fresh or len(answers) < len(fresh):
            return 0.0
    before, after = asked.missed(model), asked.missed(rival)
    if before - after <= MATTERS * max(before - asked.noise**2, 0.0):
        return 0.0
    missed = [float(np.sum((m.predict(vectors[fresh]) - answers) ** 2)) for m in (model, rival)]
    known = (before - after) * len(asked.values) / (2 * asked.variance) - CHOICE
    return (missed[0] - missed[1]) / (2 * asked.variance) + TRUST * known
