from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from hubel.tools.spec import ToolError
from hubel.tools.target import Edit, Site, Target
from hubel.tools.units import Unit

SIDE = 16
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Passes this small are slower on several threads, much slower beside other processes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def preprocess(images: Sequence[Image.Image]) -> Tensor:
    small = [np.asarray(image.convert("RGB").resize((SIDE, SIDE))) for image in images]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 127.5 - 1


def darker(images: Sequence[Image.Image]) -> Tensor:
    return preprocess(images) * 0.5


def pictures(count: int, seed: int = 0) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)) for _ in range(count)]


class Chain(nn.Module):
    """Stages one after the other, so that a test can go on from any of them by hand."""

    def __init__(self, *stages: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.head = head

    def forward(self, x: Tensor) -> Any:
        return self.from_stage(0, x)

    def from_stage(self, number: int, x: Any) -> Any:
        for stage in self.stages[number:]:
            x = stage(x)
        return self.head(x)

    def upto_stage(self, number: int, x: Any) -> Any:
        for stage in self.stages[: number + 1]:
            x = stage(x)
        return x


class Pool(nn.Module):
    """Mean over positions, then a linear layer; `axes` are those of the positions."""

    def __init__(self, channels: int, *axes: int) -> None:
        super().__init__()
        self.axes = axes
        self.linear = nn.Linear(channels, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.mean(self.axes))


class Tokens(nn.Module):
    """[N, C, H, W] -> [N, H * W, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class Last(nn.Module):
    """[N, C, H, W] -> [N, H, W, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)


def convolutional() -> Chain:
    return Chain(
        nn.Conv2d(3, 6, 3, stride=2, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 7, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(7, 4, 3, padding=1),
        head=Pool(4, 2, 3),
    )


def channels_last() -> Chain:
    return Chain(
        nn.Conv2d(3, 6, 4, stride=4),
        Last(),
        nn.LayerNorm(6),
        nn.Linear(6, 9),
        nn.GELU(),
        nn.Linear(9, 6),
        head=Pool(6, 1, 2),
    )


def transformer() -> Chain:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    other = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    return Chain(nn.Conv2d(3, 8, 4, stride=4), Tokens(), layer, other, head=Pool(8, 1))


MAKERS = [convolutional, channels_last, transformer]


def seeded(make: Callable[[], nn.Module]) -> Any:
    torch.manual_seed(7)
    model = make()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return model.eval()


def opened(make: Callable[[], nn.Module], **settings: Any) -> Target:
    return Target("tiny", seeded(make), preprocess, **settings)


def hook_count(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make", MAKERS)
def test_logits_are_bit_equal_to_the_bare_model_when_nothing_is_edited(make: Any, device: str):
    bare = seeded(make).to(device)
    target = opened(make, device=device)
    inputs = target.batch(pictures(3))
    assert inputs.device.type == device
    with torch.inference_mode():
        torch.backends.mha.set_fastpath_enabled(False)
        expected = bare(inputs)
        torch.backends.mha.set_fastpath_enabled(True)
    assert torch.equal(target.forward(inputs), expected)
    assert torch.equal(target.capture(inputs, list(target.sites)).logits, expected)
    assert torch.equal(target.intervene(inputs, ()).logits, expected)
    assert torch.equal(target.observe(inputs, {s: lambda x: None for s in target.sites}), expected)


@pytest.mark.parametrize("make", MAKERS)
def test_parity_check_would_see_the_smallest_edit(make: Any):
    target = opened(make)
    inputs = target.batch(pictures(3))
    edits = [Edit("stages.3", 1e-3, index=1, how="add")]
    assert not torch.equal(target.intervene(inputs, edits).logits, target.forward(inputs))


def test_what_an_observer_returns_changes_nothing():
    target = opened(convolutional)
    inputs = target.batch(pictures(2))
    assert torch.equal(
        target.observe(inputs, {"stages.0": lambda x: x * 0}),  # type: ignore[dict-item]
        target.forward(inputs),
    )


@pytest.mark.parametrize("make", MAKERS)
def test_captures_equal_the_modules_run_by_hand(make: Any):
    target, chain = opened(make), seeded(make)
    inputs = target.batch(pictures(3))
    kept = target.capture(inputs, [f"stages.{n}" for n in range(len(chain.stages))]).sites
    torch.backends.mha.set_fastpath_enabled(False)
    for number in range(len(chain.stages)):
        name = f"stages.{number}"
        with torch.inference_mode():
            # A copy of what the stage gave, before a later stage writes into it.
            expected = chain.upto_stage(number, inputs).clone()
        assert torch.equal(kept[name], target.site(name).channels_first(expected))
    torch.backends.mha.set_fastpath_enabled(True)


def test_a_relu_in_place_after_a_site_does_not_reach_what_was_captured():
    target = opened(convolutional)
    kept = target.capture(target.batch(pictures(2)), ["stages.1", "stages.2"]).sites
    assert (kept["stages.1"] < 0).any()
    assert torch.equal(kept["stages.2"], kept["stages.1"].relu())


@pytest.mark.parametrize("how", ["zero", "set", "tensor", "add", "scale"])
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("number", [0, 2, 3])
def test_editing_a_unit_equals_going_on_by_hand_from_the_edited_activation(
    make: Any, number: int, how: str
):
    target, chain = opened(make), seeded(make)
    inputs = target.batch(pictures(3))
    name, index = f"stages.{number}", 2
    site = target.site(name)
    with torch.inference_mode():
        torch.backends.mha.set_fastpath_enabled(False)
        activation = chain.upto_stage(number, inputs).clone()
        part = site.channels_first(activation)[:, index]
        noise = torch.randn(part.shape, generator=torch.Generator().manual_seed(1))
        value: float | Tensor
        if how in ("zero", "set"):
            value = 0.0 if how == "zero" else 1.5
            part.fill_(value)
        elif how == "tensor":
            value = noise
            part.copy_(noise)
        elif how == "add":
            value = noise
            part.add_(noise)
        else:
            value = -2.0
            part.mul_(value)
        expected = chain.from_stage(number + 1, activation.clone())
        torch.backends.mha.set_fastpath_enabled(True)
    edit = Edit(name, value, index, how if how in ("add", "scale") else "set")  # type: ignore[arg-type]
    run = target.intervene(inputs, [edit], [name])
    torch.testing.assert_close(run.logits, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(run.sites[name], site.channels_first(activation), rtol=0, atol=1e-6)
    assert not torch.allclose(run.logits, target.forward(inputs), rtol=0, atol=1e-5)


@pytest.mark.parametrize("make", MAKERS)
def test_writing_a_whole_site_from_another_picture_gives_that_pictures_logits(make: Any):
    target = opened(make)
    inputs, others = target.batch(pictures(3)), target.batch(pictures(3, seed=9))
    captured = target.capture(others, ["stages.2"]).sites["stages.2"]
    patched = target.intervene(inputs, [Edit("stages.2", captured)]).logits
    torch.testing.assert_close(patched, target.forward(others), rtol=0, atol=1e-6)


def test_edits_of_one_site_are_carried_out_in_their_order():
    target = opened(convolutional)
    inputs = target.batch(pictures(2))
    edits = [Edit("stages.3", 2.0, 1), Edit("stages.3", 3.0, 1, "scale")]
    there = target.intervene(inputs, edits, ["stages.3"]).sites["stages.3"][:, 1]
    back = target.intervene(inputs, edits[::-1], ["stages.3"]).sites["stages.3"][:, 1]
    assert (there == 6).all()
    assert (back == 2).all()


class Residual(nn.Module):
    """x + dropout(x): in evaluation the dropout gives its input itself, not a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(x)


def test_editing_an_output_that_is_its_modules_input_leaves_the_input_alone():
    def make() -> Chain:
        return Chain(nn.Conv2d(3, 6, 4, stride=4), Residual(), head=Pool(6, 2, 3))

    target = opened(make)
    inputs = target.batch(pictures(2))
    edit = Edit("stages.1.dropout", 5.0, 1)
    kept = target.intervene(inputs, [edit], ["stages.0", "stages.1"]).sites
    assert torch.equal(kept["stages.1"][:, 1], kept["stages.0"][:, 1] + 5)


class Wrapped(nn.Module):
    """A layer whose output is packed in some other type."""

    def __init__(self, pack: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 6)
        self.pack = pack

    def forward(self, x: Tensor) -> Any:
        return self.pack(self.linear(x))


class Unpack(nn.Module):
    def __init__(self, take: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.take = take

    def forward(self, x: Any) -> Tensor:
        return self.take(x)


Named = namedtuple("Named", ["first", "second"])


def as_model_output(x: Tensor) -> Any:
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    return BaseModelOutputWithPooling(last_hidden_state=x, hidden_states=(x, x))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pack", "take"),
    [
        (lambda x: (x, None), lambda y: y[0]),
        (lambda x: (None, x), lambda y: y[1]),
        (lambda x: [x, 3], lambda y: y[0]),
        (lambda x: {"features": x}, lambda y: y["features"]),
        (lambda x: Named("note", x), lambda y: y.second),
        (as_model_output, lambda y: y.last_hidden_state),
        (as_model_output, lambda y: y["last_hidden_state"]),
        (as_model_output, lambda y: y[0]),
    ],
)
def test_outputs_packed_in_other_types_are_captured_and_edited(pack: Any, take: Any):
    def make() -> Chain:
        return Chain(
            nn.Conv2d(3, 6, 4, stride=4), Tokens(), Wrapped(pack), Unpack(take), head=Pool(6, 1)
        )

    target, chain = opened(make), seeded(make)
    inputs = target.batch(pictures(2))
    assert target.site("stages.2") == Site("stages.2", "NTC", (16, 6))
    assert torch.equal(target.capture(inputs, ["stages.2"]).logits, target.forward(inputs))
    run = target.intervene(inputs, [Edit("stages.2", 0.7, 4)])
    with torch.inference_mode():
        plain = chain.stages[2].linear(chain.upto_stage(1, inputs))
        plain[..., 4] = 0.7
        expected = chain.from_stage(4, plain)
    torch.testing.assert_close(run.logits, expected, rtol=0, atol=1e-6)


class Viewing(nn.Module):
    """Asks for a view of its input, as much code does that counts on contiguous outputs."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1)


@pytest.mark.parametrize("planted", [False, True])
def test_an_edited_output_keeps_the_strides_of_the_original(planted: bool):
    def make() -> Chain:
        return Chain(
            nn.Conv2d(3, 6, 4, stride=4),
            Last(),
            nn.Linear(6, 6),
            Viewing(),
            head=nn.Linear(96, 5),
        )

    plants = {"stages.2": lambda inputs, output: output[:, :1] * 0} if planted else None
    target = opened(make, planted=plants)
    inputs = target.batch(pictures(2))
    target.intervene(inputs, [Edit("stages.2", 0.0, 1)])


def test_layouts_are_told_by_shape_and_where_that_is_ambiguous_by_the_module():
    target = opened(channels_last)
    assert target.site("stages.0") == Site("stages.0", "NCHW", (6, 4, 4))
    for name, channels in (("stages.1", 6), ("stages.3", 9), ("stages.4", 9)):
        assert target.site(name) == Site(name, "NHWC", (4, 4, channels))
        assert target.site(name).units == channels

    def cube() -> Chain:
        return Chain(
            nn.Conv2d(3, 4, 4, stride=4),
            Last(),
            nn.Linear(4, 4),
            nn.LayerNorm(4),
            head=Pool(4, 1, 2),
        )

    sites = opened(cube).sites
    assert [sites[f"stages.{n}"].layout for n in (0, 2, 3)] == ["NCHW", "NHWC", "NHWC"]
    assert opened(transformer).site("stages.2") == Site("stages.2", "NTC", (16, 8))


@pytest.mark.parametrize("make", MAKERS)
def test_the_activation_is_the_maximum_over_positions_in_every_layout(make: Any):
    target = opened(make)
    names = ["stages.2", "head"]
    kept = target.capture(target.batch(pictures(3)), names).sites
    inner = kept["stages.2"]
    by_hand = torch.stack([torch.stack([channel.max() for channel in one]) for one in inner])
    assert torch.equal(target.site("stages.2").maxima(inner), by_hand)
    assert torch.equal(target.site("head").maxima(kept["head"]), kept["head"])
    units = [target.unit("stages.2:1"), target.unit("head:0")]
    maps = target.maps(target.batch(pictures(3)), units)
    assert torch.equal(maps[0], inner[:, 1])
    assert torch.equal(maps[1], kept["head"][:, 0])


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 4, stride=4)
        self.shared = nn.Conv2d(4, 4, 1)
        self.once = nn.Conv2d(4, 4, 1)
        self.never = nn.Conv2d(4, 4, 1)
        self.total = Total()

    def forward(self, x: Tensor) -> Tensor:
        x = self.shared(self.once(self.shared(self.stem(x))))
        self.total(x)
        return x.mean((2, 3))


class Total(nn.Module):
    """Gives a scalar, as losses do."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum()


def test_modules_called_twice_or_never_or_without_channels_are_no_sites():
    assert set(opened(Twice).sites) == {"stem", "once"}


def test_main_sites_are_the_repeated_blocks_and_not_the_parts_of_a_head():
    class Staged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 4, 4, stride=4), nn.ReLU())
            self.blocks = nn.Sequential(
                nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()), nn.Sequential(nn.Conv2d(4, 4, 1))
            )
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.blocks(self.stem(x)))

    assert opened(Staged).main_sites == ["blocks.0", "blocks.1"]
    assert set(opened(Twice).main_sites) == {"stem", "once"}
    assert opened(Staged, main_sites=["stem"]).main_sites == ["stem"]


def test_a_network_without_readable_modules_is_refused():
    with pytest.raises(ToolError, match="no module inside the network"):
        Target("bare", nn.Flatten(), preprocess)


class Fails(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if len(x) == 3:
            raise RuntimeError("three is too many")
        return x


def test_hooks_are_there_during_a_pass_and_gone_after_it():
    target = opened(convolutional)
    seen: list[int] = []
    target.observe(
        target.batch(pictures(2)), {"stages.3": lambda _x: seen.append(hook_count(target.model))}
    )
    assert seen == [1]
    assert hook_count(target.model) == 0


def test_hooks_modes_and_fused_attention_are_put_back_after_an_exception_in_a_hook():
    target = opened(convolutional)
    target.model.train()
    target.model.stages[1].eval()
    before = [m.training for m in target.model.modules()]
    inputs = target.batch(pictures(2))

    def burst(_output: Tensor) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        target.observe(inputs, {"stages.0": lambda _x: None, "stages.3": burst})
    with pytest.raises(RuntimeError):
        target.intervene(inputs, [Edit("stages.0", torch.zeros(11, 11), 0)], ["stages.3"])
    with pytest.raises(ToolError, match="there is no 99"):
        target.intervene(inputs, [Edit("stages.0", 0.0, 99)])
    with pytest.raises(ToolError, match="no site"):
        target.capture(inputs, ["stages.0", "stages.77"])
    assert hook_count(target.model) == 0
    assert [m.training for m in target.model.modules()] == before
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch.is_grad_enabled()


def test_hooks_are_gone_after_an_exception_in_the_model():
    def make() -> Chain:
        return Chain(nn.Conv2d(3, 4, 4, stride=4), Fails(), nn.ReLU(), head=Pool(4, 2, 3))

    target = opened(make)
    names = ["stages.0", "stages.1", "stages.2"]
    with pytest.raises(RuntimeError, match="three is too many"):
        target.capture(target.batch(pictures(3)), names)
    with pytest.raises(RuntimeError, match="three is too many"):
        target.intervene(target.batch(pictures(3)), [Edit("stages.0", 0.0, 1)])
    assert hook_count(target.model) == 0
    assert set(target.capture(target.batch(pictures(2)), names).sites) == set(names)


def test_opening_leaves_no_hook_behind_even_if_the_model_fails():
    model = seeded(lambda: Chain(nn.Conv2d(3, 4, 4, stride=4), nn.Conv2d(5, 4, 1), head=nn.ReLU()))
    with pytest.raises(RuntimeError):
        Target("broken", model, preprocess)
    assert hook_count(model) == 0


def test_unknown_sites_and_units_are_answered_with_the_nearest():
    target = opened(convolutional)
    with pytest.raises(ToolError, match=r"no site 'stage\.3'.*'stages\.3'"):
        target.site("stage.3")
    with pytest.raises(ToolError, match=r"has 7 units, numbered 0 to 6; 'stages\.3:7'"):
        target.unit("stages.3:7")
    with pytest.raises(ToolError, match="is not a unit name"):
        target.unit("stages.3")
    assert target.unit("stages.3:6") == Unit("stages.3", 6)


@pytest.mark.parametrize("make", MAKERS)
def test_a_direction_reads_the_projection_at_length_one(make: Any, tmp_path: Path):
    target = opened(make)
    path = tmp_path / "directions.safetensors"
    channels = target.site("stages.3").units
    rows = torch.randn(2, channels, generator=torch.Generator().manual_seed(2)) * 5
    save_file({"directions": rows}, path)
    inputs = target.batch(pictures(2))
    kept = target.capture(inputs, ["stages.3"]).sites["stages.3"].movedim(1, -1)
    unit = target.unit(f"stages.3@{path}:1")
    expected = kept @ (rows[1] / rows[1].norm())
    torch.testing.assert_close(target.maps(inputs, [unit])[0], expected)


def test_direction_files_that_do_not_fit_are_refused(tmp_path: Path):
    target = opened(convolutional)
    path = tmp_path / "d.safetensors"

    def refused(tensors: dict[str, Tensor] | None, why: str, row: int = 0) -> None:
        path.unlink(missing_ok=True)
        if tensors is not None:
            save_file(tensors, path)
        with pytest.raises(ToolError, match=why):
            target.unit(f"stages.3@{path}:{row}")

    refused(None, "cannot be read as directions")
    refused({"other": torch.zeros(1, 7)}, "save a tensor 'directions'")
    refused({"directions": torch.ones(1, 8)}, r"shape \(1, 8\)")
    refused({"directions": torch.ones(1, 7)}, r"more than 1, 7", row=1)
    refused({"directions": torch.zeros(1, 7)}, "gives no direction")
    path.write_bytes(b"not safetensors")
    with pytest.raises(ToolError, match="cannot be read"):
        target.unit(f"stages.3@{path}:0")


def brightness(inputs: Tensor, output: Tensor) -> Tensor:
    """[N, 1, positions...]: the picture's mean."""
    shape = [len(inputs), 1, *output.shape[2:]]
    return inputs.mean((1, 2, 3)).view(-1, *[1] * (len(shape) - 1)).expand(shape)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", ["stages.3", "head"])
def test_a_planted_channel_is_a_unit_like_any_other_that_feeds_nothing(make: Any, name: str):
    base, target = opened(make), opened(make, planted={name: brightness})
    inputs = target.batch(pictures(3))
    channels = base.site(name).units
    last = f"{name}:{channels}"
    with pytest.raises(ToolError, match="not among them"):
        base.unit(last)
    assert target.planted == (name,)
    assert target.site(name).units == channels + 1
    assert target.site(name).layout == base.site(name).layout
    kept = target.capture(inputs, [name])
    assert torch.equal(kept.logits, base.forward(inputs))
    assert torch.equal(kept.sites[name][:, :-1], base.capture(inputs, [name]).sites[name])
    planted = target.maps(inputs, [target.unit(last)])[0].reshape(3, -1)
    torch.testing.assert_close(planted[:, 0], inputs.mean((1, 2, 3)))
    shapes: list[torch.Size] = []
    target.observe(inputs, {name: lambda x: shapes.append(x.shape)})
    assert shapes == [kept.sites[name].shape]

    ablated = target.intervene(inputs, [Edit(name, 9.0, channels)], [name])
    assert torch.equal(ablated.logits, base.forward(inputs))
    assert (ablated.sites[name][:, -1] == 9).all()
    edit = Edit(name, 0.3, 1)
    both = target.intervene(inputs, [edit], [name]), base.intervene(inputs, [edit], [name])
    assert torch.equal(both[0].logits, both[1].logits)
    assert torch.equal(both[0].sites[name][:, :-1], both[1].sites[name])
    assert not torch.equal(both[0].logits, base.forward(inputs))
    whole = target.intervene(inputs, [Edit(name, kept.sites[name].flip(0))]).logits
    torch.testing.assert_close(whole, base.forward(inputs).flip(0), rtol=0, atol=1e-6)


def test_planting_at_an_unknown_site_is_refused():
    with pytest.raises(ToolError, match=r"no site 'stages\.77'"):
        opened(convolutional, planted={"stages.77": brightness})


def test_the_fingerprint_is_the_same_across_loads():
    for make in MAKERS:
        assert opened(make).fingerprint() == opened(make).fingerprint()


def test_the_fingerprint_changes_with_whatever_changes_what_is_measured():
    base = opened(convolutional)
    prints = [base.fingerprint()]
    for name, part in (("weight", "weight"), ("statistics", "running_mean")):
        model = seeded(convolutional)
        module = model.stages[0] if name == "weight" else model.stages[1]
        with torch.no_grad():
            getattr(module, part).flatten()[0] += 1e-3
        prints.append(Target("tiny", model, preprocess).fingerprint())
    prints.append(Target("tiny", seeded(convolutional), darker).fingerprint())
    softer = seeded(convolutional)
    softer.stages[2] = nn.SiLU()
    prints.append(Target("tiny", softer, preprocess).fingerprint())
    prints.append(opened(convolutional, planted={"stages.3": brightness}).fingerprint())
    prints.append(opened(convolutional, identity="another source file").fingerprint())
    assert len(set(prints)) == len(prints)


def test_a_derived_target_keeps_what_it_is_not_given():
    base = opened(convolutional, labels=list("abcde"), main_sites=["stages.3"], identity="x")
    model = seeded(convolutional)
    with torch.no_grad():
        model.head.linear.bias.add_(1)
    other = base.derived("other", model=model, planted={"stages.3": brightness})
    inputs = base.batch(pictures(2))
    torch.testing.assert_close(other.forward(inputs), base.forward(inputs) + 1)
    assert (other.name, other.labels, other.main_sites) == ("other", list("abcde"), ["stages.3"])
    assert other.planted == ("stages.3",)
    assert base.planted == ()
    assert other.derived("third").planted == ("stages.3",)
