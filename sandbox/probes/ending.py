"""Attacks by how the code ends, and on what is left when it has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hubel.sandbox.probes import plain
from hubel.sandbox.probes.probe import Tried, Verdict, probe
from hubel.sandbox.probes.room import Room

_EXIT = "import os\nos._exit(0)"
_KILL = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
_FAULT = "import ctypes\nctypes.string_at(0)"

_DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in range(3):
            attempt(os.close, descriptor)
        time.sleep(60)
    os._exit(0)
os.wait()
result = "left"
"""

#: A host that runs code in a child of its own, is killed, and so cannot clean up.
_HOST_DIES = """
import os, signal, subprocess, sys, time
host = subprocess.Popen([sys.executable, "-I", "-c",
    "import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', sys.argv[1]])",
    "import ctypes, time\\n"
    f"ctypes.CDLL(None).prctl(15, {facts['tag'].encode()!r}, 0, 0, 0)\\ntime.sleep(60)"])
time.sleep(0.5)
host.kill()
host.wait()
time.sleep(0.3)
"""

_BOXED_HOST = """
import json, sys
from pathlib import Path
from hubel.sandbox.cells import CellSession
from hubel.sandbox.jail import Jail
from hubel.sandbox.limits import Limits
job = json.load(sys.stdin)
jail = Jail(job["level"], job["bwrap"], Limits(wall=60.0))
with CellSession(jail) as session:
    session.run(job["code"])
"""

_LINGER = f"""
ctypes.CDLL(None).prctl(15, %r, 0, 0, 0)
{_DAEMON}
time.sleep(60)
"""

_ANSI = """
import sys
sys.stdout.write("\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\x00\\rover\\x08\\x7f\\u202e\\n")
sys.stdout.flush()
raise ValueError("\\x1b]52;c;cm0gLXJm\\x07 in the message\\x00")
"""


@probe("os._exit(0)", "the truth of results: a run that broke off is none", bare=True)
def leave(room: Room) -> Verdict:
    """Status 0 looks like success to a host that asks for no more."""
    tried = room.attack(_EXIT)
    return Verdict(tried.status == "done", f"taken as {tried.status}; {tried.end()}")


@probe("SIGKILL to itself", "the host")
def kill(room: Room) -> Verdict:
    """Kills the process that runs the code."""
    return _host_dies(room, _KILL)


@probe("a segmentation fault", "the host")
def fault(room: Room) -> Verdict:
    """So does this."""
    return _host_dies(room, _FAULT)


@probe("a daemon that stays", "the machine after the run")
def daemon(room: Room) -> Verdict:
    """In a session of its own, adopted by nobody in particular."""
    tried = room.attack(_DAEMON)
    return Verdict(tried.left > 0, f"{tried.left} processes are left; {tried.end()}")


@probe("the host is killed", "the machine after the host's end")
def host_killed(room: Room) -> Verdict:
    """By SIGKILL, while code runs that has left a daemon."""
    if not room.box:
        tried = room.attack(_HOST_DIES)
        return Verdict(tried.left > 0, f"{tried.left} processes run on after the host's end")
    job = {"level": room.bench.jail.level, "bwrap": room.bench.jail.bwrap}
    code = "attempt = lambda f, *a: f(*a)\nimport ctypes" + _LINGER % room.tag.encode()
    host = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _BOXED_HOST],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if host.stdin is not None:
        host.stdin.write(json.dumps({**job, "code": code}).encode())
        host.stdin.close()
    ran = _until(lambda: len(plain.named(room.tag)) >= 2, 30.0)
    box = _descendants(host.pid)
    host.kill()
    host.wait()
    gone = _until(lambda: not plain.named(room.tag) and not any(map(_lives, box)), 5.0)
    left = {*plain.named(room.tag), *(number for number, _ in filter(_lives, box))}
    for process in left:
        os.kill(process, signal.SIGKILL)
    if not ran:
        return Verdict(True, "the host never ran the code")
    return Verdict(not gone, f"{len(left)} of {len(box)} processes run on after the host's end")


@probe("control codes in printed text", "the user's terminal and the record", bare=True)
def ansi(room: Room) -> Verdict:
    """Printed, and in the message of an error."""
    tried = room.attack(_ANSI)
    shown = tried.printed + tried.traceback + tried.why
    bad = sorted({hex(ord(c)) for c in shown if _commands(c)})
    if bad:
        return Verdict(True, f"these came through: {', '.join(bad)}")
    return Verdict("message" not in shown, "the text came through without them")


def _commands(character: str) -> bool:
    """Whether a terminal takes a character as a command."""
    number = ord(character)
    return (number < 32 and character not in "\n\t") or 127 <= number < 160 or number == 0x202E


def _host_dies(room: Room, code: str) -> Verdict:
    tried: Tried = room.attack(code)
    if not room.box:
        return Verdict(tried.status == "lost", tried.end())
    return Verdict(tried.status == "done" or not room.works(), tried.end())


def _until(done: Callable[[], bool], seconds: float) -> bool:
    """Wait for something; whether it came in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _descendants(process: int) -> list[tuple[int, str]]:
    """Processes under one, each with its start time, so that a number used again is another."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (stat := _stat(int(entry.name))):
            parents[int(entry.name)] = (int(stat[1]), stat[19])
    found = {process}
    while more := {child for child, (up, _) in parents.items() if up in found} - found:
        found |= more
    return [(child, parents[child][1]) for child in found - {process}]


def _lives(process: tuple[int, str]) -> bool:
    stat = _stat(process[0])
    return bool(stat) and stat[19] == process[1] and stat[0] != "Z"


def _stat(process: int) -> list[str]:
    """The kernel's line on a process from its state on; empty if it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, UnicodeDecodeError):
        return []
