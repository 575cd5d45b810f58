from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import hubel.tools.experiments  # noqa: F401  (fills the registry)
from hubel.tools.data import DataError, Item, UnreadablePicture, held_out
from hubel.tools.exemplars import index_for, open_index
from hubel.tools.indexing import building
from hubel.tools.indexing.running import Picture, Table, merge, pack, unpack
from hubel.tools.indexing.strata import draw
from hubel.tools.spec import ToolError, registry
from hubel.tools.stimuli import picture_id
from hubel.tools.target import Target
from hubel.tools.units import Unit

SIDE = 8
SITES = ["conv", "act", "tokens", "head"]
TOOLS = registry()


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    """So that a hundred pictures are merged in several turns."""
    monkeypatch.setattr(building, "CHUNK", 32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a network this small only waits for a second one
    yield
    torch.set_num_threads(threads)


def quiet(done, total, what):
    pass


class WholeNumbers(nn.Module):
    """Every activation is a small whole number: exact whatever the batch, and full of ties.

    `act` overwrites `conv`'s output in place. Channel 5 of both is constant.
    """

    def __init__(self, seed=0):
        super().__init__()
        draws = torch.Generator().manual_seed(seed)
        self.conv = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.act = nn.ReLU(inplace=True)
        self.tokens = nn.Linear(6, 5, bias=False)
        self.head = nn.Linear(5, 4, bias=False)
        with torch.no_grad():
            for layer in (self.conv, self.tokens, self.head):
                layer.weight.copy_(torch.randint(-1, 2, layer.weight.shape, generator=draws))
            self.conv.weight[5] = 0

    def forward(self, x):
        return self.head(self.tokens(self.act(self.conv(x)).flatten(2).mT).amax(1))


class Noise:
    """Pictures of a few grey levels, drawn by number; `broken` ones cannot be read."""

    def __init__(self, size, broken=(), name="noise"):
        self.name = name
        self.groups = [f"group {n}" for n in range(size)]
        self.broken = set(broken)
        self.before = lambda number: None

    def fingerprint(self):
        return f"{self.name} {len(self.groups)} {sorted(self.broken)}"

    def item(self, number):
        self.before(number)
        if number in self.broken:
            raise UnreadablePicture(f"{number}.png: cannot be decoded (it is noise)")
        rng = np.random.default_rng(number)
        image = Image.fromarray(rng.integers(0, 3, (SIDE, SIDE, 3), dtype=np.uint8))
        about = {"kind": "picture", "data": self.name, "item": f"{number}.png"}
        return Item(f"{number}.png", image, provenance=about)


def channels_first(images):
    stacked = torch.from_numpy(np.stack([np.asarray(i.resize((SIDE, SIDE))) for i in images]))
    return stacked.permute(0, 3, 1, 2).float().contiguous()


def channels_last(images):
    return channels_first(images).contiguous(memory_format=torch.channels_last)


def network(preprocess=channels_first, model=None):
    return Target("whole numbers", model or WholeNumbers(), preprocess)


def build(tmp_path, target=None, data=None, sites=SITES, **options):
    data = data or Noise(100)
    options = {"k": 4, "sample": 20, "report": quiet} | options
    return open_index(target or network(), data, sites, tmp_path, **options)


def every_map(target, data, site):
    """Maps of all units on all pictures, [N, C, positions...]."""
    batch = target.batch([data.item(number).image for number in range(len(data.groups))])
    return target.capture(batch, [site]).sites[site].numpy()


def middle(activation):
    """The middle of the first highest cell of a map; 64 tokens are 8 rows of 8."""
    if activation.ndim == 0:
        return None
    cells = activation.reshape(SIDE, SIDE)
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    return (row + 0.5) / SIDE, (column + 0.5) / SIDE


def half_of(data, held):
    return [n for n, h in enumerate(held_out(data)) if h == held]


@pytest.mark.parametrize("preprocess", [channels_first, channels_last])
def test_everything_equals_a_brute_force_computation(tmp_path, preprocess):
    target, data = network(preprocess), Noise(100)
    index = build(tmp_path, target, data, k=7)
    tied = 0
    for site in SITES:
        maps = every_map(target, data, site)
        values = maps.reshape(*maps.shape[:2], -1).max(axis=2)
        for channel in range(values.shape[1]):
            unit = Unit(site, channel)
            for held in (False, True):
                numbers = half_of(data, held)
                own = values[numbers, channel]
                order = sorted(numbers, key=lambda n: (-values[n, channel], n))
                top = index.top(unit, 7, held_out=held)
                assert [e.number for e in top] == order[:7]
                assert [e.activation for e in top] == [values[n, channel] for n in order[:7]]
                uniform = index.uniform(unit, held_out=held)
                assert len(uniform) == 20
                assert {e.number for e in uniform} <= set(numbers)
                for entry in (*top, *uniform):
                    assert entry.activation == values[entry.number, channel]
                    assert entry.position == middle(maps[entry.number, channel])
                stats = index.stats(unit, held_out=held)
                assert stats.pictures == len(numbers)
                assert stats.mean == pytest.approx(own.mean(), rel=1e-12)
                assert stats.sd == pytest.approx(own.astype(np.float64).std(), rel=1e-9)
                assert (stats.low, stats.high) == (own.min(), own.max())
                assert stats.zero_share == np.mean(own == 0)
                assert stats.tied == np.sum(own == own.max())
                assert stats.constant == (own.min() == own.max())
                tied += len({values[n, channel] for n in order[:8]}) < 8
    assert tied > 20  # the test would be empty without ties


def test_constant_units_are_flagged_and_others_are_not(tmp_path):
    index = build(tmp_path)
    flagged = [c for c in range(6) if index.stats(Unit("conv", c)).constant]
    assert flagged == [5]
    still = index.stats(Unit("conv", 5))
    assert (still.mean, still.sd, still.zero_share) == (0.0, 0.0, 1.0)
    assert still.tied == still.pictures
    assert [e.number for e in index.top(Unit("conv", 5), 4)] == half_of(Noise(100), False)[:4]


def test_activations_sort_as_numbers_and_ties_by_the_lower_picture():
    values = torch.tensor([0.0, -0.0, 1e-40, -1e-40, 3.5, -3.5, torch.inf, -torch.inf]) + 0.0
    numbers = torch.tensor([9, 2, 3, 4, 5, 6, 7, 2**31 + 5])
    back, whose = unpack(pack(values, numbers).sort(descending=True).values)
    assert back.tolist() == sorted(values.tolist(), reverse=True)
    assert whose.tolist() == [7, 5, 3, 2, 9, 4, 6, 2**31 + 5]


def test_negative_zero_ties_with_zero():
    old = Table.empty(1, 2, 2, locate=False)
    new = old.spare()
    pictures = [Picture(row, number, column=row) for row, number in ((0, 4), (1, 7))]
    merge(old, new, torch.tensor([[-0.0], [0.0]]), None, pictures)
    assert unpack(new.keys[0])[1].tolist() == [4, 7]
    assert (new.tied.item(), new.zeros.item()) == (2, 2)


def test_a_direction_is_indexed_as_a_unit_is(tmp_path):
    target, data = network(), Noise(100)
    file = tmp_path / "d.safetensors"
    mixed = torch.tensor([3.0, 0, 4, 0, 0, 0])
    save_file({"directions": torch.stack([torch.eye(6)[2], mixed])}, file)
    name, other = f"conv@{file}:0", f"conv@{file}:1"
    index = build(tmp_path, target, data, ["conv", name, other])
    assert index.names == ["conv", name, other]
    assert index.units == 8
    same, channel = target.unit(name), Unit("conv", 2)
    assert index.top(same, 4) == index.top(channel, 4)
    assert index.stats(same, held_out=True) == index.stats(channel, held_out=True)
    maps = every_map(target, data, "conv")
    projected = (0.6 * maps[:, 0] + 0.8 * maps[:, 2]).reshape(100, -1).max(axis=1)
    for entry in index.top(target.unit(other), 4):
        assert entry.activation == pytest.approx(projected[entry.number], rel=1e-6)
    best = sorted(projected[half_of(data, False)], reverse=True)[:4]
    found = [e.activation for e in index.top(target.unit(other), 4)]
    assert found == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("moment", [3, 32, 50, 65, 99])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_pass_resumes_to_the_same_bits(tmp_path, moment, error):
    whole = build(tmp_path / "whole").path.read_bytes()
    data = Noise(100)

    def interrupt(number):
        if number == moment:
            raise error

    data.before = interrupt
    with pytest.raises(error):
        build(tmp_path / "cut", data=data)
    read = []
    data.before = read.append
    assert build(tmp_path / "cut", data=data).path.read_bytes() == whole
    assert read[0] == moment // building.CHUNK * building.CHUNK
    assert len(read) == 100 - read[0]


def test_what_a_kill_leaves_on_the_disk_resumes_to_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_SAVE_EVERY", 0.0)
    monkeypatch.setattr(building, "_SAVE_SHARE", 1e9)
    data = Noise(100)

    def snapshot(number):
        if number in (20, 50, 98):
            shutil.copytree(tmp_path / "live", tmp_path / str(number))

    data.before = snapshot
    whole = build(tmp_path / "live", data=data).path.read_bytes()
    for number in (20, 50, 98):
        for folder in (tmp_path / str(number) / "index").iterdir():
            for file in folder.glob("*.safetensors"):
                file.with_suffix(".part").write_bytes(b"half a fi")
        read = []
        data.before = read.append
        assert build(tmp_path / str(number), data=data).path.read_bytes() == whole
        assert read[0] == number // building.CHUNK * building.CHUNK


def test_a_second_call_runs_no_forward_pass_and_reads_no_picture(tmp_path):
    target, data = network(), Noise(100)
    first = build(tmp_path, target, data)
    target.model.register_forward_hook(lambda *_: pytest.fail("a forward pass"))
    data.before = lambda number: pytest.fail("a picture was read")
    again = build(tmp_path, target, data)
    assert again.path == first.path
    assert again.top(Unit("act", 1), 4) == first.top(Unit("act", 1), 4)


def test_another_network_other_pictures_or_options_are_another_index(tmp_path):
    changed = WholeNumbers()
    with torch.no_grad():
        changed.head.weight[0, 0] += 1
    paths = [
        build(tmp_path, **options).path
        for options in (
            {"data": Noise(60)},
            {"data": Noise(61)},
            {"data": Noise(60, name="other noise")},
            {"data": Noise(60), "target": network(model=changed)},
            {"data": Noise(60), "target": network(lambda images: 2 * channels_first(images))},
            {"data": Noise(60), "k": 5},
            {"data": Noise(60), "sample": 21},
            {"data": Noise(60), "seed": 1},
            {"data": Noise(60), "batch": 8},
            {"data": Noise(60), "locate": False},
        )
    ]
    assert len(set(paths)) == len(paths)
    regrouped = Noise(60)
    regrouped.groups = [f"other {n}" for n in range(60)]
    assert build(tmp_path, data=regrouped).path not in paths
    assert build(tmp_path, data=Noise(60), sites=SITES[::-1]).path == paths[0]


def test_an_index_of_more_sites_answers_for_each_of_them(tmp_path):
    target, data = network(), Noise(60)
    alone = build(tmp_path / "alone", target, data, ["act"])
    every = build(tmp_path, target, data)
    target.model.register_forward_hook(lambda *_: pytest.fail("a forward pass"))
    one = build(tmp_path, target, data, ["act"])
    assert one.path == every.path
    unit, rng = Unit("act", 3), np.random.default_rng
    assert one.top(unit, 4) == alone.top(unit, 4)
    assert one.sample(unit, 15, rng(0)) == alone.sample(unit, 15, rng(0))


def test_a_damaged_index_is_refused_by_name(tmp_path):
    path = build(tmp_path).path
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ToolError, match=r"\.safetensors' cannot be read.*delete it"):
        build(tmp_path)


