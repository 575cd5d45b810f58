"""The rows of the ledger as the program sees them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Study:
    """One question about one unit.

    Attributes:
        opened: What the lab said when the study began: hashes of target and data, versions.
        stop: Why it ended; None while it has not.
        options: What its planner was opened with, besides its name.
    """

    id: int
    question: str
    model: str
    unit: str
    data: str
    planner: str
    device: str
    seed: int
    budget: dict[str, Any]
    created: str
    opened: dict[str, Any] | None
    stop: str | None
    stop_detail: str | None
    finished: str | None
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What was said in a study: the user's question, a planner's step, an error put to it."""

    n: int
    role: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A claim about the unit. `form` is its executable version."""

    name: str
    message: int
    claim: str
    form: dict[str, Any]
    revises: str | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a hypothesis says an experiment will measure, and what would refute it.

    Attributes:
        path: Dotted path of a number in the experiment's values.
        expects: Condition, as in ``{"op": ">", "value": 0.5}``.
        refutes: Condition on the same or another number (``"path"``) that refutes it.
    """

    experiment: int
    hypothesis: str
    message: int
    path: str
    expects: dict[str, Any]
    refutes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One tool call and what came of it.

    Attributes:
        parent: Number of the experiment whose code made the call; None for the others.
        sandbox: Level of the sandbox in which it ran; ``unsafe``: there was none, by choice, and
            code could run.
    """

    n: int
    message: int
    asked_by: str
    tool: str
    kind: str
    args: dict[str, Any]
    seed: int
    status: str
    result: dict[str, Any] | None
    error: str | None
    seconds: float | None
    parent: int | None = None
    sandbox: str = "none"

    @property
    def values(self) -> dict[str, Any]:
        """The measured values; empty where the call did not end well."""
        return dict(self.result["values"]) if self.result else {}


@dataclass(frozen=True, slots=True)
class LLMCall:
    """One request to a language model, answered or not.

    Attributes:
        message: Number of the message that it was made for.
        role: ``planner``, ``describer`` or ``probe``.
        mode: How steps are asked for: ``tools``, ``json`` or ``text``.
        prompt: Hash of the system prompt; `Ledger.prompt` has the text.
        status: ``ok``, or the name of what went wrong.
        tokens_in: Tokens of the request; None where the server does not say.
        tokens_out: Tokens of the answer; None where the server does not say.
        dollars: Its price; None where the price is not known.
        detail: What else is known: finish reason, attempt, pictures sent and left out.
    """

    message: int
    role: str
    model: str
    mode: str
    prompt: str | None
    status: str
    tokens_in: int | None
    tokens_out: int | None
    dollars: float | None
    seconds: float
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an experiment did to a hypothesis: supported, refuted or inconclusive."""

    experiment: int
    hypothesis: str
    outcome: str
    measured: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a study came to."""

    verdict: str
    text: str
    form: dict[str, Any]
    exceptions: list[str]
    grade: str
    evidence: list[int]


@dataclass(frozen=True, slots=True)
class Score:
    """Full-range correlation of an executed explanation with held-out activations."""

    explanation: str
    pearson: float
    ci_low: float
    ci_high: float
    n: int
    detail: dict[str, Any]


#: Columns that hold JSON.
JSON_COLUMNS = {
    "budget", "opened", "content", "form", "expects", "refutes", "args", "result", "exceptions",
    "evidence", "detail", "provenance", "options",
}  # fmt: skip


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its JSON columns read."""
    return {k: json.loads(v) if k in JSON_COLUMNS and v is not None else v for k, v in row.items()}
