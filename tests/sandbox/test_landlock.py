"""Each thing is done by a child without the fence first, then by one with it. The child runs the
lines one by one and says how each ended, so that one refusal does not hide the next."""

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hubel.sandbox import landlock

EACCES, EPERM = errno.EACCES, errno.EPERM
VERSION = landlock.abi()

if VERSION == 0:
    pytest.skip("this kernel has no Landlock", allow_module_level=True)

RUN = """
import ctypes, fcntl, json, os, signal, socket, subprocess, sys
from hubel.sandbox import landlock, seccomp
fence, lines = json.loads(sys.argv[1])
if fence is not None:
    landlock.restrict(fence["read"], fence["write"], network=fence.get("network", False))
ended = []
for line in lines:
    try:
        exec(line)
        ended.append(0)
    except OSError as error:
        ended.append(error.errno)
print(json.dumps(ended))
"""


def ends(fence, *lines):
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps([fence, lines])],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def places(tmp_path):
    for name in ("open", "shown", "hidden"):
        folder = tmp_path / name
        (folder / "sub").mkdir(parents=True)
        (folder / "file").write_text("content")
        (folder / "run").write_text("#!/bin/sh\nexit 0\n")
        (folder / "run").chmod(0o755)
    return tmp_path


def fence(places, **more):
    """A fence that lets Python and programs run, with one folder to write in and one to read."""
    system = [p for p in ("/usr", "/bin", "/lib", "/lib64", "/etc") if Path(p).exists()]
    python = [sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[2])]
    shown = [*system, *python, str(places / "shown")]
    return {"read": shown, "write": [str(places / "open")], **more}


#: What is done in a folder F, and how it ends where the folder is only shown, and where it is not.
DEEDS = [
    ("open(F + '/file').read()", 0, EACCES),
    ("os.listdir(F)", 0, EACCES),
    ("os.listdir(F + '/sub')", 0, EACCES),
    ("subprocess.run([F + '/run'], check=True)", 0, EACCES),
    ("open(F + '/file', 'a').write('x')", EACCES, EACCES),
    ("open(F + '/file', 'r+').write('x')", EACCES, EACCES),
    ("os.truncate(F + '/file', 1)", EACCES, EACCES),
    ("open(F + '/new', 'x')", EACCES, EACCES),
    ("os.mkdir(F + '/folder')", EACCES, EACCES),
    ("os.symlink('file', F + '/link')", EACCES, EACCES),
    ("os.mkfifo(F + '/pipe')", EACCES, EACCES),
    ("os.link(F + '/file', F + '/second')", EACCES, EACCES),
    ("os.rename(F + '/file', F + '/sub/moved')", EACCES, EACCES),
    ("os.rename(F + '/sub', F + '/file2')", EACCES, EACCES),
    ("os.rename(F + '/file2', F + '/sub')", errno.ENOENT, errno.ENOENT),  # it was not moved
    ("os.rename(F + '/sub/moved', F + '/file')", errno.ENOENT, errno.ENOENT),
    ("os.unlink(F + '/file')", EACCES, EACCES),
    ("os.rmdir(F + '/sub')", EACCES, EACCES),
]


@pytest.mark.parametrize(("folder", "column"), [("open", None), ("shown", 1), ("hidden", 2)])
def test_files(places, folder, column):
    lines = [f"F = {str(places / folder)!r}", *(deed[0] for deed in DEEDS)]
    if column is not None:
        assert ends(fence(places), *lines) == [0, *(deed[column] for deed in DEEDS)]
        assert sorted(p.name for p in (places / folder).iterdir()) == ["file", "run", "sub"]
        assert (places / folder / "file").read_text() == "content"
    within = fence(places) if column is None else None
    assert ends(within, *lines) == [0] * len(lines)
    made = ["folder", "link", "new", "pipe", "run", "second"]
    assert sorted(p.name for p in (places / folder).iterdir()) == made


def test_a_link_leads_nowhere_new(places):
    (places / "open" / "link").symlink_to(places / "hidden" / "file")
    read = f"open({str(places / 'open' / 'link')!r}).read()"
    assert ends(None, read) == [0]
    assert ends(fence(places), read) == [EACCES]


def test_a_rule_for_a_file_opens_no_sibling(places):
    hidden = places / "hidden"
    rules = fence(places)
    rules["read"].append(str(hidden / "file"))
    rules["write"].append(str(hidden / "run"))
    lines = [
        f"open({str(hidden / 'file')!r}).read()",
        f"open({str(hidden / 'file')!r}, 'w')",
        f"open({str(hidden / 'run')!r}, 'w').write('x')",
        f"os.listdir({str(hidden)!r})",
    ]
    assert ends(rules, *lines) == [0, EACCES, 0, EACCES]


@pytest.mark.skipif(VERSION < 5, reason="this kernel's Landlock does not look at ioctl")
def test_devices_are_driven_only_where_all_is_allowed(places):
    ask = "fcntl.ioctl(os.open('/dev/zero', os.O_RDONLY), 0x5421, b'0000')"  # FIONBIO: no driver
    drive = "fcntl.ioctl(os.open('/dev/zero', os.O_RDONLY), 0x541B, b'0000')"  # FIONREAD: driver
    shown, driven = fence(places), fence(places)
    shown["read"].append("/dev/zero")
    driven["write"].append("/dev/zero")
    assert ends(None, ask, drive) == ends(driven, ask, drive) == [0, errno.ENOTTY]
    assert ends(shown, ask, drive) == [0, EACCES]


