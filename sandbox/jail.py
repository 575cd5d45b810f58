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

import itertools
import json
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import sysconfig
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from hubel.sandbox.cgroups import Group
from hubel.sandbox.limits import Limits

Level = Literal["isolated", "confined", "none", "unsafe"]
Profile = Literal["lab", "cell"]

#: First of the user numbers that no system gives out (systemd's list of ranges); each box of a
#: host that is root gets one of its own, so that limits by user count its processes alone.
_UNUSED_USERS = 1_879_048_192

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime")
#: What numerical libraries ask the kernel about the processor.
_ABOUT_CPU = ("/sys/devices/system/cpu", "/sys/devices/system/node")
_WRITABLE = ("/tmp", "/dev/shm")  # noqa: S108  (file systems of the box's own)
#: Not zero: mapped shared, it is memory that no accounting finds.
_DEVICES = ("null", "full", "random", "urandom")


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
        lifeline: The host's end of the lifeline: when it closes, the box ends.
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
            _remove(self.home)
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
        command: Sequence[str],
        *,
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
            command: Program and arguments; ``{channel}`` becomes the number of the descriptor.
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
        confined = self.level != "isolated"
        walls = self.level != "unsafe"
        home = None
        if confined and not write:
            home = Path(tempfile.mkdtemp(prefix="hubel-cell-"))
            write = [home]
        uid = _unused_user(user) if os.getuid() == 0 and walls else None
        if uid is not None:
            for place in write:
                _give(place, uid)
        needed = _needed([*python_folders(), *map(_absolute, read)])
        inside = str(write[0] if write else _WRITABLE[0])
        mine, theirs = socket.socketpair()
        life, lifeline = socket.socketpair()
        variables = {
            "HOME": inside,
            "TMPDIR": inside if confined else _WRITABLE[0],
            "USER": "hubel",
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(_python_path()),
            **(environment or {}),
        }
        plan: dict[str, Any] = {
            "profile": profile,
            "limits": self.limits.to_json(),
            "tmpfs": [] if confined else list(_WRITABLE),
            "uid": uid,
            "walls": walls,
            "landlock": confined,
            "read": [*map(str, needed), *_system(), "/proc", *_ABOUT_CPU, *_devices()],
            "cell_read": self._cell_may_read(needed),
            "cell_write": [*(map(str, write) if confined else _WRITABLE), "/dev/null"],
            "write": [*map(str, write), "/dev/null"],
            "folder": str(folder or inside),
            "loading": _free_memory(),
            "channel": theirs.fileno(),
            "lifeline": lifeline.fileno(),
            "command": [part.replace("{channel}", str(theirs.fileno())) for part in command],
        }
        with theirs, lifeline, _file(json.dumps(plan).encode()) as plan_file:
            launch = [sys.executable, "-P", "-s", "-m", "hubel.sandbox.launch"]
            launch.append(str(plan_file.fileno()))
            inherited = [theirs.fileno(), lifeline.fileno(), plan_file.fileno()]
            options = None
            if not confined:
                arguments = _options(
                    needed, write, variables, uid, self.limits, gpu=gpu, folder=plan["folder"]
                )
                options = _file(b"\0".join(part.encode() for part in arguments) + b"\0")
                inherited.append(options.fileno())
                launch = [str(self.bwrap), "--args", str(options.fileno()), "--", *launch]
            group = Group.make() if walls else None
            if group is not None:
                launch = [*group.entering(), *launch]
                if profile == "cell":
                    group.limit(self.limits.memory + _ROOM)
            try:
                process = subprocess.Popen(  # noqa: S603  (our own module in our own box)
                    launch,
                    pass_fds=inherited,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # bwrap's own environment would be readable in the box as that of process 1.
                    env=variables if confined else {},
                    cwd="/",
                    start_new_session=True,
                )
            finally:
                if options is not None:
                    options.close()
        return Box(process, mine, life, home, group)

    def _cell_may_read(self, needed: list[Path]) -> list[str] | None:
        """What a cell may read by Landlock, on top of what its box shows."""
        if self.level == "unsafe":
            return None
        if self.level == "confined":
            return [*map(str, needed), *_system(), *_ABOUT_CPU, *_devices()]
        from hubel.sandbox import landlock

        return ["/"] if landlock.abi() >= _SCOPES else None


#: The version of Landlock that keeps signals and abstract sockets inside.
_SCOPES = 6


