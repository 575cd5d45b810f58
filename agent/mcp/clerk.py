"""One client's studies: its tool calls become steps, and what comes of them its answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pydantic

from hubel.agent.describe import Describer
from hubel.agent.experiments import tools_of
from hubel.agent.guards import objection
from hubel.agent.ledger import Ledger
from hubel.agent.loop import MALFORMED
from hubel.agent.mcp.offer import OF_STUDIES, Conclude, Hypothesize, Look, OpenStudy, ResumeStudy
from hubel.agent.mcp.running import NAME, Ended, Running
from hubel.agent.planner import Claim, Conclusion, Malformed, Step, View, problem
from hubel.agent.planners.reading import step_of
from hubel.agent.planners.turns import Turn, turn_of
from hubel.agent.question import Question
from hubel.agent.records import Study
from hubel.agent.verdicts import fate
from hubel.sandbox.session import LabSession, Progress
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

#: Stop reasons that are nobody's answer.
_BROKEN = ("planner failed", "lab failed", "refused")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client is told.

    Attributes:
        told: JSON.
        pictures: Ids of the pictures that go along.
        is_error: The call was not carried out, or gave no result.
    """

    told: dict[str, Any]
    pictures: tuple[str, ...] = ()
    is_error: bool = False


@dataclass
class Clerk:
    """Takes a client's calls, one at a time, whatever it sends at once.

    Args:
        lab: Runs the tools.
        asked: What each study is asked, but for question and unit.
        describer: Looks at pictures; None if there is none.
    """

    lab: LabSession
    asked: Question
    describer: Describer | None
    _running: Running | None = None
    _pending: list[Claim] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The announced tools that a planner may call."""
        return tools_of(self.lab, self.describer)

    def call(self, name: str, args: dict[str, Any], progress: Progress) -> Answer:
        """Carry out one call.

        Args:
            name: Name of a tool of the lab, or one of `OF_STUDIES`.
            args: Its arguments.
            progress: Told of long work in the lab.

        Raises:
            ToolError: It cannot be carried out as asked; the message says what to do instead.
            Exception: Whatever breaks a study off.
        """
        with self._lock:
            self.lab.progress = progress
            if name not in OF_STUDIES:
                return self._tool(name, args)
            try:
                given = OF_STUDIES[name].model_validate(args)
            except pydantic.ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(map(str, first["loc"])) or "arguments"
                raise ToolError(f"{name}: '{where}': {first['msg']}.") from None
            match given:
                case OpenStudy():
                    return self._begin(lambda ledger: self._asked(ledger, given))
                case ResumeStudy():
                    return self._begin(lambda ledger: self._known(ledger, given.study))
                case Look():
                    return self._look(given)
                case Hypothesize():
                    return self._hypothesize(Claim(**given.model_dump()))
                case Conclude():
                    conclusion = given.model_dump(mode="json", exclude={"thought"})
                    return self._step({"thought": given.thought, "conclusion": conclusion})
            return self._state()

    def leave(self) -> None:
        """The client has gone away: its study is kept."""
        if self._running is not None and self._running.ended is None:
            self._running.leave()

    # Studies

    def _begin(self, open_study: Callable[[Ledger], Study]) -> Answer:
        if self._running is not None and self._running.ended is None:
            raise ToolError(f"Study {self._running.number} is open: conclude it first.")
        running = Running(open_study, self.lab, self.describer)
        reply = running.start()
        self._running, self._pending = running, []
        if isinstance(reply, Ended):
            return _ended(reply)
        turn = turn_of(reply, None)
        known = {"study": running.number, "hypotheses": _fates(reply)}
        return Answer(known | _new(turn), _pictures(turn))

    def _asked(self, ledger: Ledger, given: OpenStudy) -> Study:
        asked = replace(self.asked, unit=given.unit, question=given.question)
        return asked.begin(ledger, self.lab.hello["target"])

    def _known(self, ledger: Ledger, number: int) -> Study:
        """A study that a client left.

        Raises:
            LedgerError: There is none of that number.
            ToolError: It has ended, or is another planner's, or of another network.
        """
        study = ledger.study(number)
        if study.finished:
            raise ToolError(f"Study {number} has ended ({study.stop}): `hubel show {number}`.")
        if study.planner != NAME:
            raise ToolError(
                f"Study {number} is planned by {study.planner}: `hubel resume {number}`."
            )
        mine, its = ((s.model, s.data, s.device) for s in (self.asked, study))
        if mine != its:
            how = f"--model {study.model} --data {study.data} --device {study.device}"
            raise ToolError(f"Study {number} is of another network: start `hubel mcp {how}`.")
        level = ((study.opened or {}).get("sandbox") or {}).get("level")
        if level not in (None, self.lab.settings.jail.level):
            raise ToolError(f"Study {number} began with the sandbox '{level}': start hubel mcp so.")
        return study

    def _open(self) -> tuple[Running, View]:
        """The study that is open, and what is known of it.

        Raises:
            ToolError: There is none.
        """
        running = self._running
        if running is None or running.view is None or running.ended is not None:
            raise ToolError("No study is open: call open_study, or resume_study, first.")
        return running, running.view

    # Steps

    def _tool(self, name: str, args: dict[str, Any]) -> Answer:
        _, view = self._open()
        known = [tool["name"] for tool in view.tools]
        if name not in known:  # no step of the study: a slip of the client costs it nothing
            raise ToolError(f"There is no tool '{name}'. {nearest(name, [*known, *OF_STUDIES])}")
        own = {k: v for k, v in args.items() if k not in ("thought", "predictions")}
        call = {"tool": name, "args": own, "predictions": args.get("predictions", [])}
        return self._step({"thought": args.get("thought", ""), "calls": [call]})

    def _hypothesize(self, claim: Claim) -> Answer:
        """Keep a hypothesis for the next step, if that would be in order."""
        _, view = self._open()
        claims = (*self._pending, claim)
        # As if it were concluded at once: a step of hypotheses alone would not be one.
        nothing = Conclusion(text="", form=None)
        if wrong := problem(Step(hypotheses=claims, conclusion=nothing), view):
            raise ToolError(wrong)
        if objected := objection(Step(hypotheses=claims), view):
            raise ToolError(objected.sentence)
        self._pending.append(claim)
        names = [c.name for c in claims]
        return Answer({"registered": names, "recorded": "with your next call"})

    def _step(self, value: dict[str, Any]) -> Answer:
        running, before = self._open()
        claims, self._pending = self._pending, []
        step: Step | Malformed
        try:
            step = step_of({**value, "hypotheses": [c.model_dump(mode="json") for c in claims]})
        except Malformed as malformed:
            step = malformed
        try:
            reply = running.submit(step)
        except BaseException:
            self._running = None
            raise
        if isinstance(reply, Ended):
            return _ended(reply)
        turn = turn_of(reply, before)
        told = _new(turn)
        error = next((m.content["error"] for m in turn.messages if m.role == "error"), None)
        if error is not None:
            told = {"error": error, "not_recorded": [c.name for c in claims]} | told
            refused = [m.role for m in reply.messages[1 - MALFORMED :]]
            if refused == ["error"] * (MALFORMED - 1):
                told["warning"] = "One more refused step ends the study: look, or mend this one."
        failed = any(o.status != "done" for o in turn.observations if o.parent is None)
        return Answer(told, _pictures(turn), failed or error is not None)

    # Looking

    def _look(self, given: Look) -> Answer:
        _, view = self._open()
        named = json.dumps([e.result for e in view.experiments])
        for picture in given.pictures:
            if picture not in named:
                raise ToolError(f"No result of this study names the picture '{picture[:70]}'.")
        return Answer({}, tuple(given.pictures))

    def _state(self) -> Answer:
        if self._running is not None and self._running.ended is not None:
            return Answer(self._running.ended.what)
        running, view = self._open()
        return Answer(
            {
                "study": running.number,
                "unit": view.unit,
                "question": view.question,
                "hypotheses": _fates(view),
                "not_yet_recorded": [claim.name for claim in self._pending],
                "experiments": [
                    {
                        "n": e.n,
                        "step": e.message,
                        "tool": e.tool,
                        "args": e.args,
                        "status": e.status,
                    }
                    for e in view.experiments
                ],
                "budget_left": view.budget_left,
                "must_conclude": view.must_conclude,
            }
        )


def _fates(view: View) -> list[dict[str, Any]]:
    return [
        {
            "name": h.name,
            "claim": h.claim,
            "revises": h.revises,
            "fate": fate(h.name, view.verdicts),
        }
        for h in view.hypotheses
    ]


def _new(turn: Turn) -> dict[str, Any]:
    """What a client is told of a turn."""
    wanted = {"observations", "verdicts", "budget_left", "must_conclude"}
    return turn.model_dump(mode="json", include=wanted)


def _pictures(turn: Turn) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a.id for o in turn.observations for a in o.artifacts))


def _ended(reply: Ended) -> Answer:
    return Answer(reply.what, is_error=reply.stop in _BROKEN)
