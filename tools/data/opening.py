"""From what a user types to a data set."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from hubel.tools.data import DataError, Dataset
from hubel.tools.data.combined import Combined
from hubel.tools.units import nearest

GROUP = "hubel.data"


def open_data(spec: str) -> Dataset:
    """Open a data set by its name.

    Args:
        spec: ``KIND:ARGUMENT`` or ``KIND`` (see `kinds`), the path of a folder of pictures, or
            several of these joined with ``+``.

    Raises:
        DataError: No such kind or folder (the message names the nearest), or it has no pictures.
    """
    parts = _parts(spec)
    if len(parts) > 1:
        return Combined(spec, [open_data(part) for part in parts])
    kind, _, argument = spec.partition(":")
    known = kinds()
    if kind not in known and Path(spec).expanduser().is_dir():
        kind, argument = "folder", spec
    if kind not in known:
        what = f"'{spec}' is neither a folder nor a kind of data set"
        raise DataError(f"{what}. {nearest(kind, known)} Write KIND:ARGUMENT or a folder's path.")
    load: Callable[[str], Dataset] = known[kind]()
    data = load(argument)
    if not data.groups:
        raise DataError(f"The data set '{spec}' has no pictures.")
    return data


def kinds() -> dict[str, Callable[[], Callable[[str], Dataset]]]:
    """The kinds of data sets that are installed: name -> what imports its `load` function."""
    return {point.name: point.load for point in sorted(entry_points(group=GROUP))}


def _parts(spec: str) -> list[str]:
    """`spec` cut at each + that a kind or a folder follows: paths may hold others."""
    pieces: list[str] = []
    for piece in spec.split("+"):
        starts = piece.partition(":")[0] in kinds() or Path(piece).expanduser().is_dir()
        if starts or not pieces:
            pieces.append(piece)
        else:
            pieces[-1] += f"+{piece}"
    return pieces