def test_unreadable_pictures_are_skipped_and_named(tmp_path):
    broken = [0, 17, 31, 32, 99]
    data = Noise(100, broken)
    index = build(tmp_path, data=data, sample=50)
    assert index.skipped == [(f"{n}.png", "cannot be decoded (it is noise)") for n in broken]
    assert index.pictures == 95
    for held in (False, True):
        drawn = {e.number for e in index.uniform(Unit("conv", 0), held_out=held)}
        assert drawn == set(half_of(data, held)) - set(broken)


class Overflows(WholeNumbers):
    """Not finite on pictures whose first pixel is white."""

    def forward(self, x):
        return super().forward(x + torch.where(x[:, :1, :1, :1] > 200, torch.inf, 0.0))


def test_a_picture_on_which_a_unit_is_not_finite_is_skipped_and_named(tmp_path):
    data = Noise(40)
    plain = data.item

    def item(number):
        found = plain(number)
        if number == 11:
            found.image.putpixel((0, 0), (255, 255, 255))
        return found

    data.item = item
    index = build(tmp_path, network(model=Overflows()), data, sample=19)
    assert index.skipped == [("11.png", "an activation is not finite")]
    assert index.pictures == 39
    assert np.isfinite(index.stats(Unit("head", 0), held_out=held_out(data)[11]).high)


