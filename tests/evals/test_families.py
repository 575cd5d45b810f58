from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from safetensors.torch import load_file
from scipy.stats import ks_2samp, spearmanr
from torch import Tensor, nn

from hubel.evals.families import reference
from hubel.evals.families.directions import random_directions
from hubel.evals.families.null import null_units, plant
from hubel.evals.families.shuffled import shuffle
from hubel.tools.data.bundled import load
from hubel.tools.spec import ToolError
from hubel.tools.target import Edit, Target
from hubel.tools.targets.opening import open_target
from hubel.tools.targets.preprocessing import Squash

SMALL = Squash(32, 32, (127, 127, 127), (128, 128, 128))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Passes this small are slower on several threads, much slower beside other processes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Small(nn.Module):
    """Three layers with batch normalisation; the second site has a single channel."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(3, 8, 5, stride=2), nn.BatchNorm2d(8), nn.ReLU())
        self.single = nn.Sequential(nn.Conv2d(8, 1, 3), nn.ReLU())
        self.late = nn.Sequential(nn.Conv2d(1, 6, 3, stride=2), nn.BatchNorm2d(6))
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.late(self.single(self.wide(x))).mean((2, 3)))


SITES = ["wide", "single", "late", "head"]


def small(model: nn.Module | None = None, sites: Sequence[str] = SITES) -> Target:
    torch.manual_seed(4)
    return Target("small", model or Small().eval(), SMALL, main_sites=sites)


def random_pictures(count: int) -> list[Image.Image]:
    """Noise of any colour, brightness and coarseness."""
    rng = np.random.default_rng(8)
    made = []
    for _ in range(count):
        side = int(rng.choice([4, 8, 16, 32]))
        low, high = np.sort(rng.uniform(0, 256, (2, 3)), axis=0)
        pixels = rng.uniform(low, high, (side, side, 3)).astype(np.uint8)
        made.append(Image.fromarray(pixels).resize((32, 32), Image.Resampling.BICUBIC))
    return made


def statistics(image: Image.Image) -> list[float]:
    pixels = np.asarray(image, dtype=np.float64)
    grey = pixels.mean(axis=2)
    down, right = np.gradient(grey)
    edges = np.hypot(down, right).mean()
    fine = np.abs(grey - np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(2)))).mean()
    spread = pixels.max(axis=2) - pixels.min(axis=2)
    halves = grey[:16].mean() - grey[16:].mean(), grey[:, :16].mean() - grey[:, 16:].mean()
    return [grey.mean(), grey.std(), edges, fine, spread.mean(), *pixels.mean((0, 1)), *halves]


def activations(target: Target, images: Sequence[Image.Image], site: str) -> NDArray[Any]:
    """[pictures, units]."""
    parts = []
    for start in range(0, len(images), 4):
        batch = target.batch(images[start : start + 4])
        kept = target.capture(batch, [site]).sites[site]
        parts.append(target.site(site).maxima(kept).numpy())
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def planted() -> Target:
    return plant(small(), "null:small")


@pytest.fixture(scope="module")
def unseen() -> list[Image.Image]:
    """Pictures of the kind that the controls were measured on, but others."""
    data = load("104")
    return [data.item(number).image for number in range(reference.COUNT, 2 * 104)]


# --- null


def test_null_units_stand_after_the_last_channel_and_feed_nothing(planted: Target):
    base = small()
    assert null_units(planted) == ["wide:8", "single:1", "late:6", "head:4"]
    assert [planted.unit(name).index for name in null_units(planted)] == [8, 1, 6, 4]
    inputs = base.batch(random_pictures(4))
    run = planted.capture(inputs, SITES)
    assert torch.equal(run.logits, base.forward(inputs))
    for site in SITES:
        assert torch.equal(run.sites[site][:, :-1], base.capture(inputs, [site]).sites[site])
        last = planted.site(site).units - 1
        edited = planted.intervene(inputs, [Edit(site, 9.0, last)]).logits
        assert torch.equal(edited, base.forward(inputs))


def test_a_null_unit_answers_the_same_about_the_same_picture(planted: Target):
    images = random_pictures(6)
    again = plant(small(), "null:small")
    for site in SITES:
        together = planted.capture(planted.batch(images), [site]).sites[site][:, -1]
        alone = [again.capture(again.batch([i]), [site]).sites[site][0, -1] for i in images]
        assert torch.equal(together, torch.stack(alone))
    with torch.inference_mode():
        buffers = planted.batch(images[:4]), planted.batch(images[:4]).clone()
    for buffer in (planted.batch(images[:4]), *buffers):
        before = planted.capture(buffer, ["wide"]).sites["wide"][:, -1]
        with torch.inference_mode():
            buffer.copy_(buffer.flip(0))
        after = planted.capture(buffer, ["wide"]).sites["wide"][:, -1]
        assert torch.equal(after, before.flip(0))
    changed = images[0].copy()
    changed.putpixel((0, 0), tuple(255 - v for v in images[0].getpixel((0, 0))))  # type: ignore[union-attr]
    pair = planted.capture(planted.batch([images[0], changed]), ["wide"]).sites["wide"][:, -1]
    assert not torch.equal(pair[0], pair[1])


def test_null_units_of_two_sites_and_of_two_seeds_are_independent(planted: Target):
    images = random_pictures(300)
    values = [activations(planted, images, site)[:, -1] for site in SITES]
    other = plant(small(), "null:small", seed=1)
    values.append(activations(other, images, "wide")[:, -1])
    correlations = spearmanr(np.stack(values, axis=1)).statistic
    assert np.abs(correlations - np.eye(len(values))).max() < 0.2
    assert other.fingerprint() != planted.fingerprint()
    assert planted.fingerprint() != small().fingerprint()
    assert planted.fingerprint() == plant(small(), "null:small").fingerprint()


def test_a_null_unit_has_its_twins_distribution(planted: Target, unseen: list[Image.Image]):
    # The site has one channel, so it is the twin.
    single = activations(planted, unseen, "single")
    assert ks_2samp(single[:, 1], single[:, 0]).statistic < 0.25
    assert len(np.unique(single[:, 1])) > 0.9 * len(unseen)
    # The check would see another distribution: other channels', and the twin's at half the size.
    wide = activations(planted, unseen, "wide")
    assert max(ks_2samp(single[:, 1], wide[:, c]).statistic for c in range(8)) > 0.4
    assert ks_2samp(single[:, 1], single[:, 0] / 2).statistic > 0.3


def test_a_null_units_maps_are_like_its_twins(planted: Target, unseen: list[Image.Image]):
    maps = planted.capture(planted.batch(unseen), ["single"]).sites["single"].numpy()
    real, null = maps[:, 0], maps[:, 1]
    assert null.min() >= real.min() - 1e-6
    assert np.allclose(null.mean(), real.mean(), rtol=0.2)
    assert np.allclose(null.std(), real.std(), rtol=0.2)
    # As smooth as the twin's: noise pixel by pixel would not be.
    steps = [np.abs(np.diff(m, axis=1)).mean() / m.std() for m in (real, null)]
    shuffled = np.random.default_rng(0).permuted(null.reshape(len(null), -1), axis=1)
    rough = np.abs(np.diff(shuffled.reshape(null.shape), axis=1)).mean() / null.std()
    assert abs(steps[1] - steps[0]) < 0.2 * steps[0]
    assert rough > 1.35 * steps[0]
    # But the place of the maximum is anybody's.
    rows = [np.unravel_index(m.argmax(), m.shape) for m in null]
    real_rows = [np.unravel_index(m.argmax(), m.shape) for m in real]
    assert abs(spearmanr([r[0] for r in rows], [r[0] for r in real_rows]).statistic) < 0.3


def test_null_units_have_nothing_to_do_with_what_is_in_the_picture(planted: Target):
    images = random_pictures(400)
    measured = np.array([statistics(image) for image in images])

    def strongest(values: NDArray[Any]) -> float:
        found = [abs(spearmanr(values, column).statistic) for column in measured.T]
        return float(max(found))

    for site in SITES:
        values = activations(planted, images, site)
        # 400 pictures, ten statistics: chance stays under 0.2 but once in ten thousand.
        assert strongest(values[:, -1]) < 0.2
        real = [strongest(values[:, c]) for c in range(values.shape[1] - 1)]
        assert min(real) > 0.3


def test_no_null_unit_is_planted_where_nothing_varies():
    dead = Small().eval()
    nn.init.zeros_(dead.single[0].weight)  # type: ignore[arg-type]
    target = plant(small(dead, ["wide", "single"]), "null:small")
    assert target.planted == ("wide",)
    with pytest.raises(ToolError, match="no main site with a channel that varies"):
        plant(small(dead, ["single"]), "null:small")


def test_the_bundled_network_with_null_units(unseen: list[Image.Image]):
    base, target = open_target("demo"), open_target("null:demo")
    assert null_units(target) == [f"{s}:{base.site(s).units}" for s in base.main_sites]
    inputs = target.batch(unseen[:4])
    assert torch.equal(target.capture(inputs, target.main_sites).logits, base.forward(inputs))
    values = activations(target, unseen[:48], "_blocks.10")
    distances = [ks_2samp(values[:, -1], values[:, c]).statistic for c in range(112)]
    assert min(distances) < 0.2
    assert np.median(distances) > 0.2


# --- shuffled


def test_a_shuffled_network_has_the_same_weights_in_another_order():
    base = small()
    target = shuffle(base, "shuffled:small")
    assert list(target.sites.items()) == list(base.sites.items())
    assert target.main_sites == base.main_sites
    pairs = zip(base.model.named_parameters(), target.model.parameters(), strict=True)
    for (name, before), after in pairs:
        assert torch.equal(before.flatten().sort().values, after.flatten().sort().values), name
        if len(before.unique()) > 3:
            assert not torch.equal(before, after), name
    inputs = base.batch(random_pictures(4))
    assert not torch.allclose(target.forward(inputs), base.forward(inputs), atol=1e-3)
    # The base is as it was, and the draw is the seed's.
    assert base.fingerprint() == small().fingerprint()
    assert target.fingerprint() == shuffle(small(), "again").fingerprint()
    assert target.fingerprint() != shuffle(small(), "other", seed=1).fingerprint()


def test_activations_of_the_shuffled_bundled_network_live(unseen: list[Image.Image]):
    base = open_target("demo")
    target = open_target("shuffled:demo")
    sites = ["_blocks.0", "_blocks.8", "_blocks.15"]
    inputs = [t.batch(unseen[:12]) for t in (base, target)]
    real, mixed = base.capture(inputs[0], sites).sites, target.capture(inputs[1], sites).sites
    dead = stale_norms(base, target).capture(inputs[0], sites).sites
    for site in sites:
        spread = base.site(site).maxima(real[site]).std(0).mean()
        shuffled = base.site(site).maxima(mixed[site])
        assert 0.25 < shuffled.std(0).mean() / spread < 4
        assert (shuffled.std(0) > 1e-3).all()
    # With the statistics of the trained network it would be otherwise.
    ratio = dead["_blocks.15"].std() / real["_blocks.15"].std()
    assert not 0.25 < ratio < 4
    model = target.model
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(m.momentum is not None and not m.training for m in norms)


def stale_norms(base: Target, shuffled: Target) -> Target:
    """The shuffled network with the running statistics of the trained one."""
    model = copy.deepcopy(shuffled.model)
    trained = dict(base.model.named_buffers())
    for name, buffer in model.named_buffers():
        buffer.copy_(trained[name])
    return shuffled.derived("stale", model=model)


def test_controls_nest_and_refuse_what_makes_no_sense(tmp_path: Path):
    path = tmp_path / "net.py"
    path.write_text(
        "from torch import nn\n\n"
        "def make():\n"
        "    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)]\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.BatchNorm2d(4), nn.ReLU(), *head)\n"
    )
    spec = f"null:shuffled:file:{path}:make"
    target = open_target(spec)
    assert target.name == spec
    assert target.planted
    with pytest.raises(ToolError, match="has planted channels already"):
        open_target(f"null:{spec}")
    with pytest.raises(ToolError, match="has planted channels: write 'null:shuffled"):
        open_target(f"shuffled:null:file:{path}:make")
    with pytest.raises(ToolError, match="needs the target"):
        open_target("null")
    with pytest.raises(ToolError, match="needs the target"):
        open_target("shuffled:")
    with pytest.raises(ToolError, match="'dmo' is no kind"):
        open_target("null:dmo")


def test_without_the_pictures_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    reference._pictures.cache_clear()
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ToolError, match=r"measured on pictures.*pip install 'hubel\[demo\]'"):
        plant(small(), "null:small")


# --- directions


def test_random_directions_are_units_of_a_site(tmp_path: Path):
    path = tmp_path / "random.safetensors"
    random_directions(path, 8, 5, seed=3)
    target = small()
    written = load_file(path)["directions"]
    torch.testing.assert_close(written.norm(dim=1), torch.ones(5))
    units = [target.unit(f"wide@{path}:{row}") for row in range(5)]
    rows = torch.stack([target.direction(unit) for unit in units])
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(5))
    assert (rows @ rows.T - torch.eye(5)).abs().max() < 0.95
    again, other = tmp_path / "again", tmp_path / "other"
    random_directions(again, 8, 5, seed=3)
    random_directions(other, 8, 5, seed=4)
    assert again.read_bytes() == path.read_bytes()
    assert other.read_bytes() != path.read_bytes()
