"""What all pages of a server share."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from hubel.agent.ledger import Ledger
from hubel.agent.serve.guard import Gate
from hubel.agent.serve.labs import Labs
from hubel.agent.serve.runs import Runs
from hubel.agent.web.page import environment
from hubel.agent.where import Where


class Refused(Exception):
    """A request that is not carried out; the message says why.

    Args:
        status: Of HTTP.
        message: One sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with.

    Attributes:
        home: Folder of the ledger.
        asked: What the form of a question is filled in with: model, data, planner, unit, budget.
        ask_words: Arguments of every ``hubel ask``: what a page must not decide.
        resume_words: Arguments of every ``hubel resume``.
        where: Where labs for browsing run.
        at_once: Studies that run at the same time.
    """

    home: Path
    asked: dict[str, str]
    where: Where
    device: str = "cpu"
    ask_words: tuple[str, ...] = ()
    resume_words: tuple[str, ...] = ()
    at_once: int = 2


@dataclass
class Server:
    """A server's settings, processes, labs and templates."""

    settings: Settings
    gate: Gate
    templates: jinja2.Environment = field(default_factory=environment)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.home = self.settings.home
        self.runs = Runs(self.settings.at_once, str(self.home))
        self.labs = Labs(self.settings.where, self.home, self.settings.device)
        self.templates.globals |= {"csrf": self.gate.csrf}

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, for one request."""
        with Ledger(self.home) as ledger:
            yield ledger

    def page(self, template: str, code: int = 200, /, **context: Any) -> HTMLResponse:
        """A page, or a piece of one."""
        text = self.templates.get_template(template).render(context)
        return HTMLResponse(text, code)

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that no request waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def server_of(request: Request) -> Server:
    """The server that a request came to."""
    server: Server = request.app.state.server
    return server


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form.

    Raises:
        Refused: It is none.
    """
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    except ValueError:
        raise Refused(400, "That form cannot be read.") from None


async def check_csrf(request: Request) -> None:
    """Refuse a change that was not asked for from a page of this server.

    Raises:
        Refused: The token of its pages is missing.
    """
    if request.method in ("GET", "HEAD"):
        return
    given = request.headers.get("x-csrf")
    if given is None and not request.headers.get("content-type", "").startswith("image/"):
        given = (await form_of(request)).get("csrf")
    if given is None or not hmac.compare_digest(
        given.encode(), server_of(request).gate.csrf.encode()
    ):
        raise Refused(403, "This page is older than the server: load it again, and repeat that.")


def is_piece(request: Request) -> bool:
    """Whether htmx asks for a piece of a page."""
    return "hx-request" in request.headers
