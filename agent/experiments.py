"""Carrying out a study's calls: each is an experiment in the ledger before it runs, and after.

Tools run in the lab; the host's own (`run_python`, `describe`) run here. What code calls becomes
experiments of their own.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hubel.agent import code, describe
from hubel.agent.budget import Budget
from hubel.agent.describe import Describer
from hubel.agent.ledger import Ledger
from hubel.agent.planner import Call, Step
from hubel.agent.records import Experiment, LLMCall, Study
from hubel.agent.verdicts import judge_predictions
from hubel.sandbox.cells import CellRefused, CellSession
from hubel.sandbox.session import LabLost, LabRefused, LabSession, ToolBroken
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

#: Called with what happens, for a display: (event, details).
Watch = Callable[[str, dict[str, Any]], None]


@dataclass
class Carrier:
    """Carries out the calls of one study.

    Args:
        study: The study.
        ledger: Where its experiments are recorded.
        lab: Runs the tools.
        cells: Runs its code; None without a sandbox.
        watch: Told what happens.
        describer: Looks at pictures; None if there is none.
    """

    study: Study
    ledger: Ledger
    lab: LabSession
    cells: CellSession | None
    watch: Watch
    describer: describe.Describer | None = None

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The announced tools that a planner may call."""
        return tools_of(self.lab, self.describer)

    def left(self) -> dict[str, float]:
        """What is left of the study's budget."""
        messages = self.ledger.messages(self.study.id)
        experiments = self.ledger.experiments(self.study.id)
        asked = self.ledger.llm_calls(self.study.id)
        return Budget(**self.study.budget).left(
            rounds=sum(m.role != "user" for m in messages),
            calls=sum(e.asked_by == "planner" and e.status != "running" for e in experiments),
            seconds=self.ledger.seconds(self.study.id),
            tokens=sum((c.tokens_in or 0) + (c.tokens_out or 0) for c in asked),
            dollars=sum(c.dollars or 0.0 for c in asked),
        )

    def run(
        self, n: int, message: int, call: Call, by: str, parent: int | None = None
    ) -> tuple[dict[str, Any] | None, str | None]:
        """Run one call as an experiment; gives its result, or why there is none.

        Args:
            n: Number of the experiment.
            message: Number of the step that asks for it.
            call: The call.
            by: Who asks: ``planner`` or ``program``.
            parent: Number of the experiment whose code calls; None for the others.
        """
        seed = experiment_seed(self.study.seed, n)
        experiment = Experiment(
            n,
            message,
            by,
            call.tool,
            self._kind(call.tool),
            call.args,
            seed,
            "running",
            None,
            None,
            None,
            parent,
            self.lab.settings.jail.level,
        )
        self.ledger.start(self.study.id, experiment)
        self.watch("experiment", {"n": n, "call": call})
        begun = time.monotonic()
        result, error = None, None
        try:
            if call.tool == code.SPEC.name:
                result = code.SPEC(self._bench(experiment), call.args).to_json()
            elif call.tool == describe.SPEC.name:
                result = describe.SPEC(self._gallery(experiment), call.args).to_json()
            else:
                result = self.lab.call(call.tool, call.args, seed)
                adopt_pictures(self.ledger, self.lab, result)
            status = "done"
        except (LabRefused, ToolError) as refusal:
            status, error = "refused", str(refusal)
        except ToolBroken as bug:
            status, error = "broken", str(bug)
        except LabLost as loss:
            status, error = "lost", str(loss)
        seconds = time.monotonic() - begun
        predictions = [p for p in self.ledger.predictions(self.study.id) if p.experiment == n]
        verdicts = judge_predictions(predictions, result["values"]) if result else []
        self.ledger.finish(
            self.study.id, n, status, seconds, result=result, error=error, verdicts=verdicts
        )
        self.watch(
            "result", {"n": n, "call": call, "status": status, "error": error, "verdicts": verdicts}
        )
        return result, error

    def _kind(self, tool: str) -> str:
        known = [*self.tools, *self.lab.hello["tools"]]
        return str(next(t["kind"] for t in known if t["name"] == tool))

    def _gallery(self, experiment: Experiment) -> describe.Gallery:
        """What a describer is shown pictures with; its requests are counted."""

        def record(call: LLMCall) -> None:
            self.ledger.record_llm(self.study.id, call)

        if self.describer is None:
            raise ToolError("This study has no describer: look at the numbers instead.")
        return describe.Gallery(
            self.describer,
            self.ledger.pictures,
            record,
            experiment.message,
            experiment.seed,
            self.left(),
        )

    def _bench(self, experiment: Experiment) -> code.Bench:
        """What the code of an experiment works with; its calls become experiments."""
        before = [e for e in self.ledger.experiments(self.study.id) if e.parent == experiment.n]

        def call(tool: str, args: dict[str, Any]) -> dict[str, Any]:
            # Code that was cut off runs again: a call that it had made is answered as it was.
            same = before and (before[0].tool, before[0].args) == (tool, args)
            known = before.pop(0) if same else None
            if known and known.status != "running":
                result, error = known.result, known.error
                n = known.n
            else:
                n = known.n if known else self._next_number(experiment)
                result, error = self._called(n, experiment, tool, args)
            if result is None:
                raise CellRefused(error or "the call failed")
            return {**result, "experiment": n}

        return code.Bench(
            self.cells,
            self.lab.tools,
            call,
            self.ledger.pictures,
            code.origin(self.lab.settings.jail.level),
            experiment.seed,
        )

    def _called(
        self, n: int, experiment: Experiment, tool: str, args: dict[str, Any]
    ) -> tuple[dict[str, Any] | None, str | None]:
        """Carry out a call that code makes, if it may."""
        tools = [t["name"] for t in self.lab.tools]
        if tool not in tools:
            raise CellRefused(f"There is no tool '{tool}'. {nearest(tool, tools)}")
        left = self.left()
        # The code itself is a call, and is counted when it has ended.
        if min(left.values()) <= 0 or left["calls"] <= 1:
            raise CellRefused("The budget is spent: no call is carried out any more.")
        call = Call(tool=tool, args=args)
        return self.run(n, experiment.message, call, "planner", experiment.n)

    def _next_number(self, experiment: Experiment) -> int:
        """A number for a call that code makes: past those that its step has set aside."""
        message = self.ledger.messages(self.study.id)[experiment.message]
        step = Step.model_validate(message.content["step"])
        set_aside = message.content["first_experiment"] + len(step.calls)
        taken = max(e.n for e in self.ledger.experiments(self.study.id)) + 1
        return int(max(set_aside, taken))


def experiment_seed(study_seed: int, n: int) -> int:
    """The seed of a study's nth experiment: the same in every run of the same study."""
    return int.from_bytes(hashlib.sha256(f"{study_seed}/{n}".encode()).digest()[:4], "big")


def tools_of(lab: LabSession, describer: Describer | None) -> list[dict[str, Any]]:
    """The announced tools that a planner may call: the lab's, code, and a describer if there is."""
    own = [code.SPEC, *([describe.SPEC] if describer else [])]
    return [*lab.tools, *(spec.announce() for spec in own)]


def adopt_pictures(ledger: Ledger, lab: LabSession, result: dict[str, Any] | None) -> None:
    """Take the pictures of a result over from the lab's scratch, checked by their content."""
    from hubel.tools.result import Artifact
    from hubel.tools.stimuli import PictureStore

    scratch = PictureStore(lab.scratch / "pictures", [ledger.pictures.root])
    for made in (result or {}).get("artifacts", ()):
        try:
            ledger.pictures.adopt(Artifact(**made), scratch)
        except (TypeError, ValueError) as error:
            raise LabLost(f"The lab gave a picture that is not what it says ({error}).") from None
