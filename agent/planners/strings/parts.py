"""Programs that join parts: the output is cut from the left by programs that it starts with."""

from __future__ import annotations

from hubel.agent.planners.strings.charwise import charwise
from hubel.agent.planners.strings.constants import common_start
from hubel.agent.planners.strings.countings import countings
from hubel.agent.planners.strings.data import Data, Pool, Vector
from hubel.agent.planners.strings.terms import Term, constant, joined


def concatenations(data: Data, pool: Pool, most: int = 4) -> list[Term]:
    """Programs joined of up to `most` parts, constants among them, that meet all examples."""
    known = [i for i, t in enumerate(data.targets) if t is not None]
    if not known:
        return []
    table: dict[Vector, Term] = {}
    for term, values in pool.ordered():
        chosen = tuple(values[i] for i in known)
        if all(isinstance(v, str) for v in chosen):
            table.setdefault(chosen, term)
    starts = [(t, v) for v, t in table.items() if sum(map(bool, v)) * 2 >= len(v)]
    search = _Search(starts, table, Data(tuple(data.inputs[i] for i in known), ()))
    search.go(tuple(str(data.targets[i]) for i in known), [], most)
    return [joined(parts) for parts in search.found]


class _Search:
    def __init__(
        self, starts: list[tuple[Term, Vector]], table: dict[Vector, Term], data: Data
    ) -> None:
        self.starts, self.table, self.inputs = starts, table, data.inputs
        self.found: list[list[Term]] = []
        self.closed: list[Term] = []
        self.seen: set[tuple[str, ...]] = set()

    def go(self, goal: tuple[str, ...], parts: list[Term], left: int) -> None:
        """Cut the goal further; complete programs go to `found`."""
        if goal in self.seen or len(self.found) >= 8:
            return
        self.seen.add(goal)
        if len(set(goal)) == 1:
            self.found.append([*parts, constant(goal[0])] if goal[0] else parts)
            return
        if goal in self.table:
            self.found.append([*parts, self.table[goal]])
        elif parts:
            rest = Data(self.inputs, goal)
            rules = [*charwise(rest, limit=1), *countings(rest)[:1]]
            self.found += [[*parts, r] for r in rules if r.cost < 9]
        if left <= 1:
            return
        head = common_start(goal)
        if head:
            self.go(tuple(g[len(head) :] for g in goal), [*parts, constant(head)], left)
        tail = "" if head else common_start([g[::-1] for g in goal])[::-1]
        if tail and not self.closed:
            self.closed = [constant(tail)]
            before = len(self.found)
            self.go(tuple(g[: len(g) - len(tail)] for g in goal), parts, left)
            self.found[before:] = [[*f, constant(tail)] for f in self.found[before:]]
            self.closed = []
        tried = 0
        for term, values in self.starts:
            if tried >= 10:
                return
            if all(g.startswith(v) for g, v in zip(goal, values, strict=True)):
                tried += 1
                after = tuple(g[len(v) :] for g, v in zip(goal, values, strict=True))
                self.go(after, [*parts, term], left - 1)