def test_data_without_a_readable_picture_in_each_half_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"0\.png: cannot be decoded"):
        build(tmp_path, data=Noise(20, range(20)), sample=9)
    with pytest.raises(DataError, match="held-out half"):
        build(tmp_path, data=Noise(20, half_of(Noise(20), True)), sample=9)
    one = Noise(20)
    one.groups = ["the same photograph"] * 20
    with pytest.raises(DataError, match="two groups"):
        build(tmp_path, data=one, sample=9)


def test_what_the_index_does_not_hold_is_refused(tmp_path):
    index = build(tmp_path, sites=["conv"])
    with pytest.raises(ToolError, match=r"does not cover 'act'.*conv"):
        index.top(Unit("act", 0), 1)
    with pytest.raises(ToolError, match="6 units"):
        index.stats(Unit("conv", 6))
    with pytest.raises(ToolError, match="1 to 4"):
        index.top(Unit("conv", 0), 5)
    with pytest.raises(ToolError, match="at least 5"):
        index.sample(Unit("conv", 0), 4, np.random.default_rng(0))
    with pytest.raises(ToolError, match="no site 'convv'"):
        build(tmp_path, sites=["convv"])
    with pytest.raises(ToolError, match="larger sample"):
        build(tmp_path, k=40)


def test_the_tables_do_not_grow_with_the_number_of_pictures(tmp_path):
    def sizes(pictures):
        with safe_open(build(tmp_path, data=Noise(pictures)).path, framework="np") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118

    assert sizes(60) == sizes(240)


