# ruff: noqa: E501, SIM905 (lists of words are read as text)
"""The distribution of held-out strings: words, phrases, digits, mixed case, marks, empty, accents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_WORDS = (
    "absent acorn album alley amber apron arena ask atlas bacon bank barrel bench bike blink board boot "
    "bowl brick buffalo bus cactus canal cedar chalk chess clay clerk clock coach comet coral crane crowd "
    "deep deny depot ditch dozen dune easel elk ember essay event fable fern fig flute foam fork fuel "
    "gate ghost glue grain gym hall harp hedge helmet hint hood hotel hut idol index ion iris jar jeep "
    "joke jury kiln kiosk knot label lace lava ledge lily lobby loop lunar maple mask meadow mint moss "
    "mural nail neck nickel nod nut oat oboe odd olive onyx opal otter oxen palm parrot pebble pepper "
    "plum poet pool prism pulp quail quartz query quiz raft ramp rebel ridge rust sail satin scarf seed "
    "shelf silk skill sled sloop soot spade speed squid steel stool sugar tango tassel thorn toll topaz "
    "tulip tunnel udder ulcer umber undo urn usher vapor vault vest vine vowel waffle walnut web wharf "
    "wick wool wren yak yam yarn yeast yolk zeal zinc zipper noon radar civic kayak"
).split()
_ACCENTS = "éüñçåøß"


def draw_one(rng: np.random.Generator) -> str:
    """One string."""
    kind = rng.random()
    if kind < 0.38:
        return _cased(str(rng.choice(_WORDS)), rng)
    if kind < 0.68:
        words = [_cased(str(rng.choice(_WORDS)), rng) for _ in range(int(rng.integers(2, 6)))]
        return " ".join(words) + str(rng.choice(["", "", "", ".", "!", "?"]))
    if kind < 0.78:
        return "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), int(rng.integers(1, 10))))
    if kind < 0.86:
        return "".join(rng.choice(list("0123456789"), int(rng.integers(1, 7))))
    if kind < 0.94:
        every = list("abcdeghinorstuABEMTZ0123456789 -_.,!'")
        return "".join(rng.choice(every, int(rng.integers(1, 14)))).strip()
    if kind < 0.985:
        word = str(rng.choice(_WORDS))
        at = int(rng.integers(len(word)))
        return word[:at] + str(rng.choice(list(_ACCENTS))) + word[at + 1 :]
    return ""


def _cased(word: str, rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.6:
        return word
    if kind < 0.82:
        return word.capitalize()
    if kind < 0.92:
        return word.upper()
    return "".join(c.upper() if rng.random() < 0.5 else c for c in word)


def _edited(x: str, rng: np.random.Generator) -> str:
    """The string with one character dropped, changed or added."""
    at, how = int(rng.integers(len(x) + 1)), rng.random()
    new = str(rng.choice(list("aeiostbrmAZ19 !")))
    if how < 0.4:
        return x[:at] + x[at + 1 :]
    return x[:at] + new + x[at + (how < 0.7) :]


def strata(
    inside: Callable[[str], bool] | None,
) -> Callable[[int, np.random.Generator], tuple[list[str], list[str]]]:
    """What draws held-out inputs with their strata.

    Args:
        inside: Whether an input is of the exception; None where there is none. A tenth of the
            inputs are then within it and a tenth one edit off it.
    """

    def draw(n: int, rng: np.random.Generator) -> tuple[list[str], list[str]]:
        if inside is None:
            return [draw_one(rng) for _ in range(n)], ["global"] * n
        out: list[tuple[str, str]] = []
        tries = 0
        while len(out) < n and tries < 400 * n:
            tries += 1
            x = draw_one(rng)
            third = len(out) % 10
            if third == 8 and tries < 200 * n:
                y = _edited(x, rng)
                if inside(x) != inside(y):
                    out.append((y, "border"))
            elif third != 9 or inside(x) or tries > 200 * n:
                out.append((x, "exception" if inside(x) else "global"))
        return [x for x, _ in out], [s for _, s in out]

    return draw
