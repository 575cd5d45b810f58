"""Pictures with a question whose answer is known exactly, because the program drew them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

#: Cells of a side of a drawn heat-map, and the width of its one peak in shares of the side.
_CELLS, _PEAK = 14, 0.13
#: The quarters of a picture: where the peak is, in shares of the side.
_QUARTERS = {
    "top left": (0.25, 0.25),
    "top right": (0.75, 0.25),
    "bottom left": (0.25, 0.75),
    "bottom right": (0.75, 0.75),
}
_NUMBERS = {"1": "one", "2": "two", "3": "three", "4": "four", "5": "five"}


@dataclass(frozen=True, slots=True)
class Item:
    """A question about pictures.

    Attributes:
        ability: ``difference``, ``count`` or ``heat-map``.
        pictures: What is shown, in order.
        question: Asked beside them.
        choices: The possible answers; each is as frequent as the others.
        truth: The right one.
    """

    ability: str
    pictures: tuple[Image.Image, ...]
    question: str
    choices: tuple[str, ...]
    truth: str

    @property
    def chance(self) -> float:
        """Share that is right by guessing."""
        return 1 / len(self.choices)

    def read(self, said: str) -> str | None:
        """The choice that an answer names, the last if it names several; None if none."""
        words = {word: choice for choice in self.choices for word in _words(choice)}
        pattern = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
        named = re.findall(rf"\b(?:{pattern})\b", said.lower().replace("-", " "))
        return words[named[-1]] if named else None


def items(n: int, seed: int) -> list[Item]:
    """As many items of each ability.

    Args:
        n: Items of each; choices take turns, so a multiple of 20 is balanced for all.
        seed: Draws the pictures.
    """
    return [item for make in ABILITIES.values() for item in make(n, seed)]


def _words(choice: str) -> tuple[str, ...]:
    return (choice, _NUMBERS[choice]) if choice in _NUMBERS else (choice,)


def _turns(
    n: int, seed: int, choices: tuple[str, ...]
) -> Iterator[tuple[str, np.random.Generator]]:
    """Right answers, in random order and in equal numbers, each with a source of chance."""
    import numpy as np

    rng = np.random.default_rng([seed, len(choices)])
    for truth in rng.permutation([choices[i % len(choices)] for i in range(n)]):
        yield str(truth), rng


def _differences(n: int, seed: int) -> Iterator[Item]:
    """Two scenes that are the same, or differ in one object."""
    choices = ("same", "different")
    question = (
        "Are these two pictures the same, or is an object in one of them different? Answer with "
        "one word: same or different."
    )
    for truth, rng in _turns(n, seed, choices):
        pictures = _pair(rng)
        shown = (pictures[0], pictures[0]) if truth == "same" else pictures
        yield Item("difference", shown, question, choices, truth)


def _pair(rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """A scene, and the same with another colour or shape of one object."""
    from hubel.tools.imagery.scenes import random_scene, render, truth, without_phrase
    from hubel.tools.imagery.truth import find

    while True:
        scene = random_scene(rng)
        about = [p for p in truth(scene) if find(p).factor in ("colour", "shape")]
        if not about:
            continue
        try:
            changed, _ = without_phrase(scene, str(rng.choice(about)), rng)
        except ToolError:  # more than one thing has it
            continue
        return render(scene), render(changed)


def _counts(n: int, seed: int) -> Iterator[Item]:
    """Scenes of one to five objects."""
    from hubel.tools.imagery.scenes import random_scene, render
    from hubel.tools.imagery.truth import counted

    choices = tuple(_NUMBERS)
    question = (
        "How many objects are in this picture? Text and the background do not count. Answer with "
        "one number from 1 to 5."
    )
    for truth, rng in _turns(n, seed, choices):
        scene = random_scene(rng)
        while not len(counted(scene)) == len(scene.things) == int(truth):
            scene = random_scene(rng)
        yield Item("count", (render(scene),), question, choices, truth)


def _heat_maps(n: int, seed: int) -> Iterator[Item]:
    """Scenes under an activation map with one peak."""
    import numpy as np

    from hubel.tools.heatmap import overlay
    from hubel.tools.imagery.scenes import random_scene, render

    choices = tuple(_QUARTERS)
    question = (
        "A heat-map lies over this picture: it glows where a unit is active and is dim elsewhere. "
        "In which quarter is it strongest? Answer with: " + ", ".join(choices) + "."
    )
    y, x = np.mgrid[0:_CELLS, 0:_CELLS] / (_CELLS - 1)
    for truth, rng in _turns(n, seed, choices):
        across, down = np.array(_QUARTERS[truth]) + rng.uniform(-0.08, 0.08, 2)
        bump = np.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * _PEAK**2))
        shown = overlay(render(random_scene(rng)), bump, (0.0, 1.0))
        yield Item("heat-map", (shown,), question, choices, truth)


#: What is measured of a model's eyes.
ABILITIES: dict[str, Callable[[int, int], Iterator[Item]]] = {
    "difference": _differences,
    "count": _counts,
    "heat-map": _heat_maps,
}
