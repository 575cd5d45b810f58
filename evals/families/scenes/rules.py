"""The written rules: what numbered channels mean, and the truth of a wiring. Evaluator's side only.

Nothing that a lab holds when it opens a neuron imports this module or reads its names.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from hubel.agent.form import Form
from hubel.agent.form import Term as Said
from hubel.evals.families.scenes.wiring import BEYOND, NULL, Wiring
from hubel.tools.imagery.graph import SIZES, Thing
from hubel.tools.imagery.scenes import Scene, truth
from hubel.tools.imagery.truth import counted, facts, find

CONCEPTS = Path(__file__).with_name("concepts.json")

#: Mean of the null units that have no channels.
_MEANS = {"noise": 0.5, "coin": 0.25, "dead": 0.0, "spikes": 0.216}

#: Rules that are no lists of conjunctions, as Python source; of phrases, in their order.
_CODE = {
    "twice": "def f(x):\n    return float(sum({0} in t for t in x.things) >= 2)\n",
    "odd": "def f(x):\n    return float(sum({0} in t for t in x.things) % 2)\n",
    "majority": "def f(x):\n    return float(sum(p in x for p in ({0}, {1}, {2})) >= 2)\n",
    "nested": "def f(x):\n    return float({0} in x and not ({1} in x and {2} not in x))\n",
    "left of": (
        "def f(x):\n"
        "    here = [t.x for t in x.things if {0} in t]\n"
        "    there = [t.x for t in x.things if {1} in t]\n"
        "    return float(bool(here and there) and min(here) < max(there))\n"
    ),
    "larger": (
        "def f(x):\n"
        "    def largest(phrase):\n"
        "        sizes = [t.size for t in x.things if phrase in t]\n"
        "        return max(((s > 0.235) + (s > 0.39) for s in sizes), default=None)\n"
        "    here, there = largest({0}), largest({1})\n"
        "    return float(None not in (here, there) and here > there)\n"
    ),
}


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
            case "odd":
                return f"1 where an odd number of things fulfils [{said[0]}], else 0"
            case "larger":
                return (
                    f"1 where the largest thing that fulfils [{said[0]}] is larger than any with "
                    f"[{said[1]}], which is there"
                )
            case "majority":
                return f"1 where at least two of [{'], ['.join(said)}] hold, else 0"
            case "nested":
                return f"1*[{said[0]} AND NOT ({said[1]} AND NOT {said[2]})]"
            case "mixed":
                return f"a random direction over {len(said)} concepts"
            case "sum" | "max":
                return str(self.form)
            case null:
                return f"nothing of the picture ({null})"

    @property
    def code(self) -> str | None:
        """The rule as Python source: ``f(x)``, x being what `seen` says of a scene."""
        if self.wiring.join in BEYOND:
            return _CODE[self.wiring.join].format(*map(repr, self.phrases))
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
        if self.wiring.join in BEYOND:
            return self._beyond(scene)
        return self.where(truth(scene))

    def where(self, true: Collection[str]) -> float:
        """Its value on a scene of which these phrases are true, for what a list of terms says."""
        wiring = self.wiring
        if wiring.join in _MEANS:
            return _MEANS[wiring.join]
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
        """What no list of conjunctions says."""
        if self.wiring.join in ("majority", "nested"):
            first, second, third = (phrase in truth(scene) for phrase in self.phrases)
            if self.wiring.join == "majority":
                return float(first + second + third >= 2)
            return float(first and not (second and not third))
        wanted = [find(phrase) for phrase in self.phrases]
        things = [[t for t in counted(scene) if phrase.holds(facts(t))] for phrase in wanted]
        match self.wiring.join:
            case "twice":
                return float(len(things[0]) >= 2)
            case "odd":
                return float(len(things[0]) % 2)
        here, there = things
        if not here or not there:
            return 0.0
        if self.wiring.join == "left of":
            return float(min(t.x for t in here) < max(t.x for t in there))
        return float(_largest(here) > _largest(there))


def _largest(things: Sequence[Thing]) -> int:
    """The number of the largest size that one of them has, of the sizes with a word."""
    middles = [(low + high) / 2 for low, high in SIZES.values()]
    edges = [(a + b) / 2 for a, b in pairwise(middles)]
    return max(sum(thing.size > edge for edge in edges) for thing in things)
