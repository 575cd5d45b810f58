"""What a scripted server of chat completions says, well and badly."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Body = dict[str, Any]

#: What the plan of faults may hold for a request; None is none.
FAULTS = (
    "rate limit",  # 429, Retry-After: 0
    "rate limit, no header",
    "rate limit, long",  # 429, Retry-After: 3600
    "quota",  # 429 that no waiting mends
    "500",
    "503",
    "hang",  # nothing comes until the client gives up
    "hang midway",  # a few words, then nothing
    "no answer",  # the connection is closed at once
    "drop",  # the connection is closed in the middle of the stream
    "no end",  # the stream ends without a finish reason
    "garbage",  # the stream is no JSON
    "html",  # a page instead of an answer, with status 200
    "error in stream",
    "truncated",  # the arguments are cut off, finish reason length
    "wrong tool",
    "wrong types",
    "wrong arguments",
    "prose",  # text without any step in it
    "empty",
    "refusal",
    "filtered",  # finish reason content_filter
    "overflow",  # 400 context_length_exceeded
    "bad request",
    "unauthorised",
    "not found",
)
#: Faults after which another try, or a corrected step, can succeed.
PASSING = tuple(
    f
    for f in FAULTS
    if f not in ("bad request", "unauthorised", "not found", "quota", "rate limit, long")
)


@dataclass(frozen=True)
class Reply:
    """An answer as a server gives it. Arguments of calls are objects, or text as it stands."""

    text: str = ""
    calls: tuple[tuple[str, Body | str], ...] = ()
    finish: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    tokens: tuple[int, int] = (100, 20)


Given = Body | Reply
Answer = Given | Callable[[Body], Given]


def step(
    thought: str = "",
    hypotheses: Sequence[Body] = (),
    calls: Iterable[tuple[Any, ...]] = (),
    conclusion: Body | None = None,
) -> Body:
    """A step; calls are (tool, arguments) or (tool, arguments, predictions)."""
    made = [
        {"tool": c[0], "args": c[1], "predictions": list(c[2]) if len(c) > 2 else []} for c in calls
    ]
    return {
        "thought": thought, "hypotheses": list(hypotheses), "calls": made, "conclusion": conclusion
    }  # fmt: skip


def concludes(form: str | None, text: str = "It is so.", evidence: Sequence[int] = ()) -> Body:
    """A step that concludes."""
    end = {"text": text, "form": form, "exceptions": [], "evidence": list(evidence)}
    return step(conclusion=end)


def as_calls(said: Body) -> Reply:
    """A step as tool calls."""
    calls = [("hypothesize", h) for h in said["hypotheses"]]
    for call in said["calls"]:
        more = {"predictions": call["predictions"]} if call["predictions"] else {}
        calls.append((call["tool"], {**call["args"], **more}))
    if said["conclusion"] is not None:
        calls.append(("conclude", said["conclusion"]))
    return Reply(text=said["thought"], calls=tuple(calls))


def error(message: str, code: str | None = None) -> Body:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


_OVERFLOW = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9999 "
    "tokens. Please reduce the length of the messages."
)
STATUS: dict[str | None, tuple[int, Body, dict[str, str]]] = {
    "rate limit": (429, {"message": "slow down"}, {"Retry-After": "0"}),
    "rate limit, no header": (429, {"message": "slow down"}, {}),
    "rate limit, long": (429, {"message": "slow down"}, {"Retry-After": "3600"}),
    "quota": (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}, {}),
    "500": (500, {"message": "internal error"}, {}),
    "503": (503, {"message": "overloaded"}, {}),
    "overflow": (400, {"message": _OVERFLOW, "code": "context_length_exceeded"}, {}),
    "bad request": (400, {"message": "messages: something about them is wrong"}, {}),
    "unauthorised": (401, {"message": "Incorrect API key provided"}, {}),
    "not found": (404, {"message": "The model does not exist", "code": "model_not_found"}, {}),
}


def _cut(reply: Reply) -> Reply:
    calls = tuple((n, _text(a)[: max(1, len(_text(a)) * 2 // 3)]) for n, a in reply.calls)
    return replace(reply, calls=calls, text=reply.text[: len(reply.text) * 2 // 3], finish="length")


def _wrong_tool(reply: Reply) -> Reply:
    text = re.sub(r'"tool": "\w+"', '"tool": "imagine"', reply.text)
    return replace(reply, calls=(("imagine", {"what": "a cat"}), *reply.calls[1:]), text=text)


def _wrong_types(reply: Reply) -> Reply:
    calls = tuple((n, {k: {"of": "wrong type"} for k in _object(a)}) for n, a in reply.calls)
    text = re.sub(r'"calls": \[', '"calls": [17, ', reply.text)
    return replace(
        reply, calls=calls, text=re.sub(r'"conclusion": \{', '"conclusion": 3, "x": {', text)
    )


def _wrong_arguments(reply: Reply) -> Reply:
    calls = tuple((n, {**_object(a), "verbosity": "high"}) for n, a in reply.calls)
    return replace(reply, calls=calls, text=reply.text.replace('"thought"', '"feeling"'))


SPOILT: dict[str | None, Callable[[Reply], Reply]] = {
    "truncated": _cut,
    "wrong tool": _wrong_tool,
    "wrong types": _wrong_types,
    "wrong arguments": _wrong_arguments,
    "prose": lambda _reply: Reply(text="I believe that the unit likes cats. Eureka!"),
    "empty": lambda _reply: Reply(),
    "refusal": lambda _reply: Reply(refusal="I cannot help with that."),
    "filtered": lambda _reply: Reply(text="I", finish="content_filter"),
}


def _object(arguments: Body | str) -> Body:
    return arguments if isinstance(arguments, dict) else {"text": arguments}


def _text(arguments: Body | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _finish(reply: Reply) -> str:
    return reply.finish or ("tool_calls" if reply.calls else "stop")


def _usage(reply: Reply) -> Body:
    given, made = reply.tokens
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _about() -> Body:
    return {"id": "chatcmpl-1", "created": int(time.time()), "model": "scripted"}


def whole(reply: Reply, *, usage: bool) -> Body:
    message: Body = {"role": "assistant", "content": reply.text or None, "refusal": reply.refusal}
    if reply.reasoning is not None:
        message["reasoning_content"] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = [
            {"id": f"c{i}", "type": "function", "function": {"name": n, "arguments": _text(a)}}
            for i, (n, a) in enumerate(reply.calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply)}
    more = {"usage": _usage(reply)} if usage else {}
    return {**_about(), "object": "chat.completion", "choices": [choice], **more}


def chunks(reply: Reply, *, usage: bool) -> Iterable[Body]:
    def chunk(delta: Body, finish: str | None = None) -> Body:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {**_about(), "object": "chat.completion.chunk", "choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    if reply.reasoning is not None:
        yield chunk({"reasoning_content": reply.reasoning})
    for word in re.findall(r"\s*\S+\s*", reply.text):
        yield chunk({"content": word})
    if reply.refusal is not None:
        yield chunk({"refusal": reply.refusal})
    for i, (name, arguments) in enumerate(reply.calls):
        text = _text(arguments)
        half = len(text) // 2
        about = {"index": i, "id": f"c{i}", "type": "function"}
        yield chunk({"tool_calls": [{**about, "function": {"name": name, "arguments": ""}}]})
        for part in (text[:half], text[half:]):
            yield chunk({"tool_calls": [{"index": i, "function": {"arguments": part}}]})
    yield chunk({}, _finish(reply))
    if usage:
        yield {**_about(), "object": "chat.completion.chunk", "choices": [], "usage": _usage(reply)}
