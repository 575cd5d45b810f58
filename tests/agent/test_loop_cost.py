"""The benchmark of the loop runs, and what it prints is of this run."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "loop_cost.py"


def test_the_benchmark_of_the_loop_runs():
    words = [sys.executable, str(SCRIPT), "--steps", "6", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured["steps"] == 6
    assert measured["ms_a_step"] > 0
    assert measured["bytes_a_step"] > 0
