"""Which system calls code in a box may make: a seccomp filter, written here in classic BPF.

The threat is code that turns on the kernel: each call below is either a way out of the namespaces,
a hand on another process or on the machine, or a part of the kernel that is rich in old bugs and
that no experiment needs. What is refused answers with an ordinary error, so that a careless
library falls back or says what it misses. What no honest program does (calls of another
architecture or of x32, whose numbers would slip the list) kills the process.

This is a list of what is denied, as Flatpak's is, not of what is allowed: torch, CUDA and the C
library call what they like, and something else with the next release. It is enough because it
stands behind other walls: no capabilities, no new privileges, a file system that is read-only or
under Landlock, and namespaces where they can be had. Numbers newer than this file do not exist for
the box. Not covered: bugs in the calls that stay; and where there is no namespace of processes,
a lab can slow other processes of its user (renice them, pin them to a core).

Two profiles: ``lab`` for the process that holds a model, perhaps on a GPU, ``cell`` for the one
that runs a planner's code; the cell is refused all that the lab is, and more.
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from errno import EAFNOSUPPORT, ENOSYS, EOPNOTSUPP, EPERM
from typing import Literal

Profile = Literal["lab", "cell"]

#: The newest call known here, of Linux 6.18. From 424 on, every machine has the same numbers.
NEWEST = 469

#: What both profiles refuse, by the reason: ``name=number on x86_64/number on aarch64``.
REFUSED = {
    "The tree of mounts is what hides the host's files.": """
        mount=165/40 umount2=166/39 pivot_root=155/41 chroot=161/51 open_tree=428/428
        move_mount=429/429 fsopen=430/430 fsconfig=431/431 fsmount=432/432 fspick=433/433
        mount_setattr=442/442 open_tree_attr=467/467""",
    "A namespace of one's own brings capabilities in it, and with them most of the kernel.": """
        unshare=272/97 setns=308/268""",
    "Memory, descriptors and calls of other processes are theirs.": """
        ptrace=101/117 process_vm_readv=310/270 process_vm_writev=311/271 process_madvise=440/440
        process_mrelease=448/448 kcmp=312/272 pidfd_getfd=438/438""",
    "Machinery deep in the kernel, source of many escapes; io_uring passes by filters.": """
        perf_event_open=298/241 bpf=321/280 userfaultfd=323/282 io_uring_setup=425/425
        io_uring_enter=426/426 io_uring_register=427/427 lookup_dcookie=212/18
        modify_ldt=154/- nfsservctl=180/42""",
    "Keys of the user or of the kernel are secrets, and know no namespace.": """
        add_key=248/217 request_key=249/218 keyctl=250/219""",
    "The machine belongs to its owner: its kernel, clock, name, swap, ports, log and accounts.": """
        kexec_load=246/104 kexec_file_load=320/294 init_module=175/105 finit_module=313/273
        delete_module=176/106 create_module=174/- query_module=178/- get_kernel_syms=177/-
        reboot=169/142 swapon=167/224 swapoff=168/225 acct=163/89 quotactl=179/60
        quotactl_fd=443/443 settimeofday=164/170 clock_settime=227/112 adjtimex=159/171
        clock_adjtime=305/266 sethostname=170/161 setdomainname=171/162 syslog=103/116
        vhangup=153/58 iopl=172/- ioperm=173/-""",
    "Files are opened by name, where the walls look; a handle passes by them.": """
        open_by_handle_at=304/265 name_to_handle_at=303/264 fanotify_init=300/262""",
    "Memory and queues that outlive their process and are counted to none.": """
        shmget=29/194 shmat=30/196 shmctl=31/195 shmdt=67/197 semget=64/190 semop=65/193
        semctl=66/191 semtimedop=220/192 msgget=68/186 msgsnd=69/189 msgrcv=70/188 msgctl=71/187
        mq_open=240/180 mq_unlink=241/181 mq_timedsend=242/182 mq_timedreceive=243/183
        mq_notify=244/184 mq_getsetattr=245/185 memfd_secret=447/447 vmsplice=278/75""",
}

#: What a cell is refused besides: memory that its watchdog would not find, and the rights to
#: files, which Landlock leaves to whoever owns them.
REFUSED_TO_CELLS = """
    memfd_create=319/279 chmod=90/- fchmod=91/52 fchmodat=268/53 fchmodat2=452/452 chown=92/-
    fchown=93/55 lchown=94/- fchownat=260/54 setxattr=188/5 lsetxattr=189/6 fsetxattr=190/7
    setxattrat=463/463 removexattr=197/14 lremovexattr=198/15 fremovexattr=199/16
    removexattrat=466/466 file_setattr=469/469"""

#: Calls that are looked at more closely, and the one that loads the filter.
_OTHERS = """clone=56/220 clone3=435/435 ioctl=16/29 personality=135/92 mknod=133/- mknodat=259/33
    prlimit64=302/261 prctl=157/167 socket=41/198 socketpair=53/199 setsockopt=54/208 mmap=9/222
    setpriority=141/140 ioprio_set=251/30 sched_setparam=142/118 sched_setscheduler=144/119
    sched_setattr=314/274 sched_setaffinity=203/122 seccomp=317/277"""

#: Machines: the column of their numbers, and what the kernel calls them (linux/audit.h).
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
#: Calls of x32 on x86_64 carry this bit.
_X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class _Rule:
    """Refuse `call` with `error` if its argument is, is not, or has any or all bits of `value`.

    The low half of the argument is all that is looked at, because it is all that the kernel looks
    at: most of these are ints there, and the flags of clone and mmap lie in it. A rule that asked
    for an empty upper half would be slipped by filling it.
    """

    call: str
    argument: int
    test: Literal["is", "is not", "has any", "has all"]
    value: int
    error: int = EPERM


_AF_UNIX, _SOCK_DGRAM = 1, 2
_NEW_NAMESPACE = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_CLONE_PARENT = 0x8000  # a child that a watchdog would take for somebody else's
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # type into the terminal, paste into the console
_S_IFCHR = 0x2000  # the bit that both kinds of device have, and no file, pipe, socket or folder
_ONLY_ASK = 0xFFFFFFFF
_PR_SET_DUMPABLE = 4
_SO_SNDBUF = 7
_OF_A_THREAD = ("param", "scheduler", "attr", "affinity")
_SHARED_ANONYMOUS = 0x21  # MAP_SHARED, MAP_ANONYMOUS

_RULES = (
    _Rule("clone", 0, "has any", _NEW_NAMESPACE | _CLONE_PARENT),
    _Rule("ioctl", 1, "is", _TIOCSTI),
    _Rule("ioctl", 1, "is", _TIOCLINUX),
    _Rule("personality", 0, "is not", _ONLY_ASK),
    _Rule("mknod", 1, "has any", _S_IFCHR),
    _Rule("mknodat", 2, "has any", _S_IFCHR),
    _Rule("prlimit64", 0, "is not", 0),  # limits of another process of the same user
    _Rule("socketpair", 0, "is not", _AF_UNIX, EAFNOSUPPORT),
    # Even one of a pair can send a datagram to any address, on the host too.
    _Rule("socketpair", 1, "has any", _SOCK_DGRAM, EAFNOSUPPORT),
)
_RULES_FOR = {
    "lab": (),
    "cell": (
        _Rule("prctl", 0, "is", _PR_SET_DUMPABLE),  # opens the process to others of its user
        # Its pages stay when they are unmapped, where no count of a process finds them.
        _Rule("mmap", 3, "has all", _SHARED_ANONYMOUS),
        _Rule("setsockopt", 2, "is", _SO_SNDBUF),  # the watchdog knows how much a socket can hold
        # Only its own: the zygote and its watchdog must not wait in line behind an experiment.
        _Rule("setpriority", 0, "is not", 0),
        _Rule("setpriority", 1, "is not", 0),
        _Rule("ioprio_set", 0, "is not", 1),
        _Rule("ioprio_set", 1, "is not", 0),
        *(_Rule(f"sched_set{what}", 0, "is not", 0) for what in _OF_A_THREAD),
    ),
}

# linux/bpf_common.h, linux/seccomp.h
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IS, _ABOVE, _AT_LEAST, _HAS = 0x15, 0x25, 0x35, 0x45
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_SET_MODE_FILTER, _TSYNC, _PR_SET_NO_NEW_PRIVS = 1, 1, 38


def filter_for(profile: Profile, machine: str) -> bytes:
    """The filter as the kernel takes it: ``struct sock_filter``, 8 bytes each, little-endian.

    Args:
        profile: What the process is for.
        machine: As `os.uname` names it: ``x86_64`` or ``aarch64``.

    Raises:
        OSError: There are no numbers for this machine.
    """
    numbers = calls(machine)
    code = _do(_LOAD, _ARCHITECTURE) + _do(_IS, _MACHINES[machine][1], 1, 0) + _do(_RETURN, _KILL)
    code += _do(_LOAD, _NUMBER)
    if machine == "x86_64":
        code += _do(_AT_LEAST, _X32, 0, 1) + _do(_RETURN, _KILL)
    code += _do(_ABOVE, NEWEST, 0, 1) + _do(_RETURN, _ERRNO | ENOSYS)
    for name, error in _refused(profile).items():
        if name in numbers:
            code += _do(_IS, numbers[name], 0, 1) + _do(_RETURN, _ERRNO | error)
    rules = _RULES + _RULES_FOR[profile]
    for name in dict.fromkeys(rule.call for rule in rules):
        if name in numbers:
            body = b"".join(_refuse_if(rule) for rule in rules if rule.call == name)
            body += _do(_RETURN, _ALLOW)
            code += _do(_IS, numbers[name], 0, len(body) // 8) + body
    return code + _do(_RETURN, _ALLOW)


def install(profile: Profile) -> None:
    """Put this process, all its threads and all that it starts under the filter, for good.

    Raises:
        OSError: There is no filter for this machine, or the kernel does not take it.
    """
    load(filter_for(profile, os.uname().machine))


def load(program: bytes) -> None:
    """Load a filter into all threads, after giving up new privileges as the kernel demands.

    Raises:
        OSError: The kernel does not take it.
    """

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))

    no_new_privileges()
    number, loaded = calls(os.uname().machine)["seccomp"], Program(len(program) // 8, program)
    if thread := syscall(number, _SET_MODE_FILTER, _TSYNC, ctypes.byref(loaded)):
        raise OSError(EOPNOTSUPP, f"Thread {thread} has a filter of its own and cannot take ours.")


def no_new_privileges() -> None:
    """From here on no program that this process runs has more rights than it has."""
    syscall(calls(os.uname().machine)["prctl"], _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def syscall(number: int, *arguments: object) -> int:
    """Make one system call.

    Args:
        number: Of the call, on this machine.
        arguments: Integers, of 64 bits, and what ctypes takes for pointers.

    Raises:
        OSError: The kernel refused it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    long = (ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
    if (answer := libc.syscall(ctypes.c_long(number), *long)) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(answer)


def calls(machine: str) -> dict[str, int]:
    """Name and number of each call that is named here, where the machine has it.

    Raises:
        OSError: There are no numbers for this machine.
    """
    if machine not in _MACHINES:
        known = " and ".join(_MACHINES)
        raise OSError(EOPNOTSUPP, f"The sandbox has no filter for '{machine}': it knows {known}.")
    column = _MACHINES[machine][0]
    found = {}
    for entry in " ".join([*REFUSED.values(), REFUSED_TO_CELLS, _OTHERS]).split():
        name, both = entry.split("=")
        if (number := both.split("/")[column]) != "-":
            found[name] = int(number)
    return found


def _refused(profile: Profile) -> dict[str, int]:
    """The calls that are refused whatever their arguments, each with its error."""
    texts = [*REFUSED.values(), REFUSED_TO_CELLS if profile == "cell" else ""]
    refused = {entry.split("=")[0]: EPERM for entry in " ".join(texts).split()}
    # Its flags lie in memory, which a filter cannot read. The C library falls back to clone.
    refused["clone3"] = ENOSYS
    # Not even those of this machine: a service of the user's would do a box's bidding.
    refused["socket"] = EAFNOSUPPORT
    return refused


def _refuse_if(rule: _Rule) -> bytes:
    code = _do(_LOAD, _ARGUMENTS + 8 * rule.argument)
    if rule.test == "has all":
        code += _do(_AND, rule.value)
    jumps = (1, 0) if rule.test == "is not" else (0, 1)
    code += _do(_HAS if rule.test == "has any" else _IS, rule.value, *jumps)
    return code + _do(_RETURN, _ERRNO | rule.error)


def _do(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction; the jumps say how many instructions are passed over."""
    return struct.pack("<HBBI", code, if_true, if_false, value)
