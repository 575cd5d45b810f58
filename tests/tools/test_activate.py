from __future__ import annotations

import pytest
from PIL import Image

from hubel.tools.exemplars import index_for
from hubel.tools.experiments.activate import activate
from hubel.tools.spec import ToolError

RED, BRIGHT = "colours:0", "colours:3"


def square(colour, corner=(4, 8)):
    image = Image.new("RGB", (16, 16), (60, 60, 60))
    image.paste(colour, (corner[1], corner[0], corner[1] + 4, corner[0] + 4))
    return image


def test_activate_finds_the_planted_value_and_place(bench):
    b = bench()
    ids = [b.put(square((255, 0, 0), (0, 12))), b.put(square((0, 255, 0)))]
    values = activate(b.ctx, RED, ids).values
    assert values["activation"] == pytest.approx([1.0, 0.0], abs=1e-6)
    row, column = values["position"][0]
    assert 0 < row < 4 / 16
    assert 12 / 16 < column < 1
    assert values["contrast"] is None


def test_activate_finds_the_effect_of_an_edit_in_minimal_pairs(bench, red_blot):
    b = bench()
    red, faded = b.pairs(8, red_blot)
    result = activate(b.ctx, RED, red, faded)
    found = result.values["contrast"]
    assert result.counterfactual == found["counterfactual"] == "minimal pairs"
    assert found["paired"]
    assert found["n"] == 8
    assert found["mean"] > 0.8
    assert found["ci"][0] > 0
    sd = index_for(b.ctx, RED).stats(b.ctx.target.unit(RED)).sd
    assert found["in_sd"] == pytest.approx(found["mean"] / sd)
    assert found["p"] == 2 / 2**8  # all eight lie above: two of the sign patterns are as extreme


def test_activate_control_unit_that_ignores_the_edited_colour_shows_no_effect(bench, red_blot):
    b = bench()
    red, faded = b.pairs(8, red_blot)
    blue = activate(b.ctx, "colours:2", red, faded).values["contrast"]
    assert blue["mean"] == pytest.approx(0, abs=1e-6)
    assert blue["p"] == 1
    assert blue["ci"] == [blue["mean"], blue["mean"]]


def test_activate_control_pictures_that_are_no_edits_are_called_other_pictures(bench, red_blot):
    b = bench()
    red, faded = b.pairs(6, red_blot)
    shifted = activate(b.ctx, RED, red, [*faded[1:], faded[0]])
    uneven = activate(b.ctx, RED, red, faded[:4])
    for result in (shifted, uneven):
        assert result.values["contrast"]["counterfactual"] == "other pictures"
        assert not result.values["contrast"]["paired"]
        assert result.counterfactual == "other pictures"


def test_activate_recognises_pairs_in_either_direction(bench, red_blot):
    b = bench()
    red, faded = b.pairs(4, red_blot)
    assert activate(b.ctx, RED, faded, red).values["contrast"]["paired"]
    assert activate(b.ctx, RED, faded, red).values["contrast"]["mean"] < 0


def test_activate_draws_at_most_eight_figures_that_name_their_picture(bench):
    b = bench()
    ids = b.random(10)
    made = activate(b.ctx, BRIGHT, ids).artifacts
    assert [a.provenance["of"] for a in made] == ids[:8]
    assert all(a.kind == "figure" for a in made)
    assert all(b.ctx.store.image(a.id).size == (16, 16) for a in made)


def test_activate_draws_nothing_for_a_unit_without_positions(bench):
    b = bench()
    result = activate(b.ctx, "head:0", b.random(2))
    assert result.artifacts == []
    assert result.values["position"] == [None, None]


def test_activate_refuses_what_cannot_be_measured(bench):
    b = bench()
    ids = b.random(2)
    with pytest.raises(ToolError, match="empty"):
        activate(b.ctx, RED, [])
    with pytest.raises(ToolError, match="empty"):
        activate(b.ctx, RED, ids, [])
    with pytest.raises(ToolError, match="twice"):
        activate(b.ctx, RED, [ids[0], ids[0]], ids)
    with pytest.raises(ToolError, match="There is no picture"):
        activate(b.ctx, RED, ["0" * 64])
    with pytest.raises(ToolError, match="colours"):
        activate(b.ctx, "colour:0", ids)
    with pytest.raises(ToolError, match="0 to 7"):
        activate(b.ctx, "colours:8", ids)
