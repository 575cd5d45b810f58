"""Attacks through the kernel: its rarer calls, namespaces, mounts, and signals to others."""

from __future__ import annotations

import os
import secrets

from hubel.sandbox.probes.probe import Verdict, probe
from hubel.sandbox.probes.room import Room

#: Numbers of calls that x86_64 and aarch64 have in common are from 424 on; the others are named.
_CALL = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
def call(numbers, *arguments):
    got = libc.syscall(ctypes.c_long(numbers[column]), *arguments)
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
"""

_URING = f"""{_CALL}
parameters = ctypes.create_string_buffer(120)
ring = call((425, 425), ctypes.c_long(4), parameters)
os.close(ring)
result = facts["token"]
"""

_NAMESPACE = f"""{_CALL}
NEWNS, NEWUSER = 0x20000, 0x10000000
def by_unshare():
    return call((272, 97), ctypes.c_long(NEWUSER | NEWNS))
def by_clone():
    child = call((56, 220), ctypes.c_long(NEWUSER | 17), None, None, None, None)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
def by_clone3():
    arguments = (ctypes.c_uint64 * 11)(NEWUSER, 0, 0, 0, 17)
    child = call((435, 435), ctypes.byref(arguments), ctypes.c_long(88))
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
tries = [attempt(f) for f in (by_clone, by_clone3, by_unshare)]
result = [facts["token"] if not isinstance(t, str) else t for t in tries]
"""

_MOUNT = f"""{_CALL}
NEWNS, NEWUSER = 0x20000, 0x10000000
before = os.getuid(), os.getgid()
attempt(call, (272, 97), ctypes.c_long(NEWUSER | NEWNS))
for file, text in (("uid_map", f"0 {{before[0]}} 1"), ("setgroups", "deny"),
                   ("gid_map", f"0 {{before[1]}} 1")):
    attempt(lambda: open(f"/proc/self/{{file}}", "w").write(text))
target = os.getcwd().encode()
def mounted():
    call((165, 40), b"none", target, b"tmpfs", ctypes.c_long(0), None)
    return facts["token"]
def bound():
    call((165, 40), b"/proc", target, None, ctypes.c_long(4096 | 16384), None)
    return facts["token"]
def opened():
    context = call((430, 430), b"tmpfs", ctypes.c_long(0))
    os.close(context)
    return facts["token"]
result = [attempt(f) for f in (mounted, bound, opened)]
"""

_SIGNAL = """
import os, signal, time
def pidfd():
    signal.pidfd_send_signal(os.pidfd_open(facts["victim"]), signal.SIGKILL)
result = [attempt(pidfd), attempt(os.kill, facts["victim"], signal.SIGKILL)]
time.sleep(0.2)
"""

#: The parent of an attack is the zygote in a box, and the waiting host in the control.
_PARENT = """
import os, signal, time
parent = os.getppid()
assert parent > 0
def write():
    with open(f"/proc/{parent}/mem", "r+b", buffering=0):
        return facts["token"]
result = {"memory": attempt(write), "stop": attempt(os.kill, parent, signal.SIGSTOP)}
time.sleep(0.2)
state = attempt(lambda: open(f"/proc/{parent}/stat").read().rsplit(")")[1].split()[0])
attempt(os.kill, parent, signal.SIGCONT)
result["stopped"] = state
"""

#: Given to the parent, and so to all that it will fork: the last place in every queue.
_SLOW = """
import os
parent = os.getppid()
for how in (lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
            lambda: os.setpriority(os.PRIO_PGRP, 0, 19),
            lambda: os.sched_setaffinity(parent, {0}),
            lambda: os.sched_setscheduler(parent, os.SCHED_IDLE, os.sched_param(0))):
    print(attempt(how), flush=True)
result = [os.getpriority(os.PRIO_PROCESS, parent), len(attempt(os.sched_getaffinity, parent)),
          attempt(os.sched_getscheduler, parent)]
