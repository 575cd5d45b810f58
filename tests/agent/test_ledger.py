import sqlite3

import pytest
from PIL import Image

from hubel.agent.ledger import Ledger, LedgerError
from hubel.agent.migrations import APPEND_ONLY, MIGRATIONS
from hubel.agent.records import (
    Experiment,
    Explanation,
    Hypothesis,
    LLMCall,
    Message,
    Prediction,
    Score,
    Verdict,
)

STUDY = {
    "question": "what?", "model": "demo", "unit": "a:0", "data": "demo", "planner": "builtin",
    "device": "cpu", "seed": 0, "budget": {"rounds": 3},
}  # fmt: skip


def experiment(n, message=1):
    return Experiment(
        n,
        message,
        "planner",
        "activate",
        "observation",
        {"unit": "a:0"},
        7,
        "running",
        None,
        None,
        None,
    )


def result(values, artifacts=()):
    return {
        "values": values, "measures": {}, "metric": "activation", "mediator": "none",
        "counterfactual": "none", "seed": None, "artifacts": list(artifacts),
    }  # fmt: skip


def hypothesis(name="h1"):
    return Hypothesis(name, 1, "likes red", {"terms": []}, None)


def prediction(n):
    return Prediction(n, "h1", 1, "x", {"op": ">", "value": 0}, {"op": "<", "value": 0})


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path) as opened:
        yield opened


def test_a_study_reads_back_as_it_was_written(ledger):
    study = ledger.begin(**STUDY)
    ledger.record_step(
        study.id, Message(1, "planner", {"a": 1}), 0.5, [hypothesis()], [prediction(1)]
    )
    ledger.start(study.id, experiment(1))
    picture = ledger.pictures.put(Image.new("RGB", (4, 4), "red"), {"kind": "picture"}, "stimulus")
    made = {"id": picture.id, "kind": picture.kind, "provenance": picture.provenance}
    verdict = Verdict(1, "h1", "supported", 1.0)
    ledger.finish(study.id, 1, "done", 0.25, result=result({"x": 1}, [made]), verdicts=[verdict])
    explanation = Explanation("answered", "red", {"terms": []}, ["not at night"], "causal", [1])
    ledger.conclude(study.id, explanation, [])
    ledger.end(study.id, "answered", None)
    assert ledger.study(study.id).budget == {"rounds": 3}
    assert [m.role for m in ledger.messages(study.id)] == ["user", "planner"]
    assert ledger.hypotheses(study.id) == [hypothesis()]
    assert ledger.predictions(study.id) == [prediction(1)]
    assert ledger.experiments(study.id)[0].values == {"x": 1}
    assert ledger.verdicts(study.id) == [verdict]
    assert ledger.explanation(study.id) == explanation
    assert ledger.seconds(study.id) == pytest.approx(0.75)


def test_a_prediction_after_the_experiment_began_is_refused_whole(ledger):
    study = ledger.begin(**STUDY).id
    ledger.record_step(study, Message(1, "planner", {}), 0, [hypothesis()])
    ledger.start(study, experiment(1))
    with pytest.raises(LedgerError, match="before its experiment starts"):
        ledger.record_step(study, Message(2, "planner", {}), 0, [], [prediction(1)])
    assert [m.n for m in ledger.messages(study)] == [0, 1]


def test_a_verdict_without_a_result_is_refused(ledger):
    study = ledger.begin(**STUDY).id
    ledger.record_step(study, Message(1, "planner", {}), 0, [hypothesis()], [prediction(1)])
    ledger.start(study, experiment(1))
    with pytest.raises(LedgerError, match="needs the result"):
        ledger.finish(study, 1, "lost", 0, verdicts=[Verdict(1, "h1", "supported", 1.0)])
    assert ledger.experiments(study)[0].status == "running"


def test_an_interrupted_experiment_may_start_again_and_an_ended_one_may_not(ledger):
    study = ledger.begin(**STUDY).id
    ledger.record_step(study, Message(1, "planner", {}), 0)
    ledger.start(study, experiment(1))
    ledger.start(study, experiment(1))
    ledger.finish(study, 1, "done", 0, result=result({}))
    with pytest.raises(LedgerError, match="has ended"):
        ledger.start(study, experiment(1))
    with pytest.raises(LedgerError, match="append-only"):
        ledger.finish(study, 1, "done", 0, result=result({"x": 2}))


def llm_call(**columns):
    row = {"message": 1, "role": "planner", "model": "m", "mode": "tools", "prompt": None, "status": "ok",
               "tokens_in": 7, "tokens_out": 3, "dollars": None, "seconds": 0.5, "detail": {}}  # fmt: skip
    return LLMCall(**(row | columns))