def _options(
    needed: list[Path],
    write: Sequence[Path],
    variables: dict[str, str],
    uid: int | None,
    limits: Limits,
    *,
    gpu: bool,
    folder: str,
) -> list[str]:
    """The options of bwrap. Order matters: later mounts lie over earlier ones."""
    out = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    out += ["--unshare-cgroup-try", "--as-pid-1", "--cap-drop", "ALL"]
    # Kept until the launcher has sized the file systems and left root, a millisecond later.
    out += ["--cap-add", "CAP_SYS_ADMIN"]
    if uid is None:
        out += ["--unshare-user"]
    else:
        out += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            out += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            out += ["--ro-bind", name, name]
    for name in _SETTINGS:
        out += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for name in _ABOUT_CPU:
        out += ["--ro-bind-try", name, name]
    # Not bwrap's --dev: its terminals need a second user namespace, in which ours could not size
    # the file systems below.
    out += ["--proc", "/proc", "--perms", "0755", "--size", "65536", "--tmpfs", "/dev"]
    for name in _DEVICES:
        out += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        out += ["--symlink", f"/proc/self/fd{target}", f"/dev/{name}"]
    for place in _WRITABLE:
        out += ["--perms", "1777", "--size", str(limits.tmpfs), "--tmpfs", place]
    if gpu:
        out += ["--ro-bind", "/sys", "/sys"]
        for device in sorted(Path("/dev").glob("nvidia*")):
            out += ["--dev-bind", str(device), str(device)]
    shown: list[tuple[str, Path]] = [("--ro-bind", path) for path in needed] + [
        ("--bind", path) for path in write
    ]
    # bwrap makes the folders above for root alone.
    above = {parent for _, path in shown for parent in path.parents} | {Path(folder)}
    hidden = [Path(name) for name in _SYSTEM] + needed + list(write)
    for path in sorted(above - {Path("/"), *map(Path, _WRITABLE)}):
        if not any(path.is_relative_to(there) for there in hidden):
            out += ["--perms", "0755", "--dir", str(path)]
    for how, path in shown:
        out += [how, str(path), str(path)]
    out += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in variables.items():
        out += ["--setenv", name, value]
    return out


def python_folders() -> list[Path]:
    """Folders that Python and hubel need: the interpreter, the packages, the rooms."""
    import hubel

    found = [Path(sys.base_prefix), Path(sys.base_exec_prefix), Path(sys.prefix)]
    found += [Path(sysconfig.get_paths()[name]) for name in ("stdlib", "platstdlib")]
    source = Path(str(hubel.__file__)).parent
    found += [source, *(room.resolve() for room in source.iterdir() if room.is_symlink())]
    found += map(Path, _python_path())
    return [path for path in found if path.exists()]


def _python_path() -> list[str]:
    """Where Python looks for modules, without the working folder, which anybody may fill.

    A folder that a home lies in is left out: what it holds is not meant for a box.
    """
    out = []
    for entry in dict.fromkeys(sys.path):
        path = Path(entry).absolute()
        if entry and path.exists() and path != Path.cwd() and not _too_wide(path):
            out.append(str(path))
    user = site.getusersitepackages()
    if site.ENABLE_USER_SITE and Path(user).exists() and user not in out:
        out.append(user)
    return out


def _too_wide(path: Path) -> bool:
    """Whether a home, or a place of the box's own, lies in a folder."""
    return path.is_dir() and any(
        place.is_relative_to(path) for place in (Path.home(), *map(Path, _WRITABLE))
    )


def _needed(paths: Iterable[Path]) -> list[Path]:
    """Paths to show in the box, parents first, without those that a parent shows already."""
    out: list[Path] = []
    for path in sorted(set(paths)):
        if _too_wide(path):
            raise ValueError(f"No box may see the whole of '{path}': name a folder in it.")
        if any(path.is_relative_to(shown) for shown in (*map(Path, _SYSTEM), *out)):
            continue
        out.append(path)
    return out


def _absolute(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"There is no '{path}' for the box to read.")
    return path.absolute()


def _system() -> list[str]:
    return [name for name in (*_SYSTEM, *(f"/etc/{n}" for n in _SETTINGS)) if Path(name).exists()]


def _devices() -> list[str]:
    return [f"/dev/{name}" for name in _DEVICES]


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


_boxes = itertools.count()


def _unused_user(name: str) -> int:
    """The user number of a name; without one, a number that no other box has for long."""
    if name:
        return _UNUSED_USERS + (1 << 27) + zlib.crc32(name.encode()) % (1 << 27)
    return _UNUSED_USERS + 16 * os.getpid() + next(_boxes) % 16


def _give(folder: Path, uid: int) -> None:
    """Give a folder with all that is in it to a user; an earlier run may have had another."""
    for where, _folders, files in os.walk(folder):
        for path in (Path(where), *(Path(where, name) for name in files)):
            if path.lstat().st_uid != uid:
                os.chown(path, uid, uid, follow_symlinks=False)


def _remove(folder: Path) -> None:
    """Remove a folder, whatever rights were set on what is in it."""
    for where, folders, _files in os.walk(folder):
        for name in folders:
            path = Path(where, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)


def _children(process: int) -> list[int]:
    """The direct children of a process, from the kernel's list."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
        return [int(number) for number in text.split()]
    return []
