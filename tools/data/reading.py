"""Reading pictures that strangers made: every fault comes as one named error."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hubel.tools.data import DataError, UnreadablePicture

#: More pixels than this are refused before they are decoded. Pillow warns from here on.
MAX_PIXELS = 89_478_485

#: Longer pictures are shrunk to this when read: networks look at 200 to 500 pixels.
MAX_SIDE = 1024

#: What stands behind transparent parts: black and white drawings both show on it.
BACKGROUND = (128, 128, 128)

#: The decoders in use. Others can start programs (EPS) or mean something else than a picture.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


def read_picture(source: Path | bytes, name: str) -> Image.Image:
    """Decode a picture: upright (EXIF), RGB, 8 bits, at most `MAX_SIDE` long, first frame.

    Args:
        source: A file, or the bytes of one.
        name: What error messages call it.

    Raises:
        UnreadablePicture: It is missing, empty, corrupt, truncated, too large or no picture.
    """
    try:
        with Image.open(_opened(source), formats=FORMATS) as file:
            if file.width * file.height > MAX_PIXELS:
                raise UnreadablePicture(f"{name}: {_too_large(file.width, file.height)}")
            file.draft(None, (MAX_SIDE, MAX_SIDE))
            image = _rgb(ImageOps.exif_transpose(file))
    except UnreadablePicture:
        raise
    except UnidentifiedImageError:
        raise UnreadablePicture(f"{name}: {_not_a_picture(source)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadablePicture(f"{name}: {_too_large()}") from None
    # Decoders answer broken data with errors of almost every class.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise UnreadablePicture(f"{name}: cannot be decoded ({why})") from error
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BICUBIC)
    return image


def require_readable(name: str, read: int, unreadable: Sequence[UnreadablePicture]) -> None:
    """Refuse a data set of which not one picture could be read.

    Args:
        name: The data set.
        read: How many pictures were read.
        unreadable: The errors of the others.

    Raises:
        DataError: `read` is 0; the message gives the first reasons.
    """
    if read:
        return
    reasons = "; ".join(str(error) for error in unreadable[:3]) or "it has none"
    raise DataError(f"No picture of {name} can be read ({len(unreadable)} tried): {reasons}.")


def _opened(source: Path | bytes) -> Path | io.BytesIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source


def _not_a_picture(source: Path | bytes) -> str:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    return "the file is empty" if size == 0 else f"not a {', '.join(FORMATS)} picture"


def _too_large(*size: int) -> str:
    said = f"{size[0]} x {size[1]}" if size else "it"
    return f"too large: {said} has more than the {MAX_PIXELS:,} pixels that are allowed"


def _rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB; alpha is laid on `BACKGROUND`."""
    if image.mode.startswith("I"):  # 16 bits a pixel, whatever the container
        scaled = np.clip(np.asarray(image, dtype=np.float64) / 257, 0, 255)
        return Image.fromarray(scaled.round().astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ValueError("floating-point pixels: what is white is not known")
    if image.has_transparency_data:
        upper = image.convert("RGBA")
        return Image.alpha_composite(
            Image.new("RGBA", upper.size, (*BACKGROUND, 255)), upper
        ).convert("RGB")
    return image.convert("RGB")
