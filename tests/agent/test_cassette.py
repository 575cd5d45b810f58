"""A study that was recorded runs again without its planner, and says where it differs."""

import json
import re
import sqlite3
from dataclasses import asdict
from pathlib import Path

import pytest

from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import (
    Call,
    Conclusion,
    Malformed,
    PlannerFailed,
    PlannerGone,
    Step,
)
from hubel.agent.planners import open_planner
from hubel.agent.planners.cassette import Recording, Replayed
from hubel.agent.planners.scripted import Scripted
from hubel.agent.records import LLMCall
from hubel.sandbox.session import LabSession, LabSettings
from hubel.tools.spec import ToolError

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
RED = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
UNIT = "blocks.0:0"
TIMES = {"created", "started", "finished", "seconds"}
TABLES = (
    "studies", "messages", "hypotheses", "predictions", "experiments", "artifacts", "uses",
    "verdicts", "explanations", "scores",
)  # fmt: skip
SECRETS = {
    "HUBEL_TEST_API_KEY": "qK7vR2mZ9pXw4LtB",
    "url": "hunter2hunter2",
    "query": "AbCdEf0123456789",
    "header": "eyJhbGciOiJIUzI1NiJ9.e30.x",
    "key": "sk-proj-0123456789abcdefABCDEF",
}


class Talker:
    """Gives each step in turn, and asks a language model for it, in name only."""

    name = "openai/talker"
    listens = False

    def __init__(self, *steps):
        self.steps = steps

    def next(self, view):
        n = view.messages[-1].n
        view.desk.record(
            LLMCall(n + 1, "planner", "talker", "tools", None, "ok", 1000, 20, 0.5, 0.1, {})
        )
        given = self.steps[n]
        if isinstance(given, Exception):
            raise given
        return given


class Eyes:
    """A describer that says how many pictures it was shown, and nothing of a single one."""

    name = "openai/eyes"

    def describe(self, pictures, record, message, left):
        if len(pictures) == 1:
            raise ToolError("It gave no answer.")
        return f"{len(pictures)} pictures"


def look(n=3):
    return Step(calls=(Call(tool="exemplars", args={"unit": UNIT, "k": n}),))


CONCLUDED = Step(conclusion=Conclusion(text="Red.", form=RED))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with LabSession(LabSettings(TINY, "scenes:120", tmp_path_factory.mktemp("home"))) as session:
        yield session


def begin(ledger, lab, **columns):
    budget = {**asdict(Budget()), **columns.pop("budget", {})}
    asked = {"question": "what?", "unit": UNIT, "seed": 0, **columns}
    return ledger.begin(
        **asked, model=TINY, data="scenes:120", planner="any", device="cpu", budget=budget
    ).id


def study(lab, planner, describer=None, **columns):
    """Run a study to its end; the study and its rows, but for times and number."""
    with Ledger(lab.settings.home) as ledger:
        number = begin(ledger, lab, **columns)
        ended = run(number, ledger, lab, planner, describer=describer)
        return ended, rows(ledger, number)


def rows(ledger, number):
    connection = sqlite3.connect(ledger.path)
    connection.row_factory = sqlite3.Row
    found = {}
    for table in TABLES:
        where = {
            "studies": "id = ?",
            "artifacts": "id IN (SELECT artifact FROM uses WHERE study = ?)",
        }
        numbers = {"id"} if table == "studies" else {"study"}
        sql = f"SELECT * FROM {table} WHERE {where.get(table, 'study = ?')} ORDER BY 1, 2, 3"
        found[table] = [
            {k: v for k, v in dict(row).items() if k not in TIMES | numbers}
            for row in connection.execute(sql, [number])
        ]
    connection.close()
    return found


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_recorded_study_runs_again_the_same(lab, tmp_path):
    path = tmp_path / "cassette.jsonl"
    about = {"model": TINY, "data": "scenes:120"}
    ended, recorded = study(lab, Recording(open_planner("builtin"), path, about))
    assert ended.stop == "answered"
    assert len(recorded["experiments"]) > 5
    again, replayed = study(lab, open_planner(f"replay:{path}"))
    assert again.stop == "answered"
    assert replayed == recorded
    header, *turns = lines(path)
    assert header["planner"] == "builtin"
    assert (header["question"], header["unit"], header["seed"]) == ("what?", UNIT, 0)
    assert header["data"] == "scenes:120"
    assert [turn["turn"] for turn in turns] == list(range(1, len(turns) + 1))


