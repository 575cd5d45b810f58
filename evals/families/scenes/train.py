"""Trains the perception network: `python -m hubel.evals.families.scenes.train FOLDER render|fit`.

Two processes, side by side: ``render`` draws scenes into the folder (10 GB in all, part by part),
``fit`` passes once over the parts as they come and leaves ``perception.safetensors`` there, after
each part; interrupted, it goes on after the last whole part, with a fresh optimiser. Every scene is
seen once. Rendering takes 6 minutes of a core, fitting 20 (with AMX, in bfloat16). The shipped
weights were interrupted once, after the second; till then their learning rate fell by a tenth.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from hubel.evals.families.scenes import labels as table
from hubel.evals.families.scenes.network import CELLS, SIDE, Perception
from hubel.tools.imagery.scenes import Scene, random_scene, render, scene_having

#: Scenes in each part of the training set.
PARTS = (16_000,) * 4
BATCH, RATE = 16, 2e-3

_WARM, _HELD = 0.15, 0.5  # shares of training for which the rate rises, and until it falls
_CROWDED = 0.6  # share of scenes with three or more things: they teach more per pixel
_HERE, _NEAR = 6.0, 12.0  # pixels: up to here a cell is a centre; from there on it is none
_LOG = logging.getLogger(__name__)


def scene(part: int, number: int) -> Scene:
    """A scene of the training set."""
    rng = np.random.default_rng([part, number])
    having = ["three or more objects"] if rng.random() < _CROWDED else []
    return scene_having(rng, having) if having else random_scene(rng)


def draw(folder: Path, part: int, count: int) -> None:
    """Render a part of the training set into ``scN.npy`` (pixels) and ``scN.npz`` (labels)."""
    pixels = np.lib.format.open_memmap(
        folder / f"sc{part}.npy", "w+", np.uint8, (count, SIDE, SIDE, 3)
    )
    rows = []
    for number in range(count):
        drawn = scene(part, number)
        pixels[number] = np.asarray(render(drawn))
        rows.append(table.labels(drawn))
    pixels.flush()
    things, ground, text = (
        np.stack([getattr(row, field) for row in rows])
        for field in ("things", "background", "text")
    )
    np.savez(folder / f"sc{part}.npz", T=things, B=ground, W=text)


def fit(folder: Path, parts: Sequence[int] = PARTS) -> Perception:
    """Train on the parts in the folder, waiting for those that are not there yet."""
    torch.manual_seed(0)
    model = Perception(table.classes())
    model.pack()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    for part in range(_resumed(model, folder) + 1, len(parts) + 1):
        while not (folder / f"sc{part}.npz").exists():
            time.sleep(5)
        pixels = np.load(folder / f"sc{part}.npy", mmap_mode="r")
        known = dict(np.load(folder / f"sc{part}.npz"))
        before, steps = sum(parts[: part - 1]), parts[part - 1] // BATCH
        order = np.random.default_rng(part).permutation(parts[part - 1])
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = RATE * _rate((before + step * BATCH) / sum(parts))
            chosen = np.sort(order[step * BATCH : (step + 1) * BATCH])
            losses = _losses(model, pixels[chosen], {k: v[chosen] for k, v in known.items()})
            optimiser.zero_grad()
            torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            if step % 100 == 0:
                said = " ".join(f"{k} {v.item():.4f}" for k, v in losses.items())
                _LOG.info("part %d step %d: %s", part, step, said)
        save(model, folder / "perception.safetensors")
        (folder / "parts").write_text(str(part), encoding="utf-8")
    return model


def _resumed(model: Perception, folder: Path) -> int:
    """The number of parts that an interrupted training has passed, whose weights are taken up."""
    if not (folder / "parts").exists():
        return 0
    state = load_file(folder / "perception.safetensors")
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return int((folder / "parts").read_text(encoding="utf-8"))


def _rate(done: float) -> float:
    """The learning rate, relative to its highest, by the share of training that is done."""
    return min(1.0, done / _WARM, (1 - done) / (1 - _HELD))


def save(model: Perception, path: Path) -> None:
    """Write the weights in half precision, which is the precision that is measured."""
    state = model.state_dict()
    halved = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    save_file({k: v.contiguous() for k, v in halved.items()}, str(path))


def _losses(
    model: Perception, pixels: NDArray[np.uint8], known: dict[str, NDArray[np.generic]]
) -> dict[str, Tensor]:
    inputs = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    painted = model.palette(inputs)  # in full precision: it takes differences of squares
    with torch.autocast("cpu", torch.bfloat16):
        outputs = model.read(painted)
    centres, classes, whole = (output.float() for output in outputs)
    things, ground, text = (torch.from_numpy(known[k]) for k in "TBW")
    place = torch.tensor([0.12, 0.5, 0.88])[text[:, 1].clamp(min=0).long()]
    absent = torch.where(text[:, 1] < 0, -1.0, 1.0)
    written = torch.stack([absent * 0.5, absent * place], dim=1)[:, None]
    losses = {
        "things": _centre_loss(centres[:, 0], things[:, :, :2]),
        "texts": _centre_loss(centres[:, 1], written),
    }
    parts = dict(
        zip(model.groups, torch.split(classes, [*model.groups.values()], dim=1), strict=True)
    )
    for column, group in enumerate(("shape", "colour", "texture", "size"), start=table.SHAPE):
        losses[group] = _class_loss(parts[group], things[:, :, :2], things[:, :, column].long())
    losses["ink"] = _class_loss(parts["ink"], written, text[:, :1].long())
    kinds = table.classes()["kind"]
    losses["kind"] = functional.cross_entropy(whole[:, :kinds], ground[:, 0].long())
    colours = functional.one_hot(ground[:, 1:].long() + 1, table.classes()["ground"] + 1)
    wanted = colours.amax(dim=1)[:, 1:].float()
    losses["ground"] = 4 * functional.binary_cross_entropy_with_logits(whole[:, kinds:], wanted)
    return losses


def _centre_loss(logits: Tensor, places: Tensor) -> Tensor:
    """Focal loss (Lin et al. 2017) of centre logits [N, H, W].

    Places are [N, things, 2], negative for a thing that is not there.
    """
    cells = (torch.arange(CELLS) + 0.5) * SIDE / CELLS
    x, y = (places[:, :, axis, None] * SIDE - cells for axis in (0, 1))
    apart = (x.square()[:, :, None, :] + y.square()[:, :, :, None]).sqrt()
    apart = torch.where(places[:, :, :1, None] < 0, torch.inf, apart).amin(dim=1)
    here = (apart <= _HERE).float()
    asked = (apart <= _HERE) | (apart >= _NEAR)
    loss = functional.binary_cross_entropy_with_logits(logits, here, reduction="none")
    wrong = (logits.sigmoid() - here).abs().square()
    return (loss * wrong * asked).sum() / here.sum().clamp(min=1)


def _class_loss(logits: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
    """Cross entropy at the four cells around each place that has a class (not -1)."""
    batch, thing = (wanted >= 0).nonzero(as_tuple=True)
    if not len(batch):
        return logits.sum() * 0
    corner = (places[batch, thing] * CELLS - 0.5).floor().long()
    loss = logits.new_zeros(())
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        column, row = ((corner[:, a] + d).clamp(0, CELLS - 1) for a, d in ((0, dx), (1, dy)))
        loss = loss + functional.cross_entropy(logits[batch, :, row, column], wanted[batch, thing])
    return loss / 4


def main() -> None:
    """Run one of the two processes."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder, what = Path(sys.argv[1]), sys.argv[2]
    if what == "render":
        for part, count in enumerate(PARTS, start=1):
            if not (folder / f"sc{part}.npz").exists():
                draw(folder, part, count)
    else:
        fit(folder)


if __name__ == "__main__":
    main()
