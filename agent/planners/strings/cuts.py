"""Programs that cut the input in two, change either part, and join them again."""

from __future__ import annotations

from functools import cache

from hubel.agent.planners.strings.constants import common_start
from hubel.agent.planners.strings.data import Data, Vector, vector
from hubel.agent.planners.strings.steps import CLASSES
from hubel.agent.planners.strings.terms import (
    IDENTITY,
    Prim,
    Term,
    call,
    constant,
    joined,
    prim,
    quoted,
)

#: Where a string may be cut, as an index: cost, source, words for what is before it and after.
_INDICES: tuple[tuple[float, str, str], ...] = (
    *((1.0 + 0.2 * n, str(n), f"its first {n}") for n in range(1, 6)),
    *((1.2 + 0.2 * n, f"max(len(x) - {n}, 0)", f"all but its last {n}") for n in range(1, 6)),
    (1.5, "len(x) // 2", "its first half"),
    (1.8, "(len(x) + 1) // 2", "its first half with the middle"),
    (2.5, "len(x) // 3", "its first third"),
)
#: What may be done with a part: cost, source, noun.
_CHANGES: tuple[tuple[float, str, str], ...] = (
    (0.0, "x", "_"),
    (1.0, "x[::-1]", "_ reversed"),
    (1.0, "x.upper()", "_ in upper case"),
    (1.0, "x.lower()", "_ in lower case"),
    (1.5, "x.swapcase()", "_ with upper and lower case swapped"),
    (1.5, "x.capitalize()", "_ capitalised"),
    (1.5, "x + x", "_ twice"),
    (1.5, "''.join(c * 2 for c in x)", "_ with each character twice"),
    (1.5, "str(len(x))", "the length of _"),
    (1.5, "x.replace(' ', '')", "_ without spaces"),
    (2.0, "''.join(sorted(x))", "the characters of _, sorted"),
    (2.0, "x[:1]", "the first character of _"),
    (2.0, "x[-1:]", "the last character of _"),
    (2.0, "x[1:]", "_ without its first character"),
    (2.0, "x[:-1]", "_ without its last character"),
    (2.0, "x.strip()", "_ without outer spaces"),
    (2.0, "''.join(dict.fromkeys(x))", "_ without later repetitions of a character"),
    (2.0, "''.join(c for c in x if c not in 'aeiouAEIOU')", "_ without its vowels"),
    (2.0, "mirror(x)", "_ with the alphabet turned round"),
    (2.0, "x.title()", "_ in title case"),
    *((2.0, f"shift(x, {k})", f"_ with each letter moved by {k:+d}") for k in (1, -1, 13)),
    *((2.5, f"{k!r} * len(x)", f"{k!r} for each character of _") for k in "*#-.x"),
)


@cache
def _cuts() -> tuple[tuple[Prim, Prim], ...]:
    """What is before a place and what is after it, the likeliest places first."""
    rows = list(_INDICES)
    marks = [(1.5, f"c == {c!r}", quoted(c)) for c in " aeiostrnlbcdfghjkmpquvwxyz-.,'"]
    marks += [(2.0, test, f"of its {name}") for name, test in list(CLASSES.items())[:8]]
    for cost, test, name in marks:
        for end, how in (("", "before"), (" + 1", "up to")):
            more = cost + 0.3 * bool(end)
            first = f"next((i{end} for i, c in enumerate(x) if {test}), len(x))"
            rows.append((more, first, f"all {how} the first {name}"))
            if test == "c == ' '" or name.startswith("of its"):
                last = f"max((i{end} for i, c in enumerate(x) if {test}), default=len(x))"
                rows.append((more + 0.7, last, f"all {how} the last {name}"))
    return tuple(
        (prim(cost, f"x[:{i}]", f"{name} of _"), prim(0.5, f"x[{i}:]", "the rest of _"))
        for cost, i, name in sorted(rows)
    )


@cache
def _changes() -> tuple[Prim, ...]:
    return tuple(prim(*row) for row in _CHANGES)


def in_two(data: Data) -> list[Term]:
    """Programs ``f(before) + K + g(after)``, or the other way round, that meet all examples."""
    keys = data.keys
    goal = [data.targets[k] or "" for k in keys]
    found: list[Term] = []
    for cut in _cuts():
        sides = [vector(side, (data.inputs[k] for k in keys)) for side in cut]
        if sum(a != "" and b != "" for a, b in zip(*sides, strict=True)) * 2 < len(keys):
            continue
        for order in ((0, 1), (1, 0)):
            values = [sides[i] for i in order]
            for first, k, second in _readings(goal, values):
                parts = [
                    IDENTITY.then(cut[order[0]]).then(first),
                    *([constant(k)] if k else []),
                    IDENTITY.then(cut[order[1]]).then(second),
                ]
                term = joined(parts)
                if data.fits(term):
                    found.append(term)
        if len(found) >= 6:
            break
    return sorted(found, key=lambda t: t.order)


def _readings(goal: list[str], sides: list[Vector]) -> list[tuple[Prim, str, Prim]]:
    """What makes the goal of the first side, a constant, and the other side."""
    out = []
    for first in _changes():
        rest = []
        for t, a in zip(goal, sides[0], strict=True):
            v = call(first.function, a)
            if v is None or not t.startswith(v):
                break
            rest.append(t[len(v) :])
        else:
            for k in dict.fromkeys(("", common_start(rest))):
                left = [r[len(k) :] for r in rest]
                out += [
                    (first, k, second)
                    for second in _changes()
                    if all(
                        call(second.function, b) == r for b, r in zip(sides[1], left, strict=True)
                    )
                ]
    return out
