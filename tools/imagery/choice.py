"""What a thing can still be: the looks, sizes and places that phrases leave open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hubel.tools.imagery import pictographs
from hubel.tools.imagery.graph import (
    COLOURS,
    GROUNDS,
    ONE_COLOUR,
    SHAPES,
    SIZES,
    TEXTURES,
    Background,
    Colour,
    Position,
    Scene,
    Text,
    Texture,
    Thing,
)
from hubel.tools.imagery.layout import free
from hubel.tools.imagery.truth import CELLS, Phrase

_PLAIN = 0.4  # share of geometric shapes without a pattern
_WORDS = ("STOP", "OPEN", "EXIT", "Hello", "coffee", "Taxi", "music", "SALE", "park", "2025")
_TURN = 15.0  # degrees that things are turned at most, either way
_GROUND_SHARES = {
    "plain": 0.34,
    "gradient": 0.16,
    "noise": 0.14,
    "dots": 0.09,
    "checker": 0.09,
    "horizontal stripes": 0.06,
    "vertical stripes": 0.06,
    "diagonal stripes": 0.06,
}
_COLOURS: tuple[str | None, ...] = (*COLOURS, None)
_NEUTRAL = {"black", "grey", "white"}


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """What one thing can be.

    Attributes:
        looks: For each of `looks()`, whether it is open, bool [looks].
        sizes: Words of size.
        cells: Thirds of the picture.
    """

    looks: NDArray[np.bool_]
    sizes: frozenset[str]
    cells: frozenset[str]

    def having(self, phrase: Phrase) -> Choice:
        """What is left if the phrase is to be true of the thing."""
        looks, sizes, cells = _meant(phrase)
        return Choice(self.looks & looks, self.sizes & sizes, self.cells & cells)

    def lacking(self, phrase: Phrase) -> Choice:
        """What is left if the phrase is to be false of the thing."""
        about = {"size", "position"} & {attribute for attribute, _ in phrase.needs}
        looks, sizes, cells = _meant(phrase)
        if not about:
            return replace(self, looks=self.looks & ~looks)
        if len(phrase.needs) > 1:
            raise ValueError(f"'{phrase.phrase}' joins size or position with something else")
        if about == {"size"}:
            return replace(self, sizes=self.sizes - sizes)
        return replace(self, cells=self.cells - cells)

    def colours(self) -> frozenset[str | None]:
        """The colours that are open to it; None among them if a pictograph is."""
        return frozenset(_COLOURS[n] for n in np.unique(_colour_numbers()[self.looks]))

    def seen_on(self, background: Background) -> Choice:
        """What is left before a background: a thing never has one of its colours."""
        hidden = [_COLOURS.index(c) for c in background.colours]
        return replace(self, looks=self.looks & ~np.isin(_colour_numbers(), hidden))

    def __bool__(self) -> bool:
        return bool(self.looks.any() and self.sizes and self.cells)


def anything() -> Choice:
    """Every look, size and place that things in constructed scenes have."""
    return Choice(np.ones(len(looks()), dtype=bool), frozenset(SIZES), frozenset(CELLS))


@cache
def looks() -> list[tuple[str, Colour | None, Texture | None]]:
    """Every shape, colour and texture that go together."""
    every: list[tuple[str, Colour | None, Texture | None]] = []
    every.extend((s, c, t) for s in SHAPES for c in COLOURS for t in TEXTURES)
    every.extend((name, None, None) for name in pictographs.vocabulary())
    return every


def draw_thing(
    rng: np.random.Generator, choice: Choice, diameter: float, scene: Scene
) -> Thing | None:
    """A random thing, clear of the scene's things and text; None if there is no room.

    Args:
        rng: Source of chance.
        choice: What it can be; not empty. Its sizes are not looked at.
        diameter: Its size.
        scene: Where it is to be.
    """
    room = free(diameter / 2, choice.cells, scene.things, scene.text, scene.size)
    if not len(room):
        return None
    x, y = (float(v) for v in room[rng.integers(len(room))])
    shares = _look_shares() * choice.looks
    shape, colour, texture = looks()[rng.choice(len(shares), p=shares / shares.sum())]
    turn = 0.0 if shape in ("circle", "ring") else float(round(rng.uniform(-_TURN, _TURN)))
    return Thing(shape, x, y, diameter, colour, texture, turn)


def draw_text(rng: np.random.Generator, inks: Sequence[Colour]) -> Text:
    """A random word at a random place, in one of the colours."""
    places: Sequence[Position] = get_args(Position)
    word, ink, place = (int(rng.integers(len(some))) for some in (_WORDS, inks, places))
    return Text(_WORDS[word], inks[ink], places[place])


def draw_size(rng: np.random.Generator, word: str) -> float:
    """A size of that word."""
    low, high = SIZES[word]
    return round(float(rng.uniform(low, high)), 3)


@cache
def backgrounds() -> tuple[list[Background], NDArray[np.float64]]:
    """Every background, and the share of each among random ones."""
    every = [
        Background(kind, first, second)
        for kind in GROUNDS
        for first in COLOURS
        for second in ((None,) if kind in ONE_COLOUR else COLOURS)
        if first != second
    ]
    # Two strong colours are hard to look at: mostly one of them is a neutral one.
    calm = np.array([4.0 if _NEUTRAL & b.colours else 1.0 for b in every])
    shares = np.zeros(len(every))
    for kind, share in _GROUND_SHARES.items():
        here = np.array([b.kind == kind for b in every])
        weight = np.where(kind in ONE_COLOUR, 1.0, calm) * here
        shares += share * weight / weight.sum()
    return every, shares


@lru_cache(maxsize=1024)
def _meant(phrase: Phrase) -> tuple[NDArray[np.bool_], frozenset[str], frozenset[str]]:
    """The looks, sizes and cells of which a phrase is true."""
    needs = dict(phrase.needs)
    on = np.ones(len(looks()), dtype=bool)
    for place, attribute in enumerate(("shape", "colour", "texture")):
        if attribute in needs:
            on &= np.array([look[place] in needs[attribute] for look in looks()])
    cells = frozenset(CELLS) & needs.get("position", frozenset(CELLS))
    return on, frozenset(SIZES) & needs.get("size", frozenset(SIZES)), cells


@cache
def _look_shares() -> NDArray[np.float64]:
    """Share of each look among random things: half are pictographs, if there are any."""
    shares = []
    for _, _, texture in looks():
        if texture is None:
            shares.append(1 / len(pictographs.vocabulary()))
        else:
            of_texture = _PLAIN if texture == "plain" else (1 - _PLAIN) / (len(TEXTURES) - 1)
            shares.append(of_texture / len(SHAPES) / len(COLOURS))
    return np.array(shares)


@cache
def _colour_numbers() -> NDArray[np.int64]:
    """For each look, the place of its colour in `_COLOURS`."""
    return np.array([_COLOURS.index(colour) for _, colour, _ in looks()])
