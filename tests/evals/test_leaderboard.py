import io
import math

import numpy as np
import pytest
from rich.console import Console
from tests.evals.bench_rows import null, row, wrong

from hubel.evals.calibration import bins, calibration, calibration_by_chance
from hubel.evals.intervals import of_difference, of_mean, wilson
from hubel.evals.leaderboard import board, ranked
from hubel.evals.terminal import show


def printed(found, width=160):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(found, console)
    return console.file.getvalue()


def test_a_difference_is_paired_over_the_same_neurons():
    # Both are right on the even ones; one of them on every fourth of the odd ones as well.
    hard = [n % 2 == 1 for n in range(80)]
    ours = [row(n) if not h or n % 8 == 1 else wrong(n) for n, h in enumerate(hard)]
    theirs = [wrong(n, "other") if h else row(n, "other") for n, h in enumerate(hard)]
    found = board([*ours, *theirs, null(80), null(80, "other")])["numbers"]
    ahead = found["mine"]["versus"]["other"]
    assert ahead["n"] == 80
    difference, low, high = ahead["recovered"]
    assert difference == pytest.approx(10 / 80)
    assert 0 < low < difference < high
    # Unpaired, the spread of neurons would hide it.
    spread = math.sqrt(0.625 * 0.375 / 80 + 0.25 / 80)
    assert 0.125 - 1.96 * spread < 0
    mirrored = found["other"]["versus"]["mine"]["recovered"]
    assert mirrored == pytest.approx([-difference, -high, -low])


def test_the_same_answers_are_no_difference():
    rows = [row(n, correlation=n / 10) for n in range(10)]
    found = board([*rows, *({**r, "planner": "twin"} for r in rows)])["numbers"]
    assert found["mine"]["versus"]["twin"]["recovered"] == [0.0, 0.0, 0.0]
    assert found["mine"]["versus"]["twin"]["correlation"] == [0.0, 0.0, 0.0]


def test_only_neurons_that_both_explained_are_paired():
    found = board([row(0), wrong(1), row(1, "other"), row(2, "other")])["numbers"]
    assert found["mine"]["versus"]["other"]["n"] == 1
    assert found["mine"]["versus"]["other"]["recovered"][0] == -1.0


def test_intervals_of_differences_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(4)
    held = clear = 0
    for _ in range(200):
        hardness = rng.normal(size=60)  # shared: what pairing takes away
        ours, theirs = (hardness + shift + rng.normal(size=60) for shift in (0.5, 0.0))
        _, low, high = of_difference(list(ours), list(theirs))
        held += low <= 0.5 <= high
        clear += low > 0
    assert 0.88 <= held / 200 <= 0.99
    assert clear / 200 > 0.6  # and a difference that is there is seen


def test_a_difference_needs_pairs():
    assert of_difference([], []) is None
    with pytest.raises(ValueError, match="cannot be paired"):
        of_difference([1.0], [])


def test_shares_and_means_have_their_intervals():
    assert wilson(0, 0) is None
    low, high = wilson(50, 100)
    assert (low, high) == (pytest.approx(0.404, abs=0.001), pytest.approx(0.596, abs=0.001))
    assert of_mean([]) is None
    assert of_mean([0.5] * 9) == [0.5, 0.5]


def test_kinds_complexities_and_noise_are_told_apart_and_null_units_left_out():
    rows = [
        row(0, kind="wave", complexity="noise", snr=5.0),
        wrong(1, kind="wave", complexity="noise", snr=1.0),
        row(2, kind="step", complexity="clean"),
        null(3, kind="spikes", complexity="null"),
    ]
    scores = board(rows)["numbers"]["mine"]
    assert {k: v["recovered"] for k, v in scores["by_kind"].items()} == {"step": 1.0, "wave": 0.5}
    assert {k: v["n"] for k, v in scores["by_complexity"].items()} == {"clean": 1, "noise": 2}
    assert [*scores["by_snr"]] == ["none", "5", "1"]
    assert [v["recovered"] for v in scores["by_snr"].values()] == [1.0, 1.0, 0.0]
    beyond = [wrong(0, complexity="beyond", outside=True), row(1), wrong(2, complexity="beyond")]
    assert board(beyond)["numbers"]["mine"]["by_complexity"]["beyond"]["outside"] == 0.5


