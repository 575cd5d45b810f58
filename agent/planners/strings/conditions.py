"""Programs with a condition: a test that parts the examples, and a program for either side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from hubel.agent.planners.strings.data import Data, bits, vector
from hubel.agent.planners.strings.numbers import counts, tests, thresholds
from hubel.agent.planners.strings.terms import Prim, Term, call, either, prim
from hubel.agent.planners.strings.wordsteps import each_word

Met = list[tuple[Term, int]]
Tested = dict[int, list[Prim]]
#: Reads programs off part of the examples: with much trouble, or (True) with little.
Side = Callable[[Data, bool], list[Term]]


@cache
def _tests() -> tuple[Prim, ...]:
    return tuple(tests())


@cache
def _counts() -> tuple[Prim, ...]:
    return tuple(counts())


#: Tests that hold for the same examples, kept so that inputs can be asked which part them.
_ALIKE = 5


def splits(data: Data) -> dict[int, list[Prim]]:
    """Tests by the examples they hold for, a few of those that agree, the cheapest first."""
    rows = [(t, bits(vector(t, data.inputs))) for t in _tests()]
    for count in _counts():
        if count.cost > 3.6:
            continue
        values = vector(count, data.inputs)
        numbers = [v for v in values if isinstance(v, int)]
        more = thresholds(count, numbers)
        rows += [(t, bits(vector(t, data.inputs))) for t in more]
    out: dict[int, list[Prim]] = {}
    for test, mask in sorted(rows, key=lambda r: (r[0].cost, r[0].source)):
        inside = mask & data.known
        if inside and inside != data.known:
            alike = out.setdefault(inside, [])
            if not alike or (len(alike) < _ALIKE and test.cost < alike[0].cost + 3):
                alike.append(test)
    return out


def conditional(data: Data, met: Met, direct: Side, depth: int = 2) -> list[Term]:
    """Programs ``A if P else B`` that meet all examples.

    Args:
        data: The examples.
        met: Programs with the examples that they meet.
        direct: Reads programs off some of the examples; used for a side that no program meets.
        depth: Conditions in a chain.
    """
    best = _cheapest(met, data.known)
    tested = splits(data)
    found = _both(best, tested, data.known)
    found += _compound(best, tested, data.known)
    if not found:
        found = _one_side(data, best, tested, direct, depth)
    if not found and depth > 1:
        found = _read_sides(data, best, tested, direct)
    return sorted(found, key=lambda t: t.order)[:20]


def _cheapest(met: Met, known: int) -> Met:
    """For each set of examples its cheapest program, without those that a cheaper one outdoes."""
    by_mask: dict[int, Term] = {}
    for term, mask in met:
        m = mask & known
        if m and (m not in by_mask or term.order < by_mask[m].order):
            by_mask[m] = term
    ordered = sorted(
        ((t, m) for m, t in by_mask.items()),
        key=lambda p: (-p[1].bit_count() / 4 + p[0].cost, p[0].source),
    )
    kept: Met = []
    for term, mask in ordered[:1500]:
        if not any(t.cost <= term.cost and m | mask == m for t, m in kept[:200]):
            kept.append((term, mask))
    return kept


def _thin(mask: int) -> float:
    """The price of a side that few examples stand for."""
    return max(0.0, 4.0 - mask.bit_count())


def _both(best: Met, tested: Tested, known: int) -> list[Term]:
    out = []
    for inside, alike in tested.items():
        yes = _cover(best, inside)
        no = _cover(best, known & ~inside) if yes else None
        if yes and no:
            for test in alike:
                term = either(test, yes, no)
                term.cost += _thin(inside) + _thin(known & ~inside)
                out.append(term)
    return out


def _cover(best: Met, mask: int) -> Term | None:
    good = [t for t, m in best if m & mask == mask]
    return min(good, key=lambda t: t.order) if good else None


def _compound(best: Met, tested: Tested, known: int) -> list[Term]:
    """Conditions of two tests joined by and / or, for the likeliest pairs of programs."""
    pairs = [
        (a.cost + b.cost, k, j)
        for k, (a, m) in enumerate(best[:40])
        for j, (b, n) in enumerate(best[:40])
        if k != j and m | n == known and m & n != known
    ]
    simple = sorted(((i, ts[0]) for i, ts in tested.items()), key=lambda p: p[1].cost)[:220]
    out = []
    for _, k, j in sorted(pairs)[:6]:
        (yes, m), (no, n) = best[k], best[j]
        must, may_not = known & ~n, known & ~m
        if must.bit_count() < 3 or may_not.bit_count() < 3:
            continue
        wide = [(i, t) for i, t in simple if i & must == must]
        narrow = [(i, t) for i, t in simple if not i & may_not]
        for a, (i, p) in enumerate(wide):
            for i2, q in wide[a + 1 :]:
                if not i & i2 & may_not:
                    out.append(either(_two(p, "and", q), yes, no))
        for a, (i, p) in enumerate(narrow):
            for i2, q in narrow[a + 1 :]:
                if (i | i2) & must == must:
                    out.append(either(_two(p, "or", q), yes, no))
    return sorted(out, key=lambda t: t.order)[:10]


def _two(p: Prim, how: str, q: Prim) -> Prim:
    return prim(
        p.cost + q.cost + 1.5, f"({p.source}) {how} ({q.source})", f"{p.noun} {how} {q.noun}"
    )


class _Met(NamedTuple):
    """A side of a test that one program meets, and what that is worth; whether it is inside."""

    worth: float
    alike: list[Prim]
    is_yes: bool
    side: int
    term: Term


def _various(rows: list[_Met], each: int) -> list[_Met]:
    """So many of each program: what leaves most inputs as they are meets sides of every test."""
    often: Counter[str] = Counter()
    kept = []
    for row in rows:
        often[row.term.source] += 1
        if often[row.term.source] <= each:
            kept.append(row)
    return kept


def _one_side(data: Data, best: Met, tested: Tested, direct: Side, depth: int) -> list[Term]:
    """One side met by a program, the other read off its examples or parted again."""
    rows: list[_Met] = []
    for inside, alike in tested.items():
        for side in (inside, data.known & ~inside):
            term = _cover(best, side)
            if term and side.bit_count() >= 2:
                worth = 0.35 * side.bit_count() - alike[0].cost - term.cost
                rows.append(_Met(worth, alike, side == inside, side, term))
    rows.sort(key=lambda r: (-r.worth, r.alike[0].source))
    out: list[Term] = []
    for trouble, some in (
        (False, _various(rows, 8)[: 24 if depth > 1 else 4]),
        (True, _various(rows, 2)[: 6 if depth > 1 else 2 if depth else 0]),
    ):
        for _, alike, is_yes, side, term in some:
            rest = data.only(data.known & ~side)
            if rest.known.bit_count() < 3:
                continue
            others = direct(rest, not trouble or depth < 2)
            if not others and trouble:
                places = [i for i in range(len(data.inputs)) if (data.known & ~side) >> i & 1]
                met = [(t, bits(m >> i & 1 for i in places)) for t, m in best[:400]]
                others = conditional(rest, met, direct, depth - 1)
            for other in others[:2]:
                for test in alike:
                    both = either(test, term, other) if is_yes else either(test, other, term)
                    both.cost += _thin(side)
                    out.append(both)
        if out:
            break
    return out


#: Cheap tests for which both sides are read off.
_SIDES = 24


def _read_sides(data: Data, best: Met, tested: Tested, direct: Side) -> list[Term]:
    """For the cheapest tests, either side read off its examples if no program meets it."""
    out: list[Term] = []
    rows = sorted(tested.items(), key=lambda r: (r[1][0].cost, r[1][0].source))
    able = [r for r in rows if min(r[0].bit_count(), (data.known & ~r[0]).bit_count()) >= 6]
    for inside, alike in able[:_SIDES]:
        sides = []
        for side in (inside, data.known & ~inside):
            known = _cover(best, side)
            terms = [known] if known else direct(data.only(side), True)
            if not terms:
                break
            sides.append(terms[0])
        else:
            out += [either(test, *sides) for test in alike]
    return out


def filters(data: Data) -> list[Term]:
    """Programs that keep the words that pass a test, or join them in another way."""
    words = sorted({w for x in data.inputs for w in x.split()})
    if not all(
        set((t or "").split()) <= set(x.split())
        for x, t in zip(data.inputs, data.targets, strict=True)
    ):
        return []
    keys = data.keys
    out = []
    word = Term("x", "_", 0.0)
    for test, *_ in splits(Data(tuple(words), tuple(words))).values():
        if all(
            " ".join(w for w in data.inputs[k].split() if call(test.function, w)) == data.targets[k]
            for k in keys
        ):
            out.append(each_word(word, test))
        if all(
            " ".join(w for w in data.inputs[k].split() if not call(test.function, w))
            == data.targets[k]
            for k in keys
        ):
            negated = prim(
                test.cost + 0.5, f"not ({test.source})", f"it is not so that {test.noun}"
            )
            out.append(each_word(word, negated))
    return [t for t in out if data.fits(t)]