def test_without_places_all_else_is_the_same(tmp_path):
    located, bare = build(tmp_path), build(tmp_path, locate=False)
    for unit in (Unit("conv", 1), Unit("tokens", 0)):
        with_place, without = located.top(unit, 4), bare.top(unit, 4)
        assert [(e.number, e.activation) for e in with_place] == [
            (e.number, e.activation) for e in without
        ]
        assert all(e.position for e in with_place)
        assert not any(e.position for e in (*without, *bare.uniform(unit)))


def population(size=300):
    """Activations, a third of them zero, and a quantity that goes with them."""
    rng = np.random.default_rng(0)
    activation = np.where(rng.random(size) < 0.3, 0.0, rng.lognormal(size=size)).round(2)
    return activation, np.sin(3 * activation) + activation**0.5 + rng.normal(size=size)


def test_weighted_means_over_samples_are_unbiased():
    activation, quantity = population()
    order = np.argsort(-activation, kind="stable")
    weighted, plain = [], []
    for seed in range(3000):
        rng = np.random.default_rng(seed)
        uniform = np.setdiff1d(rng.choice(300, 80, replace=False), order[:10])
        known = np.concatenate([order[:10], uniform])
        drawn = draw(activation[known[:10]], activation[uniform], 300, 40, rng)
        assert sum(d.weight for d in drawn) == pytest.approx(300)
        assert len({d.at for d in drawn}) == 40
        at = known[[d.at for d in drawn]]
        weighted.append(np.dot([d.weight for d in drawn], quantity[at]) / 300)
        plain.append(quantity[at].mean())
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert abs(np.mean(weighted) - quantity.mean()) < 3.5 * error
    assert abs(np.mean(plain) - quantity.mean()) > 20 * error  # what the weights put right


