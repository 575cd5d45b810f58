"""What can be said of any picture without knowing what it shows.

Each statistic has a phrase and a degree from 0 to 1. There are two poolings, since a unit's
activation is a maximum over positions:

- **whole**: the mean over the picture. Phrases are mass nouns (``red colouring``, ``brightness``,
  ``vertical edges``, ``fine texture``) or say where it lies (``brighter at the top``).
- **somewhere**: the maximum over overlapping cells, a seventh of the side wide. Phrases begin with
  "a" and say patch or spot (``a red patch``, ``a patch of vertical edges``).

No phrase about scenes is of these forms. A degree is the measured quantity between two fixed
numbers, `low` and `high`, chosen so that photographs spread over 0 to 1; it depends on nothing but
the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubel.tools.colours import COLOURS
from hubel.tools.measures import Pooling, measure

if TYPE_CHECKING:
    from PIL import Image

Instruction = dict[str, Any]
Range = tuple[float, float]

_BLUR: Instruction = {"op": "blur", "radius": 4}
_SMEAR: Instruction = {"op": "blur", "radius": 12}
_TURN: Instruction = {"op": "rotate", "degrees": 90}
_SWAP: Instruction = {"op": "flip", "axis": "left-right"}
_TURN_OVER: Instruction = {"op": "flip", "axis": "top-bottom"}
_ROUGHEN: Instruction = {"op": "noise", "sd": 40}
_DARKEN: Instruction = {"op": "brightness", "factor": 0.4}
_LIGHTEN: Instruction = {"op": "brightness", "factor": 3.0}
_FLATTEN: Instruction = {"op": "contrast", "factor": 0.3}
_FADE: Instruction = {"op": "greyscale"}
_RECOLOUR: Instruction = {"op": "hue", "degrees": 180}

#: Measured over the whole picture and somewhere in it: quantity, words for the whole, its range,
#: words for a place, its range, the edit that takes both away.
_LOCAL: tuple[tuple[str, str, Range, str, Range, Instruction | None], ...] = (
    ("warm", "warm colouring", (0, 0.1), "a warm patch", (0.02, 0.16), _FADE),
    ("cool", "cool colouring", (0, 0.06), "a cool patch", (0.01, 0.13), _FADE),
    ("saturated", "saturation", (0, 0.15), "a saturated patch", (0.02, 0.22), _FADE),
    ("light", "brightness", (0.05, 0.75), "a bright patch", (0.2, 0.95), _DARKEN),
    ("contrast", "contrast", (0.03, 0.3), "a patch of contrast", (0.04, 0.42), _FLATTEN),
    ("plain", "plainness", (0, 0.75), "a plain patch", (0, 1), _ROUGHEN),
    ("edges", "edges", (0.003, 0.075), "a patch of edges", (0.01, 0.165), _SMEAR),
    ("vertical", "vertical edges", (0, 0.026), "a patch of vertical edges", (0.003, 0.11), _TURN),
    (
        "horizontal",
        "horizontal edges",
        (0, 0.026),
        "a patch of horizontal edges",
        (0.003, 0.11),
        _TURN,
    ),
    ("rising", "rising edges", (0, 0.013), "a patch of rising edges", (0.003, 0.09), _TURN),
    ("falling", "falling edges", (0, 0.013), "a patch of falling edges", (0.003, 0.09), _TURN),
    (
        "straight",
        "straight edges",
        (0.004, 0.065),
        "a patch of straight edges",
        (0.015, 0.21),
        _SMEAR,
    ),
    ("fine", "fine texture", (0, 0.045), "a patch of fine texture", (0.002, 0.08), _BLUR),
    ("medium", "medium texture", (0, 0.055), "a patch of medium texture", (0.004, 0.11), _BLUR),
    ("coarse", "coarse texture", (0.003, 0.065), "a patch of coarse texture", (0.01, 0.16), _SMEAR),
)

#: Edits that take the colours without a hue away, from the whole and from a place.
_SHADES: dict[str, tuple[Instruction | None, Instruction | None]] = {
    "black": (_LIGHTEN, _FLATTEN),
    "white": (_DARKEN, _DARKEN),
    "grey": (None, None),
}


@dataclass(frozen=True, slots=True)
class Statistic:
    """One thing that is measured.

    Attributes:
        phrase: Its words.
        pooling: Mean over the picture, or maximum over cells.
        quantity: What is measured, as `measure` calls it.
        low: The quantity at degree 0.
        high: The quantity at degree 1.
        removed_by: Instruction of a Pillow edit that takes it away, or most of it, where it is
            strong; None where there is none. How much is left, the judge tells: turning a picture
            takes no direction away where all are strong, and brightness lights no black.
    """

    phrase: str
    pooling: Pooling
    quantity: str
    low: float
    high: float
    removed_by: Instruction | None = None

    def degree(self, value: float) -> float:
        """The quantity as a degree in 0 to 1; what lies outside the range is cut off."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def statistics(image: Image.Image) -> dict[str, float]:
    """Every statistic of a picture: phrase -> degree in 0 to 1.

    Args:
        image: Of any size; it is stretched to a square.
    """
    measured = measure(image)
    return {s.phrase: s.degree(measured[s.pooling, s.quantity]) for s in STATISTICS.values()}


def _all() -> Iterator[Statistic]:
    for colour in COLOURS:
        article = "an" if colour[0] in "aeiou" else "a"
        removes, removes_place = _SHADES.get(colour, (_RECOLOUR, _RECOLOUR))
        top = 0.95 if colour == "grey" else 0.5  # half a picture of grey is common
        yield Statistic(f"{colour} colouring", "whole", colour, 0.03, top, removes)
        yield Statistic(f"{article} {colour} patch", "somewhere", colour, 0.1, 0.9, removes_place)
    yield Statistic("darkness", "whole", "dark", 0.25, 0.95, _LIGHTEN)
    yield Statistic("a dark patch", "somewhere", "dark", 0.4, 1, _FLATTEN)
    for quantity, whole, all_over, place, at_most, removed in _LOCAL:
        yield Statistic(whole, "whole", quantity, *all_over, removed)
        yield Statistic(place, "somewhere", quantity, *at_most, removed)
    yield Statistic("a bright spot", "somewhere", "bright spot", 0.05, 0.48, _SMEAR)
    yield Statistic("a dark spot", "somewhere", "dark spot", 0.05, 0.42, _SMEAR)
    yield Statistic("many colours", "whole", "colours", 5, 280, _FADE)
    yield Statistic("left-right symmetry", "whole", "symmetry", 0, 0.9)
    for side in ("top", "bottom", "left", "right"):
        moved = _SWAP if side in ("left", "right") else _TURN_OVER
        yield Statistic(f"brighter at the {side}", "whole", f"light {side}", 0.02, 0.3, moved)
        yield Statistic(f"more edges at the {side}", "whole", f"edges {side}", 0.03, 0.35, moved)
    for place, part in (("in the centre", "centre"), ("near the rim", "rim")):
        yield Statistic(f"brighter {place}", "whole", f"light {part}", 0.02, 0.3)
        yield Statistic(f"more edges {place}", "whole", f"edges {part}", 0.03, 0.35)


#: The whole vocabulary, by phrase.
STATISTICS = {s.phrase: s for s in _all()}
