"""The perception network: from pixels to evidence for numbered concepts at places.

A convolutional network of about a million weights finds the centres of things and of text and
classifies what lies around them (as in Zhou et al. 2019, "Objects as Points"): shape, colour,
texture and size of a thing, ink of a text, kind and colours of the background.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from hubel.tools.imagery.graph import RGB

#: Side of the pictures it sees, and of its maps.
SIDE, CELLS = 224, 28

_NEAR = 70.0  # distance in RGB, grey levels, from which a pixel is not at all of a palette colour


class Palette(nn.Module):
    """How near each pixel is to each colour that scenes are painted with; fixed, not trained."""

    weight: Tensor
    bias: Tensor

    def __init__(self) -> None:
        super().__init__()
        colours = torch.tensor(list(RGB.values()), dtype=torch.float32) / 255
        weight = torch.cat([2 * colours, -torch.ones_like(colours)], dim=1)
        scale = (255 / _NEAR) ** 2
        self.register_buffer("weight", weight[:, :, None, None] * scale, persistent=False)
        self.register_buffer("bias", 1 - colours.square().sum(dim=1) * scale, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels [N, 3, H, W] in 0 to 1 -> themselves and their nearness to each colour, 0 to 1."""
        both = torch.cat([pixels, pixels.square()], dim=1)
        near = functional.conv2d(both, self.weight, self.bias)
        return torch.cat([pixels, near.relu()], dim=1)


def _bias(conv: nn.Conv2d) -> Tensor:
    if conv.bias is None:
        raise ValueError("the convolution has no bias")
    return conv.bias


def _layer(before: int, after: int, size: int = 3, stride: int = 1, dilation: int = 1) -> nn.Module:
    pad = dilation * (size // 2)
    conv = nn.Conv2d(before, after, size, stride, pad, dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


class Residual(nn.Module):
    """One convolution, added to its input."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.layer = _layer(width, width, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same."""
        changed: Tensor = self.layer(x)
        return x + changed


class Perception(nn.Module):
    """Pixels -> logits.

    Args:
        classes: Number of classes by group: those of things, then ``ink``, and of the whole
            picture ``kind`` and ``ground``.
    """

    def __init__(self, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.groups = {g: n for g, n in classes.items() if g not in ("kind", "ground")}
        self.palette = Palette()
        self.fine = nn.Sequential(
            _layer(3 + len(RGB), 32, stride=2), _layer(32, 48, stride=2), _layer(48, 80, stride=2)
        )
        self.local = Residual(80)
        self.wide = nn.Sequential(
            _layer(80, 128, stride=2), *(Residual(128, dilation) for dilation in (1, 2, 1, 2, 1))
        )
        self.back = nn.Conv2d(128, 80, 1)
        self.join = _layer(80, 128)
        self.centres = nn.Conv2d(128, 2, 1)
        nn.init.constant_(_bias(self.centres), -4.0)  # most places are no centre
        self.classes = nn.Conv2d(128, sum(self.groups.values()), 1)
        self.whole = nn.Sequential(
            nn.Linear(2 * 128, 96), nn.ReLU(), nn.Linear(96, classes["kind"] + classes["ground"])
        )

    def pack(self) -> None:
        """Lay the weights out with channels last, which runs a third faster on a CPU."""
        for weight in self.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of what pictures hold.

        Args:
            pixels: [N, 3, 224, 224] in 0 to 1.

        Returns:
            That a thing and that a text has its centre here, [N, 2, 28, 28]; classes of what has
            its centre here, group after group, [N, classes, 28, 28]; kind and colours of the
            background, [N, classes].
        """
        return self.read(self.palette(pixels))

    def read(self, painted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same from the palette's output."""
        local = self.local(self.fine(painted))
        wide = self.wide(local)
        context = functional.interpolate(self.back(wide), scale_factor=2, mode="nearest")
        joined = self.join(local + context)
        pooled = torch.cat([wide.mean((2, 3)), wide.amax((2, 3))], dim=1)
        return self.centres(joined), self.classes(joined), self.whole(pooled)
