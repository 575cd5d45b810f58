"""An index on disk: one safetensors file, whole at any moment.

It is mapped into memory: opening it reads its header, a question about a unit the unit's lines.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from hubel.tools.indexing.running import Table
from hubel.tools.spec import ToolError

#: The halves of the data: planners see the first, the confirm step draws from the second.
HALVES = ("discovery", "held_out")


class Reader:
    """An index file, opened.

    Args:
        path: The file.

    Attributes:
        about: What the file says about itself: ``next`` (the picture that the pass goes on with),
            ``skipped``, ``k``, ``sample`` (numbers drawn in each half) and ``blocks``.

    Raises:
        ToolError: It is missing or not whole.
    """

    def __init__(self, path: Path) -> None:
        try:
            opened: Any = safe_open(path, framework="pt")
        except (OSError, SafetensorError) as error:
            raise ToolError(f"The index '{path}' cannot be read ({error}): delete it.") from None
        self._file = opened
        self.about: dict[str, Any] = json.loads(opened.metadata()["about"])

    def table(self, name: str, *, held_out: bool) -> Tensor:
        """A whole table of one half: a field of `Table`."""
        tensor: Tensor = self._file.get_tensor(f"{HALVES[held_out]}.{name}")
        return tensor

    def line(self, name: str, column: int, *, held_out: bool) -> Tensor:
        """One unit's line of a table."""
        line: Tensor = self._file.get_slice(f"{HALVES[held_out]}.{name}")[column]
        return line


def write(path: Path, about: dict[str, Any], tables: Sequence[Table]) -> None:
    """Write an index, finished or not, in one step: the old file stays until the new is there.

    One process at a time may write to a path.

    Args:
        path: The file.
        about: See `Reader`.
        tables: The table of each half.
    """
    named = {
        f"{half}.{name}": tensor
        for half, table in zip(HALVES, tables, strict=True)
        for name, tensor in table.tensors().items()
    }
    part = path.with_suffix(".part")
    save_file(named, part, {"about": json.dumps(about)})
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)


def read_tables(path: Path) -> tuple[Table, Table]:
    """The tables of both halves, in memory, to go on from."""
    tensors = load_file(path)
    first, second = (
        Table(**{f.name: tensors[f"{half}.{f.name}"] for f in fields(Table)}) for half in HALVES
    )
    return first, second
