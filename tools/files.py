"""Files that are whole or not there at all, whenever the process is killed."""

from __future__ import annotations

import tempfile
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
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        beside = Path(file.name)
        try:
            write(file)
        except BaseException:
            beside.unlink()
            raise
    beside.replace(path)
