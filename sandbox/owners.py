"""Whose a box's folders are: on a host that is root, each box is a user of its own."""

from __future__ import annotations

import itertools
import os
import shutil
import zlib
from pathlib import Path

#: First of the user numbers that no system gives out (systemd's list of ranges).
_UNUSED_USERS = 1_879_048_192

_boxes = itertools.count()


def unused_user(name: str) -> int:
    """The user number of a name; without one, a number that no other box has for long."""
    if name:
        return _UNUSED_USERS + (1 << 27) + zlib.crc32(name.encode()) % (1 << 27)
    return _UNUSED_USERS + 16 * os.getpid() + next(_boxes) % 16


def give(folder: Path, uid: int) -> None:
    """Give a folder with all that is in it to a user; an earlier run may have had another.

    By descriptors: another box may be at work in it, and must not lead us out by a link.
    """
    for _where, _folders, files, at in os.fwalk(folder, follow_symlinks=False):
        for name in (".", *files):
            if os.lstat(name, dir_fd=at).st_uid != uid:
                os.chown(name, uid, uid, dir_fd=at, follow_symlinks=False)


def remove(folder: Path) -> None:
    """Remove a folder, whatever rights were set on what is in it."""
    for where, folders, _files in os.walk(folder):
        for name in folders:
            path = Path(where, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)
