"""What a planner is: given a study so far, it says what to do next.

A planner proposes; it never confirms. Everything it returns is checked by the loop before it
counts, and recorded before it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pydantic

from hubel.agent.records import Experiment, Hypothesis, LLMCall, Message, Prediction, Verdict

if TYPE_CHECKING:
    from hubel.tools.stimuli import PictureStore


#: Bytes that a step may have.
LONGEST = 4 << 20
#: Characters that a path to a number may have.
_PATH = 200
#: Numbers of a result that count or set up, and so are no effect to be predicted.
_NO_EFFECTS = ("n", "count", "seed", "groups", "pictures", "tied", "changed")


class PlannerFailed(Exception):
    """The planner cannot go on; the message says why. The study ends with what it has."""

    def __init__(self, why: str = "") -> None:
        super().__init__(whole(why))


class PlannerGone(Exception):
    """The planner has gone away. The study is kept as it is, to be gone on with."""


class Malformed(Exception):
    """What the planner gave cannot be read as a step.

    Args:
        error: One precise sentence that it is told.
        said: What it gave, for the record.
    """

    def __init__(self, error: str, said: str = "") -> None:
        super().__init__(whole(error))
        self.said = whole(said)


def whole(text: str) -> str:
    """Text with what is half a character replaced: no file and no terminal takes it."""
    return text.encode(errors="replace").decode()


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Condition(_Part):
    """A condition on one measured number.

    Attributes:
        path: Dotted path in the experiment's values; the prediction's own path if left out.
    """

    op: Literal[">", ">=", "<", "<="]
    value: float
    path: str | None = pydantic.Field(default=None, max_length=_PATH)


class Predicted(_Part):
    """What a hypothesis says of the result of a call, before the call is made.

    Attributes:
        hypothesis: Its name.
        path: Dotted path of the number in the result's values, as in ``contrast.mean``.
        expects: The result that the hypothesis predicts.
        refutes: The result that would refute it. What is neither is inconclusive.
    """

    hypothesis: str
    path: str = pydantic.Field(max_length=_PATH)
    expects: Condition
    refutes: Condition


class Call(_Part):
    """A tool call, with the predictions that it tests."""

    tool: str
    args: dict[str, Any]
    predictions: tuple[Predicted, ...] = ()


class Claim(_Part):
    """A hypothesis: words for people, and a form that can be executed (see `hubel.agent.form`)."""

    name: str = pydantic.Field(pattern=r"^[A-Za-z][\w-]{0,39}$")
    claim: str = pydantic.Field(min_length=1)
    form: dict[str, Any]
    revises: str | None = None


class Conclusion(_Part):
    """What the planner has come to; the loop scores it on held-out pictures.

    Attributes:
        form: The executable explanation; None claims that nothing was found.
        evidence: Numbers of the experiments that the text rests on.
    """

    text: str
    form: dict[str, Any] | None
    exceptions: tuple[str, ...] = ()
    evidence: tuple[int, ...] = ()


class Step(_Part):
    """One move of a planner: hypotheses first, then calls, or a conclusion."""

    thought: str = ""
    hypotheses: tuple[Claim, ...] = ()
    calls: tuple[Call, ...] = ()
    conclusion: Conclusion | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What the loop does for a planner while it thinks.

    Attributes:
        pictures: The study's pictures, by the ids that results name.
        record: Records a request to a language model.
        keep_prompt: Keeps a system prompt and gives its hash.
        say: Tells whoever watches: (event, details), as in ``("token", {"text": "It"})``.
    """

    pictures: PictureStore
    record: Callable[[LLMCall], None]
    keep_prompt: Callable[[str], str]
    say: Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class View:
    """All that a planner may know of a study. It holds nothing of the held-out half.

    Attributes:
        tools: The announced tools: name, kind, summary, doc, parameters (JSON schema).
        budget_left: What is left of each limited thing: rounds, calls, seconds, tokens, dollars.
        must_conclude: The budget is spent: calls will not be carried out any more.
        desk: What the loop does for the planner; None outside of a loop.
    """

    question: str
    unit: str
    tools: list[dict[str, Any]]
    budget_left: dict[str, float]
    must_conclude: bool
    seed: int
    messages: list[Message]
    hypotheses: list[Hypothesis]
    predictions: list[Prediction]
    experiments: list[Experiment]
    verdicts: list[Verdict]
    desk: Desk | None = None


