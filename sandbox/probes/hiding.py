"""Attacks that hold memory where who adds up the memory of processes does not look for it."""

from __future__ import annotations

from hubel.sandbox.limits import MIB
from hubel.sandbox.probes.measure import census
from hubel.sandbox.probes.probe import Tried, Verdict, probe
from hubel.sandbox.probes.room import Room

#: Above the limit of the box, and bearable without one.
_MEMORY = 640 * MIB

#: Reading memory that was never written takes none, but for a page of the table for each 2 MiB.
_TABLES = """
import mmap, time
import numpy as np
TABLE, COVERS = 4096, 2 << 20
length = facts["bytes"] // TABLE * COVERS
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000  # MAP_NORESERVE
space = mmap.mmap(-1, length, flags=flags, prot=mmap.PROT_READ)
attempt(space.madvise, mmap.MADV_NOHUGEPAGE)
np.frombuffer(space, np.uint8)[::COVERS].sum()
time.sleep(0.3)
result = facts["bytes"]
"""

_SOCKETS = """
import os, socket, time
def fill():
    held, pairs = 0, []
    while held < facts["bytes"] // 4:
        pair = attempt(socket.socketpair)
        if isinstance(pair, str):
            break
        pairs.append(pair)
        for end in pair:
            attempt(end.setsockopt, socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
            end.setblocking(False)
            while isinstance(sent := attempt(end.send, b"x" * 32768), int):
                held += sent
    return held, pairs
go, gone = os.pipe()
children, total = [], 0
while total < facts["bytes"]:
    child = attempt(os.fork)
    if isinstance(child, str):
        break
    if child == 0:
        held, pairs = fill()
        os.write(gone, held.to_bytes(8, "little"))
        time.sleep(30)
        os._exit(0)
    children.append(child)
    total += int.from_bytes(os.read(go, 8), "little")
time.sleep(0.3)
[os.kill(child, 9) for child in children]
result = total
"""

#: A pipe that is given 4 KiB of a huge page keeps all of it, after it was unmapped.
_PIPES = """
import ctypes, mmap, os, time
libc = ctypes.CDLL(None, use_errno=True)
HUGE = 2 << 20
class Part(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("length", ctypes.c_size_t)]
held, pipes = 0, []
while held < facts["bytes"]:
    pipe = os.pipe()
    pipes.append(pipe)
    for _ in range(16):
        space = mmap.mmap(-1, 2 * HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        space.madvise(mmap.MADV_HUGEPAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(space))
        offset = -start % HUGE
        space[offset] = 1
        part = Part(start + offset, 4096)
        if libc.vmsplice(pipe[1], ctypes.byref(part), ctypes.c_size_t(1), 2) < 0:
            raise OSError(ctypes.get_errno(), "vmsplice")
        held += HUGE
        attempt(space.close)
time.sleep(0.3)
result = held
"""


@probe("memory in page tables", "the machine's memory")
def tables(room: Room) -> Verdict:
    """Which no process is said to hold."""
    with census(room.tag) as most:
        tried = room.attack(_TABLES, bytes=_MEMORY, seconds=20.0)
    return _verdict(room, tried, most["tables"])


@probe("memory in the buffers of sockets", "the machine's memory")
def sockets(room: Room) -> Verdict:
    """Which belongs to the kernel."""
    with census(room.tag) as most:
        tried = room.attack(_SOCKETS, bytes=_MEMORY, seconds=20.0)
    return _verdict(room, tried, most["taken"])


@probe("memory kept by pipes", "the machine's memory", depends="huge pages may be turned off")
def pipes(room: Room) -> Verdict:
    """Huge pages of which a pipe was given a part."""
    with census(room.tag) as most:
        tried = room.attack(_PIPES, bytes=_MEMORY, seconds=20.0)
    return _verdict(room, tried, most["taken"])


def _verdict(room: Room, tried: Tried, taken: int) -> Verdict:
    """It got through if it holds more than the limit, or would if it only had the time."""
    held = tried.value if isinstance(tried.value, int) else 0
    late = room.box and tried.status == "limit" and "memory" not in tried.why
    through = held > room.limits.memory or late
    return Verdict(through, f"{taken >> 20} MiB of the machine taken; {tried.end()}")
