"""Where a language model is served: base URL and key, from what was typed and the environment."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

#: Where no base URL is given.
OPENAI = "https://api.openai.com/v1"
#: Sent to servers on this machine that want no key.
_NO_KEY = "none"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server of chat completions.

    Attributes:
        model: The model, by the server's name for it.
        base_url: As in ``http://127.0.0.1:8000/v1``.
        key: The key; never printed.
        loopback: Whether the server is on this machine: it is then asked without any proxy.
    """

    model: str
    base_url: str
    key: str = field(repr=False)
    loopback: bool

    @classmethod
    def of(cls, name: str, base_url: str | None = None) -> Self:
        """The endpoint of ``openai/MODEL``.

        Args:
            name: As users type it.
            base_url: Left out, ``OPENAI_BASE_URL`` has it, or it is OpenAI's own.

        Raises:
            ValueError: The name, the URL or the key is missing or wrong.
        """
        model = name.removeprefix("openai/").strip()
        if not model or model == name.strip():
            raise ValueError(f"'{name}' names no model: write openai/MODEL, as the server calls it")
        url = (base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI).strip()
        host = _checked(url)
        loopback = _is_loopback(host)
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not key and not loopback:
            raise ValueError(
                f"{name} needs a key: set OPENAI_API_KEY, or give the --base-url of a server on "
                "this machine"
            )
        if not key.isascii() or not key.isprintable():
            raise ValueError("OPENAI_API_KEY holds characters that no key has: set it again")
        return cls(model, url.rstrip("/"), key or _NO_KEY, loopback)

    def scrubbed(self, text: str, most: int = 300) -> str:
        """Words of the server, on one line, bounded, without the key should they repeat it."""
        hidden = text if self.key == _NO_KEY else text.replace(self.key, "•••")
        line = " ".join(hidden.split())
        return line if len(line) <= most else line[: most - 1] + "…"


def _checked(url: str) -> str:
    """The host of a base URL.

    Raises:
        ValueError: It is no URL of a server, or holds a secret: it is kept in the ledger.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        parts, host, port = None, "", 0
    if parts is not None and (parts.username or parts.password or parts.query or parts.fragment):
        raise ValueError(
            "a base URL is kept in the ledger and holds no name, password or query: put the key "
            "into OPENAI_API_KEY"
        )
    if parts is None or parts.scheme not in ("http", "https") or not host or port == 0:
        raise ValueError(f"'{url[:200]}' is no base URL: write it as in http://127.0.0.1:8000/v1")
    return host


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
