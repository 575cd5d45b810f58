"""Pictures that lie in a folder as files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from PIL import Image

from hubel.tools.data import DataError, Item
from hubel.tools.data.reading import read_picture

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")


@dataclass(frozen=True, slots=True)
class Notes:
    """What is written down about one picture.

    Attributes:
        labels: Its class names.
        caption: A sentence about it.
        group: Pictures of one group stay in one half of the split; None for a group of its own.
    """

    labels: tuple[str, ...] = ()
    caption: str | None = None
    group: str | None = None


class PictureFiles:
    """A data set of files below `root`.

    Args:
        name: The name under which users asked for it.
        root: The folder.
        files: Paths relative to it, in the order of their numbers.
        notes: Path -> what is known of the picture; files without an entry have no notes.
    """

    def __init__(
        self, name: str, root: Path, files: Sequence[str], notes: Mapping[str, Notes]
    ) -> None:
        self._name = name
        self._root = root
        self._files = files
        self._notes = notes
        self._groups = [self._about(file).group or printable(file) for file in files]

    @property
    def name(self) -> str:
        """The name under which users asked for it."""
        return self._name

    @property
    def groups(self) -> Sequence[str]:
        """For each picture its group: the file's name, unless its notes say otherwise."""
        return self._groups

    def fingerprint(self) -> str:
        """Hash of the names, sizes, dates and notes (hex)."""
        digest = hashlib.sha256()
        for file in self._files:
            stat = (self._root / file).stat()
            line = (printable(file), stat.st_size, stat.st_mtime_ns, self._about(file))
            digest.update(repr(line).encode())
        return digest.hexdigest()

    def item(self, number: int) -> Item:
        """Read one picture.

        Raises:
            UnreadablePicture: It cannot be decoded, or is gone.
        """
        file = self._files[number]
        name, notes = printable(file), self._about(file)
        image = read_picture(self._root / file, name)
        return noted(self._name, name, image, notes)

    def _about(self, file: str) -> Notes:
        return self._notes.get(file, _NOTHING)


_NOTHING = Notes()


def noted(data: str, name: str, image: Image.Image, notes: Notes) -> Item:
    """The item of a picture of a data set, its provenance filled in."""
    provenance = {
        "kind": "picture",
        "data": data,
        "item": name,
        "labels": list(notes.labels),
        "caption": notes.caption,
    }
    return Item(name, image, notes.labels, notes.caption, provenance)


def printable(file: str) -> str:
    """A path as valid Unicode with forward slashes; stray bytes become escapes."""
    return os.fsencode(file).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def walk(root: Path) -> Iterator[tuple[str, str, list[str]]]:
    """The folders below `root`, sorted, each once, though links form a loop.

    Hidden files and folders are left out.

    Yields:
        The folder, its path relative to `root` ("" for `root`), and the names of its files.

    Raises:
        DataError: A folder cannot be listed.
    """
    seen: set[tuple[int, int]] = set()
    for folder, below, files in os.walk(root, onerror=_refuse, followlinks=True):
        stat = Path(folder).stat()
        below[:] = sorted(b for b in below if not b.startswith((".", "__MACOSX")))
        if (stat.st_dev, stat.st_ino) in seen:
            below.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        relative = os.path.relpath(folder, root)
        shown = sorted(f for f in files if not f.startswith("."))
        yield folder, "" if relative == "." else relative, shown


def _refuse(error: OSError) -> NoReturn:
    raise DataError(f"The folder '{error.filename}' cannot be listed: {error.strerror}.")


def is_picture(folder: str, file: str) -> bool:
    """Whether a name ends as a picture's does and is a regular file (or a link to one)."""
    return file.lower().endswith(SUFFIXES) and Path(folder, file).is_file()
