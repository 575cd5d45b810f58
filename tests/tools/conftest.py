"""A network small enough that every effect in it can be read off its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from hubel.tools.context import Context
from hubel.tools.data import Item
from hubel.tools.stimuli import PictureStore, picture_id
from hubel.tools.target import Target

SIDE = 16
CLASSES = ["scarlet", "lime", "navy", "snow", "fig", "plum", "teal", "sand"]

#: Units 0 to 3 of the site "colours": red, green, blue less the others, brightness. 4 to 7 random.
PLANTED = torch.tensor(
    [[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5], [-0.5, -0.5, 1.0], [0.34, 0.33, 0.33]]
)


class ColourNet(nn.Module):
    """Pixels -> eight 1x1 convolutions ("colours") -> maximum over the picture -> classes.

    Args:
        wiring: Weights of the head, [8 classes, 8 units].
    """

    def __init__(self, wiring: Tensor) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 8, 1, bias=False)
        self.colours = nn.ReLU()
        self.head = nn.Linear(8, 8, bias=False)
        rest = torch.randn(4, 3, generator=torch.Generator().manual_seed(3)) * 0.5
        with torch.no_grad():
            self.mix.weight.copy_(torch.cat([PLANTED, rest])[..., None, None])
            self.head.weight.copy_(wiring)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.colours(self.mix(pixels)).amax(dim=(2, 3)))


class Pictures:
    """A data set held in memory, every picture its own group."""

    def __init__(self, images: Sequence[Image.Image]) -> None:
        self.name = "in memory"
        self.groups = [f"group {i}" for i in range(len(images))]
        self._images = images

    def fingerprint(self) -> str:
        return "".join(picture_id(image) for image in self._images)

    def item(self, number: int) -> Item:
        about = {"kind": "picture", "data": self.name, "item": str(number)}
        return Item(str(number), self._images[number], provenance=about)


def pixels(images: Sequence[Image.Image]) -> Tensor:
    sized = [np.asarray(i.convert("RGB").resize((SIDE, SIDE))) for i in images]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255


def blot(colour: tuple[int, int, int], ground: int, at: tuple[int, int]) -> Image.Image:
    """A square of a colour, its corner at (row, column), on grey."""
    image = Image.new("RGB", (SIDE, SIDE), (ground, ground, ground))
    image.paste(colour, (at[1], at[0], at[1] + 4, at[0] + 4))
    return image


def random_picture(rng: np.random.Generator) -> Image.Image:
    colours = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((SIDE, SIDE), Image.Resampling.NEAREST)


class Bench:
    """A context, and short ways to fill it."""

    def __init__(self, root: Path, wiring: Tensor, pictures: int) -> None:
        rng = np.random.default_rng(5)
        self.ctx = Context(
            target=Target("tiny", ColourNet(wiring), pixels, labels=CLASSES),
            data=Pictures([random_picture(rng) for _ in range(pictures)]),
            store=PictureStore(root / "pictures"),
            cache=root / "cache",
            seed=11,
        )

    def put(self, image: Image.Image, parent: str | None = None) -> str:
        made = {"kind": "picture", "data": "test", "item": "x"}
        if parent is not None:
            made = {"kind": "edit", "parent": parent, "instruction": {"op": "test"}}
        return self.ctx.store.put(image, made, "stimulus").id

    def pairs(self, count: int, one: Callable[[int], Image.Image]) -> tuple[list[str], list[str]]:
        """Pictures and an edit of each, `one(i)` less its red: ids of both lists."""
        wholes = [one(i) for i in range(count)]
        first = [self.put(image) for image in wholes]
        second = []
        for parent, image in zip(first, wholes, strict=True):
            _, green, blue = image.split()
            faded = Image.merge("RGB", (green, green, blue))
            second.append(self.put(faded, parent))
        return first, second

    def random(self, count: int, seed: int = 1) -> list[str]:
        rng = np.random.default_rng(seed)
        return [self.put(random_picture(rng)) for _ in range(count)]


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    """Makes a bench: by default class k is read from unit k alone."""

    def make(wiring: Tensor | None = None, pictures: int = 60) -> Bench:
        return Bench(tmp_path, torch.eye(8) if wiring is None else wiring, pictures)

    return make


@pytest.fixture
def red_blot() -> Callable[[int], Image.Image]:
    """Picture i of a series: a red square in a place and a shade of its own."""
    return lambda i: blot((250 - 5 * i, 20, 20), ground=60 + i, at=(i % 8, (3 * i) % 12))
