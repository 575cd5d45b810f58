"""Answers of chat completions, streamed or whole, as one thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hubel.agent.planners.openai.failures import Garbled, Late

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionChunk

#: Characters of an answer after which it is cut off: some servers let a model run on for ever.
LONGEST = 60_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A tool call as the model wrote it: its arguments are text, and may be anything."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said.

    Attributes:
        finish: Why it stopped, as the server says it: ``stop``, ``length``, ...
        refusal: Its words where it declined in the field for that.
        reasoning: What it thought, where the server gives that apart.
        tokens_in: None where the server does not say; so is `tokens_out`.
        first_token: Seconds until the first word; None where the answer came whole.
    """

    text: str = ""
    calls: tuple[Asked, ...] = ()
    finish: str | None = None
    refusal: str | None = None
    reasoning: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    first_token: float | None = None

    @property
    def status(self) -> str:
        """Its name in the ledger."""
        if self.refusal or self.finish == "content_filter":
            return "refusal"
        if self.finish == "length":
            return "truncated"
        return "ok" if self.text.strip() or self.calls else "empty"

    @property
    def size(self) -> int:
        """Characters of all that the model wrote."""
        return sum(map(len, [self.text, self.reasoning, *(c.arguments for c in self.calls)]))


@dataclass
class _Parts:
    """A streamed answer, as it grows."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    arguments: dict[int, list[str]] = field(default_factory=dict)
    finish: str | None = None
    tokens: tuple[int | None, int | None] = (None, None)
    size: int = 0

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Take a chunk in; gives its text."""
        if chunk.usage is not None:
            self.tokens = _tokens(chunk.usage)
        said = ""
        for choice in (chunk.choices or [])[:1]:
            self.finish = choice.finish_reason or self.finish
            delta = choice.delta
            if delta is None:
                continue
            said = _words(delta.content)
            thought = _reasoning(delta)
            self.text.append(said)
            self.reasoning.append(thought)
            self.refusal.append(_words(delta.refusal))
            self.size += len(said) + len(thought)
            for call in delta.tool_calls or ():
                # Some servers number every call 0 and begin each with its name.
                place = call.index if call.index is not None else len(self.names)
                if call.function is None:
                    continue
                if call.function.name and self.names.get(place) and self.arguments[place]:
                    place = max(self.names) + 1
                self.names[place] = self.names.get(place) or _words(call.function.name)
                self.arguments.setdefault(place, [])
                self.arguments[place].append(_words(call.function.arguments))
                self.size += len(self.arguments[place][-1])
        return said

    def answer(self, first_token: float | None) -> Answer:
        calls = tuple(Asked(self.names[i], "".join(self.arguments[i])) for i in sorted(self.names))
        return Answer(
            "".join(self.text),
            calls,
            self.finish,
            "".join(self.refusal) or None,
            "".join(self.reasoning),
            *self.tokens,
            first_token,
        )


def read_stream(
    chunks: Iterable[ChatCompletionChunk], tell: Callable[[str], None], deadline: float
) -> Answer:
    """Read a streamed answer to its end.

    Args:
        chunks: As the client of `openai` gives them.
        tell: Called with each piece of text as it comes.
        deadline: By `time.monotonic`.

    Raises:
        Late: The deadline is over.
        Garbled: It ends without having come to an end.
    """
    begun = time.monotonic()
    parts, first = _Parts(), None
    for chunk in chunks:
        said = parts.add(chunk)
        now = time.monotonic()
        if first is None and parts.size:
            first = now - begun
        if said:
            tell(said)
        if parts.size > LONGEST:
            parts.finish = "length"
            break
        if now > deadline:
            raise Late("the time that was left ran out in the middle of an answer")
    if parts.finish is None:
        raise Garbled("the answer broke off" if parts.size else "the stream held no answer")
    return parts.answer(first)


def read_whole(completion: ChatCompletion) -> Answer:
    """An answer that came at once.

    Raises:
        Garbled: It is none.
    """
    choices = getattr(completion, "choices", None)
    if not choices or choices[0].message is None:
        raise Garbled("the server's answer holds no message")
    message = choices[0].message
    calls = [c.function for c in message.tool_calls or () if c.type == "function"]
    return Answer(
        _words(message.content)[:LONGEST],
        tuple(Asked(_words(c.name), _words(c.arguments)[:LONGEST]) for c in calls),
        choices[0].finish_reason,
        _words(message.refusal) or None,
        _reasoning(message)[:LONGEST],
        *_tokens(completion.usage),
    )


def _words(value: object) -> str:
    """Text; a server may send anything in its place, and halves of characters in it."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _tokens(usage: CompletionUsage | None) -> tuple[int | None, int | None]:
    """Tokens in and out, where the server says them."""
    counts = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
    given, made = (c if type(c) is int and c >= 0 else None for c in counts)
    return given, made


def _reasoning(said: Any) -> str:
    """What a model thought, by the names that servers have for it."""
    for name in ("reasoning_content", "reasoning"):
        found = getattr(said, name, None)
        if isinstance(found, str):
            return _words(found)
    return ""
