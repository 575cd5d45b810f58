"""What a planner outside of the program is told: what is new in a study since it was last told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic

from hubel.agent.planner import Step, View
from hubel.agent.records import Experiment, Message, Verdict

if TYPE_CHECKING:
    from hubel.tools.stimuli import PictureStore


class Opening(pydantic.BaseModel):
    """What a planner is told once, when it is asked for the first time on a connection.

    Attributes:
        tools: Name, kind, summary, documentation and parameters (a JSON schema) of each.
        schema_of_step: JSON schema of the answer.
    """

    question: str
    unit: str
    seed: int
    tools: list[dict[str, Any]]
    schema_of_step: dict[str, Any]


class Said(pydantic.BaseModel):
    """A step of the planner as it was recorded, or what was wrong with one.

    Attributes:
        n: Its number in the study.
        role: ``planner`` or ``error``.
        content: ``step`` and ``first_experiment``, the number of its first call; or ``error``.
    """

    n: int
    role: str
    content: dict[str, Any]


class Picture(pydantic.BaseModel):
    """A picture of a result: its id, and the PNG file where it lies."""

    id: str
    kind: str
    path: str


class Observation(pydantic.BaseModel):
    """A call and what came of it.

    Attributes:
        n: Number of the experiment, to be cited as evidence.
        step: Number of the step that asked for it; 0 is the program's own, before any step.
        parent: Number of the experiment whose code made the call.
        status: ``done``, ``refused``, ``broken`` or ``lost``.
        result: Values, what they mean, what was measured against what; none but of ``done``.
        error: Why there is no result.
    """

    n: int
    step: int
    parent: int | None
    tool: str
    args: dict[str, Any]
    status: str
    error: str | None
    result: dict[str, Any] | None
    artifacts: list[Picture]


class Outcome(pydantic.BaseModel):
    """What an experiment did to a hypothesis: supported, refuted or inconclusive."""

    experiment: int
    hypothesis: str
    outcome: str
    measured: float | None


class Turn(pydantic.BaseModel):
    """A line to the planner: what is new, and that it is asked for its next step.

    Attributes:
        turn: Number that the step will have.
        opening: On the first line of a connection only.
        budget_left: Rounds, calls, seconds, and tokens and dollars where they are limited.
        must_conclude: No call is carried out any more: the step has to be a conclusion.
    """

    turn: int
    opening: Opening | None = None
    messages: list[Said]
    observations: list[Observation]
    verdicts: list[Outcome]
    budget_left: dict[str, float]
    must_conclude: bool


def turn_of(view: View, told: View | None) -> Turn:
    """What a planner that knows one view is told of the next; all of it if it knows none.

    Raises:
        ValueError: The view has no desk, and so no pictures.
    """
    if view.desk is None:
        raise ValueError("a turn shows pictures: it needs the view of a loop")
    pictures = view.desk.pictures
    messages, experiments, verdicts = (
        ([], [], []) if told is None else (told.messages, told.experiments, told.verdicts)
    )
    known = {e.n for e in experiments}
    heard = {m.n for m in messages}
    judged = {(v.experiment, v.hypothesis) for v in verdicts}
    return Turn(
        turn=view.messages[-1].n + 1,
        opening=_opening(view) if told is None else None,
        messages=[_said(m) for m in view.messages if m.role != "user" and m.n not in heard],
        observations=[_observation(e, pictures) for e in view.experiments if e.n not in known],
        verdicts=[_outcome(v) for v in view.verdicts if (v.experiment, v.hypothesis) not in judged],
        budget_left=view.budget_left,
        must_conclude=view.must_conclude,
    )


def _opening(view: View) -> Opening:
    return Opening(
        question=view.question,
        unit=view.unit,
        seed=view.seed,
        tools=view.tools,
        schema_of_step=Step.model_json_schema(),
    )


def _said(message: Message) -> Said:
    return Said(n=message.n, role=message.role, content=message.content)


def _observation(experiment: Experiment, pictures: PictureStore) -> Observation:
    result = dict(experiment.result) if experiment.result else None
    made = result.pop("artifacts", []) if result else []
    return Observation(
        n=experiment.n,
        step=experiment.message,
        parent=experiment.parent,
        tool=experiment.tool,
        args=experiment.args,
        status=experiment.status,
        error=experiment.error,
        result=result,
        artifacts=[
            Picture(id=a["id"], kind=a["kind"], path=str(pictures.path(a["id"]))) for a in made
        ],
    )


def _outcome(verdict: Verdict) -> Outcome:
    return Outcome(
        experiment=verdict.experiment,
        hypothesis=verdict.hypothesis,
        outcome=verdict.outcome,
        measured=verdict.measured,
    )
