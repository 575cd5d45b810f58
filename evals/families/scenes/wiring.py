"""How a neuron is wired to concept channels: numbers only, drawn from a seed.

A wiring tells which channels count and how, not what they show; the names are on the evaluator's
side (`rules`). What a process that opens a neuron holds is this and the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from hubel.tools.spec import ToolError

Join = Literal[
    "sum", "max",
    "twice", "left of", "majority", "odd", "larger", "nested",
    "noise", "coin", "dead", "spikes", "mixed",
]  # fmt: skip

#: Joins that have nothing to do with the picture, and one that mixes channels by no rule.
NULL: tuple[Join, ...] = ("noise", "coin", "dead", "spikes", "mixed")
#: Lawful, but no list of conjunctions.
BEYOND: tuple[Join, ...] = ("twice", "left of", "majority", "odd", "larger", "nested")


#: Threshold units of every network, most of them without weight.
TERMS = 32


@dataclass(frozen=True, slots=True)
class Term:
    """A weighted conjunction of channels.

    Attributes:
        weight: What it adds where it holds.
        having: Channels that must be on.
        lacking: Channels that must be off.
    """

    weight: float
    having: tuple[int, ...]
    lacking: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Wiring:
    """A neuron's wires.

    Attributes:
        terms: Conjunctions.
        join: How they come together. ``twice``: two things with the first term's channel;
            ``left of``: a thing of the first term's channel left of one of the second's;
            ``majority``: at least two of three channels; ``odd``: an odd number of things with the
            channel; ``larger``: the largest thing of the first channel is larger than any of the
            second's; ``nested``: the first channel, but not the second without the third. Of the
            null units, ``noise`` is normal, ``coin`` has two values, ``dead`` is 0, ``spikes`` is
            constant save for rare ones, ``mixed`` a random direction.
        noise: Standard deviation of what is added.
        region: A channel inside which the terms do otherwise; None for none.
        approximate: Whether a network that was trained to the terms stands in for them.
        seed: Draws noise and all else that is random in it.
    """

    terms: tuple[Term, ...]
    join: Join
    noise: float = 0.0
    region: int | None = None
    approximate: bool = False
    seed: int = 0

    @property
    def channels(self) -> list[int]:
        """Every channel once, in order."""
        every = (c for term in self.terms for c in (*term.having, *term.lacking))
        return list(dict.fromkeys(every))

    @property
    def full(self) -> float:
        """The highest weight: its value where the strongest term alone holds; 1 without terms."""
        return max((abs(term.weight) for term in self.terms), default=1.0)

    def among(self, channels: int) -> list[Term]:
        """Its terms among others without weight, so that neither number nor place tells them."""
        rng = np.random.default_rng(self.seed)
        every = [Term(0.0, tuple(map(int, rng.choice(channels, 2, False)))) for _ in range(TERMS)]
        for place, term in zip(rng.permutation(TERMS), self.terms, strict=False):
            every[place] = term
        return every

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Wiring:
        """Read what `to_json` wrote.

        Raises:
            ToolError: It is no wiring.
        """
        try:
            terms = tuple(
                Term(
                    float(t["weight"]), tuple(map(int, t["having"])), tuple(map(int, t["lacking"]))
                )
                for t in data["terms"]
            )
            region = data["region"]
            return cls(
                terms, data["join"], float(data["noise"]),
                None if region is None else int(region), bool(data["approximate"]),
                int(data["seed"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ToolError(f"This is no wiring of a neuron: {error!r}.") from None
