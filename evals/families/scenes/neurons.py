"""Neurons over scenes with their truth. Evaluator's side only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hubel.evals.families.scenes import held_out
from hubel.evals.families.scenes.drawing import draw, with_noise
from hubel.evals.families.scenes.planted import plant
from hubel.evals.families.scenes.rules import Rule
from hubel.evals.families.scenes.target import NEURON, PREPROCESS
from hubel.evals.families.scenes.wired import Wired, weights
from hubel.evals.families.scenes.wiring import BEYOND, NULL, Wiring
from hubel.evals.neuron import Neuron
from hubel.tools.imagery.scenes import Scene, render

Place = Literal["scenes", "planted"]

_BATCH = 8
_KEPT = 600  # pictures, 150 kB each


def make(seed: int, number: int, place: Place = "scenes", snr: float | None = None) -> Neuron:
    """A neuron with its truth; inputs are `Scene`s.

    Args:
        seed: Of the family.
        number: Which neuron.
        place: In its own network, or planted in the demo network. Planted neurons are scaled and
            shifted to their neighbours, so truth holds up to a rising line.
        snr: A signal-to-noise ratio in the place of the one that is drawn; infinite for none. It
            is the variance of a unit that is fully on for half of the pictures over the noise's.

    Raises:
        ToolError: A package that scenes are drawn with, or the demo network, is missing.
    """
    drawn = draw(weights().joint, weights().things, seed, number)
    wiring = drawn.wiring if snr is None else with_noise(drawn.wiring, snr)
    rule = Rule(wiring)

    def held(count: int, rng: np.random.Generator) -> tuple[list[Any], list[str]]:
        return held_out.draw(rule, count, rng)

    function, unit = _opened(wiring, place)
    return Neuron(
        name=f"{place}/{seed}/{number}",
        domain="scenes",
        kind=drawn.kind,
        complexity=drawn.complexity,
        function=function,
        truth=lambda scenes: [*rule(scenes)],
        draw=held,
        description=rule.description,
        code=rule.code,
        real=wiring.join not in NULL,
        about={
            "target": f"synthetic:{place}/{seed}/{number}",
            "unit": unit,
            "form": None if rule.form is None else rule.form.to_json(),
            "phrases": rule.phrases,
            "region": rule.region,
            "noise": wiring.noise,
            "snr": round((wiring.full / 2 / wiring.noise) ** 2, 3) if wiring.noise else None,
            "beyond": wiring.join in BEYOND,
            "place": place,
            "wiring": wiring.to_json(),
        },
    )


def write(neuron: Neuron, path: Path) -> str:
    """Write a neuron's wiring for a lab to open; returns the name of the target.

    The file has numbers of channels and nothing else.
    """
    about = neuron.about or {}
    held = {"place": about["place"], "wiring": about["wiring"]}
    path.write_text(json.dumps(held), encoding="utf-8")
    return f"synthetic:{path}"


class _Seen:
    """Scenes -> values, by rendering them; batches of pictures go to a function [N] of them."""

    def __init__(self, run: Callable[[Sequence[Image.Image]], Tensor]) -> None:
        self._run = run

    def __call__(self, scenes: Sequence[Scene]) -> list[Any]:
        values: list[float] = []
        for start in range(0, len(scenes), _BATCH):
            pictures = [drawn(scene) for scene in scenes[start : start + _BATCH]]
            with torch.inference_mode():
                values += self._run(pictures).tolist()
        return values


@lru_cache(maxsize=_KEPT)
def drawn(scene: Scene) -> Image.Image:
    """A scene's picture; those of scenes that planners ask about again and again are kept."""
    return render(scene)


def _opened(wiring: Wiring, place: Place) -> tuple[_Seen, str]:
    """The function, which draws its noise anew at each call, and the name of its unit."""
    if place == "scenes":
        network = Wired(wiring, weights())
        network.join.chance.again(0)
        return _Seen(lambda pictures: network(PREPROCESS(pictures))[:, 0]), NEURON
    planted = plant(wiring, "planted")
    planted.plant.network.join.chance.again(0)
    target, unit = planted.target, planted.target.unit(planted.unit)

    def run(pictures: Sequence[Image.Image]) -> Tensor:
        return target.maps(target.batch(pictures), [unit])[0].amax((1, 2))

    return _Seen(run), planted.unit
