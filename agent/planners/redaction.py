"""Taking secrets out of what is written down."""

from __future__ import annotations

import os
import re
from typing import Any

#: What stands where a secret was.
MARK = "[secret]"
#: Words in the names of environment variables whose values are secrets.
_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")
#: Shorter values are words, not secrets.
_SHORTEST = 8
_PATTERNS = (
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),  # user:password of an address
    re.compile(r"(?i)(?<=[?&])(?:api[-_]?key|key|token|secret|password)=[^&\s\"']+"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{16,}"),
    re.compile(r"(?i)\b(?:x-)?api-key\s*[:=]\s*[\w.~+/=-]{8,}"),
    # Keys as their makers write them: with a digit and a capital, unlike names of modules.
    re.compile(r"\b(?:sk|pk|rk|hf|ghp|gsk|xai)[-_](?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{16,}"),
)


def without_secrets(value: Any) -> Any:
    """A JSON value without keys and passwords in its strings.

    What counts as one: the value of an environment variable whose name says so, and what is
    written like a key, a header with one, or an address with a password.
    """
    known = [
        text
        for name, text in os.environ.items()
        if len(text) >= _SHORTEST and any(word in name.upper() for word in _NAMES)
    ]
    return _cleaned(value, sorted(known, key=len, reverse=True))


def _cleaned(value: Any, known: list[str]) -> Any:
    if isinstance(value, dict):
        return {_cleaned(k, known): _cleaned(v, known) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item, known) for item in value]
    if not isinstance(value, str):
        return value
    for text in known:
        value = value.replace(text, MARK)
    for pattern in _PATTERNS:
        value = pattern.sub(MARK, value)
    return value
