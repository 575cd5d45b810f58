"""Attacks on the host through what is handed to it: arrays in shared memory, and files.

The control of each is a host that maps what may shrink, and opens what it finds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from hubel.sandbox.probes.probe import Verdict, leaked, probe
from hubel.sandbox.probes.room import Room

_SHRINK = """
import os, stat, threading
import numpy as np
def shrink():
    done = {}
    for descriptor in range(3, 256):
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                done[descriptor] = attempt(os.ftruncate, descriptor, 0)
                again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)
                attempt(os.ftruncate, again, 0)
                os.close(again)
        except OSError:
            pass
    return done
def keep_shrinking():
    while True:
        shrink()
threading.Thread(target=keep_shrinking, daemon=True).start()
picture = np.zeros((512, 512, 3), np.uint8)
seen = [str(attempt(show, picture)) for _ in range(20)]
result = [str(shrink()), seen[-1]]
"""

_NAIVE_MAP = """
import mmap, os
file = os.memfd_create("array")
os.ftruncate(file, 1 << 20)
array = mmap.mmap(file, 1 << 20)
if os.fork() == 0:
    os.ftruncate(file, 0)
    os._exit(0)
os.wait()
result = array[1 << 19]
"""

#: A host that maps arrays, in a process of its own that may die.
_HOST = """
import json, sys
from pathlib import Path
from hubel.sandbox.cells import CellSession
from hubel.sandbox.jail import Jail
from hubel.sandbox.limits import Limits
job = json.load(sys.stdin)
with CellSession(Jail(job["level"], job["bwrap"], Limits(wall=10.0))) as session:
    ran = session.run(job["code"])
    after = session.run("result = 42")
print(json.dumps({"why": ran.why or str(ran.value), "works": after.value == 42}))
"""

_FILES = """
import os
for name in ("result", "result.json", "output.json", "picture.png", "result.npy"):
    attempt(os.unlink, name)
    if facts["kind"] == "link":
        attempt(os.symlink, facts["path"], name)
    else:
        attempt(os.mkfifo, name)
attempt(lambda: show("picture.png"))
result = "picture.png"
"""

_NAIVE_FILE = """
result = open("result.json").read()
"""


@probe("memory that shrinks while it is read", "the host: SIGBUS kills the reader", bare=True)
def shrunk(room: Room) -> Verdict:
    """Every file that is open is cut, again and again, while pictures are shown."""
    if not room.box:
        tried = room.attack(_NAIVE_MAP)
        return Verdict("-7" in tried.why, tried.end())
    preface = """
def attempt(action, *arguments):
    try:
        return action(*arguments)
    except Exception as error:
        return str(error)
"""
    job = {"level": room.bench.jail.level, "bwrap": room.bench.jail.bwrap}
    done = _host(_HOST, job | {"code": preface + _SHRINK})
    if done.returncode != 0:
        return Verdict(True, f"the host died, status {done.returncode}: {done.stderr[-200:]}")
    said = json.loads(done.stdout)
    return Verdict(not said["works"], f"the host lives; {said['why']}"[:300])


@probe("a symbolic link in place of a result", "files that the host may read", bare=True)
def link(room: Room) -> Verdict:
    """To a secret, under every name that a host may look for."""
    path = room.hidden / "key"
    token = room.secret(path)
    codes = [_FILES] if room.box else [_FILES, _NAIVE_FILE]
    return leaked(token, room.attack(*codes, kind="link", path=str(path)))


@probe("a FIFO in place of a result", "the host's time")
def fifo(room: Room) -> Verdict:
    """Opening it to read waits for a writer who never comes."""
    codes = [_FILES] if room.box else ["import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + _FILES + _NAIVE_FILE]  # fmt: skip
    if room.box:
        room.works()  # so that its time is its own
    tried = room.attack(*codes, kind="fifo", path="", seconds=1.0)
    if not room.box:
        return Verdict(tried.status == "hung", f"the host waits and waits; {tried.end()}")
    return Verdict(tried.seconds > 2 or not room.works(), tried.end())


def _host(program: str, job: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run a program that uses hubel as a host does, in a process that may die of it."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {sys.path!r}\n{program}"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
