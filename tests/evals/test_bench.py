import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from tests.sandbox.levels import ISOLATED
from typer.testing import CliRunner

from hubel.agent.ledger import Ledger, LedgerError
from hubel.agent.planners.explorer import Finding
from hubel.cli import app
from hubel.evals import bench
from hubel.evals.bench import Plan
from hubel.evals.calibration import calibration
from hubel.evals.leaderboard import board
from hubel.evals.neuron import Neuron
from hubel.evals.score import SHORT, nmse, run, score
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.levels import jail_for


@pytest.fixture(scope="module", params=ISOLATED)
def jail(request):
    return jail_for(request.param)


@pytest.fixture(scope="module")
def cells(jail):
    with CellSession(jail, warm=SCORED) as session:
        yield session


def quiet(_done, _total, _what):
    pass


def with_exception(low=20.0, high=60.0, name="numbers/0"):
    """x / 2, but -40 in an interval."""

    def f(xs):
        return [-40.0 if low <= x <= high else x / 2 for x in xs]

    def draw(n, rng):
        inputs = [float(x) for x in rng.uniform(-128, 128, n)]
        inside = [float(x) for x in rng.uniform(low, high, n // 4)]
        return inputs + inside, ["global"] * n + ["exception"] * len(inside)

    return Neuron(
        name, "numbers", "linear", "exception", f, f, draw, "x / 2, but -40 in an interval.",
        code=f"def f(x):\n    return -40.0 if {low} <= x <= {high} else x / 2\n",
        exceptions=((low, high),),
    )  # fmt: skip


def said(code, exceptions=()):
    return Finding(code, "some words", 0.9, exceptions)


def test_the_truth_scores_one_and_words_do_not_count(cells):
    neuron = with_exception()
    found = score(neuron, said(neuron.code, neuron.exceptions), cells, 0)
    assert found.recovered
    assert found.agreement == {"global": 1.0, "exception": 1.0}
    assert found.correlation == pytest.approx(1.0)
    assert (found.nmse, found.truth_nmse, found.overlap) == (0.0, 0.0, 1.0)
    other_words = replace(said(neuron.code, neuron.exceptions), text="quite other words")
    assert score(neuron, other_words, cells, 0) == found


def test_an_answer_that_ignores_the_exception_fails_there(cells):
    found = score(with_exception(), said("def f(x):\n    return x / 2\n"), cells, 0)
    assert not found.recovered
    assert found.agreement["exception"] < 0.05
    assert found.overlap == 0.0


def test_findings_own_score_is_fooled_by_ignoring_an_exception_and_ours_is_not(cells):
    neuron = with_exception(0.0, 8.0)
    found = score(neuron, said("def f(x):\n    return x / 2\n"), cells, 0)
    assert found.nmse < 0.1
    assert not found.recovered


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("def g(x):\n    return x\n", ""),
        ("def f(x):\n    return 1 / 0\n", ""),
        ("def f(x)\n", "SyntaxError"),
        ("import os\nos._exit(0)\n", "without a last word"),
        ("def f(x):\n    return -x\n", ""),
    ],
)
def test_wrong_code_scores_low_and_breaks_nothing(cells, code, why):
    found = score(with_exception(), said(code), cells, 0)
    assert found.claimed
    assert not found.recovered
    assert found.agreement["global"] < 0.2
    assert why in found.why


#: An explanation that knows no law and learns one from the inputs on which it is scored: the words
#: of the rule are commoner in them. It collects them from frames, from files, from times of folders
#: and from processes that it leaves behind.
TRANSDUCTIVE = """
import os, sys, json
from collections import Counter
SEEN, PLACES = [], ["/tmp/seen", "/dev/shm/seen", "seen"]
frame = sys._getframe()
while frame:
    SEEN += [x for x in frame.f_globals.get("inputs", ()) if isinstance(x, str)]
    frame = frame.f_back
for place in PLACES:
    try:
        SEEN += json.load(open(place))
    except (OSError, ValueError):
        pass
for place in PLACES:
    try:
        json.dump(SEEN, open(place, "w"))
    except OSError:
        pass
try:
    if os.fork() == 0:
        os.setsid()
        import time
        time.sleep(600)
    DAEMON = True
except OSError:
    DAEMON = False
WORDS = Counter(x.split(" ", 1)[0] for x in SEEN).most_common(2)
NAMED = {w for w, n in WORDS if n > 20 and len(SEEN) > 100}
def f(x):
    return 1.0 if x.split(" ", 1)[0] in NAMED else 0.0
"""


def leaning(n=400):
    """Texts of which half begin with one of two words, which are what counts."""
    rng = np.random.default_rng(0)
    others = [f"w{k}" for k in range(500)]
    texts = [
        f"{rng.choice(['sea', 'ship'] if k % 2 else others)} {rng.integers(1 << 30)}"
        for k in range(n)
    ]
    return texts, [float(text.split(" ", 1)[0] in ("sea", "ship")) for text in texts]


