"""Each refused call is made without the filter first, with arguments that do no harm if it is let
through: bad pointers, closed descriptors, unknown commands. Its error then tells who refused it."""

import errno
import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from hubel.sandbox import seccomp

BAD = 1  # as a pointer: nothing is mapped there; as a length or a key: of nothing
NO = -1  # as a descriptor or a process: there is none
ODD = 0xFFFF0000  # as flags or a command: unknown
MISSING = 0x7FFFFFFF  # as a System V identifier or a process: there is none

#: Every call that both profiles refuse.
HARMLESS = {
    "mount": (BAD, BAD, BAD, 0, BAD), "umount2": (BAD, 0), "pivot_root": (BAD, BAD),
    "chroot": (BAD,), "open_tree": (NO, BAD, ODD), "move_mount": (NO, BAD, NO, BAD, ODD),
    "fsopen": (BAD, ODD), "fsconfig": (NO, 999, 0, 0, 0), "fsmount": (NO, ODD, 0),
    "fspick": (NO, BAD, ODD), "mount_setattr": (NO, BAD, ODD, BAD, 0),
    "open_tree_attr": (NO, BAD, ODD, BAD, 0), "unshare": (0,), "setns": (NO, 0),
    "ptrace": (2, MISSING, 0, 0), "process_vm_readv": (MISSING, 0, 0, 0, 0, 1),
    "process_vm_writev": (MISSING, 0, 0, 0, 0, 1), "process_madvise": (NO, 0, 0, 0, 0),
    "process_mrelease": (NO, 0), "kcmp": (MISSING, MISSING, 0, 0, 0), "pidfd_getfd": (NO, NO, 0),
    "perf_event_open": (BAD, 0, NO, NO, 0), "bpf": (999, BAD, 8), "userfaultfd": (ODD,),
    "io_uring_setup": (1, BAD), "io_uring_enter": (NO, 0, 0, 0, 0, 0),
    "io_uring_register": (NO, 0, 0, 0), "lookup_dcookie": (0, 0, 0), "modify_ldt": (999, 0, 0),
    "nfsservctl": (0, 0, 0), "add_key": (BAD, BAD, 0, 0, 0), "request_key": (BAD, BAD, 0, 0),
    "keyctl": (999,), "kexec_load": (0, 0xFFFF, BAD, ODD), "kexec_file_load": (NO, NO, 0, 0, ODD),
    "init_module": (BAD, 1, BAD), "finit_module": (NO, BAD, ODD), "delete_module": (BAD, 0),
    "create_module": (BAD, 0), "query_module": (BAD, 0, 0, 0, 0), "get_kernel_syms": (0,),
    "reboot": (0, 0, 0, 0), "swapon": (BAD, ODD), "swapoff": (BAD,), "acct": (BAD,),
    "quotactl": (ODD, BAD, 0, 0), "quotactl_fd": (NO, ODD, 0, 0), "settimeofday": (BAD, 0),
    "clock_settime": (0, BAD), "adjtimex": (BAD,), "clock_adjtime": (0, BAD),
    "sethostname": (BAD, NO), "setdomainname": (BAD, NO), "syslog": (999, 0, 0),
    "vhangup": (),  # the child has no terminal
    "iopl": (9,), "ioperm": (ODD, 1, 1), "open_by_handle_at": (NO, BAD, 0),
    "name_to_handle_at": (NO, BAD, BAD, BAD, ODD), "fanotify_init": (ODD, 0),
    "shmget": (BAD, 0, 0), "shmat": (MISSING, 0, 0), "shmctl": (MISSING, 999, 0), "shmdt": (BAD,),
    "semget": (BAD, NO, 0), "semop": (MISSING, BAD, 1), "semctl": (MISSING, 0, 999, 0),
    "semtimedop": (MISSING, BAD, 1, 0), "msgget": (BAD, 0), "msgsnd": (MISSING, BAD, 0, 0),
    "msgrcv": (MISSING, BAD, 0, 0, 0), "msgctl": (MISSING, 999, 0), "mq_open": (BAD, 0, 0, 0),
    "mq_unlink": (BAD,), "mq_timedsend": (NO, BAD, 0, 0, 0), "mq_timedreceive": (NO, BAD, 0, 0, 0),
    "mq_notify": (NO, 0), "mq_getsetattr": (NO, 0, 0), "memfd_secret": (ODD,), "vmsplice": (NO, 0, 0, 0),
}  # fmt: skip

