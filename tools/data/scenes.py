"""`scenes:N` or `scenes:N?seed=S`: rendered scenes whose content is known exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from hubel.tools.data import DataError, Dataset, Item
from hubel.tools.imagery.scenes import Scene, random_scene, render


def load(argument: str) -> Dataset:
    """Open a data set of random scenes.

    Args:
        argument: How many, and the seed (0 if none is given).

    Raises:
        DataError: The argument is not of that form.
    """
    size, _, seed = argument.partition("?seed=")
    name = f"scenes:{argument}"
    return RandomScenes(name, count(size, name), count(seed or "0", name, least=0))


def count(text: str, name: str, least: int = 1) -> int:
    """A number out of the name of a data set.

    Raises:
        DataError: It is not a whole number of at least `least`.
    """
    if not (text.isascii() and text.isdecimal()) or int(text) < least:
        raise DataError(f"'{name}' needs whole numbers of at least {least}, as in 'scenes:200'.")
    return int(text)


class RandomScenes:
    """Scene number n is drawn with the seed (seed, n), so more scenes change none.

    Args:
        name: The name under which users asked for it.
        size: How many.
        seed: Another seed, other scenes.
    """

    def __init__(self, name: str, size: int, seed: int = 0) -> None:
        self._name = name
        self._seed = seed
        self._groups = [f"scene {number}" for number in range(size)]

    @property
    def name(self) -> str:
        """The name under which users asked for it."""
        return self._name

    @property
    def groups(self) -> Sequence[str]:
        """Each scene is a group of its own."""
        return self._groups

    def fingerprint(self) -> str:
        """Hash of number, seed and the first scenes' pixels, which change with the renderer."""
        digest = hashlib.sha256(f"{len(self._groups)} {self._seed}".encode())
        for number in range(min(4, len(self._groups))):
            digest.update(self.item(number).image.tobytes())
        return digest.hexdigest()

    def scene(self, number: int) -> Scene:
        """The scene graph."""
        return random_scene(np.random.default_rng([self._seed, number]))

    def item(self, number: int) -> Item:
        """Render one scene."""
        scene = self.scene(number)
        provenance = {"kind": "scene", "scene": scene.to_json()}
        return Item(self._groups[number], render(scene), provenance=provenance)
