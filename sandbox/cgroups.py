"""A control group for a box, where one can be had: the kernel then holds its memory to the byte.

The watchdog looks every 50 ms, and a box with many processes can take much in that time. A group
needs the right to make one: root has it nearly everywhere, others where it was delegated to them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path
from typing import Self

_numbers = itertools.count()


class Group:
    """A control group with a limit on memory.

    Attributes:
        folder: Where the kernel shows it.
    """

    def __init__(self, folder: Path, version: int) -> None:
        self.folder = folder
        self._version = version

    @classmethod
    def make(cls) -> Self | None:
        """Make one beside or below this process's own; None if that is not allowed here."""
        name = f"hubel-{os.getpid()}-{next(_numbers)}"
        for parent, version in _parents():
            _sweep(parent)
            folder = parent / name
            try:
                folder.mkdir()
            except OSError:
                continue
            group = cls(folder, version)
            if group._limit_file().exists():
                return group
            group.remove()
        return None

    def entering(self) -> list[str]:
        """What a command begins with, to run in the group from its first instruction on."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs")]

    def limit(self, nbytes: int) -> None:
        """Bound the memory of all its processes; with what they hold already."""
        self._limit_file().write_text(str(nbytes))

    def held(self) -> int:
        """Bytes that its processes hold, with the kernel's on their behalf."""
        name = "memory.current" if self._version == 2 else "memory.usage_in_bytes"
        return int((self.folder / name).read_text())

    def killed(self) -> bool:
        """Whether the kernel ended a process because the limit was passed."""
        name = "memory.events" if self._version == 2 else "memory.oom_control"
        with contextlib.suppress(OSError):
            for line in (self.folder / name).read_text().splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill" and int(value):
                    return True
        return False

    def remove(self) -> None:
        """Remove it once its processes are gone, which takes the kernel a moment."""
        for _ in range(50):
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)
            else:
                return

    def _limit_file(self) -> Path:
        return self.folder / ("memory.max" if self._version == 2 else "memory.limit_in_bytes")


def _sweep(parent: Path) -> None:
    """Remove what a host that was killed could not."""
    for folder in parent.glob("hubel-*-*"):
        maker = folder.name.split("-")[1]
        if not Path("/proc", maker).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _parents() -> list[tuple[Path, int]]:
    """Groups that one could be made in, with the version of the interface."""
    mounts = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, where, kind, options, *_ = line.split()
            if kind == "cgroup2":
                mounts[2] = Path(where)
            elif kind == "cgroup" and "memory" in options.split(","):
                mounts[1] = Path(where)
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, own = line.split(":", 2)
            version = 2 if controllers == "" else 1 if "memory" in controllers.split(",") else 0
            if version in mounts:
                place = mounts[version] / own.lstrip("/")
                # A group of version 2 that holds processes can have none below it with limits.
                found += [(place, version), (place.parent, version)]
    return [(p, v) for p, v in found if p.is_dir() and p.is_relative_to(mounts[v])]
