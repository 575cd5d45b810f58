"""What a box prints: kept within bounds, and made safe to show."""

from __future__ import annotations

import codecs
import os
import re
from typing import IO

#: Bytes of a log in which its last line is looked for.
_END = 1 << 16

# Terminal commands, by ECMA-48: CSI with its parameters, strings (OSC, DCS, ...) up to their end,
# and the short escapes. A string without an end is not followed: it would swallow what comes after.
# No repeat runs over what begins another command, so that the time is linear.
_COMMAND = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]*+(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*+[0-~]"
)
_LINE_END = re.compile(r"\r\n?")
# C0 but tab and newline, DEL, C1; embeddings, overrides and isolates of the bidi algorithm; and
# surrogates, which are no characters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    r"""Text that shows as it reads: no terminal commands, no control characters but \n and \t.

    ``\r\n`` and ``\r`` become ``\n``.
    """
    return _CONTROL.sub("", _LINE_END.sub("\n", _COMMAND.sub("", text)))


def last_line(log: IO[bytes]) -> str:
    """The last line of a log, clean; empty if there is none. Only the log's end is read."""
    log.seek(-min(_END, log.seek(0, os.SEEK_END)), os.SEEK_END)
    lines = clean(log.read().decode(errors="replace")).strip().splitlines()
    return lines[-1] if lines else ""


class Printed:
    """Collects what comes out of a pipe, and keeps its beginning and its end.

    Attributes:
        total: Bytes that came.
    """

    def __init__(self, kept: int, fatal: int) -> None:
        """Start with nothing.

        Args:
            kept: Bytes that are kept.
            fatal: Bytes after which whoever prints should be stopped.
        """
        self.total = 0
        self._fatal = fatal
        self._first, self._last = kept // 2, kept - kept // 2
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        """Take what came."""
        self.total += len(data)
        room = self._first - len(self._head)
        self._head += data[:room]
        self._tail += data[room:][-self._last :] if self._last else b""
        if len(self._tail) > 2 * self._last:  # seldom, so that many small parts cost little
            del self._tail[: -self._last]

    @property
    def too_much(self) -> bool:
        """Whether more came than `fatal`."""
        return self.total > self._fatal

    def text(self) -> str:
        """What was kept, clean, with a line that says how much is left out."""
        tail = self._tail[-self._last :] if self._last else self._tail
        left_out = self.total - len(self._head) - len(tail)
        if not left_out:
            return clean((self._head + tail).decode("utf-8", "replace"))
        # A character that the cut went through is left out whole.
        begin = codecs.getincrementaldecoder("utf-8")("replace").decode(self._head)
        cut = next((n for n in range(3) if tail[n : n + 1] and tail[n] & 0xC0 != 0x80), 3)
        end = tail[cut:].decode("utf-8", "replace")
        return f"{clean(begin)}\n[{left_out} bytes left out]\n{clean(end)}"
