"""Explanations made elsewhere: their format, and their scores, as those of any other planner."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hubel.agent.ledger import Ledger
from hubel.agent.planners.explorer import Finding
from hubel.evals import bench
from hubel.evals.asking import Explained
from hubel.evals.bench import SUBMITTED, Job, Plan
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.jail import Jail

FORMAT: Literal["hubel-explanations/1"] = "hubel-explanations/1"
#: Characters of code and of text. A longer code is a table, not a law.
LONGEST = 100_000
#: Intervals that exceptions may have.
INTERVALS = 64
#: Why a neuron that nothing was said of has no explanation.
NOTHING_SAID = "no explanation was given"

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Said(_Strict):
    """What is said of one neuron.

    Attributes:
        number: Its number in the suite.
        code: Python source that defines ``f(x)``; None: no meaning is claimed.
        text: The same in words, for people; it is not scored.
        confidence: Probability, by its author, that the code agrees with the truth on nearly all
            inputs (``recovered``).
        exceptions: Intervals in which the neuron behaves otherwise (numbers).
        outside: It is lawful, but the author has no form for its law.
        about: What it names, where names are scored (words).
        seconds: What it took, None if that was not measured.
        tokens: Of language models.
        dollars: What they cost.
    """

    number: Annotated[int, Field(ge=0)]
    code: Annotated[str, Field(max_length=LONGEST)] | None
    text: Annotated[str, Field(max_length=LONGEST)]
    confidence: Annotated[float, Field(ge=0, le=1)]
    exceptions: Annotated[
        list[Annotated[list[_Finite], Field(min_length=2, max_length=2)]],
        Field(max_length=INTERVALS),
    ] = []
    outside: bool = False
    about: dict[str, Any] | None = None
    seconds: _Amount | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None
    dollars: _Amount | None = None

    def finding(self) -> Finding:
        """As planners give it."""
        exceptions = tuple((low, high) for low, high in self.exceptions)
        return Finding(self.code, self.text, self.confidence, exceptions, self.outside, self.about)


class Counted(Said):
    """What a file says of one neuron, with the inputs that were asked for it.

    Attributes:
        queries: Inputs of which the author saw the output, by their own count.
    """

    queries: Annotated[int, Field(ge=0)]


class Submission(_Strict):
    """A file of explanations.

    Attributes:
        format: `FORMAT`.
        planner: The author's name for what made them.
        suite: Name of the suite.
        seed: That drew its neurons.
        n: Neurons, from number 0; those without an explanation count as not explained.
        queries: Inputs that could be asked of each neuron.
        explanations: One for each neuron that something is said of.
    """

    format: Literal["hubel-explanations/1"]
    planner: Annotated[str, Field(pattern=_NAME)]
    suite: str
    seed: Annotated[int, Field(ge=0)]
    n: Annotated[int, Field(ge=1)]
    queries: Annotated[int, Field(ge=1)]
    explanations: list[Counted]

    def plan(self, find_dir: Path | None = None) -> Plan:
        """The run that it takes part in."""
        return plan_of(self.planner, self.suite, self.seed, self.n, self.queries, find_dir)


def plan_of(
    name: str, suite: str, seed: int, n: int, queries: int | None, find_dir: Path | None = None
) -> Plan:
    """The run that an explainer from elsewhere takes part in.

    Raises:
        ValueError: The name is none, or there is no such suite.
    """
    if not re.match(_NAME, name):
        raise ValueError(
            f"'{name}' cannot name an explainer: use up to 64 letters, digits, '.', '_', '/' and "
            "'-', a letter or digit first"
        )
    plan = Plan((suite,), (SUBMITTED + name,), n, seed, queries, find_dir)
    bench.check(plan)
    return plan


def read(path: Path) -> Submission:
    """Read a file of explanations.

    Raises:
        ValueError: It is not in the format; the message names the first thing that is wrong.
        OSError: It cannot be read.
    """
    try:
        given = Submission.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{path}: {first_wrong(error)}") from None
    seen: set[int] = set()
    for said in given.explanations:
        where = f"{path}: the explanation of neuron {said.number}"
        if said.number in seen:
            raise ValueError(f"{where} is there twice: keep one")
        if said.number >= given.n:
            raise ValueError(f"{where} is past the last neuron of n={given.n}, {given.n - 1}")
        if said.queries > given.queries:
            raise ValueError(f"{where} took {said.queries} queries, but {given.queries} are stated")
        seen.add(said.number)
    return given


def first_wrong(error: ValidationError) -> str:
    """The first thing that is wrong with a document, in one sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "the document"
    return f"{where}: {first['msg']}. `hubel bench submit-format` describes the format"


def score_submission(
    given: Submission,
    plan: Plan,
    ledger: Ledger,
    jail: Jail,
    progress: Callable[[int, int, str], None],
) -> list[dict[str, Any]]:
    """Execute explanations in cells and compare them with the truth; keep the results.

    Args:
        given: What was submitted. What the ledger has of it already is not scored again.
        plan: The run that it takes part in, see `Submission.plan`.
        ledger: Keeps each result.
        jail: How the boxes of cells are started.
        progress: Called with (done, total, what).

    Returns:
        The rows of all its neurons.

    Raises:
        ValueError: Something else stands in the ledger under the same name.
    """
    said = {one.number: one for one in given.explanations}
    rows: list[dict[str, Any]] = []
    numbers = plan.numbers(given.suite)
    with CellSession(jail, warm=SCORED) as cells:
        for number in numbers:
            one = said.get(number)
            rows.append(keep(plan, number, one, one.queries if one else 0, ledger, cells))
            progress(len(rows), len(numbers), f"{given.suite}: {SUBMITTED}{given.planner}")
    return rows


def keep(
    plan: Plan, number: int, said: Said | None, queries: int, ledger: Ledger, cells: CellSession
) -> dict[str, Any]:
    """Score what is said of one neuron and put it into the ledger, once.

    Args:
        plan: One suite and one planner.
        number: Of the neuron.
        said: What is said of it; None if nothing is.
        queries: Inputs that were asked.
        ledger: Keeps the result.
        cells: Where code runs.

    Raises:
        ValueError: Something else stands in the ledger under the same name.
    """
    job = Job(plan.suites[0], plan.planners[0], number)
    there = ledger.benched(bench.key_of(plan, job))
    if there is not None:
        if said and (said.code, said.text, said.confidence) == tuple(
            there[key] for key in ("code", "text", "confidence")
        ):
            return there
        if said is None and there["failed"] == NOTHING_SAID:
            return there
        raise ValueError(
            f"the ledger has another explanation of neuron {number} of {job.suite} by "
            f"'{job.planner}', and nothing in it is ever changed: submit under another name"
        )
    seconds = said.seconds if said else None
    explained = Explained(
        said.finding() if said else None, "" if said else NOTHING_SAID, queries, seconds or 0.0
    )
    unit = bench.neuron(job.suite, plan.seed, number, plan.find_dir, cells)
    row = bench.row_of(plan, job, unit, explained, cells) | {
        "seconds": seconds,
        "tokens": said.tokens if said else None,
        "dollars": said.dollars if said else None,
    }
    ledger.bench(bench.key_of(plan, job), row)
    return row
