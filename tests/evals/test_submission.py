import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.sandbox.levels import ISOLATED
from typer.testing import CliRunner

from hubel.agent.ledger import Ledger
from hubel.cli import app
from hubel.evals import bench
from hubel.evals.answering import Session, serve, tables
from hubel.evals.bench import Plan
from hubel.evals.leaderboard import board
from hubel.evals.submission import plan_of, read, score_submission
from hubel.evals.submission_format import EXAMPLE, TEXT
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.levels import jail_for

SEED, N, QUERIES = 19, 4, 20


@pytest.fixture(scope="module", params=ISOLATED)
def jail(request):
    return jail_for(request.param)


@pytest.fixture(scope="module")
def cells(jail):
    with CellSession(jail, warm=SCORED) as session:
        yield session


def quiet(_done, _total, _what):
    pass


def truth(number):
    """What the oracle would submit."""
    unit = bench.neuron("numbers", SEED, number)
    return {
        "number": number,
        "code": unit.code if unit.real else None,
        "text": unit.description,
        "confidence": 1.0,
        "exceptions": [list(e) for e in unit.exceptions],
    }


def written(tmp_path, explanations, **other):
    document = {
        "format": "hubel-explanations/1", "planner": "mine", "suite": "numbers", "seed": SEED,
        "n": N, "queries": QUERIES, "explanations": explanations,
    }  # fmt: skip
    path = tmp_path / "explanations.json"
    path.write_text(json.dumps(document | other))
    return path


def scored(path, home, jail):
    given = read(path)
    with Ledger(home) as ledger:
        return score_submission(given, given.plan(), ledger, jail, quiet)


def test_the_truth_submitted_scores_as_the_oracle_does(tmp_path, jail):
    path = written(tmp_path, [truth(k) | {"queries": 7, "dollars": 0.25} for k in range(N)])
    rows = scored(path, tmp_path, jail)
    plan = Plan(("numbers",), ("oracle", "submitted:mine"), N, SEED, QUERIES)
    with Ledger(tmp_path) as ledger:
        found = board(bench.run(plan, ledger, jail, quiet))["numbers"]
    mine, oracle = found["submitted:mine"], found["oracle"]
    same = ("recovered", "agreement", "correlation", "exceptions_found", "null_claimed")
    assert {k: mine[k] for k in same} == {k: oracle[k] for k in same}
    assert mine["recovered"] == 1.0
    assert (mine["queries"], mine["dollars"], mine["seconds"]) == (7, 0.25, None)
    assert mine["versus"]["oracle"]["matched"]
    assert len(rows) == N


def test_a_wrong_explanation_and_a_missing_one_score_nothing(tmp_path, jail):
    lie = {"code": "def f(x):\n    return 1234.5\n", "text": "A lie.", "confidence": 1.0}
    rows = scored(written(tmp_path, [{"number": 1, "queries": 3, **lie}]), tmp_path, jail)
    scores = board(rows)["numbers"]["submitted:mine"]
    assert scores["recovered"] == 0.0
    assert scores["n"] == N
    assert scores["failed"] == N - 1
    assert [r["failed"] for r in rows if r["number"] != 1] == ["no explanation was given"] * 3


def test_code_from_elsewhere_runs_in_a_cell(tmp_path, jail):
    loot = tmp_path / "loot"
    code = f"open({str(loot)!r}, 'w').write('x')\ndef f(x):\n    return x\n"
    said = {"number": 0, "code": code, "text": "", "confidence": 0.5, "queries": 0}
    row = scored(written(tmp_path, [said], n=1), tmp_path, jail)[0]
    assert row["why"]
    assert not row["recovered"]
    assert not loot.exists()


def test_what_was_submitted_is_not_scored_twice_and_never_changed(tmp_path, jail):
    path = written(tmp_path, [truth(0) | {"queries": 1}], n=2)
    first = scored(path, tmp_path, jail)
    assert scored(path, tmp_path, jail) == first
    written(tmp_path, [truth(0) | {"queries": 1, "confidence": 0.5}], n=2)
    with pytest.raises(ValueError, match="submit under another name"):
        scored(path, tmp_path, jail)
    written(tmp_path, [truth(0) | {"queries": 1}, truth(1) | {"queries": 1}], n=2)
    with pytest.raises(ValueError, match="neuron 1 of numbers"):
        scored(path, tmp_path, jail)


GOOD = {"number": 0, "code": None, "text": "", "confidence": 0.5, "queries": 1}


