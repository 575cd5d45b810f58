"""Cassettes: what a planner said in a study, so that the study can be run again without it.

Replay is strict: where the study shows something else than when it was recorded, it ends and says
what differs, and at which step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hubel.agent.planner import Malformed, Planner, PlannerFailed, Step, View
from hubel.agent.planners.reading import step_of
from hubel.agent.planners.tape import Tape, append, first_line, header_of, shown
from hubel.agent.records import LLMCall
from hubel.tools.spec import ToolError
from hubel.tools.stimuli import picture_id

if TYPE_CHECKING:
    from PIL import Image

#: What is kept of a request to a language model.
_USAGE = ("role", "model", "mode", "status", "tokens_in", "tokens_out", "dollars", "seconds")


class Recording:
    """A planner whose steps are kept in a file as they come.

    A file that has begun is gone on with by the same study alone. Steps that the study already has
    and the file has not are taken from the study.

    Args:
        planner: Who plans.
        path: The file.
        about: What else its header says, as in the names of network and data.
    """

    def __init__(
        self, planner: Planner, path: Path, about: Mapping[str, str] | None = None
    ) -> None:
        self._planner, self._path, self._about = planner, path, dict(about or {})
        self._begun = False
        self.name = planner.name
        self.listens = bool(getattr(planner, "listens", True))

    def next(self, view: View) -> Step:
        """The planner's next step.

        Raises:
            PlannerFailed: The planner's own reason; or the file holds another study, or cannot be
                written.
            PlannerGone: As the planner.
            Malformed: As the planner.
        """
        if not self._begun:
            self._begin(view)
            self._begun = True
        usage: list[dict[str, Any]] = []
        turn = shown(view, view.messages[-1].n + 1)
        try:
            step = self._planner.next(_counted(view, usage))
        except PlannerFailed as failure:
            self._append({**turn, "failed": str(failure), "usage": usage})
            raise
        except Malformed as error:
            told = {"error": str(error), "said": error.said}
            self._append({**turn, "malformed": told, "usage": usage})
            raise
        self._append({**turn, "step": step.model_dump(mode="json"), "usage": usage})
        return step

    def _begin(self, view: View) -> None:
        """Make the file, or find its place in it."""
        header = first_line(view, self.name, self.listens, self._about)
        try:
            known = self._resumed(header)
        except (OSError, ValueError) as error:
            raise PlannerFailed(f"Nothing can be recorded: {error}.") from None
        if known is None:
            self._append(header)
        for message in view.messages[len(known or ()) + 1 :]:
            content = message.content
            told = {"error": content.get("error"), "said": content.get("said", "")}
            said = {"step": content["step"]} if "step" in content else {"malformed": told}
            self._append({**shown(view, message.n), **said, "usage": []})

    def _resumed(self, header: dict[str, Any]) -> dict[int, dict[str, Any]] | None:
        """The turns that the file has; None if it has not begun.

        Raises:
            ValueError: It holds something else.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists() or self._path.stat().st_size == 0:
            return None
        tape = Tape.read(self._path)
        for key in ("question", "unit", "seed", "planner"):
            if tape.header.get(key) != header[key]:
                held = f"its {key} is {tape.header.get(key)!r}"
                raise ValueError(f"'{self._path}' holds another study ({held}); name another file")
        if tape.cut:
            with self._path.open("r+b") as file:
                file.truncate(tape.whole)
        return tape.turns

    def _append(self, line: dict[str, Any]) -> None:
        try:
            append(self._path, line)
        except OSError as error:
            raise PlannerFailed(f"Nothing can be recorded: {error}.") from None


