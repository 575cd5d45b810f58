"""Attacks of one experiment on the next."""

from __future__ import annotations

from typing import Any

from hubel.sandbox.probes.probe import Verdict, probe
from hubel.sandbox.probes.room import Room

#: The control runs both scripts with one interpreter, as a host does that calls `exec`.
_PATCH = """
import builtins, json, math, os, sys
import numpy as np
true = np.mean
np.mean = lambda *arguments, **named: facts["token"]
np.linalg.norm = lambda *arguments, **named: facts["token"]
json.dumps = lambda *arguments, **named: facts["token"]
math.pi = facts["token"]
builtins.sum = lambda *arguments: facts["token"]
sys.modules["statistics"] = type(sys)("statistics")
sys.modules["statistics"].mean = lambda values: facts["token"]
os.environ["HUBEL_LATER"] = facts["token"]
"""

_PATCHED = """
import math, os, statistics
import numpy as np
result = [str(found) for found in (np.mean([1.0]), np.linalg.norm([1.0]), math.pi, sum([1]),
          statistics.mean([1]), os.environ.get("HUBEL_LATER"))]
"""

#: Values in modules that are imported before the experiment begins.
_POISON = """
import scipy.constants, PIL.Image
scipy.constants.physical_constants["Boltzmann constant"] = facts["token"]
PIL.Image.MIME["HUBEL"] = facts["token"]
"""

_POISONED = """
import scipy.constants, PIL.Image
result = [str(scipy.constants.physical_constants["Boltzmann constant"]),
          str(PIL.Image.MIME.get("HUBEL"))]
"""

_LEAVE = """
import os
for place in facts["places"]:
    def leave():
        with open(os.path.join(place, "left"), "w") as file:
            file.write(facts["token"])
    attempt(leave)
result = "left"
"""

_FIND = """
import os
result = [attempt(lambda p=p: open(os.path.join(p, "left")).read()) for p in facts["places"]]
"""

_SHARED = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(facts["key"], 4096, 0o1666)
if segment >= 0:
    ctypes.memmove(libc.shmat(segment, None, 0), facts["token"].encode(), len(facts["token"]))
result = segment
"""

_SHARED_FOUND = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(facts["key"], 4096, 0o666)
result = ctypes.string_at(libc.shmat(segment, None, 0), 64).decode() if segment >= 0 else "none"
"""

_STAY = """
import os, time
if os.fork() == 0:
    os.setsid()
    while True:
        time.sleep(0.01)
        for place in (".", "/tmp", "/dev/shm"):
            attempt(lambda: open(os.path.join(place, "left"), "w").write(facts["token"]))
result = "left"
"""

_WAIT = "import time\ntime.sleep(0.3)\n" + _FIND


@probe("monkeypatches", "the next experiment", bare=True)
def patches(room: Room) -> Verdict:
    """Functions, constants and modules are replaced."""
    return _later(room, _PATCH, _PATCHED)


@probe("poisoned values in shared modules", "the next experiment", bare=True)
def poison(room: Room) -> Verdict:
    """Values that modules hold are changed in place."""
    return _later(room, _POISON, _POISONED)


@probe("files left for later", "the next experiment")
def files(room: Room) -> Verdict:
    """In every place that can be written."""
    return _later(room, _LEAVE, _FIND, places=[".", "/tmp", "/dev/shm"])  # noqa: S108


@probe("System V memory left for later", "the next experiment", depends="may be turned off")
def segment(room: Room) -> Verdict:
    """It has no owner that could die."""
    return _later(room, _SHARED, _SHARED_FOUND, key=int(room.tag[3:9], 16))


@probe("a process that spoils the next run", "the next experiment")
def process(room: Room) -> Verdict:
    """It waits for the next and writes into its folder."""
    return _later(room, _STAY, _WAIT, places=[".", "/tmp", "/dev/shm"])  # noqa: S108


def _later(room: Room, first: str, second: str, **facts: Any) -> Verdict:
    """Whether the second experiment comes upon what the first has left."""
    token = f"left-by-{room.tag}"
    tried = room.attack(first, second, token=token, **facts)
    if tried.holds(token):
        return Verdict(True, "the next experiment came upon it")
    return Verdict(tried.status != "done", f"the next experiment is clean; {tried.end()}")
