"""The jail: starts a process in a box that it cannot leave.

Threat model. The code in a box may be buggy, careless or prompt-injected. It must not read
secrets, reach a network, alter files or weights, spoil a later result, exhaust the machine, or
outlive its run. Not covered: faults of the kernel and of GPU drivers, and side channels. What code
in a cell *says* is covered by construction: numbers in the ledger come from tools in the lab.

A box has one of three levels:

- **isolated**: namespaces of its own (bubblewrap), so that it sees a read-only file system with
  only what it needs, no network, no other process; besides, everything of the next level.
- **confined**: Landlock, a seccomp filter and limits, as an unprivileged user without capabilities.
  It shares the machine's process list and network namespaces, and its writable folder is on disk.
- **none**: there are no boxes: a lab is a plain process, and planner-written code is refused.
- **unsafe**: the same, but planner-written code runs, as a plain process too. Only by choice.

Which one works is decided by starting one, never by looking whether a program is there
(`hubel.sandbox.levels`).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from hubel.sandbox import bwrap, landlock, view
from hubel.sandbox.cgroups import Group
from hubel.sandbox.limits import Limits
from hubel.sandbox.owners import give, remove, unused_user

Level = Literal["isolated", "confined", "none", "unsafe"]
Profile = Literal["lab", "cell"]

#: Bytes above the watchdog's limit at which the kernel steps in.
_ROOM = 256 << 20


class JailError(Exception):
    """A box cannot be started; the message says why."""


@dataclass
class Box:
    """A running box.

    Attributes:
        process: What the host started; it ends when the box has ended.
        channel: The host's end of the channel.
        lifeline: The host's end of the lifeline: when it closes, a lab's box ends. A cell's ends
            with its channel.
        home: A folder on the host that was made for it and goes with it; None if there is none.
        group: Holds its memory; None where the host may not make one.
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket
    lifeline: socket.socket
    home: Path | None
    group: Group | None = None

    def opened(self, limits: Limits) -> None:
        """Say that the target is open: from here on the limit of memory counts."""
        self.lifeline.send(b"o")
        if self.group is not None:
            self.group.limit(self.group.held() + limits.memory + _ROOM)

    def overfull(self) -> bool:
        """Whether the kernel ended a process of the box because it took too much memory."""
        return self.group is not None and self.group.killed()

    def last_words(self) -> str:
        """Why the box ended itself, if it said so."""
        self.lifeline.setblocking(False)
        with suppress(OSError):
            return self.lifeline.recv(1000).decode(errors="replace")
        return ""

    def end(self) -> None:
        """End the box with everything in it, and wait until it is gone."""
        self.channel.close()
        self.lifeline.close()
        try:
            # Process 1 sees the closed lifeline and takes everything in the box with it.
            self.process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            for group in (_children(self.process.pid), [self.process.pid]):
                for process in group:
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            self.process.wait()
        if self.home is not None:
            remove(self.home)
        if self.group is not None:
            self.group.remove()


