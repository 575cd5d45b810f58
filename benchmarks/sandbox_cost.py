"""What the sandbox costs.

    python benchmarks/sandbox_cost.py

Goals: a warm cell adds at most 100 ms to an experiment; returning a picture of 224 pixels takes at
most 1 ms; returning 100 MB takes at most 1.5 times a copy of it in memory and the time of the
socket; a round trip to the lab takes at most 1 ms.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hubel.sandbox.cells import CellSession
from hubel.sandbox.jail import Jail
from hubel.sandbox.levels import jail_for
from hubel.sandbox.session import LabRefused, LabSession, LabSettings

TOOL = {"name": "nothing", "doc": "Does nothing.", "parameters": {"properties": {}}}
BIG = 100 * 1000 * 1000


def median(what: Callable[[], object], times: int) -> float:
    """Median seconds of one call."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        what()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def bare(code: str) -> None:
    """The same code without a sandbox: compiled and run here."""
    exec(compile(code, "<bare>", "exec"), {})  # noqa: S102


def experiment(jail: Jail) -> dict[str, float]:
    """Seconds of an experiment that does nothing, of the box it needs, and of a fresh box."""
    with CellSession(jail) as cells:
        first = median(lambda: cells.run("result = 1"), 1)
        warm = median(lambda: cells.run("result = 1"), 30)
        dirty = median(lambda: cells.run("open('x', 'w').close()"), 4)
    return {"first": first, "warm": warm, "after one that left a file": dirty}


def inside(jail: Jail, code: str) -> Any:
    """What code in a cell measured of its own calls."""

    def call(_tool: str, _args: dict[str, Any]) -> dict[str, Any]:
        return {"values": {}, "artifacts": [], "measures": {}}

    with CellSession(jail) as cells:
        ran = cells.run(code, call, [TOOL], lambda _pixels: "id")
        if ran.status != "done":
            raise SystemExit(ran.why)
        return ran.value


_TIMED = """
import time, statistics, numpy as np
def median(what, times):
    taken = []
    for _ in range(times):
        begun = time.perf_counter(); what(); taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
"""


def arrays(jail: Jail) -> dict[str, float]:
    """Seconds to return a picture, and 100 MB, beside a copy in memory and a socket."""
    side = int((BIG / 3) ** 0.5)
    found = inside(
        jail,
        _TIMED
        + "small = np.zeros((224, 224, 3), np.uint8)\n"
        + f"big = np.ones(({side}, {side}, 3), np.uint8)\n"
        + "result = {'picture': median(lambda: show(small), 50), 'big': median(lambda: show(big), 2),"
        + " 'copy': median(lambda: big.copy(), 3), 'call': median(lambda: tools.nothing(), 100)}\n",
    )
    found["socket"] = through_a_socket()
    return dict(found)


def through_a_socket() -> float:
    """Seconds to send 100 MB through a pair of sockets."""
    data = np.ones(BIG, np.uint8)
    into = bytearray(BIG)

    def send_and_receive() -> None:
        one, other = socket.socketpair()
        sender = threading.Thread(target=one.sendall, args=(data,))
        sender.start()
        view = memoryview(into)
        while len(view):
            view = view[other.recv_into(view) :]
        sender.join()
        one.close()
        other.close()

    return median(send_and_receive, 3)


def lab(jail: Jail, target: str) -> dict[str, float]:
    """Seconds to open a target, and of a call that is refused at once."""
    with tempfile.TemporaryDirectory() as home:
        settings = LabSettings(target, "scenes:4", Path(home), jail=jail)
        with LabSession(settings) as session:
            begun = time.perf_counter()
            _ = session.hello
            opened = time.perf_counter() - begun

            def refused() -> None:
                try:
                    session.call("nothing", {}, seed=0)
                except LabRefused:
                    return
                raise SystemExit("the lab carried out a tool that is not there")

            return {"opening": opened, "round trip": median(refused, 200)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--level", default="isolated", choices=["isolated", "confined"])
    parser.add_argument("--target", default="demo")
    given = parser.parse_args()
    jail = jail_for(given.level)
    found = {
        "experiment": experiment(jail),
        "arrays": arrays(jail),
        "lab in a box": lab(jail, given.target),
        "lab without": lab(Jail("none"), given.target),
    }
    print(
        json.dumps(
            {k: {n: round(1000 * s, 3) for n, s in v.items()} for k, v in found.items()}, indent=2
        )
    )


if __name__ == "__main__":
    main()
