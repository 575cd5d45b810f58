from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hubel.tools.experiments.ablate import ablate
from hubel.tools.spec import ToolError

RED = "colours:0"


def only_red() -> torch.Tensor:
    """Class 0 hangs on the red unit; the other units are hardly wired."""
    wiring = torch.eye(8) * 0.01
    wiring[0, 0] = 6.0
    return wiring


def test_ablate_finds_the_class_that_hangs_on_the_unit_and_moves_no_other(bench, red_blot):
    b = bench()
    red, _ = b.pairs(4, red_blot)
    result = ablate(b.ctx, RED, red, mode="zero")
    moved = {m["output"]: m["change"] for m in result.values["moved"]}
    activation = b.ctx.activations(RED, b.ctx.images(red))
    assert moved.pop("scarlet") == pytest.approx(-activation.mean(), rel=1e-5)
    assert all(change == 0 for change in moved.values())
    assert "colours:0" in result.mediator
    assert result.counterfactual == "the unit at zero"


@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_ablate_finds_more_effect_than_matched_control_units(bench, red_blot, mode):
    b = bench(only_red())
    red, _ = b.pairs(20, red_blot)
    values = ablate(b.ctx, RED, red, mode=mode).values
    assert values["pictures"]["top"] == ["scarlet"] * 20
    assert values["effect"]["probability"] < -0.05
    assert values["contrast"]["kl"]["mean"] > 0
    assert values["contrast"]["kl"]["p"] < 0.01
    assert values["contrast"]["exceeds"] == 1
    assert RED not in values["control"]["units"]
    assert len(values["control"]["units"]) == 5


def test_ablate_finds_flipped_predictions_and_what_they_become(bench, red_blot):
    wiring = only_red()
    wiring[3, 3] = 3.0
    b = bench(wiring)
    red, _ = b.pairs(3, red_blot)
    values = ablate(b.ctx, RED, red, mode="zero").values
    assert values["effect"]["flipped"] == 1
    assert values["pictures"]["becomes"] == ["snow"] * 3


@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_ablate_control_unit_that_feeds_nothing_has_exactly_no_effect(bench, mode):
    wiring = torch.eye(8)
    wiring[:, 2] = 0
    b = bench(wiring)
    values = ablate(b.ctx, "colours:2", b.random(6), mode=mode).values
    assert values["effect"] == {"logit": 0, "probability": 0, "kl": 0, "flipped": 0}
    assert all(m["change"] == 0 for m in values["moved"])
    assert values["contrast"]["exceeds"] == 0


def test_ablate_control_units_with_an_equal_effect_are_not_exceeded(bench):
    b = bench(torch.zeros(8, 8))
    assert ablate(b.ctx, RED, b.random(3)).values["contrast"]["exceeds"] == 0


def test_ablate_control_random_unit_among_equals_does_not_stand_out(bench):
    wiring = torch.full((8, 8), 0.0)
    wiring[0] = 1.0  # every unit feeds class 0 alike
    b = bench(wiring)
    ids = b.random(6)
    exceeds = [
        ablate(b.ctx, f"colours:{k}", ids, mode="resample").values["contrast"]["exceeds"]
        for k in range(8)
    ]
    assert 0.2 < np.mean(exceeds) < 0.8


def test_ablate_with_the_mean_leaves_the_mean_of_the_reference_pictures(bench):
    b = bench()
    ids = b.random(4)
    change = ablate(b.ctx, "colours:3", ids, mode="mean").values["moved"]
    kept = {m["output"]: m["change"] for m in change}["snow"]
    before = b.ctx.activations("colours:3", b.ctx.images(ids)).mean()
    everywhere = np.mean([m.mean() for m in b.ctx.maps("colours:3", b.ctx.images(b.random(60, 9)))])
    assert kept + before == pytest.approx(everywhere, abs=0.05)


def test_ablate_removes_a_direction_as_it_removes_the_channel_it_points_at(bench, tmp_path):
    rows = torch.zeros(2, 8)
    rows[0, 0] = 3.0  # normalised by the target: the red channel
    rows[1, 0] = rows[1, 1] = 1.0
    file = tmp_path / "d.safetensors"
    save_file({"directions": rows}, file)
    b = bench()
    ids = b.random(5)
    channel = ablate(b.ctx, RED, ids, mode="zero").values
    direction = ablate(b.ctx, f"colours@{file}:0", ids, mode="zero").values
    assert direction["pictures"]["logit"] == pytest.approx(channel["pictures"]["logit"], abs=1e-6)
    mixed = ablate(b.ctx, f"colours@{file}:1", ids, mode="zero").values
    changed = {m["output"] for m in mixed["moved"] if abs(m["change"]) > 1e-6}
    assert changed == {"scarlet", "lime"}


def test_ablate_names_outputs_by_number_where_there_are_no_classes(bench):
    b = bench()
    b.ctx.target.labels = None
    assert ablate(b.ctx, RED, b.random(2)).values["pictures"]["top"][0].startswith("output ")


def test_ablate_draws_anew_for_another_seed(bench):
    b = bench()
    ids = b.random(6)
    first = ablate(b.ctx, "colours:3", ids, mode="resample")
    b.ctx.seed += 1
    assert ablate(b.ctx, "colours:3", ids, mode="resample").values != first.values


def test_ablate_refuses_what_cannot_be_measured(bench):
    b = bench(pictures=8)
    ids = b.random(6)
    with pytest.raises(ToolError, match="empty"):
        ablate(b.ctx, RED, [])
    with pytest.raises(ToolError, match="twice"):
        ablate(b.ctx, RED, [ids[0], ids[0]])
    with pytest.raises(ToolError, match=r"24 other pictures .* has 4 to give"):
        ablate(b.ctx, RED, ids, mode="mean")