"""

_KEYS = f"""{_CALL}
PROCESS_KEYRING = ctypes.c_long(-2)  # which ends with the process
call((248, 217), b"user", facts["tag"].encode(), b"left", ctypes.c_long(4), PROCESS_KEYRING)
result = facts["token"]
"""

_TERMINAL = """
import fcntl, os, pty, termios
os.setsid()
ours, theirs = os.openpty()
fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
fcntl.ioctl(theirs, termios.TIOCSTI, b"x")
result = facts["token"]
"""

_BPF = f"""{_CALL}
results = []
def perf():
    attributes = ctypes.create_string_buffer(128)
    attributes[0:8] = (1).to_bytes(4, "little") + (128).to_bytes(4, "little")
    attributes[40:48] = (0x60).to_bytes(8, "little")  # leave the kernel out
    os.close(call((298, 241), attributes, ctypes.c_long(0), ctypes.c_long(-1), ctypes.c_long(-1),
                  ctypes.c_long(0)))
def fault():
    os.close(call((323, 282), ctypes.c_long(1)))  # of user mode only
result = [attempt(f) or facts["token"] for f in (perf, fault)]
"""


@probe("io_uring", "the kernel: it passes by filters", bare=True, depends="may be turned off")
def uring(room: Room) -> Verdict:
    """Set up a ring."""
    return _reached(room, _URING)


@probe("a nested user namespace", "the kernel", depends="user namespaces may be turned off")
def namespace(room: Room) -> Verdict:
    """By each of the three calls that make one."""
    return _reached(room, _NAMESPACE)


@probe("a mount", "the walls of the file system", depends="user namespaces may be turned off")
def mount(room: Room) -> Verdict:
    """By the old and the new calls, with and without a namespace around it."""
    return _reached(room, _MOUNT)


@probe("perf events and userfaultfd", "the kernel", depends="may be turned off", bare=True)
def rare_calls(room: Room) -> Verdict:
    """Calls with a history of escapes."""
    return _reached(room, _BPF)


@probe("the keyring", "the user's keys; a note to a later run", depends="may be turned off")
def keyring(room: Room) -> Verdict:
    """Keys outlive the process that adds them, and know no namespace."""
    return _reached(room, _KEYS)


@probe("typing into the terminal", "the user's shell", depends="newer kernels have it off")
def terminal(room: Room) -> Verdict:
    """By TIOCSTI, on a terminal of the attack's own."""
    return _reached(room, _TERMINAL)


@probe("a signal to the host", "the host's process")
def signal_host(room: Room) -> Verdict:
    """SIGKILL to a victim of the host's user, by its number and by a descriptor."""
    room.victim()
    tried = room.attack(_SIGNAL)
    if not tried.victim:
        return Verdict(True, "the victim is dead")
    return Verdict(False, f"the victim lives; {tried.end()}")


@probe(
    "a signal to the zygote, and its memory", "every later experiment", depends="Yama may forbid"
)
def signal_zygote(room: Room) -> Verdict:
    """Stop it, and open its memory for writing."""
    token = secrets.token_hex(4)
    tried = room.attack(_PARENT, token=token)
    value = tried.value or {}
    if value.get("memory") == token or value.get("stopped") == "T":
        return Verdict(True, f"the parent could be reached: {value}".replace(token, "opened"))
    if room.box and not room.works():
        return Verdict(True, "no later experiment runs")
    return Verdict(False, f"the zygote is as it was; {tried.end()}")


@probe("slowing the zygote and its watchdog", "every later experiment")
def slow_zygote(room: Room) -> Verdict:
    """By its priority, its processors and its queue, which forks inherit."""
    before = [os.getpriority(os.PRIO_PROCESS, 0), len(os.sched_getaffinity(0)), os.SCHED_OTHER]
    tried = room.attack(_SLOW)
    if tried.status == "done" and tried.value == before:
        return Verdict(False, f"the zygote is as fast as it was; {tried.printed}")
    return Verdict(True, f"priority, processors, queue: {tried.value}, before {before}")


def _reached(room: Room, code: str) -> Verdict:
    """Whether the attack got to its last line, or any of several attacks to theirs."""
    token = secrets.token_hex(4)
    tried = room.attack(code, token=token)
    if token in repr(tried.value):
        return Verdict(True, "the kernel did it")
    return Verdict(False, f"the kernel refused; {tried.end()}")
