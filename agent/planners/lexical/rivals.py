"""Rival models of a neuron over words: how they grow, and how they are told apart."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.lexicon import unit
from hubel.agent.planners.lexical.model import Floats, Model, start

#: Parts of an OR that are sought.
PARTS = 3
#: Parts of an OR have directions less alike than this.
DISTINCT = 0.65
#: Times the model may grow, and the logarithm of the odds that it takes.
STEPS, MARGIN = 3, 5.0
#: Share of the variance that no rival wins by.
NEGLIGIBLE = 0.02


def best(asked: Asked, spare: int) -> Generator[list[str], list[Any], tuple[Model, dict[str, Any]]]:
    """Fit rivals from small to large; each larger one must foresee better where they disagree."""
    model = asked.fit(start(_middle(asked)))
    gains: dict[str, Any] = {}
    for step in range(1, STEPS + 1):
        won, best = model, MARGIN
        for kind, grow in (("part", _with_part), ("exception", _with_exception)):
            rivals = grow(model, asked)
            if rivals:
                rival = min(rivals, key=asked.missed)
                gain = yield from _duel(model, rival, asked, spare // (2 * STEPS))
                gains[f"gain of {kind}, step {step}"] = gain
                if gain > best:
                    won, best = rival, gain
        if won is model:
            break
        model = asked.fit(won)
    return asked.fit(model), gains


def _duel(
    model: Model, rival: Model, asked: Asked, spare: int
) -> Generator[list[str], list[Any], float]:
    """The logarithm of a rival's odds, from words about which the two disagree most.

    The first half of the words corrects what either has made up, the second half decides.
    """
    vectors, fresh, answers = asked.lexicon.vectors, [0], np.zeros(0)
    for _ in range(2):
        model, rival = asked.fit(model), asked.fit(rival)
        differ = np.abs(model.predict(vectors) - rival.predict(vectors))
        differ[asked.surrogate.asked] = differ[asked.confirming] = -1.0
        fresh = [int(n) for n in np.argsort(-differ, kind="stable")[: spare // 2]]
        answers = yield from asked.ask(fresh)
        if not fresh or len(answers) < len(fresh):
            return 0.0
    if asked.missed(asked.fit(rival)) > asked.missed(asked.fit(model)):
        return 0.0
    missed = [float(np.mean((m.predict(vectors[fresh]) - answers) ** 2)) for m in (model, rival)]
    floor = asked.noise**2 + NEGLIGIBLE * float(asked.values.var())
    return 0.5 * len(fresh) * float(np.log((missed[0] + floor) / (missed[1] + floor)))


def _middle(asked: Asked) -> NDArray[Any]:
    mean, _ = asked.surrogate.predict(asked.noise)
    top = np.argsort(-mean, kind="stable")[:40]
    return unit((mean[top] - mean.min()) @ asked.lexicon.vectors[top])


def _with_part(model: Model, asked: Asked) -> list[Model]:
    """Models with one concept more: where the Gaussian process sees what this one misses."""
    if len(model.on) == PARTS:
        return []
    mean, _ = asked.surrogate.predict(asked.noise)
    missed = mean - model.predict(asked.lexicon.vectors)
    extra = _centre(np.maximum(missed, 0) ** 2 * (mean > np.quantile(mean, 0.97)), asked)
    ranked = asked.lexicon.vectors[np.argsort(-mean, kind="stable")]
    tried = [np.concatenate([model.on, extra[None]])]
    tried += [_split(ranked[:count], len(model.on) + 1) for count in (30, 80)]
    driven = np.argsort(-asked.values, kind="stable")[: max(len(asked.values) // 12, 10)]
    tried.append(_split(asked.vectors[driven], len(model.on) + 1))
    # Free directions fit anything: which start is best shows while they are held.
    held = [asked.fit(replace(model, on=unit(on)), held=True) for on in tried]
    begun = sorted(range(len(tried)), key=lambda k: asked.missed(held[k]))[:2]
    fits = [asked.fit(replace(model, on=unit(tried[k]))) for k in begun]
    return [m for m in fits if (m.on @ m.on.T - 2 * np.eye(len(m.on))).max() < DISTINCT]


def _with_exception(model: Model, asked: Asked) -> list[Model]:
    """The model without what lies in the middle of words that answer less than it expects."""
    missed = np.maximum(model.predict(asked.vectors) - asked.values, 0) * model.shape(asked.vectors)
    if len(model.off) or missed.sum() <= 0:
        return []
    away = unit(missed**2 @ asked.vectors)
    # Where most of what is on is taken out, the model has settled for less height instead.
    near = (asked.vectors @ model.on.T).max(axis=1)
    some = near >= np.sort(near)[-max(len(near) // 6, 10) :][0]
    level = np.argsort(np.argsort(asked.values[some], kind="stable"), kind="stable") / some.sum()
    low, high = (1 - level) @ asked.vectors[some], level @ asked.vectors[some]
    tried = [away, unit(unit(low) - 0.6 * unit(high))]
    return [asked.fit(replace(model, off=off[None], half=(0.4, 0.4))) for off in tried]


def _centre(weights: Floats, asked: Asked) -> NDArray[Any]:
    """The middle of the words around the heaviest."""
    vectors = asked.lexicon.vectors
    smooth = [float(weights @ np.maximum(vectors @ vectors[n] - 0.4, 0)) for n in _heavy(weights)]
    best = vectors[_heavy(weights)[int(np.argmax(smooth))]]
    return unit((weights * np.maximum(vectors @ best - 0.3, 0)) @ vectors)


def _heavy(weights: Floats) -> list[int]:
    return [int(n) for n in np.argsort(-weights, kind="stable")[:40]]


def _split(vectors: NDArray[Any], count: int) -> NDArray[Any]:
    """Centres of spherical k-means from the farthest points."""
    centres = [vectors[0]]
    while len(centres) < count:
        nearest = (vectors @ np.stack(centres).T).max(axis=1)
        centres.append(vectors[int(nearest.argmin())])
    middle = np.stack(centres)
    for _ in range(8):
        owner = (vectors @ middle.T).argmax(axis=1)
        sums = [vectors[owner == k].sum(axis=0) for k in range(count)]
        middle = unit(np.stack(sums) + 1e-6 * middle)
    return middle
