"""From pictures to an input batch, for networks that bring no preprocessing of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Squash:
    """Resize to a fixed size and normalise.

    The whole picture is resized, its proportions given up, and nothing is cropped off: what the
    network sees, what an activation map covers and what masks and positions refer to is then the
    same whole picture. Square pictures, which rendered scenes are, keep their proportions.

    Attributes:
        height: Rows of the input.
        width: Columns of the input.
        mean: Subtracted from each of red, green and blue, on the scale 0 to 255.
        std: Divides what is left.
    """

    height: int
    width: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, images: Sequence[Image.Image]) -> Tensor:
        """RGB pictures of any size -> [N, 3, height, width], float32."""
        squashed = [np.asarray(squash(image, self.height, self.width)) for image in images]
        pixels = torch.from_numpy(np.stack(squashed)).permute(0, 3, 1, 2).float()
        mean = torch.tensor(self.mean).view(1, 3, 1, 1)
        std = torch.tensor(self.std).view(1, 3, 1, 1)
        return ((pixels - mean) / std).contiguous()


def squash(image: Image.Image, height: int, width: int) -> Image.Image:
    """The whole picture at a size, RGB. One of that size already keeps its pixels."""
    rgb = image.convert("RGB")
    if rgb.size == (width, height):
        return rgb
    return rgb.resize((width, height), Image.Resampling.BICUBIC)


#: 224 pixels square, with the mean and deviation of ImageNet: what most classifiers are trained on.
IMAGENET = Squash(224, 224, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
