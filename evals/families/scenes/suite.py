"""The suite of the benchmark: neurons over scenes whose inputs are JSON. Evaluator's side only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hubel.evals.families.scenes import neurons
from hubel.evals.neuron import Function, Neuron
from hubel.tools.imagery.scenes import Scene

#: Side of the pictures that are asked about; what is asked of another size is refused.
SIDE = 224


def make(seed: int, number: int) -> Neuron:
    """A neuron that takes scenes as JSON objects (`Scene.to_json`).

    Its ``about`` has the rule's ``phrases``, ``region`` and ``snr``, and what an oracle is told.

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
        function=_of_json(unit.function),
        truth=_of_json(unit.truth),
        draw=draw,
    )


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
