"""Data sets: pictures by number, read one at a time, split into discovery and held-out halves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL import Image


class UnreadablePicture(Exception):
    """One picture that cannot be read; the message names it and says why. It is skipped."""


class DataError(Exception):
    """A data set that cannot be used at all; one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a data set.

    Attributes:
        name: Its name in the data set, stable between runs (a relative path, for instance).
        image: RGB.
        labels: Class names, if the data set has any.
        caption: A sentence about it, if the data set has one.
        provenance: How it came to be: {"kind": "picture", "data": ..., "item": ...} or
            {"kind": "scene", "scene": <scene graph>}. Labels and caption are repeated there.
    """

    name: str
    image: Image.Image
    labels: tuple[str, ...] = ()
    caption: str | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


class Dataset(Protocol):
    """Pictures by number. Nothing but names and groups is held in memory."""

    @property
    def name(self) -> str:
        """The name under which users asked for it."""
        ...

    @property
    def groups(self) -> Sequence[str]:
        """For each picture, its group. Crops of one photograph share it, and so their half."""
        ...

    def fingerprint(self) -> str:
        """Hash of what the pictures are (names, sizes, dates; not the pixels)."""
        ...

    def item(self, number: int) -> Item:
        """Read one picture.

        Raises:
            UnreadablePicture: It is corrupt, truncated or too large.
        """
        ...


def held_out(data: Dataset) -> list[bool]:
    """For each picture, whether it belongs to the half that planners never see.

    The groups, ordered by what stands before the last slash of their name (a class folder, a kind
    of picture) and then by the hash of the whole, go to the halves in turn: each half has as many
    groups of every kind (within one), and adding pictures to a group moves none.
    """
    ordered = sorted(
        set(data.groups),
        key=lambda g: (g.rpartition("/")[0], hashlib.sha256(g.encode()).digest()),
    )
    kept = set(ordered[1::2])
    return [g in kept for g in data.groups]


def readable(
    data: Dataset, numbers: Iterator[int]
) -> Iterator[tuple[int, Item | UnreadablePicture]]:
    """Read pictures in order; one that cannot be read comes as its error."""
    for number in numbers:
        try:
            yield number, data.item(number)
        except UnreadablePicture as error:
            yield number, error
