"""The written rules: what numbered channels mean, and the truth of a wiring. Evaluator's side only.

Nothing that a lab holds when it opens a neuron imports this module or reads its names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hubel.agent.form import Form
from hubel.agent.form import Term as Said
from hubel.evals.families.scenes.wiring import BEYOND, NULL, Wiring
from hubel.tools.imagery.scenes import Scene, truth
from hubel.tools.imagery.truth import counted, facts, find

CONCEPTS = Path(__file__).with_name("concepts.json")

#: Mean of the null units that have no channels.
_MEANS = {"noise": 0.5, "coin": 0.25, "dead": 0.0, "spikes": 0.216}


@cache
def concepts() -> dict[str, Any]:
    """What was measured of each concept: ``channels``, in their order, and ``excluded``."""
    found: dict[str, Any] = json.loads(CONCEPTS.read_text(encoding="utf-8"))
    return found


@cache
def names() -> tuple[str, ...]:
    """The phrase of each channel."""
    return tuple(channel["phrase"] for channel in concepts()["channels"])


@dataclass(frozen=True, slots=True)
class Rule:
    """The truth about a neuron.

    Attributes:
        wiring: Its wires.
    """

    wiring: Wiring

    @property
    def phrases(self) -> list[str]:
        """Every phrase that it speaks of."""
        return [names()[channel] for channel in self.wiring.channels]

    @property
    def region(self) -> str | None:
        """The phrase of the region where it does otherwise."""
        return None if self.wiring.region is None else names()[self.wiring.region]

    @property
    def form(self) -> Form | None:
        """The rule as an explanation; None for what none can say."""
        if self.wiring.join in (*NULL, *BEYOND):
            return None
        terms = [
            Said(
                t.weight, tuple(names()[c] for c in t.having), tuple(names()[c] for c in t.lacking)
            )
            for t in self.wiring.terms
        ]
        return Form(tuple(terms), "max" if self.wiring.join == "max" else "sum")

    @property
    def description(self) -> str:
        """The rule in words."""
        said = self.phrases
        match self.wiring.join:
            case "twice":
                return f"1 where at least two things fulfil [{said[0]}], else 0"
            case "left of":
                return f"1 where a thing that fulfils [{said[0]}] is left of one with [{said[1]}]"
            case "mixed":
                return f"a random direction over {len(said)} concepts"
            case "sum" | "max":
                return str(self.form)
            case null:
                return f"nothing of the picture ({null})"

    @property
    def code(self) -> str | None:
        """The rule as Python source: ``f(x)``, x being the phrases that are true of a scene."""
        if self.form is None:
            return None
        parts = []
        for term in self.form.terms:
            on = [f"{p!r} in x" for p in term.having] + [f"{p!r} not in x" for p in term.lacking]
            parts.append(f"{term.weight:g} * ({' and '.join(on)})")
        joined = f"max({', '.join(parts)}, 0)" if self.form.join == "max" else " + ".join(parts)
        return f"def f(x):\n    return {joined}\n"

    def __call__(self, scenes: Sequence[Scene]) -> list[float]:
        """Its value without noise on each scene."""
        return [self._value(scene) for scene in scenes]

    def _value(self, scene: Scene) -> float:
        wiring = self.wiring
        if wiring.join in _MEANS:
            return _MEANS[wiring.join]
        if wiring.join in BEYOND:
            return self._beyond(scene)
        true = truth(scene)
        parts = [
            term.weight
            * (
                all(names()[c] in true for c in term.having)
                and not any(names()[c] in true for c in term.lacking)
            )
            for term in wiring.terms
        ]
        return float(max(parts) if wiring.join == "max" else sum(parts))

    def _beyond(self, scene: Scene) -> float:
        first, *others = (find(phrase) for phrase in self.phrases)
        seen = counted(scene)
        here = [thing.x for thing in seen if first.holds(facts(thing))]
        if self.wiring.join == "twice":
            return float(len(here) >= 2)
        there = [thing.x for thing in seen if others[0].holds(facts(thing))]
        return float(bool(here) and bool(there) and min(here) < max(there))
