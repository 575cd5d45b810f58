"""Pictures of pages: shown by address, scaled when they are asked for."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from hubel.agent.web.album import Album
from hubel.tools.spec import ToolError
from hubel.tools.stimuli import PictureStore

#: Longest side of a picture as it is sent, in pixels; pages show it at half of that or less.
SIDE = 480
#: What an uploaded picture may have: bytes are limited before; pixels; formats.
PIXELS, FORMATS, LARGEST_SIDE = 50_000_000, ("PNG", "JPEG", "WEBP", "GIF", "BMP"), 1024

_SHOWN = Markup('<img class="pic" src="/pictures/{id}" alt="{alt}" title="{alt}" loading="lazy">')
_FULL = Markup(
    '<img class="pic" src="/pictures/{id}?full=1" alt="{alt}" title="{alt}" loading="lazy">'
)
_GONE = Markup('<span class="pic gone" role="img" aria-label="{alt}: {what}"><b>{what}</b></span>')


class Gallery(Album):
    """Pictures of a page of the server, by reference."""

    def show(self, picture: str, alt: str = "") -> Markup:
        """The picture by its address; where its file is gone, a placeholder that says so."""
        alt = alt or self.about(picture)
        try:
            self._store.path(picture)
        except ToolError:
            return _GONE.format(alt=alt, what="picture missing")
        figure = self._made.get(picture, {}).get("shown") == "figure"
        return (_FULL if figure else _SHOWN).format(id=picture, alt=alt)


@lru_cache(maxsize=512)
def scaled(path: Path) -> tuple[bytes, str]:
    """A picture as it is sent: its bytes and their type. Larger ones are scaled down.

    Raises:
        OSError: The file is no picture.
    """
    with Image.open(path, formats=["PNG"]) as image:
        if max(image.size) <= SIDE:
            return path.read_bytes(), "image/png"
        rgb = image.convert("RGB")
    rgb.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    rgb.save(out, "WEBP", quality=84, method=3)
    return out.getvalue(), "image/webp"


def uploaded(data: bytes, name: str, store: PictureStore) -> str:
    """Keep a picture that somebody uploaded; gives its id.

    It is decoded and written anew as PNG: nothing but its pixels is kept.

    Args:
        data: The file, of a size that was checked.
        name: What its owner calls it.
        store: Where it is kept.

    Raises:
        ValueError: It is no picture, or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > PIXELS:
                raise ValueError(f"the picture has more than {PIXELS // 1_000_000} million pixels")
            rgb = image.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(
            f"that is no picture that can be read: take {', '.join(FORMATS)}"
        ) from None
    rgb.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    about = {"kind": "picture", "data": "uploaded", "item": name[:200]}
    return store.put(rgb, about, "stimulus").id
