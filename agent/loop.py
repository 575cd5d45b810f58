"""The loop: open -> propose -> experiment -> ... -> confirm -> conclude, as a LangGraph graph.

The ledger is the memory. The graph's state holds numbers only, and every node first looks whether
the ledger already has what it is about to do; so a study that was killed anywhere goes on where it
was, and does nothing twice.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from hubel.agent import code, confirm
from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.planner import Call, Planner, PlannerFailed, Step, View, problem
from hubel.agent.records import Experiment, Hypothesis, Message, Prediction, Study
from hubel.agent.verdicts import judge_predictions
from hubel.sandbox.cells import CellRefused, CellSession
from hubel.sandbox.session import LabLost, LabRefused, LabSession, ToolBroken
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

#: Calls that may lose their lab one after the other before the study gives up.
LOSSES = 2
#: Malformed steps that a planner may return one after the other.
MALFORMED = 3

#: Called with what happens, for a display: (event, details).
Watch = Callable[[str, dict[str, Any]], None]


class _State(TypedDict):
    """What LangGraph checkpoints: numbers, never content."""

    message: int
    call: int
    after: str
    stop: str | None
    detail: str | None


def run(
    study: int, ledger: Ledger, lab: LabSession, planner: Planner, watch: Watch | None = None
) -> Study:
    """Carry a study on to its end, from wherever it is.

    Args:
        study: Its number in the ledger.
        ledger: Where it is recorded.
        lab: Runs the tools; the caller closes it.
        planner: Decides.
        watch: Told what happens.

    Returns:
        The study, with the reason why it stopped.

    Raises:
        LabRefused: The target or the data of the study cannot be opened.
    """
    known = ledger.study(study)
    if known.finished:
        return known
    cells = cells_for(lab, ledger)
    loop = _Loop(known, ledger, lab, cells, planner, watch or (lambda _event, _details: None))
    connection = sqlite3.connect(ledger.path, check_same_thread=False, timeout=30)
    try:
        saver = SqliteSaver(connection)
        graph = loop.graph().compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": str(study)}, "recursion_limit": 1_000_000}
        begun = saver.get_tuple(config) is not None
        first: _State = {"message": 0, "call": 0, "after": "", "stop": None, "detail": None}
        graph.invoke(None if begun else first, config, durability="sync")
    finally:
        connection.close()
        if cells is not None:
            cells.close()
    return ledger.study(study)


def cells_for(lab: LabSession, ledger: Ledger) -> CellSession | None:
    """Where a study's code runs: boxes of the lab's level; None without a sandbox."""
    jail = lab.settings.jail
    return None if jail.level == "none" else CellSession(jail, [ledger.pictures.root])


@dataclass
class _Loop:
    study: Study
    ledger: Ledger
    lab: LabSession
    cells: CellSession | None
    planner: Planner
    watch: Watch

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
        jail = self.lab.settings.jail
        opened = {k: self.lab.hello[k] for k in _OPENED}
        opened["sandbox"] = {
            "level": jail.level,
            "limits": jail.limits.to_json(),
            "reads": [str(path.absolute()) for path in self.lab.settings.reads],
        }
        self.ledger.opened(self.study.id, opened)
        first = Call(tool="exemplars", args={"unit": self.study.unit})
        stop = self._carry_out(1, 0, first, "program")
        opening = self.ledger.experiments(self.study.id)[0]
        if opening.status == "refused":  # nothing that a planner could do would mend it
            return _stop("refused", str(opening.error))
        return stop or {"after": "propose"}

    def propose(self, state: _State) -> dict[str, Any]:
        """Ask the planner for its next step and record it."""
        n = state["message"] + 1
        message = next((m for m in self.ledger.messages(self.study.id) if m.n == n), None)
        if message is None:
            view = self.view()
            begun = time.monotonic()
            try:
                step = self.planner.next(view)
            except PlannerFailed as error:
                return _stop("planner failed", str(error))
            message = self._record(n, step, view, time.monotonic() - begun)
        if message.role == "error":
            last = self.ledger.messages(self.study.id)[-MALFORMED:]
            if len(last) == MALFORMED and all(m.role == "error" for m in last):
                return _stop("planner failed", str(message.content["error"]))
            if self.view().must_conclude:
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
        messages = ledger.messages(study.id)
        experiments = ledger.experiments(study.id)
        left = Budget(**study.budget).left(
            rounds=sum(m.role != "user" for m in messages),
            calls=sum(e.asked_by == "planner" and e.status != "running" for e in experiments),
            seconds=ledger.seconds(study.id),
        )
        return View(
            question=study.question,
            unit=study.unit,
            tools=[*self.lab.tools, code.SPEC.announce()],
            budget_left=left,
            must_conclude=min(left.values()) <= 0,
            seed=study.seed,
            messages=messages,
            hypotheses=ledger.hypotheses(study.id),
            predictions=ledger.predictions(study.id),
            experiments=experiments,
            verdicts=ledger.verdicts(study.id),
        )

    def _record(self, n: int, step: Step, view: View, seconds: float) -> Message:
        """Record a step that is in order; otherwise what is wrong with it."""
        wrong = problem(step, view)
        if wrong is None and view.must_conclude and step.conclusion is None:
            wrong = "The budget is spent: conclude with what there is."
        content: dict[str, Any] = {"step": step.model_dump(mode="json")}
        if wrong is not None:
            message = Message(n, "error", {"error": wrong, **content})
            self.ledger.record_step(self.study.id, message, seconds)
            return message
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
            self._run(n, message, call, by)
        # What code called is for the code to bear.
        own = [e for e in self.ledger.experiments(self.study.id) if e.parent is None]
        last = [e.status for e in own][-LOSSES:]
        if len(last) == LOSSES and set(last) == {"lost"}:
            return _stop("lab failed", f"{LOSSES} calls in a row lost their lab")
        return None

    def _run(
        self, n: int, message: int, call: Call, by: str, parent: int | None = None
    ) -> tuple[dict[str, Any] | None, str | None]:
        """Run one call as an experiment; gives its result, or why there is none."""
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
        if tool == code.SPEC.name:
            return code.SPEC.kind
        return str(next(t["kind"] for t in self.lab.hello["tools"] if t["name"] == tool))

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
        left = self.view().budget_left
        # The code itself is a call, and is counted when it has ended.
        if min(left.values()) <= 0 or left["calls"] <= 1:
            raise CellRefused("The budget is spent: no call is carried out any more.")
        call = Call(tool=tool, args=args)
        return self._run(n, experiment.message, call, "planner", experiment.n)

    def _next_number(self, experiment: Experiment) -> int:
        """A number for a call that code makes: past those that its step has set aside."""
        message = self.ledger.messages(self.study.id)[experiment.message]
        step = Step.model_validate(message.content["step"])
        set_aside = message.content["first_experiment"] + len(step.calls)
        taken = max(e.n for e in self.ledger.experiments(self.study.id)) + 1
        return int(max(set_aside, taken))


_OPENED = ("target", "data", "versions")


def experiment_seed(study_seed: int, n: int) -> int:
    """The seed of a study's nth experiment: the same in every run of the same study."""
    return int.from_bytes(hashlib.sha256(f"{study_seed}/{n}".encode()).digest()[:4], "big")


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


def _stop(reason: str, detail: str) -> dict[str, Any]:
    return {"stop": reason, "detail": detail, "after": "conclude"}
