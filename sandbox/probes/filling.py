"""Attacks that fill the places where a box may write, or find others."""

from __future__ import annotations

from hubel.sandbox.limits import MIB
from hubel.sandbox.probes.probe import Verdict, probe
from hubel.sandbox.probes.room import Room

#: What an attack takes where nothing stops it: above every limit, and bearable without a box.
_SPACE, _INODES = 64 * MIB, 3000

_FILL = """
import os
written = 0
path = os.path.join(facts["place"], facts["tag"])
block = b"x" * (1 << 20)
file = attempt(os.open, path, os.O_CREAT | os.O_WRONLY)
why = file
if not isinstance(file, str):
    while written < facts["bytes"]:
        got = attempt(os.write, file, block)
        if isinstance(got, str):
            why = got
            break
        written += got
    os.close(file)
    os.unlink(path)
result = [written, why]
"""

_PLACES = """
import os
written, files = 0, []
block = b"x" * (1 << 20)
for number in range(facts["bytes"] >> 20):
    for place in (".", "/tmp", "/dev/shm"):
        path = os.path.join(place, f"{facts['tag']}-{number}")
        def write():
            with open(path, "wb") as file:
                return file.write(block)
        files.append(path)
        got = attempt(write)
        written += got if isinstance(got, int) else 0
for path in files:
    attempt(os.unlink, path)
result = [written, got]
"""

_SPARSE = """
import os
with open(facts["tag"], "wb") as file:
    file.truncate(facts["bytes"])
result = os.stat(facts["tag"]).st_size
os.unlink(facts["tag"])
"""

_INODE = """
import os
made = 0
for number in range(facts["count"]):
    path = f"{facts['tag']}-{number}"
    file = attempt(os.open, path, os.O_CREAT | os.O_WRONLY)
    if isinstance(file, str):
        break
    os.close(file)
    made += 1
result = made
for number in range(made):
    os.unlink(f"{facts['tag']}-{number}")
"""


@probe("filling /", "the machine's memory, of which file systems of a box are made")
def fill_root(room: Room) -> Verdict:
    """The root of a bwrap is a file system in memory unless it is sized or read-only."""
    return _fill(room, "/")


@probe("filling /dev", "the machine's memory")
def fill_dev(room: Room) -> Verdict:
    """And so is this."""
    return _fill(room, "/dev")


@probe("filling /dev/shm", "the machine's memory")
def fill_shm(room: Room) -> Verdict:
    """And this."""
    return _fill(room, "/dev/shm")  # noqa: S108


@probe("filling /tmp", "the machine's memory")
def fill_tmp(room: Room) -> Verdict:
    """And this."""
    return _fill(room, "/tmp")  # noqa: S108


@probe("filling its scratch with many files", "the machine's memory and disk")
def fill_all(room: Room) -> Verdict:
    """Each below the limit of a file, in every place that takes one."""
    tried = room.attack(_PLACES, bytes=_SPACE)
    written = (tried.value or [0])[0]
    through = written > 3 * room.limits.tmpfs
    return Verdict(through, f"it wrote {written >> 20} MiB; {tried.end()}")


@probe("a sparse file", "whoever reads or copies it")
def sparse(room: Room) -> Verdict:
    """It takes no space and says that it is a gigabyte."""
    tried = room.attack(_SPARSE, bytes=1 << 30)
    through = (tried.value or 0) > room.limits.tmpfs
    return Verdict(through, f"{'a file of 1 GiB' if through else 'no such file'}; {tried.end()}")


@probe("many empty files", "the machine's files")
def inodes(room: Room) -> Verdict:
    """They take no space, but memory of the kernel."""
    tried = room.attack(_INODE, count=_INODES)
    made = tried.value or 0
    through = made > room.limits.inodes or (tried.status != "done" and room.box)
    return Verdict(through, f"it made {made} files; {tried.end()}")


def _fill(room: Room, place: str) -> Verdict:
    tried = room.attack(_FILL, place=place, bytes=_SPACE)
    written, why = tried.value or (0, "")
    through = written > room.limits.tmpfs
    return Verdict(through, f"it wrote {written >> 20} MiB; {why or tried.end()}")
