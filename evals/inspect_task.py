"""The benchmark as a task of Inspect: ``inspect eval hubel/neurons --model ...``.

One sample a neuron. The model asks with a tool, counted, and explains with another; the scorer
executes its code in a cell. The samples hold no truth, so neither does what a model is sent; the
score holds it, for people who read the log. Needs the extra ``hubel[inspect]``; use one epoch.
"""
# Types of an extra: without it there is nothing to check these against.
# mypy: disable-error-code="import-not-found, untyped-decorator"
# pyright: reportMissingImports=false

from __future__ import annotations

import asyncio
import json
import time
from functools import lru_cache
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver, system_message, use_tools
from inspect_ai.tool import Tool, ToolError, tool
from inspect_ai.util import store
from pydantic import ValidationError

from hubel.evals import bench
from hubel.evals.asking import Explained, outputs
from hubel.evals.bench import Job, Plan
from hubel.evals.leaderboard import board
from hubel.evals.neuron import Neuron
from hubel.evals.submission import Said, first_wrong
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.levels import jail_for
from hubel.sandbox.wire import WireError

#: What is said of the inputs of each suite.
DOMAINS = {
    "numbers": "from a number between -128 and 128 to a number",
    "strings": "from a string to a string",
}
#: What a planner is called in a row: the name of the model stands in the log.
_PLANNER = "inspect"
#: Rounds of a model that neither explains nor stops asking.
ROUNDS = 60

_SYSTEM = """\
You explain an unknown function f {domain}. Ask about inputs with `ask`: {budget} in all, several at
once. Outputs may be noisy, undefined (null), or lawless. There may be intervals in which f behaves
otherwise. Test your idea on inputs that could refute it before you explain.

When you are done, call `explain` once: Python source that defines f(x) with the standard library,
the same in words, and the probability that your code agrees with the noise-free f on 99% of fresh
inputs. If there is no law to be found, give no code: to claim one counts against you."""


@task
def neurons(
    suite: str = "numbers",
    n: int = 20,
    seed: int = 0,
    queries: int | None = None,
    sandbox: str = "isolated",
) -> Task:
    """Explain neurons whose truth is known.

    Args:
        suite: ``numbers`` or ``strings``.
        n: How many neurons.
        seed: Draws them.
        queries: Inputs that may be asked of each; None for the suite's own number.
        sandbox: Where the model's code runs: ``isolated``, ``confined`` or ``none``.

    Raises:
        ValueError: There is no such suite.
    """
    if suite not in DOMAINS:
        raise ValueError(f"Inspect is offered the suites {' and '.join(DOMAINS)}, not '{suite}'")
    plan = Plan((suite,), (), n, seed, queries)
    bench.check(plan)
    samples = [
        Sample(id=f"{suite}/{seed}/{k}", input=f"Explain function {k}.", metadata={"number": k})
        for k in range(n)
    ]
    told = _SYSTEM.format(domain=DOMAINS[suite], budget=plan.budget(suite))
    return Task(
        dataset=samples,
        solver=[system_message(told), use_tools(ask(plan), explain()), investigate()],
        scorer=executed(plan, sandbox),
    )


@solver
def investigate() -> Solver:
    """Rounds of the model and its tools, until it explains, stops asking, or is out of rounds."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.store.set("number", state.metadata["number"])
        begun = time.monotonic()
        for _ in range(ROUNDS):
            state = await generate(state, tool_calls="single")
            if state.store.get("said") or not state.output.message.tool_calls:
                break
        state.store.set("seconds", round(time.monotonic() - begun, 3))
        return state

    return solve


@tool
def ask(plan: Plan) -> Tool:
    """The questions, answered and counted."""
    suite, budget = plan.suites[0], plan.budget(plan.suites[0])

    async def execute(inputs: list[float | str]) -> str:
        """Outputs of the function.

        Args:
            inputs: Inputs to ask about, in a list.
        """
        asked = store().get("queries", 0)
        if len(inputs) > budget - asked:
            raise ToolError(f"{len(inputs)} inputs are too many: {budget - asked} are left")
        unit = await asyncio.to_thread(_neuron, suite, plan.seed, store().get("number"))
        try:
            answers = outputs(unit, inputs)
        except WireError as error:
            raise ToolError(str(error)) from None
        store().set("queries", asked + len(inputs))
        return json.dumps({"outputs": answers, "left": budget - asked - len(inputs)})

    return execute


@tool
def explain() -> Tool:
    """The explanation, taken once."""

    async def execute(
        text: str,
        confidence: float,
        code: str | None = None,
        exceptions: list[list[float]] | None = None,
    ) -> str:
        """Explain the function. This ends the investigation.

        Args:
            text: What the function does, in one or two sentences.
            confidence: Probability, 0 to 1, that the code agrees with it on 99% of fresh inputs.
            code: Python source that defines f(x); leave it out if there is no law to be found.
            exceptions: Intervals [low, high] in which the function behaves otherwise.
        """
        try:
            said = Said(
                number=store().get("number"),
                code=code,
                text=text,
                confidence=confidence,
                exceptions=exceptions or [],
            )
        except ValidationError as error:
            raise ToolError(first_wrong(error)) from None
        store().set("said", said.model_dump(mode="json"))
        return "Taken."

    return execute


@metric
def leaderboard() -> Metric:
    """The scores of `hubel bench`, from the rows of all samples."""

    def compute(scores: list[SampleScore]) -> dict[str, float]:
        rows = [s.score.metadata for s in scores if s.score.metadata]
        if not rows:
            return {}
        found = board(rows)[rows[0]["suite"]][_PLANNER]
        return {k: float(v) for k, v in found.items() if isinstance(v, int | float)}

    return compute


@scorer(metrics=[leaderboard()])
def executed(plan: Plan, sandbox: str) -> Scorer:
    """1 where the code is right, or where nothing is claimed of a null unit; else 0."""

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001  (there is none)
        said = state.store.get("said")
        row = await asyncio.to_thread(_row, plan, sandbox, state.metadata["number"], state, said)
        right = row["recovered"] if row["real"] else not row["claimed"]
        return Score(value=float(right), answer=row["code"], explanation=row["truth"], metadata=row)

    return score


def _row(
    plan: Plan, sandbox: str, number: int, state: TaskState, said: dict[str, Any] | None
) -> dict[str, Any]:
    """The row of a sample, as `hubel bench` would have it."""
    suite = plan.suites[0]
    finding = Said.model_validate(said).finding() if said else None
    explained = Explained(
        finding,
        "" if finding else "no explanation was given",
        state.store.get("queries", 0),
        state.store.get("seconds", 0.0),
    )
    job = Job(suite, _PLANNER, number)
    with CellSession(jail_for(sandbox), warm=SCORED) as cells:
        row = bench.row_of(plan, job, _neuron(suite, plan.seed, number), explained, cells)
    return row | {"tokens": state.token_usage}


@lru_cache(maxsize=256)
def _neuron(suite: str, seed: int, number: int) -> Neuron:
    return bench.neuron(suite, seed, number)
