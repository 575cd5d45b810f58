# ruff: noqa: E501 (tables are read by the row)
"""Last steps that can be undone: what was before them is sought instead of the output itself."""

from __future__ import annotations

from collections.abc import Callable

from hubel.agent.planners.strings.constants import ends, shown
from hubel.agent.planners.strings.data import Data
from hubel.agent.planners.strings.terms import ERRORS, Prim, call, prim

Undo = Callable[[str], str]


def _unhalve(t: str) -> str:
    n = len(t) - len(t) // 2
    return t[n:] + t[:n]


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
    (4.5, "refill(x, ''.join(c for c in x if c in 'aeiouAEIOU'), [c for c in x if c in 'aeiouAEIOU'][::-1])",
     "_ with its vowels in reverse order", lambda t: _refill(t)),
)  # fmt: skip


def _refill(t: str) -> str:
    vowels = [c for c in t if c in "aeiouAEIOU"]
    return "".join(vowels.pop() if c in "aeiouAEIOU" else c for c in t)


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


def _with_constants(data: Data) -> list[tuple[Prim, Undo]]:
    out: list[tuple[Prim, Undo]] = []
    outer = ends(data)
    for k in dict.fromkeys([*outer, *shown(data, 3)]):
        n, cost, r = len(k), 1.0 + 0.4 * len(k), repr(k)
        middle = f"x[:len(x) // 2] + {r} + x[len(x) // 2:]"
        out += [
            (prim(cost, f"x + {r}", f"_ followed by {r}"), _cut(0, n)),
            (prim(cost, f"{r} + x", f"_ after {r}"), _cut(n, 0)),
            (prim(cost + 0.5, f"{r} + x + {r}", f"_ between {r} and {r}"), _cut(n, n)),
            (prim(cost + 1.5, middle, f"_ with {r} in the middle"), _cut_middle(n)),
            (prim(cost + 0.5, f"{r}.join(x)", f"the characters of _ joined by {r}"), _every(n + 1)),
            (prim(cost + 0.5, f"{r}.join(x.split())", f"the words of _ joined by {r}"), _split(k)),
        ]
        if k in outer:
            last, first = (
                f"x if x.endswith({r}) else x + {r}",
                f"x if x.startswith({r}) else {r} + x",
            )
            out += [
                (prim(cost + 2, last, f"_ ending with {r}"), _cut(0, n)),
                (prim(cost + 2, first, f"_ starting with {r}"), _cut(n, 0)),
            ]
    return out


def undone(data: Data) -> list[tuple[Prim, Data]]:
    """Last steps that may have made all outputs, each with the examples before it."""
    steps = [(prim(c, s, n), u) for c, s, n, u in _FIXED] + _with_constants(data)
    out = []
    for step, undo in steps:
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
