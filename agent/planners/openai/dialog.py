"""A study as a conversation: rebuilt from the view at every step, nothing is kept between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hubel.agent import prompts
from hubel.agent.planner import View
from hubel.agent.planners.openai.pictures import Album, Panel, mention, panels
from hubel.agent.planners.openai.results import told
from hubel.agent.planners.openai.written import in_calls, in_json
from hubel.agent.records import Experiment, Message
from hubel.agent.verdicts import fate

Chat = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a study is told in full: the newest first, the rest in a line each.

    Attributes:
        panels: Pictures, or pairs of them, that are shown.
        results: Experiments whose values are given.
    """

    panels: int
    results: int


#: From all to next to nothing: the next one is taken where a request overflows the context.
ROOMS = (Room(32, 1000), Room(12, 1000), Room(6, 12), Room(3, 6), Room(0, 3), Room(0, 1))


@dataclass(frozen=True)
class Dialog:
    """The conversation that a study has been so far.

    Args:
        view: The study.
        mode: ``tools``, ``json`` or ``text``.
        album: Shows pictures; None where there are none to show.
        room: How much is told in full.
        claims: Hypotheses of the step that is being made, as its model wrote them.
    """

    view: View
    mode: str
    album: Album | None
    room: Room
    claims: Sequence[Mapping[str, Any]] = field(default=())

    def messages(self, system: str) -> Chat:
        """As chat completions take them.

        Args:
            system: The system prompt.
        """
        chat: Chat = [{"role": "system", "content": system}]
        chat += self._opening()
        for message in self.view.messages:
            if message.role != "user":
                chat += self._turn(message)
        if self.claims:
            chat += self._noted()
        _append(chat[-1], self._status())
        return chat

    @property
    def detail(self) -> dict[str, Any]:
        """What is sent and left out, for the record."""
        left_out = {
            "pictures": sum(len(found) for found in self._panels.values()) - len(self._shown),
            "results": len(self._own) - len(self._whole),
        }
        left = {k: n for k, n in left_out.items() if n > 0}
        sent = len(self._shown) if self.album is not None and self.album.sees else 0
        return {"pictures": sent, **({"left_out": left} if left else {})}

    # What is told in full

    @cached_property
    def _own(self) -> list[Experiment]:
        """The experiments that are told of: the opening, and what was asked for, not by code."""
        own = (e for e in self.view.experiments if e.parent is None and e.status != "running")
        return [e for e in own if e.asked_by == "planner" or e.message == 0]

    @cached_property
    def _whole(self) -> set[int]:
        return {e.n for e in self._own[-self.room.results :]}

    @cached_property
    def _panels(self) -> dict[int, list[Panel]]:
        return {e.n: panels(e) for e in self._own} if self.album is not None else {}

    @cached_property
    def _shown(self) -> set[tuple[int, int]]:
        """Panels that are shown, as (experiment, place): those of the newest experiments."""
        places = [
            (n, i) for n in sorted(self._panels, reverse=True) for i in range(len(self._panels[n]))
        ]
        return set(places[: self.room.panels])

    # Turns

    def _opening(self) -> Chat:
        view = self.view
        first = [e for e in self._own if e.asked_by == "program" and e.message == 0]
        words = [f"Question: {view.question}", f"Unit: {view.unit}"]
        words += [
            "The program has looked at the strongest pictures already.",
            *map(self._told, first),
        ]
        return [_user("\n\n".join(words), self._seen(first))]

    def _turn(self, message: Message) -> Chat:
        content = message.content
        if "step" not in content:
            said = str(content.get("said") or "(nothing)")
            error = f"That is no step, and nothing was done: {content['error']}"
            return [{"role": "assistant", "content": said}, _user(error)]
        step = content["step"]
        done = [e for e in self._own if e.message == message.n and e.asked_by == "planner"]
        if message.role == "error":
            refused = f"Nothing of this was done: {content['error']}"
            if self.mode != "tools":
                return [in_json(step, self.mode), _user(refused)]
            called = in_calls(message.n, step)
            calls = called.get("tool_calls", [])
            if not calls:
                return [called, _user(refused)]
            return [called, *(_result(call, refused) for call in calls)]
        if self.mode != "tools":
            results = [self._told(e) for e in done] or ["Noted."]
            return [in_json(step, self.mode), _user("\n\n".join(results), self._seen(done))]
        return self._carried_out(message, step, done)

    def _carried_out(
        self, message: Message, step: Mapping[str, Any], done: Sequence[Experiment]
    ) -> Chat:
        """A step of native calls, with a result for each."""
        said = in_calls(message.n, step)
        results = {e.n: self._told(e) for e in done}
        first = message.content["first_experiment"]
        answers = ["Registered."] * len(step["hypotheses"])
        for i in range(len(step["calls"])):
            answers.append(results.get(first + i, "Not carried out: the budget was spent."))
        answers += ["Noted."] * (step["conclusion"] is not None)
        chat: Chat = [said]
        chat += [_result(c, a) for c, a in zip(said.get("tool_calls", []), answers, strict=True)]
        if seen := self._seen(done):
            chat.append(_user("Pictures of these results:", seen))
        return chat

    def _noted(self) -> Chat:
        """Hypotheses of the step that is being made, and the wish that it go on."""
        step = {"thought": "", "hypotheses": self.claims, "calls": [], "conclusion": None}
        more = (
            "Noted. They are registered together with the call that tests them: make it now, with "
            "what they predict."
        )
        if self.mode != "tools":
            return [in_json(step, self.mode), _user(more)]
        said = in_calls(len(self.view.messages), step)
        return [said, *(_result(call, more) for call in said["tool_calls"])]

    def _told(self, experiment: Experiment) -> str:
        """An experiment, and those that its code made."""
        made = [e for e in self.view.experiments if e.parent == experiment.n]
        verdicts = self.view.verdicts
        words = [told(experiment, verdicts, brief=experiment.n not in self._whole)]
        words += [told(e, verdicts, brief=True) for e in made]
        return "\n".join(words)

    def _seen(self, experiments: Sequence[Experiment]) -> list[dict[str, Any]]:
        """The panels of experiments as parts of a message."""
        parts: list[dict[str, Any]] = []
        for e in experiments:
            for i, panel in enumerate(self._panels.get(e.n, ())):
                if self.album is not None and (e.n, i) in self._shown:
                    parts += self.album.show(panel)
                else:
                    parts.append({"type": "text", "text": mention(panel)})
        return parts

    def _status(self) -> str:
        view = self.view
        left = ", ".join(f"{name} {amount:,.6g}" for name, amount in view.budget_left.items())
        words = [f"Budget left: {left}."]
        if view.hypotheses:
            fates = (f"{h.name} {fate(h.name, view.verdicts)}" for h in view.hypotheses)
            words.append(f"Hypotheses: {', '.join(fates)}.")
        if view.must_conclude:
            words.append(prompts.MUST_CONCLUDE)
        return " ".join(words)


def _user(text: str, parts: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """A message of the user; a list of parts only where there are pictures."""
    if any(p["type"] != "text" for p in parts):
        return {"role": "user", "content": [{"type": "text", "text": text}, *parts]}
    return {"role": "user", "content": "\n".join([text, *(p["text"] for p in parts)])}


def _result(call: Mapping[str, Any], text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call["id"], "content": text}


def _append(message: dict[str, Any], text: str) -> None:
    """Put a text at the end of a message."""
    if isinstance(message["content"], list):
        message["content"].append({"type": "text", "text": text})
    else:
        message["content"] = f"{message['content']}\n\n{text}"
