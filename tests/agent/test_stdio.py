"""A planner on the other end of a pipe, as the documentation describes it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import Malformed, PlannerGone, Step
from hubel.agent.planners.reading import LONGEST, read_step
from hubel.agent.planners.stdio import Stdio, schemas
from hubel.sandbox.session import LabSession, LabSettings

ROOT = Path(__file__).parents[2]
TINY = f"file:{ROOT / 'tests' / 'tiny.py'}:make"
ASKED = [
    "what?",
    "--model",
    TINY,
    "--data",
    "scenes:120",
    "--unit",
    "blocks.0:0",
    "--sandbox",
    "none",
]
CONCLUSION = {"conclusion": {"text": "Nothing found.", "form": None}}


def environment(home):
    return {**os.environ, "HUBEL_HOME": str(home)}


def hubel(home, *words, said=""):
    return subprocess.run(
        [sys.executable, "-m", "hubel", *words],
        input=said, capture_output=True, text=True, check=False, env=environment(home),
    )  # fmt: skip


def turns(stdout):
    """The turns of a connection. Every line of stdout is one."""
    return [json.loads(line) for line in stdout.splitlines()]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lab(home):
    with LabSession(LabSettings(TINY, "scenes:120", home)) as session:
        yield session


def test_the_planner_of_the_documentation_runs_a_study(home, tmp_path):
    page = (ROOT / "docs" / "protocol.md").read_text()
    script = tmp_path / "planner.py"
    script.write_text(re.search(r"^```python\n(.*?)^```$", page, re.M | re.S)[1])
    done = subprocess.run(
        [sys.executable, str(script), *ASKED],
        capture_output=True, text=True, check=False, env=environment(home),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with Ledger(home) as ledger:
        study = ledger.studies()[0]
        assert (study.planner, study.stop) == ("stdio", "answered")
        assert ledger.explanation(study.id).grade == "causal"
        fates = {v.hypothesis: v.outcome for v in ledger.verdicts(study.id)}
        assert fates == {"red": "supported", "dots": "refuted"}


def test_a_study_goes_on_with_a_planner_that_knows_nothing_of_it(home):
    call = {"calls": [{"tool": "exemplars", "args": {"unit": "blocks.0:0"}}]}
    first = hubel(home, "ask", *ASKED, "--planner", "stdio", said=json.dumps(call) + "\n")
    assert first.returncode == 1
    assert "The planner has closed stdin. Go on with: hubel resume" in first.stderr
    opened, then = turns(first.stdout)
    assert {t["name"] for t in opened["opening"]["tools"]} >= {"activate", "exemplars"}
    assert opened["opening"]["schema_of_step"] == Step.model_json_schema()
    assert (opened["turn"], then["turn"], then["opening"]) == (1, 2, None)
    # What was said is not said again.
    assert [o["n"] for o in opened["observations"]] == [1]
    assert [o["n"] for o in then["observations"]] == [2]
    assert then["messages"][0]["content"]["first_experiment"] == 2
    assert then["budget_left"]["rounds"] == opened["budget_left"]["rounds"] - 1
    for picture in opened["observations"][0]["artifacts"]:
        assert Path(picture["path"]).read_bytes().startswith(b"\x89PNG")
    assert opened["observations"][0]["artifacts"]

    number = re.search(r"hubel resume (\d+)", first.stderr)[1]
    said = f"no step\n\n{json.dumps(CONCLUSION)}\n"
    again = hubel(home, "resume", number, said=said)
    assert again.returncode == 0, again.stderr
    whole, error = turns(again.stdout)
    assert (whole["turn"], error["turn"]) == (2, 3)
    assert whole["opening"] == opened["opening"]
    both = [*opened["observations"], *then["observations"]]
    assert whole["observations"] == both
    assert whole["messages"] == then["messages"]
    assert error["messages"][0]["role"] == "error"
    assert error["messages"][0]["content"]["said"] == "no step\n"
    assert "not JSON" in error["messages"][0]["content"]["error"]


def test_both_lines_fit_their_schemas(home, lab):
    validate = pytest.importorskip("jsonschema").validate
    out, into = os.pipe()
    with Ledger(home) as ledger, os.fdopen(out, "rb") as reader, os.fdopen(into, "wb") as writer:
        study = ledger.begin(
            question="what?", model=TINY, unit="blocks.0:0", data="scenes:120", planner="stdio",
            device="cpu", seed=0, budget={},
        ).id  # fmt: skip
        read, write = os.pipe()
        with os.fdopen(read, "rb") as steps:
            os.write(write, json.dumps(CONCLUSION).encode() + b"\n")
            os.close(write)
            assert run(study, ledger, lab, Stdio(steps, writer)).stop == "nothing found"
        turn = json.loads(reader.readline())
    validate(turn, schemas()["turn"])
    validate(CONCLUSION, schemas()["step"])


def test_nobody_who_reads_is_a_planner_that_is_gone(home, lab):
    nobody, into = os.pipe()
    os.close(nobody)
    with (
        Ledger(home) as ledger,
        Path(os.devnull).open("rb") as reader,
        os.fdopen(into, "wb") as writer,
    ):
        study = ledger.begin(
            question="what?", model=TINY, unit="blocks.0:0", data="scenes:120", planner="stdio",
            device="cpu", seed=0, budget={},
        ).id  # fmt: skip
        with pytest.raises(PlannerGone, match="does not read"):
            run(study, ledger, lab, Stdio(reader, writer))
        assert ledger.study(study).finished is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("[1, 2]", "A step is a JSON object"),
        ('{"calls": [{"args": {}}]}', r"calls\.0 needs the field 'tool'"),
        ('{"thoughts": "x"}', "a step has no field 'thoughts'"),
        ('{"hypotheses": [{"name": "1", "claim": "x", "form": {}}]}', r"hypotheses\.0\.name"),
        ('{"calls": [{"tool": "edit", "args": {"by": NaN}}]}', "cannot be recorded"),
        ('{"calls": [{"tool": "edit", "args": {"by": 1e999}}]}', "cannot be recorded"),
        ('{"thought": "\\ud800"}', "cannot be recorded"),
        ('{"calls": [{"tool": "edit", "args": {"x": %s}}]}' % ("[" * 99 + "]" * 99), "nested"),
        ("[" * 100_000, "nested too deep"),
        ("\xff\xfe", "not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_step_gets_one_precise_sentence(line, error):
    with pytest.raises(Malformed, match=error) as caught:
        read_step(line.encode("latin-1"))
    assert line[:20].startswith(caught.value.said[:10]) or "�" in caught.value.said
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_line_without_end_is_passed_over_and_not_kept(home, lab):
    read, write = os.pipe()
    with (
        Ledger(home) as ledger,
        os.fdopen(read, "rb") as steps,
        Path(os.devnull).open("wb") as nowhere,
    ):
        study = ledger.begin(
            question="what?", model=TINY, unit="blocks.0:0", data="scenes:120", planner="stdio",
            device="cpu", seed=0, budget={},
        ).id  # fmt: skip
        child = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"print('x' * {LONGEST + 99}); print({json.dumps(CONCLUSION)!r})",
            ],
            stdout=write,
        )
        os.close(write)
        assert run(study, ledger, lab, Stdio(steps, nowhere)).stop == "nothing found"
        child.wait()
        errors = [m.content["error"] for m in ledger.messages(study) if m.role == "error"]
    assert errors == ["The line is longer than 4 MiB."]