def test_calibration_is_measured_within_each_complexity():
    honest = [row(n, confidence=0.9) if n < 9 else wrong(n, confidence=0.9) for n in range(10)]
    boasts = [wrong(n, confidence=0.9, complexity="noise", snr=1.0) for n in range(10, 20)]
    scores = board([*honest, *boasts])["numbers"]["mine"]
    assert scores["by_complexity"]["clean"]["calibration"] == pytest.approx(0.0)
    assert scores["by_complexity"]["noise"]["calibration"] == pytest.approx(0.9)
    assert scores["by_snr"]["1"]["calibration"] == pytest.approx(0.9)
    assert scores["calibration"] == pytest.approx(0.45)


def test_few_claims_are_off_by_chance_and_many_less_so():
    def sure(n, said):
        return [row(i, confidence=said) for i in range(n)]

    assert calibration_by_chance(sure(1, 0.5)) == pytest.approx(0.5)
    assert calibration_by_chance(sure(2, 0.5)) == pytest.approx(0.25)
    assert calibration_by_chance(sure(200, 0.5)) < 0.05
    assert calibration_by_chance(sure(3, 1.0)) == pytest.approx(0.0)
    assert calibration_by_chance([*sure(2, 0.5), *sure(2, 1.0)]) == pytest.approx(0.125)
    assert calibration_by_chance([null(0)]) is None


def test_a_meaning_claimed_of_a_null_unit_counts_against_confidence():
    assert calibration([null(0, claimed=True, confidence=1.0)]) == 1.0
    assert bins([null(0)]) == []


def test_costs_are_means_and_none_where_nothing_was_spent():
    rows = [row(0, tokens=100, dollars=0.5), row(1, tokens=300, dollars=1.5, seconds=None)]
    scores = board(rows)["numbers"]["mine"]
    assert (scores["tokens"], scores["dollars"], scores["seconds"]) == (200, 1.0, 1.0)
    free = board([row(0)])["numbers"]["mine"]
    assert (free["tokens"], free["dollars"], free["pictures"]) == (None, None, None)
    assert "tokens" in printed(board(rows))
    assert "tokens" not in printed(board([row(0)]))


def test_budgets_that_differ_are_warned_of():
    same = board([row(0), row(0, "other", queries=3)])
    assert same["numbers"]["mine"]["versus"]["other"]["matched"]
    assert "WARNING" not in printed(same)
    unlike = board([row(0), row(0, "other", budget=1000)])
    assert not unlike["numbers"]["mine"]["versus"]["other"]["matched"]
    assert "WARNING: budgets are not matched: mine 200, other 1000 inputs a neuron" in printed(
        unlike
    )


def test_rows_of_older_ledgers_have_no_budget_and_match_nothing():
    old = [{k: v for k, v in row(0, p).items() if k not in ("budget", "snr")} for p in "ab"]
    scores = board(old)["numbers"]
    assert scores["a"]["budget"] is None
    assert not scores["a"]["versus"]["b"]["matched"]
    assert scores["a"]["by_snr"] == {}


def test_the_oracle_is_no_rival():
    found = board([row(0, "oracle"), row(0), wrong(0, "other")])
    text = printed(found)
    assert "mine over other (1 neurons): recovered +1.00" in text
    assert "over oracle" not in text
    assert "oracle over" not in text
    assert [name for name, _ in ranked(found["numbers"])][-1] == "other"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_table_fits_the_terminal_and_loses_nothing(width):
    full = {"unit_test": 0.123, "named": 0.234, "parts": True, "precision": 0.345, "dollars": 0.456}
    rows = [row(0, **full, tokens=98765, overlap=1.0), null(1), wrong(0, "submitted:another/v2")]
    text = printed(board(rows), width)
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= width
    assert "…" not in text
    for number in (".12", ".23", ".34", "98765", ".456"):
        assert number in text
    tables = sum(line.startswith("planner") for line in lines)
    assert tables == sum(line.startswith("mine ") and "over" not in line for line in lines)
    assert (tables > 1) == (width < 200)


def test_laws_beyond_the_grammar_are_counted_apart():
    flagged = wrong(1, beyond=True, outside=True, confidence=0.1)
    claimed = wrong(2, beyond=True, confidence=0.7)
    found = board([row(0), flagged, claimed])["numbers"]["mine"]
    assert found["recovered"] == 1
    assert found["beyond_n"] == 2
    assert found["beyond_flagged"] == 0.5
    assert found["beyond_surest"] == 0.7
    assert board([row(0)])["numbers"]["mine"]["beyond_flagged"] is None
