"""What an attack takes of the machine, seen from the host while it runs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from hubel.sandbox.probes.plain import named

#: What is measured of the whole machine: its line in /proc/meminfo.
_MACHINE = {"shared": "Shmem", "tables": "PageTables", "free": "MemAvailable"}


@contextlib.contextmanager
def census(tag: str) -> Iterator[dict[str, int]]:
    """Watch, while an attack runs, what its processes take.

    Yields:
        The highest values seen: ``tasks`` (processes and threads), ``bytes`` (in memory; shared
        pages are shared out), and by how much the machine's shared memory with
        files in memory (``shared``), its page tables (``tables``) and all that is not free
        (``taken``) have grown.
    """
    most = {"tasks": 0, "bytes": 0, "shared": 0, "tables": 0, "taken": 0}
    stop = threading.Event()
    before = _machine()

    def look() -> None:
        while not stop.wait(0.01):
            tasks = held = 0
            for process in named(tag):
                with contextlib.suppress(OSError, ValueError):
                    tasks += sum(1 for _ in Path(f"/proc/{process}/task").iterdir())
                    held += _held(process)
            now = {name: value - before[name] for name, value in _machine().items()}
            seen = {"tasks": tasks, "bytes": held, "taken": -now.pop("free"), **now}
            most.update({name: max(most[name], seen[name]) for name in most})

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield most
    finally:
        stop.set()
        watcher.join()


@contextlib.contextmanager
def own_growth() -> Iterator[dict[str, int]]:
    """Measure by how many ``bytes`` at most this process grows meanwhile."""
    clear, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")

    def peak() -> int:
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    ctypes.CDLL(None).malloc_trim(0)
    clear.write_text("5")
    before = peak()
    found: dict[str, int] = {}
    yield found
    found["bytes"] = peak() - before


def _held(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except PermissionError:  # it hides that; shared pages count for each process then
        statm = Path(f"/proc/{process}/statm").read_text().split()
        return int(statm[1]) * os.sysconf("SC_PAGE_SIZE")


def _machine() -> dict[str, int]:
    """Bytes of each of `_MACHINE`."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    found = {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines}
    return {name: found[line] for name, line in _MACHINE.items()}
