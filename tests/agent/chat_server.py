"""A scripted server of chat completions on loopback: real HTTP, streamed or not, and its faults.

    with ChatServer([step(calls=[("exemplars", {"unit": "blocks.0:0"})]), concludes("red")]) as s:
        planner = OpenAIPlanner("openai/scripted", s.url, home)

An answer is a step (a dictionary as in `step`), a `Reply` as a server gives it, or a function of
the request that gives one of these. A step is rendered in whatever way the request asks for it:
tool calls, JSON, or a fenced block. Requests that probe what the server can do are answered by the
server itself and use up no answer; neither does a request that a fault befalls.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from tests.agent.chat_http import Handler, Server
from tests.agent.chat_replies import (
    FAULTS,
    PASSING,
    Answer,
    Body,
    Given,
    Reply,
    as_calls,
    concludes,
    step,
)
from tests.agent.chat_requests import count_images, has_images, is_probe, pictures_in, texts

__all__ = [
    "FAULTS", "PASSING", "Body", "Can", "ChatServer", "Reply", "concludes", "count_images",
    "is_probe", "pictures_in", "step", "texts",
]  # fmt: skip


@dataclass
class Can:
    """What the server can do.

    Attributes:
        tools: ``yes``, ``no`` (a 400) or ``ignored`` (it answers in text).
        response_format: ``json_schema``, ``json_object`` or ``no`` (a 400).
        images: ``yes``, ``no`` (a 400) or ``ignored`` (they are not seen).
        streams: ``yes``, ``no`` (a 400) or ``ignored`` (one JSON body).
        usage: ``yes``, ``no`` (it never says), or ``refused`` (a 400 for stream_options).
        context: Characters of a request (pictures count 1000 each) over which it overflows.
        key: The key that it wants; None for none.
    """

    tools: str = "yes"
    response_format: str = "json_schema"
    images: str = "yes"
    streams: str = "yes"
    usage: str = "yes"
    context: int | None = None
    key: str | None = None


@dataclass
class ChatServer:
    """The server, running while it is entered.

    Args:
        answers: One for each request that is answered, in order, or a function of the request;
            a list that is used up answers 400 "the script is over".
        faults: A fault or None for each request that is no probe, in order; or a function of its
            number. What follows the plan has none.
        can: What it can do.

    Attributes:
        requests: Bodies of all requests, in order.
        headers: Their headers.
        faulted: The faults that were committed, in order.
    """

    answers: Sequence[Answer] | Callable[[Body], Given]
    faults: Sequence[str | None] | Callable[[int], str | None] = ()
    can: Can = field(default_factory=Can)

    def __post_init__(self) -> None:
        self.requests: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.faulted: list[str] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._asked = self._answered = 0

    def __enter__(self) -> Self:
        self._http = Server(("127.0.0.1", 0), Handler)
        self._http.scripted = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def probes(self) -> list[Body]:
        """The requests that were probes."""
        return [r for r in self.requests if is_probe(r)]

    @property
    def asked(self) -> list[Body]:
        """The requests that were not."""
        return [r for r in self.requests if not is_probe(r)]

    @property
    def unused(self) -> int:
        """How many answers of a list were never given."""
        return 0 if callable(self.answers) else len(self.answers) - self._answered

    # For the handler

    def fault_for(self, body: Body) -> str | None:
        """What befalls a request."""
        if is_probe(body):
            return None
        with self._lock:
            number = self._asked
            self._asked += 1
        if callable(self.faults):
            fault = self.faults(number)
        else:
            fault = self.faults[number] if number < len(self.faults) else None
        if fault is not None:
            assert fault in FAULTS, fault
            self.faulted.append(fault)
        return fault

    def answer(self, body: Body, *, keep: bool = False) -> Reply:
        """The next answer, in the way in which the request asks for it."""
        if is_probe(body):
            return self._ready(body)
        if callable(self.answers):
            given: Given | Answer = self.answers(body)
        elif self._answered < len(self.answers):
            given = self.answers[self._answered]
        else:
            return Reply(text="The script is over.")
        if not keep:
            self._answered += 1
        if callable(given):
            given = given(body)
        return given if isinstance(given, Reply) else self._rendered(given, body)

    def _ready(self, body: Body) -> Reply:
        seen = has_images(body) and self.can.images == "yes"
        says = {"ready": True, "colour": "orange" if seen else "I see no picture"}
        if body.get("tools") and self.can.tools == "yes":
            return Reply(calls=(("ready", {"colour": says["colour"]}),))
        if body.get("response_format"):
            return Reply(text=json.dumps(says))
        return Reply(text=f"```json\n{json.dumps(says)}\n```")

    def _rendered(self, said: Body, body: Body) -> Reply:
        if body.get("tools") and self.can.tools == "yes":
            return as_calls(said)
        if body.get("response_format"):
            return Reply(text=json.dumps(said))
        return Reply(text=f"Let me see.\n\n```json\n{json.dumps(said, indent=1)}\n```\n")
