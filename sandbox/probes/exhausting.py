"""Attacks that use the machine up: processes, memory, time and printed text."""

from __future__ import annotations

from hubel.sandbox.limits import MIB
from hubel.sandbox.probes.measure import census, own_growth
from hubel.sandbox.probes.probe import Verdict, probe
from hubel.sandbox.probes.room import Room

#: What an attack takes where nothing stops it: above every limit, and bearable without a box.
_PROCESSES, _MEMORY, _PRINTED = 300, 1024 * MIB, 1 << 30
_PRINTED_WITHOUT = 128 * MIB

_FORKS = """
import os, time
children = []
for _ in range(facts["count"]):
    child = attempt(os.fork)
    if isinstance(child, str):
        break
    if child == 0:
        time.sleep(30)
        os._exit(0)
    children.append(child)
time.sleep(0.3)
for child in children:
    os.kill(child, 9)
    os.waitpid(child, 0)
result = len(children)
"""

_THREADS = """
import threading, time
go = threading.Event()
started = 0
for _ in range(facts["count"]):
    if isinstance(attempt(threading.Thread(target=go.wait, daemon=True).start), str):
        break
    started += 1
time.sleep(0.3)
result = started
go.set()
"""

_FORM = """
import mmap, os, time
held, step = [], 16 << 20
filled, full = os.pipe()
def private():
    held.append(b"x" * step)
def shared():
    block = mmap.mmap(-1, step)
    block.write(b"x" * step)
    held.append(block)
def memfd():
    file = os.memfd_create("hubel-probe")
    for _ in range(16):
        os.write(file, b"x" * (step // 16))
    held.append(file)
def children():
    child = os.fork()
    if child == 0:
        block = b"x" * step
        os.write(full, b"x")
        time.sleep(30)
        os._exit(0)
    held.append(child)
    os.read(filled, 1)
if facts["form"] == "children":
    step *= 4
for _ in range(facts["bytes"] // step):
    locals()[facts["form"]]()
time.sleep(0.5)
if facts["form"] == "children":
    [os.kill(child, 9) for child in held]
result = len(held) * step
"""

_FLOOD = """
import sys
line = "x" * 65535 + "\\n"
for _ in range(facts["bytes"] >> 16):
    sys.stdout.write(line)
result = "printed"
"""

_SPIN = """
import signal
for number in range(1, 65):
    attempt(signal.signal, number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True:
    pass
"""


@probe("a fork bomb", "the machine's processes")
def forks(room: Room) -> Verdict:
    """A bounded one."""
    return _bomb(room, _FORKS)


@probe("a thread bomb", "the machine's processes")
def threads(room: Room) -> Verdict:
    """A bounded one."""
    return _bomb(room, _THREADS)


@probe("memory of its own", "the machine's memory")
def private(room: Room) -> Verdict:
    """As any array takes it."""
    return _hoard(room, "private")


@probe("shared memory", "the machine's memory")
def shared(room: Room) -> Verdict:
    """Which limits by process do not count."""
    return _hoard(room, "shared")


@probe("memory in memfd files", "the machine's memory")
def memfd(room: Room) -> Verdict:
    """Which no process has mapped."""
    return _hoard(room, "memfd")


@probe("memory spread over processes", "the machine's memory")
def spread(room: Room) -> Verdict:
    """Each holds little."""
    return _hoard(room, "children")


@probe("a gigabyte of printed text", "the host's memory and the record")
def flood(room: Room) -> Verdict:
    """Less without the box."""
    size = _PRINTED if room.box else _PRINTED_WITHOUT
    with own_growth() as grown:
        tried = room.attack(_FLOOD, bytes=size, seconds=20.0)
    through = tried.size > room.limits.printed + 1024 or grown["bytes"] > 64 * MIB
    through = through or (room.box and tried.status == "done")
    what = f"the host kept {tried.size >> 10} KiB and grew by {grown['bytes'] >> 20} MiB"
    return Verdict(through, f"{what}; {tried.end()[:100]}")


@probe("a busy loop that ignores signals", "the machine's processor")
def spin(room: Room) -> Verdict:
    """All signals that can be ignored are."""
    if room.box:
        room.works()  # so that its time is its own
    tried = room.attack(_SPIN, seconds=1.0)
    if room.box:
        late = tried.seconds > room.limits.wall + 2 or tried.left > 0 or tried.status != "limit"
        return Verdict(late, f"{tried.why} Over after {tried.seconds:.1f} s")
    return Verdict(tried.status == "hung", tried.end())


def _bomb(room: Room, code: str) -> Verdict:
    with census(room.tag) as most:
        tried = room.attack(code, count=_PROCESSES, seconds=20.0)
    through = most["tasks"] > room.limits.processes
    return Verdict(through, f"{most['tasks']} ran at once; {tried.end()}")


def _hoard(room: Room, form: str) -> Verdict:
    """The watchdog looks at intervals: what it stops goes above the limit, but not far."""
    with census(room.tag) as most:
        tried = room.attack(_FORM, form=form, bytes=_MEMORY, seconds=20.0)
    held = most["shared"] if form == "memfd" else most["bytes"]
    through = tried.value == _MEMORY or held > 2 * room.limits.memory
    return Verdict(through, f"it held {held >> 20} MiB at most; {tried.end()}")
