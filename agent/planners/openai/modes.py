"""What a server and its model can do, found out by asking: call tools, answer in JSON, see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from hubel.agent import prompts
from hubel.agent.planner import PlannerFailed
from hubel.agent.planners.openai.answers import Answer
from hubel.agent.planners.openai.client import Client, Errand
from hubel.agent.planners.openai.failures import BadRequest
from hubel.agent.planners.openai.pictures import data_url
from hubel.agent.planners.openai.schemas import native
from hubel.agent.planners.openai.streaming import Thought

Mode = Literal["tools", "json", "text"]

#: The colour of the picture that probes show: not the first one that comes to mind.
_COLOUR = "orange"
_RGB = (255, 140, 0)
_READY: dict[str, Any] = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}, "colour": {"type": "string"}},
    "required": ["ready", "colour"],
}


@dataclass(frozen=True, slots=True)
class Way:
    """How a model is asked for steps.

    Attributes:
        mode: ``tools`` (native calls), ``json`` (``response_format``) or ``text`` (a fenced block).
        sees: Whether it sees pictures.
        response_format: ``json_schema`` or ``json_object``, in the mode ``json``.
    """

    mode: Mode
    sees: bool
    response_format: str = ""

    def request(self, tools: list[dict[str, Any]], schema: dict[str, Any]) -> dict[str, Any]:
        """What a request for a step holds besides its messages.

        Args:
            tools: For native calls.
            schema: Of a step.
        """
        if self.mode == "tools":
            return {"tools": tools}
        return self._formatted("step", schema) if self.mode == "json" else {}

    def _formatted(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        if self.response_format == "json_object":
            return {"response_format": {"type": "json_object"}}
        described = {"name": name, "schema": schema, "strict": False}
        return {"response_format": {"type": "json_schema", "json_schema": described}}

    def probe(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """A tiny request in this way: its messages, and what else it holds."""
        asks = {
            "tools": prompts.PROBE_TOOLS,
            "json": prompts.PROBE_JSON,
            "text": prompts.PROBE_TEXT,
        }[self.mode]
        content: Any = asks + ("" if self.sees else prompts.PROBE_BLIND)
        if self.sees:
            picture = {"type": "image_url", "image_url": {"url": _plain_picture()}}
            content = [{"type": "text", "text": asks}, picture]
        extra = self.request([_ready_tool()], {})
        if self.mode == "json":
            extra = self._formatted("ready", _READY)
        return [{"role": "user", "content": content}], extra


def find_way(client: Client, errand: Errand) -> Way:
    """The best way to ask a model for steps, by trying them; each request is recorded.

    Native calls come before JSON, and JSON before text. A model that does not know the colour of
    the picture, or whose server refuses pictures, is taken to be blind.

    Raises:
        PlannerFailed: The server answers nothing at all.
    """
    ways: list[Way] = [
        Way("tools", True),
        Way("json", True, "json_schema"),
        Way("json", True, "json_object"),
        Way("text", True),
    ]
    sees, refusal = True, ""
    for way in ways:
        for seeing in (True, False) if sees else (False,):
            tried = replace(way, sees=seeing)
            try:
                answer = _ask(client, errand, tried)
            except BadRequest as refused:
                refusal = str(refused)
                continue
            sees = seeing
            found = _colour(answer, tried)
            if found is not None:
                return replace(tried, sees=seeing and _COLOUR in found.lower())
            if tried.mode == "text":  # whatever it says, there is no simpler way
                return replace(tried, sees=seeing and _COLOUR in answer.text.lower())
            break
    raise PlannerFailed(
        f"{client.endpoint.model} at {client.endpoint.base_url} refuses even the simplest "
        f"request: {client.endpoint.scrubbed(refusal)}"
    )


def _ask(client: Client, errand: Errand, way: Way) -> Answer:
    messages, extra = way.probe()
    detail = {**errand.detail, "pictures": int(way.sees)}
    say = Thought(errand.say, "json")  # nobody watches for what is said here
    tried = replace(errand, role="probe", mode=way.mode, say=say, detail=detail)
    return client.ask(messages, tried, **extra)


def _colour(answer: Answer, way: Way) -> str | None:
    """The colour that an answer names, if it is given in the way that was asked for."""
    if way.mode == "tools":
        ready = [call.arguments for call in answer.calls if call.name == "ready"]
        return _field(ready[0]) if ready else None
    text = answer.text.rsplit("</think>", 1)[-1]
    return _field(text) if way.mode == "json" else None


def _field(text: str) -> str | None:
    """The colour in a JSON object; None if it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return str(value.get("colour", "")) if isinstance(value, Mapping) else None


def _ready_tool() -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"colour": {"type": "string"}},
        "required": ["colour"],
    }
    doc = "Say that you are ready."
    return native(
        [{"name": "ready", "kind": "computation", "doc": doc, "parameters": parameters}],
        only_conclude=False,
    )[1]


def _plain_picture() -> str:
    from PIL import Image

    return data_url(Image.new("RGB", (64, 64), _RGB))
