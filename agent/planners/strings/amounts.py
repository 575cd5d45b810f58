"""How far or where something is done: read off one example, then sought as a measured number."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache

from hubel.agent.planners.strings.countings import letter_counts
from hubel.agent.planners.strings.data import Data
from hubel.agent.planners.strings.numbers import LARGE, counts
from hubel.agent.planners.strings.terms import ERRORS, Prim, Term, call, prim

#: Cost, source and noun of what is done by an amount K.
_DONE: tuple[tuple[float, str, str], ...] = (
    (2.0, "shift(x, K)", "_ with each letter moved on by K"),
    (2.5, "shift(x, -(K))", "_ with each letter moved back by K"),
    (2.0, "x[:K]", "as many first characters of _ as K"),
    (2.0, "x[K:]", "_ without as many first characters as K"),
    (2.5, "x[-(K):]", "as many last characters of _ as K"),
    (2.5, "x[:-(K)]", "_ without as many last characters as K"),
    (2.5, "at(x, K)", "the character of _ at the place (from 0) of K"),
    (3.0, "place(x, K, '')", "_ without the character at the place (from 0) of K"),
    (2.5, "x[K:] + x[:K]", "_ turned to the left by K"),
    (3.0, "x[-(K):] + x[:-(K)]", "_ turned to the right by K"),
    (2.0, "x * (K)", "_ as often as K"),
)
#: What may be added to a number.
_MORE = (0, 1, -1, 2, -2, 3)


@cache
def _done() -> tuple[tuple[float, str, str, Callable[[str, int], str]], ...]:
    out = []
    for cost, source, noun in _DONE:
        function = prim(0.0, f"lambda k: {source.replace('K', 'k')}", "").function
        out.append((cost, source, noun, lambda x, k, f=function: f(x)(k)))
    return tuple(out)


@cache
def _measured() -> tuple[Prim, ...]:
    """Numbers that an amount may be, the likeliest first."""
    out = [c for c in counts() if not c.source.startswith(LARGE)]
    out += letter_counts()
    for i in (*range(10), -1, -2, -3):
        name = f"{i + 1} from the start" if i >= 0 else f"{-i} from the end"
        noun = f"the place in the alphabet of the character {name} of _"
        out.append(prim(3.0 + 0.1 * abs(i), f"rank(at(x, {i}))", noun))
    return tuple(sorted(out, key=lambda p: (p.cost, p.source)))


def amounts(data: Data) -> list[Term]:
    """Programs that do something as far, as often or where a number measured on the input says.

    What is done is tried with all amounts on the most telling examples first; only if each of them
    has an amount is a number sought that is such an amount everywhere.
    """
    pairs = [(x, t) for x, t in zip(data.inputs, data.targets, strict=True) if t is not None]
    keys = data.keys[:4]
    found: list[Term] = []
    for cost, source, noun, function in _done():
        able: list[set[int]] = []
        for k in keys:
            able.append(_amounts(function, data.inputs[k], data.targets[k] or ""))
            if not able[-1]:
                break
        if not able or not able[-1]:
            continue
        for number in _measured():
            values = [call(number.function, data.inputs[k]) for k in keys]
            if None in values:
                continue
            for more in _MORE:
                if all(v + more in a for v, a in zip(values, able, strict=True)):
                    amount = f"{number.source} {more:+d}" if more else number.source
                    said = number.noun.replace("_", "the input") + (f" {more:+d}" if more else "")
                    term = Term(
                        source.replace("K", amount),
                        noun.replace("K", said),
                        cost + number.cost + 0.5 * abs(more),
                    )
                    if all(term.run(x) == t for x, t in pairs):
                        found.append(term)
    return sorted(found, key=lambda t: t.order)[:6]


def _amounts(function: Callable[[str, int], str], x: str, t: str) -> set[int]:
    """The amounts that take an input to its output."""
    out = set()
    for k in range(-2, 60):
        try:
            if function(x, k) == t:
                out.add(k)
        except ERRORS:
            continue
    return out


def swaps(data: Data) -> list[Term]:
    """Programs that exchange the characters at two places, counted from either end."""
    pairs = [(x, t) for x, t in zip(data.inputs, data.targets, strict=True) if t is not None]
    if any(sorted(x) != sorted(t) for x, t in pairs):
        return []
    for x, t in sorted(pairs, key=lambda p: -len(set(p[0]))):
        moved = [i for i in range(len(x)) if x[i] != t[i]]
        if len(moved) == 2:
            places = [
                (str(i), str(i - len(x)), *["len(x) // 2"] * (i == len(x) // 2)) for i in moved
            ]
            terms = [
                Term(
                    f"swap(x, {i}, {j})",
                    f"_ with its characters {i} and {j} (from 0) exchanged",
                    4.0,
                )
                for i, j in itertools.product(*places)
            ]
            return [term for term in terms if data.fits(term)]
    return []
