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
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hubel.agent.ledger import Ledger
from hubel.agent.planners.explorer import Finding
from hubel.evals import channels, unit_tests
from hubel.evals.asking import Explained, Worker
from hubel.evals.channels import Channels
from hubel.evals.explorers import explorer
from hubel.evals.neuron import Neuron
from hubel.evals.score import score
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.jail import Jail
from hubel.tools.data import DataError
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

if TYPE_CHECKING:
    from hubel.evals.families.words.encoder import Encoder

#: Inputs that a planner may ask about, or tool calls that it may make of real channels, where
#: nothing else is said.
QUERIES = {
    "numbers": 200, "strings": 200, "words": 1000, "scenes": 400, "real": 60,
    "find-numbers": 200, "find-strings": 200, "find-entities": 1000, "find-relations": 1000,
}  # fmt: skip
#: Where the neurons of each suite are made: modules with ``make(seed, number)``.
_FAMILIES = {
    "numbers": "hubel.evals.families.numbers",
    "strings": "hubel.evals.families.strings",
    "words": "hubel.evals.families.words",
    "scenes": "hubel.evals.families.scenes.suite",
}
#: The suite of real channels, of which nobody knows the truth: whole studies, in a lab.
REAL = "real"
SUITES = (*_FAMILIES, REAL)
#: Suites that are read from a user's copy of FIND.
FIND = tuple(suite for suite in QUERIES if suite not in SUITES)
#: What explorers of a suite have to know, where that is not its name.
_DOMAINS = {
    "words": ("words", "pairs"), "find-numbers": ("numbers",), "find-strings": ("strings",),
    "find-entities": ("words",), "find-relations": ("pairs",),
}  # fmt: skip
#: Suites that need the sentence encoder.
_WORDS = ("words", "find-entities", "find-relations")
#: What the names of those begin with whose explanations came in a file.
SUBMITTED = "submitted:"

#: Other functions that unit tests of a function of strings are drawn from.
_OTHERS = 8

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
        find_dir: A copy of FIND's definitions, for the suites of `FIND`.
    """

    suites: tuple[str, ...]
    planners: tuple[str, ...]
    n: int
    seed: int
    queries: int | None = None
    find_dir: Path | None = None

    def budget(self, suite: str) -> int:
        """Inputs that a planner may ask about in a suite."""
        return self.queries if self.queries is not None else QUERIES[suite]

    def numbers(self, suite: str) -> range:
        """The numbers of a suite's neurons; of FIND's no more than the copy has."""
        if suite in FIND and self.find_dir is not None:
            from hubel.evals.families import find

            return range(min(self.n, find.count(suite, self.find_dir)))
        return range(self.n)


@dataclass(frozen=True, slots=True)
class Job:
    """One neuron to be explained by one planner."""

    suite: str
    planner: str
    number: int


def check(plan: Plan) -> None:
    """Refuse what cannot be run before anything is.

    Raises:
        ValueError: There is no such suite or planner, or nothing to run.
        ToolError: A suite needs an extra that is not installed.
    """
    for suite in plan.suites:
        if suite not in QUERIES:
            raise ValueError(f"there is no suite '{suite}'. {nearest(suite, [*QUERIES])}")
        if suite in FIND and plan.find_dir is None:
            raise ValueError(f"'{suite}' is read from a copy of FIND: give --find-dir FOLDER")
        if suite in _WORDS:
            _encoder().check()
        if suite == REAL:
            channels.installed()
        try:
            plan.numbers(suite)
        except DataError as error:
            raise ValueError(str(error)) from None
        for planner in plan.planners:
            if suite == REAL:
                channels.check(planner)
            elif planner != "oracle" and not planner.startswith(SUBMITTED):
                for domain in _DOMAINS.get(suite, (suite,)):
                    explorer(domain, planner)
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
        Job(suite, planner, number)
        for suite in plan.suites
        for planner in plan.planners
        for number in plan.numbers(suite)
    ]
    known = {key_of(plan, job): None for job in jobs}
    rows = {key: row for key in known if (row := ledger.benched(key)) is not None}
    left = [job for job in jobs if key_of(plan, job) not in rows]
    for job in left:
        if job.planner.startswith(SUBMITTED):
            raise ValueError(
                f"the ledger has nothing by '{job.planner}' on neuron {job.number} of {job.suite} "
                f"with seed {plan.seed} and {plan.budget(job.suite)} queries: "
                "`hubel bench score FILE` scores explanations made elsewhere"
            )
    for job, result in _results(plan, left, jail, ledger.home):
        key = key_of(plan, job)
        ledger.bench(key, result)
        rows[key] = result
        progress(len(rows), len(jobs), f"{job.suite}: {job.planner}")
    return [rows[key] for key in known]


def chosen(names: str, find_dir: Path | None = None) -> tuple[tuple[str, ...], str]:
    """The suites of `--suite`, and a sentence on what had to be left out; empty if nothing had.

    Args:
        names: Joined by commas; ``all`` stands for all of our own that can run here, ``find`` for
            all that a copy of FIND has.
        find_dir: That copy.

    Raises:
        ValueError: Nothing is left, or the copy is not named.
    """
    suites: list[str] = []
    left_out = []
    for name in names.split(","):
        if name == "find" and find_dir is None:
            raise ValueError("'find' stands for a copy of FIND: give --find-dir FOLDER")
        some = {"all": SUITES, "find": FIND}.get(name, (name,))
        for suite in some:
            try:
                if len(some) > 1:
                    check(Plan((suite,), (), 1, 0, None, find_dir))
                suites.append(suite)
            except (ValueError, ToolError) as error:
                left_out.append(f"{suite} is left out: {error}")
    if not suites:
        raise ValueError(f"there is nothing to run: {' '.join(left_out)}")
    return tuple(dict.fromkeys(suites)), " ".join(left_out)


def neuron(
    suite: str,
    seed: int,
    number: int,
    find_dir: Path | None = None,
    cells: CellSession | None = None,
) -> Neuron:
    """A neuron of a suite, with its truth.

    Args:
        suite: Name of the suite.
        seed: Draws it.
        number: Which of the suite.
        find_dir: A copy of FIND's definitions, for its suites.
        cells: Where FIND's functions of strings run.
    """
    if suite in FIND and find_dir is not None:
        from hubel.evals.families import find

        return find.make(suite, find_dir, seed, number, cells)
    made: Neuron = import_module(_FAMILIES[suite]).make(seed, number)
    if suite == "strings" and made.real:
        others = [
            other
            for k in range(1, _OTHERS + 1)
            if (other := import_module(_FAMILIES[suite]).make(seed, number + k)).real
        ]
        rng = np.random.default_rng([seed, number, 0x07])
        tests = unit_tests.drawn(made, others, rng)
        return replace(made, about=(made.about or {}) | {"unit_tests": tests})
    return made


def _encoder() -> Encoder:
    from hubel.evals.families.words.encoder import shared

    return shared()


def key_of(plan: Plan, job: Job) -> tuple[str, int, int, str, int]:
    """The key of a job's result in the ledger; that of FIND's functions tells copies apart."""
    suite = job.suite
    if suite in FIND and plan.find_dir is not None:
        from hubel.evals.families import find

        suite = f"{suite}@{find.digest(suite, plan.find_dir)}"
    return (suite, plan.seed, plan.budget(job.suite), job.planner, job.number)


def _results(
    plan: Plan, jobs: Sequence[Job], jail: Jail, home: Path
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Results as they come, from one thread for each core, each with boxes of its own."""
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Job, dict[str, Any] | BaseException]] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    stop = threading.Event()
    words = _encoder().words if any(job.suite in _WORDS for job in jobs) else None

    def work() -> None:
        workers: dict[str, Worker] = {}
        try:
            with CellSession(jail, warm=SCORED) as cells, Channels(home, jail) as labs:
                while not stop.is_set() and (job := _next(waiting)) is not None:
                    if job.suite == REAL:
                        budget = plan.budget(REAL)
                        done.put((job, labs.row(job.planner, plan.seed, job.number, budget)))
                        continue
                    worker = workers.setdefault(job.planner, Worker(jail, job.planner, words))
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


