# ruff: noqa: E501 (tables are read by the row)
"""Last steps that can be undone: what was before them is sought instead of the output itself."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

from hubel.agent.planners.strings.constants import ends, shown
from hubel.agent.planners.strings.data import Data
from hubel.agent.planners.strings.helpers import mirror, next_in, shift
from hubel.agent.planners.strings.steps import CLASSES
from hubel.agent.planners.strings.terms import (
    ERRORS,
    Prim,
    call,
    compiled,
    prim,
    quoted,
    substitute,
)

Undo = Callable[[str], str]


def _unhalve(t: str) -> str:
    n = len(t) - len(t) // 2
    return t[n:] + t[:n]


def _unriffle(t: str) -> str:
    n = (len(t) + 1) // 2
    return "".join(t[i // 2 + (n if i % 2 else 0)] for i in range(len(t)))


_FIXED: tuple[tuple[float, str, str, Undo], ...] = (
    (1.0, "x[::-1]", "_ reversed", lambda t: t[::-1]),
    (1.5, "x.swapcase()", "_ with upper and lower case swapped", lambda t: t.swapcase()),
    (1.5, "x + x", "_ twice", lambda t: t[: len(t) // 2]),
    (2.0, "x + x[::-1]", "_ followed by its reverse", lambda t: t[: len(t) // 2]),
    (2.5, "x[::-1] + x", "the reverse of _, then _", lambda t: t[len(t) // 2 :]),
    (2.0, "''.join(c * 2 for c in x)", "_ with each character twice", lambda t: t[::2]),
    (2.5, "x[1:] + x[:1]", "_ rotated left by one", lambda t: t[-1:] + t[:-1]),
    (2.5, "x[-1:] + x[:-1]", "_ rotated right by one", lambda t: t[1:] + t[:1]),
    (2.5, "x[len(x) // 2:] + x[:len(x) // 2]", "_ with its halves swapped", _unhalve),
    (3.0, "x[-1:] + x[1:-1] + x[0] if len(x) > 1 else x", "_ with its first and last characters swapped",
     lambda t: t[-1:] + t[1:-1] + t[0] if len(t) > 1 else t),
    (3.5, "x[:len(x) // 2][::-1] + x[len(x) // 2:]", "_ with its first half reversed",
     lambda t: t[: len(t) // 2][::-1] + t[len(t) // 2 :]),
    (3.5, "x[:len(x) // 2] + x[len(x) // 2:][::-1]", "_ with its second half reversed",
     lambda t: t[: len(t) // 2] + t[len(t) // 2 :][::-1]),
    (1.5, "' '.join(x.split()[::-1])", "_ with its words in reverse order", lambda t: " ".join(t.split()[::-1])),
    (2.5, "' '.join(w[::-1] for w in x.split())", "the words of _, each reversed",
     lambda t: " ".join(w[::-1] for w in t.split())),
    (2.5, "x + x[:1]", "_ with its first character repeated at the end", lambda t: t[:-1]),
    (3.0, "''.join(x[i:i + 2][::-1] for i in range(0, len(x), 2))", "_ with neighbours swapped",
     lambda t: "".join(t[i : i + 2][::-1] for i in range(0, len(t), 2))),
    (2.5, "x + x[-2::-1]", "_ mirrored at its last character", lambda t: t[: (len(t) + 1) // 2]),
    (3.0, "x[::2] + x[1::2]", "the even-placed, then the odd-placed characters of _", _unriffle),
    (2.2, "x * 3", "_ repeated 3 times", lambda t: t[: len(t) // 3]),
    (2.5, "' '.join([x] * 2)", "_ twice with a space", lambda t: t[: len(t) // 2]),
    (2.4, "x[2:] + x[:2]", "_ rotated left by 2", lambda t: t[-2:] + t[:-2]),
    (2.4, "x[-2:] + x[:-2]", "_ rotated right by 2", lambda t: t[2:] + t[:2]),
    (2.6, "x[3:] + x[:3]", "_ rotated left by 3", lambda t: t[-3:] + t[:-3]),
    (2.6, "x[-3:] + x[:-3]", "_ rotated right by 3", lambda t: t[3:] + t[:3]),
    (2.8, "x[4:] + x[:4]", "_ rotated left by 4", lambda t: t[-4:] + t[:-4]),
    (3.0, "''.join(c * 3 for c in x)", "_ with each character 3 times", lambda t: t[::3]),
    (2.5, "x[:1] + x", "_ with its first character doubled", lambda t: t[1:]),
    (2.5, "x + x[-1:]", "_ with its last character doubled", lambda t: t[:-1]),
    (2.5, "x + str(len(x))", "_ followed by its length", lambda t: t[: _before_length(t)]),
    (3.0, "str(len(x)) + x", "the length of _, then _", lambda t: t[len(t) - _before_length(t) :]),
    (3.0, "mirror(x)", "_ with the alphabet turned round (atbash)", mirror),
    (3.5, "next_in(x, 'aeiou', 1)", "_ with each vowel replaced by the next vowel",
     lambda t: next_in(t, "aeiou", -1)),
    (4.0, "next_in(x, '0123456789', 1)", "_ with each digit raised by one",
     lambda t: next_in(t, "0123456789", -1)),
    *((3.0, f"{k!r}.join(x)", f"the characters of _ joined by {quoted(k)}", lambda t: t[::2]) for k in " -.,_"),
    (4.5, "refill(x, ''.join(c for c in x if c in 'aeiouAEIOU'), [c for c in x if c in 'aeiouAEIOU'][::-1])",
     "_ with its vowels in reverse order", lambda t: _refill(t)),
    (3.5, "''.join(r[0] + str(len(r)) for r in runs(x))", "the runs of _, each as a character and its length",
     lambda t: "".join(c * int(n) for c, n in re.findall(r"(\D)(\d{1,3})", t))),
)  # fmt: skip

#: Ways to write a character as a number, and what the character was.
_CODES: tuple[tuple[float, str, str, Undo], ...] = (
    (3.0, "str(ord(c))", "the character codes", lambda w: chr(int(w))),
    (3.5, "format(ord(c), 'x')", "the character codes in hexadecimal", lambda w: chr(int(w, 16))),
    (3.5, "format(ord(c), 'b')", "the character codes in binary", lambda w: chr(int(w, 2))),
    (4.0, "format(ord(c), '08b')", "the character codes in binary, 8 digits each", lambda w: chr(int(w, 2))),
    (3.0, "str(rank(c))", "the places in the alphabet", lambda w: chr(96 + int(w)) if w != "0" else " "),
)  # fmt: skip


def _refill(t: str) -> str:
    vowels = [c for c in t if c in "aeiouAEIOU"]
    return "".join(vowels.pop() if c in "aeiouAEIOU" else c for c in t)


def _before_length(t: str) -> int:
    """How long a string was before its length was written to it."""
    return next(n for n in range(len(t)) if n + len(str(n)) == len(t))


def _decoded(k: str, undo: Undo) -> Undo:
    """Reads the characters that were written as numbers, with a constant between them."""
    return lambda t: "".join(map(undo, t.split(k))) if t else ""


def _undouble(test: str) -> Undo:
    """Takes the second of each two equal characters away for which a test holds."""
    holds = compiled(f"[c for c in x if {test}]")

    def undo(t: str) -> str:
        out, i = "", 0
        while i < len(t):
            out += t[i]
            i += 2 if holds(t[i]) and t[i + 1 : i + 2] == t[i] else 1
        return out

    return undo


def _unshift(k: int) -> Undo:
    """Moves the letters back."""
    return lambda t: shift(t, -k)


@cache
def _always() -> tuple[tuple[Prim, Undo], ...]:
    """Undoings that need no constant of the data."""
    rows = [(prim(c, s, n), u) for c, s, n, u in _FIXED]
    for name in ("vowels", "consonants", "letters", "digits", "capitals", "small letters"):
        source = f"''.join(c * 2 if {CLASSES[name]} else c for c in x)"
        rows.append((prim(3.5, source, f"_ with its {name} doubled"), _undouble(CLASSES[name])))
    rows += [
        (
            prim(c, f"{k!r}.join({s} for c in x)", f"{n} of _, joined by {quoted(k)}"),
            _decoded(k, u),
        )
        for c, s, n, u in _CODES
        for k in " -,"
    ]
    rows += [
        (
            prim(3.0 + 0.15 * abs(k), f"shift(x, {k})", f"_ with each letter moved by {k:+d}"),
            _unshift(k),
        )
        for k in range(-12, 14)
        if k
    ]
    return tuple(rows)


def _cut(head: int, tail: int) -> Undo:
    """Takes so much away at the ends."""
    return lambda t: t[head : len(t) - tail]


def _cut_middle(n: int) -> Undo:
    """Takes so much away in the middle."""
    return lambda t: t[: (len(t) - n) // 2] + t[(len(t) - n) // 2 + n :]


def _every(n: int) -> Undo:
    """Keeps every n-th character."""
    return lambda t: t[::n]


def _split(k: str) -> Undo:
    """Cuts at a constant."""
    return lambda t: " ".join(t.split(k))


def _spaced(k: str) -> Undo:
    """Puts spaces in place of a constant."""
    return lambda t: t.replace(k, " ")


def _with_constants(data: Data) -> list[tuple[Prim, Undo]]:
    out: list[tuple[Prim, Undo]] = []
    outer = ends(data)
    for k in dict.fromkeys([*outer, *shown(data, 3)]):
        n, cost, r, said = len(k), 1.0 + 0.4 * len(k), repr(k), quoted(k)
        middle = f"x[:len(x) // 2] + {r} + x[len(x) // 2:]"
        out += [
            (prim(cost, f"x + {r}", f"_ followed by {said}"), _cut(0, n)),
            (prim(cost, f"{r} + x", f"_ after {said}"), _cut(n, 0)),
            (prim(cost + 0.5, f"{r} + x + {r}", f"_ between {said} and {said}"), _cut(n, n)),
            (prim(cost + 1.0, f"x.replace(' ', {r})", f"_ with {said} for spaces"), _spaced(k)),
            (prim(cost + 1.5, middle, f"_ with {said} in the middle"), _cut_middle(n)),
            (
                prim(cost + 0.5, f"{r}.join(x)", f"the characters of _ joined by {said}"),
                _every(n + 1),
            ),
            (
                prim(cost + 0.5, f"{r}.join(x.split())", f"the words of _ joined by {said}"),
                _split(k),
            ),
        ]
        if k in outer:
            last, first = (
                f"x if x.endswith({r}) else x + {r}",
                f"x if x.startswith({r}) else {r} + x",
            )
            out += [
                (prim(cost + 2, last, f"_ ending with {said}"), _cut(0, n)),
                (prim(cost + 2, first, f"_ starting with {said}"), _cut(n, 0)),
            ]
    return out


#: Two last steps are undone together if this cheap, and so many goals are sought.
_BOTH, _GOALS = 5.2, 160


def undone(data: Data) -> list[tuple[Prim, Data]]:
    """Last steps, and cheap pairs of them, that may have made all outputs.

    Returns:
        Each with the examples before it, the cheapest first; of equal examples the cheapest.
    """
    once = _undone_once(data, math.inf)
    found = {data.targets: (prim(0.0, "x", "_"), data)}
    rows = list(once)
    for last, before in once:
        if last.cost < _BOTH - 1:
            for step, first in _undone_once(before, _BOTH - last.cost):
                source = substitute(last.source, step.source)
                rows.append(
                    (
                        prim(last.cost + step.cost, source, last.noun.replace("_", step.noun)),
                        first,
                    )
                )
    for step, before in sorted(rows, key=lambda r: (r[0].cost, r[0].source)):
        found.setdefault(before.targets, (step, before))
    return list(found.values())[1 : _GOALS + 1]


def _undone_once(data: Data, most: float) -> list[tuple[Prim, Data]]:
    out = []
    for step, undo in (*_always(), *_with_constants(data)):
        if step.cost > most:
            continue
        before: list[str | None] = []
        for t in data.targets:
            try:
                b = None if t is None else undo(t)
            except ERRORS:
                break
            if b is not None and call(step.function, b) != t:
                break
            before.append(b)
        else:
            out.append((step, Data(data.inputs, tuple(before))))
    return out
