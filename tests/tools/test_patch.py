from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch import nn

from hubel.tools.experiments.patch import patch
from hubel.tools.spec import ToolError
from hubel.tools.target import Target

RED = "colours:0"


def red_against_snow() -> torch.Tensor:
    """Class "scarlet" hangs on the red unit alone, class "snow" on brightness."""
    wiring = torch.zeros(8, 8)
    wiring[0, 0] = 2.0
    wiring[3, 3] = 2.0
    return wiring


@pytest.mark.parametrize("metric", ["logit difference", "probability", "kl"])
def test_patch_of_a_run_into_itself_changes_nothing(bench, metric):
    b = bench()
    ids = b.random(6)
    values = patch(b.ctx, RED, ids, ids, metric=metric).values
    for way in ("denoising", "noising"):
        assert values[way]["effect"] == [0.0] * 6
        assert values[way]["normalised"] is None


@pytest.mark.parametrize("metric", ["logit difference", "probability", "kl"])
@pytest.mark.parametrize("site", ["mix", "colours", "head"])
def test_patch_of_a_whole_site_that_determines_the_output_restores_the_other_run(
    bench, red_blot, site, metric
):
    b = bench()
    red, faded = b.pairs(6, red_blot)
    values = patch(b.ctx, site, red, faded, metric=metric).values
    for way in ("denoising", "noising"):
        assert values[way]["normalised"]["mean"] == 1
        assert values[way]["normalised"]["ci"] == [1, 1]
    if metric == "kl":  # the higher, the more alike
        assert values["clean"] == [0] * 6
        assert max(values["corrupted"]) < 0


def test_patch_finds_the_unit_that_carries_the_edited_colour(bench, red_blot):
    b = bench(red_against_snow())
    red, faded = b.pairs(6, red_blot)
    result = patch(b.ctx, RED, red, faded, answer="scarlet", other="navy")
    values = result.values
    assert values["minimal_pairs"]
    assert result.counterfactual.endswith("a minimal pair")
    assert values["answers"] == [["scarlet", "navy"]] * 6
    for way in ("denoising", "noising"):
        assert values[way]["normalised"]["mean"] == pytest.approx(1)
        assert values[way]["control"]["mean"] == pytest.approx(0)
        assert values[way]["contrast"]["ci"][0] > 0
    assert len(values["control"]["units"]) == 5


def test_patch_control_unit_that_ignores_the_colour_restores_nothing(bench, red_blot):
    b = bench(red_against_snow())
    red, faded = b.pairs(6, red_blot)
    values = patch(b.ctx, "colours:2", red, faded, answer="scarlet", other="snow").values
    for way in ("denoising", "noising"):
        assert values[way]["normalised"]["mean"] == pytest.approx(0)
    assert values["by_metric"]["kl"]["denoising"] == pytest.approx(0)


def test_patch_control_of_a_site_with_unrelated_pictures_restores_less_than_the_pair(
    bench, red_blot
):
    b = bench()
    red, faded = b.pairs(8, red_blot)
    values = patch(b.ctx, "colours", red, faded, metric="kl").values
    assert values["control"]["kind"] == "the site on unrelated pictures"
    assert values["denoising"]["contrast"]["ci"][0] > 0


def test_patch_finds_equal_parts_for_two_units_that_share_a_class(bench, red_blot):
    wiring = torch.zeros(8, 8)
    wiring[0, 0] = 1.0
    b = bench(wiring)
    red, faded = b.pairs(5, red_blot)
    change = [
        b.ctx.activations(f"colours:{k}", b.ctx.images(red)).sum()
        - b.ctx.activations(f"colours:{k}", b.ctx.images(faded)).sum()
        for k in (0, 3)
    ]
    wiring[0, 3] = float(change[0] / change[1])
    with torch.no_grad():
        b.ctx.target.model.head.weight.copy_(wiring)
    for unit in (RED, "colours:3"):
        values = patch(b.ctx, unit, red, faded, answer="scarlet", other="navy").values
        assert values["noising"]["normalised"]["mean"] == pytest.approx(0.5, abs=1e-4)


