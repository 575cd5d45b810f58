"""Scenes: pictures drawn from a graph whose truth is known; all about them by one name.

A random scene, and one that has some phrases and lacks others, come from the same construction:
what the phrases leave open is computed, and only that is drawn from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hubel.tools.imagery.choice import (
    Choice,
    anything,
    backgrounds,
    draw_size,
    draw_text,
    draw_thing,
)
from hubel.tools.imagery.graph import COLOURS, SIZES, Background, Colour, Scene, Text, Thing
from hubel.tools.imagery.pairs import with_phrase, without_phrase
from hubel.tools.imagery.render import masks, render
from hubel.tools.imagery.truth import (
    MOST,
    Facts,
    Part,
    Phrase,
    background_facts,
    count_facts,
    find,
    phrases,
    text_facts,
    truth,
)
from hubel.tools.spec import ToolError

__all__ = [
    "Background",
    "Phrase",
    "Scene",
    "Text",
    "Thing",
    "masks",
    "phrases",
    "random_scene",
    "render",
    "scene_having",
    "truth",
    "with_phrase",
    "without_phrase",
]

_COUNT_SHARES = (0.06, 0.28, 0.26, 0.2, 0.12, 0.08)
_SIZE_SHARES = (0.3, 0.4, 0.3)
_CROWDED_SIZE_SHARES = (0.45, 0.45, 0.1)  # of three or more things
_TEXT_SHARE = 0.2
_PLANS = 20  # ways to share phrases among the things that are tried for each number of things
_LAYOUTS = 12  # layouts tried for each


def random_scene(rng: np.random.Generator, size: int = 224) -> Scene:
    """A random scene: 0 to 5 things, about half of them pictographs, sometimes text.

    Without the package of pictographs all things are geometric shapes (`pictographs.installed`
    tells), and the same seed gives another scene.

    Args:
        rng: Source of chance.
        size: Side in pixels.
    """
    return scene_having(rng, size=size)


def scene_having(
    rng: np.random.Generator,
    having: Sequence[str] = (),
    lacking: Sequence[str] = (),
    size: int = 224,
) -> Scene:
    """A random scene of which some phrases are true and others false.

    Args:
        rng: Source of chance.
        having: Phrases that are true; of things, one or several things may fulfil them.
        lacking: Phrases that are false.
        size: Side in pixels.

    Raises:
        ToolError: A phrase is unknown (the nearest are named), or no scene can be so.
    """
    wish = Wish([find(p) for p in having], [find(p) for p in lacking])
    one = anything()
    for phrase in wish.lacking("thing"):
        one = one.lacking(phrase)
    for count in _counts(rng, wish, MOST if one else 0):
        plans = _plans(rng, wish.having("thing"), [one] * count)
        for _, choices in zip(range(_PLANS), plans, strict=False):
            scene = _build(rng, choices, wish, size)
            if scene is not None:
                return scene
    raise ToolError(
        f"No scene was found that has {_listed(having)} and lacks {_listed(lacking)}: phrases may "
        f"contradict each other, a scene has at most {MOST} things, and a thing never has a "
        "colour of its background. Ask for less at once."
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """Phrases that are to be true and phrases that are to be false."""

    wanted: Sequence[Phrase]
    unwanted: Sequence[Phrase]

    def having(self, part: Part) -> list[Phrase]:
        """The wanted phrases about one part of a scene."""
        return [p for p in self.wanted if p.part == part]

    def lacking(self, part: Part) -> list[Phrase]:
        """The unwanted phrases about one part of a scene."""
        return [p for p in self.unwanted if p.part == part]

    def allows(self, part: Part, facts: Facts) -> bool:
        """Whether a part with these facts is as wished."""
        have, lack = self.having(part), self.lacking(part)
        return all(p.holds(facts) for p in have) and not any(p.holds(facts) for p in lack)


def _build(
    rng: np.random.Generator, choices: Sequence[Choice], wish: Wish, size: int
) -> Scene | None:
    """A scene with one thing of each choice; None if there is none."""
    inks: list[Colour] = [ink for ink in COLOURS if wish.allows("text", text_facts(ink))]
    must_write = bool(wish.having("text"))
    colours = [choice.colours() for choice in choices]
    background = _background(rng, [*colours, frozenset(inks)] if must_write else colours, wish)
    if background is None:
        return None
    inks = [ink for ink in inks if ink not in background.colours]
    choices = [choice.seen_on(background) for choice in choices]
    seed = int(rng.integers(2**32))
    for attempt in range(_LAYOUTS):
        write = must_write or (bool(inks) and rng.random() < _TEXT_SHARE)
        text = draw_text(rng, inks) if write else None
        bare = Scene(background, (), text, size, seed)
        things = _things(rng, choices, bare, tight=attempt >= _LAYOUTS // 2)
        if things is not None:
            return replace(bare, things=things)
    return None


def _background(
    rng: np.random.Generator, colours: Sequence[frozenset[str | None]], wish: Wish
) -> Background | None:
    """A random background that leaves each thing (and the text) one of its colours."""
    every, shares = backgrounds()
    for number in np.argsort(rng.exponential(size=len(every)) / shares):
        candidate = every[int(number)]
        if all(some - candidate.colours for some in colours) and wish.allows(
            "background", background_facts(candidate)
        ):
            return candidate
    return None


def _things(
    rng: np.random.Generator, choices: Sequence[Choice], bare: Scene, tight: bool
) -> tuple[Thing, ...] | None:
    """One thing of each choice, the largest placed first; None if they do not fit.

    `bare` is the scene without things; `tight` makes all of them as small as may be.
    """
    sizes: list[tuple[float, int]] = []
    for number, choice in enumerate(choices):
        shares = np.array(_SIZE_SHARES if len(choices) < 3 else _CROWDED_SIZE_SHARES)
        shares *= [word in choice.sizes for word in SIZES]
        word = [*SIZES][shares.nonzero()[0][0] if tight else rng.choice(3, p=shares / shares.sum())]
        sizes.append((SIZES[word][0] if tight else draw_size(rng, word), number))
    placed: dict[int, Thing] = {}
    for diameter, number in sorted(sizes, reverse=True):
        so_far = replace(bare, things=tuple(placed.values()))
        thing = draw_thing(rng, choices[number], diameter, so_far)
        if thing is None:
            return None
        placed[number] = thing
    return tuple(placed[number] for number in range(len(choices)))


def _plans(
    rng: np.random.Generator, wanted: Sequence[Phrase], choices: list[Choice]
) -> Iterator[list[Choice]]:
    """The ways to let things fulfil the phrases, in random order."""
    if not wanted:
        yield choices
        return
    for number in rng.permutation(len(choices)):
        narrowed = choices[number].having(wanted[0])
        if narrowed:
            changed = [*choices[:number], narrowed, *choices[number + 1 :]]
            yield from _plans(rng, wanted[1:], changed)


def _counts(rng: np.random.Generator, wish: Wish, most: int) -> list[int]:
    """The numbers of things that the phrases allow, in random order."""
    allowed = [n for n in range(most + 1) if wish.allows("count", count_facts(n))]
    shares = np.array([_COUNT_SHARES[n] for n in allowed])
    if not allowed:
        return []
    order = rng.choice(allowed, len(allowed), replace=False, p=shares / shares.sum())
    return [int(n) for n in order]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names) or "nothing"
