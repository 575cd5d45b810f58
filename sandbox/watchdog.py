"""What the processes of a box hold together, and their end. Runs inside the box, in process 1."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from pathlib import Path

clock = time.monotonic

#: Bytes of page tables from which on a process is counted with all that it has mapped: adding up
#: its share would take the kernel seconds, in which it could do as it likes. It maps 16 GiB then.
_TABLES = 32 << 20

#: Bytes that a socket may hold for its other end to read: the kernel's default for its buffer. The
#: memory is the kernel's own, and the filter lets no cell ask for more.
_SOCKET = 256 << 10


class Watch:
    """Counts the memory of all processes under this one.

    The proportional set size shares out what processes have in common, as a fork has with its
    parent. A process that hides it is counted with all that it has mapped.

    Attributes:
        limit: Bytes that they may hold.
        most: Bytes that they were seen to hold, at most.
    """

    def __init__(self, limit: int, places: tuple[str, ...] = ()) -> None:
        self.limit = limit
        self.most = 0
        self._places = places

    def held(self) -> int:
        """Bytes held by every process but this one, and by the files in memory."""
        processes = descendants()
        held = sum(map(_memory, processes)) + _SOCKET * _sockets(processes)
        return held + sum(map(_files, self._places))

    def passed(self) -> str:
        """Which limit is passed, in a sentence; empty if none is."""
        held = self.held()
        self.most = max(self.most, held)
        if held <= self.limit:
            return ""
        return f"It held {held >> 20} MiB of memory; the limit is {self.limit >> 20} MiB."


def descendants() -> list[int]:
    """Process numbers of everything that came from this process.

    Orphans are among them: this process adopts them.
    """
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended since
                stat = (entry / "stat").read_bytes()
                parents[int(entry.name)] = int(stat.rpartition(b")")[2].split()[1])
    found = {os.getpid()}
    before = 0
    while len(found) > before:
        before = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return sorted(found - {os.getpid()})


def kill_all() -> None:
    """Kill everything that came from this process, and wait until it is gone."""
    alone = os.getpid() == 1
    while True:
        if alone:
            # One call reaches every process of the namespace, so that none can fork away.
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        else:
            for process in descendants():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0 if alone else os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def _memory(process: int) -> int:
    """Bytes of a process: its share of what it maps, and the kernel's tables of that."""
    try:
        tables = _field(process, "status", b"VmPTE:")
        try:
            if tables < _TABLES:
                return tables + _field(process, "smaps_rollup", b"Pss:")
            return tables + _field(process, "status", b"VmRSS:")
        except PermissionError:
            return tables + _field(process, "status", b"VmRSS:")
    except OSError:  # it has ended
        return 0


def _sockets(processes: list[int]) -> int:
    """How many sockets they have open; a process that hides its files may have all it can have."""
    found: set[str] = set()
    hidden = 0
    for process in processes:
        try:
            with os.scandir(f"/proc/{process}/fd") as files:
                for file in files:
                    with contextlib.suppress(OSError):  # closed since
                        found.add(str(Path(file.path).readlink()))
        except PermissionError:
            hidden += resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        except OSError:  # it has ended
            continue
    return hidden + sum(name.startswith("socket:") for name in found)


def _field(process: int, file: str, name: bytes) -> int:
    for line in Path(f"/proc/{process}/{file}").read_bytes().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) << 10
    return 0


def _files(place: str) -> int:
    there = os.statvfs(place)
    return (there.f_blocks - there.f_bfree) * there.f_frsize
