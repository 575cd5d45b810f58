"""The suite of the benchmark: neurons over scenes whose inputs are JSON. Evaluator's side only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hubel.evals.families.scenes import neurons
from hubel.evals.families.scenes.target import PREPROCESS
from hubel.evals.families.scenes.wired import Wired, weights
from hubel.evals.families.scenes.wiring import BEYOND, NULL, Wiring
from hubel.evals.neuron import Function, Neuron
from hubel.tools.imagery.scenes import Scene

#: Side of the pictures that are asked about; what is asked of another size is refused.
SIDE = 224

#: Scenes of which it is remembered which channels are on; 2 kB each.
_KEPT = 8000


def make(seed: int, number: int) -> Neuron:
    """A neuron that takes scenes as JSON objects (`Scene.to_json`).

    Its ``about`` has the rule's ``phrases``, ``region`` and ``snr``, what an oracle is told, and
    ``family``, the seed.

    Args:
        seed: Of the family.
        number: Which neuron.
    """
    unit = neurons.make(seed, number)

    def draw(count: int, rng: np.random.Generator) -> tuple[list[Any], list[str]]:
        scenes, strata = unit.draw(count, rng)
        return [scene.to_json() for scene in scenes], strata

    return replace(
        unit,
        name=f"scenes/{number}",
        function=_of_json(watched(Wiring.from_json((unit.about or {})["wiring"]), 0)),
        truth=_of_json(unit.truth),
        draw=draw,
        about=(unit.about or {}) | {"family": seed},
    )


def watched(wiring: Wiring, start: int) -> Function:
    """A neuron as a function of scenes that sees each scene alone, and the same scene once.

    What perception sees does not depend on the neuron, and planners ask about the same scenes of
    many neurons: it is remembered which channels are on. Noise is drawn anew each time.

    Args:
        wiring: The neuron.
        start: Of the count of presentations, by which noise is drawn.
    """
    network = Wired(wiring, weights())
    network.join.chance.again(start)
    noisy = bool(wiring.noise) or wiring.join in NULL

    def value(scene: Scene) -> float:
        with torch.inference_mode():
            if wiring.join in BEYOND:  # it counts or compares things: channels are not enough
                return float(network(_pixels(scene)))
            on = _channels(scene)
            pixels = _pixels(scene) if noisy else on.new_zeros(1, 3, 1, 1)
            nothing = on.new_zeros(0)
            return float(network.join(network.terms(on), nothing, nothing, pixels))

    return lambda scenes: [value(scene) for scene in scenes]


@lru_cache(maxsize=_KEPT)
def _channels(scene: Scene) -> Tensor:
    """Which channels are on, [1, channels]."""
    network = _perceiving()
    with torch.inference_mode():
        atoms = network.atoms(*network.perception(_pixels(scene)))
        found: Tensor = network.pool(network.concepts(atoms))
    return found


@cache
def _perceiving() -> Wired:
    """A network whose neuron is of no interest."""
    return Wired(Wiring((), "dead"), weights())


def _pixels(scene: Scene) -> Tensor:
    return PREPROCESS([neurons.drawn(scene)])


def _of_json(function: Function) -> Function:
    def answered(asked: Sequence[Any]) -> list[Any]:
        return function([opened(scene) for scene in asked])

    return answered


def opened(asked: Any) -> Scene:
    """The scene that is asked about.

    Raises:
        ToolError: It is none.
        ValueError: It has another size.
    """
    scene = Scene.from_json(asked)
    if scene.size != SIDE:
        raise ValueError(f"scenes are asked about at {SIDE} pixels, not {scene.size}")
    return scene
