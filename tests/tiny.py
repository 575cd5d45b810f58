"""A tiny network with planted units, opened by the lab as ``file:tests/tiny.py:make``.

Channel 0 of ``blocks.0`` measures red, channel 1 is constant, the others are random filters.
"""

import numpy as np
import torch
from PIL import Image
from torch import nn

from hubel.tools.targets.preprocessing import squash

RED, CONSTANT, RANDOM = "blocks.0:0", "blocks.0:1", "blocks.0:2"


class Tiny(nn.Module):
    """Two convolutions and a classifier; 32-pixel pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.ReLU()),
        )
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(x).mean(dim=(2, 3)))


def small(picture: Image.Image) -> torch.Tensor:
    pixels = np.asarray(squash(picture, 32, 32))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


def make() -> tuple[nn.Module, object]:
    torch.manual_seed(0)
    net = Tiny()
    first = net.blocks[0][0]
    with torch.no_grad():
        first.weight[:2] = 0.0
        first.bias[:2] = torch.tensor([-0.5, 1.0])
        # Red that is neither green nor blue, averaged over nine pixels.
        first.weight[0] = torch.tensor([2.0, -1.0, -1.0]).view(3, 1, 1) / 9
    return net.eval(), small
