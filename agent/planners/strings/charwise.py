# ruff: noqa: E501 (tables are read by the row)
"""Programs that treat each character by its kind or place: read off one example, tried on all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache, lru_cache

from hubel.agent.planners.strings.charrules import BECOMES, THREE, WHERE
from hubel.agent.planners.strings.data import Data
from hubel.agent.planners.strings.steps import V
from hubel.agent.planners.strings.terms import ERRORS, SCOPE, Term

Rule = Callable[[str, int, str], str]
Tests = tuple[tuple[str, str], ...]


@lru_cache(maxsize=5_000)
def _rule(source: str) -> Rule:
    rule: Rule = eval(compile(f"lambda c, i, x: {source}", "<rule>", "eval"), dict(SCOPE))  # noqa: S307
    return rule


@lru_cache(maxsize=50_000)
def _at(source: str, x: str) -> tuple[str | bool | None, ...]:
    """What a rule gives at each place; None where it is undefined."""
    rule = _rule(source)
    out: list[str | bool | None] = []
    for i, c in enumerate(x):
        try:
            out.append(rule(c, i, x))
        except ERRORS:
            out.append(None)
    return tuple(out)


@cache
def _partitions() -> tuple[tuple[float, tuple[tuple[str, str], ...]], ...]:
    """Partitions of the places of a string: a cost and the tests, each with its words."""
    words = {s: w for _, s, w in WHERE} | {
        "not c.isalpha()": "that are no letters",
        "c.lower() <= 'm'": "up to m",
    }
    two = [(c, ((s, w),)) for c, s, w in WHERE]
    three = [(4.0, tuple((s, words[s]) for s in pair)) for pair in THREE]
    return ((0.0, ()), *sorted([*two, *three]))


Choice = tuple[float, str, str]
#: Partial readings looked at under one partition.
_STATES = 6000
#: Examples among which one is sought that has characters of two kinds.
_LOOKED = 15


def charwise(data: Data, limit: int = 12, wide: bool = True) -> list[Term]:
    """Programs ``join(G(c) if P(c) else H(c))`` that meet all examples.

    The parts are read off one example: at each place the output must go on with what becomes of
    the character, so that few combinations survive the first places.

    Args:
        data: The examples.
        limit: Programs sought.
        wide: Try rarer tests of characters too.
    """
    order = sorted(data.keys, key=lambda i: (len(data.inputs[i]) < 4, -_variety(data.inputs[i])))
    pairs = [(data.inputs[i], data.targets[i] or "") for i in order]
    if not pairs or any(len(t) > 12 * len(x) + 20 for x, t in pairs):
        return []
    found: list[Term] = []
    for cost, tests in sorted([*_partitions(), *_changed(data)], key=lambda p: p[0]):
        if cost > 2.0 and not wide:
            break
        first = _telling(pairs, tests)
        for choice in itertools.islice(_readings(first, tests), 40) if first else ():
            if all(_apply(x, tests, choice) == t for x, t in pairs):
                term = _term(cost, tests, choice)
                if data.fits(term):
                    found.append(term)
        if len(found) >= limit:
            break
    return sorted(found, key=lambda p: p.order)[:limit]


def _telling(pairs: list[tuple[str, str]], tests: Tests) -> list[tuple[str, str]]:
    """Three examples to read rules off, with characters of two kinds; none if few have such."""
    some = pairs[:3]
    if not tests or len({k for x, _ in some for k in _kinds(tests, x)}) > 1:
        return some
    both = next((p for p in pairs[3:_LOOKED] if len(set(_kinds(tests, p[0]))) > 1), None)
    return [] if both is None else [both, *some[:2]]


def _changed(data: Data) -> list[tuple[float, Tests]]:
    """The places, counted from either end, at which outputs as long as the inputs differ from them."""
    pairs = [(x, t) for x, t in zip(data.inputs, data.targets, strict=True) if t is not None]
    if any(len(x) != len(t) for x, t in pairs):
        return []
    front = {i for x, t in pairs for i in range(len(x)) if x[i] != t[i]}
    back = {len(x) - i for x, t in pairs for i in range(len(x)) if x[i] != t[i]}
    out: list[tuple[float, Tests]] = []
    for places, source in ((front, "i"), (back, "len(x) - i")):
        if 0 < len(places) <= 6:
            first, *more = sorted(places)
            test = f"{source} in {(first, *more)!r}" if more else f"{source} == {first}"
            out.append(
                (2.0 + 0.5 * len(places), ((test, f"at {test.replace('len(x) - i', 'end')}"),))
            )
    return out


def _variety(x: str) -> int:
    kinds = {(c.isupper(), c.islower(), c.isdigit(), c == " ", c in V) for c in x}
    return 3 * len(kinds) + min(len(set(x)), 12) - max(0, len(x) - 30)


@lru_cache(maxsize=20_000)
def _kinds(tests: Tests, x: str) -> tuple[int, ...]:
    columns = [_at(s, x) for s, _ in tests]
    return tuple(
        next((k for k, col in enumerate(columns) if col[i]), len(tests)) for i in range(len(x))
    )


def _readings(pairs: list[tuple[str, str]], tests: Tests) -> Iterator[tuple[Choice, ...]]:
    """All choices of what becomes of each kind of character that take inputs to their outputs."""
    places = [(x, t, i) for x, t in pairs for i in range(len(x))]
    kinds = [k for x, _ in pairs for k in _kinds(tests, x)]
    empty: tuple[Choice | None, ...] = (None,) * (len(tests) + 1)
    stack: list[tuple[int, int, tuple[Choice | None, ...]]] = [(0, 0, empty)]
    for _ in range(_STATES):
        if not stack:
            return
        n, at, chosen = stack.pop()
        while n < len(places):
            x, t, i = places[n]
            choice = chosen[kinds[n]]
            if choice is None:
                for option in _options(x, t, i, at):
                    new = list(chosen)
                    new[kinds[n]] = option
                    stack.append((n, at, tuple(new)))
                break
            piece = _at(choice[1], x)[i]
            if not isinstance(piece, str) or not t.startswith(piece, at):
                break
            n, at = n + 1, at + len(piece)
            if i == len(x) - 1:
                if at != len(t):
                    break
                at = 0
        else:
            yield tuple(c or BECOMES[0] for c in chosen)


def _options(x: str, t: str, i: int, at: int) -> Iterator[Choice]:
    """What character ``i`` may become, the output going on at ``at``; constants are read off."""
    for choice in reversed(BECOMES):
        piece = _at(choice[1], x)[i]
        if isinstance(piece, str) and t.startswith(piece, at):
            yield choice
    c = x[i]
    for n in (1, 2, 3):
        k = t[at : at + n]
        if len(k) == n:
            yield (1.2 + 0.5 * n, repr(k), f"replaced by {k!r}")
        k = t[at + 1 : at + 1 + n]
        if t[at : at + 1] == c and len(k) == n:
            yield (1.7 + 0.5 * n, f"c + {k!r}", f"followed by {k!r}")
        k = t[at : at + n]
        if t[at + n : at + n + 1] == c and len(k) == n:
            yield (1.7 + 0.5 * n, f"{k!r} + c", f"after {k!r}")
            after = t[at + n + 1 : at + 2 * n + 1]
            if len(after) == n:
                yield (2.5 + n, f"{k!r} + c + {after!r}", f"between {k!r} and {after!r}")


def _apply(x: str, tests: Tests, choice: tuple[Choice, ...]) -> str | None:
    columns = [_at(c[1], x) for c in choice]
    pieces = [columns[k][i] for i, k in enumerate(_kinds(tests, x))]
    return "".join(str(p) for p in pieces) if None not in pieces else None


def _term(cost: float, tests: Tests, choice: tuple[Choice, ...]) -> Term:
    source, noun = choice[-1][1], f"the others {choice[-1][2]}"
    for (test, _), (_, becomes, _) in reversed(list(zip(tests, choice, strict=False))):
        source = f"{becomes} if {test} else {source}"
    if tests:
        parts = [f"its characters {w} {c[2]}" for (_, w), c in zip(tests, choice, strict=False)]
        noun = ", ".join([*parts, noun])
    else:
        noun = f"each character {choice[-1][2]}"
    places = "for i, c in enumerate(x)" if "i" in _names(source) else "for c in x"
    total = 1.5 + cost + sum(c[0] for c in choice)
    return Term(f"''.join({source} {places})", f"_ with {noun}", total)


@lru_cache(maxsize=5_000)
def _names(source: str) -> frozenset[str]:
    return frozenset(compile(source, "<rule>", "eval").co_names)