HIGH = 1 << 40  # the kernel does not look there
SIGHAND = 0x800  # alone it makes clone refuse: no process comes of it
NAMESPACES = [0x20000, *(1 << bit for bit in range(25, 31))]
EPERM, ENOSYS, NO_FAMILY = errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT
#: Calls judged by their arguments: name, arguments, what the lab is told, what the cell is told.
JUDGED = [
    *(("clone", (flag | SIGHAND, 0, 0, 0, 0), EPERM, EPERM) for flag in [*NAMESPACES, 0x8000]),
    ("clone", (0x10000000 | SIGHAND | HIGH, 0, 0, 0, 0), EPERM, EPERM),
    ("clone", (SIGHAND, 0, 0, 0, 0), None, None),
    ("clone3", (BAD, 0), ENOSYS, ENOSYS),
    ("ioctl", (NO, 0x5412, 0), EPERM, EPERM),
    ("ioctl", (NO, 0x5412 | HIGH, 0), EPERM, EPERM),
    ("ioctl", (NO, 0x541C, 0), EPERM, EPERM),
    ("ioctl", (NO, 0x5413, 0), None, None),
    ("personality", (0xFFFFFFFF,), None, None),
    ("personality", (0x0400000,), EPERM, EPERM),
    ("mknodat", (NO, BAD, stat.S_IFCHR, 259), EPERM, EPERM),
    ("mknodat", (NO, BAD, stat.S_IFBLK | 0o600, 259), EPERM, EPERM),
    ("mknodat", (NO, BAD, stat.S_IFIFO, 0), None, None),
    ("mknod", (BAD, stat.S_IFCHR, 259), EPERM, EPERM),
    ("mknod", (BAD, stat.S_IFIFO, 0), None, None),
    ("prlimit64", (1, 999, 0, 0), EPERM, EPERM),
    ("prlimit64", (0, 7, 0, 0), None, None),
    ("prctl", (4, 1, 0, 0, 0), None, EPERM),
    ("prctl", (4 | HIGH, 1, 0, 0, 0), None, EPERM),
    ("prctl", (3, 0, 0, 0, 0), None, None),
    ("memfd_create", (BAD, 0), None, EPERM),
    *((name, (BAD, 0), None, EPERM) for name in ("chmod", "removexattr", "lremovexattr")),
    *((name, (BAD, NO, NO), None, EPERM) for name in ("chown", "lchown")),
    ("fchmod", (NO, 0), None, EPERM),
    ("fchmodat", (NO, BAD, 0), None, EPERM),
    ("fchmodat2", (NO, BAD, 0, ODD), None, EPERM),
    ("fchown", (NO, NO, NO), None, EPERM),
    ("fchownat", (NO, BAD, NO, NO, ODD), None, EPERM),
    *((name, (BAD, BAD, 0, 0, 0), None, EPERM) for name in ("setxattr", "lsetxattr")),
    ("fsetxattr", (NO, BAD, 0, 0, 0), None, EPERM),
    ("fremovexattr", (NO, BAD), None, EPERM),
    ("setxattrat", (NO, BAD, ODD, BAD, BAD, 0), None, EPERM),
    ("removexattrat", (NO, BAD, ODD, BAD), None, EPERM),
    ("file_setattr", (NO, BAD, BAD, 0, ODD), None, EPERM),
    ("mmap", (0, 4096, 3, 0x21, NO, 0), None, EPERM),  # shared, of no file
    ("mmap", (0, 4096, 3, 0x21 | HIGH, NO, 0), None, EPERM),
    ("mmap", (0, 4096, 3, 0x22, NO, 0), None, None),
    ("mmap", (0, 4096, 3, 0x01, NO, 0), None, None),
    ("socket", (socket.AF_UNIX, 1, 0), NO_FAMILY, NO_FAMILY),
    *(("socket", (f, 1, 0), NO_FAMILY, NO_FAMILY) for f in range(2, 46)),
    ("socket", (socket.AF_INET | HIGH, 1, 0), NO_FAMILY, NO_FAMILY),
    ("socket", (socket.AF_INET, 1, 262), NO_FAMILY, NO_FAMILY),  # multipath TCP
    ("socketpair", (socket.AF_INET, 1, 0, BAD), NO_FAMILY, NO_FAMILY),
    ("socketpair", (socket.AF_UNIX, 1, 0, BAD), None, None),
    ("socketpair", (socket.AF_UNIX, 5 | socket.SOCK_CLOEXEC, 0, BAD), None, None),
    ("socketpair", (socket.AF_UNIX, 2 | socket.SOCK_CLOEXEC, 0, BAD), NO_FAMILY, NO_FAMILY),
    ("socketpair", (socket.AF_UNIX, 3, 0, BAD), NO_FAMILY, NO_FAMILY),
    ("setsockopt", (NO, 1, 7, BAD, 4), None, EPERM),  # room to send
    ("setsockopt", (NO, 1, 8, BAD, 4), None, None),
    ("setpriority", (0, MISSING, 0), None, EPERM),
    ("setpriority", (1, 0, 0), None, EPERM),  # its group, with the zygote in it
    ("setpriority", (0, 0, 0), None, None),
    ("ioprio_set", (1, MISSING, 0), None, EPERM),
    ("ioprio_set", (3, 0, 0), None, EPERM),
    ("ioprio_set", (1, 0, ODD), None, None),
    *((f"sched_set{what}", (MISSING, BAD, BAD), None, EPERM) for what in ("param", "scheduler")),
    *((f"sched_set{what}", (0, BAD, BAD), None, None) for what in ("param", "scheduler")),
    ("sched_setattr", (MISSING, BAD, 0), None, EPERM),
    ("sched_setattr", (0, BAD, 0), None, None),
    ("sched_setaffinity", (MISSING, 8, BAD), None, EPERM),
    ("sched_setaffinity", (0, 8, BAD), None, None),
]

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HERE = os.uname().machine
ALLOW, KILL = 0x7FFF0000, 0x80000000