@dataclass(frozen=True)
class Jail:
    """How to start boxes of one level.

    Attributes:
        level: How strong they are.
        bwrap: Path of bubblewrap, for the isolated level.
        limits: What each box may use.
    """

    level: Level
    bwrap: str | None = None
    limits: Limits = field(default_factory=Limits)

    def start(
        self,
        profile: Profile,
        command: Sequence[str] = (),
        *,
        warm: Sequence[str] = (),
        read: Iterable[Path] = (),
        write: Sequence[Path] = (),
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        user: str = "",
        log: int = subprocess.DEVNULL,
        gpu: bool = False,
    ) -> Box:
        """Start a box.

        Args:
            profile: A ``lab`` runs `command`; a ``cell`` box becomes the zygote.
            command: Program and arguments of a lab; ``{channel}`` becomes the number of the
                descriptor.
            warm: Modules that the zygote imports.
            read: Files and folders on the host that it may read, besides Python and hubel.
            write: Folders on the host that it may write to.
            environment: All that its environment holds, besides what Python needs.
            folder: Where it starts; its writable place if left out.
            user: Boxes with the same word have the same user number, where the host is root; each
                has one of its own if left out.
            log: Descriptor that takes what it prints.
            gpu: Whether it sees the NVIDIA devices.

        Raises:
            JailError: The level is none.
            ValueError: A path is not there, or holds more than a box may see.
        """
        if self.level == "none":
            raise JailError("without a sandbox there are no boxes")
        boxed = self.level == "isolated"
        shown = view.shown(read)
        home = None
        if not boxed and not write:
            home = Path(tempfile.mkdtemp(prefix="hubel-cell-"))
            write = [home]
        guarded = self.level != "unsafe"
        uid = unused_user(user) if os.getuid() == 0 and guarded else None
        if uid is not None:
            for place in write:
                give(place, uid)
        inside = str(write[0] if write else view.WRITABLE[0])
        variables = _environment(inside, view.WRITABLE[0] if boxed else inside)
        variables |= environment or {}
        group = Group.make() if guarded else None
        entering = group.entering() if group is not None else []
        if group is not None and profile == "cell":
            group.limit(self.limits.memory + _ROOM)
        mine, theirs = socket.socketpair()
        life, lifeline = socket.socketpair()
        with theirs, lifeline, ExitStack() as files, ExitStack() as undone:
            # What is to be taken back if the process cannot be started.
            undone.callback(mine.close)
            undone.callback(life.close)
            if home is not None:
                undone.callback(remove, home)
            if group is not None:
                undone.callback(group.remove)
            plan = self._plan(profile, shown, write)
            if uid is None and not boxed:  # the limit counts all that the user runs
                plan["limits"]["processes"] += _threads_of_user()
            plan |= {
                "uid": uid,
                "warm": list(warm),
                "folder": str(folder or inside),
                "channel": theirs.fileno(),
                "lifeline": lifeline.fileno(),
                "command": [part.replace("{channel}", str(theirs.fileno())) for part in command],
            }
            order = files.enter_context(_file(json.dumps(plan).encode())).fileno()
            launch = [sys.executable, "-P", "-s", "-m", "hubel.sandbox.launch", str(order)]
            inherited = [theirs.fileno(), lifeline.fileno(), order]
            if boxed:
                options = bwrap.options(
                    shown,
                    write,
                    variables,
                    self.limits,
                    folder=plan["folder"],
                    as_root=uid is not None,
                    gpu=gpu,
                )
                told = b"\0".join(part.encode() for part in options) + b"\0"
                arguments = files.enter_context(_file(told)).fileno()
                launch = [str(self.bwrap), "--args", str(arguments), "--", *launch]
                inherited.append(arguments)
            process = subprocess.Popen(  # noqa: S603  (our own module in our own box)
                [*entering, *launch],
                pass_fds=inherited,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # bwrap's own environment would be readable in the box as that of process 1.
                env={} if boxed else variables,
                cwd="/",
                start_new_session=True,
            )
            undone.pop_all()
        return Box(process, mine, life, home, group)

    def _plan(self, profile: Profile, shown: list[Path], write: Sequence[Path]) -> dict[str, Any]:
        """What the launcher does in the box, as far as it follows from the level."""
        fenced = self.level == "confined"
        own = [str(folder) for folder in write]
        reads = [*map(str, shown), *view.system(), *view.ABOUT_CPU, *view.devices()]
        cell_reads = reads if fenced else None
        if self.level == "isolated" and landlock.abi() >= _SCOPES:
            cell_reads = ["/"]
        return {
            "profile": profile,
            "limits": self.limits.to_json(),
            "loading": _free_memory(),
            "walls": self.level != "unsafe",
            "tmpfs": list(view.WRITABLE) if self.level == "isolated" else [],
            "landlock": fenced,
            "read": [*reads, "/proc"],
            "write": [*own, "/dev/null"],
            "cell_read": cell_reads,
            "cell_write": [*(own if fenced else view.WRITABLE), "/dev/null"],
        }


#: The version of Landlock that keeps signals and abstract sockets inside.
_SCOPES = 6


def _environment(home: str, temporary: str) -> dict[str, str]:
    """What the environment of every box holds."""
    return {
        "HOME": home,
        "TMPDIR": temporary,
        "USER": "hubel",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(view.python_path()),
    }


def _threads_of_user() -> int:
    """Threads that this user runs already."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended since
            if process.stat().st_uid == os.getuid():
                found += len(list((process / "task").iterdir()))
    return found


def _free_memory() -> int:
    """Bytes that a lab may take while it opens its target: nearly all that is free."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 * 9 // 10
    raise JailError("the kernel does not say how much memory is free")


def _file(content: bytes) -> IO[bytes]:
    """An open file in memory that holds `content` and is on no disk."""
    file = os.fdopen(os.memfd_create("hubel"), "w+b")
    file.write(content)
    file.flush()
    file.seek(0)
    return file


def _children(process: int) -> list[int]:
    """The direct children of a process, from the kernel's list."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
        return [int(number) for number in text.split()]
    return []
