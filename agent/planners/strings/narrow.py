"""First steps that lose what the outputs do not depend on: the rest is sought from their values."""

from __future__ import annotations

from collections import Counter

from hubel.agent.planners.strings.data import Data, Pool
from hubel.agent.planners.strings.terms import Term

#: First steps dearer than this are not tried, and no more than so many; of steps that make the same
#: inputs equal (a count, in figures or in words) so many.
_DEAREST, _MOST, _ALIKE = 5.6, 9, 3
#: So many inputs must share their value with another one, or the agreement says little.
_SHARED = 12


def narrowings(data: Data, pool: Pool) -> list[tuple[Term, Data]]:
    """First steps whose value decides the output although it is the same for many inputs.

    If inputs that a step makes equal have equal outputs, the step may have come first: that is seen
    without knowing what comes after. What does is then sought on few, short examples.

    Returns:
        Each with its values and their outputs as examples, those with the fewest values first.
    """
    known = [(i, t) for i, t in enumerate(data.targets) if t is not None]
    alike: Counter[tuple[int, ...]] = Counter()
    found: list[tuple[int, Term, Data]] = []
    for term, values in pool.ordered():
        if term.cost > _DEAREST:
            break
        table: dict[str, str] = {}
        for i, t in known:
            v = values[i]
            if not isinstance(v, str) or table.setdefault(v, t) != t:
                break
        else:
            if 3 <= len(table) <= len(known) - _SHARED:
                number = {v: k for k, v in enumerate(table)}
                group = tuple(number[values[i]] for i, _ in known)
                alike[group] += 1
                if alike[group] <= _ALIKE:
                    few = Data(tuple(table), tuple(table.values()))
                    found.append((len(table), term, few))
    found.sort(key=lambda f: (f[0], f[1].order))
    return [(term, few) for _, term, few in found[:_MOST]]
