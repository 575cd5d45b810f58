"""What is true of a scene, in phrases.

The vocabulary is data: each phrase says of which part of a scene it speaks and which values it
needs there. Truth, the construction of scenes and the smallest edits all read the same table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hubel.tools.imagery import pictographs
from hubel.tools.imagery.graph import (
    COLOURS,
    GROUNDS,
    SHAPES,
    SIZES,
    TEXTURES,
    Background,
    Scene,
    Thing,
    size_word,
    third,
)
from hubel.tools.imagery.render import visible
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

Part = Literal["thing", "count", "background", "text"]
Facts = tuple[tuple[str, frozenset[str]], ...]

#: Most things that constructed scenes have.
MOST = 5
#: A thing that shows less of itself than this does not count.
LEAST_VISIBLE = 0.5

_TEXTURE_WORDS = {
    "plain": ("plain",),
    "horizontal stripes": ("striped", "horizontally striped"),
    "vertical stripes": ("striped", "vertically striped"),
    "diagonal stripes": ("striped", "diagonally striped"),
    "dots": ("dotted",),
    "checker": ("checkered",),
    "rings": ("ringed",),
    "gradient": ("gradient",),
    "noise": ("noisy",),
}
CELLS = tuple(f"{x} {y}" for x in ("low", "middle", "high") for y in ("low", "middle", "high"))
#: Which coordinate (0 for x) must have which word.
_PLACES = {"left": (0, "low"), "right": (0, "high"), "top": (1, "low"), "bottom": (1, "high")}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase about scenes.

    Attributes:
        phrase: The words.
        factor: What it is about: shape, colour, texture, size, position (compounds join two by
            ``+``), count, background or text.
        part: The part of a scene that it speaks of; of things, there must be one that has it all.
        needs: By attribute of the part, the values that make it true.
    """

    phrase: str
    factor: str
    part: Part
    needs: tuple[tuple[str, frozenset[str]], ...] = ()

    def holds(self, facts: Facts) -> bool:
        """Whether it is true of a part with these facts."""
        known = dict(facts)
        return all(known[attribute] & values for attribute, values in self.needs)


def truth(scene: Scene) -> dict[str, float]:
    """Every phrase that is true of a scene, with the value 1.0.

    Things of which less than half is to be seen do not count. A background has each of its
    colours. Nothing is said of the colours of a pictograph.
    """
    parts = [("thing", facts(t)) for t in counted(scene)]
    parts += scene_facts(scene)
    return {phrase: 1.0 for part, known in parts for phrase in _said_of(part, known)}


def counted(scene: Scene) -> list[Thing]:
    """The things of which at least half is to be seen."""
    return [t for t, v in zip(scene.things, visible(scene), strict=True) if v >= LEAST_VISIBLE]


def phrases() -> list[Phrase]:
    """The whole vocabulary, in a fixed order.

    Names of pictographs are in it only where their package is installed.
    """
    return list(vocabulary().values())


def find(phrase: str) -> Phrase:
    """The phrase of these words.

    Raises:
        ToolError: There is none; the message names the nearest.
    """
    known = vocabulary()
    if phrase not in known:
        raise ToolError(f"Scenes have no phrase '{phrase}'. {nearest(phrase, known)}")
    return known[phrase]


@cache
def vocabulary() -> Mapping[str, Phrase]:
    """Phrases by their words."""
    return {p.phrase: p for p in (*_of_things(), *_of_counts(), *_of_backgrounds(), *_of_texts())}


@lru_cache(maxsize=4096)
def facts(thing: Thing) -> Facts:
    """A thing's attributes in words; one that has no word has no value."""
    return (
        ("shape", _one(thing.shape)),
        ("colour", _one(thing.colour)),
        ("texture", _one(thing.texture)),
        ("size", _one(size_word(thing.size))),
        ("position", frozenset((cell(thing.x, thing.y),))),
    )


def cell(x: float, y: float) -> str:
    """The thirds of the picture in which a point lies, as in ``low middle``; ``-`` in between."""
    return f"{third(x) or '-'} {third(y) or '-'}"


def scene_facts(scene: Scene) -> list[tuple[Part, Facts]]:
    """The facts of the parts other than things."""
    parts: list[tuple[Part, Facts]] = [
        ("background", background_facts(scene.background)),
        ("count", count_facts(len(counted(scene)))),
    ]
    if scene.text is not None:
        parts.append(("text", text_facts(scene.text.colour)))
    return parts


