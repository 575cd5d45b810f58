"""The loop: open -> propose -> experiment -> ... -> confirm -> conclude, as a LangGraph graph.

The ledger is the memory. The graph's state holds numbers only, and every node first looks whether
the ledger already has what it is about to do; so a study that was killed anywhere goes on where it
was, and does nothing twice.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from hubel.agent import confirm
from hubel.agent.describe import Describer
from hubel.agent.experiments import Carrier, Watch
from hubel.agent.guards import objection
from hubel.agent.ledger import Ledger
from hubel.agent.lock import running
from hubel.agent.planner import (
    Call,
    Desk,
    Malformed,
    Planner,
    PlannerFailed,
    Step,
    View,
    problem,
)
from hubel.agent.records import Hypothesis, LLMCall, Message, Prediction, Study
from hubel.sandbox.cells import CellSession
from hubel.sandbox.session import LabSession

#: Calls that may lose their lab one after the other before the study gives up.
LOSSES = 2
#: Malformed steps that a planner may return one after the other.
MALFORMED = 3


class _State(TypedDict):
    """What LangGraph checkpoints: numbers, never content."""

    message: int
    call: int
    after: str
    stop: str | None
    detail: str | None


def run(
    study: int,
    ledger: Ledger,
    lab: LabSession,
    planner: Planner,
    watch: Watch | None = None,
    *,
    describer: Describer | None = None,
    cancel: threading.Event | None = None,
) -> Study:
    """Carry a study on to its end, from wherever it is.

    Args:
        study: Its number in the ledger.
        ledger: Where it is recorded.
        lab: Runs the tools; the caller closes it.
        planner: Decides.
        watch: Told what happens.
        describer: Looks at pictures for the planner; None if there is none.
        cancel: Set by the caller to end the study between two steps, for good.

    Returns:
        The study, with the reason why it stopped.

    Raises:
        LabRefused: The target or the data of the study cannot be opened.
        PlannerGone: The planner has gone away; the study can be gone on with.
        StudyRuns: Another process runs it.
    """
    with running(ledger.home, study):
        known = ledger.study(study)
        if not known.finished:
            _carry_on(known, ledger, lab, planner, watch, describer, cancel)
        return ledger.study(study)


def _carry_on(
    known: Study,
    ledger: Ledger,
    lab: LabSession,
    planner: Planner,
    watch: Watch | None,
    describer: Describer | None,
    cancel: threading.Event | None,
) -> None:
    tell = watch or (lambda _event, _details: None)
    cells = cells_for(lab, ledger)
    carrier = Carrier(known, ledger, lab, cells, tell, describer)
    loop = _Loop(known, ledger, carrier, planner, tell, cancel or threading.Event())
    connection = sqlite3.connect(ledger.path, check_same_thread=False, timeout=30)
    try:
        saver = SqliteSaver(connection)
        graph = loop.graph().compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": str(known.id)}, "recursion_limit": 1_000_000}
        begun = saver.get_tuple(config) is not None
        first: _State = {"message": 0, "call": 0, "after": "", "stop": None, "detail": None}
        graph.invoke(None if begun else first, config, durability="sync")
    finally:
        connection.close()
        if cells is not None:
            cells.close()


def cells_for(lab: LabSession, ledger: Ledger) -> CellSession | None:
    """Where a study's code runs: boxes of the lab's level; None without a sandbox."""
    jail = lab.settings.jail
    return None if jail.level == "none" else CellSession(jail, [ledger.pictures.root])


@dataclass
class _Loop:
    study: Study
    ledger: Ledger
    carrier: Carrier
    planner: Planner
    watch: Watch
    cancel: threading.Event

    def graph(self) -> StateGraph[_State]:
        graph = StateGraph(_State)
        graph.add_node("open", self.open)
        graph.add_node("propose", self.propose)
        graph.add_node("experiment", self.experiment)
        graph.add_node("confirm", self.confirm)
        for node in ("open", "propose", "experiment", "confirm"):
            graph.add_conditional_edges(node, lambda state: state["after"])
        graph.add_node("conclude", self.conclude)
        graph.add_edge(START, "open")
        graph.add_edge("conclude", END)
        return graph

    # Nodes

    def open(self, state: _State) -> dict[str, Any]:  # noqa: ARG002  (LangGraph passes it by name)
        """Open the lab, and look at the exemplars before anybody speaks."""
        lab = self.carrier.lab
        jail = lab.settings.jail
        opened = {k: lab.hello[k] for k in _OPENED}
        opened["sandbox"] = {
            "level": jail.level,
            "limits": jail.limits.to_json(),
            "reads": [str(path.absolute()) for path in lab.settings.reads],
        }
        if measured := self.ledger.preflight(self.study.planner):
            opened["preflight"] = measured
        self.ledger.opened(self.study.id, opened)
        first = Call(tool="exemplars", args={"unit": self.study.unit})
        stop = self._carry_out(1, 0, first, "program")
        opening = self.ledger.experiments(self.study.id)[0]
        if opening.status == "refused":  # nothing that a planner could do would mend it
            return _stop("refused", str(opening.error))
        return stop or {"after": "propose"}

    def propose(self, state: _State) -> dict[str, Any]:
        """Ask the planner for its next step and record it."""
        if self.cancel.is_set():
            return _stop("cancelled", "it was asked to stop")
        n = state["message"] + 1
        message = next((m for m in self.ledger.messages(self.study.id) if m.n == n), None)
        if message is None:
            view = self.view()
            begun = time.monotonic()
            try:
                step = self.planner.next(view)
            except PlannerFailed as error:
                # A model that was waited for until the time was over has not failed.
                late = time.monotonic() - begun >= view.budget_left.get("seconds", math.inf)
                spent = late and not view.must_conclude
                return _stop("budget" if spent else "planner failed", str(error))
            except Malformed as error:
                content = {"error": str(error), "said": error.said}
                message = self._refuse(n, content, view, time.monotonic() - begun)
            else:
                message = self._record(n, step, view, time.monotonic() - begun)
        if message.role == "error":
            self.watch("error", {"n": n, "error": message.content["error"]})
            last = self.ledger.messages(self.study.id)[-MALFORMED:]
            if len(last) == MALFORMED and all(m.role == "error" for m in last):
                return _stop("planner failed", str(message.content["error"]))
            # Who was not told yet that the budget is spent may still conclude.
            if message.content.get("was_to_conclude"):
                return _stop("budget", "malformed steps used it up")
            return {"message": n, "after": "propose"}
        step = Step.model_validate(message.content["step"])
        self.watch("step", {"n": n, "step": step})
        return {"message": n, "call": 0, "after": "experiment" if step.calls else "confirm"}

    def experiment(self, state: _State) -> dict[str, Any]:
        """Carry out one call of the step."""
        message = self.ledger.messages(self.study.id)[state["message"]]
        calls = Step.model_validate(message.content["step"]).calls
        i = state["call"]
        n = message.content["first_experiment"] + i
        stop = self._carry_out(n, message.n, calls[i], "planner")
        done = i + 1 == len(calls) or self.view().must_conclude
        return stop or {"call": i + 1, "after": "propose" if done else "experiment"}

    def confirm(self, state: _State) -> dict[str, Any]:
        """Execute the explanation on held-out pictures, which no planner has seen."""
        message = self.ledger.messages(self.study.id)[state["message"]]
        conclusion = Step.model_validate(message.content["step"]).conclusion
        form = confirm.form_of(conclusion)
        call = Call(tool="held_out_sample", args=confirm.request(self.study.unit, form))
        stop = self._carry_out(message.content["first_experiment"], message.n, call, "program")
        over = self.view().must_conclude
        return stop or {"after": "conclude", "stop": "budget" if over else None}

    def conclude(self, state: _State) -> dict[str, Any]:
        """Write down what the study came to, and why it stopped."""
        stop, detail = state["stop"], state["detail"]
        view = self.view()
        sample = view.experiments[-1] if view.experiments else None
        if self.ledger.explanation(self.study.id) is None and sample is not None:
            conclusion = confirm.conclusion_of(view)
            if conclusion and sample.tool == "held_out_sample" and sample.status == "done":
                self.ledger.conclude(self.study.id, *confirm.explain(view, conclusion, sample))
            elif stop is None:
                stop, detail = "lab failed", sample.error
        explanation = self.ledger.explanation(self.study.id)
        if stop is None and explanation is not None:
            stop = explanation.verdict
        self.ledger.end(self.study.id, stop or "planner failed", detail)
        self.watch("end", {"stop": stop, "explanation": explanation})
        return {}

    # Steps

    def view(self) -> View:
        """What the planner may know now."""
        study, ledger = self.study, self.ledger
        left = self.carrier.left()
        return View(
            question=study.question,
            unit=study.unit,
            tools=self.carrier.tools,
            budget_left=left,
            must_conclude=min(left.values()) <= 0,
            seed=study.seed,
            messages=ledger.messages(study.id),
            hypotheses=ledger.hypotheses(study.id),
            predictions=ledger.predictions(study.id),
            experiments=ledger.experiments(study.id),
            verdicts=ledger.verdicts(study.id),
            desk=Desk(ledger.pictures, self._record_llm, ledger.keep_prompt, self.watch),
        )

    def _record_llm(self, call: LLMCall) -> None:
        self.ledger.record_llm(self.study.id, call)

    def _refuse(self, n: int, content: dict[str, Any], view: View, seconds: float) -> Message:
        """Record a step that cannot be carried out, with what its planner is told."""
        message = Message(n, "error", {**content, "was_to_conclude": view.must_conclude})
        self.ledger.record_step(self.study.id, message, seconds)
        return message

    def _record(self, n: int, step: Step, view: View, seconds: float) -> Message:
        """Record a step that is in order; otherwise what is wrong with it."""
        wrong = problem(step, view)
        if wrong is None and view.must_conclude and step.conclusion is None:
            wrong = "The budget is spent: conclude with what there is."
        content: dict[str, Any] = {"step": step.model_dump(mode="json")}
        listens = wrong is None and getattr(self.planner, "listens", True)
        if listens and (objected := objection(step, view)):
            wrong, content["guard"] = objected.sentence, objected.guard
        if wrong is not None:
            return self._refuse(n, {"error": wrong, **content}, view, seconds)
        first = max((e.n for e in view.experiments), default=0) + 1
        message = Message(n, "planner", {"first_experiment": first, **content})
        claims = [Hypothesis(c.name, n, c.claim, c.form, c.revises) for c in step.hypotheses]
        predictions = [
            Prediction(
                first + i,
                p.hypothesis,
                n,
                p.path,
                p.expects.model_dump(exclude_none=True),
                p.refutes.model_dump(exclude_none=True),
            )
            for i, call in enumerate(step.calls)
            for p in call.predictions
        ]
        self.ledger.record_step(self.study.id, message, seconds, claims, predictions)
        return message

    def _carry_out(self, n: int, message: int, call: Call, by: str) -> dict[str, Any] | None:
        """Run one tool call and record it, unless the ledger has it; a stop if the lab is lost."""
        known = {e.n: e for e in self.ledger.experiments(self.study.id)}
        if n not in known or known[n].status == "running":
            self.carrier.run(n, message, call, by)
        # What code called is for the code to bear.
        own = [e for e in self.ledger.experiments(self.study.id) if e.parent is None]
        last = [e.status for e in own][-LOSSES:]
        if len(last) == LOSSES and set(last) == {"lost"}:
            return _stop("lab failed", f"{LOSSES} calls in a row lost their lab")
        return None


_OPENED = ("target", "data", "versions")


def _stop(reason: str, detail: str) -> dict[str, Any]:
    return {"stop": reason, "detail": detail, "after": "conclude"}