def test_errors_failures_and_descriptions_are_said_again_and_no_model_is_asked(lab, tmp_path):
    path = tmp_path / "cassette.jsonl"
    with Ledger(lab.settings.home) as ledger:
        shown = run(begin(ledger, lab), ledger, lab, Scripted([look()])).id
        pictures = ledger.experiments(shown)[1].values["stimuli"]

    def ask(n):
        return Step(calls=(Call(tool="describe", args={"pictures": pictures[:n]}),))

    steps = [
        look(),
        Malformed("Not JSON.", "{oops"),
        ask(3),
        ask(1),
        Step(),
        PlannerFailed("no idea"),
    ]
    ended, recorded = study(lab, Recording(Talker(*steps), path), Eyes())
    assert (ended.stop, ended.stop_detail) == ("planner failed", "no idea")
    described = [
        json.loads(e["result"])["values"]
        for e in recorded["experiments"]
        if e["tool"] == "describe" and e["result"]
    ]
    assert [d["text"] for d in described] == ["3 pictures"]
    tape = Replayed.read(path)
    again, replayed = study(lab, tape, tape.describer)
    assert (again.stop, again.stop_detail) == ("planner failed", "no idea")
    # A describer that gave no answer is refused in other words; all else is equal.
    refused = [r["experiments"].pop(3) for r in (recorded, replayed)]
    assert [r["status"] for r in refused] == ["refused", "refused"]
    assert replayed == recorded
    # What was spent is in the cassette, and is not spent again.
    usage = [turn["usage"] for turn in lines(path)[1:]]
    assert [u[0]["tokens_in"] for u in usage] == [1000] * 6
    assert usage[0][0]["dollars"] == 0.5
    with Ledger(lab.settings.home) as ledger:
        assert ledger.llm_calls(again.id) == []
    with Ledger(lab.settings.home) as ledger:
        assert len(ledger.llm_calls(ended.id)) == 6


def test_what_was_objected_to_is_objected_to_again(lab, tmp_path):
    path = tmp_path / "cassette.jsonl"
    talker = Talker(CONCLUDED, Step(conclusion=Conclusion(text="Nothing.", form=None)))
    talker.listens = True
    _, recorded = study(lab, Recording(talker, path))
    assert [m["role"] for m in recorded["messages"]] == ["user", "error", "planner"]
    assert study(lab, Replayed.read(path))[1] == recorded
    # The control: a planner that does not listen is not objected to.
    deaf = tmp_path / "deaf.jsonl"
    study(lab, Recording(Talker(CONCLUDED), deaf))
    _, replayed = study(lab, Replayed.read(deaf))
    assert [m["role"] for m in replayed["messages"]] == ["user", "planner"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"question": "why?"}, "At step 1 .* its question is 'why\\?', and was 'what\\?'"),
        ({"unit": "blocks.0:2"}, "At step 1 .* its unit is 'blocks.0:2', and was 'blocks.0:0'"),
        ({"seed": 7}, "At step 1 .* its seed is 7, and was 0"),
    ],
)
def test_another_study_is_refused_and_said_how_it_differs(lab, tmp_path, changed, said):
    path = tmp_path / "cassette.jsonl"
    study(lab, Recording(Talker(CONCLUDED), path))
    ended, _ = study(lab, Replayed.read(path), **changed)
    assert ended.stop == "planner failed"
    assert re.search(said, ended.stop_detail)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda turn: turn["results"]["2"].update(digest="0" * 16), "At step 2 .* experiment 2 \\(exemplars\\) has another result"),
        (lambda turn: turn["results"]["2"].update(status="lost"), "At step 2 .* experiment 2 \\(exemplars\\) is done, and was lost"),
        (lambda turn: turn["results"].pop("2"), "At step 2 .* experiment 2 is a call of exemplars, and was none"),
        (lambda turn: turn["tools"].append("teleport"), "At step 2 .* there is no tool 'teleport'"),
    ],
)  # fmt: skip
def test_what_the_planner_is_shown_otherwise_is_said_with_its_step(lab, tmp_path, change, said):
    path = tmp_path / "cassette.jsonl"
    study(lab, Recording(Talker(look(), CONCLUDED), path))
    header, first, second = lines(path)
    # The control: unchanged, it runs.
    assert study(lab, Replayed.read(path))[0].stop == "answered"
    change(second)
    path.write_text("".join(json.dumps(line) + "\n" for line in (header, first, second)))
    ended, kept = study(lab, Replayed.read(path))
    assert ended.stop == "planner failed"
    assert re.search(said, ended.stop_detail), ended.stop_detail
    assert len(kept["messages"]) == 2


