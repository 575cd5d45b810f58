"""Pictures in the terminal: drawn where it can draw, else a link to a file.

Three protocols are in use. Kitty's (https://sw.kovidgoyal.net/kitty/graphics-protocol/) and
iTerm2's (https://iterm2.com/documentation-images.html) take a PNG file; sixel (DEC, 1983; VT3xx
Graphics Programming, chapter 14) takes rows of six pixels in up to 256 colours.
"""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from rich.console import Console, ConsoleOptions
from rich.segment import ControlType, Segment
from rich.text import Text

from hubel.tools.stimuli import PictureStore

Way = Literal["kitty", "iterm2", "sixel", "link", "path"]

#: Pixels: height of a picture in a strip, and the space between two.
HEIGHT, SPACE = 112, 6
#: Pictures in a strip.
MOST = 6
#: Bytes of base64 in one of kitty's commands, by its protocol.
_CHUNK = 4096
#: Sixels that repeat.
_RUN = re.compile(r"(.)\1{3,}")
_ITERM2 = ("iTerm.app", "WezTerm")
_LINKS = ("KONSOLE_VERSION", "VTE_VERSION", "WT_SESSION")


def way_of(environment: Mapping[str, str] = os.environ) -> Way:
    """How the terminal shows pictures, as far as its environment says.

    ``HUBEL_PICTURES`` decides where it is set: kitty, iterm2, sixel, link (OSC 8) or path.

    Raises:
        ValueError: ``HUBEL_PICTURES`` is none of these.
    """
    asked, term = environment.get("HUBEL_PICTURES"), environment.get("TERM", "")
    program = environment.get("TERM_PROGRAM", "")
    if asked:
        for way in ("kitty", "iterm2", "sixel", "link", "path"):
            if asked == way:
                return way
        raise ValueError(f"HUBEL_PICTURES is '{asked}': kitty, iterm2, sixel, link or path")
    if "TMUX" in environment or "STY" in environment:  # they pass no pictures on
        return "path"
    if "KITTY_WINDOW_ID" in environment or term in ("xterm-kitty", "xterm-ghostty"):
        return "kitty"
    if program in _ITERM2 or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    if term.startswith(("foot", "mlterm", "contour")) or "sixel" in term:
        return "sixel"
    if program == "vscode" or any(name in environment for name in _LINKS):
        return "link"
    return "path"


def strip(images: Sequence[Image.Image]) -> Image.Image:
    """Pictures side by side at one height, on white."""
    sized = [i.resize((max(1, round(i.width * HEIGHT / i.height)), HEIGHT)) for i in images]
    width = sum(i.width for i in sized) + SPACE * (len(sized) - 1)
    out = Image.new("RGB", (width, HEIGHT), "white")
    x = 0
    for image in sized:
        out.paste(image, (x, 0))
        x += image.width + SPACE
    return out


class Pictures:
    """Shows pictures of a store on a console.

    Args:
        console: Where.
        store: Has the pictures.
        folder: Where strips are kept that can only be linked to.
        way: How they are shown; a path where the console is no terminal.
    """

    def __init__(self, console: Console, store: PictureStore, folder: Path, way: Way) -> None:
        self._console = console
        self._store = store
        self._folder = folder
        self._way: Way = way if console.is_terminal else "path"

    def show(self, ids: Sequence[str], name: str) -> None:
        """Show pictures as one strip.

        Args:
            ids: Ids of pictures in the store; the first few are shown.
            name: Name of the strip's file, where it becomes one.

        Raises:
            ToolError: There is no such picture.
        """
        image = strip([self._store.image(i) for i in ids[:MOST]])
        if self._way in ("link", "path"):
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{name}.png"
            image.save(path)
            url = path.absolute().as_uri()
            linked = Text(f"    {len(ids[:MOST])} pictures", f"underline link {url}")
            plain = Text(f"    pictures: {url}", "dim")
            self._console.print(linked if self._way == "link" else plain, soft_wrap=True)
        else:
            self._console.print(_Drawn(_DRAWN[self._way](image)))


class _Drawn:
    """A command of ours that draws, printed as it is."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> Iterator[Segment]:
        # A segment with a control code is written as it is, and counts as no characters.
        yield Segment(self._command, None, [(ControlType.CARRIAGE_RETURN,)])
        yield Segment.line()


def kitty(image: Image.Image) -> str:
    """The command that draws a picture in kitty: PNG (f=100), put at the cursor (a=T), quietly."""
    data = _png(image)
    parts = [data[i : i + _CHUNK] for i in range(0, len(data), _CHUNK)]
    last = len(parts) - 1
    heads = [f"{'a=T,f=100,q=2,' if i == 0 else ''}m={int(i < last)}" for i in range(len(parts))]
    return "".join(f"\x1b_G{head};{part}\x1b\\" for head, part in zip(heads, parts, strict=True))


def iterm2(image: Image.Image) -> str:
    """The command that draws a picture in iTerm2."""
    return f"\x1b]1337;File=inline=1;preserveAspectRatio=1:{_png(image)}\x07"


def sixel(image: Image.Image) -> str:
    """The command that draws a picture by sixels, in the 64 colours that suit it best."""
    indexed = image.convert("RGB").quantize(64)
    palette, pixels = indexed.getpalette() or [], np.asarray(indexed)
    out = [f'\x1bP0;1q"1;1;{image.width};{image.height}']
    for colour in np.unique(pixels):
        red, green, blue = (round(v * 100 / 255) for v in palette[3 * colour : 3 * colour + 3])
        out.append(f"#{colour};2;{red};{green};{blue}")
    for top in range(0, image.height, 6):
        band = pixels[top : top + 6]
        bits = 1 << np.arange(len(band))
        for colour in np.unique(band):
            signs = (63 + bits @ (band == colour)).astype(np.uint8).tobytes().decode()
            out.append(f"#{colour}{_RUN.sub(_shortened, signs)}$")
        out.append("-")
    return "".join(out) + "\x1b\\"


_DRAWN = {"kitty": kitty, "iterm2": iterm2, "sixel": sixel}


def _shortened(run: re.Match[str]) -> str:
    return f"!{len(run[0])}{run[1]}"


def _png(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()
