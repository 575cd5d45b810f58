"""The first process in a box: gives up every privilege, then runs what the box is for.

`python -m hubel.sandbox.launch FD`; the plan comes as JSON on the descriptor. In a box with
namespaces it has process number 1, so nothing in the box outlives it. It imports the standard
library only, and runs before any code that is not ours.

A **cell** box becomes the zygote (`hubel.sandbox.zygote`). A **lab** box starts the lab as its
child, and stays to watch it: it ends the box when the host is gone or the memory is spent.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from hubel.sandbox import landlock, seccomp, watchdog

_PR_SET_DUMPABLE, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 4, 47, 4
_PR_SET_CHILD_SUBREAPER = 36
_MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 2, 4, 32
_CAPABILITIES_V3 = 0x20080522

#: Seconds between two looks of the watchdog.
PULSE = 0.05


def main() -> None:
    """Read the plan, shut the door behind us and run what the box is for."""
    descriptor = int(sys.argv[1])
    with os.fdopen(descriptor, "rb") as file:
        plan: dict[str, Any] = json.load(file)
    os.set_inheritable(plan["lifeline"], False)  # the lab itself must not hold it
    for place in plan["tmpfs"]:
        _bound(place, plan["limits"])
    _limit(plan["limits"], plan["profile"])
    _adopt_orphans()
    if plan["walls"]:
        _become_nobody(plan["uid"])
        if plan["landlock"]:
            landlock.restrict(plan["read"], plan["write"])
        seccomp.install("lab")  # each cell adds its own, stricter one
    os.chdir(plan["folder"])
    if plan["profile"] == "cell":
        from hubel.sandbox import zygote

        zygote.serve(plan)
    _keep(_start(plan["command"]), plan)


def _bound(place: str, limits: dict[str, Any]) -> None:
    """Give a file system in memory a size and a number of files; bwrap sets the size alone."""
    options = f"size={limits['tmpfs']},nr_inodes={limits['inodes']}".encode()
    flags = _MS_REMOUNT | _MS_NOSUID | _MS_NODEV
    _call("mount", b"tmpfs", place.encode(), b"tmpfs", flags, options)


def _limit(limits: dict[str, Any], profile: str) -> None:
    """Limits of each process. The address space has none: CUDA and torch reserve far more."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_NPROC: limits["processes"],
    }
    if profile == "lab":  # torch has threads for every core
        wanted[resource.RLIMIT_NPROC] += 8 * (os.cpu_count() or 1)
        wanted[resource.RLIMIT_NOFILE] *= 8
    else:  # a lab lives for many experiments and writes an index
        wanted[resource.RLIMIT_FSIZE] = limits["tmpfs"]
    for which, value in wanted.items():
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def _adopt_orphans() -> None:
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _become_nobody(uid: int | None) -> None:
    """Leave root for an unused user, drop every capability, close our memory to others."""
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def _call(name: str, *arguments: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name} failed: {os.strerror(ctypes.get_errno())}")


def _start(command: list[str]) -> int:
    child = os.fork()
    if child == 0:
        try:
            os.execv(command[0], command)  # noqa: S606
        finally:
            os._exit(127)
    return child


def _keep(child: int, plan: dict[str, Any]) -> NoReturn:
    """Watch the lab until it ends, the host goes or a limit is passed; then the box ends."""
    lifeline = socket.socket(fileno=plan["lifeline"])
    os.close(plan["channel"])
    watch = watchdog.Watch(plan["loading"])
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    seen = 0.0
    while True:
        if poll.poll(1000 * PULSE):
            if not lifeline.recv(1):
                break
            # The target is open: what it took is not counted against the tools.
            watch.limit = watch.held() + plan["limits"]["memory"]
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        # Adding up the pages of a big process is not free: at most a fiftieth of the time.
        if (now := watchdog.clock()) >= seen:
            if why := watch.passed():
                lifeline.send(why.encode())
                break
            seen = now + 50 * (watchdog.clock() - now)
    watchdog.kill_all()
    os._exit(1)


if __name__ == "__main__":
    # A signal from inside does not end process 1 while it has no handler.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
