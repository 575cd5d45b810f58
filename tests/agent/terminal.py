"""A terminal for tests: runs a program on a pty, types into it, and reads what it shows."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Self

ROWS, COLUMNS = 50, 160
_COMMAND = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")


class Terminal:
    """A program on a pty of its own, which is the program's controlling terminal.

    Attributes:
        raw: All that it wrote.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self._mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        # A terminal that does not answer questions about its cursor.
        more = {"TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
        self.process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=_at_a_terminal,
            env={**os.environ, **more, **environment},
        )  # fmt: skip
        os.close(theirs)
        self.raw = ""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._mine)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._mine, text.encode())

    def until(self, text: str, seconds: float = 120) -> str:
        """Read until it has shown a text, after that of the last `until`; gives what it showed."""
        deadline = time.monotonic() + seconds
        while (at := (shown := plain(self.raw)).find(text, self._seen)) < 0:
            if not self._read(deadline):
                raise AssertionError(f"never showed {text!r}, but: {shown[self._seen :][-1500:]}")
        begun, self._seen = self._seen, at + len(text)
        return shown[begun : self._seen]

    def end(self, seconds: float = 60) -> int:
        """Wait for the end of the program; gives its exit status."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self.process.wait(timeout=seconds)

    def _read(self, deadline: float) -> bool:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._mine], [], [], left)[0]:
            return False
        try:
            came = os.read(self._mine, 1 << 16)
        except OSError:  # the program has gone, and its end with it
            return False
        self.raw += came.decode(errors="replace")
        return bool(came)


def _at_a_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # Tests that run in the background ignore it, and so would what they start.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def plain(text: str) -> str:
    """What a terminal's reader sees: without commands."""
    return _COMMAND.sub("", text)
