# ruff: noqa: SIM905, E501 (lists of words are read as text)
"""Inputs to ask: fixed ones that isolate properties, and fresh ones drawn at random."""

from __future__ import annotations

import random
from collections.abc import Container
from itertools import pairwise

#: Each parts some functions that look alike on most words; the first are the most telling.
FIXED: tuple[str, ...] = (
    "hello", "Hello World", "The quick brown fox jumps", "abcdefghijklmnopqrstuvwxyz", "banana", "",
    "a", "racecar", "Mississippi", "a1b2c3", "apple", "What is this?", "AAA", "rhythm", "two words",
    "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "queue", "UPPER lower MiXed", "umbrella", "b", "Z",
    "7", "moon", "one two three four five", "zebra", "Paris", "ab", "don't stop!", "tree", "42",
    "aabbcc", "hello hello world", "McDonald", "cba", "Otto", "x-ray", "yes", "orange juice",
    "New York 2024", "!?.,;", "strengths", "aeiou", "café", "snake_case_name", "Programming", "sky",
    " ", "the cat sat on the mat",
)  # fmt: skip

WORDS: tuple[str, ...] = tuple(
    "able actor adult agent album angle ankle apart arrow attic autumn badge baker basket beach bear "
    "begin bell berry bird blanket bottle bread bridge bright broom brother bubble bucket button cabin "
    "cake camera candle canoe carpet castle chair cheese cherry circle city clever cloud coffee "
    "copper corner cotton cousin crayon crisp curtain daisy dance danger deer desert dinner doctor "
    "dollar donkey door dragon dream drum duck eagle early earth east echo edge eight elbow empty "
    "engine evening exit fabric face fair family fancy farm feather fence ferry field finger fire "
    "fish flag flower foot forest fox frog fruit funny gallery game garden gentle giant glass gold "
    "goose grape grass green guitar hammer happy harbor hat heart heavy hill honey horse house ice "
    "idea igloo inch ink insect island ivory jacket jam jazz jelly jewel journey juice jungle kettle "
    "key kind king kitchen kite knee knife ladder lake lamp leaf lemon letter level light lion little "
    "lunch magic map market meadow melon mirror money monkey moon morning motor mountain mouse music "
    "narrow nature needle nephew nest night noise noon north nose notebook number nurse oak ocean "
    "office oil olive onion open orbit otter oven owl paint paper park pearl pencil people pepper "
    "piano pillow planet pocket potato prize puzzle quack quarter queen quick quiet quilt rabbit radio "
    "rain reed river road robin rocket roof rose ruler saddle salt sand school scissors sea seed "
    "seven shadow sheep ship shoe silver singing sister snow soap sofa song spider spoon spring star "
    "stone street summer sun swing table talked teacher tennis tent tiger tooth tower train travel "
    "turtle uncle under unit upon urban usual valley vase velvet very village violin visit voice "
    "wagon walked wall water wave wheel whisper willow window winter wolf wonder wooden xenon xylophone "
    "yard year yellow yoga young youth zero zigzag zone zoo".split()
)
_LETTERS, _VOWELS = "bcdfghjklmnpqrstvwxyz", "aeiou"


def fresh(rng: random.Random) -> str:
    """One random input: a word, a phrase, a made-up word, with digits, capitals or marks."""
    kind = rng.random()
    if kind < 0.34:
        return _cased(rng.choice(WORDS), rng)
    if kind < 0.62:
        words = [_cased(rng.choice(WORDS), rng) for _ in range(rng.choice((2, 2, 3, 3, 4, 5, 6)))]
        return " ".join(words) + rng.choice(("", "", "", ".", "!", "?"))
    if kind < 0.76:
        return _cased(_made_up(rng), rng)
    if kind < 0.84:
        alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 12)))
    if kind < 0.89:
        return "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 7)))
    if kind < 0.94:
        return "".join(rng.choice("abcABC ") for _ in range(rng.randint(1, 10)))
    if kind < 0.97:
        word = rng.choice(WORDS)[: rng.randint(1, 5)]
        return word + word[::-1][rng.randint(0, 1) :]
    return "".join(rng.choice("ab1!?.,-_ éZ") for _ in range(rng.randint(1, 10)))


def _cased(word: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.62:
        return word
    if kind < 0.84:
        return word.capitalize()
    if kind < 0.93:
        return word.upper()
    return "".join(c.upper() if rng.random() < 0.5 else c for c in word)


def _made_up(rng: random.Random) -> str:
    out = "".join(
        rng.choice(_LETTERS)
        + rng.choice(_VOWELS)
        + (rng.choice(_LETTERS) if rng.random() < 0.3 else "")
        for _ in range(rng.randint(1, 4))
    )
    return out[rng.randint(0, 1) :]


def like(rng: random.Random, few: list[str], n: int, asked: Container[str]) -> list[str]:
    """Fresh inputs that share a half, an end, or the kinds of all their characters with a few."""
    out: dict[str, None] = {}
    for k in range(12 * n):
        x, y = few[k % len(few)], fresh(rng)
        a, b = len(x) // 2, len(y) // 2
        made = (
            "".join(rng.choice(_kin(c)) for c in x),
            y + x[-1:],
            x[:1] + y,
            x[:a] + y[b:],
            y[:b] + x[a:],
        )[k // len(few) % 5]
        if made not in asked and len(made) < 40:
            out[made] = None
    return list(out)[:n]


def _kin(c: str) -> str:
    """The characters of the same kind."""
    kinds = (_LETTERS + _VOWELS, (_LETTERS + _VOWELS).upper(), "0123456789", ".,!?'-")
    return next((kind for kind in kinds if c in kind), c)


def cover(rng: random.Random, n: int, asked: set[str]) -> list[str]:
    """Fresh inputs that begin and end with as many letters, and are of as many lengths, as can be."""
    drawn = [x for x in dict.fromkeys(fresh(rng) for _ in range(12 * n)) if x not in asked]
    seen = {mark for x in asked for mark in _marks(x)}
    out: list[str] = []
    for x in sorted(drawn, key=lambda x: (-len(_marks(x) - seen), len(x))):
        if len(out) < n * 3 // 4 and _marks(x) - seen and len(x) < 40:
            seen |= _marks(x)
            out.append(x)
    rest = [x for x in drawn if x not in out]
    return [*out, *rest[: n - len(out)]]


def _marks(x: str) -> set[tuple[str, object]]:
    return {
        ("first", x[:1].lower()),
        ("last", x[-1:].lower()),
        ("long", len(x)),
        ("words", len(x.split())),
        ("capital first", x[:1].isupper()),
        ("capitals", x.isupper()),
        ("digits", x.isdigit()),
        ("a digit first", x[:1].isdigit() and not x.isdigit()),
        ("a digit", any(c.isdigit() for c in x)),
        ("a mark", any(not c.isalnum() and c != " " for c in x)),
        ("both ways", len(x) > 2 and x == x[::-1]),
        ("doubled", any(a == b for a, b in pairwise(x))),
        ("vowels", sum(c in "aeiouAEIOU" for c in x)),
        ("ends alike", x[:1].lower() == x[-1:].lower()),
    }
