"""The answer to *which units respond to stripes?*: what the tool `rank` measured, in words.

It is a list of units worth a study, not a study: it says what was measured on fresh pairs, and
which of it may be chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubel.agent.wording import interval_text, listed, p_text, score_text


@dataclass(frozen=True, slots=True)
class Ranked:
    """One unit of the list.

    Attributes:
        told: What was measured of it, in words.
        confirmed: Whether it holds on fresh pairs, at the false discovery rate of the tool.
        figure: Id of the picture on which it fell most, with its map; None where it has no map.
    """

    unit: str
    told: str
    confirmed: bool
    figure: str | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranking as people read it.

    Attributes:
        head: What was done, and what came of it: one sentence or two.
        units: The units, the strongest first.
        foot: What it does not say.
        example: Ids of a picture with the concept and the same without.
    """

    head: str
    units: list[Ranked]
    foot: str
    example: list[str]

    @property
    def lines(self) -> list[str]:
        """For a terminal."""
        width = max((len(one.unit) for one in self.units), default=0)
        rows = [
            f"  {one.unit:{width}}  {one.told}{'' if one.confirmed else '  (may be chance)'}"
            for one in self.units
        ]
        return [self.head, *rows, self.foot]


def ranking_of(values: Mapping[str, Any]) -> Ranking:
    """What the tool `rank` gave.

    Args:
        values: Its values.
    """
    units = sorted(values["units"], key=lambda one: -(one["in_sd"] or 0.0))
    confirmed = sum(one["confirmed"] for one in units)
    chosen, fresh = values["pairs"]
    factors = listed(list(values["changed"]))
    head = (
        f"{values['ranked']:,} units were compared on {chosen} pairs of scenes, with and without "
        f"the phrase ‘{values['phrase']}’ (what changed: {factors}). "
    )
    if confirmed:
        head += (
            f"{confirmed} of the {len(units)} that fell most fall on {fresh} fresh pairs as well:"
        )
    else:
        head += f"None was found to fall on {fresh} fresh pairs."
    return Ranking(
        head,
        [
            Ranked(
                one["unit"],
                f"falls by {score_text(one['in_sd'])} of its standard deviation "
                f"({interval_text(one['ci'])} in its own units, p {p_text(one['p_adjusted'])})",
                one["confirmed"],
                one["figure"],
            )
            for one in units
        ],
        "A unit may respond to much else too: ask about one to have it studied."
        if units
        else "Units of other sites may respond to it.",
        list(values["example"]),
    )