@pytest.mark.parametrize(
    ("explanations", "other", "why"),
    [
        ([{**GOOD, "confidence": 1.5}], {}, "explanations.0.confidence: .*less than or equal to 1"),
        ([{**GOOD, "confidence": "0.5"}], {}, "explanations.0.confidence"),
        ([{k: v for k, v in GOOD.items() if k != "queries"}], {}, "queries: Field required"),
        ([{**GOOD, "score": 1}], {}, "score: Extra inputs are not permitted"),
        ([{**GOOD, "exceptions": [[1]]}], {}, "explanations.0.exceptions.0"),
        ([{**GOOD, "code": "x" * 100_001}], {}, "explanations.0.code"),
        ([GOOD, GOOD], {}, "neuron 0 is there twice"),
        ([{**GOOD, "number": 4}], {}, "past the last neuron"),
        ([{**GOOD, "queries": 21}], {}, "took 21 queries, but 20 are stated"),
        ([GOOD], {"format": "other"}, "format"),
        ([GOOD], {"planner": "a b"}, "planner"),
        ([GOOD], {"seed": -1}, "seed"),
    ],
)
def test_a_file_that_is_not_in_order_is_refused_with_one_sentence(
    tmp_path, explanations, other, why
):
    with pytest.raises(ValueError, match=why) as refused:
        read(written(tmp_path, explanations, **other))
    assert type(refused.value) is ValueError  # what the command line knows as wrong use
    assert "\n" not in str(refused.value)


def test_a_suite_that_is_not_there_and_a_file_that_is_no_json_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no suite 'letters'"):
        read(written(tmp_path, [GOOD], suite="letters")).plan()
    (tmp_path / "no.json").write_text("{")
    with pytest.raises(ValueError, match="the document: Invalid JSON"):
        read(tmp_path / "no.json")
    with pytest.raises(ValueError, match="cannot name an explainer"):
        plan_of("../x", "numbers", 0, 1, None)


def test_the_example_of_the_format_is_in_order(tmp_path, jail):
    assert json.dumps(EXAMPLE, indent=2) in TEXT
    path = tmp_path / "example.json"
    path.write_text(json.dumps(EXAMPLE))
    assert len(scored(path, tmp_path, jail)) == EXAMPLE["n"]
    assert CliRunner().invoke(app, ["bench", "submit-format"]).stdout == TEXT
    schema = json.loads(CliRunner().invoke(app, ["bench", "submit-format", "--json"]).stdout)
    assert {*schema["required"]} == {*EXAMPLE}


def test_questions_are_answered_as_the_neuron_does_and_counted(tmp_path, cells):
    with Ledger(tmp_path) as ledger:
        asked = Session(plan_of("mine", "numbers", SEED, N, QUERIES), ledger, cells)
        number = next(
            k for k in range(N) if bench.neuron("numbers", SEED, k).complexity in ("clean", "noise")
        )
        unit = bench.neuron("numbers", SEED, number)
        told = asked.answer(json.dumps({"number": number, "ask": [1, 2.5]}))
        assert told["left"] == QUERIES - 2
        if unit.complexity == "clean":
            assert told["outputs"] == unit.truth([1, 2.5])
        assert asked.answer(json.dumps({"number": number, "ask": [0] * 19})) == {
            "error": "19 inputs are too many: 18 are left for this neuron"
        }
        assert asked.answer(json.dumps(truth(number))) == {"number": number, "taken": True}
        again = asked.answer(json.dumps({"number": number, "ask": [1]}))
        assert "explained already" in again["error"]
        plan = asked.greeting()
        row = ledger.benched(("numbers", SEED, QUERIES, "submitted:mine", number))
    assert number not in plan["left"]
    assert row["queries"] == 2
    assert row["recovered"] == unit.real
    assert row["seconds"] >= 0


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "one JSON object"),
        ("[1]", "this is a list"),
        ('{"number": 0, "ask": 3}', "a question is"),
        ('{"number": 0, "ask": []}', "a question is"),
        ('{"number": 0, "ask": [1], "seed": 3}', "a question is"),
        ('{"number": 4, "ask": [1]}', "one of 0 to 3"),
        ('{"number": true, "ask": [1]}', "one of 0 to 3"),
        ('{"number": 0, "ask": ["a"]}', "not one of numbers"),
        ('{"number": 0, "ask": [[1]]}', "not one of numbers"),
        ('{"number": 0, "ask": [1' + "0" * 400 + "]}", "no finite float"),
        ('{"number": 0, "ask": [NaN]}', "no finite float"),
        ("[" * 200_000, "nested too deep"),
        ('{"number": 0, "text": "", "confidence": 1}', "code: Field required"),
        (
            '{"number": 0, "code": null, "text": "", "confidence": 1, "queries": 0}',
            "queries: Extra",
        ),
    ],
)
def test_a_wrong_line_gets_one_sentence_and_costs_nothing(tmp_path, cells, line, why):
    with Ledger(tmp_path) as ledger:
        asked = Session(plan_of("mine", "numbers", SEED, N, QUERIES), ledger, cells)
        assert why in asked.answer(line)["error"]
        assert asked.answer('{"number": 0, "ask": [1]}')["left"] == QUERIES - 1


