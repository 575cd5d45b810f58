"""The grammar of unit names.

A unit is one scalar inside a network:

- ``<site>:<index>`` - one channel of the output of the module at path ``<site>``;
- ``<site>@<file>:<index>`` - the projection of that output on row ``<index>`` of the tensor
  ``directions`` in a safetensors file.

`<attention path>#<head>` (one attention head) is part of the grammar, and refused by name until
targets can read heads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNIT = re.compile(r"(?P<site>[^:@#]+)(?:@(?P<file>.+))?:(?P<index>\d+)")
_HEAD = re.compile(r"[^:@#]+#\d+")


@dataclass(frozen=True, slots=True)
class Unit:
    """One scalar inside a network.

    Attributes:
        site: Path of the module whose output holds the unit, as in ``named_modules()``.
        index: Channel of that output, or row of the directions file.
        file: Path of a safetensors file with directions, or None for a channel.
    """

    site: str
    index: int
    file: str | None = None

    @classmethod
    def parse(cls, name: str) -> Unit:
        """Read a unit name.

        Raises:
            ToolError: The text is not a unit name.
        """
        if match := _UNIT.fullmatch(name.strip()):
            return cls(match["site"], int(match["index"]), match["file"])
        if _HEAD.fullmatch(name.strip()):
            raise ToolError(
                f"'{name}' names an attention head, which targets cannot read yet: "
                "name a channel, as in 'blocks.3:17'."
            )
        raise ToolError(
            f"'{name}' is not a unit name: write SITE:INDEX, as in 'blocks.3:17', "
            "or SITE@FILE.safetensors:INDEX for a direction."
        )

    def __str__(self) -> str:
        """The name that `parse` reads back."""
        at = f"@{self.file}" if self.file is not None else ""
        return f"{self.site}{at}:{self.index}"


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence end that names the nearest right names, for error messages."""
    names = list(known)
    close = get_close_matches(name, names, n=3, cutoff=0.4)
    if close:
        return "Did you mean " + " or ".join(repr(c) for c in close) + "?"
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    return f"Known: {shown or 'none'}."
