"""Length-framed JSON over a socket: what the host and its boxes say to each other.

A frame is a big-endian u32 length and that many bytes of UTF-8 JSON, one object. Pictures and
arrays travel beside it. Nothing is ever unpickled.

The other side may be hostile. It can make `receive` raise `WireError` and nothing else: it cannot
make it wait past the deadline, nor hold more than what has arrived. (Parsed, a frame of empty
lists is some thirty times its own size, so give a `limit` where the sender is not trusted.)
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

#: A longer frame is refused before it is read.
MAX_FRAME = 32 << 20

#: Lists and objects within each other; what handles a message later may then recurse.
MAX_DEPTH = 64

#: Characters of one number. Floats are written with 25 or fewer, 128-bit integers with 40.
MAX_DIGITS = 64

_LENGTH = struct.Struct(">I")
_PART = 256 << 10


class WireError(Exception):
    """The other side closed the channel, was too slow, or sent something that is no frame."""


def send(
    channel: socket.socket,
    message: dict[str, Any],
    deadline: float | None = None,
    limit: int = MAX_FRAME,
    descriptors: Sequence[int] = (),
) -> None:
    """Send one object. After an error the channel may hold half a frame and is of no more use.

    Args:
        channel: A connected stream socket.
        message: What to send. Nothing of it is sent if it is too long or no JSON.
        deadline: On the clock of `time.monotonic`: when all of it must have been taken.
        limit: Bytes that the message may have.
        descriptors: Open files that go along, over a Unix socket.

    Raises:
        WireError: It is too long or no JSON, or the other side is gone or does not read.
    """
    data = _encoded(message, limit)
    _wait_until(channel, deadline, "the other side did not read in time")
    try:
        if descriptors:
            socket.send_fds(channel, [_LENGTH.pack(len(data))], descriptors)
            channel.sendall(data)
        else:
            channel.sendall(_LENGTH.pack(len(data)) + data)
    except TimeoutError:
        raise WireError("the other side did not read in time") from None
    except OSError as error:
        raise WireError(f"the other side is gone ({error.strerror})") from None


def receive(
    channel: socket.socket, deadline: float | None = None, limit: int = MAX_FRAME
) -> dict[str, Any]:
    """Receive one object.

    Args:
        channel: A connected stream socket.
        deadline: On the clock of `time.monotonic`: when the whole frame must be here.
        limit: Bytes that the message may have.

    Raises:
        WireError: Closed, too late, too long, not a JSON object, or one that is nested too deep,
            or holds a key twice, a number that is none, or text that is none.
    """
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size, deadline))
    if length > limit:
        raise WireError(f"a message of {length} bytes is over the limit of {limit}")
    return _decoded(_exactly(channel, length, deadline))


def check(message: dict[str, Any], limit: int = MAX_FRAME) -> None:
    """See that the other side will take a message, without sending it.

    Raises:
        WireError: It would be refused; the error says why.
    """
    _decoded(_encoded(message, limit))


def _encoded(message: dict[str, Any], limit: int) -> bytes:
    try:
        text = json.dumps(message, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        data = text.encode()
    except RecursionError:
        raise WireError(f"a message is nested more than {MAX_DEPTH} deep") from None
    except (TypeError, ValueError) as error:
        raise WireError(f"a message is not JSON ({_short(error)})") from None
    if len(data) > limit:
        raise WireError(f"a message of {len(data)} bytes is over the limit of {limit}")
    return data


def _decoded(data: bytes | bytearray) -> dict[str, Any]:
    try:
        message = json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except RecursionError:
        raise WireError(f"a message is nested more than {MAX_DEPTH} deep") from None
    except ValueError as error:
        raise WireError(f"a message is not JSON ({_short(error)})") from None
    if not isinstance(message, dict):
        raise WireError("a message is not a JSON object")
    _check_depth(message, data)
    if b"\\u" in data:  # only an escape can make half a character
        try:
            json.dumps(message, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise WireError("a message is not JSON (half a character)") from None
    return message


def _exactly(channel: socket.socket, count: int, deadline: float | None) -> bytearray:
    """So many bytes, in memory that grows only as they come."""
    data = bytearray()
    while len(data) < count:
        _wait_until(channel, deadline, "no answer in time")
        try:
            part = channel.recv(min(count - len(data), _PART))
        except TimeoutError:
            raise WireError("no answer in time") from None
        except OSError as error:
            raise WireError(f"the channel broke ({error.strerror})") from None
        if not part:
            raise WireError("the other side closed the channel")
        data += part
    return data


def _wait_until(channel: socket.socket, deadline: float | None, late: str) -> None:
    """Bound the next operation; without a deadline, lift the bound that the last one left."""
    left = None if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:
        raise WireError(late)
    try:
        channel.settimeout(left)
    except OSError as error:
        raise WireError(f"the channel broke ({error.strerror})") from None


def _check_depth(message: dict[str, Any], data: bytes | bytearray) -> None:
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    level: list[Any] = [message]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(item, dict | list)
        ]
    if level:
        raise WireError(f"a message is nested more than {MAX_DEPTH} deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object holds a key twice")
    return made


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    number = float(text) if len(text) <= MAX_DIGITS else math.inf
    if not math.isfinite(number):
        raise ValueError("a number is too long or too large")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _short(error: Exception) -> str:
    """What an error says, in printable characters: it may quote the message."""
    return ascii(str(error))[1:-1][:200]
