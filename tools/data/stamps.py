"""`stamps`: the photographs and drawings of Debian's tuxpaint-stamps-default, where installed.

Each is cut out (transparent around the object), has a caption, and folders for categories.
"""

from __future__ import annotations

from pathlib import Path

from hubel.tools.data import DataError, Dataset
from hubel.tools.data.files import Notes, PictureFiles, is_picture, walk

FOLDER = "/usr/share/tuxpaint/stamps"


def load(argument: str) -> Dataset:
    """Open the stamps.

    Args:
        argument: Another folder of the same layout (``a/b/x.png`` with its caption on the first
            line of ``a/b/x.txt``), or nothing.

    Raises:
        DataError: They are not installed.
    """
    root = Path(argument or FOLDER).expanduser()
    missing = DataError(f"There are no stamps in {root}: apt install tuxpaint-stamps-default.")
    if not root.is_dir():
        raise missing
    notes = {
        str(Path(relative, name)): _notes(Path(folder, name), relative)
        for folder, relative, names in walk(root)
        for name in names
        if name.endswith(".png") and is_picture(folder, name)
    }
    if not notes:
        raise missing
    return PictureFiles(f"stamps:{argument}" if argument else "stamps", root, list(notes), notes)


def _notes(picture: Path, relative: str) -> Notes:
    text = picture.with_suffix(".txt")
    lines = text.read_text(encoding="utf-8").splitlines() if text.is_file() else []
    caption = lines[0].strip() if lines else None
    return Notes(labels=tuple(Path(relative).parts), caption=caption or None)
