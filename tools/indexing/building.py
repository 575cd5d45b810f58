"""One pass over a data set that fills the tables of an index, saved as it goes."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hubel.tools.data import DataError, Dataset, UnreadablePicture, readable
from hubel.tools.data.reading import require_readable
from hubel.tools.indexing.columns import Block, Rows
from hubel.tools.indexing.running import Picture, Table, merge
from hubel.tools.indexing.storing import HALVES, Reader, read_tables, write
from hubel.tools.target import Target

if TYPE_CHECKING:
    from PIL import Image

#: Raised when files written before can no longer be read, or would hold other numbers.
_FORMAT = 1
#: Pictures between two merges into the tables.
CHUNK = 128
#: Seconds between two saves; also, saving takes at most this part of the time.
_SAVE_EVERY = 20.0
_SAVE_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, and how; for the meaning of the options see `open_index`."""

    target: Target
    data: Dataset
    columns: list[Block]
    held: list[bool]
    k: int
    sample: int
    seed: int
    batch: int
    locate: bool

    def key(self) -> str:
        """Hash of everything that a unit's numbers depend on; other units are not among it."""
        says = [
            _FORMAT,
            CHUNK,
            self.target.fingerprint(),
            self.target.device.type,
            self.data.fingerprint(),
            hashlib.sha256(bytes(self.held)).hexdigest(),
            [self.k, self.sample, self.seed, self.batch, self.locate],
        ]
        return hashlib.sha256(json.dumps(says).encode()).hexdigest()

    def name(self) -> str:
        """Hash of what the columns are."""
        says = [block.identity() for block in self.columns]
        return hashlib.sha256(json.dumps(says).encode()).hexdigest()

    def covered_by(self, path: Path) -> bool:
        """Whether a file is a finished index of all these columns, or of more."""
        about = Reader(path).about
        there = [block["identity"] for block in about["blocks"]]
        return about["next"] == len(self.held) and all(b.identity() in there for b in self.columns)

    def drawn(self, half: int) -> list[int]:
        """Numbers of the pictures in the uniform sample of a half, rising."""
        there = np.flatnonzero(np.asarray(self.held) == bool(half))
        rng = np.random.default_rng([self.seed, half])
        size = min(self.sample, len(there))
        return sorted(int(n) for n in rng.choice(there, size, replace=False))


@dataclass(frozen=True, slots=True)
class _Progress:
    """Where a pass stands. Replaced as a whole, so that it is consistent at any moment."""

    next: int
    skipped: tuple[tuple[str, str], ...]
    tables: tuple[Table, Table]


class Pass:
    """One pass over the data, from where the file at `path` stands."""

    def __init__(self, plan: Plan, path: Path, report: Callable[[int, int, str], None]) -> None:
        self._plan = plan
        self._path = path
        self._report = report
        self._drawn = [plan.drawn(half) for half in range(len(HALVES))]
        self._column = {n: i for drawn in self._drawn for i, n in enumerate(drawn)}
        self._now = self._begin()
        first, second = self._now.tables
        self._spare = (first.spare(), second.spare())
        self._rows = Rows(plan.columns, CHUNK, plan.target.device, locate=plan.locate)
        self._saved = (self._now.next, time.monotonic(), 0.0)  # picture, when, seconds it took

    def run(self) -> None:
        """Go over all pictures that are left and write the index.

        Raises:
            DataError: One half of the data has no picture that can be read.
        """
        try:
            while self._now.next < len(self._plan.held):
                self._chunk()
                if self._now.next < len(self._plan.held):
                    self._save_sometimes()
        except BaseException:
            if self._saved[0] < self._now.next < len(self._plan.held):
                self._save()
            raise
        errors = [UnreadablePicture(f"{name}: {why}") for name, why in self._now.skipped]
        for half, table in zip(("discovery", "held-out"), self._now.tables, strict=True):
            of = f"the {half} half of {self._plan.data.name}"
            require_readable(of, int(table.count), errors)
        self._save()

    def _begin(self) -> _Progress:
        plan = self._plan
        if self._path.exists():
            about = Reader(self._path).about
            skipped = tuple((name, why) for name, why in about["skipped"])
            return _Progress(about["next"], skipped, read_tables(self._path))
        if len(set(plan.held)) < 2:
            raise DataError(
                f"{plan.data.name} cannot be split into a discovery and a held-out half: "
                "it needs pictures of at least two groups."
            )
        units = sum(block.width for block in plan.columns)
        first, second = (
            Table.empty(units, plan.k, len(drawn), locate=plan.locate) for drawn in self._drawn
        )
        return _Progress(0, (), (first, second))

    def _chunk(self) -> None:
        """Measure the next pictures and merge them into the tables."""
        begin, end = self._now.next, min(self._now.next + CHUNK, len(self._plan.held))
        self._rows.filled = 0
        numbers: list[int] = []
        names: list[str] = []
        skipped = list(self._now.skipped)
        waiting: list[Image.Image] = []
        for number, item in readable(self._plan.data, iter(range(begin, end))):
            if isinstance(item, UnreadablePicture):
                name, _, why = str(item).partition(": ")
                skipped.append((name, why))
                continue
            numbers.append(number)
            names.append(item.name)
            waiting.append(item.image)
            if len(waiting) == self._plan.batch:
                self._forward(waiting, number + 1)
        if waiting:
            self._forward(waiting, end)
        finite = self._rows.values[: len(numbers)].isfinite().all(dim=1).tolist()
        left_out = [name for name, good in zip(names, finite, strict=True) if not good]
        skipped += [(name, "an activation is not finite") for name in left_out]
        kept = [
            Picture(row, number, self._column.get(number))
            for row, number in enumerate(numbers)
            if finite[row]
        ]
        self._merge(kept, end, tuple(skipped))

    def _forward(self, waiting: list[Image.Image], done: int) -> None:
        self._rows.take(self._plan.target, self._plan.target.batch(waiting))
        waiting.clear()
        self._report(done, len(self._plan.held), "indexing pictures")

    def _merge(self, kept: list[Picture], end: int, skipped: tuple[tuple[str, str], ...]) -> None:
        """Merge rows into the spare tables; until the spare ones take over nothing has changed."""
        values, places = self._rows.values.cpu(), self._rows.places
        places = None if places is None else places.cpu()
        tables, spare = list(self._now.tables), list(self._spare)
        for half in range(len(HALVES)):
            mine = [p for p in kept if self._plan.held[p.number] == bool(half)]
            if mine:
                merge(tables[half], spare[half], values, places, mine)
                tables[half], spare[half] = spare[half], tables[half]
        self._now = _Progress(end, skipped, (tables[0], tables[1]))
        self._spare = (spare[0], spare[1])

    def _save_sometimes(self) -> None:
        _picture, when, took = self._saved
        if time.monotonic() - when >= max(_SAVE_EVERY, took / _SAVE_SHARE):
            self._save()

    def _save(self) -> None:
        begun = time.monotonic()
        about: dict[str, Any] = {
            "next": self._now.next,
            "skipped": self._now.skipped,
            "k": self._plan.k,
            "sample": dict(zip(HALVES, self._drawn, strict=True)),
            "blocks": [
                {
                    "name": b.name,
                    "start": b.start,
                    "width": b.width,
                    "grid": b.grid,
                    "identity": b.identity(),
                }
                for b in self._plan.columns
            ],
        }
        write(self._path, about, self._now.tables)
        now = time.monotonic()
        self._saved = (self._now.next, now, now - begun)
