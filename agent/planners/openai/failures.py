"""What can go wrong with a request, and what follows from it."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openai


class BadRequest(Exception):
    """The server cannot do what the request asks for; the message has its words."""


class TooLong(BadRequest):
    """The request does not fit into the model's context."""


class Garbled(Exception):
    """The answer cannot be read, or broke off."""


class Late(Exception):
    """The time that was left is over."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that was not answered.

    Attributes:
        status: Its name in the ledger.
        words: What the server or the connection said.
        again: Whether another try may succeed.
        wait: Seconds that the server asks to wait; None where it does not say.
        refused: `BadRequest` or `TooLong` where the request itself is at fault.
    """

    status: str
    words: str
    again: bool = False
    wait: float | None = None
    refused: type[BadRequest] | None = None


_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum context|exceed\w* (the )?(available )?context|n_ctx"
    r"|(prompt|input|request|messages?) (is |are )?too (long|large)|too many (input )?tokens"
    r"|reduce the length",
    re.IGNORECASE,
)
_NO_PICTURES = re.compile(r"image|vision|multimodal|mmproj", re.IGNORECASE)


def about_pictures(words: str) -> bool:
    """Whether a server's words say that it takes no pictures."""
    return _NO_PICTURES.search(words) is not None


def failure_of(error: Exception) -> Failure:
    """What a failed request means.

    Args:
        error: Raised by the client of `openai` or by `answers`.
    """
    import openai

    if isinstance(error, Late):
        return Failure("timeout", str(error))
    if isinstance(error, openai.APITimeoutError):
        return Failure("timeout", "no answer in time", again=True)
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        return Failure("connection", str(cause) or type(cause).__name__, again=True)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, openai.APIError):  # in the middle of a stream
        return _of_words("server error", str(error))
    if isinstance(error, Garbled):
        return Failure("connection", str(error), again=True)
    return Failure("server error", f"its answer cannot be read ({error})", again=True)


def _of_status(error: openai.APIStatusError) -> Failure:
    status, words = error.status_code, _words(error)
    if status in (401, 403):
        return Failure("unauthorised", words)
    if status == 404:
        return Failure("bad request", f"no such model or address: {words}")
    if status == 429:
        spent = error.code == "insufficient_quota"
        wait = _wait(error.response.headers)
        return Failure("rate limit", words, again=not spent, wait=wait)
    if status == 413:
        return Failure("context overflow", words, refused=TooLong)
    if status in (408, 409) or status >= 500:
        return _of_words("server error", words, _wait(error.response.headers))
    if _TOO_LONG.search(words):
        return Failure("context overflow", words, refused=TooLong)
    return Failure("bad request", words, refused=BadRequest)


def _of_words(status: str, words: str, wait: float | None = None) -> Failure:
    """An error of the server's own; some say so what should have been a refusal."""
    if _TOO_LONG.search(words):
        return Failure("context overflow", words, refused=TooLong)
    if about_pictures(words) and "support" in words:
        return Failure("bad request", words, refused=BadRequest)
    return Failure(status, words, again=True, wait=wait)


def _words(error: openai.APIStatusError) -> str:
    """The server's own words, without the wrapping."""
    body = error.body
    if isinstance(body, Mapping):
        inner = body.get("error")
        for found in (body.get("message"), inner, body.get("detail")):
            if isinstance(found, Mapping):
                found = found.get("message")
            if isinstance(found, str) and found.strip():
                return found
    return str(error)


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``Retry-After``: a number, or a date."""
    given = headers.get("retry-after", "")
    with contextlib.suppress(ValueError):
        return max(0.0, float(given))
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    return None
