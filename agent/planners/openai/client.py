"""Requests to a server of chat completions: each is tried until it is answered, and counted."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubel.agent.planner import PlannerFailed
from hubel.agent.planners.openai.answers import Answer, read_stream, read_whole
from hubel.agent.planners.openai.endpoint import Endpoint
from hubel.agent.planners.openai.errand import Errand, Patience
from hubel.agent.planners.openai.failures import (
    BadRequest,
    Failure,
    Garbled,
    Late,
    failure_of,
)
from hubel.agent.planners.openai.prices import price_of
from hubel.agent.records import LLMCall

if TYPE_CHECKING:
    import openai

Chat = Sequence[Mapping[str, Any]]

#: Characters for a token, and tokens for a picture, where a server does not count: a rule of thumb.
_CHARACTERS = 4
_PICTURE = 300


class Client:
    """Asks one model on one server.

    Args:
        name: ``openai/MODEL``.
        base_url: Of the server; see `Endpoint.of`.
        home: Folder of the ledger, where ``prices.json`` may lie.
        patience: How long to try.

    Raises:
        ValueError: The name, the URL, the key or the file of prices is wrong or missing.
    """

    def __init__(
        self,
        name: str,
        base_url: str | None = None,
        home: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.endpoint = Endpoint.of(name, base_url)
        self.price = price_of(self.endpoint.model, home)
        self._patience = patience or Patience()
        self._options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}

    def ask(
        self,
        messages: Chat,
        errand: Errand,
        *,
        tools: Chat | None = None,
        response_format: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One answer; every try is recorded.

        Args:
            messages: As chat completions take them.
            errand: What it is for.
            tools: Tools that the model may call.
            response_format: The form that its text is to have.

        Raises:
            TooLong: The messages do not fit into the model's context.
            BadRequest: The server cannot do what is asked.
            PlannerFailed: It gave no answer; the message says why.
        """
        extra = {"tools": tools, "response_format": response_format}
        request = {"messages": messages, **{k: v for k, v in extra.items() if v is not None}}
        tried = 0
        while True:
            tried += 1
            outcome = self._try(request, errand, tried)
            if isinstance(outcome, Answer):
                return outcome
            if outcome.refused is not None:
                if self._simplified(outcome.words):
                    tried -= 1
                    continue
                raise outcome.refused(outcome.words)
            if not outcome.again:
                raise PlannerFailed(self._sentence(outcome))
            if tried >= self._patience.tries:
                raise PlannerFailed(f"{self._sentence(outcome)} It was tried {tried} times.")
            self._wait(outcome, tried, errand)

    def _try(self, request: Mapping[str, Any], errand: Errand, tried: int) -> Answer | Failure:
        """One request, recorded whatever comes of it."""
        import openai

        begun = time.monotonic()
        outcome: Answer | Failure = Failure("interrupted", "the program was stopped")
        try:
            outcome = self._answer(request, errand)
        except (openai.OpenAIError, Garbled, Late) as error:
            found = failure_of(error)
            outcome = Failure(
                found.status,
                self.endpoint.scrubbed(found.words),
                found.again,
                found.wait,
                found.refused,
            )
        finally:  # a program that is stopped has sent its request all the same
            errand.record(self._row(request, errand, outcome, tried, time.monotonic() - begun))
        return outcome

    def _answer(self, request: Mapping[str, Any], errand: Errand) -> Answer:
        left = errand.deadline - time.monotonic()
        raw = self._openai.chat.completions.with_raw_response.create(
            model=self.endpoint.model,
            timeout=max(0.01, min(self._patience.silence, left)),
            **request,
            **self._options,
        )
        try:
            return self._read(raw, errand)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise Garbled(f"its answer is none of chat completions ({error!r})") from error
        finally:
            raw.http_response.close()

    def _read(self, raw: Any, errand: Errand) -> Answer:
        """The answer in a response, which may come word by word, whole, or not be one."""
        from openai.types.chat import ChatCompletion

        kind = raw.headers.get("content-type", "")
        if "event-stream" in kind:
            with raw.parse() as stream:
                return read_stream(
                    stream, lambda text: errand.say("token", {"text": text}), errand.deadline
                )
        if "json" not in kind:
            raise Garbled(f"the answer is {kind or 'of no kind'}, not JSON")
        return read_whole(ChatCompletion.construct(**json.loads(raw.http_response.read())))

    def _row(
        self,
        request: Mapping[str, Any],
        errand: Errand,
        outcome: Answer | Failure,
        tried: int,
        seconds: float,
    ) -> LLMCall:
        detail: dict[str, Any] = {"attempt": tried, **errand.detail}
        tokens: tuple[int | None, int | None] = (None, None)
        if isinstance(outcome, Answer):
            detail["finish"] = outcome.finish
            if outcome.first_token is not None:
                detail["first_token"] = round(outcome.first_token, 3)
            tokens = outcome.tokens_in, outcome.tokens_out
            if None in tokens and errand.counted:
                tokens = estimated(request), -(-outcome.size // _CHARACTERS)
                detail["estimated"] = True
        else:
            detail["error"] = outcome.words
        dollars = self.price.of(*tokens) if self.price else None
        return LLMCall(
            errand.message, errand.role, self.endpoint.model, errand.mode, errand.prompt,
            outcome.status, *tokens, dollars, round(seconds, 4), detail,
        )  # fmt: skip

    def _simplified(self, words: str) -> bool:
        """Whether the request can be made simpler, by leaving out what the words object to."""
        for option in ("stream_options", "stream"):
            if option in self._options and option in words:
                del self._options[option]
                if option == "stream":
                    self._options.pop("stream_options", None)
                return True
        return False

    def _wait(self, failure: Failure, tried: int, errand: Errand) -> None:
        """Wait before the next try, as long as the server asks, or ever longer.

        Raises:
            PlannerFailed: There is no time to wait.
        """
        wait = failure.wait
        if wait is None:
            doubled = self._patience.wait * 2 ** (tried - 1)
            wait = min(doubled, self._patience.longest_wait) * random.uniform(0.5, 1.0)
        if time.monotonic() + wait >= errand.deadline:
            raise PlannerFailed(f"{self._sentence(failure)} No time is left to wait {wait:.0f} s.")
        told = {"status": failure.status, "error": failure.words, "wait": wait, "attempt": tried}
        errand.say("retry", told)
        time.sleep(wait)

    def _sentence(self, failure: Failure) -> str:
        where = f"{self.endpoint.model} at {self.endpoint.base_url}"
        return f"{where} gave no answer ({failure.status}): {failure.words.rstrip('.')}."

    @cached_property
    def _openai(self) -> openai.OpenAI:
        import openai

        # A server on this machine is never reached through a proxy.
        http = openai.DefaultHttpxClient(trust_env=not self.endpoint.loopback)
        return openai.OpenAI(
            base_url=self.endpoint.base_url,
            api_key=self.endpoint.key,
            max_retries=0,
            http_client=http,
            # Minutes may lie between two steps: no connection is kept for the next.
            default_headers={"Connection": "close"},
        )


def estimated(request: Mapping[str, Any]) -> int:
    """Tokens of a request, by a rule of thumb."""
    characters = pictures = 0
    for message in request["messages"]:
        content = message.get("content") or ""
        parts = [{"text": content}] if isinstance(content, str) else content
        characters += sum(len(p.get("text", "")) for p in parts)
        pictures += sum("image_url" in p for p in parts)
        characters += len(json.dumps(message.get("tool_calls") or ""))
    characters += len(json.dumps([request.get("tools"), request.get("response_format")]))
    return characters // _CHARACTERS + pictures * _PICTURE


__all__ = ["BadRequest", "Client", "Errand", "Patience"]