def test_code_cannot_learn_the_law_from_the_inputs_on_which_it_is_scored(cells, monkeypatch):
    texts, truth = leaning()
    got, why = run(cells, TRANSDUCTIVE, texts)
    assert (why, set(got)) == ("", {0.0})  # it never saw enough of them
    # With all inputs in one process, as a control, the same code has the law.
    monkeypatch.setattr("hubel.evals.score.HANDFUL", len(texts))
    got, why = run(cells, TRANSDUCTIVE, texts)
    assert (why, got) == ("", truth)


#: Says of a text how many others of its process begin as it does.
COMPANY = """
import sys
frame, ALL = sys._getframe(), ()
while frame:
    ALL = frame.f_globals.get("inputs") or ALL
    frame = frame.f_back
def f(x):
    return float(sum(other.split(" ", 1)[0] == x.split(" ", 1)[0] for other in ALL) - 1)
"""


def test_what_was_made_for_the_neuron_is_alone_among_its_kind_in_a_process(cells):
    texts = [f"{'sea' if k % 2 else f'w{k}'} {k}" for k in range(80)]
    made = [text.startswith("sea") for text in texts]
    got, why = run(cells, COMPANY, texts, made)
    assert (why, set(got)) == ("", {0.0})
    mixed, _ = run(cells, COMPANY, texts)  # as a control, drawn without regard to it
    assert max(mixed) > 0


def test_a_table_of_what_was_seen_is_no_law(cells):
    neuron = bench.neuron("numbers", 7, 1)
    knots = [(x * 2.0 - 128, neuron.truth([x * 2.0 - 128])[0]) for x in range(129)]
    table = (
        "import bisect\n"
        f"X = {[x for x, _ in knots]!r}\nY = {[float(y) for _, y in knots]!r}\n"
        "def f(x):\n"
        "    k = min(max(bisect.bisect(X, x), 1), len(X) - 1)\n"
        "    return Y[k - 1] + (Y[k] - Y[k - 1]) * (x - X[k - 1]) / (X[k] - X[k - 1])\n"
    )
    got = score(neuron, said(table), cells, 0)
    assert got.agreement["global"] >= 0.99
    assert (got.recovered, got.length > SHORT) == (False, True)
    # Words beside the law do not make it a table.
    told = f'"""{"It is a law. " * 200}"""\n{neuron.code}# {"so it is " * 200}\n'
    assert score(neuron, said(told), cells, 0).recovered


def test_an_exception_that_is_not_there_is_counted(cells):
    neuron = bench.neuron("numbers", 7, 1)
    assert not neuron.exceptions
    boasts = Finding(neuron.code, "", 1.0, exceptions=((3.0, 9.0),))
    assert score(neuron, boasts, cells, 0).false_exception is True
    assert score(neuron, said(neuron.code), cells, 0).false_exception is False
    assert score(with_exception(), said(None), cells, 0).false_exception is None


def test_code_that_is_scored_can_leave_no_file_and_no_process(cells):
    leaves = (
        "import os\n"
        "LEFT = 0.0\n"
        "for place in ('/tmp', '/dev/shm', os.getcwd()):\n"
        "    try:\n"
        "        open(os.path.join(place, 'left'), 'w').close()\n"
        "        LEFT += 1\n"
        "        os.unlink(os.path.join(place, 'left'))\n"
        "    except OSError:\n"
        "        pass\n"
        "try:\n"
        "    if os.fork() == 0:\n"
        "        os._exit(0)\n"
        "    LEFT += 10\n"
        "except OSError:\n"
        "    pass\n"
        "def f(x):\n"
        "    return LEFT\n"
    )
    # As a control, an experiment may.
    assert cells.run(leaves + "result = LEFT").value > 10
    got, why = run(cells, leaves, [float(x) for x in range(20)])
    assert (why, set(got)) == ("", {0.0})


def test_a_planner_is_told_nothing_of_the_seed_of_the_neurons(tmp_path, jail, monkeypatch):
    from hubel.evals.asking import Explained, Worker
    from hubel.evals.explorers import explorer

    def made(seed):
        steps = explorer("numbers", "cheater")(10, seed)
        with pytest.raises(StopIteration) as end:
            next(steps)
        return end.value.value.code

    # What a hash of seed and number gives away, the cheater takes.
    leaky = int.from_bytes(hashlib.sha256(b"3/0").digest()[:4], "big")
    assert made(leaky) == bench.neuron("numbers", 3, 0).code is not None
    told = {3: set(), 4: set()}

    def overhear(_self, _neuron, _budget, seed):
        told[current].add(seed)
        return Explained(None, "", 0, 0.0)

    monkeypatch.setattr(Worker, "explain", overhear)
    for current in told:
        with Ledger(tmp_path / str(current)) as ledger:
            bench.run(Plan(("numbers",), ("cheater",), 2, current), ledger, jail, quiet)
    assert told[3] == told[4]
    assert len(told[3]) == 2


def test_nothing_found_and_a_constant_are_the_floor(cells):
    nothing = score(with_exception(), said(None), cells, 0)
    assert (nothing.claimed, nothing.recovered, nothing.correlation) == (False, False, 0.0)
    constant = score(with_exception(), said("def f(x):\n    return 3\n"), cells, 0)
    assert (constant.recovered, constant.correlation) == (False, 0.0)


