"""Programs of two and three steps in a row, by enumeration up to equal values on the examples."""

from __future__ import annotations

from hubel.agent.planners.strings.data import Data, Pool, Vector, vector
from hubel.agent.planners.strings.terms import ERRORS, IDENTITY, Prim, Term, call

#: First steps of two, if this cheap: for programs that meet some examples, and all.
CORE, DEEP = 3.0, 4.3
#: Two steps together, for programs that meet all.
PAIR = 7.6


def _inner(data: Data, pool: Pool, cost: float) -> list[tuple[Term, Vector]]:
    """Cheap first steps that differ on the telling examples."""
    out: dict[Vector, tuple[Term, Vector]] = {}
    for term, values in pool.ordered():
        if 0 < term.cost <= cost:
            out.setdefault(tuple(values[k] for k in data.keys), (term, values))
    return list(out.values())


def two_steps(
    data: Data, pool: Pool, steps: list[Prim], goals: list[tuple[Prim | None, Data]]
) -> list[Term]:
    """Pairs of steps that meet all examples, or those before a last step that was undone.

    A pair is tried on one telling example first.
    """
    key = data.keys[0]
    wanted: dict[str, list[tuple[Prim | None, Data]]] = {}
    for last, before in goals:
        goal = before.targets[key]
        if goal:
            wanted.setdefault(goal, []).append((last, before))
    out = []
    for term, values in _inner(data, pool, DEEP):
        v, left = values[key], PAIR - term.cost
        for step in steps:
            if step.cost > left:
                break
            try:
                hits = wanted.get(step.function(v))
            except ERRORS:
                continue
            for last, before in hits or ():
                if all(
                    t is None or call(step.function, w) == t
                    for w, t in zip(values, before.targets, strict=True)
                ):
                    both = term.then(step)
                    out.append(both.then(last) if last else both)
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
