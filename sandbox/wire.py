"""Length-framed JSON over a socket: the only thing that host and lab say to each other.

A frame is a big-endian u32 length and that many bytes of UTF-8 JSON, one object. Pictures travel
beside it, as files named by their content. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

#: A longer frame is refused before it is read.
MAX_FRAME = 32 << 20

_LENGTH = struct.Struct(">I")


class WireError(Exception):
    """The other side closed the channel, was too slow, or sent something that is no frame."""


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Send one object.

    Raises:
        WireError: It is too long, or the other side is gone.
    """
    data = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    if len(data) > MAX_FRAME:
        raise WireError(f"a message of {len(data)} bytes is over the limit of {MAX_FRAME}")
    try:
        channel.sendall(_LENGTH.pack(len(data)) + data)
    except OSError as error:
        raise WireError(f"the other side is gone ({error.strerror})") from None


def receive(channel: socket.socket, deadline: float | None = None) -> dict[str, Any]:
    """Receive one object.

    Args:
        channel: A connected stream socket.
        deadline: On the clock of `time.monotonic`: when the whole frame must be here.

    Raises:
        WireError: Closed, too late, too long, or not a JSON object.
    """
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size, deadline))
    if length > MAX_FRAME:
        raise WireError(f"a message of {length} bytes is over the limit of {MAX_FRAME}")
    try:
        message = json.loads(_exactly(channel, length, deadline), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a message is not JSON ({error})") from None
    if not isinstance(message, dict):
        raise WireError("a message is not a JSON object")
    return message


def _exactly(channel: socket.socket, count: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise WireError("no answer in time")
        channel.settimeout(left)
        try:
            part = channel.recv(min(count - len(data), 1 << 20))
        except TimeoutError:
            raise WireError("no answer in time") from None
        except OSError as error:
            raise WireError(f"the channel broke ({error.strerror})") from None
        if not part:
            raise WireError("the other side closed the channel")
        data += part
    return bytes(data)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
