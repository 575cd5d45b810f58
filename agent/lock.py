"""One runner for a study: a lock that goes with its process, however that ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_TRIES, _WAIT = 5, 0.05


class StudyRuns(Exception):
    """Another process runs the study; the message says so."""


@contextmanager
def running(home: Path, study: int) -> Iterator[None]:
    """Hold a study while it runs.

    Args:
        home: Folder of the ledger.
        study: Number of the study.

    Raises:
        StudyRuns: Another process holds it.
    """
    with _opened(home, study) as file:
        for _ in range(_TRIES):  # a look at the lock takes it for a moment
            if _taken(file):
                break
            time.sleep(_WAIT)
        else:
            raise StudyRuns(
                f"Study {study} is running in another process: wait until it has ended, or stop it."
            )
        yield


def held(home: Path, study: int) -> bool:
    """Whether a study is running, in this process or in another."""
    with _opened(home, study) as file:
        return not _taken(file)


def _opened(home: Path, study: int) -> TextIO:
    path = home / "locks" / f"study-{study}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w")


def _taken(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