class Gate(nn.Module):
    """Class 0 from the red and the blue unit: the lesser (and) or the greater (or) of them."""

    def __init__(self, gate) -> None:
        super().__init__()
        self.colours = nn.Conv2d(3, 2, 1, bias=False)
        self.gate = gate
        with torch.no_grad():
            weights = torch.tensor([[1.0, -0.5, -0.5], [-0.5, -0.5, 1.0]])
            self.colours.weight.copy_(weights[..., None, None])

    def forward(self, pixels):
        red, blue = self.colours(pixels).amax(dim=(2, 3)).unbind(1)
        return torch.stack([self.gate(red, blue), torch.zeros_like(red)], dim=1)


@pytest.mark.parametrize(("gate", "enough"), [(torch.minimum, 0.0), (torch.maximum, 1.0)])
def test_patch_finds_whether_a_unit_is_enough_or_needed(bench, gate, enough):
    b = bench()
    b.ctx.target = Target("gate", Gate(gate), b.ctx.target.preprocess)
    clean, corrupted = [], []
    for i in range(3):
        plain = Image.new("RGB", (16, 16), (60 + i, 60 + i, 60 + i))
        both = plain.copy()
        both.paste((250, 10, 10), (2, 2, 6, 6))
        both.paste((10, 10, 250), (9, 9, 13, 13))
        corrupted.append(b.put(plain))
        clean.append(b.put(both, corrupted[-1]))
    values = patch(b.ctx, RED, clean, corrupted, answer="output 0", other="output 1").values
    assert values["denoising"]["normalised"]["mean"] == pytest.approx(enough, abs=1e-6)
    assert values["noising"]["normalised"]["mean"] == pytest.approx(1 - enough, abs=1e-6)


def test_patch_chooses_the_top_classes_of_the_two_runs(bench, red_blot):
    b = bench(red_against_snow())
    red, faded = b.pairs(2, red_blot)
    assert patch(b.ctx, RED, red, faded).values["answers"] == [["scarlet", "snow"]] * 2


def test_patch_chooses_the_class_moved_most_where_the_top_class_stays(bench, red_blot):
    wiring = red_against_snow()
    wiring[3, 3] = 50.0
    b = bench(wiring)
    red, faded = b.pairs(1, red_blot)
    answer, other = patch(b.ctx, RED, red, faded).values["answers"][0]
    assert answer == "snow"
    assert other != "snow"


def test_patch_says_when_pairs_are_not_minimal(bench, red_blot):
    b = bench()
    red, faded = b.pairs(3, red_blot)
    result = patch(b.ctx, RED, red, [*faded[1:], faded[0]])
    assert not result.values["minimal_pairs"]
    assert "not a minimal pair" in result.counterfactual


def test_patch_refuses_what_cannot_be_measured(bench):
    b = bench()
    ids = b.random(4)
    with pytest.raises(ToolError, match="names 0 pictures"):
        patch(b.ctx, RED, [], [])
    with pytest.raises(ToolError, match="names 2 pictures and 'corrupted' 1"):
        patch(b.ctx, RED, ids[:2], ids[2:3])
    with pytest.raises(ToolError, match="Did you mean 'scarlet'"):
        patch(b.ctx, RED, ids[:2], ids[2:], answer="scarlett")
    with pytest.raises(ToolError, match="name two classes"):
        patch(b.ctx, RED, ids[:2], ids[2:], answer="lime", other="Lime")
    with pytest.raises(ToolError, match="Did you mean 'colours'"):
        patch(b.ctx, "colour", ids[:2], ids[2:])
    b.ctx.target.labels = ["crane", "crane", *"abcdef"]
    with pytest.raises(ToolError, match="'output 0' or 'output 1'"):
        patch(b.ctx, RED, ids[:2], ids[2:], answer="crane")