class Planner(Protocol):
    """Who decides, from the view alone: what a planner keeps to itself is lost with a kill."""

    @property
    def name(self) -> str:
        """Its name, as users type it."""
        ...

    def next(self, view: View) -> Step:
        """The next step.

        Raises:
            PlannerFailed: It cannot go on.
            PlannerGone: It has gone away.
            Malformed: It gave something that is no step.
        """
        ...


def problem(step: Step, view: View) -> str | None:
    """What is wrong with a step, in one sentence for the planner; None if nothing is."""
    from hubel.agent.form import Form
    from hubel.sandbox import wire
    from hubel.tools.concepts import source_of
    from hubel.tools.spec import ToolError
    from hubel.tools.units import nearest

    try:
        wire.check(step.model_dump(), LONGEST)
    except (wire.WireError, ValueError, RecursionError) as error:
        return f"The step cannot be recorded: {error}."
    names = {h.name for h in view.hypotheses}
    for claim in step.hypotheses:
        if claim.name in names:
            return f"A hypothesis '{claim.name}' exists already: choose another name."
        if claim.revises is not None and claim.revises not in names:
            return f"'{claim.name}' revises '{claim.revises}'. {nearest(claim.revises, names)}"
        names.add(claim.name)
    forms = [c.form for c in step.hypotheses]
    if step.conclusion is not None and step.conclusion.form is not None:
        forms.append(step.conclusion.form)
    for form in forms:
        try:
            for phrase in Form.from_json(form).phrases:
                source_of(phrase)  # what nobody can judge would count as false everywhere
        except (ValueError, ToolError) as error:
            said = str(error)
            return said if said.endswith((".", "?")) else f"{said}."
    tools = [t["name"] for t in view.tools]
    for call in step.calls:
        if call.tool not in tools:
            return f"There is no tool '{call.tool}'. {nearest(call.tool, tools)}"
        if call.predictions and _is_computation(call.tool, view):
            return (
                f"A prediction rests on {call.tool}, whose numbers are the code's own word: "
                "predict the result of a tool call."
            )
        for predicted in call.predictions:
            if predicted.hypothesis not in names:
                known = nearest(predicted.hypothesis, names)
                return f"A prediction names the hypothesis '{predicted.hypothesis}'. {known}"
            if cannot_fail := _unfailing(predicted):
                return cannot_fail
        tested = [p.hypothesis for p in call.predictions]
        if twice := next((name for name in tested if tested.count(name) > 1), None):
            return f"{call.tool} is to test '{twice}' twice: predict one thing of each hypothesis."
    return _shape_problem(step, view)


def _unfailing(predicted: Predicted) -> str | None:
    """Why a prediction tests nothing whatever the result; None if that cannot be seen."""
    expects, refutes = predicted.expects, predicted.refutes
    for path in (predicted.path, expects.path, refutes.path):
        if path is not None and path.rpartition(".")[2] in _NO_EFFECTS:
            return (
                f"'{path[:60]}' is a count or a setting, not an effect: predict a measured number, "
                "as contrast.mean."
            )
    if expects.op[0] == refutes.op[0]:
        return (
            f"The prediction of '{predicted.hypothesis}' expects {expects.op} {expects.value:g} "
            f"and is refuted by {refutes.op} {refutes.value:g}: let one be > and the other <."
        )
    return None


def _is_computation(tool: str, view: View) -> bool:
    return any(t["kind"] == "computation" for t in view.tools if t["name"] == tool)


def _shape_problem(step: Step, view: View) -> str | None:
    if step.conclusion is None and not step.calls:
        return "A step needs at least one call, or a conclusion."
    if step.conclusion is not None and step.calls:
        return "A step holds calls or a conclusion, not both."
    if step.conclusion is not None:
        done = {e.n for e in view.experiments if e.status == "done"}
        if strangers := [n for n in step.conclusion.evidence if n not in done]:
            return f"The evidence names experiment {strangers[0]}, which has no result."
        computed = {e.n for e in view.experiments if e.kind == "computation"}
        if words := [n for n in step.conclusion.evidence if n in computed]:
            return f"Experiment {words[0]} ran code: cite the tool calls that it made."
    return None
