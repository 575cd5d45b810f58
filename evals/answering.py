"""What an explainer outside needs: questions answered and counted, without the truth.

Over two streams, a line of JSON each way: `answer` serves any language and any agent. What it
guards against is mistakes. The process that answers holds the truth and belongs to the same user,
and whoever knows the seed can make the neurons; so a result from elsewhere is as honest as its
author.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import ValidationError

from hubel.agent.ledger import Ledger
from hubel.evals import bench
from hubel.evals.asking import outputs
from hubel.evals.bench import Job, Plan
from hubel.evals.neuron import Neuron
from hubel.evals.submission import Said, first_wrong, keep
from hubel.sandbox.cells import CellSession
from hubel.sandbox.wire import WireError

#: What a file of tables begins with.
TABLES = "hubel-questions/1"
#: How many inputs are drawn for one that is shown: those in and near exceptions are left out.
_MORE = 4


def tables(plan: Plan, cells: CellSession) -> dict[str, Any]:
    """Inputs of neurons with their outputs, for explainers that ask nothing.

    Inputs are drawn as the neuron's inputs are; none of them are those on which explanations are
    scored, and none are chosen by where the neuron is exceptional.

    Args:
        plan: One suite; planners play no part.
        cells: Where functions run that are not ours.

    Returns:
        The document, JSON.

    Raises:
        ValueError: There is no such suite.
    """
    bench.check(plan)
    (suite,), each, neurons = plan.suites, plan.budget(plan.suites[0]), []
    for number in plan.numbers(suite):
        unit = bench.neuron(suite, plan.seed, number, plan.find_dir, cells)
        drawn, strata = unit.draw(_MORE * each, np.random.default_rng([plan.seed, number, 0xE4]))
        shown = [x for x, s in zip(drawn, strata, strict=True) if s == "global"][:each]
        neurons.append({"number": number, "inputs": shown, "outputs": outputs(unit, shown)})
    return {
        "format": TABLES,
        "suite": suite,
        "seed": plan.seed,
        "n": len(neurons),
        "queries": each,
        "neurons": neurons,
    }


@dataclass(slots=True)
class _Asked:
    """One neuron, and what an explainer asked of it."""

    unit: Neuron
    begun: float = field(default_factory=time.monotonic)
    queries: int = 0


class Session:
    """Answers one explainer's questions, and takes its explanations.

    Args:
        plan: One suite and one planner, `submitted:NAME`.
        ledger: Keeps each result as soon as it is there.
        cells: Where the explanations run.

    Raises:
        ValueError: There is no such suite.
    """

    def __init__(self, plan: Plan, ledger: Ledger, cells: CellSession) -> None:
        bench.check(plan)
        self._plan, self._ledger, self._cells = plan, ledger, cells
        self._open: dict[int, _Asked] = {}

    @property
    def _suite(self) -> str:
        return self._plan.suites[0]

    def greeting(self) -> dict[str, Any]:
        """The first line: what is asked for, and which neurons are left to explain."""
        return {
            "suite": self._suite,
            "planner": self._plan.planners[0],
            "queries": self._plan.budget(self._suite),
            "left": [n for n in self._plan.numbers(self._suite) if not self._explained(n)],
        }

    def answer(self, line: str) -> dict[str, Any]:
        """The reply to one line: outputs, that an explanation was taken, or what is wrong."""
        try:
            given = _object(line)
            if "ask" in given:
                return self._ask(given)
            return self._take(Said.model_validate_json(line))
        except ValidationError as error:
            return {"error": first_wrong(error)}
        except (ValueError, WireError) as error:
            return {"error": str(error)}

    def close(self) -> None:
        """Neurons that were asked about and not explained count as not explained."""
        for number, asked in self._open.items():
            keep(self._plan, number, None, asked.queries, self._ledger, self._cells)
        self._open.clear()

    def _ask(self, given: dict[str, Any]) -> dict[str, Any]:
        number, inputs = given.get("number"), given["ask"]
        if {*given} != {"number", "ask"} or not isinstance(inputs, list) or not inputs:
            raise ValueError('a question is {"number": N, "ask": [input, ...]}')
        asked = self._asked(number)
        left = self._plan.budget(self._suite) - asked.queries
        if len(inputs) > left:
            raise ValueError(f"{len(inputs)} inputs are too many: {left} are left for this neuron")
        answers = outputs(asked.unit, inputs)
        asked.queries += len(inputs)
        return {"number": number, "outputs": answers, "left": left - len(inputs)}

    def _take(self, said: Said) -> dict[str, Any]:
        asked = self._asked(said.number)
        if said.seconds is None:
            took = round(time.monotonic() - asked.begun, 3)
            said = said.model_copy(update={"seconds": took})
        keep(self._plan, said.number, said, asked.queries, self._ledger, self._cells)
        del self._open[said.number]
        return {"number": said.number, "taken": True}

    def _asked(self, number: Any) -> _Asked:
        """The neuron of a number, made when it is first spoken of."""
        numbers = self._plan.numbers(self._suite)
        if type(number) is not int or number not in numbers:
            raise ValueError(f"'number' is one of 0 to {len(numbers) - 1}")
        if number not in self._open:
            if self._explained(number):
                raise ValueError(f"neuron {number} is explained already, and that is final")
            plan = self._plan
            unit = bench.neuron(self._suite, plan.seed, number, plan.find_dir, self._cells)
            self._open[number] = _Asked(unit)
        return self._open[number]

    def _explained(self, number: int) -> bool:
        job = Job(self._suite, self._plan.planners[0], number)
        return self._ledger.benched(bench.key_of(self._plan, job)) is not None


def _object(line: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except RecursionError:
        raise ValueError("a line is one JSON object, and this one is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"a line is one JSON object, and this is none: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"a line is one JSON object, and this is a {type(given).__name__}")
    return given


def serve(session: Session, lines: Iterable[str]) -> Iterator[str]:
    """The lines of a session: its greeting, then a reply to each line, until there are no more."""
    yield json.dumps(session.greeting())
    for line in lines:
        if line.strip():
            yield json.dumps(session.answer(line))
    session.close()  # at the end of the lines alone: whoever was cut off can come back