def _next(waiting: queue.SimpleQueue[Job]) -> Job | None:
    try:
        return waiting.get_nowait()
    except queue.Empty:
        return None


def _result(plan: Plan, job: Job, worker: Worker, cells: CellSession) -> dict[str, Any]:
    """Explain one neuron and score what came of it."""
    unit = neuron(job.suite, plan.seed, job.number, plan.find_dir, cells)
    if job.planner == "oracle":
        about = (unit.about or {}).get("told")
        truth = Finding(unit.code, unit.description, 1.0, unit.exceptions, about=about)
        told = truth if unit.real else None
        explained = Explained(told, "", 0, 0.0)
    else:
        explained = worker.explain(unit, plan.budget(job.suite), _seed_told(job))
    return row_of(plan, job, unit, explained, cells)


def _seed_told(job: Job) -> int:
    """A planner's seed has nothing of the plan's: what is made from that, guessing finds out."""
    return _hashed(f"planner/{job.number}", 4)


def _seed_held_out(plan: Plan, job: Job) -> int:
    """Of the inputs on which explanations are scored; it never leaves this process."""
    return _hashed(f"held out/{plan.seed}/{job.number}", 8)


def _hashed(text: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size], "big")


def row_of(
    plan: Plan, job: Job, unit: Neuron, explained: Explained, cells: CellSession
) -> dict[str, Any]:
    """The row of an explained neuron: what it is, what was said of it, and the scores."""
    finding = explained.finding
    return {
        "suite": job.suite,
        "planner": job.planner,
        "number": job.number,
        "kind": unit.kind,
        "complexity": unit.complexity,
        "beyond": bool((unit.about or {}).get("beyond")),  # lawful, but no list of conjunctions
        "real": unit.real and unit.code is not None,  # chance by construction has no law
        "truth": unit.description,
        "truth_code": unit.code,
        "text": finding.text if finding else None,
        "code": finding.code if finding else None,
        "confidence": float(finding.confidence) if finding else 0.0,
        "outside": bool(finding and finding.outside),
        "failed": explained.failed,
        "budget": plan.budget(job.suite),
        "snr": (unit.about or {}).get("snr"),
        "queries": explained.queries,
        "seconds": round(explained.seconds, 3),
        **score(unit, finding, cells, _seed_held_out(plan, job)).to_json(),
    }
