"""What an explorer has asked and been told, and the noise of the answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubel.agent.planners.scenes.fit import FLOOR, Data
from hubel.agent.planners.scenes.words import Bits, Floats, encode
from hubel.tools.imagery.scenes import Scene

#: What a scene counts that was made from another one.
_CHASED = 0.3
#: Standard errors of the noise by repeats by which another estimate may be off.
_OBJECT = 2.0

#: Difference of the answers to a scene and to what it is redrawn as, in units of the noise, from
#: which one of them is an error.
_DIFFERS = 4.0


class State:
    """Questions and answers.

    Attributes:
        scenes: Each scene that was asked about and answered, once, in order.
        asked: How many questions were asked.
        chased: Scenes that were made from others.
        duels: Scenes that were to tell the best rule from laws beyond the grammar.
        redrawn: Scenes that were asked about, drawn a little otherwise; None where that failed.
    """

    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self.asked = 0
        self.chased: set[Scene] = set()
        self.duels: set[Scene] = set()
        self.redrawn: dict[Scene, Scene | None] = {}
        self._settled: float | None = None
        self._answers: dict[Scene, list[float]] = {}
        self._bits: list[Floats] = []
        self._kinds: dict[bytes, int] = {}
        self._kind: list[int] = []

    def add(self, scenes: list[Scene], answers: list[float | None]) -> None:
        """Take answers in; those that are undefined are left out."""
        self.asked += len(scenes)
        for scene, bits, answer in zip(scenes, encode(scenes), answers, strict=True):
            if answer is None:
                continue
            if scene not in self._answers:
                self.scenes.append(scene)
                self._bits.append(bits.astype(np.float64))
                self._kind.append(self._kinds.setdefault(bits.tobytes(), len(self._kinds)))
            self._answers.setdefault(scene, []).append(answer)

    @property
    def means(self) -> Floats:
        """The mean of the answers to each scene, [n]."""
        return np.array([float(np.mean(self._answers[scene])) for scene in self.scenes])

    def times(self, scene: Scene) -> int:
        """How often a scene was asked about."""
        return len(self._answers.get(scene, ()))

    @property
    def noise(self) -> float:
        """Standard deviation of answers to the same question."""
        return self._repeated()[0] if self._settled is None else self._settled

    @property
    def repeats(self) -> int:
        """How often a question was asked again."""
        return self._repeated()[1]

    def settle(self, spread: float) -> None:
        """Take the spread of many answers around a rule for the noise, unless repeats object.

        Few questions are asked twice, so that they tell the noise to a fifth; and some for being
        high, so that they tell too much of it. A rule that is not all leaves more, never less.
        """
        noise, degrees = self._repeated()
        known = noise > 0 and spread > 0
        near = known and np.log(spread / noise) < _OBJECT * np.sqrt(1 / (2 * degrees))
        self._settled = spread if near else None

    def _repeated(self) -> tuple[float, int]:
        """The noise by questions that were asked again, and its degrees of freedom."""
        squares, degrees = 0.0, 0
        for answers in self._answers.values():
            if len(answers) > 1:
                squares += float(np.square(np.array(answers) - np.mean(answers)).sum())
                degrees += len(answers) - 1
        return float(np.sqrt(squares / degrees)) if degrees else 0.0, degrees

    def data(self) -> Data:
        """All of it, for fits."""
        sigma = float(np.hypot(self.noise, FLOOR * self.scale))
        times = np.array([float(self.times(s)) for s in self.scenes])
        worth = times * [_CHASED if s in self.chased else 1.0 for s in self.scenes]
        return Data(np.array(self._bits), self.means, sigma, times, worth, np.array(self._kind))

    def fair(self) -> Data:
        """The same without scenes made from others, and without those that were misperceived.

        A scene and what it is redrawn as have the same phrases: where their answers are far apart,
        perception erred.
        """
        data = self.data()
        means = dict(zip(self.scenes, data.answers, strict=True))
        pairs = [(s, r) for s, r in self.redrawn.items() if r in means]
        wrong = {s for s, r in pairs if abs(means[s] - means[r]) > _DIFFERS * data.sigma}
        free = [s not in self.chased and s not in wrong for s in self.scenes]
        return replace(data, worth=data.times * free)

    @property
    def scale(self) -> float:
        """The size of the answers: their spread from low to high; 1 where they do not vary."""
        spread = float(np.ptp(self.means)) if self.scenes else 0.0
        return min(spread, 1.0) if spread > 1e-6 else 1.0

    def independent(self) -> Bits:
        """Which scenes tell how often a rule is wrong, [n].

        Perception errs on few scenes, but if it errs on one it does on its neighbours too: those
        made from a scene that was asked about tell only what drives the unit.
        """
        return np.array([scene not in self.chased for scene in self.scenes], dtype=bool)