def test_a_sample_covers_the_range():
    activation, _ = population()
    order = np.argsort(-activation, kind="stable")
    top, rest = activation[order[:10]], activation[order[10:]]
    drawn = draw(top, rest, 300, 60, np.random.default_rng(0))
    known = np.concatenate([top, rest])
    values = {
        s: [known[d.at] for d in drawn if d.stratum == s]
        for s in ("zero", "weak", "middle", "strong")
    }
    assert min(len(v) for v in values.values()) >= 10
    assert set(values["zero"]) == {0.0}
    assert 0 < max(values["weak"]) <= min(values["middle"])
    assert max(values["middle"]) <= min(values["strong"])
    everything = draw(top, rest, 300, 1000, np.random.default_rng(0))
    assert sorted(d.at for d in everything) == list(range(300))
    assert {d.weight for d in everything} == {1.0}


def test_samples_of_an_index_are_unbiased_for_its_half(tmp_path):
    target, data = network(), Noise(200)
    index = build(tmp_path, target, data, sample=60)
    values = every_map(target, data, "conv").max(axis=(2, 3))[:, 1]
    for held in (False, True):
        numbers = half_of(data, held)
        unit = Unit("conv", 1)
        means, drawn = [], set()
        for seed in range(300):
            sample = index.sample(unit, 30, np.random.default_rng(seed), held_out=held)
            drawn |= {e.number for e in sample}
            assert sum(e.weight for e in sample) == pytest.approx(len(numbers))
            assert len({e.number for e in sample}) == len(sample) == 30
            means.append(sum(e.weight * (e.number % 7) for e in sample) / len(numbers))
        assert drawn <= set(numbers)
        known = {
            e.number
            for e in (*index.top(unit, 4, held_out=held), *index.uniform(unit, held_out=held))
        }
        assert drawn == known
        top = [e.number for e in index.top(unit, 4, held_out=held)]
        rest = known - set(top)
        # Given which pictures the index knows, this is the mean that samples are unbiased for.
        expected = sum(n % 7 for n in top)
        expected += (len(numbers) - 4) * np.mean([n % 7 for n in rest])
        error = np.std(means) / np.sqrt(len(means))
        assert abs(np.mean(means) - expected / len(numbers)) < 3.5 * error
    assert values[numbers].max() == index.top(unit, 1, held_out=True)[0].activation


# The tools


def names_of(ctx, held):
    return {ctx.data.item(n).name for n, h in enumerate(held_out(ctx.data)) if h == held}


class Blots:
    """Grey pictures; every fifth has a red square."""

    name = "blots"

    def __init__(self, size=200):
        self.groups = [f"picture {n}" for n in range(size)]

    def fingerprint(self):
        return f"blots {len(self.groups)}"

    def item(self, number):
        ground, at = 40 + number % 97, (number % 8, (3 * number) % 12)
        colour = (255, 10, 10) if number % 5 == 0 else (ground,) * 3
        image = Image.new("RGB", (16, 16), (ground,) * 3)
        image.paste(colour, (at[1], at[0], at[1] + 4, at[0] + 4))
        name = f"{'red' if number % 5 == 0 else 'grey'} {number}"
        labels = (name.split()[0], "odd" if number % 2 else "even")
        about = {"kind": "picture", "data": self.name, "item": name, "labels": list(labels)}
        return Item(name, image, labels, provenance=about)


