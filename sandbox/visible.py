"""What of the host's files a lab may see: what the names of its target and data mean, no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from hubel.tools.targets.fetch import hub_folders

#: What a Python file of a user's brings along from its folder: modules and weights.
_BESIDE = (".py", ".safetensors", ".pt", ".pth", ".npy", ".npz")


def visible(*names: str | None) -> list[Path]:
    """Files and folders on this machine that names of targets and data sets speak of.

    A Python file brings the modules and the weights beside it; hidden files, and links that lead
    out of its folder, stay hidden.

    Args:
        names: As users type them, as in ``file:model.py:make`` or ``scenes:40+photos/``.
    """
    found: dict[Path, None] = {}
    for name in filter(None, names):
        for piece in (name, *name.split("+")):
            found |= dict.fromkeys(_named(piece))
            found |= dict.fromkeys(hub_folders(piece))
    return list(found)


def _named(piece: str) -> Iterator[Path]:
    """Each run of the parts between colons that is a path which exists."""
    parts = piece.split(":")
    for begin in range(len(parts)):
        for end in range(len(parts), begin, -1):
            text = ":".join(parts[begin:end]).partition("@")[2] or ":".join(parts[begin:end])
            path = Path(text).expanduser()
            if text and path.exists():
                yield from _with_neighbours(path.absolute())
                break


def _with_neighbours(path: Path) -> Iterable[Path]:
    yield path
    if path.suffix == ".py":
        folder = path.parent.resolve()
        for beside in path.parent.iterdir():
            package = beside.is_dir() and (beside / "__init__.py").is_file()
            module = beside.is_file() and beside.suffix in _BESIDE
            # A link that somebody's repository brings along may lead anywhere.
            stays = beside.resolve().is_relative_to(folder)
            if stays and not beside.name.startswith(".") and (package or module):
                yield beside
