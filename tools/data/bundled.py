"""`demo` or `demo:N`: N natural patches and N scenes with pictographs; nothing but pip is needed.

The patches are square crops, at several scales, of the sample photographs that lie in the wheel
of scikit-image. They have no labels and no captions: what is in a crop, nobody has written down.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from hubel.tools.data import DataError, Dataset, Item
from hubel.tools.data.combined import Combined
from hubel.tools.data.files import Notes, noted
from hubel.tools.data.reading import read_picture
from hubel.tools.data.scenes import RandomScenes, count

#: Patches, and as many scenes.
SIZE = 800

#: Pixels along a side of a patch.
SIDE = 224

#: Sides of the crops go from this to the photograph's shorter side, all scales alike. Smaller ones
#: would be enlarged more than twofold, to a blur.
LEAST = SIDE // 2

#: Drawings, a colour wheel, test patterns, a scrap of 102 pixels, and the second picture of a
#: stereo pair, which would stand on both sides of the split.
NO_PHOTOGRAPHS = {
    "chessboard_GRAY.png",
    "chessboard_RGB.png",
    "color.png",
    "horse.png",
    "logo.png",
    "microaneurysms.png",
    "motorcycle_right.png",
    "phantom.png",
}


def load(argument: str) -> Dataset:
    """Open the demo data.

    Args:
        argument: How many patches and how many scenes, `SIZE` if empty.

    Raises:
        DataError: scikit-image or the pictographs are not installed.
    """
    size = count(argument or str(SIZE), f"demo:{argument}")
    name = f"demo:{argument}" if argument else "demo"
    return Combined(name, [Patches("demo", photographs(), size), RandomScenes("demo", size)])


def photographs() -> list[Path]:
    """The sample photographs of scikit-image that are on this machine.

    Raises:
        DataError: scikit-image is not installed, or has none.
    """
    found = importlib.util.find_spec("skimage")
    folder = Path(found.origin).parent / "data" if found and found.origin else None
    files = sorted(folder.iterdir()) if folder and folder.is_dir() else []
    photos = [f for f in files if f.suffix in (".png", ".jpg") and f.name not in NO_PHOTOGRAPHS]
    if not photos:
        raise DataError("The demo pictures are missing: pip install 'hubel[demo]'.")
    return photos


class Patches:
    """Square crops of photographs, fixed by their number; crops of one photograph are a group.

    Args:
        name: What provenance calls the data set.
        photos: The photographs. Those in colour get two turns for one of the others.
        size: How many crops.
    """

    def __init__(self, name: str, photos: Sequence[Path], size: int) -> None:
        self._name = name
        kinds = {p: "colour photo" if _in_colour(p) else "grey photo" for p in photos}
        turns = [p for p in photos for _ in range(2 if kinds[p] == "colour photo" else 1)]
        self._photos = [turns[n % len(turns)] for n in range(size)]
        self._groups = [f"{kinds[photo]}/{photo.name}" for photo in self._photos]

    @property
    def name(self) -> str:
        """What provenance calls the data set."""
        return self._name

    @property
    def groups(self) -> Sequence[str]:
        """For each crop, the kind and name of its photograph."""
        return self._groups

    def fingerprint(self) -> str:
        """Hash of the photographs' names and sizes, and of how crops are made (hex)."""
        photos = sorted({(p.name, p.stat().st_size) for p in self._photos})
        made = (photos, len(self._photos), SIDE, LEAST)
        return hashlib.sha256(repr(made).encode()).hexdigest()

    def item(self, number: int) -> Item:
        """Cut one patch: `SIDE` pixels square.

        Raises:
            UnreadablePicture: The photograph cannot be decoded.
        """
        photo = self._photos[number]
        whole = _photograph(photo)
        rng = np.random.default_rng([number, 1])
        short = min(whole.size)
        side = round(min(LEAST, short) * max(short / LEAST, 1) ** rng.random())
        left = int(rng.integers(0, whole.width - side + 1))
        top = int(rng.integers(0, whole.height - side + 1))
        box = (left, top, left + side, top + side)
        image = whole.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)
        return noted(self._name, f"{photo.name} {side}px at {left},{top}", image, Notes())


def _in_colour(photo: Path) -> bool:
    with Image.open(photo) as file:
        return file.mode != "L"


@lru_cache(maxsize=24)  # all of them: 22 MB, and crops are cut from them in turn
def _photograph(path: Path) -> Image.Image:
    return read_picture(path, path.name)