@pytest.mark.skipif(VERSION < 4, reason="this kernel's Landlock does not look at TCP")
def test_ports(places):
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines = [
            f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))",
            "socket.socket().bind(('127.0.0.1', 0))",
        ]
        assert ends(None, *lines) == [0, 0]
        assert ends(fence(places), *lines) == [EACCES, EACCES]
        assert ends(fence(places, network=True), *lines) == [0, 0]


@pytest.mark.skipif(VERSION < 6, reason="this kernel's Landlock does not look at signals")
def test_processes_outside(places):
    name = f"\0hubel-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        lines = [
            f"socket.socket(socket.AF_UNIX).connect({name!r})",
            "os.kill(os.getppid(), 0)",
            "os.kill(os.getpid(), 0)",
            "child = subprocess.Popen(['sleep', '60']); child.kill(); child.wait()",
        ]
        assert ends(None, *lines) == [0, 0, 0, 0]
        assert ends(fence(places), *lines) == [EPERM, EPERM, 0, 0]


@pytest.mark.parametrize("file", ["environ", "mem", "maps", "fdinfo"])
def test_memory_and_environment_of_processes_outside(places, file):
    # As in a box: /proc is open, and neither process has a capability.
    code = """
import ctypes, json, os, sys
from hubel.sandbox import landlock
ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
wait, alive = os.pipe()
outside = os.fork()
if outside == 0:
    os.close(alive)
    os.read(wait, 1)  # until the other process has ended
    os._exit(0)
if sys.argv[1] == "fenced":
    landlock.restrict(["/proc", *json.loads(sys.argv[2])], [])
try:
    os.close(os.open(f"/proc/{outside}/{sys.argv[3]}", os.O_RDONLY))
    print("open")
except OSError as error:
    print(error.errno)
os.close(os.open("/proc/self/maps", os.O_RDONLY))
"""
    said = [
        subprocess.run(
            [sys.executable, "-c", code, how, json.dumps(fence(places)["read"]), file],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        ).stdout.strip()
        for how in ("free", "fenced")
    ]
    assert said == ["open", str(EACCES)]


def test_the_fence_holds_for_children_and_cannot_be_widened(places):
    hidden = str(places / "hidden" / "file")
    code = f"from hubel.sandbox import landlock; landlock.restrict(['/'], ['/']); open({hidden!r})"
    inner = f"subprocess.run([sys.executable, '-c', {code!r}], check=True, stderr=-3)"
    rules = fence(places)
    rules["read"].append("/proc")
    rules["write"].append("/dev/null")
    refused = "raise OSError(99, '')"
    attempt = f"try: {inner}\nexcept subprocess.CalledProcessError: {refused}"
    open_after = f"landlock.restrict(['/'], ['/']); open({hidden!r})"
    assert ends(None, attempt) == [0]
    assert ends(rules, attempt, open_after) == [99, EACCES]
    allowed = {**rules, "read": [*rules["read"], str(places / "hidden")]}
    assert ends(allowed, attempt, open_after) == [0, 0]


def test_a_path_that_is_not_there_is_said():
    code = "from hubel.sandbox import landlock; landlock.restrict(['/nowhere/at/all'], [])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "FileNotFoundError" in done.stderr
    assert "There is no such file or folder to open to the box: '/nowhere/at/all'" in done.stderr


def test_several_threads_are_refused():
    code = """
import threading
from hubel.sandbox import landlock
stop = threading.Event()
threading.Thread(target=stop.wait).start()
try:
    landlock.restrict(["/"], [])
except OSError as error:
    print(error.strerror)
stop.set()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "Landlock would fence in one of the 2 threads only.\n"


def test_a_kernel_without_landlock_is_refused():
    code = """
import struct
from hubel.sandbox import landlock, seccomp
load, equal, give = 0x20, 0x15, 0x06
program = ((load, 0, 0, 0), (equal, 0, 1, 444), (give, 0, 0, 0x50000 | 38), (give, 0, 0, 0x7FFF0000))
seccomp.load(b"".join(struct.pack("<HBBI", *line) for line in program))
print(landlock.abi())
try:
    landlock.restrict(["/"], [])
except OSError as error:
    print(error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\nThis kernel has no Landlock, or it is turned off at boot.\n"


def test_each_version_takes_in_hand_what_came_with_it():
    files = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 8: 16, 9: 17, 99: 17}
    for version, bits in files.items():
        assert landlock.fences(version) == (
            (1 << bits) - 1,
            3 if version >= 4 else 0,
            3 if version >= 6 else 0,
        )
    assert landlock.fences(99, network=True).network == 0


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_the_kernel_takes_the_fences_of_every_version_before_it(version):
    code = """
import os, struct, sys
from hubel.sandbox import landlock, seccomp
attributes = struct.pack("=QQQ", *landlock.fences(int(sys.argv[1])))
os.close(seccomp.syscall(444, attributes, 24, 0))
"""
    assert subprocess.run([sys.executable, "-c", code, str(version)]).returncode == 0
