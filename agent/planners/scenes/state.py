"""What an explorer has asked and been told, and the noise of the answers."""

from __future__ import annotations

import numpy as np

from hubel.agent.planners.scenes.fit import FLOOR, Data
from hubel.agent.planners.scenes.words import encode
from hubel.tools.imagery.scenes import Scene

#: Degrees of freedom of the noise that are taken for granted, at the floor's size.
_PRIOR = 1.0


class State:
    """Questions and answers.

    Attributes:
        scenes: Each scene that was asked about, in order; again where it was asked again.
        answers: What was answered; undefined answers are left out of both.
        asked: How many questions were asked.
    """

    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self.answers: list[float] = []
        self.asked = 0
        self._bits: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
        self._by_scene: dict[Scene, list[float]] = {}

    def add(self, scenes: list[Scene], answers: list[float | None]) -> None:
        """Take answers in."""
        self.asked += len(scenes)
        for scene, bits, answer in zip(scenes, encode(scenes), answers, strict=True):
            if answer is not None:
                self.scenes.append(scene)
                self.answers.append(answer)
                self._bits.append(bits.astype(np.float64))
                self._by_scene.setdefault(scene, []).append(answer)

    def times(self, scene: Scene) -> int:
        """How often a scene was asked about."""
        return len(self._by_scene.get(scene, ()))

    @property
    def noise(self) -> float:
        """Standard deviation of answers to the same question."""
        squares, degrees = 0.0, 0
        for answers in self._by_scene.values():
            if len(answers) > 1:
                squares += float(np.square(np.array(answers) - np.mean(answers)).sum())
                degrees += len(answers) - 1
        return float(np.sqrt(squares / degrees)) if degrees else 0.0

    def data(self) -> Data:
        """All of it, for fits."""
        sigma = float(np.hypot(self.noise, FLOOR * self.scale))
        return Data(np.array(self._bits), np.array(self.answers), sigma)

    @property
    def scale(self) -> float:
        """The size of the answers: their spread from low to high; 1 where they do not vary."""
        spread = float(np.ptp(np.array(self.answers))) if self.answers else 0.0
        return min(spread, 1.0) if spread > 1e-6 else 1.0
