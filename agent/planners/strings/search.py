"""Synthesis: the programs of the language that meet all examples, from the cheap to the dear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hubel.agent.planners.strings.amounts import amounts, swaps
from hubel.agent.planners.strings.chains import FAR, SIDE, some_pairs, three_steps, two_steps
from hubel.agent.planners.strings.charwise import charwise
from hubel.agent.planners.strings.conditions import conditional, filters
from hubel.agent.planners.strings.constants import shown, usual, with_constant, without
from hubel.agent.planners.strings.countings import countings
from hubel.agent.planners.strings.cuts import in_two
from hubel.agent.planners.strings.data import Data, Pool, Vector, vector
from hubel.agent.planners.strings.inverse import undone
from hubel.agent.planners.strings.maps import char_maps
from hubel.agent.planners.strings.narrow import narrowings
from hubel.agent.planners.strings.numbers import WRITTEN, by_number, counts
from hubel.agent.planners.strings.parts import concatenations
from hubel.agent.planners.strings.steps import char_steps
from hubel.agent.planners.strings.terms import IDENTITY, Prim, Term, call, prim
from hubel.agent.planners.strings.words import piecewise, wordwise
from hubel.agent.planners.strings.wordsteps import word_steps


@dataclass
class Solution:
    """What a search has come to.

    Attributes:
        terms: Programs that meet all examples, the cheapest first.
        partial: Programs that meet some, with the mask of those.
        pool: One-step programs with their values.
    """

    terms: list[Term]
    partial: list[tuple[Term, int]]
    pool: Pool


#: Undone last steps before which rules are read off: all rules, and in three times as many some.
_READ = 16


@cache
def all_steps() -> tuple[Prim, ...]:
    """Every fixed step, the cheapest first."""
    steps = [*char_steps(), *word_steps(), *by_number()]
    for n in counts():
        for cost, source, noun in WRITTEN[1:]:
            if source == "'*' * x" and n.source not in ("len(x)", "len(x.split())"):
                continue
            both = IDENTITY.then(n).then(prim(cost, source, noun))
            steps.append(prim(both.cost, both.source, both.noun))
    return tuple(sorted([*steps, *_guarded(steps)], key=_by_cost))


def _guarded(steps: list[Prim]) -> list[Prim]:
    """Cheap steps that are undefined where there is no word or no character, made empty there."""
    out = []
    for step in steps:
        if step.cost <= 4.0 and call(step.function, "") is None:
            test = "x.split()" if call(step.function, " ") is None else "x"
            source = f"({step.source}) if {test} else ''"
            out.append(prim(step.cost + 0.3, source, f"{step.noun}, if there is one"))
    return out


def solve(data: Data, deep: bool = True) -> Solution:
    """Programs that meet all examples, and those that meet some.

    Ever larger spaces are searched until one holds a program: one step; rules read off the
    examples; two steps; joined parts; words one by one; conditions; three steps.
    """
    extra = _extra(data)
    pool = one_step(data, extra)
    partial = _matches(pool, data)
    found = [t for t, m in partial if m == data.known]
    found += direct(data)
    if not _clear(found, 7.0):
        steps = sorted([*all_steps(), *extra], key=_by_cost)
        goals = [(None, data), *undone(data)]
        found += two_steps(data, pool, steps, goals)
        found += _before(goals, pool)
        for k, base in enumerate(_bases(data, pool)):
            found += _after(base, data, full=k < 22)
        if not _clear(found, 9.0):
            found += concatenations(data, pool)
            found += wordwise(data)
            found += piecewise(data)
            found += filters(data)
            found += _narrowed(data, pool)
        if not _clear(found, 12.0):
            partial += [(t, data.known) for t in found]
            partial += _core(data)
            partial += some_pairs(data, pool, steps)
            found += conditional(
                data,
                partial + [(t, data.mask(vector_of(t, data))) for t in usual(data)],
                _Side(pool),
            )
    solution = Solution(_distinct(found), partial, pool)
    return solution if found or not deep else deepen(data, solution)


def deepen(data: Data, solution: Solution) -> Solution:
    """Dearer pairs and three steps, after a search that found nothing on the same examples."""
    steps = sorted([*all_steps(), *_extra(data)], key=_by_cost)
    goals = [(None, data), *undone(data)]
    found = two_steps(data, solution.pool, steps, goals, FAR) or three_steps(data, steps)
    return Solution(_distinct(found), solution.partial, solution.pool)


def _extra(data: Data) -> list[Prim]:
    """Steps with the constants that the examples show."""
    return sorted(
        [*(s for k in shown(data) for s in with_constant(k)), *without(data)], key=_by_cost
    )


def _by_cost(step: Prim) -> tuple[float, str]:
    return (step.cost, step.source)


def direct(data: Data, wide: bool = True) -> list[Term]:
    """Programs read off the examples without enumeration."""
    rules = charwise(data, 12 if wide else 2, wide)
    rules += [*char_maps(data), *countings(data), *usual_only(data), *amounts(data), *swaps(data)]
    return rules + in_two(data) if wide else rules


#: Examples of a side from which on it may be joined of more than two pieces: few meet any four.
_PIECES = 8


@dataclass
class _Side:
    """Reads programs off a part of the examples."""

    pool: Pool

    def __call__(self, rest: Data, light: bool) -> list[Term]:
        found = direct(rest, not light)
        if light:
            return sorted(found, key=lambda t: t.order)
        steps = [s for k in shown(rest, 3) for s in with_constant(k)]
        found += [t for t in map(IDENTITY.then, steps) if rest.fits(t)]
        found = found or [*wordwise(rest), *filters(rest)]
        if found:
            return sorted(found, key=lambda t: t.order)
        row = {x: i for i, x in enumerate(self.pool.inputs)}
        chosen = [row[x] for x in rest.inputs]
        part = Pool(rest.inputs)
        for term, values in self.pool.ordered():
            part.add(term, tuple(values[i] for i in chosen))
        every = sorted([*all_steps(), *steps], key=_by_cost)
        found = two_steps(rest, part, every, [(None, rest)], SIDE)
        pieces = 4 if rest.known.bit_count() >= _PIECES else 2
        return sorted([*found, *concatenations(rest, part, pieces)], key=lambda t: t.order)


def usual_only(data: Data) -> list[Term]:
    """The constant, if all outputs are the same."""
    return [t for t in usual(data) if data.fits(t)]


def vector_of(term: Term, data: Data) -> Vector:
    """The values of a program on the examples."""
    return tuple(term.run(x) for x in data.inputs)


def one_step(data: Data, extra: list[Prim]) -> Pool:
    """The inputs themselves, and every single step on them."""
    pool = Pool(data.inputs)
    pool.add(IDENTITY, data.inputs)
    pool.extend(IDENTITY, data.inputs, all_steps())
    pool.extend(IDENTITY, data.inputs, extra)
    return pool


def _matches(pool: Pool, data: Data) -> list[tuple[Term, int]]:
    return [(t, m) for t, v in pool.ordered() if (m := data.mask(v))]


def _clear(found: list[Term], cost: float) -> bool:
    return bool(found) and min(t.cost for t in found) <= cost


def _before(goals: list[tuple[Prim | None, Data]], pool: Pool) -> list[Term]:
    """Programs whose last step was undone: one step, or rules read off, before it."""
    found = []
    for k, (step, before) in enumerate(goals):
        if step is not None:
            one = pool.terms.get(before.targets)
            found += [one.then(step)] if one is not None else []
            found += [t.then(step) for t in direct(before, wide=k < _READ)] if k < 3 * _READ else []
            found += [t.then(step) for t in piecewise(before)] if k < _READ else []
    return found


def _bases(data: Data, pool: Pool) -> list[tuple[Term, Vector]]:
    """Cheap first steps after which the rules are read off anew."""
    return [
        (t, v)
        for t, v in pool.ordered()
        if t is not IDENTITY
        and t.cost <= 4.6
        and all(isinstance(v[k], str) and 2 * len(v[k]) >= len(data.inputs[k]) for k in data.keys)
    ]


def _after(base: tuple[Term, Vector], data: Data, full: bool) -> list[Term]:
    """Rules read off what a first step gives."""
    term, values = base
    if any(v is None for v, t in zip(values, data.targets, strict=True) if t is not None):
        return []
    after = Data(tuple("" if v is None else str(v) for v in values), data.targets)
    found = char_maps(after)
    if full:
        found += [*charwise(after, limit=3), *amounts(after), *in_two(after)]
    return [t.of(term) for t in found]


def _narrowed(data: Data, pool: Pool) -> list[Term]:
    """Programs whose first step loses what the outputs do not depend on."""
    narrow = narrowings(data, pool)
    found = [t.of(first) for first, few in narrow for t in direct(few)]
    for first, few in narrow if not found else []:
        steps = [*all_steps(), *(s for k in shown(few) for s in with_constant(k))]
        goals = [(None, few), *undone(few)]
        pairs = two_steps(few, one_step(few, []), sorted(steps, key=_by_cost), goals, SIDE)
        found += [t.of(first) for t in pairs]
        if found:
            break
    return found


def _core(data: Data) -> list[tuple[Term, int]]:
    """Rules read off the plainer examples alone, with all the examples that they meet."""
    out = []
    for source in (
        "x.isalpha() and x.islower() and len(x) > 2",
        "len(x) > 2",
        "' ' not in x",
        "x == x.lower()",
        "x.isalpha()",
    ):
        test = prim(0.0, source, source)
        mask = sum(1 << i for i, v in enumerate(vector(test, data.inputs)) if v) & data.known
        if 6 <= mask.bit_count() < data.known.bit_count():
            part = data.only(mask)
            out += [(t, data.mask(vector_of(t, data))) for t in direct(part)[:4]]
    return out


def _distinct(found: list[Term]) -> list[Term]:
    out: dict[str, Term] = {}
    for term in sorted(found, key=lambda t: t.order):
        out.setdefault(term.source, term)
    return list(out.values())[:40]


__all__ = ["Solution", "deepen", "direct", "solve"]
