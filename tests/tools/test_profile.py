from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from hubel.tools.experiments.profile import STANDARD, profile
from hubel.tools.spec import ToolError
from hubel.tools.target import Target

HUE, TEXTURE, NOTHING = "cells:0", "cells:1", "cells:2"
HUES = {"hue turned by 120 degrees", "hue turned by 240 degrees", "greyscale"}


class Cells(nn.Module):
    """Units that see one property each: [N, 3, 32, 32] -> [N, 3, 8, 8]."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        cells = nn.functional.avg_pool2d(pixels, 4)
        spread = cells.amax(1) - cells.amin(1)
        redness = torch.where(spread > 0.02, (cells[:, 0] - cells[:, 1]) / (spread + 1e-3), 0)
        grey = pixels.mean(1, keepdim=True)
        steps = (grey[..., 1:] - grey[..., :-1]).abs()
        rough = nn.functional.avg_pool2d(nn.functional.pad(steps, (0, 1)), 4)[:, 0]
        light = nn.functional.avg_pool2d(grey, 4)[:, 0]
        texture = (rough / (light + 0.05)).mean(dim=(1, 2), keepdim=True).expand_as(light)
        return torch.stack([redness, texture, torch.ones_like(light)], dim=1)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cells = Cells()
        self.pool = nn.AdaptiveMaxPool2d(1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.pool(self.cells(pixels)).flatten(1)


def to_batch(images):
    sized = [np.asarray(i.convert("RGB").resize((32, 32))) for i in images]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float() / 255


@pytest.fixture
def stage(bench):
    b = bench()
    b.ctx.target = Target("cells", Net(), to_batch)
    rng = np.random.default_rng(2)

    def picture():
        """A red field with darker vertical stripes of a random brightness."""
        field = np.zeros((32, 32, 3))
        field[...] = (1.0, 0.2, 0.2)
        field[:, ::2] *= 0.4
        return Image.fromarray((field * rng.uniform(150, 220)).astype(np.uint8))

    return b, [b.put(picture()) for _ in range(4)]


def by_name(result):
    return {e["edit"]: e for e in result.values["edits"]}


def test_profile_finds_the_hue_unit(stage):
    b, ids = stage
    result = profile(b.ctx, HUE, ids)
    assert {e["edit"] for e in result.values["edits"][:3]} == HUES
    for name, edit in by_name(result).items():
        if name in HUES:
            assert edit["contrast"]["mean"] < -0.8
        else:
            assert abs(edit["contrast"]["mean"]) < 0.2, name


def test_profile_finds_the_texture_unit(stage):
    b, ids = stage
    edits = by_name(profile(b.ctx, TEXTURE, ids))
    assert edits["blur"]["contrast"]["ci"][1] < 0
    for name in ("hue turned by 120 degrees", "mirrored", "upside down"):
        assert abs(edits[name]["contrast"]["mean"]) < 0.1 * abs(edits["blur"]["contrast"]["mean"])


def test_profile_control_unit_that_sees_nothing_reacts_to_no_edit(stage):
    b, ids = stage
    for edit in profile(b.ctx, NOTHING, ids).values["edits"]:
        assert edit["change"] == [0.0] * 4
        assert edit["contrast"]["p"] == edit["contrast"]["p_adjusted"] == 1
        assert edit["contrast"]["ci"] == [0, 0]


def test_profile_control_edit_of_faint_noise_is_smaller_than_the_planted_effect(stage):
    b, ids = stage
    edits = by_name(profile(b.ctx, HUE, ids))
    faint = edits["faint noise (control)"]
    assert faint["changed"] > 0
    assert abs(faint["contrast"]["mean"]) < 0.05 * abs(edits["greyscale"]["contrast"]["mean"])


def test_profile_sorts_by_effect_and_keeps_an_example_of_each_edit(stage):
    b, ids = stage
    result = profile(b.ctx, HUE, ids)
    sizes = [abs(e["contrast"]["mean"]) for e in result.values["edits"]]
    assert sizes == sorted(sizes, reverse=True)
    assert {e["edit"] for e in result.values["edits"]} == set(STANDARD)
    for edit, artifact in zip(result.values["edits"], result.artifacts, strict=True):
        assert edit["example"]["after"] == artifact.id
        assert edit["example"]["before"] in ids
    grey = next(e for e in result.values["edits"] if e["edit"] == "greyscale")
    made = b.ctx.store.artifact(grey["example"]["after"]).provenance
    assert made["instruction"] == {"op": "greyscale"}
    assert made["parent"] == grey["example"]["before"]


def test_profile_examples_measure_as_the_profile_says(stage):
    b, ids = stage
    edits = by_name(profile(b.ctx, TEXTURE, ids))
    before, after = (b.ctx.store.image(edits["blur"]["example"][k]) for k in ("before", "after"))
    change = b.ctx.activations(TEXTURE, [after])[0] - b.ctx.activations(TEXTURE, [before])[0]
    assert change == pytest.approx(max(edits["blur"]["change"], key=abs), rel=1e-5)


def test_profile_refuses_what_cannot_be_measured(stage):
    b, ids = stage
    with pytest.raises(ToolError, match="empty"):
        profile(b.ctx, HUE, [])
    with pytest.raises(ToolError, match="twice"):
        profile(b.ctx, HUE, [ids[0], ids[0]])