@pytest.mark.parametrize("verb", ["UPDATE {} SET rowid = rowid + 9", "DELETE FROM {}"])
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_evidence_cannot_be_changed(ledger, table, verb):
    test_a_study_reads_back_as_it_was_written(ledger)
    # The tables that a study of this test leaves empty.
    ledger.conclude(
        ledger.begin(**STUDY).id,
        Explanation("answered", "red", {"terms": []}, [], "observed", []),
        [Score("explanation", 0.5, 0.4, 0.6, 9, {})],
    )
    ledger.bench(("numbers", 0, 9, "builtin", 0), {})
    ledger.record_llm(1, llm_call(prompt=ledger.keep_prompt("Be honest.")))
    ledger.keep_preflight("openai/m", {"counts": 1.0})
    with (
        sqlite3.connect(ledger.path) as raw,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        raw.execute(verb.format(table))
    raw.close()


def test_requests_to_models_prompts_and_preflights_read_back(ledger):
    study = ledger.begin(**STUDY).id
    key = ledger.keep_prompt("Be honest.")
    assert ledger.keep_prompt("Be honest.") == key != ledger.keep_prompt("Be brief.")
    assert ledger.prompt(key) == "Be honest."
    assert ledger.prompt("nothing") is None
    failed = llm_call(prompt=key, status="timeout", tokens_in=None, detail={"attempt": 1})
    ledger.record_llm(study, failed)
    ledger.record_llm(study, llm_call())
    assert ledger.llm_calls(study) == [failed, llm_call()]
    assert ledger.preflight("openai/m") is None
    ledger.keep_preflight("openai/m", {"counts": 0.2})
    ledger.keep_preflight("openai/m", {"counts": 0.9})
    assert ledger.preflight("openai/m")["counts"] == 0.9
    with pytest.raises(LedgerError, match="refuses"):
        ledger.record_llm(study, llm_call(prompt="no such hash"))


def test_what_was_read_is_kept_and_what_is_new_is_seen(ledger):
    """Reading while another process writes, and while an experiment runs, gives what is there."""
    study = ledger.begin(**STUDY).id
    other = Ledger(ledger.home)
    assert other.experiments(study) == []
    ledger.record_step(study, Message(1, "planner", {}), 0)
    ledger.start(study, experiment(1))
    assert [e.status for e in other.experiments(study)] == ["running"]
    ledger.start(study, experiment(3))
    ledger.start(study, experiment(2))
    ledger.finish(study, 3, "done", 0, result=result({"x": 3}))
    assert [(e.n, e.status) for e in other.experiments(study)] == [
        (1, "running"),
        (2, "running"),
        (3, "done"),
    ]
    ledger.finish(study, 1, "done", 0, result=result({"x": 1}))
    second = ledger.begin(**STUDY).id
    assert other.experiments(second) == []
    assert [e.status for e in other.experiments(study)] == ["done", "running", "done"]
    assert other.experiments(study)[0].values == {"x": 1}
    assert [m.n for m in other.messages(study)] == [0, 1]
    other.close()


def test_an_unknown_study_is_named(ledger):
    with pytest.raises(LedgerError, match=r"no study 3 .* none yet"):
        ledger.study(3)


def test_every_older_version_is_brought_up(tmp_path):
    for version in range(len(MIGRATIONS)):
        home = tmp_path / str(version)
        home.mkdir()
        raw = sqlite3.connect(home / "ledger.db")
        for script in MIGRATIONS[:version]:
            raw.executescript(script)
        raw.execute(f"PRAGMA user_version = {version}")
        raw.close()
        with Ledger(home) as ledger, Ledger(tmp_path / "new") as new:
            assert ledger.schema() == new.schema()
            assert ledger.begin(**STUDY).id == 1


def test_a_newer_ledger_is_left_alone(tmp_path):
    raw = sqlite3.connect(tmp_path / "ledger.db")
    raw.execute("PRAGMA user_version = 999")
    raw.close()
    with pytest.raises(LedgerError, match="update hubel"):
        Ledger(tmp_path)


def test_a_full_disk_loses_nothing(tmp_path):
    with Ledger(tmp_path) as ledger:
        study = ledger.begin(**STUDY).id
        ledger._db.execute(
            f"PRAGMA max_page_count = {ledger._db.execute('PRAGMA page_count').fetchone()[0]}"
        )
        with pytest.raises(sqlite3.OperationalError, match="full"):
            ledger.record_step(study, Message(1, "planner", {"a": "x" * 200_000}), 0)
        assert [m.n for m in ledger.messages(study)] == [0]
    with Ledger(tmp_path) as again:
        again.record_step(study, Message(1, "planner", {"a": "x" * 200_000}), 0)
        assert len(again.messages(study)) == 2
