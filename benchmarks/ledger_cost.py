"""What recording costs: growth of the file with the number of steps, and time against sqlite3.

    python benchmarks/ledger_cost.py

Every step holds one call whose result is 2 KB of JSON, as an `activate` on a dozen pictures has.
Goals: the file grows with an exponent of at most 1.1 and by at most 10 KB a step, LangGraph's
checkpoints included; writing a step takes at most 1.5 times what bare sqlite3 takes for the rows.
"""

from __future__ import annotations

import json
import math
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from hubel.agent.ledger import Ledger
from hubel.agent.loop import _State
from hubel.agent.records import Experiment, Message

STUDY: dict[str, Any] = {
    "question": "what?", "model": "demo", "unit": "a:0", "data": "demo", "planner": "builtin",
    "device": "cpu", "seed": 0, "budget": {},
}  # fmt: skip
ARGS = {"unit": "a:0", "stimuli": ["0" * 64] * 4}
RESULT: dict[str, Any] = {
    "values": {"activation": [0.123456] * 150}, "measures": {}, "metric": "activation",
    "mediator": "none", "counterfactual": "none", "seed": None, "artifacts": [],
}  # fmt: skip
CONTENT = {"step": {"thought": "t" * 200, "calls": [{"tool": "activate", "args": ARGS}]}}


def record(ledger: Ledger, study: int, n: int) -> None:
    """One step with one call, as the loop records it."""
    ledger.record_step(study, Message(n, "planner", CONTENT), 0.1)
    experiment = Experiment(
        n, n, "planner", "activate", "observation", ARGS, 0, "running", None, None, None
    )
    ledger.start(study, experiment)
    ledger.finish(study, n, "done", 0.1, result=RESULT)


def bare(connection: sqlite3.Connection, n: int) -> None:
    """The same rows and the same three commits with sqlite3 alone."""
    rows = (
        ("INSERT INTO messages VALUES (1, ?, 'planner', ?, '', 0.1)", (n, json.dumps(CONTENT))),
        (
            "INSERT INTO experiments VALUES (1, ?, ?, 'planner', 'activate', 'observation', ?, 0,"
            " 'running', NULL, NULL, NULL, NULL, NULL, '', NULL)",
            (n, n, json.dumps(ARGS)),
        ),
        (
            "UPDATE experiments SET status = 'done', result = ?, mediator = 'none',"
            " counterfactual = 'none', metric = 'activation' WHERE study = 1 AND n = ?",
            (json.dumps(RESULT), n),
        ),
    )
    for sql, values in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(sql, values)
        connection.execute("COMMIT")


def times(steps: int = 200, rounds: int = 5) -> tuple[float, float]:
    """Median milliseconds a step: ours, and bare sqlite3 on the same schema; in turn."""
    ours, theirs = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            with Ledger(Path(folder) / "a") as ledger:
                study = ledger.begin(**STUDY).id
                begun = time.perf_counter()
                for n in range(1, steps + 1):
                    record(ledger, study, n)
                ours.append((time.perf_counter() - begun) / steps * 1e3)
            with Ledger(Path(folder) / "b") as ledger:
                ledger.begin(**STUDY)
                path = ledger.path
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            begun = time.perf_counter()
            for n in range(1, steps + 1):
                bare(connection, n)
            theirs.append((time.perf_counter() - begun) / steps * 1e3)
            connection.close()
    return statistics.median(ours), statistics.median(theirs)


def size(steps: int) -> int:
    """Bytes of a ledger after so many steps, each with its checkpoint."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        study = ledger.begin(**STUDY).id

        def node(state: _State) -> dict[str, Any]:
            n = state["message"] + 1
            record(ledger, study, n)
            return {"message": n, "after": "node" if n < steps else END}

        graph = StateGraph(_State)
        graph.add_node("node", node)
        graph.add_edge(START, "node")
        graph.add_conditional_edges("node", lambda state: state["after"])
        connection = sqlite3.connect(ledger.path, check_same_thread=False)
        config: Any = {"configurable": {"thread_id": "1"}, "recursion_limit": 10**6}
        first: _State = {"message": 0, "call": 0, "after": "", "stop": None, "detail": None}
        compiled = graph.compile(checkpointer=SqliteSaver(connection))
        compiled.invoke(first, config, durability="sync")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return ledger.path.stat().st_size


def main() -> None:
    """Measure and print."""
    ours, theirs = times()
    print(f"a step: {ours:.2f} ms, bare sqlite3 {theirs:.2f} ms, ratio {ours / theirs:.2f}")
    sizes = {steps: size(steps) for steps in (30, 100, 300)}
    exponent = math.log(sizes[300] / sizes[30]) / math.log(10)
    grown = (sizes[300] - sizes[30]) / 270
    print(f"file: {sizes} bytes; exponent {exponent:.2f}; {grown / 1024:.1f} KB a step")


if __name__ == "__main__":
    main()
