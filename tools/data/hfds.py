"""`hfds:PATH` or `hfds:PATH?split=NAME`: a data set saved by Hugging Face `datasets`.

Class label columns are labels, ``caption`` or ``text`` is the caption, ``group`` the group.
Pictures are decoded here, not by `datasets`, so a corrupt one is skipped by name.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubel.tools.data import DataError, Dataset, Item, UnreadablePicture
from hubel.tools.data.files import Notes, noted
from hubel.tools.data.reading import read_picture
from hubel.tools.units import nearest


def load(argument: str) -> Dataset:
    """Open a data set that `save_to_disk` wrote.

    Args:
        argument: Its folder, and the split where it has several.

    Raises:
        DataError: `datasets` is missing, it is no such folder or has no pictures or no such split.
    """
    path, _, split = argument.partition("?split=")
    root = Path(path).expanduser()
    try:
        library = importlib.import_module("datasets")
    except ModuleNotFoundError:
        raise DataError(
            "Reading 'hfds:' data needs the datasets library: pip install 'hubel[datasets]'."
        ) from None
    try:
        table = library.load_from_disk(str(root))
    except (OSError, ValueError) as error:
        raise DataError(f"'{path}' is not a data set saved by save_to_disk: {error}") from error
    if isinstance(table, library.DatasetDict):
        table = table[_split(path, list(table), split)]
    return SavedTable(f"hfds:{argument}", root, table, library)


def _split(path: str, names: list[str], wanted: str) -> str:
    if not wanted and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    said = f"has no split '{wanted}'. {nearest(wanted, names)}" if wanted else "has several splits."
    raise DataError(f"'{path}' {said} Write hfds:{path}?split={names[0]}, for instance.")


class SavedTable:
    """A table of pictures on disk; rows are read one at a time.

    Args:
        name: The name under which users asked for it.
        root: Its folder.
        table: A `datasets.Dataset`.
        library: The module `datasets`.

    Raises:
        DataError: No column holds pictures.
    """

    def __init__(self, name: str, root: Path, table: Any, library: Any) -> None:
        self._name = name
        self._root = root
        kinds = table.features
        pictures = [c for c, kind in kinds.items() if isinstance(kind, library.Image)]
        if not pictures:
            raise DataError(f"'{root}' has no column of pictures, only {', '.join(kinds)}.")
        self._picture = pictures[0]
        self._labels = {c: _class_names(c, kind, library) for c, kind in kinds.items()}
        self._labels = {c: names for c, names in self._labels.items() if names is not None}
        self._caption = next((c for c in ("caption", "text", "captions") if c in kinds), None)
        # Only what is used is read: other columns may need decoders of their own.
        used = {self._picture, *self._labels, *([self._caption] if self._caption else [])}
        self._table = table.select_columns(sorted(used))
        self._table = self._table.cast_column(self._picture, library.Image(decode=False))
        self._groups = (
            [str(group) for group in table["group"]]
            if "group" in kinds
            else [f"row {n}" for n in range(len(table))]
        )

    @property
    def name(self) -> str:
        """The name under which users asked for it."""
        return self._name

    @property
    def groups(self) -> Sequence[str]:
        """For each row its group: the column of that name, or the row itself."""
        return self._groups

    def fingerprint(self) -> str:
        """Hash of the names, sizes and dates of the files on disk, and of the name (hex)."""
        digest = hashlib.sha256(self._name.encode())
        for path in sorted(p for p in self._root.rglob("*") if p.is_file()):
            stat = path.stat()
            line = (str(path.relative_to(self._root)), stat.st_size, stat.st_mtime_ns)
            digest.update(repr(line).encode())
        return digest.hexdigest()

    def item(self, number: int) -> Item:
        """Read one row.

        Raises:
            UnreadablePicture: Its picture is missing or cannot be decoded.
        """
        row = self._table[number]
        name = f"row {number}"
        held = row[self._picture] or {}
        if held.get("bytes") is None and held.get("path") is None:
            raise UnreadablePicture(f"{name}: no picture in this row")
        source = Path(held["path"]) if held.get("bytes") is None else held["bytes"]
        return noted(self._name, name, read_picture(source, name), self._notes(row))

    def _notes(self, row: dict[str, Any]) -> Notes:
        labels: list[str] = []
        for column, names in self._labels.items():
            value = row[column]
            codes = value if isinstance(value, list) else [value]
            known = [code for code in codes if code not in (None, "", -1)]
            labels += [names[code] if names else str(code) for code in known]
        caption = row[self._caption] if self._caption else None
        if isinstance(caption, list):
            caption = " / ".join(map(str, caption))
        return Notes(tuple(dict.fromkeys(labels)), caption or None)


def _class_names(column: str, kind: Any, library: Any) -> list[str] | None:
    """Names of a label column's classes by code, [] if it holds the names; None for no labels."""
    inner = getattr(kind, "feature", kind)
    if isinstance(inner, library.ClassLabel):
        return list(inner.names)
    named = column in ("label", "labels") and getattr(inner, "dtype", "") == "string"
    return [] if named else None
