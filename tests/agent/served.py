"""A server of `hubel serve` for tests: the real command, on a free port of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"


@dataclass
class Served:
    """A running server."""

    address: str
    token: str
    process: subprocess.Popen[str]
    visitor: httpx.Client

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.visitor.get(self.address + path, **more)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as a page of the server does."""
        csrf = re.search(r'name="csrf" content="([^"]+)"', self.get("/").text)[1]
        return self.visitor.post(
            self.address + path,
            data={"csrf": csrf, **fields},
            headers={"origin": self.address, "x-csrf": csrf},
        )

    def events(self, path: str, **headers: str) -> Iterator[tuple[str, str, Any]]:
        """The events of a stream: (id, name, data)."""
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        with self.visitor.stream(
            "GET", self.address + path, headers=headers, timeout=600
        ) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif event:
                    if "event" in event:
                        yield event.get("id", ""), event["event"], json.loads(event["data"])
                    event = {}


@contextmanager
def served(home: Path, *words: str, token: str = "") -> Iterator[Served]:
    """A server over a folder."""
    given = [f"--token={token}"] if token else []
    command = [sys.executable, "-m", "hubel", "serve", "--port=0", f"--home={home}", *given, *words]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI")}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment | {"OMP_NUM_THREADS": "1"}
    )
    visitor = httpx.Client(timeout=300)
    try:
        said = ""
        while "hubel serves " not in said:
            line = process.stderr.readline()
            assert line, f"it does not start: {said}"
            said += line
        address = re.search(r"(http://\S+?)/(?:\?\S+)?\s", said)[1]
        yield Served(address, token, process, visitor)
    finally:
        visitor.close()
        process.send_signal(signal.SIGTERM)
        try:
            _, rest = process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert "Traceback" not in rest, rest


class Page(HTMLParser):
    """A page as its tags and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def ids(self) -> list[str]:
        return [given["id"] for _, given in self.tags if given.get("id")]

    def of(self, tag: str, name: str) -> list[str]:
        with contextlib.suppress(KeyError):
            return [given[name] for t, given in self.tags if t == tag and name in given]
        return []
