"""The explorer of neurons over scenes."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.agent.planners.scenes.design import SAME, Designer, probabilities
from hubel.agent.planners.scenes.fit import Data, Fitted, nothing
from hubel.agent.planners.scenes.redraw import redrawn
from hubel.agent.planners.scenes.rivals import Rival, apart, duel, lead, rivals
from hubel.agent.planners.scenes.search import Beam
from hubel.agent.planners.scenes.state import State
from hubel.agent.planners.scenes.unseen import Unseen
from hubel.agent.planners.scenes.verdict import (
    FAR,
    MISSED,
    conclude,
    missed,
    spread,
    supported,
    unexplained,
)
from hubel.tools.imagery.scenes import Scene

_FIRST, _TWICE, _MORE = 56, 4, 10
_ROUND = 15
_SEARCHED = 3
_FEWEST = 8  # answers without which there is nothing to search in
_ENOUGH = 200
#: When it stops: so sure, so many rounds without a surprise, and such odds of a further part.
_SURE, _QUIET, _OPEN = 0.95, 1, 0.015
#: Certainty from which on it asks for further parts.
_LIKELY = 0.8
_OFTEN, _AGAIN = 6, 3
_REDRAWN = 4  # scenes that are redrawn, or asked about again, in a round at most
_SAME = 12  # questions that were answered the same again, after which nothing is by chance
_DOUBTED = 100  # answers from which on the best rule is doubted
#: Laws beyond the grammar that are told from it, and how near to it in nats.
_RIVALS, _NEAR = 3, 12.0
#: Nats on scenes that were to tell the two apart from which on they need no more of them.
_DECIDED = 15.0

Asking = Generator[list[Any], list[Any], None]


def explore(budget: int, seed: int) -> Explorer:
    """Find the rule of a neuron over scenes.

    Args:
        budget: Scenes that it may ask about.
        seed: Of its choices.

    Returns:
        An explorer that yields scenes as JSON (`Scene.to_json`).
    """
    rng = np.random.default_rng([seed, 0x5CE])
    designer, state, beam = Designer(rng), State(), Beam()

    def ask(scenes: list[Scene]) -> Asking:
        some = scenes[: max(0, budget - state.asked)]
        if some:
            answers = yield [scene.to_json() for scene in some]
            state.add(some, answers)

    first = designer.cover(min(_FIRST, budget))
    yield from ask([*first, *first[:_TWICE]])
    if state.noise > 1e-4:
        yield from ask(first[_TWICE : _TWICE + _MORE])
    if len(state.scenes) < _FEWEST:
        return Finding(None, "It is undefined nearly everywhere.", 0.0)
    quiet = turn = 0
    while state.asked < budget:
        yield from ask(_odd(state))
        data = state.data()
        beam.update(data, search=not quiet or turn % _SEARCHED == 0)
        turn += 1
        best = supported(beam.best, data, state.independent())
        top = best[0]
        known = top.score > nothing(data) + 3
        if state.noise > 1e-4:
            state.settle(spread(top, data, state.independent()) * data.sigma)
        sure = certainty(best, designer) if known else 0.0
        odd = designer.around(top, state, data.sigma) if known else []
        enough = state.asked >= _least(state.noise)
        laws = rivals(best, state) if known and state.asked >= _DOUBTED else []
        beaten = lead(laws, top, state, data)[0] < -_DECIDED
        doubts = _told_apart(laws, top, state, data)
        doubts += [*_redrawn(top, state, data, rng), *_again(top, state, data)] if laws else []
        unseen = Unseen(top, state.fair()) if sure > _LIKELY else None
        settled = (
            unseen is not None
            and unseen.odds < _OPEN
            and sure > _SURE
            and quiet >= _QUIET
            and not doubts
            and not unexplained(top, state, data)
            and missed(top, data, state.independent()) <= MISSED
        )
        if enough and (beaten or settled):
            break
        keen = 7 if sure < _SURE else 4
        scenes = doubts + odd + designer.separating(beam.best, state, data.sigma, keen)
        scenes += designer.contexts(top, state, 4) if known else _hot(state)
        rest = max(3, _ROUND - len(scenes))
        if unseen is not None:
            scenes += unseen.scenes(rest, state)
        else:
            scenes += designer.cover(rest)
        begin = len(state.scenes)
        yield from ask(scenes)
        new = state.data()
        wrong = np.abs(new.answers - top.predict(new.bits)) > FAR * data.sigma
        wrong = (wrong & state.independent())[begin:]
        quiet = quiet + 1 if known and not wrong.any() else 0
    data = state.data()
    beam.update(data, search=True)
    best = supported(beam.best, data, state.independent())
    return conclude(best, certainty(best, designer), state, rivals(best, state))


def _redrawn(top: Fitted, state: State, data: Data, rng: np.random.Generator) -> list[Scene]:
    """Scenes that the best rule misses by far, drawn a little otherwise: did perception err?"""
    made: list[Scene] = []
    for scene in _far(top, state, data):
        if len(made) >= _REDRAWN:
            break
        if scene not in state.redrawn:
            other = state.redrawn[scene] = redrawn(scene, rng)
            made += [] if other is None else [other]
    state.chased.update(made)
    return made


def _again(top: Fitted, state: State, data: Data) -> list[Scene]:
    """Scenes that the best rule misses by far, as they were: few repeats may agree by chance."""
    if state.noise > 0 or state.repeats >= _SAME:
        return []
    once = [scene for scene in _far(top, state, data) if state.times(scene) == 1]
    return once[: min(_REDRAWN, _SAME - state.repeats)]


def _far(top: Fitted, state: State, data: Data) -> list[Scene]:
    """Scenes that the best rule misses by far, the farthest first; not those made from others."""
    left = np.abs(data.answers - top.predict(data.bits)) * state.independent()
    order = np.argsort(-left, kind="stable")
    return [state.scenes[int(n)] for n in order if left[n] >= FAR * data.sigma]


def _told_apart(laws: list[Rival], top: Fitted, state: State, data: Data) -> list[Scene]:
    """Scenes that tell the best rule from laws beyond the grammar that do nearly as well."""
    near = [law for law in laws[:_RIVALS] if law.gap < _NEAR]
    open_ = [law for law in near if abs(duel(law, top, state, data)) < _DECIDED]
    scenes = [s for law in open_ for s in apart(law, top, state, 2) if not state.times(s)]
    state.duels.update(scenes)
    return list(dict.fromkeys(scenes))


def certainty(best: list[Fitted], designer: Designer) -> float:
    """Probability of those hypotheses that say the same as the best where it matters."""
    weights = probabilities(best)
    if not len(designer.pool.bits):
        return 0.0
    said = np.stack([f.predict(designer.pool.bits) for f in best])
    apart = np.abs(said - said[0]) > SAME * max(1e-9, float(np.abs(best[0].weights[:-1]).max()))
    return float(weights[apart.mean(axis=1) <= 0.02].sum())


def _hot(state: State) -> list[Scene]:
    """Scenes whose answers are high, to be asked about again: noise, or a rule that is rare?"""
    if state.noise < 1e-4:
        return []
    times = np.array([state.times(scene) for scene in state.scenes])
    worth = (state.means - np.median(state.means)) * np.sqrt(times)
    order = np.argsort(-worth, kind="stable")
    some = [n for n in order if times[n] < _OFTEN and worth[n] > 1.5 * state.noise]
    return [state.scenes[n] for n in some[:_AGAIN]]


def _least(noise: float) -> int:
    """Answers that are wanted at least."""
    return int(_ENOUGH + min(100.0, 400 * noise))


def _odd(state: State) -> list[Scene]:
    """High answers that were given once only: a scene that drives the unit does so again."""
    answers = state.means
    middle = float(np.median(answers))
    far = answers - middle > max(0.2, 4 * state.noise)
    order = [int(n) for n in np.argsort(-answers, kind="stable") if far[n]]
    if sum(far) > 6:
        return []
    return [state.scenes[n] for n in order if state.times(state.scenes[n]) == 1][:4]