def test_nothing_that_is_answered_holds_the_truth(tmp_path, cells):
    lines = [json.dumps({"number": k, "ask": [1.0, 2.0]}) for k in range(N)]
    lines += [
        json.dumps({"number": k, "code": None, "text": "", "confidence": 0}) for k in range(N)
    ]
    with Ledger(tmp_path) as ledger:
        asked = Session(plan_of("mine", "numbers", SEED, N, QUERIES), ledger, cells)
        said = [json.loads(line) for line in serve(asked, lines)]
    assert {key for line in said for key in line} == {
        "suite", "planner", "queries", "left", "number", "outputs", "taken"
    }  # fmt: skip


def test_a_neuron_that_was_asked_about_and_left_counts_as_not_explained(tmp_path, cells):
    with Ledger(tmp_path) as ledger:
        plan = plan_of("mine", "numbers", SEED, N, QUERIES)
        assert len([*serve(Session(plan, ledger, cells), ['{"number": 1, "ask": [1, 2]}'])]) == 2
        row = ledger.benched(("numbers", SEED, QUERIES, "submitted:mine", 1))
        assert (row["claimed"], row["queries"]) == (False, 2)
        # The others may still be explained, by another session.
        assert Session(plan, ledger, cells).greeting()["left"] == [0, 2, 3]


def test_a_session_that_breaks_off_decides_nothing(tmp_path, cells):
    def lines():
        yield '{"number": 1, "ask": [1, 2]}'
        raise ConnectionError

    with Ledger(tmp_path) as ledger:
        plan = plan_of("mine", "numbers", SEED, N, QUERIES)
        with pytest.raises(ConnectionError):
            list(serve(Session(plan, ledger, cells), lines()))
        assert Session(plan, ledger, cells).greeting()["left"] == [*range(N)]


def test_the_board_wants_every_neuron_of_a_submission(tmp_path, jail):
    scored(written(tmp_path, [truth(0) | {"queries": 1}]), tmp_path, jail)
    plan = Plan(("numbers",), ("submitted:mine",), N, SEED, QUERIES)
    with Ledger(tmp_path) as ledger:
        assert len(bench.run(plan, ledger, jail, quiet)) == N
        with pytest.raises(ValueError, match="nothing by 'submitted:mine' on neuron 4"):
            bench.run(replace(plan, n=N + 1), ledger, jail, quiet)


@pytest.mark.parametrize(("suite", "n"), [("numbers", 12), ("strings", 2)])
def test_tables_hold_outputs_and_no_truth_and_tell_nothing_of_exceptions(suite, n, cells):
    made = tables(Plan((suite,), (), n, SEED, 40), cells)
    assert {*made} == {"format", "suite", "seed", "n", "queries", "neurons"}
    for one in made["neurons"]:
        assert {*one} == {"number", "inputs", "outputs"}
        assert len(one["inputs"]) == len(one["outputs"]) == 40
    again = tables(Plan((suite,), (), 1, SEED, 40), cells)
    assert again["neurons"][0]["inputs"] == made["neurons"][0]["inputs"]
    if suite == "numbers":  # spread over the axis, not where the neuron is exceptional
        inputs = np.concatenate([one["inputs"] for one in made["neurons"]])
        assert np.quantile(inputs, [0.25, 0.75]) == pytest.approx([-64, 64], abs=16)


@pytest.mark.parametrize("level", ISOLATED)
def test_the_commands_serve_an_explainer_in_another_process(tmp_path, level):
    where = ["--home", str(tmp_path), "--sandbox", level]
    common = ["--suite", "numbers", "--n", "2", "--seed", str(SEED), "--queries", "5"]
    words = [sys.executable, "-m", "hubel", "bench", "answer", *common, "--as", "me", *where]
    talk = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(talk.stdout.readline())["left"] == [0, 1]
        for number in range(2):
            for line in ({"number": number, "ask": [7]}, truth(number)):
                talk.stdin.write(json.dumps(line) + "\n")
                talk.stdin.flush()
                assert "error" not in json.loads(talk.stdout.readline())
        talk.stdin.close()
        assert talk.wait(30) == 0
    finally:
        talk.kill()
        talk.stdout.close()
        talk.wait()
    shown = ["bench", *common, "--planner", "submitted:me,empty", "--json", *where]
    done = CliRunner().invoke(app, shown)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["numbers"]
    assert found["submitted:me"]["recovered"] == 1.0
    assert found["submitted:me"]["queries"] == 1
    assert found["submitted:me"]["versus"]["empty"]["recovered"][0] > 0


def test_options_before_a_command_are_refused():
    done = CliRunner().invoke(app, ["bench", "--n", "3", "submit-format"])
    assert "--n stands before 'submit-format'" in str(done.exception)
