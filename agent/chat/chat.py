"""The chat: keeps a lab, a current unit and a current study, and answers line by line."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from hubel.agent.budget import Budget
from hubel.agent.chat.commands import Quit, carry_out
from hubel.agent.chat.kept_lab import KeptLab
from hubel.agent.chat.lines import Lines
from hubel.agent.chat.meaning import meaning_of, number_in
from hubel.agent.chat.pictures import Pictures
from hubel.agent.chat.studying import watched
from hubel.agent.chat.telling import found_text, network_text, why_text
from hubel.agent.display import Display
from hubel.agent.experiments import adopt_pictures
from hubel.agent.ledger import Ledger, LedgerError
from hubel.agent.planner import PlannerGone
from hubel.agent.planners import open_planner
from hubel.agent.question import Question, check_unit, unit_in
from hubel.agent.ranking import ranking_of
from hubel.agent.records import Study
from hubel.agent.where import Where, files_of
from hubel.agent.why import step_named, why
from hubel.sandbox.jail import JailError
from hubel.sandbox.session import LabLost, LabRefused, LabSession
from hubel.tools.spec import ToolError

#: Failures that are answered with their sentence; the chat goes on.
FORESEEN = (
    ToolError, ValueError, LabRefused, LabLost, LedgerError, JailError, sqlite3.Error, OSError,
)  # fmt: skip


@dataclass
class Asking:
    """What the next question is asked with.

    Attributes:
        unit: The current unit; None until one is named.
        budget: As `hubel.agent.budget.Budget` has it.
        options: What else the planner is opened with.
    """

    model: str
    data: str
    unit: str | None = None
    planner: str = "builtin"
    device: str = "cpu"
    seed: int = 0
    budget: Budget = field(default_factory=Budget)
    options: dict[str, Any] = field(default_factory=dict)


class Chat:
    """A chat about the units of a network.

    Args:
        ledger: Where its studies are recorded.
        where: Where tools and code run.
        asking: What questions are asked with, to begin with.
        console: Where it writes.
        pictures: Shows pictures there.
        example: A unit that is worth a first question; None if none is known.
    """

    def __init__(
        self,
        ledger: Ledger,
        where: Where,
        asking: Asking,
        console: Console,
        pictures: Pictures,
        example: str | None = None,
    ) -> None:
        self.ledger = ledger
        self.asking = asking
        self.console = console
        self.pictures = pictures
        self.example = example
        self.study: int | None = None
        self._where = where
        self._kept = KeptLab(ledger.home)

    def open(self) -> None:
        """Open the lab and say what there is.

        Raises:
            LabRefused: The network or the pictures cannot be opened.
            ToolError: The unit is none of the network.
        """
        hello = self.lab().hello
        if self.asking.unit is not None:
            check_unit(hello["target"], self.asking.unit)
        counts = [s["units"] for s in hello["target"]["sites"]]
        self.say(
            f"{hello['target']['name']}: {sum(counts):,} units at {len(counts)} sites; "
            f"{hello['data']['pictures']:,} pictures of {hello['data']['name']}; "
            f"planner {self.asking.planner}."
        )
        self.say(
            f"Ask in plain words, as in ‘what does {self.offered()} respond to?’. "
            "/help lists what else there is; Ctrl-C stops a study and keeps it.",
            "dim",
        )
        self.console.print()

    def talk(self, lines: Lines) -> None:
        """Answer lines until there are no more."""
        try:
            while (line := lines.read(f"{self.asking.unit or 'hubel'} > ")) is not None:
                self.hear(line)
                self.console.print()
        except (Quit, KeyboardInterrupt):
            return
        finally:
            self._kept.close()
            if (study := self.current()) is not None and not study.finished:
                self.say(f"Study {study.id} is kept: hubel resume {study.id}")

    def hear(self, line: str) -> None:
        """Answer one line.

        Raises:
            Quit: It asks for the end.
        """
        line = line.strip()
        try:
            if line.startswith("/"):
                carry_out(self, line)
            elif line:
                self._answer(line)
        except KeyboardInterrupt:
            self.say("Stopped.", "yellow")
        except FORESEEN as failure:
            if isinstance(failure, ValueError) and type(failure) is not ValueError:
                raise  # a bug: its sentence would be no user's business
            said = str(failure)
            self.say(said[:1].upper() + said[1:], "yellow")

    # Plain words

    def _answer(self, line: str) -> None:
        meant = meaning_of(line)
        if meant.kind == "why":
            self.tell_why(meant.about)
        elif meant.kind == "found":
            self.console.print(found_text(self.ledger, self.chosen()))
        elif unit_in(line) is None and meant.kind == "network":
            self.tell_network()
        elif unit_in(line) is None and meant.kind == "which units":
            self.tell_ranking(meant.about)
        else:
            self.ask(line)

    def ask(self, question: str) -> None:
        """Begin a study of the unit that a question names, or of the current one."""
        unit = unit_in(question) or self.asking.unit
        if unit is None:
            self.say(
                f"Which unit? Name it in the question, or choose one with /unit {self.offered()}. "
                "/units lists them."
            )
            return
        lab, now = self.lab(unit), self.asking
        check_unit(lab.hello["target"], unit)
        asked = Question(
            question,
            now.model,
            unit,
            now.data,
            now.planner,
            now.device,
            now.seed,
            asdict(now.budget),
            now.options,
        )
        open_planner(now.planner, now.options, self.ledger.home)  # a wrong one begins no study
        study = asked.begin(self.ledger, lab.hello["target"])
        self.asking.unit = unit
        self.say(f"Study {study.id}: {unit}, planned by {study.planner}.", "dim")
        self.carry_on(study, lab)

    def tell_why(self, about: str) -> None:
        """Say what a step rested on.

        Args:
            about: Number of the step, ``#N`` for the step of an experiment, empty for the last.
                The number of a study may follow.
        """
        step, _, of = about.partition(" ")
        study = self.chosen(of)
        n = step_named(self.ledger, study, step)
        self.console.print(why_text(why(self.ledger, study, n)))

    def tell_network(self) -> None:
        """Say what there is in the network."""
        studies = [s for s in self.ledger.studies() if s.model == self.asking.model]
        self.console.print(network_text(self.lab().hello["target"], studies))

    def tell_ranking(self, concept: str) -> None:
        """Compare all units of the main sites by how they respond to a concept.

        Raises:
            LabRefused: Scenes cannot show it.
        """
        lab = self.lab()
        with Display(self.console) as display:
            lab.progress = display.progress
            result = lab.call("rank", {"concept": concept}, seed=self.asking.seed)
        adopt_pictures(self.ledger, lab, result)
        found = ranking_of(result["values"])
        figures = [one.figure for one in found.units if one.figure is not None]
        self.pictures.show([*found.example, *figures[:6]], "ranking")
        for line in found.lines:
            self.say(line)

    # Studies

    def carry_on(self, study: Study, lab: LabSession) -> None:
        """Carry a study on to its end, and say what it came to; Ctrl-C keeps it for later."""
        self.study = study.id
        kept = f"Study {study.id} is kept: /resume goes on with it."
        try:
            watched(study, self.ledger, lab, self.console, self.pictures)
        except KeyboardInterrupt:
            self.say(f"Stopped. {kept}", "yellow")
        except PlannerGone as gone:
            self.say(f"{gone} {kept}", "yellow")
        else:
            self.console.print()
            self.console.print(found_text(self.ledger, study.id))
            told = "/why says what a step rested on, /show lists all, /report makes a page."
            self.say(told, "dim")

    def resume(self, number: int) -> None:
        """Go on with a study, on its own network and pictures.

        Raises:
            LedgerError: There is no such study.
            ValueError: It ran code without a sandbox, which must be asked for when a chat starts.
        """
        study, now = self.ledger.study(number), self.asking
        self.study = study.id
        if study.finished:
            self.say(f"Study {number} has ended.")
            self.console.print(found_text(self.ledger, number))
            return
        before = self._where
        if (study.model, study.data) != (now.model, now.data):
            self.say(f"Its network is {study.model}, its pictures are {study.data}.")
        now.model, now.data, now.device = study.model, study.data, study.device
        now.unit = study.unit
        try:  # where the study began; the questions after it are asked where the chat began
            self._where = Where.of(study, before.unsafe, list(before.reads))
            self.carry_on(study, self.lab())
        finally:
            self._where = before

    def chosen(self, number: str = "") -> int:
        """Number of the study that is meant: as given, the current one, or the newest.

        Raises:
            LedgerError: There is no such study.
            ValueError: There is none at all, or it is no number.
        """
        if number.strip():
            return self.ledger.study(number_in(number, "a study")).id
        if self.study is not None:
            return self.study
        known = self.ledger.studies()
        if not known:
            raise ValueError("there is no study yet: ask about a unit first")
        return known[0].id

    def current(self) -> Study | None:
        """The current study; None until there is one."""
        return None if self.study is None else self.ledger.study(self.study)

    # Surroundings

    def lab(self, unit: str | None = None) -> LabSession:
        """The lab of what is asked about now; a unit's file of directions is shown to it.

        Raises:
            LabRefused: The network or the pictures cannot be opened.
        """
        reads = [*self._where.reads, *(files_of(unit) if unit else ())]
        if len(reads) > len(self._where.reads):
            known = self._where
            self._where = Where(
                known.level, known.unsafe, tuple(dict.fromkeys(reads)), known.limits
            )
        now = self.asking
        return self._kept.open(self._where, now.model, now.data, now.device)

    def offered(self) -> str:
        """A unit to ask about: the one that is known to be worth it, or the first."""
        target = self.lab().hello["target"]
        return self.example or f"{(target['main_sites'] or [target['sites'][0]['name']])[0]}:0"

    def say(self, text: str, style: str = "") -> None:
        """Say something."""
        self.console.print(Text(text, style))
