"""FIND's own functions as suites, from copies in either layout."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.sandbox.levels import ISOLATED

from hubel.agent.ledger import Ledger
from hubel.evals import bench
from hubel.evals.bench import Plan
from hubel.evals.families import find
from hubel.evals.families.find_strings import make, trimmed
from hubel.evals.leaderboard import board
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.levels import jail_for
from hubel.tools.data import DataError

REVERSES = """
import numpy as np
import sys

def turned(string):
    return string[::-1]

def function(string):
    return turned(string)

if __name__ == '__main__':
    print(function(sys.argv[1]))
"""
#: Three-way unit tests of it: the right one is the second, then the first.
TESTS = [
    [["x", "abc", "y"], ["xx", "cba", "1"]],
    [["go", "q", "r"], ["og", "Q", "9r"]],
]


def quiet(_done, _total, _what):
    pass


def number(name, params):
    return {
        "name": name, "params": params, "type": "simple", "domain": [-100, 100],
        "approx_mse_error": "not trained", "corruption_type": "interval_inside",
        "corruption_params": {"std": 3.0, "boundary": [10.0, 20.0]},
        "noise_type": "normal", "noise_params": 1,
    }  # fmt: skip


@pytest.fixture(params=["one file each", "as published"])
def copy(request, tmp_path):
    """A copy with functions of numbers, and one of strings with its source."""
    numbers = [number(f"linear(({k}.0, 1.0))", [float(k), 1.0]) for k in range(1, 7)]
    row = {"description": ": It reverses.\n", "test_inputs": ": abc, go"}
    if request.param == "one file each":
        (tmp_path / "numeric.json").write_text(json.dumps(numbers))
        strings = [{**row, "dir": "f00000", "unit_tests": TESTS, "correct": [2, 1]}]
        (tmp_path / "strings.json").write_text(json.dumps(strings))
    else:
        (tmp_path / "numeric").mkdir()
        (tmp_path / "numeric" / "data.json").write_text(
            json.dumps([{**n, "dir": f"f{k:05}"} for k, n in enumerate(numbers)])
        )
    place = tmp_path / "strings" / "f00000"
    place.mkdir(parents=True)
    (place / "function_code.py").write_text(REVERSES)
    if request.param == "as published":
        listed = json.dumps([{**row, "name": "f00000"}])
        (place.parent / "test_data.json").write_text(listed)
        tested = json.dumps([{"name": "f00000", "test_vec": TESTS, "correct_inx": [2, 1]}])
        (place.parent / "unit_test_data.json").write_text(tested)
    return tmp_path


@pytest.mark.parametrize("level", ISOLATED)
def test_functions_of_a_copy_are_explained_and_scored(copy, tmp_path, level):
    plan = Plan(("find-numbers", "find-strings"), ("oracle", "empty"), 4, 1, find_dir=copy)
    with Ledger(tmp_path / "home") as ledger:
        rows = bench.run(plan, ledger, jail_for(level), quiet)
        again = bench.run(plan, ledger, jail_for(level), quiet)
    assert again == rows
    scores = board(rows)
    assert scores["find-numbers"]["oracle"]["n"] == 4
    assert scores["find-strings"]["oracle"]["n"] == 1  # the copy has no more
    assert scores["find-strings"]["oracle"]["recovered"] == 1.0
    assert scores["find-strings"]["oracle"]["unit_test"] == 1.0
    assert scores["find-strings"]["oracle"]["indicator"] == 1.0
    assert scores["find-strings"]["empty"]["unit_test"] == pytest.approx(1 / 3)
    assert scores["find-strings"]["empty"]["indicator"] == 0.0
    assert scores["find-numbers"]["oracle"]["recovered"] == 1.0
    assert scores["find-numbers"]["empty"]["recovered"] == 0.0


def test_fewer_than_all_are_drawn_by_the_seed_and_each_comes_once(copy):
    def places(seed):
        return [find.make("find-numbers", copy, seed, k, None).name for k in range(6)]

    assert len(set(places(1))) == 6
    assert places(1) == places(1)
    assert {tuple(places(seed)) for seed in range(5)} != {tuple(places(1))}


def test_results_of_two_copies_are_kept_apart(copy, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "numeric.json").write_text(json.dumps([number("linear((9.0, 1.0))", [9.0, 1.0])]))
    plan = Plan(("find-numbers",), ("empty",), 1, 1, find_dir=copy)
    job = bench.Job("find-numbers", "empty", 0)
    assert bench.key_of(plan, job) != bench.key_of(replace(plan, find_dir=other), job)
    assert bench.key_of(plan, job)[0].startswith("find-numbers@")


def test_what_cannot_be_run_is_refused_in_one_sentence(copy, tmp_path_factory):
    with pytest.raises(ValueError, match="--find-dir"):
        bench.check(Plan(("find-numbers",), ("builtin",), 1, 0))
    nothing = tmp_path_factory.mktemp("nothing")
    with pytest.raises(ValueError, match="give the folder"):
        bench.check(Plan(("find-numbers",), ("builtin",), 1, 0, find_dir=nothing))
    with pytest.raises(ValueError, match="nothing to run"):
        bench.chosen("find", nothing)
    with pytest.raises(ValueError, match="give --find-dir"):
        bench.chosen("find")
    suites, left_out = bench.chosen("find", copy)
    assert suites == ("find-numbers", "find-strings")
    assert "find-entities is left out" in left_out
    for source in copy.glob("strings/*/function_code.py"):
        source.unlink()
    find.count.cache_clear()
    with pytest.raises(ValueError, match="cannot be asked"):
        bench.check(Plan(("find-strings",), ("builtin",), 1, 0, find_dir=copy))
    with pytest.raises(DataError, match="cannot be asked"):
        make(replace(find.find_strings.load_strings(copy)[0], source=""), None)


def test_a_source_keeps_what_it_uses_and_nothing_else():
    kept = trimmed("import numpy as np\nimport math, sys\ndef function(x):\n    return math.e\n")
    assert kept == "import math\n\ndef function(x):\n    return math.e"
    with pytest.raises(SyntaxError):
        trimmed("def")


@pytest.mark.parametrize("level", ISOLATED)
def test_a_source_runs_in_a_box_and_not_here(copy, tmp_path, level):
    mark = tmp_path / "mark"
    for source in copy.glob("strings/*/function_code.py"):
        source.write_text(
            f"open({str(mark)!r}, 'w').write('here')\ndef function(x):\n    return x\n"
        )
    find._strings.cache_clear()
    with CellSession(jail_for(level), warm=SCORED) as cells:
        neuron = find.make("find-strings", copy, 0, 0, cells)
        inputs, _ = neuron.draw(5, np.random.default_rng(0))
        with pytest.raises(DataError, match="could not be run"):
            neuron.function(inputs)
    assert not Path(mark).exists()