def test_nmse_is_finds():
    assert nmse([1.0, 2.0], [1.0, 2.0]) == 0.0
    assert nmse([0.0, 0.0], [1.0, 2.0]) == 1.0
    assert nmse([None, 2.0], [1.0, 2.0]) == pytest.approx(0.2)
    assert nmse([0.0], [0.0]) == 0.0


def test_calibration_is_zero_for_the_honest_and_large_for_the_boaster():
    def rows(confidence, hits):
        return [
            {"claimed": True, "confidence": confidence, "recovered": i < hits} for i in range(10)
        ]

    assert calibration(rows(0.8, 8)) == pytest.approx(0.0)
    assert calibration(rows(1.0, 2)) == pytest.approx(0.8)
    assert calibration([]) is None


def test_the_oracle_is_at_one_and_cheater_and_empty_are_at_the_floor(tmp_path, jail):
    plan = Plan(("numbers",), ("oracle", "empty", "cheater", "constant"), 3, 21)
    with Ledger(tmp_path) as ledger:
        found = board(bench.run(plan, ledger, jail, quiet))["numbers"]
    assert found["oracle"]["recovered"] == 1.0
    assert found["oracle"]["null_claimed"] in (0.0, None)
    for floor in ("empty", "cheater"):
        assert found[floor]["recovered"] == 0.0
        assert found[floor]["correlation"] == 0.0
        assert found[floor]["failed"] == 0
    assert found["constant"]["recovered"] < 0.5


def test_the_cheater_finds_a_truth_that_lies_about(tmp_path, monkeypatch):
    # Without a box, in a process that has it in its environment: so the cheater can succeed.
    from hubel.evals.explorers import explorer

    monkeypatch.setenv("ANSWER", "def f(x):\n    return x + 1\n")
    steps = explorer("numbers", "cheater")(10, 0)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value.code is not None


def test_a_run_goes_on_where_it_was_and_seeds_give_the_same(tmp_path, jail):
    first = Plan(("numbers",), ("polynomial",), 2, 5)
    steps = []

    def count(done, total, _what):
        steps.append((done, total))

    with Ledger(tmp_path) as ledger:
        two = bench.run(first, ledger, jail, count)
        assert steps == [(1, 2), (2, 2)]
        four = bench.run(replace(first, n=4), ledger, jail, count)
        assert steps[2:] == [(3, 4), (4, 4)]
        assert four[:2] == two
    with Ledger(tmp_path / "again") as ledger:
        again = bench.run(first, ledger, jail, quiet)
    strip = [{k: v for k, v in row.items() if k != "seconds"} for row in two]
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in again] == strip
    assert all(row["queries"] <= 200 for row in four)


def test_results_cannot_be_changed(tmp_path):
    with Ledger(tmp_path) as ledger:
        key = ("numbers", 0, 200, "builtin", 0)
        ledger.bench(key, {"recovered": True})
        with pytest.raises(LedgerError):
            ledger.bench(key, {"recovered": False})
        assert ledger.benched(key) == {"recovered": True}
        assert ledger.benched(("numbers", 1, 200, "builtin", 0)) is None


@pytest.mark.parametrize("suite", [s for s in bench.SUITES if s not in ("words", bench.REAL)])
def test_neurons_are_made_again_bit_for_bit(suite):
    for number in range(8):
        one, other = (bench.neuron(suite, 11, number) for _ in range(2))
        inputs, strata = one.draw(60, np.random.default_rng(1))
        assert (inputs, strata) == other.draw(60, np.random.default_rng(1))
        assert one.truth(inputs) == other.truth(inputs)
        assert (one.description, one.code) == (other.description, other.code)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--suite", "number"], "Did you mean 'numbers'"),
        (["--planner", "builtn"], "Did you mean 'builtin'"),
        (["--suite", "strings", "--planner", "polynomial"], "no planner 'polynomial'"),
    ],
)
def test_wrong_names_are_refused_before_anything_runs(tmp_path, words, why):
    done = CliRunner().invoke(app, ["bench", "--home", str(tmp_path), *words])
    assert why in str(done.exception)
    assert not (tmp_path / "ledger.db").exists()


@pytest.mark.parametrize("level", ISOLATED)
def test_the_command_prints_a_board_and_json(tmp_path, level):
    words = ["bench", "--suite", "strings", "--planner", "oracle,identity", "--n", "3"]
    where = ["--home", str(tmp_path), "--sandbox", level]
    done = CliRunner().invoke(app, [*words, *where])
    assert done.exit_code == 0, done.output
    assert "oracle" in done.output
    done = CliRunner().invoke(app, [*words, *where, "--json"])
    scores = json.loads(done.stdout)["strings"]["oracle"]
    assert scores["n"] == 3
    assert {"recovered", "correlation", "ci", "floor", "ceiling", "null_claimed", "abstained",
            "calibration", "queries", "seconds", "by_kind"} <= {*scores}  # fmt: skip
