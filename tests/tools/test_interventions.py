from __future__ import annotations

import numpy as np
import torch
from safetensors.torch import save_file

from hubel.tools.data import held_out
from hubel.tools.interventions import (
    CONTROLS,
    discovery_pictures,
    matched_units,
    minimal_pairs,
    put_unit,
)
from hubel.tools.stimuli import picture_id
from hubel.tools.units import Unit


def test_matched_units_are_the_nearest_in_activation_and_never_the_unit_itself():
    others = [float(i) for i in range(100)]
    drawn = [
        {u.index for u in matched_units(Unit("s", 50), 50.0, others, np.random.default_rng(seed))}
        for seed in range(20)
    ]
    assert all(len(units) == CONTROLS for units in drawn)
    assert set.union(*drawn) <= {*range(42, 59)}
    assert not any(50 in units for units in drawn)
    assert len({frozenset(units) for units in drawn}) > 10


def test_a_unit_alone_at_its_site_has_no_controls():
    assert matched_units(Unit("s", 0), 1.0, [1.0], np.random.default_rng(0)) == []


def test_put_unit_moves_a_direction_and_nothing_across_it(bench, tmp_path):
    target = bench().ctx.target
    file = tmp_path / "d.safetensors"
    save_file({"directions": torch.tensor([[0.6, 0.8, 0, 0, 0, 0, 0, 0]])}, file)
    unit = target.unit(f"colours@{file}:0")
    inputs = torch.rand(2, 3, 16, 16)
    before = target.capture(inputs, ["colours"]).sites["colours"]
    edit = put_unit(target, unit, before, 0.25)
    after = target.intervene(inputs, [edit], ["colours"]).sites["colours"]
    assert torch.allclose(target.read(after, unit), torch.tensor(0.25), atol=1e-6)
    across = torch.tensor([0.8, -0.6, 0, 0, 0, 0, 0, 0])
    kept = [torch.tensordot(x, across, dims=([1], [0])) for x in (before, after)]
    assert torch.allclose(*kept, atol=1e-6)
    assert torch.equal(after[:, 2:], before[:, 2:])


def test_pairs_are_minimal_only_if_every_one_is(bench, red_blot):
    b = bench()
    red, faded = b.pairs(3, red_blot)
    assert minimal_pairs(b.ctx, red, faded)
    assert not minimal_pairs(b.ctx, red, [faded[0], faded[2], faded[1]])
    assert not minimal_pairs(b.ctx, red, faded[:2])


def test_discovery_pictures_are_never_held_out_nor_left_out(bench):
    b = bench(pictures=20)
    data = b.ctx.data
    ids = {picture_id(data.item(i).image): hidden for i, hidden in enumerate(held_out(data))}
    named = {picture_id(data.item(i).image): data.item(i).image for i in range(20)}
    left_out = next(name for name, hidden in ids.items() if not hidden)
    drawn = discovery_pictures(b.ctx, 9, b.ctx.rng(), without=[b.put(named[left_out])])
    found = {picture_id(image) for image in drawn}
    assert len(found) == 9
    assert left_out not in found
    assert not any(ids[name] for name in found)
