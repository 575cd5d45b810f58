"""Attacks on what a box must not read: files, environments, memory, inherited descriptors."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hubel.sandbox.probes.probe import Verdict, leaked, probe
from hubel.sandbox.probes.room import VARIABLE, Room

_READ = "result = open(facts['path']).read()"

_LINKS = """
import os
os.symlink(facts["path"], "link-of-mine")
result = [attempt(lambda p=p: open(p).read()) for p in ("link-of-mine", facts["link"])]
os.unlink("link-of-mine")
"""

_OWN = """
import os
whole = attempt(lambda: open("/proc/self/environ").read())
result = [os.environ.get(facts["name"]), facts["name"] in whole and whole]
"""

#: Every process, where the list of processes is the attack's own; else those it may try.
_OTHERS = """
import os
own = attempt(os.readlink, "/proc/self/ns/pid") not in (facts["processes"], "")
pids = [name for name in attempt(os.listdir, "/proc") if name.isdecimal()] if own else []
pids += [str(pid) for pid in facts.get("pids", [])] + [str(facts.get("victim", os.getppid()))]
if own:
    pids.append("1")
"""

_ENVIRONS = f"""{_OTHERS}
found = {{}}
for pid in pids:
    text = attempt(lambda: open(f"/proc/{{pid}}/environ").read())
    at = text.find(facts["name"])
    found[pid] = text[at:at + 80] if at >= 0 else text[:60] if "Error" in text else "no secret"
result = found
"""

_MEMORY = """
def read():
    with open(f"/proc/{facts['victim']}/mem", "rb", buffering=0) as file:
        file.seek(facts["address"])
        return file.read(facts["length"]).decode()
result = attempt(read)
"""

_VM_READ = """
import ctypes
class Part(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("length", ctypes.c_size_t)]
libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(facts["length"])
mine = Part(ctypes.addressof(room), facts["length"])
theirs = Part(facts["address"], facts["length"])
got = libc.process_vm_readv(facts["victim"], ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
result = room.value.decode() if got > 0 else f"error {ctypes.get_errno()}"
"""

_PTRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
ATTACH, DETACH, PEEK = 16, 17, 2
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
if libc.ptrace(ATTACH, facts["victim"], None, None) == 0:
    os.waitpid(facts["victim"], 0)
    words = [libc.ptrace(PEEK, facts["victim"], facts["address"] + n, None)
             for n in range(0, facts["length"], 8)]
    libc.ptrace(DETACH, facts["victim"], None, None)
    result = b"".join((w & (1 << 64) - 1).to_bytes(8, "little") for w in words).decode()
else:
    result = f"error {ctypes.get_errno()}"
"""

_DESCRIPTORS = """
import os
result = {}
for descriptor in range(1024):
    try:
        got = os.pread(descriptor, 100, 0)
    except OSError:
        continue
    result[descriptor] = got.decode(errors="replace")
"""


@probe("a secret in the home folder", "keys and documents", bare=True)
def home(room: Room) -> Verdict:
    """A file in a folder of the real home, or where that cannot be written, in one like it."""
    place = Path.home() if os.access(Path.home(), os.W_OK) else room.hidden
    with tempfile.TemporaryDirectory(prefix=".hubel-probe-", dir=place) as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "key"
        return leaked(room.secret(path), room.attack(_READ, path=str(path)))


@probe(
    "a file that only its owner may read",
    "files of root",
    bare=True,
    depends="needs to run as root",
)
def root_only(room: Room) -> Verdict:
    """In a folder that the box may read, so that the user alone stands before it."""
    if os.getuid() != 0:
        # The owner of a box that runs as the user is the user: nothing to be shown.
        path = room.hidden / "owner-only"
        token = room.secret(path, 0o600)
        tried = room.attack(_READ, path=str(path))
        if not room.box:
            return Verdict(False, "the probes do not run as root")
        return leaked(token, tried)
    path = room.folder / "root-only"
    return leaked(room.secret(path, 0o600), room.attack(_READ, path=str(path)))


@probe("a symbolic link to a secret", "files outside, by a name inside", bare=True)
def symlink(room: Room) -> Verdict:
    """One link that the code makes, and one that lies in a folder that it may read."""
    token = room.secret(room.hidden / "key")
    link = room.folder / "link"
    link.symlink_to(room.hidden / "key")
    return leaked(token, room.attack(_LINKS, path=str(room.hidden / "key"), link=str(link)))


@probe("its own environment", "keys in environment variables", bare=True)
def environment(room: Room) -> Verdict:
    """A variable of the host."""
    return leaked(room.bench.token, room.attack(_OWN, name=VARIABLE))


@probe("the environment of every process, and of process 1", "keys in environment variables")
def environments(room: Room) -> Verdict:
    """The host's, a victim's of the same user, and whatever else can be seen."""
    token = room.victim()
    tried = room.attack(_ENVIRONS, name=VARIABLE, pids=[os.getpid()] if room.box else [])
    if room.box:
        return leaked(room.bench.token if tried.holds(room.bench.token) else token, tried)
    first = room.bench.token in str((tried.value or {}).get("1"))
    if first and tried.holds(token):
        return Verdict(True, "the secrets of the victim and of process 1 came out")
    return Verdict(False, tried.end())


@probe("memory of a process by /proc/PID/mem", "keys in memory", depends="Yama may forbid it")
def memory(room: Room) -> Verdict:
    """A victim of the same user tells the attacker where its secret lies."""
    token = room.victim()
    return leaked(token, room.attack(_MEMORY))


@probe("memory of a process by process_vm_readv", "keys in memory", depends="Yama may forbid it")
def vm_read(room: Room) -> Verdict:
    """The same, by another call."""
    token = room.victim()
    return leaked(token, room.attack(_VM_READ))


@probe("ptrace of a process", "the host's process", depends="Yama may forbid it")
def ptrace(room: Room) -> Verdict:
    """The same, by the calls of a debugger."""
    token = room.victim()
    return leaked(token, room.attack(_PTRACE))


@probe("inherited file descriptors", "files that the host has open", bare=True)
def descriptors(room: Room) -> Verdict:
    """A file that the host opened so that every program it starts would inherit it."""
    return leaked(room.bench.token, room.attack(_DESCRIPTORS))