def judge(program, call, arguments=(), architecture=0):
    """What a filter answers: classic BPF, as much of it as filters use."""
    arguments = [a & (1 << 64) - 1 for a in arguments]
    data = struct.pack("<iIQ6Q", call, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    code = list(struct.iter_unpack("<HBBI", program))
    at, accumulator = 0, None
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == 0x06:
            return value
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
            continue
        if operation == 0x54:
            accumulator &= value
            continue
        holds = {
            0x15: accumulator == value,
            0x25: accumulator > value,
            0x35: accumulator >= value,
            0x45: bool(accumulator & value),
        }[operation]
        at += if_true if holds else if_false


def child(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120
    )


@cache
def answers(profile):
    """The error of each call above in a child of its own, in order; 0 where there was none."""
    code = """
import errno, json, os, sys
from hubel.sandbox import seccomp
profile, *probes = json.loads(sys.argv[1])
os.setsid()
numbers = seccomp.calls(os.uname().machine)
if profile:
    seccomp.install(profile)
found = []
for name, arguments in probes:
    try:
        seccomp.syscall(numbers[name], *arguments)
        found.append(0)
    except OSError as error:
        found.append(error.errno)
print(json.dumps(found))
"""
    probes = [p for p in [*HARMLESS.items(), *(j[:2] for j in JUDGED)] if p[0] in numbers_here()]
    done = child(code, json.dumps([profile, *probes]))
    assert done.returncode == 0, done.stderr
    return {(n, tuple(a)): e for (n, a), e in zip(probes, json.loads(done.stdout), strict=True)}


@cache
def numbers_here():
    return seccomp.calls(HERE)


@pytest.mark.parametrize("profile", ["lab", "cell"])
@pytest.mark.parametrize("name", HARMLESS)
def test_the_kernel_hears_nothing_of_a_refused_call(name, profile):
    if name not in numbers_here():
        pytest.skip(f"{HERE} has no {name}")
    probe = (name, HARMLESS[name])
    if answers(None)[probe] == EPERM:
        pytest.skip("the kernel itself refuses this to this user, with the same error")
    assert answers(profile)[probe] == EPERM


@pytest.mark.parametrize("profile", ["lab", "cell"])
def test_calls_are_judged_by_their_arguments(profile):
    free, filtered = answers(None), answers(profile)
    shown = 0
    for name, arguments, *told in JUDGED:
        if name not in numbers_here():
            continue
        error = told[profile == "cell"]
        probe = (name, arguments)
        assert filtered[probe] == (free[probe] if error is None else error), probe
        shown += error is not None and free[probe] != error
    assert shown > 20


@pytest.mark.parametrize("profile", ["lab", "cell"])
@pytest.mark.parametrize("machine", MACHINES)
def test_both_machines_get_the_same_filter(machine, profile):
    program, numbers = seccomp.filter_for(profile, machine), seccomp.calls(machine)
    refused = {numbers[name]: EPERM for name in HARMLESS if name in numbers}
    judged = {numbers[name] for name, *_ in JUDGED if name in numbers}
    for number in set(range(seccomp.NEWEST + 1)) - judged:
        error = refused.get(number)
        expected = ALLOW if error is None else 0x50000 | error
        assert judge(program, number, (), MACHINES[machine]) == expected, number
    for name, arguments, *told in JUDGED:
        if name in numbers:
            error = told[profile == "cell"]
            expected = ALLOW if error is None else 0x50000 | error
            answer = judge(program, numbers[name], arguments, MACHINES[machine])
            assert answer == expected, (name, arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_from_elsewhere(machine):
    program = seccomp.filter_for("lab", machine)
    for newer in (seccomp.NEWEST + 1, 512, 547, 1024, 0x3FFFFFFF):
        assert judge(program, newer, (), MACHINES[machine]) == 0x50000 | ENOSYS
    for other in {*MACHINES.values(), 0x40000003, 0x40000028, 0} - {MACHINES[machine]}:
        assert judge(program, 39, (), other) == KILL
    x32 = judge(program, 0x40000000 | 39, (), MACHINES[machine])
    assert x32 == (KILL if machine == "x86_64" else 0x50000 | ENOSYS)


def test_every_refused_call_is_tried_here():
    named = re.findall(r"(\w+)=", " ".join(seccomp.REFUSED.values()))
    assert sorted(named) == sorted(HARMLESS)


@pytest.mark.parametrize(
    ("machine", "header"),
    [("x86_64", "x86_64-linux-gnu/asm/unistd_64.h"), ("aarch64", "asm-generic/unistd.h")],
)
def test_numbers_are_those_of_the_kernel_headers(machine, header):
    path = Path("/usr/include") / header
    if not path.exists():
        pytest.skip("no kernel headers here")
    said = dict(re.findall(r"#define __NR_(\w+)\s+(\d+)", path.read_text()))
    ours = {name: n for name, n in seccomp.calls(machine).items() if name in said}
    assert len(ours) > 80
    assert ours == {name: int(said[name]) for name in ours}


def test_a_machine_without_a_table_is_refused():
    with pytest.raises(OSError, match="no filter for 'riscv64': it knows x86_64 and aarch64"):
        seccomp.filter_for("cell", "riscv64")


@pytest.mark.skipif(HERE != "x86_64", reason="calls of x32 and i386 are a matter of x86_64")
@pytest.mark.parametrize(
    "call",
    [
        "seccomp.syscall(0x40000000 | 39)",
        # getpid by the door of 32-bit programs: mov eax, 20; int 0x80; ret
        "code = mmap.mmap(-1, 4096, flags=0x22, prot=7); code.write(bytes.fromhex('b814000000cd80c3'));"
        "ctypes.CFUNCTYPE(int_)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()",
    ],
    ids=["x32", "i386"],
)
def test_calls_of_another_architecture_kill(call):
    code = (
        f"import ctypes, mmap\nfrom hubel.sandbox import seccomp\nint_ = ctypes.c_int\n%s\n{call}"
    )
    assert child(code % "").returncode != -signal.SIGSYS
    assert child(code % "seccomp.install('cell')").returncode == -signal.SIGSYS


def test_threads_that_run_already_are_filtered_too():
    code = """
import socket, threading
from hubel.sandbox import seccomp
go, said = threading.Event(), []
def late():
    go.wait()
    try:
        said.append(socket.socket().family.name)
    except OSError as error:
        said.append(error.errno)
thread = threading.Thread(target=late)
thread.start()
%s
go.set()
thread.join()
print(*said)
"""
    assert child(code % "").stdout.strip() == "AF_INET"
    assert child(code % "seccomp.install('cell')").stdout.strip() == str(NO_FAMILY)


def test_no_box_can_send_a_datagram_to_the_host(tmp_path):
    code = """
import socket, sys
from hubel.sandbox import seccomp
%s
for address in sys.argv[1:]:
    for made in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
        try:
            end, other = socket.socketpair(socket.AF_UNIX, made)
            end.sendto(made.name.encode(), "\\0" + address[1:] if address[0] == "@" else address)
        except OSError:
            pass
"""
    for line, expected in (
        ("", b"SOCK_DGRAM"),
        ("seccomp.install('cell')", None),
        ("seccomp.install('lab') ", None),
    ):
        abstract = f"hubel-{os.getpid()}-{len(line)}"
        for address, name in ((str(tmp_path / "s"), None), ("\0" + abstract, "@" + abstract)):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as host:
                host.bind(address)
                assert child(code % line, name or address).returncode == 0
                host.setblocking(False)
                try:
                    got = host.recv(99)
                except BlockingIOError:
                    got = None
            (tmp_path / "s").unlink(missing_ok=True)
            assert got == expected


@pytest.mark.parametrize("profile", ["lab", "cell"])
def test_honest_code_notices_nothing(profile):
    code = """
import asyncio, concurrent.futures, ctypes, mmap, multiprocessing, os, resource, socket, subprocess, sys
import tempfile
from hubel.sandbox import seccomp
seccomp.install(sys.argv[1])
import numpy, torch
assert numpy.allclose(numpy.ones((300, 300)) @ numpy.ones((300, 300)), 300)
assert float((torch.ones(300, 300) @ torch.ones(300, 300)).sum()) == 300**3
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert list(pool.map(abs, range(-3, 0))) == [3, 2, 1]
assert subprocess.run(["cat"], input=b"hello", capture_output=True, check=True).stdout == b"hello"
assert os.system("true | true") == 0
left, right = socket.socketpair()
left.sendall(b"x")
assert right.recv(1) == b"x"
with tempfile.TemporaryDirectory() as folder:
    os.mkfifo(f"{folder}/pipe")
    with open(f"{folder}/file", "wb+") as file:
        file.write(bytes(4096))
        file.flush()
        mmap.mmap(file.fileno(), 4096)[0] = 1
fork = multiprocessing.get_context("fork")
queue = fork.SimpleQueue()
process = fork.Process(target=queue.put, args=(7,))
process.start()
process.join()
assert queue.get() == 7
asyncio.run(asyncio.sleep(0))
assert ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 7)() == 7
mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)[0] = 1
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
if sys.argv[1] == "lab":
    os.close(os.memfd_create("for CUDA"))
print("all well")
"""
    done = child(code, profile)
    assert done.stdout == "all well\n", done.stderr
