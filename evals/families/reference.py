"""The pictures on which control targets measure what they imitate."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from PIL import Image
from torch import Tensor

from hubel.tools.context import BATCH
from hubel.tools.data import DataError
from hubel.tools.data.bundled import load
from hubel.tools.spec import ToolError
from hubel.tools.target import Target

#: Half natural patches, half rendered scenes. 64 give a distribution's quantiles to within a
#: sixth (Kolmogorov-Smirnov, 95%), and take a small network two seconds.
COUNT = 64


def batches(target: Target, size: int = BATCH) -> Iterator[Tensor]:
    """The reference pictures as input batches of a target; always the same.

    Raises:
        ToolError: The extra with the pictures is not installed.
    """
    pictures = _pictures()
    for start in range(0, len(pictures), size):
        yield target.batch(pictures[start : start + size])


@cache
def _pictures() -> tuple[Image.Image, ...]:
    try:
        data = load(str(COUNT // 2))
        return tuple(data.item(number).image for number in range(COUNT))
    except DataError as error:
        raise ToolError(f"Control targets are measured on pictures: {error}") from None
