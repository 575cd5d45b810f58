"""What an index tells about a unit: entries of its lists, and its statistics."""

from __future__ import annotations

from dataclasses import dataclass

from hubel.tools.indexing.strata import Stratum

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture and how strongly a unit responds to it.

    Attributes:
        number: The picture's number in the data set.
        activation: Maximum over positions.
        position: (row, column) of that maximum as parts of the map; None where it has none, or
            where the index holds no places.
    """

    number: int
    activation: float
    position: Place | None


@dataclass(frozen=True, slots=True)
class SampleEntry(Entry):
    """An entry of a sample over the range.

    Attributes:
        stratum: Its part of the range.
        weight: How many pictures of the half it stands for.
    """

    stratum: Stratum
    weight: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """A unit over all readable pictures of a half.

    Attributes:
        pictures: Their number, n.
        mean: Mean activation.
        sd: Its standard deviation (over n).
        low: Lowest.
        high: Highest.
        zero_share: Share of pictures with an activation of exactly zero.
        tied: Pictures that share the highest activation: where there are many, the strongest are
            an arbitrary choice (the first) among them.
        constant: The activation is the same on every picture.
    """

    pictures: int
    mean: float
    sd: float
    low: float
    high: float
    zero_share: float
    tied: int
    constant: bool
