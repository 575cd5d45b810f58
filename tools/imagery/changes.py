"""Single changes of a scene that may make a phrase true or false, the smallest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hubel.tools.imagery import pictographs
from hubel.tools.imagery.choice import anything, backgrounds, draw_size, draw_text, draw_thing
from hubel.tools.imagery.graph import (
    COLOURS,
    SHAPES,
    SIZES,
    TEXTURES,
    Background,
    Colour,
    Scene,
    Thing,
)
from hubel.tools.imagery.layout import fits, free
from hubel.tools.imagery.truth import (
    CELLS,
    Phrase,
    background_facts,
    count_facts,
    counted,
    facts,
    text_facts,
)

#: Factors of a thing, the one that a compound phrase is broken by first in front.
FACTORS = ("colour", "texture", "size", "position", "shape", "rotation")


def candidates(
    scene: Scene, phrase: Phrase, wanted: bool, rng: np.random.Generator
) -> Iterator[Scene]:
    """Scenes with one change after which the phrase may be as wanted.

    Whether it is, and whether nothing else changed, is for the caller to check.
    """
    if phrase.part == "background":
        yield from _backgrounds(scene, phrase, wanted, rng)
    elif phrase.part == "text":
        yield from _texts(scene, phrase, wanted, rng)
    elif phrase.part == "count":
        if phrase.holds(count_facts(len(counted(scene)) - 1)) == wanted:
            yield from (removed(scene, int(n)) for n in rng.permutation(len(scene.things)))
        yield from _added(scene, None, rng)
    elif wanted:
        for number in rng.permutation(len(scene.things)):
            known = dict(facts(scene.things[number]))
            unmet = [(a, values) for a, values in phrase.needs if not known[a] & values]
            if len(unmet) == 1:
                yield from _altered(scene, int(number), *unmet[0], rng)
        yield from _added(scene, phrase, rng)
    else:
        yield from _broken(scene, phrase, rng)


def replaced(scene: Scene, number: int, thing: Thing) -> Scene:
    """The scene with another thing in the place of one."""
    return replace(scene, things=(*scene.things[:number], thing, *scene.things[number + 1 :]))


def removed(scene: Scene, number: int) -> Scene:
    """The scene without one of its things."""
    return replace(scene, things=scene.things[:number] + scene.things[number + 1 :])


def moved(scene: Scene, number: int, cells: frozenset[str]) -> Scene | None:
    """The scene with a thing moved no further than needed to some thirds of the picture.

    None if there is no room.
    """
    thing = scene.things[number]
    others = removed(scene, number).things
    room = free(thing.size / 2, cells, others, scene.text, scene.size)
    if not len(room):
        return None
    x, y = room[np.hypot(room[:, 0] - thing.x, room[:, 1] - thing.y).argmin()]
    return replaced(scene, number, replace(thing, x=float(x), y=float(y)))


def _broken(scene: Scene, phrase: Phrase, rng: np.random.Generator) -> Iterator[Scene]:
    """One factor changed of a thing that makes the phrase true; then, that thing removed."""
    needs = dict(phrase.needs)
    holders = [n for n, thing in enumerate(scene.things) if phrase.holds(facts(thing))]
    for attribute in (f for f in FACTORS if f in needs):
        for number in holders:
            others = _values(attribute) - needs[attribute]
            yield from _altered(scene, number, attribute, others, rng)
    yield from (removed(scene, number) for number in holders)


def _altered(
    scene: Scene, number: int, attribute: str, values: frozenset[str], rng: np.random.Generator
) -> Iterator[Scene]:
    """One factor of a thing changed to one of the values, in random order."""
    thing = scene.things[number]
    if attribute == "position":
        nearest = moved(scene, number, values)
        yield from [] if nearest is None else [nearest]
        return
    ordered = sorted(values)
    for value in (ordered[n] for n in rng.permutation(len(ordered))):
        if attribute == "size":
            for size in (draw_size(rng, value), SIZES[value][0]):
                resized = replace(thing, size=size)
                if fits(resized, removed(scene, number).things, scene.text, scene.size):
                    yield replaced(scene, number, resized)
        elif attribute == "shape":
            # A pictograph has no colour or texture of its own: the other kind of shape would
            # change these too.
            if (value in SHAPES) == (thing.shape in SHAPES):
                yield replaced(scene, number, replace(thing, shape=value))
        elif thing.colour is not None and value not in scene.background.colours:
            yield replaced(scene, number, replace(thing, **{attribute: value}))


def _added(scene: Scene, phrase: Phrase | None, rng: np.random.Generator) -> Iterator[Scene]:
    """One more thing, of which the phrase is true."""
    choice = anything().seen_on(scene.background)
    if phrase is not None:
        choice = choice.having(phrase)
    if not choice:
        return
    words = sorted(choice.sizes)
    tried = [draw_size(rng, words[n]) for n in rng.permutation(len(words))]
    tried += sorted(SIZES[word][0] for word in words)
    for diameter in tried:
        thing = draw_thing(rng, choice, diameter, scene)
        if thing is not None:
            yield replace(scene, things=(*scene.things, thing))


def _backgrounds(
    scene: Scene, phrase: Phrase, wanted: bool, rng: np.random.Generator
) -> Iterator[Scene]:
    """Another background, as near as can be, that hides nothing."""
    old = scene.background
    used = {thing.colour for thing in scene.things} | {scene.text.colour if scene.text else None}

    def changed(new: Background) -> int:
        return (new.kind != old.kind) + (new.colour != old.colour) + (new.second != old.second)

    every, _ = backgrounds()
    suited = [
        b
        for b in (every[n] for n in rng.permutation(len(every)))
        if phrase.holds(background_facts(b)) == wanted and not (b.colours - old.colours) & used
    ]
    yield from (replace(scene, background=b) for b in sorted(suited, key=changed))


def _texts(scene: Scene, phrase: Phrase, wanted: bool, rng: np.random.Generator) -> Iterator[Scene]:
    """The text in another colour, or a text, or none."""
    inks: list[Colour] = [
        ink
        for ink in COLOURS
        if ink not in scene.background.colours and phrase.holds(text_facts(ink)) == wanted
    ]
    if scene.text is not None:
        for number in rng.permutation(len(inks)):
            yield replace(scene, text=replace(scene.text, colour=inks[number]))
        yield replace(scene, text=None)
        return
    for position in ("top", "bottom", "centre") if inks else ():
        written = replace(scene, text=replace(draw_text(rng, inks), position=position))
        if all(fits(thing, (), written.text, scene.size) for thing in scene.things):
            yield written


def _values(attribute: str) -> frozenset[str]:
    every = {
        "colour": COLOURS,
        "texture": TEXTURES,
        "size": SIZES,
        "position": CELLS,
        "shape": (*SHAPES, *pictographs.vocabulary()),
    }
    return frozenset(every[attribute])
