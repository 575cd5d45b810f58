"""Files that are whole or not there at all, whenever the process is killed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside its place and move it there when it is complete.

    Args:
        path: Where it belongs; its folder is made if need be.
        write: Called with the open file.

    Raises:
        OSError: It cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not a temporary file of the library's: those are for their user alone, and a box has another.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with beside.open("xb") as file:
        try:
            write(file)
        except BaseException:
            beside.unlink()
            raise
    beside.replace(path)
