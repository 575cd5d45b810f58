"""Labs that the server keeps open, for whoever browses units: one per network and pictures."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hubel.agent.experiments import adopt_pictures
from hubel.agent.ledger import Ledger
from hubel.agent.where import Where
from hubel.sandbox.session import LabSession

#: Labs that are open at once; the one that was used longest ago makes room.
MOST = 2


@dataclass
class Bench:
    """One network and its pictures, open or being opened.

    All its work is done in one thread, which lives as long as the lab: a lab ends with the thread
    that started it.

    Attributes:
        key: Its name in addresses.
        state: Where it is.
        problem: Why it could not be opened.
        target: The network, as the lab announced it; None until it is open.
        progress: Progress of long work: done, total, what.
    """

    key: str
    model: str
    data: str
    state: Literal["opening", "open", "failed", "closed"] = "opening"
    problem: str = ""
    target: dict[str, Any] | None = None
    progress: tuple[int, int, str] | None = None

    def __post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, f"lab-{self.key}")
        self._lab: LabSession | None = None
        self._stack = ExitStack()
        self._turn = threading.Lock()

    def open(self, where: Where, home: Path, device: str) -> None:
        """Begin to open it."""

        def work() -> None:
            try:
                lab = where.lab(self.model, self.data, home, device)
                self._lab = self._stack.enter_context(lab)
                self._lab.progress = self._note
                self.target = self._lab.hello["target"]
                self._opened("open")
            # Whatever keeps it from opening is told to whoever asked for it.
            except Exception as error:
                self.problem = str(error)
                self._opened("failed")

        self._thread.submit(work)

    def call(self, home: Path, tool: str, args: dict[str, Any]) -> Future[dict[str, Any]]:
        """Call a tool; pictures of its result are kept beside the ledger, its numbers nowhere."""

        def work() -> dict[str, Any]:
            if self._lab is None:
                raise ValueError(f"{self.model} is not open")
            with Ledger(home) as ledger:
                try:
                    result = self._lab.call(tool, args, seed=0)
                finally:
                    self.progress = None
                adopt_pictures(ledger, self._lab, result)
            return result

        return self._thread.submit(work)

    def close(self) -> None:
        """Close the lab."""
        with self._turn:
            self.state = "closed"
        self._thread.submit(self._stack.close)
        self._thread.shutdown(wait=True, cancel_futures=False)

    def _opened(self, state: Literal["open", "failed"]) -> None:
        with self._turn:
            if self.state == "opening":  # what was closed meanwhile stays closed
                self.state = state

    def _note(self, done: int, total: int, what: str) -> None:
        self.progress = (done, total, what)


class Labs:
    """The labs of a server.

    Args:
        where: Where they run.
        home: Folder of the ledger.
        device: Where their networks run.
    """

    def __init__(self, where: Where, home: Path, device: str) -> None:
        self._where, self._home, self._device = where, home, device
        self._benches: dict[str, Bench] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Bench]:
        return iter(list(self._benches.values()))

    def get(self, key: str) -> Bench | None:
        """The lab of a key; None if it was never opened, or made room for another."""
        with self._lock:
            if (bench := self._benches.pop(key, None)) is not None:
                self._benches[key] = bench  # used last
            return bench

    def open(self, model: str, data: str) -> Bench:
        """Open a lab, or find the one that is open.

        Raises:
            ValueError: As many as may be open are being opened already.
        """
        key = hashlib.sha256(f"{model}\n{data}".encode()).hexdigest()[:12]
        known = self.get(key)
        if known is not None and known.state in ("opening", "open"):
            return known
        with self._lock:
            going = [b for b in self._benches.values() if b.state in ("opening", "open")]
            rest = [b for b in going if b.state == "open"][: max(0, len(going) + 1 - MOST)]
            if len(going) - len(rest) >= MOST:
                raise ValueError(
                    f"{MOST} networks are being opened: wait until one is open, then ask again."
                )
            bench = self._benches[key] = Bench(key, model, data)
            for one in rest:
                del self._benches[one.key]
        for one in rest:
            threading.Thread(target=one.close, daemon=True).start()
        bench.open(self._where, self._home, self._device)
        return bench

    async def call(self, bench: Bench, tool: str, args: dict[str, Any]) -> dict[str, Any]:
        """The result of a tool.

        Raises:
            LabRefused, ToolBroken, LabLost: As a lab raises them.
            ValueError: The lab is not open.
        """
        return await asyncio.wrap_future(bench.call(self._home, tool, args))

    def close(self) -> None:
        """Close them all, and wait for it; not for an event loop."""
        for bench in list(self._benches.values()):
            bench.close()