class Replayed:
    """The steps of a cassette. No language model is asked, so no tokens and no dollars are spent.

    Args:
        tape: What was recorded.
        path: Where.
    """

    def __init__(self, tape: Tape, path: Path) -> None:
        self._tape, self._path = tape, path
        self.name = f"replay:{path}"
        #: Objections that were raised then are raised again.
        self.listens = bool(tape.header.get("listens", True))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a cassette; one that is cut off within a line, up to there.

        Raises:
            ValueError: The file is missing or no cassette; the message says in which line.
        """
        return cls(Tape.read(path), path)

    @property
    def describer(self) -> ReplayedDescriber | None:
        """Who looked at pictures in the recorded study; None if there was nobody."""
        turns = self._tape.turns.values()
        if not any("describe" in turn["tools"] for turn in turns):
            return None
        return ReplayedDescriber([told for turn in turns for told in turn["descriptions"]])

    def next(self, view: View) -> Step:
        """The step that was recorded at this turn.

        Raises:
            PlannerFailed: The study differs from the recorded one, which is said; or the cassette
                ends here, or the planner failed here.
            Malformed: So it was then.
        """
        n = view.messages[-1].n + 1
        recorded = self._tape.turns.get(n)
        if recorded is None:
            cut = f" (line {self._tape.cut} is cut off)" if self._tape.cut else ""
            ends = f"ends after step {len(self._tape.turns)}{cut}"
            raise PlannerFailed(f"{self._path} {ends}: there is no step {n} in it.")
        if differs := self._difference(recorded, view, n):
            raise PlannerFailed(f"At step {n} the study is not that of {self._path}: {differs}.")
        if "failed" in recorded:
            raise PlannerFailed(str(recorded["failed"]))
        if "malformed" in recorded:
            raise Malformed(recorded["malformed"]["error"], recorded["malformed"]["said"])
        return step_of(recorded["step"])

    def _difference(self, recorded: dict[str, Any], view: View, n: int) -> str | None:
        """What the planner is shown now that it was not shown then, in words."""
        for key, value in header_of(view).items():
            if (then := self._tape.header.get(key)) != value:
                return f"its {key} is {value!r}, and was {then!r}"
        now = shown(view, n)
        if odd := set(now["tools"]) ^ set(recorded["tools"]):
            name = min(odd)
            return f"there is {'now a' if name in now['tools'] else 'no'} tool '{name}'"
        for number in sorted({*now["results"], *recorded["results"]}, key=int):
            old, new = recorded["results"].get(number), now["results"].get(number)
            if old is None or new is None or old["tool"] != new["tool"]:
                return f"experiment {number} is {_named(new)}, and was {_named(old)}"
            if old["status"] != new["status"]:
                tool, was = new["tool"], old["status"]
                return f"experiment {number} ({tool}) is {new['status']}, and was {was}"
            if old != new:
                return f"experiment {number} ({new['tool']}) has another result"
        return None


class ReplayedDescriber:
    """Says of pictures what was said of them when the cassette was recorded.

    Args:
        told: Each with ``pictures`` (hashes of their pixels), ``by`` and ``text``, which is None
            where there was no answer.
    """

    def __init__(self, told: Sequence[Mapping[str, Any]]) -> None:
        self._told = {tuple(one["pictures"]): str(one["text"]) for one in told if one["text"]}
        self.name = next((str(one["by"]) for one in told if one["text"]), "nobody")

    def describe(
        self,
        pictures: Sequence[Image.Image],
        record: Callable[[LLMCall], None],  # noqa: ARG002  (no model is asked)
        message: int,  # noqa: ARG002
        left: Mapping[str, float],  # noqa: ARG002
    ) -> str:
        """What was said of these pictures.

        Raises:
            ToolError: Nothing was.
        """
        told = self._told.get(tuple(picture_id(picture) for picture in pictures))
        if told is None:
            raise ToolError("The cassette has no description of these pictures.")
        return told


def _counted(view: View, usage: list[dict[str, Any]]) -> View:
    """The view, with its requests to language models noted besides."""
    if view.desk is None:
        return view
    record = view.desk.record

    def noted(call: LLMCall) -> None:
        usage.append({name: getattr(call, name) for name in _USAGE})
        record(call)

    return replace(view, desk=replace(view.desk, record=noted))


def _named(result: dict[str, str] | None) -> str:
    return f"a call of {result['tool']}" if result else "none"
