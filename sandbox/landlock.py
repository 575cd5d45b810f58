"""Which files, ports and processes code in a box may reach: Landlock, the kernel's own fence.

The threat is code that reads the user's files, writes anywhere but to its own scratch, or talks to
processes outside. A process fences itself in and can never climb out, nor can what it starts; no
root is needed. In a box with namespaces this is a second wall; without them it is the wall.

What it does not do, whatever the kernel: files, sockets and folders that are open already stay
open; stat, chmod, chown and utime are not looked at, so that it does not hide that a file exists,
and the user's own files outside can still change their mode. What older kernels do not fence, by
the version of the interface: before 3, the user's files outside can be emptied; before 4, TCP;
before 5, ioctl on devices; before 6, signals and abstract Unix sockets; before 9, Unix sockets
with a path. (Before 2, no file can be moved to another folder.) UDP and the other families of
sockets are left to `hubel.sandbox.seccomp`. Give up capabilities first: with CAP_PERFMON, and
/proc open to reading, the environment of processes outside can be read all the same.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from errno import EBUSY, ENOENT, ENOSYS, EOPNOTSUPP
from pathlib import Path
from typing import NamedTuple

from hubel.sandbox.seccomp import no_new_privileges, syscall

# The same on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1

# linux/landlock.h: rights to files, in the order of their bits.
(_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE, _MAKE_CHAR, _MAKE_DIR,
 _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM, _REFER, _TRUNCATE, _IOCTL_DEV,
 _RESOLVE_UNIX) = (1 << bit for bit in range(17))  # fmt: skip

_READ = _EXECUTE | _READ_FILE | _READ_DIR
#: The rights that a file can have which is not a directory.
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV | _RESOLVE_UNIX

#: Version of the interface: the rights to files that came with it.
_SINCE = {1: _REFER - 1, 2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV, 9: _RESOLVE_UNIX}
_TCP_SINCE, _TCP = 4, 0b11  # bind, connect
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract Unix sockets, signals


class Fences(NamedTuple):
    """What a ruleset takes in hand: all of it is refused that no rule allows.

    Attributes:
        files: Bits of the rights to files.
        network: Bits of the rights to TCP ports.
        scopes: Bits of what may not reach past the process and its children.
    """

    files: int
    network: int
    scopes: int


def abi() -> int:
    """Version of the kernel's Landlock interface; 0 if there is none, or it is turned off."""
    try:
        return syscall(_CREATE_RULESET, 0, 0, _VERSION)
    except OSError as error:
        if error.errno in (ENOSYS, EOPNOTSUPP):
            return 0
        raise


def fences(version: int, *, network: bool = False) -> Fences:
    """All that a version of the interface can take in hand, less the ports for `network`."""
    return Fences(
        sum(rights for since, rights in _SINCE.items() if version >= since),
        _TCP if version >= _TCP_SINCE and not network else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    )


def restrict(
    read: Iterable[str | os.PathLike[str]],
    write: Iterable[str | os.PathLike[str]],
    *,
    network: bool = False,
) -> None:
    """Fence in this process and all that it will start, for good.

    Args:
        read: Files and folders that may be read and run, with all beneath them.
        write: Files and folders with which, and beneath which, everything may be done. Devices
            that are to be written or driven belong here.
        network: Leave TCP open.

    Raises:
        FileNotFoundError: One of the paths does not exist.
        OSError: The kernel has no Landlock, a path cannot be opened, or this process has several
            threads, of which only this one would be fenced in.
    """
    version = abi()
    if version == 0:
        raise OSError(EOPNOTSUPP, "This kernel has no Landlock, or it is turned off at boot.")
    threads = len(list(Path("/proc/self/task").iterdir()))  # those of C libraries count too
    if threads > 1:
        raise OSError(EBUSY, f"Landlock would fence in one of the {threads} threads only.")
    wanted = fences(version, network=network)
    attributes = struct.pack("=QQQ", *wanted)
    ruleset = syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for paths, rights in ((read, _READ), (write, wanted.files)):
            for path in paths:
                _allow(ruleset, path, rights & wanted.files)
        no_new_privileges()
        syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str | os.PathLike[str], rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        why = "There is no such file or folder to open to the box"
        raise FileNotFoundError(ENOENT, why, os.fspath(path)) from None
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES  # the kernel refuses the others
        # Packed: 8 bytes of rights, 4 of the descriptor.
        syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)
