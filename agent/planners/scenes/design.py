"""Which scenes to ask about next: where hypotheses disagree, and where nobody looked yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubel.agent.planners.scenes.fit import Fitted
from hubel.agent.planners.scenes.grammar import BASES, Hypothesis
from hubel.agent.planners.scenes.library import library
from hubel.agent.planners.scenes.state import State
from hubel.agent.planners.scenes.wishes import doubled, fit_together, wished
from hubel.agent.planners.scenes.words import Floats, encode, names, random_scenes
from hubel.tools.imagery.changes import removed
from hubel.tools.imagery.scenes import Scene, truth, with_phrase, without_phrase
from hubel.tools.spec import ToolError

#: Scores are divided by this before they are made probabilities: the hypothesis that is right may
#: not be among those that were found yet.
TEMPER = 2.0
#: Predictions that differ by less, in units of the highest weight, are the same.
SAME = 0.15
_COMPOSED, _EDITED = 6, 5
_RIVALS = 40
_GUESSES = 48  # assignments of truth to phrases from which one that separates is chosen
_COMMON = 0.01  # share of scenes from which a phrase is looked at as a context
_TRIES = 6
_SURPRISE = 4.0  # a residual, in units of the noise
_AROUND = 3
_HIGH = 8  # scenes at least from which edits start


@dataclass
class Pool:
    """Scenes made for the hypotheses so far, and what is true of them."""

    scenes: list[Scene]
    bits: Floats


class Designer:
    """Chooses questions."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._next = 0
        self._looked: set[Scene] = set()
        self.pool = Pool([], np.zeros((0, len(names()))))

    def cover(self, count: int) -> list[Scene]:
        """The next scenes that cover the vocabulary; from the first again after the last."""
        order = library().order
        begin, self._next = self._next, self._next + count
        return [library().scenes[order[n % len(order)]] for n in range(begin, self._next)]

    def around(self, best: Fitted, state: State, sigma: float) -> list[Scene]:
        """Neighbours of scenes whose answers surprise: did perception err, or is there more?"""
        data = state.data()
        left = np.abs(data.answers - best.predict(data.bits))
        made: list[Scene] = []
        for n in np.argsort(-left, kind="stable"):
            scene = state.scenes[int(n)]
            if left[n] < _SURPRISE * sigma or len(made) >= _AROUND:
                break
            if scene not in self._looked:
                self._looked.add(scene)
                made += self._neighbours(scene)
        state.chased.update(made)
        return made

    def _neighbours(self, scene: Scene) -> list[Scene]:
        """A scene with less in it: without one or the other thing, or without its text."""
        made = [removed(scene, int(n)) for n in self._rng.permutation(len(scene.things))[:3]]
        return made if scene.text is None else [*made, replace(scene, text=None)]

    def separating(self, best: list[Fitted], state: State, sigma: float, count: int) -> list[Scene]:
        """Scenes on which the hypotheses disagree most, one after the other."""
        rivals = best[:_RIVALS]
        weights = probabilities(rivals, TEMPER)
        self._compose(rivals, weights, state)
        lib = library()
        scenes = [*lib.scenes, *self.pool.scenes]
        bits = np.concatenate([lib.numbers, self.pool.bits])
        said = np.stack([f.predict(bits) for f in rivals])
        spread = np.sqrt(weights)[:, None] * (said - weights @ said)
        tired = np.array([1.0 + state.times(scene) for scene in scenes])
        chosen: list[Scene] = []
        for _ in range(count):
            power = np.square(spread).sum(axis=0)
            n = int(np.argmax(power / tired if sigma < 0.1 else power / np.sqrt(tired)))
            if power[n] < 1e-6:
                break
            chosen.append(scenes[n])
            tired[n] += 1.0
            axis = spread[:, n] / np.sqrt(power[n])
            left = np.sqrt(sigma**2 / (sigma**2 + power[n]))
            spread = spread - (1 - left) * np.outer(axis, axis @ spread)
        return chosen

    def contexts(self, best: Fitted, state: State, count: int) -> list[Scene]:
        """Scenes for which it says much, with surroundings in which it was not seen yet."""
        bits = state.data().bits
        seen = bits[best.predict(bits) >= 0.6 * _top(best)].sum(axis=0)
        common = random_scenes()[1].mean(axis=0)
        scenes: list[Scene] = []
        for number in range(count):
            having, lacking = _driving(best.hypothesis, self._rng)
            if number % 2:  # also where what drives it is taken back, or partly there
                wish = self._rng.random(len(best.hypothesis.slots)) < 0.6
                having = [s for s, w in zip(best.hypothesis.slots, wish, strict=True) if w]
                lacking = []
            twice = doubled(self._rng, having) if number % 4 == 0 else []
            worth = np.sqrt(common) / (1.0 + seen) ** 2
            worth[[*best.hypothesis.slots]] = 0
            worth[common < _COMMON] = 0
            for attempt in range(_TRIES):
                besides = self._rng.choice(
                    len(worth), 2 if attempt < _TRIES // 2 else 1, False, worth / worth.sum()
                )
                more = twice if attempt < _TRIES // 2 else []
                scene = wished(self._rng, [*having, *(more or map(int, besides))], lacking)
                if scene is not None:
                    scenes.append(scene)
                    seen = seen + encode([scene])[0]
                    break
        return scenes

    def _compose(self, rivals: list[Fitted], weights: Floats, state: State) -> None:
        """Add scenes to the pool on which likely hypotheses differ."""
        made: list[Scene] = []
        for _ in range(_COMPOSED):
            first, second = (rivals[int(n)] for n in self._rng.choice(len(rivals), 2, p=weights))
            said = sorted({*first.hypothesis.slots, *second.hypothesis.slots})
            having, lacking = self._assignment(first, second, said)
            scene = wished(self._rng, having, lacking)
            made += [] if scene is None else [scene]
        made += self._edits(rivals, weights, state)
        if made:
            self.pool.scenes += made
            more = encode(made).astype(np.float64)
            self.pool.bits = np.concatenate([self.pool.bits, more])

    def _assignment(
        self, first: Fitted, second: Fitted, said: list[int]
    ) -> tuple[list[int], list[int]]:
        """Which phrases are to be true and which false, so that two hypotheses differ."""
        guesses = self._rng.random((_GUESSES, len(said))) < 0.5
        bits = np.zeros((_GUESSES, len(names())))
        bits[:, said] = guesses
        apart = np.abs(first.predict(bits) - second.predict(bits))
        order = np.argsort(-(apart + 1e-3 * self._rng.random(_GUESSES)))
        having: list[int] = []
        lacking: list[int] = []
        for n in order[:_TRIES]:
            having = [s for s, w in zip(said, guesses[n], strict=True) if w]
            lacking = [s for s, w in zip(said, guesses[n], strict=True) if not w]
            if fit_together(having, lacking):
                break
        return having, lacking

    def _edits(self, rivals: list[Fitted], weights: Floats, state: State) -> list[Scene]:
        """Smallest changes of scenes that drive the unit, one phrase each."""
        order = np.argsort(-state.means, kind="stable")
        order = order[: max(_HIGH, len(order) // 6)]
        made = []
        for _ in range(_EDITED):
            scene = state.scenes[int(self._rng.choice(order))]
            rival = rivals[int(self._rng.choice(len(rivals), p=weights))]
            phrase = names()[int(self._rng.choice(rival.hypothesis.slots))]
            change = without_phrase if phrase in truth(scene) else with_phrase
            try:
                made.append(change(scene, phrase, self._rng)[0])
            except ToolError:
                continue
        state.chased.update(made)
        return made


def probabilities(fitted: list[Fitted], temper: float = 1.0) -> Floats:
    """Posterior probabilities of hypotheses."""
    scores = np.array([f.score for f in fitted]) / temper
    raw = np.exp(scores - scores.max())
    shares: Floats = raw / raw.sum()
    return shares


def _top(fitted: Fitted) -> float:
    """About the highest value that it takes."""
    weights = fitted.weights
    return float(weights[-1] + max(0.0, float(weights[:-1].max(initial=0.0))))


def _driving(hypothesis: Hypothesis, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Phrases that make a feature of it hold, and phrases that must not be there for that."""
    size = len(hypothesis.slots)
    states = ((np.arange(2**size)[:, None] >> np.arange(size)) & 1).astype(np.float64)
    value = np.stack(hypothesis.features([states[:, n] for n in range(size)])).sum(axis=0)
    on = np.flatnonzero(value > 0)
    few = on[np.argsort(states[on].sum(axis=1) + rng.random(len(on)), kind="stable")]
    state = states[int(few[int(rng.integers(min(3, len(few))))])]
    base = BASES[hypothesis.base].slots
    having = [s for s, v in zip(hypothesis.slots, state, strict=True) if v]
    lacking = [
        s
        for n, (s, v) in enumerate(zip(hypothesis.slots, state, strict=True))
        if not v and n < base + 2
    ]
    return having, lacking
