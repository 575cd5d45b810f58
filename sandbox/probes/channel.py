"""Attacks on the host through what it reads: the frames on its channel.

The control of each is a host that reads as one does who trusts: it unpickles, allocates what a
header asks for, and waits for each byte anew.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

from hubel.sandbox.limits import MIB
from hubel.sandbox.probes.measure import own_growth
from hubel.sandbox.probes.probe import Tried, Verdict, probe
from hubel.sandbox.probes.room import Room

#: The channel is found as any code can find it: every open socket is tried.
_WRITE = """
import os, stat, time
def sockets():
    for descriptor in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.set_blocking(descriptor, True)
                yield descriptor
        except OSError:
            pass
def put(data, pause=0):
    sent = 0
    for descriptor in sockets():
        print("sending by", descriptor, flush=True)
        try:
            for at in range(0, len(data), 1 if pause else 1 << 16):
                sent += os.write(descriptor, data[at:at + (1 if pause else 1 << 16)])
                time.sleep(pause)
        except OSError as error:
            print(error, flush=True)
    print("sent", sent, flush=True)
data = bytes.fromhex(facts["data"]) * facts.get("times", 1) + b"x" * facts.get("more", 0)
put(data, facts.get("pause", 0))
time.sleep(facts.get("stay", 0.2))
os._exit(0)
"""

_NAIVE_PICKLE = """
import pickle
result = str(pickle.loads(bytes.fromhex(facts["data"])[4:]))
"""

_NAIVE_SIZE = """
import resource, struct
(length,) = struct.unpack(">I", bytes.fromhex(facts["data"])[:4])
taken = bytearray(b"x" * min(length, facts["bounded"]))  # as much as is announced
result = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
"""

_NAIVE_JSON = """
import json
json.loads(bytes.fromhex(facts["data"])[4:])
"""

_NAIVE_PATIENCE = """
import os, signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
mine, theirs = socket.socketpair()
if os.fork() == 0:
    for _ in range(100):
        theirs.send(b"x")
        time.sleep(0.1)
    os._exit(0)
mine.settimeout(0.5)
got = b""
while len(got) < 100:
    got += mine.recv(1)
"""


@probe("a pickle in place of a message", "the host: unpickling runs code", bare=True)
def pickled(room: Room) -> Verdict:
    """Loading it makes a file."""
    marker = room.hidden / "ran"
    data = _frame(pickle.dumps(_Opens(str(marker))))
    tried = _sent(room, _NAIVE_PICKLE, data)
    if marker.exists():
        return Verdict(True, "the host ran what was in it")
    return _unharmed(room, tried)


@probe("a message that announces 4 GiB", "the host's memory")
def oversize(room: Room) -> Verdict:
    """With as much of it as the host takes."""
    data = b"\xff\xff\xff\xff"
    with own_growth() as grown:
        tried = _sent(room, _NAIVE_SIZE, data, more=128 * MIB, bounded=256 * MIB)
    if not room.box:
        return Verdict((tried.value or 0) > 256, f"the host grew to {tried.value} MiB")
    if grown["bytes"] > 64 * MIB:
        return Verdict(True, f"the host grew by {grown['bytes'] >> 20} MiB")
    return _unharmed(room, tried)


@probe("many small messages", "the host's time and memory", bare=True)
def many(room: Room) -> Verdict:
    """Pictures of nothing, tools that are not there, until the time is over."""
    if not room.box:
        tried = room.attack(_NAIVE_PATIENCE, seconds=1.0)
        return Verdict(tried.status == "hung", tried.end())
    message = _frame(json.dumps({"call": {"tool": "none", "args": {}}}).encode())
    with own_growth() as grown:
        tried = _sent(room, "", message, times=20_000)
    if grown["bytes"] > 64 * MIB:
        return Verdict(True, f"the host grew by {grown['bytes'] >> 20} MiB")
    return _unharmed(room, tried)


@probe("a deeply nested message", "the host: readers recurse", bare=True)
def nested(room: Room) -> Verdict:
    """Brackets in brackets."""
    tried = _sent(room, _NAIVE_JSON, _frame(b"[" * 100_000))
    if not room.box:
        return Verdict("RecursionError" in tried.why, tried.end())
    return _unharmed(room, tried)


@probe("a message byte by byte", "the host's time", bare=True)
def slow(room: Room) -> Verdict:
    """Each byte comes before a wait for one would be over, the whole never."""
    if not room.box:
        tried = room.attack(_NAIVE_PATIENCE, seconds=1.5)
        return Verdict(tried.status == "hung", f"the host waits and waits; {tried.end()}")
    data = _frame(b" " * 1000)
    room.works()  # so that its time is its own
    tried = _sent(room, "", data, pause=0.1)
    if tried.seconds > room.limits.wall + 3:
        return Verdict(True, f"the host waited for {tried.seconds:.0f} s")
    return _unharmed(room, tried)


class _Opens:
    """Something whose unpickling makes a file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self._path),)


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def _sent(room: Room, naive: str, data: bytes, **facts: Any) -> Tried:
    return room.attack(_WRITE if room.box else naive, data=data.hex(), **facts)


def _unharmed(room: Room, tried: Tried) -> Verdict:
    """The attack was written to the channel, was not taken for a result, and the host goes on."""
    if not room.box:
        return Verdict(False, tried.end())
    if "sending" not in tried.printed:
        return Verdict(True, f"nothing was sent, so nothing is shown; {tried.end()}")
    if tried.status == "done":
        return Verdict(True, "it was taken as a result")
    if not room.works():
        return Verdict(True, f"no later experiment runs; {tried.end()}")
    return Verdict(False, tried.end())
