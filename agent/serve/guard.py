"""Who may talk to the server, and what a browser may do with its pages.

A page elsewhere on the web can make a browser send requests to 127.0.0.1. Against that: names of
hosts are checked (DNS rebinding), requests that change something need the origin of this server
and a token that only its own pages hold (CSRF), and pages run no script but the server's files.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Largest body of a request in bytes: a form, a picture.
FORM, PICTURE = 64 << 10, 16 << 20

_COOKIE = "hubel"
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # With no-referrer, browsers send the origin `null` with forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may come in.

    Attributes:
        host: The address that the server listens on.
        token: What a first visit must bring; None lets everybody in who reaches the address.
        csrf: What every form of this server holds.
    """

    host: str
    token: str | None
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def __post_init__(self) -> None:
        if self.token is None and not is_loopback(self.host):
            raise ValueError(
                f"everybody who reaches {self.host} could run studies as you: give a --token"
            )
        if self.token is not None and len(self.token) < 8:
            raise ValueError("the token is short enough to be guessed: take 8 characters or more")

    def knows(self, host: str) -> bool:
        """Whether a request may name this host.

        Rebinding needs a name of the attacker's: addresses, and this machine's names, are safe.
        """
        try:
            name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        except ValueError:
            return False
        if is_loopback(name) or name == self.host.lower():
            return True
        if is_loopback(self.host):
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name == socket.gethostname().lower()
        return True

    def admits(self, cookies: str) -> bool:
        """Whether the cookies of a request are those of a visitor who brought the token."""
        if self.token is None:
            return True
        try:
            held = SimpleCookie(cookies).get(_COOKIE)
        except CookieError:
            return False
        return held is not None and hmac.compare_digest(held.value.encode(), self.pass_.encode())

    @property
    def pass_(self) -> str:
        """What the cookie of an admitted visitor holds: not the token itself."""
        return hashlib.sha256(f"hubel pass {self.token}".encode()).hexdigest()


class Guard:
    """Stands before the application.

    Args:
        app: The application.
        gate: Who may come in.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(
                        (k.encode(), v.encode())
                        for k, v in _HEADERS.items()
                        if k.encode() not in present
                    ),
                ]
            await send(message)

        answer = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        gate, host = self._gate, headers.get("host", "")
        if not gate.knows(host):
            return PlainTextResponse("This server does not go by that name.", 421)
        site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
        if site == "cross-site" and mode != "navigate":
            return PlainTextResponse("Other sites may not ask this server.", 403)
        if (entry := self._entry(scope)) is not None:
            return entry
        if not gate.admits(headers.get("cookie", "")):
            return PlainTextResponse(
                "This server needs its token: open the address that `hubel serve` printed.", 401
            )
        if scope["method"] not in ("GET", "HEAD"):
            return self._not_ours(headers, host)
        return None

    def _entry(self, scope: Scope) -> Response | None:
        """Give the cookie to a visitor who brings the token, and take the token off the address."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if self._gate.token is None or not given or scope["method"] != "GET":
            return None
        if not hmac.compare_digest(given[0].encode(), self._gate.token.encode()):
            return PlainTextResponse("That is not the token.", 401)
        query = scope["query_string"].decode("latin-1")
        rest = urlencode([(k, v) for k, v in parse_qsl(query) if k != "token"])
        # One slash: two at the start of a path would be the name of a host.
        path = "/" + scope["path"].lstrip("/\\") + (f"?{rest}" if rest else "")
        answer = RedirectResponse(path, 303)
        answer.set_cookie(_COOKIE, self._gate.pass_, httponly=True, samesite="strict", path="/")
        return answer

    def _not_ours(self, headers: Headers, host: str) -> Response | None:
        """Refuse what changes something and does not come from a page of this server."""
        origin = headers.get("origin", "")
        if origin not in (f"http://{host}", f"https://{host}"):
            return PlainTextResponse("Only pages of this server may change anything.", 403)
        # A body in chunks has no length but its own, whatever the other header says.
        if "transfer-encoding" in headers:
            return PlainTextResponse("The length of the request is not given.", 411)
        try:
            length = int(headers.get("content-length", ""))
        except ValueError:
            return PlainTextResponse("The length of the request is not given.", 411)
        picture = headers.get("content-type", "").startswith("image/")
        if not 0 <= length <= (PICTURE if picture else FORM):
            return PlainTextResponse("That is too large.", 413)
        return None
