"""What indexing costs beside the bare forward pass, on the bundled network.

    python benchmarks/index_cost.py [--pictures 512] [--rounds 5] [--json]

Both sides run over the same batches in one process, in turn, round after round; the ratio is the
median over the rounds of CPU time (all threads) of a whole `open_index` into an empty cache over
that of the bare passes. Reading and preprocessing of pictures are outside on both sides: the
batches are put together from inputs that were prepared before. Memory is the peak of a process
of its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from hubel.tools.context import BATCH
from hubel.tools.data import Item
from hubel.tools.data.bundled import load as demo_data
from hubel.tools.exemplars import open_index
from hubel.tools.target import Target
from hubel.tools.targets.demo import PREPROCESS
from hubel.tools.targets.demo import load as demo_target

#: Different pictures; longer runs repeat them.
DIFFERENT = 64
BATCHES = (1, 2, 4, 8, 16, 64)
#: Modules that hand on what they get or add zeros around it: as sites they say nothing new.
PASSING_ON = ("Identity", "ZeroPad2d", "Dropout")


class Prepared:
    """Numbered blanks in place of pictures, each for an input that is prepared already."""

    name = "prepared"

    def __init__(self, size: int) -> None:
        self.groups = [f"group {number}" for number in range(size)]

    def fingerprint(self) -> str:
        return f"{len(self.groups)} prepared"

    def item(self, number: int) -> Item:
        return Item(str(number), Image.new("I", (1, 1), number))


class Inputs:
    """Preprocessing that looks prepared inputs up; real pictures it prepares."""

    def __init__(self, layout: torch.memory_format) -> None:
        pictures = demo_data(str(DIFFERENT // 2))
        ready = PREPROCESS([pictures.item(n).image for n in range(DIFFERENT)])
        self._ready = ready.contiguous(memory_format=layout)

    def __call__(self, images: Sequence[Image.Image]) -> Tensor:
        if images[0].mode != "I":
            return PREPROCESS(images)
        return self._ready[[int(image.getpixel((0, 0))) % DIFFERENT for image in images]]


def prepared_target(layout: torch.memory_format) -> Target:
    target = demo_target("", "cpu")
    target.preprocess = Inputs(layout)
    return target


def bare(target: Target, size: int, batch: int) -> None:
    data = Prepared(size)
    for start in range(0, size, batch):
        images = [data.item(n).image for n in range(start, min(start + batch, size))]
        target.forward(target.batch(images))


def index(target: Target, sites: Sequence[str], size: int, batch: int, locate: bool = True) -> None:
    with tempfile.TemporaryDirectory() as cache:
        open_index(
            target,
            Prepared(size),
            sites,
            Path(cache),
            report=lambda _done, _total, _what: None,
            batch=batch,
            locate=locate,
        )


def seconds(run: Callable[[], None]) -> tuple[float, float]:
    """CPU time of all threads, and time on the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def compare(target: Target, size: int, rounds: int, batch: int) -> list[dict[str, Any]]:
    """Cost per picture of each way of indexing, and its ratio to the bare pass."""
    modules = dict(target.model.named_modules())
    layers = [s for s in target.sites if type(modules[s]).__name__ not in PASSING_ON]
    ways: dict[str, Callable[[], None]] = {
        "bare forward pass": lambda: bare(target, size, batch),
        "block outputs": lambda: index(target, target.main_sites, size, batch),
        "every layer": lambda: index(target, layers, size, batch),
        "every layer, no places": lambda: index(target, layers, size, batch, locate=False),
        "every module": lambda: index(target, list(target.sites), size, batch),
        "every module, no places": lambda: index(
            target, list(target.sites), size, batch, locate=False
        ),
    }
    counts = {"block outputs": target.main_sites, "every layer": layers}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            times[name].append(seconds(run))
    base = times["bare forward pass"]
    rows = []
    for name, taken in times.items():
        sites = counts.get(name.split(",")[0], [] if name.startswith("bare") else target.sites)
        cpu = [own[0] / plain[0] for own, plain in zip(taken, base, strict=True)]
        wall = [own[1] / plain[1] for own, plain in zip(taken, base, strict=True)]
        rows.append(
            {
                "what": name,
                "sites": len(sites),
                "units": sum(target.sites[s].units for s in sites),
                "cpu_ms": 1e3 * median(t[0] for t in taken) / size,
                "cpu_ratio": median(cpu),
                "cpu_ratios": cpu,
                "wall_ms": 1e3 * median(t[1] for t in taken) / size,
                "wall_ratio": median(wall),
            }
        )
    return rows


def tune(target: Target, size: int, rounds: int) -> list[dict[str, Any]]:
    """Indexing of the block outputs at several batch sizes."""
    taken: dict[int, list[tuple[float, float]]] = {batch: [] for batch in BATCHES}
    for _ in range(rounds):
        for batch in BATCHES:
            run = lambda batch=batch: index(target, target.main_sites, size, batch)  # noqa: E731
            taken[batch].append(seconds(run))
    return [
        {
            "batch": batch,
            "cpu_ms": 1e3 * median(t[0] for t in ts) / size,
            "pictures_per_second": size / median(t[1] for t in ts),
        }
        for batch, ts in taken.items()
    ]


def peaks(size: int, layout: str) -> list[dict[str, Any]]:
    """Peak memory of a process that indexes the block outputs of so many pictures, and of four
    times as many.
    """
    rows = []
    for pictures in (size, 4 * size):
        command = [sys.executable, __file__, "--peak", str(pictures), "--layout", layout]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append({"pictures": pictures, "peak_mib": float(out.split()[-1])})
    return rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pictures", type=int, default=512)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments.add_argument(
        "--layout", choices=["contiguous", "channels last"], default="contiguous"
    )
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    formats = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
    target = prepared_target(formats[given.layout])
    if given.peak:
        index(target, target.main_sites, given.peak, BATCH)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    bare(target, 32, BATCH)
    found = {
        "torch": torch.__version__,
        "processor": platform.processor() or platform.machine(),
        "threads": given.threads,
        "layout": given.layout,
        "pictures": given.pictures,
        "batch": BATCH,
        "rounds": given.rounds,
        "cost": compare(target, given.pictures, given.rounds, BATCH),
        "batches": tune(target, given.pictures // 2, 3),
        "memory": peaks(1024, given.layout),
    }
    if given.json:
        print(json.dumps(found))
        return
    about = ("torch", "threads", "layout", "pictures", "batch", "rounds")
    print(", ".join(f"{name} {found[name]}" for name in about))
    print_rows(found["cost"], ("what", "sites", "units", "cpu_ms", "cpu_ratio", "wall_ratio"))
    print_rows(found["batches"], ("batch", "cpu_ms", "pictures_per_second"))
    print_rows(found["memory"], ("pictures", "peak_mib"))


def print_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    print()
    print("".join(f"{name:>24}" for name in columns))
    for row in rows:
        cells = (row[name] for name in columns)
        print("".join(f"{c:>24.3f}" if isinstance(c, float) else f"{c!s:>24}" for c in cells))


if __name__ == "__main__":
    main()
