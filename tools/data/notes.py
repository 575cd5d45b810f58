"""Captions and metadata files that lie beside pictures, in the layouts people use.

- ``metadata.jsonl``, ``metadata.csv`` (as Hugging Face imagefolders have them) and
  ``captions.csv``: a column ``file_name`` (or ``image``, ``file``, ``filename``) and any of
  ``caption`` (or ``text``), ``label`` (or ``labels``) and ``group``;
- ``captions.json``: {file: caption or captions}, a list of such rows, or the COCO layout;
- ``captions.txt``: a line per picture, ``file<TAB>caption`` or ``file,caption``; a number after
  the file (``file#2``) is cut off.

File names are relative to the folder of the notes. Several captions of a picture are joined.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hubel.tools.data import DataError
from hubel.tools.data.files import Notes

Row = Mapping[str, Any]

_FILE = ("file_name", "image", "file", "filename")
_CAPTION = ("caption", "text", "captions")
_LABEL = ("label", "labels")


def read_notes(path: Path) -> dict[str, Notes]:
    """The notes of one file, by picture, as a path relative to the file's folder.

    Raises:
        DataError: The file does not have the layout that its name promises.
    """
    try:
        rows = list(LAYOUTS[path.name](path.read_text(encoding="utf-8-sig")))
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a {path.name}: {error}.") from error
    return _by_file(rows, path)


def _by_file(rows: Iterable[Row], path: Path) -> dict[str, Notes]:
    out: dict[str, Notes] = {}
    for row in rows:
        file = _first(row, _FILE)
        if file is None:
            raise DataError(f"{path} has no column {_FILE[0]}: it is needed to know the picture.")
        key = os.path.normpath(str(file))
        before = out.get(key, Notes())
        group = row.get("group")
        out[key] = Notes(
            labels=tuple(dict.fromkeys((*before.labels, *_texts(_first(row, _LABEL))))),
            caption=" / ".join(_texts(before.caption) + _texts(_first(row, _CAPTION))) or None,
            group=before.group if group in (None, "") else str(group),
        )
    return out


def _first(row: Row, names: Iterable[str]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    many = value if isinstance(value, list) else [value]
    return [str(v).strip() for v in many if str(v).strip()]


def _csv(text: str) -> Iterator[Row]:
    yield from csv.DictReader(text.splitlines(), strict=True)


def _jsonl(text: str) -> Iterator[Row]:
    for line in filter(str.strip, text.splitlines()):
        yield dict(json.loads(line))


def _json(text: str) -> Iterator[Row]:
    found = json.loads(text)
    if isinstance(found, list):
        yield from map(dict, found)
    elif "annotations" in found:  # COCO
        files = {image["id"]: image["file_name"] for image in found["images"]}
        for a in found["annotations"]:
            yield {"file_name": files[a["image_id"]], "caption": a["caption"]}
    else:
        yield from ({"file_name": f, "caption": c} for f, c in found.items())


def _txt(text: str) -> Iterator[Row]:
    for line in filter(str.strip, text.splitlines()):
        file, found, caption = line.partition("\t" if "\t" in line else ",")
        if not found:
            raise ValueError(f"no tab and no comma in the line '{line[:60]}'")
        if file.strip().lower() not in _FILE:  # else it is the heading
            yield {"file_name": file.strip().split("#")[0], "caption": caption}


LAYOUTS: dict[str, Callable[[str], Iterator[Row]]] = {
    "metadata.jsonl": _jsonl,
    "metadata.csv": _csv,
    "captions.csv": _csv,
    "captions.json": _json,
    "captions.txt": _txt,
}
