"""A study that runs in a thread of its own and takes its steps from another."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubel.agent.describe import Describer
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import Malformed, PlannerGone, Step, View
from hubel.agent.records import Study
from hubel.sandbox.session import LabSession

#: Name under which studies are recorded that a client plans.
NAME = "mcp"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a study came to.

    Attributes:
        what: ``study``, ``verdict``, ``stop`` with its ``detail``, and the ``report``; of an answer
            its ``text`` and ``score`` (``pearson``, ``ci``, ``n``) besides. A client may open a
            study of the same unit next, so it is told no more of the held-out half.
    """

    stop: str
    what: dict[str, Any]


class Running:
    """A study on its way. Whoever gives it a step waits for what comes of it.

    Args:
        open_study: Begins the study in the ledger, or finds it.
        lab: Runs the tools; used by the study's thread alone until it has ended.
        describer: Looks at pictures; None if there is none.
    """

    def __init__(
        self, open_study: Callable[[Ledger], Study], lab: LabSession, describer: Describer | None
    ) -> None:
        self._open, self._lab, self._describer = open_study, lab, describer
        self._steps: queue.SimpleQueue[Step | Malformed | None] = queue.SimpleQueue()
        self._turns: queue.SimpleQueue[View | Ended | BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="study", daemon=True)
        self.number = 0
        self.view: View | None = None
        self.ended: Ended | None = None

    def start(self) -> View | Ended:
        """Begin; gives what the planner is to know for its first step.

        Raises:
            Exception: Whatever made it impossible, as the loop raises it.
        """
        self._thread.start()
        return self._turn()

    def submit(self, step: Step | Malformed) -> View | Ended:
        """Take a step, or what was meant as one; gives what the planner is to know for the next.

        Raises:
            Exception: Whatever broke the study off, as the loop raises it.
        """
        self._steps.put(step)
        return self._turn()

    def leave(self) -> None:
        """Let the call that is under way end, and keep the study to be gone on with."""
        self._steps.put(None)
        self._thread.join()

    def _turn(self) -> View | Ended:
        turn = self._turns.get()
        if isinstance(turn, View):
            self.view = turn
        elif isinstance(turn, Ended):
            self.ended = turn
        else:
            raise turn
        return turn

    def _work(self) -> None:
        try:
            with Ledger(self._lab.settings.home) as ledger:
                study = self._open(ledger)
                self.number = study.id
                planner = _Client(self._steps, self._turns)
                ended = run(study.id, ledger, self._lab, planner, describer=self._describer)
                self._turns.put(_outcome(ledger, ended))
        except PlannerGone:
            return
        except BaseException as error:  # whoever waits is told
            self._turns.put(error)


@dataclass(frozen=True, slots=True)
class _Client:
    """The planner: shows each view to whoever waits, and waits for a step."""

    steps: queue.SimpleQueue[Step | Malformed | None]
    turns: queue.SimpleQueue[View | Ended | BaseException]
    name: str = NAME

    def next(self, view: View) -> Step:
        self.turns.put(view)
        step = self.steps.get()
        if step is None:
            raise PlannerGone("The client has gone away.")
        if isinstance(step, Malformed):
            raise step
        return step


def _outcome(ledger: Ledger, study: Study) -> Ended:
    """What a study came to, with its report written."""
    from hubel.agent.report import write_report
    from hubel.agent.show import study_json

    path: Path = ledger.home / "reports" / f"study-{study.id}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    report = str(write_report(ledger, study.id, path))
    shown = study_json(ledger, study.id)
    told = {
        "study": study.id,
        "verdict": shown["verdict"],
        "stop": study.stop,
        "detail": study.stop_detail,
        "report": report,
    }
    if shown["verdict"] == "answered":
        score = shown["score"]
        told["text"] = shown["text"]
        told["score"] = score and {key: score[key] for key in ("pearson", "ci", "n")}
    return Ended(str(study.stop), told)
