"""A step with what was known when it was made, as `hubel.agent.why` reads it from the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that an experiment measured, with its 95% interval if it has one."""

    label: str
    value: float
    ci: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Tested:
    """A registered prediction and what became of it.

    Attributes:
        number: What the number is, in words.
        expected: The result that the hypothesis predicts, in words.
        refuting: The result that refutes it, in words.
        outcome: supported, refuted, inconclusive or untested.
        measured: The number; None where there is none.
    """

    experiment: int
    hypothesis: str
    number: str
    expected: str
    refuting: str
    outcome: str
    measured: float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """An experiment: what was done and, where it ended well, what came out.

    Attributes:
        asked_by: ``planner`` or ``program``.
        error: Why there is no result; None if there is one.
    """

    experiment: int
    step: int
    tool: str
    kind: str
    asked_by: str
    status: str
    what: str
    numbers: list[Measured]
    error: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of what had become of a hypothesis."""

    step: int
    experiment: int
    hypothesis: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Held:
    """A hypothesis as it stood when the step was made.

    Attributes:
        since: The step that registered it.
        fate: What had become of it by then.
        tests: Its tests that had ended by then.
        later: What became of it afterwards, in order.
    """

    name: str
    claim: str
    since: int
    revises: str | None
    fate: str
    tests: list[Tested]
    later: list[Turn]


@dataclass(frozen=True, slots=True)
class Why:
    """A step with what was known when it was made, and what came of it.

    Attributes:
        steps: How many steps the study has so far.
        role: ``planner``, or ``error`` for a step that was refused.
        error: What was wrong with a refused step.
        held: The hypotheses registered before it, in order.
        known: The experiments that had ended before it.
        registered: Names of the hypotheses that it put forward itself.
        asked: The experiments that it asked for.
        predicted: What it predicted of them, with what became of it.
        conclusion: Its conclusion, as the planner wrote it; None for other steps.
        turns: Changes that its experiments brought about.
        next_thought: What the following step said; None if it is the last.
    """

    study: int
    unit: str
    step: int
    steps: int
    role: str
    thought: str
    error: str | None
    held: list[Held]
    known: list[Finding]
    registered: list[Held]
    asked: list[Finding]
    predicted: list[Tested]
    conclusion: dict[str, Any] | None
    turns: list[Turn]
    next_thought: str | None

    def to_json(self) -> dict[str, Any]:
        """All of it, for programs."""
        return asdict(self)
