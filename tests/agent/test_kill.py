"""Kill -9 at every step of a study: resumed, its ledger equals that of an undisturbed one."""

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.levels import ISOLATED

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"

#: Runs study 1 in the folder argv[1]; dies by SIGKILL at the argv[2]th write to the ledger.
PROGRAM = """
import os, signal, sys
from dataclasses import asdict
from pathlib import Path
from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger, _Guard
from hubel.agent.loop import run
from hubel.agent.planners import open_planner
from hubel.sandbox.levels import jail_for
from hubel.sandbox.session import LabSession, LabSettings

home, deadly, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
target, data, planner, level = sys.argv[4:8]
settings = LabSettings(target, data, home, jail=jail_for(level))
writes = 0
leave = _Guard.__exit__

def counted(self, *exception):
    global writes
    writes += 1
    if writes == deadly and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    leave(self, *exception)
    if writes == deadly and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)

with Ledger(home) as ledger, LabSession(settings) as lab:
    if not ledger.studies():
        ledger.begin(question="what?", model=target, unit="blocks.0:0", data=data,
            planner=planner, device="cpu", seed=0, budget=asdict(Budget()))
    _Guard.__exit__ = counted
    run(1, ledger, lab, open_planner(planner))
    print(writes)
"""

TIMES = {"created", "started", "finished", "seconds"}
TABLES = (
    "studies", "messages", "hypotheses", "predictions", "experiments", "artifacts", "uses",
    "verdicts", "explanations", "scores",
)  # fmt: skip


def go(home, deadly=0, when="after", planner="builtin", level="none"):
    study = [TINY, "scenes:120", planner, level]
    words = [sys.executable, "-c", PROGRAM, str(home), str(deadly), when, *study]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def content(home):
    """Every row of the ledger, but for times."""
    connection = sqlite3.connect(home / "ledger.db")
    connection.row_factory = sqlite3.Row
    rows = {
        table: [
            {k: row[k] for k in row.keys() if k not in TIMES}  # noqa: SIM118
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]
        for table in TABLES
    }
    connection.close()
    return rows


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    home = tmp_path_factory.mktemp("undisturbed")
    done = go(home)
    assert done.returncode == 0, done.stderr
    return content(home), int(done.stdout.split()[-1])


def lives_of(writes, home):
    """Start over and over, each time killed after so many writes, until the study is done."""
    for _ in range(200):
        done = go(home, writes, "after")
        if done.returncode == 0:
            return
        assert done.returncode == -signal.SIGKILL, done.stderr
    pytest.fail("the study makes no progress")


def test_killed_again_and_again_the_ledger_is_the_same(undisturbed, tmp_path):
    rows, writes = undisturbed
    assert writes > 20
    lives_of(writes // 3, tmp_path)
    assert content(tmp_path) == rows


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_every_write_in_turn_the_ledger_is_the_same(undisturbed, tmp_path):
    # Each run lives two writes: one more than it redoes of what the last was killed in.
    lives_of(2, tmp_path)
    assert content(tmp_path) == undisturbed[0]


def killed_at(home, deadly, when):
    """Kill the study at one write, and go on with it."""
    first = go(home, deadly, when)
    assert first.returncode == -signal.SIGKILL, first.stderr
    return go(home)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_once_at_each_write(undisturbed, tmp_path, when):
    rows, writes = undisturbed
    for deadly in range(1, writes + 1):
        home = tmp_path / str(deadly)
        again = killed_at(home, deadly, when)
        assert again.returncode == 0, again.stderr
        assert content(home) == rows, f"killed {when} write {deadly}"


def test_no_lab_outlives_its_host(tmp_path):
    go(tmp_path, 5, "after")
    seen = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in seen
    assert "ps -eo args" in seen


#: Its first call makes pictures, its second measures them.
CODE = """
made = tools.synthesize(n=2)["stimuli"]
kept = [keep(picture(name).rotate(90)) for name in made]
result = [seed, tools.activate(unit="blocks.0:0", stimuli=kept)["activation"]]
"""


@pytest.mark.parametrize("level", ISOLATED)
def test_killed_while_code_runs_its_calls_are_not_made_twice(tmp_path, level):
    form = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
    script = tmp_path / "script.json"
    steps = [
        {"calls": [{"tool": "run_python", "args": {"code": CODE}}]},
        {"conclusion": {"text": "Red.", "form": form}},
    ]
    script.write_text(json.dumps(steps))
    of_code = {"planner": f"scripted:{script}", "level": level}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    done = go(whole, **of_code)
    assert done.returncode == 0, done.stderr
    rows = content(whole)
    calls = [row["tool"] for row in rows["experiments"] if row["parent"] == 2]
    assert calls == ["synthesize", "activate"]
    # Killed in turn after the first call began, when it had ended, and when the second had begun.
    for deadly in (6, 2, 3):
        first = go(cut, deadly, **of_code)
        assert first.returncode == -signal.SIGKILL, first.stderr
    assert go(cut, **of_code).returncode == 0
    assert content(cut) == rows
