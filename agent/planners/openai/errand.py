"""What a request to a language model is for, and how long it is tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubel.agent.records import LLMCall


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried.

    Attributes:
        tries: How often.
        wait: Seconds before the second try; doubled for each further one.
        longest_wait: Seconds at most, where the server does not ask for more.
        silence: Seconds without a word after which the server is taken to hang.
    """

    tries: int = 6
    wait: float = 1.0
    longest_wait: float = 30.0
    silence: float = 300.0


def _unheard(_event: str, _details: dict[str, Any]) -> None:
    """For requests that nobody watches."""


def _unrecorded(_call: LLMCall) -> None:
    """For requests outside of a study."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a request is for.

    Attributes:
        role: ``planner``, ``describer`` or ``probe``.
        mode: ``tools``, ``json`` or ``text``.
        message: Number of the message that it is made for.
        prompt: Hash of the system prompt, once it is kept.
        record: Records each try.
        say: Tells whoever watches: ``token`` and ``retry``.
        deadline: By `time.monotonic`.
        counted: Tokens are limited: they are estimated where the server does not say.
        detail: What else is recorded of it.
    """

    role: str
    mode: str = "text"
    message: int = 0
    prompt: str | None = None
    record: Callable[[LLMCall], None] = _unrecorded
    say: Callable[[str, dict[str, Any]], None] = _unheard
    deadline: float = float("inf")
    counted: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)
