"""The benchmark: neurons whose truth is known, explained by planners that cannot reach it, scored.

The truth stays in this process, the evaluator. A planner runs in a box of its own and asks over a
socket; its code is executed in cells. Every result is a row of the ledger as soon as it is there,
so a run that was cut off goes on where it was.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hubel.agent.ledger import Ledger
from hubel.agent.planners.explorer import Finding
from hubel.evals.asking import Explained, Worker
from hubel.evals.explorers import explorer
from hubel.evals.neuron import Neuron
from hubel.evals.score import score
from hubel.sandbox.cells import CellSession
from hubel.sandbox.jail import Jail
from hubel.tools.units import nearest

#: Inputs that a planner may ask about, where nothing else is said.
QUERIES = {"numbers": 200, "strings": 200}
#: Where the neurons of each suite are made: modules with ``make(seed, number)``.
_FAMILIES = {
    "numbers": "hubel.evals.families.numbers",
    "strings": "hubel.evals.families.strings",
}
SUITES = tuple(QUERIES)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run.

    Attributes:
        suites: Their names.
        planners: Their names; ``oracle`` is told the truth.
        n: Neurons of each suite.
        seed: Draws the neurons, the held-out inputs and what planners choose.
        queries: Inputs that a planner may ask about; None for each suite's own number.
    """

    suites: tuple[str, ...]
    planners: tuple[str, ...]
    n: int
    seed: int
    queries: int | None = None

    def budget(self, suite: str) -> int:
        """Inputs that a planner may ask about in a suite."""
        return self.queries if self.queries is not None else QUERIES[suite]


@dataclass(frozen=True, slots=True)
class _Job:
    suite: str
    planner: str
    number: int


def check(plan: Plan) -> None:
    """Refuse what cannot be run before anything is.

    Raises:
        ValueError: There is no such suite or planner, or nothing to run.
    """
    for suite in plan.suites:
        if suite not in SUITES:
            raise ValueError(f"there is no suite '{suite}'. {nearest(suite, SUITES)}")
        for planner in plan.planners:
            if planner != "oracle":
                explorer(suite, planner)
    if plan.n < 1 or (plan.queries is not None and plan.queries < 1):
        raise ValueError("a benchmark needs at least one neuron and one query")


def run(plan: Plan, ledger: Ledger, jail: Jail, progress: Progress) -> list[dict[str, Any]]:
    """Run what the ledger does not have yet; gives the rows of the whole plan.

    Args:
        plan: What is to be run.
        ledger: Keeps each result.
        jail: How the boxes of planners and of their code are started.
        progress: Called with (done, total, what).

    Raises:
        ValueError: See `check`.
    """
    check(plan)
    jobs = [
        _Job(suite, planner, number)
        for suite in plan.suites
        for planner in plan.planners
        for number in range(plan.n)
    ]
    known = {_key(plan, job): None for job in jobs}
    rows = {key: row for key in known if (row := ledger.benched(key)) is not None}
    left = [job for job in jobs if _key(plan, job) not in rows]
    for job, result in _results(plan, left, jail):
        key = _key(plan, job)
        ledger.bench(key, result)
        rows[key] = result
        progress(len(rows), len(jobs), f"{job.suite}: {job.planner}")
    return [rows[key] for key in known]


def neuron(suite: str, seed: int, number: int) -> Neuron:
    """A neuron of a suite, with its truth."""
    made: Neuron = import_module(_FAMILIES[suite]).make(seed, number)
    return made


def _key(plan: Plan, job: _Job) -> tuple[str, int, int, str, int]:
    return (job.suite, plan.seed, plan.budget(job.suite), job.planner, job.number)


def _results(plan: Plan, jobs: Sequence[_Job], jail: Jail) -> Iterator[tuple[_Job, dict[str, Any]]]:
    """Results as they come, from one thread for each core, each with boxes of its own."""
    waiting: queue.SimpleQueue[_Job] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[_Job, dict[str, Any] | BaseException]] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    stop = threading.Event()

    def work() -> None:
        workers: dict[str, Worker] = {}
        try:
            with CellSession(jail) as cells:
                while not stop.is_set() and (job := _next(waiting)) is not None:
                    worker = workers.setdefault(job.planner, Worker(jail, job.planner))
                    done.put((job, _result(plan, job, worker, cells)))
        except BaseException as error:  # handed to the thread that waits for results
            done.put((jobs[0], error))
        finally:
            for worker in workers.values():
                worker.__exit__(None, None, None)

    threads = [threading.Thread(target=work) for _ in range(min(len(jobs), os.cpu_count() or 1))]
    for thread in threads:
        thread.start()
    try:
        for _ in jobs:
            job, result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield job, result
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _next(waiting: queue.SimpleQueue[_Job]) -> _Job | None:
    try:
        return waiting.get_nowait()
    except queue.Empty:
        return None


def _result(plan: Plan, job: _Job, worker: Worker, cells: CellSession) -> dict[str, Any]:
    """Explain one neuron and score what came of it."""
    unit = neuron(job.suite, plan.seed, job.number)
    # A planner is not told the seed of the neurons: with it, it could make them.
    own = int.from_bytes(hashlib.sha256(f"{plan.seed}/{job.number}".encode()).digest()[:4], "big")
    if job.planner == "oracle":
        told = Finding(unit.code, unit.description, 1.0, unit.exceptions) if unit.real else None
        explained = Explained(told, "", 0, 0.0)
    else:
        explained = worker.explain(unit, plan.budget(job.suite), own)
    finding = explained.finding
    return {
        "suite": job.suite,
        "planner": job.planner,
        "number": job.number,
        "kind": unit.kind,
        "complexity": unit.complexity,
        "real": unit.real and unit.code is not None,  # chance by construction has no law
        "truth": unit.description,
        "truth_code": unit.code,
        "text": finding.text if finding else None,
        "code": finding.code if finding else None,
        "confidence": float(finding.confidence) if finding else 0.0,
        "outside": bool(finding and finding.outside),
        "failed": explained.failed,
        "queries": explained.queries,
        "seconds": round(explained.seconds, 3),
        **score(unit, finding, cells, own).to_json(),
    }
