"""Measures every concept and wires those that hold: `python -m ...scenes.assemble FOLDER`.

Takes ``perception.safetensors`` from the folder and writes ``weights.safetensors`` (numbers) and
``concepts.json`` (what was measured, and the names) beside this file. 8 minutes of two cores.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from hubel.evals.families.scenes import labels as table
from hubel.evals.families.scenes.evidence import Atoms, steep
from hubel.evals.families.scenes.network import Perception
from hubel.evals.families.scenes.rules import CONCEPTS
from hubel.evals.families.scenes.target import PREPROCESS
from hubel.evals.families.scenes.vocabulary import wire
from hubel.evals.families.scenes.wired import WEIGHTS
from hubel.tools.imagery.scenes import (
    Phrase,
    Scene,
    phrases,
    random_scene,
    render,
    scene_having,
    truth,
    without_phrase,
)
from hubel.tools.spec import ToolError

#: Scenes that agreement is measured on, and their seed; training's seeds are 1 to 7.
SCENES, SEED = 10_000, 777
#: Pairs of scenes for each phrase, one smallest edit apart, of which it is true and false.
PAIRS = 10
#: What a concept must reach to be part of the family. Rare ones agree by being absent, so that
#: recall and precision are asked for too.
AGREEMENT, RECALL, PRECISION, POSITIVES = 0.995, 0.97, 0.97, 30

_BATCH = 8
_PART = 400  # scenes that a process takes at once


@dataclass(frozen=True, slots=True)
class Eye:
    """The perception network with a channel for every phrase.

    Attributes:
        perception: The network.
        weights: From atoms to phrases, [phrases, atoms].
        biases: [phrases].
    """

    perception: Perception
    weights: Tensor
    biases: Tensor

    def __call__(self, scenes: list[Scene]) -> NDArray[np.bool_]:
        """Which phrases it sees, [scenes, phrases]."""
        atoms = Atoms(table.classes())
        with torch.inference_mode():
            found = atoms(*self.perception(PREPROCESS([render(scene) for scene in scenes])))
            maps = torch.einsum("ka,nap->nkp", self.weights, found.flatten(2))
            high = (maps.amax(dim=2) + self.biases).relu()
            seen: NDArray[np.bool_] = (steep(high) > 0.5).numpy()
        return seen


@cache
def opened(path: Path) -> Eye:
    """Open the weights that training left."""
    perception = Perception(table.classes())
    perception.load_state_dict(
        {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
    )
    perception.pack()
    return Eye(perception.eval(), *wire(phrases()))


def compare(path: Path, numbers: range) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What the network sees and what is true of some random scenes, [scenes, phrases] each."""
    place = {phrase.phrase: n for n, phrase in enumerate(phrases())}
    scenes = [random_scene(np.random.default_rng([SEED, number])) for number in numbers]
    true = np.zeros((len(scenes), len(place)), dtype=bool)
    for row, scene in zip(true, scenes, strict=True):
        row[[place[phrase] for phrase in truth(scene)]] = True
    parts = [opened(path)(scenes[n : n + _BATCH]) for n in range(0, len(scenes), _BATCH)]
    return np.concatenate(parts), true


def at_border(path: Path, number: int) -> float:
    """Share of scenes of minimal pairs on which the network is right about a phrase."""
    rng, phrase = np.random.default_rng([SEED, number, 1]), phrases()[number].phrase
    scenes: list[Scene] = []
    for _ in range(4 * PAIRS):
        scene = scene_having(rng, [phrase])
        try:
            scenes += [scene, without_phrase(scene, phrase, rng)[0]]
        except ToolError:  # two things fulfil it
            continue
        if len(scenes) == 2 * PAIRS:
            break
    right = [opened(path)(scenes[n : n + _BATCH])[:, number] for n in range(0, len(scenes), _BATCH)]
    wanted = np.arange(len(scenes)) % 2 == 0
    return float((np.concatenate(right) == wanted).mean())


def measure(
    path: Path, pool: Executor, count: int = SCENES
) -> tuple[list[dict[str, Any]], NDArray[np.int64]]:
    """What was measured of each phrase, and for how many scenes two of them are true."""
    parts = [range(start, min(count, start + _PART)) for start in range(0, count, _PART)]
    pairs = list(pool.map(compare, [path] * len(parts), parts))
    seen, true = (np.concatenate(halves) for halves in zip(*pairs, strict=True))
    rows = [_row(phrase, seen[:, n], true[:, n]) for n, phrase in enumerate(phrases())]
    fit = [number for number, row in enumerate(rows) if good(row, count)]
    for number, border in zip(fit, pool.map(at_border, [path] * len(fit), fit), strict=True):
        rows[number]["border"] = round(border, 4)
    whole = true.astype(np.float32)
    return rows, (whole.T @ whole).astype(np.int64)


def _row(phrase: Phrase, seen: NDArray[np.bool_], true: NDArray[np.bool_]) -> dict[str, Any]:
    both = int((seen & true).sum())
    return {
        "phrase": phrase.phrase,
        "factor": phrase.factor,
        "share": round(float(true.mean()), 4),
        "agreement": round(float((seen == true).mean()), 4),
        "recall": round(both / max(1, int(true.sum())), 4),
        "precision": round(both / max(1, int(seen.sum())), 4),
    }


def good(row: dict[str, Any], count: int) -> bool:
    """Whether a concept can be part of the family."""
    least = {"agreement": AGREEMENT, "recall": RECALL, "precision": PRECISION}
    enough = bool(row["share"] * count >= POSITIVES)
    return enough and all(row[score] >= value for score, value in least.items())


def write(folder: Path, eye: Eye, rows: list[dict[str, Any]], joint: NDArray[np.int64]) -> None:
    """Number the good concepts at random, and write the weights and what was measured."""
    fit = [n for n, row in enumerate(rows) if "border" in row]
    order = np.random.default_rng(SEED).permutation(fit)
    state = load_file(folder / "perception.safetensors")
    things = [phrases()[n].part == "thing" for n in order]
    tensors = {
        **{f"perception.{name}": value for name, value in state.items()},
        "classes": torch.tensor([*table.classes().values()], dtype=torch.int32),
        "concepts.weight": eye.weights[order].half(),
        "concepts.bias": eye.biases[order].half(),
        "joint": torch.from_numpy(joint[np.ix_(order, order)]).to(torch.int16),
        "scenes": torch.tensor(SCENES, dtype=torch.int32),
        "things": torch.tensor(things, dtype=torch.uint8),
    }
    save_file({k: v.contiguous() for k, v in tensors.items()}, str(WEIGHTS))
    WEIGHTS.chmod(0o644)
    held = {
        "scenes": SCENES,
        "pairs": PAIRS,
        "channels": [rows[n] for n in order],
        "excluded": [row for row in rows if "border" not in row],
    }
    lines = json.dumps(held, indent=None).replace('{"phrase"', '\n{"phrase"')
    CONCEPTS.write_text(lines + "\n", encoding="utf-8")


def main() -> None:
    """Measure, choose and write."""
    folder = Path(sys.argv[1])
    path = folder / "perception.safetensors"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        write(folder, opened(path), *measure(path, pool))


if __name__ == "__main__":
    main()
