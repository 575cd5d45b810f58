"""`folder:PATH`: every picture below a folder.

The first folder below PATH is the label (a split's name such as ``train`` is passed over);
captions and metadata files are read wherever they lie, see `notes`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from hubel.tools.data import DataError, Dataset
from hubel.tools.data.files import SUFFIXES, Notes, PictureFiles, is_picture, walk
from hubel.tools.data.notes import LAYOUTS, read_notes

SPLITS = {"train", "training", "val", "valid", "validation", "dev", "test", "testing"}


def load(argument: str) -> Dataset:
    """Open a folder of pictures.

    Args:
        argument: Its path.

    Raises:
        DataError: No such folder, no pictures in it, or a notes file that fits nothing.
    """
    root = Path(argument).expanduser()
    if not root.is_dir():
        raise DataError(f"There is no folder '{argument}': give the path of a folder of pictures.")
    files: list[str] = []
    notes: dict[str, Notes] = {}
    for folder, relative, names in walk(root):
        files += [str(Path(relative, n)) for n in names if is_picture(folder, n)]
        for name in filter(LAYOUTS.__contains__, names):
            for file, said in read_notes(Path(folder, name)).items():
                key = os.path.normpath(Path(relative, file))
                notes[key] = _merged(notes.get(key, Notes()), said)
    if not files:
        raise DataError(
            f"There is no picture in '{argument}': files ending in {', '.join(SUFFIXES)} are read."
        )
    if notes and notes.keys().isdisjoint(files):
        raise DataError(
            f"The captions or metadata in '{argument}' name no picture that is there, "
            f"'{next(iter(notes))}' for one: names are relative to the folder of the notes."
        )
    known = {file: _with_class(file, notes.get(file, Notes())) for file in files}
    return PictureFiles(f"folder:{argument}", root, files, known)


def _merged(first: Notes, second: Notes) -> Notes:
    captions = [c for c in (first.caption, second.caption) if c]
    return Notes(
        labels=tuple(dict.fromkeys((*first.labels, *second.labels))),
        caption=" / ".join(dict.fromkeys(captions)) or None,
        group=second.group or first.group,
    )


def _with_class(file: str, notes: Notes) -> Notes:
    folders = [f for f in Path(file).parts[:-1] if f.lower() not in SPLITS]
    return replace(notes, labels=tuple(dict.fromkeys((*folders[:1], *notes.labels))))
