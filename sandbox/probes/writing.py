"""Attacks on what a box must not write: files outside, code, and what Python loads by itself."""

from __future__ import annotations

import hashlib
import os
import site
import subprocess
import sys
from pathlib import Path

from hubel.sandbox.probes.probe import Verdict, probe
from hubel.sandbox.probes.room import Room

_PLANT = """
import os
result = {}
for place in facts["places"]:
    path = os.path.join(place, facts["name"])
    def plant():
        with open(path, "w") as file:
            file.write(facts["text"])
        return "written"
    result[path] = attempt(plant)
"""

_ANYWHERE = """
import os
result = []
for folder, folders, _ in os.walk("/"):
    if folder.count("/") > 3 or folder in facts["but"] or folder.startswith("/proc"):
        folders.clear()
        continue
    path = os.path.join(folder, facts["tag"])
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    except OSError:
        continue
    os.unlink(path)
    result.append(folder)
"""

_CHANGE = """
import mmap, os
def write():
    with open(facts["path"], "r+b") as file:
        file.write(b"poison")
    return "written"
def mapped():
    file = os.open(facts["path"], os.O_RDWR)
    mmap.mmap(file, 0)[:6] = b"poison"
    return "written"
def replaced():
    new = facts["path"] + ".new"
    open(new, "w").write("poison")
    os.replace(new, facts["path"])
    return "replaced"
def reopened():
    file = os.open(facts["path"], os.O_RDONLY)
    return os.write(os.open(f"/proc/self/fd/{file}", os.O_WRONLY), b"poison")
def others():
    return [attempt(call, facts["path"], *more) for call, *more in (
        (os.truncate, 0), (os.unlink,), (os.chmod, 0o777), (os.utime,), (os.rename, facts["tag"]))]
result = [str(attempt(f)) for f in (write, mapped, replaced, reopened, others)]
"""


@probe("writing outside", "the machine's files", bare=True)
def outside(room: Room) -> Verdict:
    """Into a folder that it may read, and one that it is not shown."""
    return _planted(room, "note", [room.folder, room.hidden])


@probe("writing anywhere but to its scratch", "the machine's files")
def anywhere(room: Room) -> Verdict:
    """Every folder that it can see, to the fourth level."""
    scratch = ["/tmp", "/dev/shm"]  # noqa: S108  (the box's own)
    tried = room.attack(_ANYWHERE, but=scratch, seconds=20.0)
    own = [place for place in tried.value or [] if "/hubel-cell-" not in place]
    if own:
        return Verdict(True, f"it wrote to {', '.join(own[:5])}")
    return Verdict(tried.status != "done", f"no folder took a file; {tried.end()}")


@probe("writing beside the code", "hubel and its packages", bare=True)
def beside_code(room: Room) -> Verdict:
    """Into the packages' folders; the control plants in a stand-in."""
    places = [room.folder]
    if room.box:
        places += [Path(__file__).parents[1], Path(sys.prefix), Path(os.__file__).parent]
    return _planted(room, f"{room.tag.replace('-', '_')}.py", places)


@probe("a planted .pth file", "the next start of the host's Python", bare=True)
def pth(room: Room) -> Verdict:
    """Python runs the lines of .pth files in its packages' folders at start."""
    marker = room.hidden / "ran"
    marker.parent.chmod(0o777)
    text = f"import pathlib; pathlib.Path({str(marker)!r}).touch()\n"
    places = [room.folder, *(map(Path, site.getsitepackages()) if room.box else [])]
    planted = _planted(room, f"{room.tag}.pth", places, text)
    start = f"import site; site.addsitedir({str(room.folder)!r})"
    subprocess.run([sys.executable, "-c", start], cwd=room.hidden, check=False)  # noqa: S603
    if marker.exists():
        return Verdict(True, "Python ran the planted line when it started")
    return planted


@probe("a planted json.py", "the next start of the host's Python", bare=True)
def module(room: Room) -> Verdict:
    """Python looks for modules in its working folder first."""
    marker = room.hidden / "ran"
    text = f"import pathlib; pathlib.Path({str(marker)!r}).touch()\n"
    places = [room.folder, *([Path(__file__).parents[1]] if room.box else [])]
    planted = _planted(room, "json.py", places, text)
    start = [sys.executable, "-c", "import json"]
    subprocess.run(start, cwd=room.folder, check=False)  # noqa: S603
    if marker.exists():
        return Verdict(True, "the host's Python ran the planted module")
    return planted


@probe("changing a file of weights", "every later measurement", bare=True)
def weights(room: Room) -> Verdict:
    """In place, through a mapping, by replacing it, and through a descriptor opened to read."""
    path = room.folder / "weights"
    path.write_bytes(os.urandom(4096))
    path.chmod(0o666)
    if not room.box:
        room.folder.chmod(0o777)
    before = hashlib.sha256(path.read_bytes()).digest()
    tried = room.attack(_CHANGE, path=str(path))
    if not path.exists() or hashlib.sha256(path.read_bytes()).digest() != before:
        return Verdict(True, "the weights are not what they were")
    changed = path.stat().st_mode & 0o777 != 0o666
    return Verdict(changed, f"the weights are what they were; {tried.end()}")


def _planted(room: Room, name: str, places: list[Path], text: str = "planted") -> Verdict:
    """Whether the attack can leave a file in one of the places; takes it away again."""
    if not room.box:
        places = places[:1]
    tried = room.attack(_PLANT, name=name, places=[str(p) for p in places], text=text)
    found = [place / name for place in places if (place / name).exists()]
    for path in found:
        if room.folder not in path.parents:
            path.unlink()
    if found:
        return Verdict(True, f"the file lies in {found[0].parent}")
    return Verdict(False, f"no file; {tried.end()}")