@pytest.fixture
def red(bench):
    """A bench over the blots."""
    made = bench()
    made.ctx.data = Blots()
    return made


def weighted_correlation(table, phrase):
    stored = table["concepts"][phrase]
    degree = np.zeros(len(table["weight"]))
    if isinstance(stored, dict):
        degree[stored["at"]] = 1
    else:
        degree[:] = stored
    covariance = np.cov(degree, table["activation"], aweights=table["weight"])
    return covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])


def test_exemplars_finds_the_red_pictures_of_a_unit_that_measures_red(red):
    values = TOOLS["exemplars"](red.ctx, {"unit": "colours:0"}).to_json()["values"]
    assert len(set(values["stimuli"])) == 9
    assert all(name.startswith("red ") for name in values["names"])
    assert all("red" in labels for labels in values["labels"])
    assert all(c["labelled red"] == 1 for c in values["concepts"])
    for name, (row, column) in zip(values["names"], values["position"], strict=True):
        number = int(name.split()[1])
        at = (number % 8, (3 * number) % 12)
        assert at[0] <= 16 * row <= at[0] + 4
        assert at[1] <= 16 * column <= at[1] + 4
    statistics = values["statistics"]
    assert statistics["pictures"] == 100
    assert 0.7 < statistics["zero_share"] < 0.9
    assert statistics["quantiles"]["1"] == statistics["high"] == values["activation"][0]


def test_exemplars_of_a_control_unit_that_measures_blue_are_not_red(red):
    names = TOOLS["exemplars"](red.ctx, {"unit": "colours:2"}).values["names"]
    assert sum(name.startswith("red ") for name in names) <= 4


def test_exemplars_draws_each_picture_under_its_map(red):
    result = TOOLS["exemplars"](red.ctx, {"unit": "colours:0", "k": 3})
    kinds = [a.kind for a in result.artifacts]
    assert kinds == ["stimulus"] * 3 + ["figure"] * 3
    for stimulus, figure in zip(result.artifacts[:3], result.artifacts[3:], strict=True):
        assert figure.provenance["of"] == stimulus.id
        assert red.ctx.store.image(figure.id).size == red.ctx.store.image(stimulus.id).size


def test_exemplars_shows_a_picture_that_is_in_the_data_twice_once(bench):
    made = bench(pictures=60)
    images = made.ctx.data._images
    made.ctx.data._images = images[:30] + images[:30]
    stimuli = TOOLS["exemplars"](made.ctx, {"unit": "colours:0", "k": 12}).values["stimuli"]
    assert len(stimuli) >= 8
    assert len({picture_id(image) for image in made.ctx.images(stimuli)}) == len(stimuli)


def test_survey_finds_the_concept_of_a_planted_unit(red):
    table = TOOLS["survey"](red.ctx, {"unit": "colours:0", "n": 60}).to_json()["values"]
    assert weighted_correlation(table, "labelled red") > 0.9
    assert sum(table["weight"]) == pytest.approx(100, rel=1e-4)
    assert len({len(v) for k, v in table.items() if k != "concepts"}) == 1


def test_survey_of_a_planted_unit_does_not_go_with_a_control_concept(red):
    table = TOOLS["survey"](red.ctx, {"unit": "colours:0", "n": 60}).values
    assert abs(weighted_correlation(table, "labelled odd")) < 0.3


def test_survey_leaves_out_what_is_rare_or_the_same_everywhere(red):
    table = TOOLS["survey"](red.ctx, {"unit": "colours:0", "n": 100}).values
    for stored in table["concepts"].values():
        degrees = stored if isinstance(stored, list) else None
        positive = sum(d > 0 for d in degrees) if degrees else len(stored["at"])
        assert positive >= 2
        assert degrees is None or len(set(degrees)) > 1
    assert isinstance(table["concepts"]["labelled red"], dict)


