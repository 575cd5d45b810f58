"""Programs that write a number measured on the input: sums, multiples and remainders of counts."""

from __future__ import annotations

import itertools
import math
import string
from functools import cache

from hubel.agent.planners.strings.data import Data, vector
from hubel.agent.planners.strings.numbers import WRITTEN, counts
from hubel.agent.planners.strings.terms import IDENTITY, Prim, Term, call, prim


@cache
def _reading(k: int) -> dict[str, int]:
    """The number behind each string of one way of writing."""
    write = prim(*WRITTEN[k]).function
    out: dict[str, int] = {}
    for n in range(-20, 400):
        out.setdefault(str(call(write, n)), n)
    return out


@cache
def letter_counts() -> tuple[Prim, ...]:
    """How often each letter occurs in the input, and where first."""
    out = []
    for c in string.ascii_letters:
        e = 0.0 if c in "aeiostnrl" else 0.4
        out.append(prim(3.5 + e, f"x.count({c!r})", f"how often {c!r} occurs in _"))
        out.append(
            prim(
                3.5 + e, f"x.find({c!r})", f"the place of the first {c!r} in _, from 0 (-1 if none)"
            )
        )
    return tuple(out)


def countings(data: Data) -> list[Term]:
    """Numbers measured on the input, in any way of writing, that meet all examples."""
    out = []
    wanted = [t for t in data.targets if t is not None]
    if len(set(wanted)) < 3:
        return []
    for k, row in enumerate(WRITTEN):
        read = _reading(k)
        if k == 0 and all(t.removeprefix("-").isdecimal() and len(t) < 12 for t in wanted):
            numbers = {t: int(t) for t in wanted}
        elif all(t in read for t in wanted):
            numbers = read
        else:
            continue
        goal = tuple(None if t is None else numbers[t] for t in data.targets)
        out += [t.then(prim(*row)) for t in _numbers(data, goal)]
    return sorted((t for t in out if data.fits(t)), key=lambda t: t.order)[:12]


def _numbers(data: Data, goal: tuple[int | None, ...]) -> list[Term]:
    """Terms whose values are the numbers wanted."""
    at = [i for i, g in enumerate(goal) if g is not None]
    want = [int(goal[i] or 0) for i in at]
    measured: list[tuple[Prim, list[int]]] = []
    for step in (*counts(), *letter_counts()):
        values = vector(step, (data.inputs[i] for i in at))
        if all(isinstance(v, int) for v in values):
            measured.append((step, [int(v) for v in values]))
    out = []
    for step, v in measured:
        out += [IDENTITY.then(step).then(p) for p in _of_one(v, want)]
    by_value = {tuple(v): s for s, v in reversed(measured)}
    for step, v in measured:
        for sign, other in (
            ("+", [w - a for w, a in zip(want, v, strict=True)]),
            ("-", [a - w for w, a in zip(want, v, strict=True)]),
            (
                "*",
                [
                    w // a if a and w % a == 0 else (-1 if w else 0)
                    for w, a in zip(want, v, strict=True)
                ],
            ),
        ):
            match = by_value.get(tuple(other))
            if match is not None:
                names = {"+": "plus", "-": "minus", "*": "times"}
                source = f"({step.source}) {sign} ({match.source})"
                noun = f"{step.noun} {names[sign]} {match.noun}"
                out.append(Term(source, noun, step.cost + match.cost + 1.5))
    return out


def _affine(a: int, b: int) -> Prim:
    if (a, b) == (1, 0):
        return prim(0.0, "x", "_")
    source = "x" if a == 1 else f"{a} * x"
    noun = "_" if a == 1 else f"{a} times _"
    if b:
        source += f" + {b}" if b > 0 else f" - {-b}"
        noun += f" plus {b}" if b > 0 else f" minus {-b}"
    return prim(0.8 + 0.2 * abs(a - 1) + 0.1 * abs(b), source, noun)


def _moduli(v: list[int], want: list[int]) -> list[int]:
    """The greatest number by which the remainders of ``v`` can be those wanted, if there is one."""
    common = math.gcd(*(n - w for n, w in zip(v, want, strict=True)))
    return [common] if common > max(want) and min(want) >= 0 else []


def _of_one(v: list[int], want: list[int]) -> list[Prim]:
    """Steps that take the numbers ``v`` to those wanted: multiples, remainders, powers."""
    out = []
    for n, m in itertools.pairwise(v):
        if n != m:
            rise = want[v.index(m)] - want[v.index(n)]
            if rise % (m - n) == 0:
                times = rise // (m - n)
                out.append(_affine(times, want[v.index(n)] - times * n))
            break
    out += [
        prim(1.5 + 0.1 * min(m, 20), f"x % {m}", f"the remainder of _ by {m}")
        for m in _moduli(v, want)
    ]
    out += [prim(1.5 + 0.1 * m, f"x // {m}", f"_ divided by {m}, rounded down") for m in (2, 3, 10)]
    out += [
        prim(1.5, "x * x", "the square of _"),
        prim(2.5, "x ** 3", "the cube of _"),
        prim(2.5, "2 ** x", "2 to the _"),
    ]
    small = abs(max(v, key=abs)) < 10_000
    able = [p for p in out if small and (p.source != "2 ** x" or max(v) < 64)]
    return [p for p in able if [call(p.function, n) for n in v] == want]
