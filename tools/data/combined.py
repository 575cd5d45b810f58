"""Several data sets as one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hubel.tools.data import Dataset, Item


class Combined:
    """The pictures of all parts, evenly mixed, so that any stretch of numbers has some of each.

    Args:
        name: The name under which users asked for it.
        parts: The data sets.
    """

    def __init__(self, name: str, parts: Sequence[Dataset]) -> None:
        self._name = name
        self._parts = list(parts)
        self._places = sorted(
            (
                (number, part)
                for part, data in enumerate(parts)
                for number in range(len(data.groups))
            ),
            key=lambda place: ((place[0] + 0.5) / len(parts[place[1]].groups), place[1]),
        )
        self._groups = [
            f"{parts[part].name}/{parts[part].groups[number]}" for number, part in self._places
        ]

    @property
    def name(self) -> str:
        """The name under which users asked for it."""
        return self._name

    @property
    def groups(self) -> Sequence[str]:
        """For each picture the group that it has in its part, after the part's name."""
        return self._groups

    def fingerprint(self) -> str:
        """Hash of the parts' fingerprints (hex)."""
        together = " ".join(part.fingerprint() for part in self._parts)
        return hashlib.sha256(together.encode()).hexdigest()

    def item(self, number: int) -> Item:
        """Read one picture.

        Raises:
            UnreadablePicture: It is corrupt, truncated or too large.
        """
        within, part = self._places[number]
        return self._parts[part].item(within)