def test_held_out_sample_finds_the_concept_where_no_planner_looked(red):
    call = {"unit": "colours:0", "n": 60, "phrases": ["labelled red", "labelled mauve"]}
    result = TOOLS["held_out_sample"](red.ctx, call)
    values = result.to_json()["values"]
    assert weighted_correlation(values, "labelled red") > 0.9
    assert values["concepts"]["labelled mauve"] == {"at": []}
    assert set(values["concepts"]) == set(call["phrases"])
    assert values["repeat"]["pearson"] > 0.9
    assert set(values["population"]) == {"pictures"}
    for shown in values["shown"]:
        about = red.ctx.store.artifact(shown["stimulus"]).provenance
        assert about["item"] == values["stimuli"][shown["at"]]
    assert 4 <= len(values["shown"]) <= 12


def test_held_out_sample_of_a_constant_control_unit_repeats_nothing(red):
    with torch.no_grad():
        red.ctx.target.model.mix.weight[7] = 0
    values = TOOLS["held_out_sample"](red.ctx, {"unit": "colours:7", "n": 20, "phrases": []}).values
    assert values["repeat"]["pearson"] is None
    assert set(values["stratum"]) == {"strong", "zero"}


def test_planners_see_the_discovery_half_alone_and_the_confirm_step_the_other(red):
    seen, unseen = names_of(red.ctx, False), names_of(red.ctx, True)
    shown = set()
    for unit in ("colours:0", "colours:3", "mix:1"):
        shown |= set(TOOLS["exemplars"](red.ctx, {"unit": unit, "k": 16}).values["names"])
        shown |= set(TOOLS["survey"](red.ctx, {"unit": unit, "n": 100}).values["stimuli"])
    assert shown == seen
    call = {"unit": "colours:0", "n": 100, "phrases": []}
    assert set(TOOLS["held_out_sample"](red.ctx, call).values["stimuli"]) == unseen
    audiences = {name: TOOLS[name].audience for name in ("held_out_sample", "build_index")}
    assert set(audiences.values()) == {"host"}


def test_a_second_question_judges_no_picture_again(red):
    TOOLS["survey"](red.ctx, {"unit": "colours:0", "n": 100})
    red.ctx.data.item = lambda number: pytest.fail("a picture was read")
    table = TOOLS["survey"](red.ctx, {"unit": "colours:3", "n": 80}).values
    assert len(table["stimuli"]) == 80


def test_build_index_finds_the_exemplars_of_every_unit_ahead_of_any_question(red):
    values = TOOLS["build_index"](red.ctx, {"sites": ["colours", "mix"]}).values
    assert (values["units"], values["pictures"], values["skipped"]) == (16, 200, [])
    assert values["sites"] == ["mix", "colours"]
    main = TOOLS["build_index"](red.ctx, {"sites": []}).values
    assert main["sites"] == red.ctx.target.main_sites
    red.ctx.target.model.register_forward_hook(lambda *_: pytest.fail("a forward pass"))
    assert index_for(red.ctx, "colours:1").units == main["units"]


def test_build_index_of_a_control_that_cannot_be_split_is_refused(red):
    red.ctx.data.groups = ["one"] * 200
    with pytest.raises(DataError, match="two groups"):
        TOOLS["build_index"](red.ctx, {"sites": []})


def test_a_unit_outside_the_main_sites_gets_an_index_of_its_site(red, tmp_path: Path):
    target = red.ctx.target
    target.main_sites = ["colours"]
    assert index_for(red.ctx, "colours:0").names == ["colours"]
    assert index_for(red.ctx, "mix:0").names == ["mix"]
    file = tmp_path / "d.safetensors"
    save_file({"directions": torch.eye(8)}, file)
    assert index_for(red.ctx, f"mix@{file}:3").names == [f"mix@{file}:{n}" for n in range(8)]
    assert index_for(red.ctx, "colours:5") is index_for(red.ctx, "colours:0")
