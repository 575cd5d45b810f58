"""What indexing costs beside the bare forward pass, on the bundled network.

    python benchmarks/index_cost.py [--pictures 512] [--rounds 5] [--threads 2] [--json]

Both sides run over the same batches in one process, in turn, round after round. The ratio is that
of CPU times (all threads) of a whole `open_index` into an empty cache, its merges and its files
included, to the bare passes of the same round; its median is given. Reading and preprocessing
pictures is outside on both sides: batches are put together from inputs prepared before. Memory
is the peak of a process of its own.

*Every module* is every site of the target. *Every layer* is less the modules that pass on what
they get: identities, dropout, padding.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from hubel.tools.context import BATCH
from hubel.tools.data import Item
from hubel.tools.data.bundled import load as demo_data
from hubel.tools.exemplars import SAMPLE, open_index
from hubel.tools.target import Target
from hubel.tools.targets.demo import PREPROCESS
from hubel.tools.targets.demo import load as demo_target

#: Different pictures; longer runs repeat them.
DIFFERENT = 32
BATCHES = (1, 2, 4, 8, 16, 64)
#: Pictures that fill the uniform samples of both halves.
FULL = 2 * SAMPLE
PASSING_ON = ("Identity", "ZeroPad2d", "Dropout")
LAYOUTS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


class _Prepared:
    """Numbered blanks in place of pictures, each for an input that is prepared already."""

    name = "prepared"

    def __init__(self, size: int) -> None:
        self.groups = [f"group {number}" for number in range(size)]

    def fingerprint(self) -> str:
        return f"{len(self.groups)} prepared"

    def item(self, number: int) -> Item:
        return Item(str(number), Image.new("I", (1, 1), number))


class _Inputs:
    """Preprocessing that looks prepared inputs up; real pictures it prepares."""

    def __init__(self, layout: torch.memory_format) -> None:
        pictures = demo_data(str(DIFFERENT // 2))
        ready = [PREPROCESS([pictures.item(n).image]) for n in range(DIFFERENT)]
        self._ready = torch.cat(ready).contiguous(memory_format=layout)
        self._layout = layout

    def __call__(self, images: Sequence[Image.Image]) -> Tensor:
        if images[0].mode != "I":
            return PREPROCESS(images).contiguous(memory_format=self._layout)
        numbers = [int(image.getpixel((0, 0))) % DIFFERENT for image in images]  # type: ignore[arg-type]
        return self._ready[numbers]


def _bare(target: Target, size: int, batch: int) -> None:
    data = _Prepared(size)
    for start in range(0, size, batch):
        images = [data.item(n).image for n in range(start, min(start + batch, size))]
        target.forward(target.batch(images))


def _index(
    target: Target, sites: Sequence[str], size: int, batch: int, *, locate: bool = True
) -> None:
    with tempfile.TemporaryDirectory() as cache:
        open_index(
            target,
            _Prepared(size),
            sites,
            Path(cache),
            report=lambda _done, _total, _what: None,
            batch=batch,
            locate=locate,
        )


def _seconds(run: Callable[[], None]) -> tuple[float, float]:
    """CPU time of all threads, and time on the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def cost(target: Target, size: int, rounds: int) -> list[dict[str, Any]]:
    """Cost per picture of each way of indexing, and its ratio to the bare pass."""
    modules = dict(target.model.named_modules())
    layers = [s for s in target.sites if type(modules[s]).__name__ not in PASSING_ON]
    ways: list[tuple[str, Sequence[str], bool]] = [
        ("block outputs", target.main_sites, True),
        ("every layer", layers, True),
        ("every layer, no places", layers, False),
        ("every module", list(target.sites), True),
    ]
    plain = partial(_bare, target, size, BATCH)
    base: list[tuple[float, float]] = []
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name, _, _ in ways}
    for _ in range(rounds):
        base.append(_seconds(plain))
        for name, sites, locate in ways:
            taken[name].append(_seconds(partial(_index, target, sites, size, BATCH, locate=locate)))
    rows = [_row("bare forward pass", [], target, size, base, base)]
    return rows + [_row(name, sites, target, size, taken[name], base) for name, sites, _ in ways]


def _row(
    name: str,
    sites: Sequence[str],
    target: Target,
    size: int,
    own: Sequence[tuple[float, float]],
    base: Sequence[tuple[float, float]],
) -> dict[str, Any]:
    ratios = [mine[0] / bare[0] for mine, bare in zip(own, base, strict=True)]
    return {
        "what": name,
        "sites": len(sites),
        "units": sum(target.sites[s].units for s in sites),
        "cpu ms": 1e3 * median(cpu for cpu, _ in own) / size,
        "clock ms": 1e3 * median(wall for _, wall in own) / size,
        "cpu ratio": median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }


def batches(target: Target, size: int, rounds: int) -> list[dict[str, Any]]:
    """Indexing the block outputs at several batch sizes."""
    taken: dict[int, list[tuple[float, float]]] = {batch: [] for batch in BATCHES}
    for _ in range(rounds):
        for batch in BATCHES:
            taken[batch].append(_seconds(partial(_index, target, target.main_sites, size, batch)))
    return [
        {
            "batch": batch,
            "cpu ms": 1e3 * median(cpu for cpu, _ in times) / size,
            "pictures/s": size / median(wall for _, wall in times),
        }
        for batch, times in taken.items()
    ]


def memory(size: int, layout: str) -> list[dict[str, Any]]:
    """Peak memory of indexing the block outputs of so many pictures, and of four times as many."""
    rows = []
    for pictures in (size, 4 * size):
        command = [sys.executable, __file__, "--peak", str(pictures), "--layout", layout]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append({"pictures": pictures, "peak MiB": float(out)})
    return rows


def main() -> None:
    """Measure, and print tables or JSON."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pictures", type=int, default=512)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments.add_argument("--layout", choices=list(LAYOUTS), default="contiguous")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    target = demo_target("", "cpu")
    target.preprocess = _Inputs(LAYOUTS[given.layout])
    if given.peak:
        _index(target, target.main_sites, given.peak, BATCH)
        status = Path("/proc/self/status").read_text()  # getrusage's peak counts the parent's too
        print(float(status.split("VmHWM:")[1].split()[0]) / 1024)
        return
    _bare(target, 32, BATCH)
    about = {name: getattr(given, name) for name in ("pictures", "rounds", "threads", "layout")}
    found: dict[str, Any] = {"about": {**about, "batch": BATCH, "torch": torch.__version__}}
    parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "cost": partial(cost, target, given.pictures, given.rounds),
        "batches": partial(batches, target, given.pictures // 2, 3),
        "memory": partial(memory, FULL, given.layout),
    }
    if not given.json:
        print(", ".join(f"{name} {value}" for name, value in found["about"].items()))
    for part, measure in parts.items():
        found[part] = measure()
        if not given.json:
            _print(found[part])
    if given.json:
        print(json.dumps(found))


def _print(rows: Sequence[dict[str, Any]]) -> None:
    print("\n" + "".join(f"{name:>23}" for name in rows[0]))
    for row in rows:
        print(
            "".join(f"{c:>23.3f}" if isinstance(c, float) else f"{c!s:>23}" for c in row.values())
        )


if __name__ == "__main__":
    main()
