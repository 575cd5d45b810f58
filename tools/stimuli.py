"""Stimuli: pictures named by their pixels and by how they were made."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from hubel.tools.files import write_whole
from hubel.tools.result import Artifact
from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


#: Bytes of a picture that is taken over from a lab.
LARGEST = 64 << 20


def picture_id(image: Image.Image) -> str:
    """SHA-256 (hex) of width, height and RGB bytes: the same for the same pixels."""
    rgb = image.convert("RGB")
    digest = hashlib.sha256(f"rgb {rgb.width}x{rgb.height} ".encode())
    digest.update(rgb.tobytes())
    return digest.hexdigest()


def stimulus_id(image: Image.Image, kind: str, provenance: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the pixels and of how they came to be.

    Two edits may end in the same pixels, and each has its own parent; so the record is part of
    what a stimulus is, and a name never depends on which of the two was made first.
    """
    record = json.dumps([picture_id(image), kind, provenance], sort_keys=True)
    return hashlib.sha256(record.encode()).hexdigest()


class PictureStore:
    """A folder of PNG files named by content, each with its provenance beside it as JSON.

    Writes are atomic, so a folder is whole after a kill at any moment. `extra` folders are only
    read: the lab writes to its scratch and reads what the host has kept. `stamp` goes into the
    provenance of every picture that is put.
    """

    def __init__(
        self, root: Path, extra: Sequence[Path] = (), stamp: Mapping[str, Any] | None = None
    ) -> None:
        self.root = root
        self._roots = (root, *extra)
        self._stamp = dict(stamp or {})

    def path(self, picture: str) -> Path:
        """Where the PNG file of a picture lies.

        Raises:
            ToolError: No such picture.
        """
        if len(picture) == 64 and set(picture) <= set("0123456789abcdef"):
            for root in self._roots:
                found = _place(root, picture)
                if found.exists():
                    return found
        raise ToolError(
            f"There is no picture '{picture[:70]}': use an id that a tool returned in this study."
        )

    def put(self, image: Image.Image, provenance: dict[str, Any], kind: str) -> Artifact:
        """Keep a picture with how it came to be (JSON)."""
        provenance = provenance | self._stamp
        name = stimulus_id(image, kind, provenance)
        place = _place(self.root, name)
        if not place.exists():
            record = json.dumps({"kind": kind, "provenance": provenance}).encode()
            write_whole(place.with_suffix(".json"), lambda file: file.write(record))
            rgb = image.convert("RGB")
            write_whole(place, lambda file: rgb.save(file, format="PNG", compress_level=1))
        return self.artifact(name)

    def image(self, picture: str) -> Image.Image:
        """The picture, RGB."""
        with Image.open(self.path(picture)) as file:
            return file.convert("RGB")

    def artifact(self, picture: str) -> Artifact:
        """What is known of a picture."""
        record = json.loads(self.path(picture).with_suffix(".json").read_text())
        return Artifact(picture, record["kind"], record["provenance"])

    def adopt(self, artifact: Artifact, source: PictureStore) -> None:
        """Take a picture over from another store, after checking that it is what its id says.

        The other store may be somebody else's: a link, a pipe or a file of another kind in it is
        refused.

        Raises:
            ToolError: There is no such picture, or it is no plain PNG file of a sane size.
            ValueError: Its pixels and provenance do not have that id.
        """
        if _place(self.root, artifact.id).exists():
            return
        image = _untrusted(source.path(artifact.id))
        if stimulus_id(image, artifact.kind, artifact.provenance) != artifact.id:
            raise ValueError(f"picture {artifact.id} is not what its id says")
        self.put(image, artifact.provenance, artifact.kind)


def _untrusted(path: Path) -> Image.Image:
    """The picture of a file that may have been put there to do harm."""
    wrong = ToolError(f"The picture '{path.name}' is no plain PNG file.")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
                raise wrong
            with Image.open(file, formats=["PNG"]) as image:
                return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise wrong from None


def _place(root: Path, picture: str) -> Path:
    return root / picture[:2] / f"{picture}.png"
