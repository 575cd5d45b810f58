"""The pictures of a report: scaled down, embedded once each, and shown by reference."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from hubel.agent.wording import change_text, provenance_text

if TYPE_CHECKING:
    from PIL import Image

    from hubel.tools.stimuli import PictureStore

#: Longest side of an embedded picture, in pixels; of one that was drawn to be read.
SIDE, DRAWN = 224, 720

_SHOWN = Markup(
    '<svg class="pic" viewBox="0 0 {w} {h}" role="img" aria-label="{alt}"><title>{alt}</title>'
    '<use href="#{name}"/></svg>'
)
_SYMBOL = Markup(
    '<symbol id="{name}" viewBox="0 0 {w} {h}"><image width="{w}" height="{h}" '
    'href="data:image/webp;base64,{data}"/></symbol>\n'
)
_GONE = Markup(
    '<span class="pic gone" role="img" aria-label="{alt}: {what}"><b>{what}</b>'
    "<code>{short}</code></span>"
)


class Album:
    """Pictures of one report, by their ids.

    Args:
        store: Where they lie.
        made: Provenance of each, by id.
    """

    def __init__(self, store: PictureStore, made: Mapping[str, Mapping[str, Any]]) -> None:
        self._store = store
        self._made = made
        self._names: dict[str, str] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._symbols: list[Markup] = []

    def about(self, picture: str) -> str:
        """How a picture came to be, in words."""
        return provenance_text(self._made.get(picture, {}))

    def change(self, picture: str) -> str:
        """What the edit of a scene changed, in words; empty for any other picture."""
        return change_text(self._made.get(picture, {}).get("changed") or {})

    def show(self, picture: str, alt: str = "") -> Markup:
        """A reference to a picture; where its file is gone, a placeholder that says so."""
        alt = alt or self.about(picture)
        problem = self._embed(picture) if picture not in self._names else ""
        if problem:
            return _GONE.format(alt=alt, what=problem, short=str(picture)[:8])
        w, h = self._sizes[picture]
        return _SHOWN.format(w=w, h=h, alt=alt, name=self._names[picture])

    def symbols(self) -> Markup:
        """The pictures themselves; they stand once in the page, after everything shown."""
        return Markup("").join(self._symbols)

    def _embed(self, picture: str) -> str:
        """Embed a picture; returns what is wrong with it, or nothing."""
        from PIL import Image

        from hubel.tools.spec import ToolError

        try:
            image = self._store.image(picture)
        except ToolError:
            return "picture missing"
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return "picture unreadable"
        drawn = self._made.get(picture, {}).get("shown") == "figure"
        image.thumbnail((DRAWN, DRAWN) if drawn else (SIDE, SIDE), Image.Resampling.LANCZOS)
        name = f"p{len(self._symbols) + 1}"
        self._names[picture], self._sizes[picture] = name, image.size
        data = base64.b64encode(_encoded(image, drawn=drawn)).decode()
        self._symbols.append(_SYMBOL.format(name=name, w=image.width, h=image.height, data=data))
        return ""


def _encoded(image: Image.Image, *, drawn: bool) -> bytes:
    """WebP; what was drawn to be read without loss, where that is smaller."""
    lossy, exact = io.BytesIO(), io.BytesIO()
    image.save(lossy, "WEBP", quality=82, method=2)
    if not drawn:
        return lossy.getvalue()
    image.save(exact, "WEBP", lossless=True, quality=20, method=1)
    return min(lossy.getvalue(), exact.getvalue(), key=len)
