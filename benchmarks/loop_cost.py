"""What the loop and the ledger cost a step, over a long study, and how the database grows.

    python benchmarks/loop_cost.py
    python benchmarks/loop_cost.py --steps 300 --json

A planner that decides nothing asks for one cheap call a step: a small unit on pictures that it has
seen. A step's cost is the time from one question to the planner to the next, without the time that
the ledger has for the tool. Guards are on. Goals: under 20 ms a step, the same at the end as at the
beginning, and a database that grows linearly.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import Call, Conclusion, Step, View
from hubel.sandbox.session import LabSession, LabSettings

TARGET = f"file:{Path(__file__).parents[1] / 'tests' / 'tiny.py'}:make"
UNIT = "blocks.0:0"
#: Steps over which the first and the last costs are taken.
ENDS = 20


class Steady:
    """Measures another set of pictures at each step, and notes the time and the database's size."""

    name = "steady"

    def __init__(self, steps: int, database: Path) -> None:
        self.steps, self.database = steps, database
        self.asked: list[float] = []
        self.given: list[float] = []
        self.sizes: list[int] = []

    def next(self, view: View) -> Step:
        self.asked.append(time.perf_counter())
        self.sizes.append(pages(self.database))
        i = len(self.asked)
        if i > self.steps:
            step = Step(conclusion=Conclusion(text="Nothing.", form=None))
        else:
            pictures = view.experiments[0].values["stimuli"]
            some = [p for bit, p in enumerate(pictures) if i >> bit & 1]
            args = {"unit": UNIT, "stimuli": some}
            step = Step(thought="t" * 200, calls=(Call(tool="activate", args=args),))
        self.given.append(time.perf_counter())
        return step


def pages(database: Path) -> int:
    """Bytes of a database, with what is not yet moved out of its log."""
    connection = sqlite3.connect(database)
    count, size = (connection.execute(f"PRAGMA page_{w}").fetchone()[0] for w in ("count", "size"))
    connection.close()
    return int(count * size)


def graph_bytes(database: Path) -> int:
    """Bytes of what LangGraph keeps: its checkpoints, and the writes that belong to them."""
    connection = sqlite3.connect(database)
    (checkpoints,) = connection.execute(
        "SELECT sum(length(checkpoint) + length(metadata)) FROM checkpoints"
    ).fetchone()
    (writes,) = connection.execute("SELECT sum(length(value)) FROM writes").fetchone()
    connection.close()
    return int(checkpoints + writes)


def measure(steps: int, pictures: int = 60) -> dict[str, Any]:
    """Run one study of so many steps."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with (
            LabSession(LabSettings(TARGET, f"scenes:{pictures}", home)) as lab,
            Ledger(home) as ledger,
        ):
            budget = Budget(rounds=steps + 9, calls=steps + 9, seconds=1e6)
            study = ledger.begin(
                question="what?", model=TARGET, unit=UNIT, data=f"scenes:{pictures}",
                planner="steady", device="cpu", seed=0, budget=asdict(budget),
            ).id  # fmt: skip
            planner = Steady(steps, ledger.path)
            ended = run(study, ledger, lab, planner)
            tools = {e.message: e.seconds or 0.0 for e in ledger.experiments(study)}
            errors = sum(m.role == "error" for m in ledger.messages(study))
            if ended.stop != "nothing found" or errors or len(tools) != steps + 2:
                raise RuntimeError(f"the study ended otherwise: {ended.stop}, {ended.stop_detail}")
            graph = graph_bytes(ledger.path)
        costs = [
            (planner.asked[i + 1] - planner.given[i] - tools[i + 1]) * 1e3 for i in range(steps)
        ]
    ends = min(ENDS, steps // 2)
    first, last = statistics.median(costs[:ends]), statistics.median(costs[-ends:])
    sizes, half = planner.sizes, steps // 2
    return {
        "steps": steps,
        "ms_a_step": round(statistics.median(costs), 2),
        "ms_p95": round(sorted(costs)[int(0.95 * (steps - 1))], 2),
        "ms_first": round(first, 2),
        "ms_last": round(last, 2),
        "last_to_first": round(last / first, 2),
        "tool_ms": round(statistics.median(list(tools.values())[1:-1]) * 1e3, 2),
        "bytes_a_step": round((sizes[-1] - sizes[0]) / steps),
        "bytes_a_step_first_half": round((sizes[half] - sizes[0]) / half),
        "bytes_a_step_second_half": round((sizes[-1] - sizes[half]) / (steps - half)),
        "bytes_of_graph_a_step": round(graph / steps),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100, help="At most 500.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    of = measure(given.steps)
    if given.json:
        print(json.dumps(of, indent=2))
        return
    print(f"{of['steps']} steps, one call each; the tool itself takes {of['tool_ms']} ms")
    print(f"a step: median {of['ms_a_step']} ms, 95% under {of['ms_p95']} ms")
    print(
        f"the first {ENDS}: {of['ms_first']} ms, the last: {of['ms_last']} ms, "
        f"{of['last_to_first']} times"
    )
    print(
        f"database: {of['bytes_a_step']} bytes a step ({of['bytes_a_step_first_half']} in the first "
        f"half, {of['bytes_a_step_second_half']} in the second), "
        f"LangGraph's own {of['bytes_of_graph_a_step']}"
    )


if __name__ == "__main__":
    main()