def test_no_secret_is_written_down(lab, tmp_path, monkeypatch):
    path = tmp_path / "cassette.jsonl"
    monkeypatch.setenv("HUBEL_TEST_API_KEY", SECRETS["HUBEL_TEST_API_KEY"])
    told = (
        f"401 from https://me:{SECRETS['url']}@host.example/v1?api_key={SECRETS['query']} with "
        f"Authorization: Bearer {SECRETS['header']}, {SECRETS['key']}, "
        f"{SECRETS['HUBEL_TEST_API_KEY']}"
    )
    talker = Talker(
        Step(thought=told, calls=look().calls), Malformed(told, told), PlannerFailed(told)
    )
    about = {"model": told}
    ended, _ = study(lab, Recording(talker, path, about), question=f"what? {told}")
    written = path.read_text()
    for secret in SECRETS.values():
        assert secret not in written
    assert "401 from https://" in written
    # It runs again all the same: the question is compared without its secrets.
    again, _ = study(lab, Replayed.read(path), question=f"what? {told}")
    assert again.stop == ended.stop == "planner failed"
    assert again.stop_detail.startswith("401 from https://[secret]@host.example")


def test_recording_goes_on_where_a_kill_left_it(lab, tmp_path):
    path = tmp_path / "cassette.jsonl"
    whole = tmp_path / "whole.jsonl"
    steps = (look(), look(4), CONCLUDED)
    study(lab, Recording(Talker(*steps), whole))
    with Ledger(lab.settings.home) as ledger:
        number = begin(ledger, lab)
        first = Recording(Talker(look(), look(4), PlannerGone("bye")), path)
        with pytest.raises(PlannerGone):
            run(number, ledger, lab, first)
        with path.open("a") as file:
            file.write('{"turn": 3, "too')
        cut = Replayed.read(path)
        run(number, ledger, lab, Recording(Talker(*steps), path))
        assert lines(path) == lines(whole)
        # A file that begins when the study has begun gets what the study has.
        late, number = tmp_path / "late.jsonl", begin(ledger, lab)
        with pytest.raises(PlannerGone):
            run(number, ledger, lab, Talker(look(), look(4), PlannerGone("bye")))
        run(number, ledger, lab, Recording(Talker(*steps), late))
    assert [turn["step"] for turn in lines(late)[1:]] == [t["step"] for t in lines(whole)[1:]]
    assert study(lab, Replayed.read(late))[0].stop == "answered"
    # And what was cut off is read up to there.
    ended, kept = study(lab, cut)
    assert ended.stop == "planner failed"
    assert "ends after step 2 (line 4 is cut off)" in ended.stop_detail
    assert len(kept["messages"]) == 3


def test_a_turn_that_comes_again_counts(lab, tmp_path):
    """Killed after the line was written and before the ledger had the step."""
    path = tmp_path / "cassette.jsonl"
    study(lab, Recording(Talker(look(), CONCLUDED), path))
    header, first, second = path.read_text().splitlines()
    path.write_text("\n".join([header, first, first, second, ""]))
    assert study(lab, Replayed.read(path))[0].stop == "answered"


def test_a_file_of_another_study_is_left_as_it_is(lab, tmp_path):
    path = tmp_path / "cassette.jsonl"
    study(lab, Recording(Talker(CONCLUDED), path))
    before = path.read_bytes()
    ended, _ = study(lab, Recording(Talker(CONCLUDED), path), question="why?")
    assert ended.stop == "planner failed"
    assert "holds another study (its question is 'what?')" in ended.stop_detail
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "holds no whole line"),
        ('{"cassette": 1}', "holds no whole line"),
        ("{}\n", "line 1: a cassette begins with a header"),
        ('{"cassette": 1}\n{"turn": 1}\n', "line 2: a turn has"),
        ('{"cassette": 1}\nxx\n', "line 2"),
    ],
)
def test_what_is_no_cassette_is_said_to_be_none(tmp_path, content, said):
    path = tmp_path / "cassette.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=said):
        open_planner(f"replay:{path}")