def background_facts(background: Background) -> Facts:
    """Its kind and its colours."""
    return (("kind", _one(background.kind)), ("colour", frozenset(background.colours)))


def count_facts(count: int) -> Facts:
    """How many things there are."""
    return (("count", _one(str(count))),)


def text_facts(colour: str) -> Facts:
    """The colour of a text."""
    return (("colour", _one(colour)),)


def places() -> dict[str, frozenset[str]]:
    """Words for places, each with the cells (as `cell` names them) that it means."""
    meant: dict[str, frozenset[str]] = {"centre": frozenset(("middle middle",))}
    for place, (axis, word) in _PLACES.items():
        other = ("low", "middle", "high", "-")
        meant[place] = frozenset(f"{o} {word}" if axis else f"{word} {o}" for o in other)
    return meant


def true_of(part: Part, known: Facts) -> NDArray[np.bool_]:
    """Which phrases are true of one part of a scene, bool [phrases], in the order of `phrases`."""
    row = _about(part)
    for attribute, values in known:
        row = row & _allowed(attribute, values)
    return row


@cache
def _about(part: Part) -> NDArray[np.bool_]:
    """Which phrases speak of a part."""
    return np.array([p.part == part for p in phrases()])


@lru_cache(maxsize=4096)
def _allowed(attribute: str, values: frozenset[str]) -> NDArray[np.bool_]:
    """Which phrases need no other value of an attribute."""
    return np.array([all(a != attribute or values & v for a, v in p.needs) for p in phrases()])


@lru_cache(maxsize=4096)
def _said_of(part: Part, known: Facts) -> tuple[str, ...]:
    """The same in words."""
    names = tuple(vocabulary())
    return tuple(names[n] for n in np.flatnonzero(true_of(part, known)))


def _one(value: str | None) -> frozenset[str]:
    return frozenset(()) if value is None else frozenset((value,))


def _of_things() -> Iterator[Phrase]:
    def phrase(words: str, **needs: Collection[str]) -> Phrase:
        return Phrase(
            words, "+".join(needs), "thing", tuple((a, frozenset(v)) for a, v in needs.items())
        )

    names = pictographs.vocabulary()
    textures = _by_word(TEXTURES)
    yield phrase("geometric shape", shape=SHAPES)
    if names:
        yield phrase("pictograph", shape=tuple(names))
    for category in dict.fromkeys(names.values()):
        yield phrase(category, shape=[n for n, c in names.items() if c == category])
    for shape in (*SHAPES, *names):
        yield phrase(shape, shape=[shape])
    for colour in COLOURS:
        yield phrase(f"{colour} object", colour=[colour])
        for shape in SHAPES:
            yield phrase(f"{colour} {shape}", colour=[colour], shape=[shape])
    for word, kinds in textures.items():
        yield phrase(f"{word} object", texture=kinds)
        for shape in SHAPES:
            yield phrase(f"{word} {shape}", texture=kinds, shape=[shape])
        for colour in COLOURS:
            yield phrase(f"{word} {colour} object", texture=kinds, colour=[colour])
    for size in SIZES:
        yield phrase(f"{size} object", size=[size])
    for place, cells in places().items():
        yield phrase(f"object {'in' if place == 'centre' else 'at'} the {place}", position=cells)


def _of_counts() -> Iterator[Phrase]:
    counts = {"no object": [0], "one object": [1], "two objects": [2]}
    counts["three or more objects"] = list(range(3, 13))
    for words, numbers in counts.items():
        yield Phrase(words, "count", "count", (("count", frozenset(map(str, numbers))),))


def _of_backgrounds() -> Iterator[Phrase]:
    for colour in COLOURS:
        needs = (("colour", _one(colour)),)
        yield Phrase(f"{colour} background", "background", "background", needs)
    for word, kinds in _by_word(GROUNDS).items():
        needs = (("kind", frozenset(kinds)),)
        yield Phrase(f"{word} background", "background", "background", needs)


def _of_texts() -> Iterator[Phrase]:
    yield Phrase("text", "text", "text")
    for colour in COLOURS:
        yield Phrase(f"{colour} text", "text", "text", (("colour", _one(colour)),))


def _by_word(kinds: Sequence[str]) -> dict[str, list[str]]:
    """Textures or kinds of background by the words for them."""
    words: dict[str, list[str]] = {}
    for kind in kinds:
        for word in _TEXTURE_WORDS[kind]:
            words.setdefault(word, []).append(kind)
    return words
