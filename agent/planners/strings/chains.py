"""Programs of two and three steps in a row, by enumeration up to equal values on the examples."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from hubel.agent.planners.strings.data import Data, Pool, Vector, vector
from hubel.agent.planners.strings.terms import ERRORS, IDENTITY, Prim, Term, call, prim

#: First steps of two, if this cheap, for programs that meet some examples.
CORE = 3.0
#: Costs of a first step, and of two together, for programs that meet all examples; the same where
#: nothing else was found, and for one side of a condition.
NEAR, FAR, SIDE = (4.3, 7.6), (5.0, 8.4), (3.5, 6.0)

Goals = list[tuple[Prim | None, Data]]
#: Steps that change nothing when they are done again: they may have come last, unseen.
_AGAIN: tuple[tuple[float, str, str], ...] = (
    (1.0, "x.upper()", "_ in upper case"),
    (1.0, "x.lower()", "_ in lower case"),
    (1.5, "x.title()", "_ in title case"),
    (1.5, "x.capitalize()", "_ capitalised"),
    (1.5, "''.join(sorted(x))", "the characters of _, sorted"),
    (2.0, "''.join(dict.fromkeys(x))", "_ without later repetitions of a character"),
    (3.0, "''.join(r[0] for r in runs(x))", "_ with each run cut to one character"),
    (2.5, "''.join(c for c in x if c not in 'aeiouAEIOU')", "_ without its vowels"),
    (2.5, "''.join(c for c in x if c in 'aeiouAEIOU')", "the vowels of _"),
    (2.5, "''.join(c for c in x if c.isalpha())", "the letters of _"),
    (1.5, "x.replace(' ', '')", "_ without spaces"),
)
_KEPT = tuple(prim(*row) for row in _AGAIN)


def _inner(data: Data, pool: Pool, cost: float) -> list[tuple[Term, Vector]]:
    """Cheap first steps that differ on the telling examples, or on those with next to nothing."""
    out: dict[Vector, tuple[Term, Vector]] = {}
    telling = (*data.keys, *(k for k, x in enumerate(data.inputs) if len(x) < 3))
    for term, values in pool.ordered():
        if 0 < term.cost <= cost:
            out.setdefault(tuple(values[k] for k in telling), (term, values))
    return list(out.values())


def unseen_last(data: Data) -> list[Prim]:
    """Steps that change no output but some inputs, so that they may have been the last.

    At most two: each makes the search longer.
    """
    out = []
    for step in _KEPT:
        values = vector(step, data.targets)
        if values == data.targets and len(set(vector(step, data.inputs)) - set(data.inputs)) > 3:
            out.append(step)
    return out[:2]


class _Wanted:
    """What is sought on one telling example: the goals, by their output there."""

    def __init__(self, goals: Goals, key: int) -> None:
        self.goals: dict[Any, Goals] = {}
        for last, before in goals:
            if before.targets[key]:
                self.goals.setdefault(before.targets[key], []).append((last, before))

    def met(self, value: Any, first: Term, step: Prim, values: Vector) -> list[Term]:
        """The programs ``last(step(first))`` that meet all examples."""
        out = []
        for last, before in self.goals.get(value, ()):
            if all(
                t is None or call(step.function, w) == t
                for w, t in zip(values, before.targets, strict=True)
            ):
                both = first.then(step)
                out.append(both.then(last) if last else both)
        return out


def two_steps(
    data: Data,
    pool: Pool,
    steps: list[Prim],
    goals: Goals,
    reach: tuple[float, float] = NEAR,
) -> list[Term]:
    """Pairs of steps that meet all examples, or those before a last step that was undone.

    A pair is tried on one telling example first; first steps that agree there are tried as one.

    Args:
        data: The examples.
        pool: First steps.
        steps: Second steps, the cheapest first.
        goals: Last steps that were undone (None: none) with the examples before them.
        reach: Costs of the first step and of both; `FAR` leaves out what `NEAR` tried, and seeks
            last steps too that cannot be undone but change no output.
    """
    key = data.keys[0]
    wanted = _Wanted(goals, key)
    deep, most = reach
    far = reach == FAR
    groups: dict[Any, list[tuple[Term, Vector]]] = {}
    for term, values in _inner(data, pool, deep):
        groups.setdefault(values[key], []).append((term, values))
    lasts = unseen_last(data) if far else []
    target = data.targets[key]
    out: list[Term] = []
    costs = [step.cost for step in steps]
    for v, group in groups.items():
        first = group[0][0].cost
        left = most - first
        again = far and not lasts and first <= NEAR[0]
        tried = bisect_right(costs, NEAR[1] - first) if again else 0
        for step in steps[tried:]:
            if step.cost > left:
                break
            try:
                value = step.function(v)
            except ERRORS:
                continue
            if value in wanted.goals:
                for term, values in group:
                    out += wanted.met(value, term, step, values)
            if step.cost <= left - 1.5:
                for last in lasts:
                    if call(last.function, value) == target:
                        whole = [term.then(step).then(last) for term, _ in group]
                        out += [t for t in whole if data.fits(t)]
    return out


def some_pairs(data: Data, pool: Pool, steps: list[Prim]) -> list[tuple[Term, int]]:
    """Cheap pairs of steps that meet one of four telling examples, with all that they meet."""
    keys = data.keys[:4]
    goals = [data.targets[k] for k in keys]
    met: dict[int, Term] = {}
    for term, values in _inner(data, pool, CORE):
        at = [values[k] for k in keys]
        for step in steps:
            if term.cost + step.cost > 5.6:
                break
            function = step.function
            for v, goal in zip(at, goals, strict=True):
                try:
                    if function(v) != goal:
                        continue
                except ERRORS:
                    continue
                mask = data.mask(vector(step, values))
                both = term.then(step)
                if mask not in met or both.order < met[mask].order:
                    met[mask] = both
                break
    return [(t, m) for m, t in met.items()]


def three_steps(data: Data, steps: list[Prim]) -> list[Term]:
    """Three cheap steps, tried on one telling example first."""
    cheap = [s for s in steps if s.cost <= 3.0]
    keys = data.keys[:4]
    if not keys:
        return []
    found = []
    level: dict[Vector, Term] = {tuple(data.inputs[k] for k in keys): IDENTITY}
    for _ in range(2):
        new = dict(level)
        for values, term in level.items():
            for step in cheap:
                if term.cost + step.cost > 5.2:
                    break
                out = tuple(call(step.function, v) for v in values)
                if None not in out:
                    new.setdefault(out, term.then(step))
        level = new
    goal = tuple(data.targets[k] for k in keys)
    for values, term in level.items():
        for step in cheap:
            if call(step.function, values[0]) == goal[0] and vector(step, values) == goal:
                both = term.then(step)
                if data.fits(both):
                    found.append(both)
    return found
