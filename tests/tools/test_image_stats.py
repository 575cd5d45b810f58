from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from hubel.tools.experiments.image_stats import image_stats
from hubel.tools.spec import ToolError
from hubel.tools.target import Target

BRIGHTNESS, EDGES, MEANING, CONSTANT = (f"cells:{i}" for i in range(4))


class Cells(nn.Module):
    """[N, 3, 32, 32] -> [N, 4, 1, 1]: mean light, edge energy, an arbitrary meaning, a constant."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        grey = pixels.mean(dim=1)
        across = (grey[:, :, 1:] - grey[:, :, :-1]).abs().mean(dim=(1, 2))
        down = (grey[:, 1:] - grey[:, :-1]).abs().mean(dim=(1, 2))
        code = (pixels * 255).long().flatten(1).sum(dim=1)  # a hash: no statistic predicts it
        meaning = ((code * 2654435761) % 1009).float() / 1009
        light = grey.mean(dim=(1, 2))
        units = [light, across + down, meaning, torch.ones_like(light)]
        return torch.stack(units, dim=1)[..., None, None]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells = Cells()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.cells(pixels).flatten(1)


def to_batch(images):
    sized = [np.asarray(i.convert("RGB").resize((32, 32))) for i in images]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255


def grey_picture(rng):
    """Grey squares whose light and contrast vary from picture to picture."""
    level, contrast = rng.uniform(60, 190), rng.uniform(0, 50)
    cells = level + contrast * rng.choice([-1, 1], size=(8, 8))
    return Image.fromarray(cells.clip(0, 255).astype(np.uint8)).resize((32, 32), 0).convert("RGB")


@pytest.fixture
def stage(bench):
    b = bench(pictures=0)
    rng = np.random.default_rng(8)
    b.ctx.data = type(b.ctx.data)([grey_picture(rng) for _ in range(240)])
    b.ctx.target = Target("cells", Net(), to_batch)
    return b


def test_image_stats_finds_the_planted_brightness_unit(stage):
    values = image_stats(stage.ctx, BRIGHTNESS, 120).values
    assert values["together"]["r2"] > 0.9
    assert values["together"]["ci"][0] > 0.8
    assert values["together"]["p"] < 0.01
    assert abs(values["best"]["correlation"]) > 0.9
    assert values["best"]["statistic"] in ("brightness", "darkness")


def test_image_stats_finds_the_planted_edge_energy_unit(stage):
    values = image_stats(stage.ctx, EDGES, 120).values
    assert values["together"]["r2"] > 0.9
    assert values["best"]["p"] < 0.01


def test_image_stats_control_unit_with_another_meaning_is_not_explained(stage):
    values = image_stats(stage.ctx, MEANING, 120).values
    assert values["together"]["r2"] < 0.1
    assert values["together"]["p"] > 0.05


def test_image_stats_uses_only_pictures_that_planners_may_see(stage):
    from hubel.tools.data import held_out

    seen = []
    data = stage.ctx.data
    read = data.item
    data.item = lambda number: seen.append(number) or read(number)
    image_stats(stage.ctx, BRIGHTNESS, 120)  # fills the index, which covers both halves
    seen.clear()
    shutil.rmtree(stage.ctx.cache / "concepts")  # so that the pictures are read once more
    image_stats(stage.ctx, EDGES, 120)
    hidden = held_out(data)
    assert seen
    assert not any(hidden[number] for number in seen)
    seen.clear()
    image_stats(stage.ctx, EDGES, 120)
    assert not seen  # what was judged once is not measured again


def test_image_stats_refuses_what_cannot_be_explained(stage):
    with pytest.raises(ToolError, match="nothing to explain"):
        image_stats(stage.ctx, CONSTANT)
    few = type(stage.ctx.data)([Image.new("RGB", (8, 8), (i, 0, 0)) for i in range(12)])
    with pytest.raises(ToolError, match="needs 20 pictures"):
        image_stats(replace(stage.ctx, data=few, _index={}), BRIGHTNESS)
