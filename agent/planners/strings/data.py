"""What was asked and answered, and the vectors of values that programs give on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hubel.agent.planners.strings.terms import Prim, Term, call

Vector = tuple[Any, ...]


@dataclass(frozen=True)
class Data:
    """Inputs with their outputs; an undefined output (None) constrains nothing."""

    inputs: tuple[str, ...]
    targets: tuple[str | None, ...]

    @cached_property
    def known(self) -> int:
        """The examples whose output is defined, as bits."""
        return bits(t is not None for t in self.targets)

    @cached_property
    def keys(self) -> tuple[int, ...]:
        """Up to eight telling examples: long outputs, of inputs of different kinds."""
        groups: dict[tuple[bool, ...], list[int]] = {}
        for i in self.informative:
            x = self.inputs[i]
            kind = (" " in x, x.islower(), any(c.isdigit() for c in x), len(x) % 2 == 0)
            groups.setdefault(kind, []).append(i)
        ranked = sorted(
            (sorted(g, key=self._rank) for g in groups.values()), key=lambda g: self._rank(g[0])
        )
        chosen = [g[k] for k in range(8) for g in ranked if len(g) > k]
        return tuple(chosen[:8])

    def _rank(self, i: int) -> float:
        """Low for the examples that most programs would differ on."""
        x, t = self.inputs[i], self.targets[i] or ""
        mixed = x.lower() != x and x.upper() != x
        return -(min(len(t), 12) + min(len(set(x)), 12) + 4 * (" " in x) + 3 * mixed)

    @cached_property
    def informative(self) -> list[int]:
        """The examples whose output is defined and not empty, and whose input is not huge."""
        good = [i for i, t in enumerate(self.targets) if t and len(self.inputs[i]) < 60]
        return good or [i for i, t in enumerate(self.targets) if t is not None]

    def mask(self, vector: Vector) -> int:
        """The examples that a vector of values meets, as bits."""
        out = 0
        for i, (v, t) in enumerate(zip(vector, self.targets, strict=True)):
            if t is not None and v == t:
                out |= 1 << i
        return out

    def only(self, mask: int) -> Data:
        """The examples of a mask."""
        chosen = [i for i in range(len(self.inputs)) if mask >> i & 1]
        return Data(tuple(self.inputs[i] for i in chosen), tuple(self.targets[i] for i in chosen))

    def fits(self, term: Term) -> bool:
        """Whether a program meets every example."""
        return all(
            t is None or term.run(x) == t for x, t in zip(self.inputs, self.targets, strict=True)
        )

    def share(self, term: Term) -> float:
        """The share of the examples that a program meets."""
        pairs = [p for p in zip(self.inputs, self.targets, strict=True) if p[1] is not None]
        return sum(int(term.run(x) == t) for x, t in pairs) / max(len(pairs), 1)


def bits(flags: Iterable[object]) -> int:
    """Flags as the bits of a number, the first lowest."""
    return sum(1 << i for i, f in enumerate(flags) if f)


def vector(step: Prim, values: Iterable[Any]) -> Vector:
    """The values of a step."""
    return tuple(call(step.function, v) for v in values)


class Pool:
    """Programs that differ on the inputs, each by its cheapest form (observational equivalence)."""

    def __init__(self, inputs: tuple[str, ...]) -> None:
        self.inputs = inputs
        self.terms: dict[Vector, Term] = {}

    def add(self, term: Term, values: Vector) -> bool:
        """Keep a program unless one as cheap does the same; whether it was kept."""
        if not any(v is not None for v in values):
            return False
        old = self.terms.get(values)
        if old is not None and old.order <= term.order:
            return False
        self.terms[values] = term
        return old is None

    def extend(self, base: Term, values: Vector, steps: Iterable[Prim]) -> None:
        """Add a program followed by each step."""
        for step in steps:
            self.add(base.then(step), vector(step, values))

    def ordered(self) -> list[tuple[Term, Vector]]:
        """The programs with their values, the cheapest first."""
        return sorted(((t, v) for v, t in self.terms.items()), key=lambda p: p[0].order)
