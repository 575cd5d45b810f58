import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

TINY = f"file:{Path(__file__).parent / 'tiny.py'}:make"
ASK = ["ask", "what?", "--model", TINY, "--data", "scenes:120", "--unit", "blocks.0:0"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def hubel(home, *words, **more):
    return subprocess.run(
        [sys.executable, "-m", "hubel", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HUBEL_HOME": str(home)},
        **more,
    )


@pytest.fixture(scope="module")
def asked(home):
    return hubel(home, *ASK, "--json")


def test_ask_prints_one_object_and_writes_a_report(home, asked):
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert set(answer) == {
        "study", "model", "unit", "text", "form", "exceptions", "grade", "score", "concepts",
        "evidence", "verdict", "sandbox", "stop", "cost",
    }  # fmt: skip
    assert set(answer["score"]) == {"pearson", "ci", "floor", "ceiling", "n"}
    assert set(answer["concepts"][0]) == {"phrase", "precision", "recall"}
    assert answer["verdict"] == answer["stop"] == "answered"
    report = Path(asked.stderr.split("Report: ")[1].strip())
    assert report.read_text().lstrip().lower().startswith("<!doctype html")


def test_a_study_can_be_listed_shown_reported_and_replayed(home, asked, tmp_path):
    number = str(json.loads(asked.stdout)["study"])
    assert "what?" in hubel(home, "studies").stdout
    assert json.loads(hubel(home, "studies", "--json").stdout)["studies"][0]["unit"] == "blocks.0:0"
    shown = hubel(home, "show", number)
    assert shown.returncode == 0
    assert "answered" in shown.stdout
    assert json.loads(hubel(home, "show", number, "--json").stdout) == json.loads(asked.stdout)
    path = tmp_path / "new" / "r.html"
    assert hubel(home, "report", number, "--to", str(path)).stdout.strip() == str(path)
    again = hubel(home, "replay", number)
    assert (again.returncode, "nothing differs" in again.stdout) == (0, True), again.stdout
    done = hubel(home, "resume", number, "--json")
    assert json.loads(done.stdout) == json.loads(asked.stdout)


def test_replay_fails_loudly_when_the_network_is_another(tmp_path):
    net = tmp_path / "net.py"
    source = Path(__file__).parent.joinpath("tiny.py").read_text()
    net.write_text(source)
    words = [
        "ask",
        "w",
        "--model",
        f"file:{net}:make",
        "--data",
        "scenes:80",
        "--unit",
        "blocks.0:0",
    ]
    assert hubel(tmp_path, *words).returncode == 0
    net.write_text(source.replace("/ 9", "/ 7"))
    again = hubel(tmp_path, "replay", "1", "--json")
    assert again.returncode == 1
    different = {d["path"] for d in json.loads(again.stdout)["differences"]}
    assert "target.hash" in different
    assert any(path.startswith("values.") for path in different)


def test_units_and_kinds_and_tools_are_listed(home):
    units = json.loads(hubel(home, "units", "--model", TINY, "--json").stdout)["units"]
    assert units[0] == {"name": "blocks.0:0", "site": "blocks.0", "index": 0, "shape": [6, 32, 32]}
    assert len(units) == 6 + 8
    assert "head:0 ... head:3" in hubel(home, "units", "--model", TINY, "--all").stdout
    assert set(json.loads(hubel(home, "models", "--json").stdout)) >= {"demo", "hf", "file", "timm"}
    named = {t["name"] for t in json.loads(hubel(home, "tools", "--json").stdout)["tools"]}
    assert named >= {"activate", "exemplars", "synthesize", "edit", "ablate", "patch", "profile"}
    assert "held_out_sample" not in hubel(home, "tools").stdout


def test_index_ahead_of_any_question(home):
    words = ["index", "--model", TINY, "--data", "scenes:90", "--json"]
    values = json.loads(hubel(home, *words).stdout)
    assert (values["units"], values["pictures"], values["skipped"]) == (14, 90, [])


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["ak"], 2, "ask"),
        (["ask"], 2, "question"),
        (["units", "--model", "dem"], 2, "Did you mean 'demo'"),
        ([*ASK[:-1], "blocks.7:0"], 2, "blocks.0"),
        ([*ASK[:-1], "blocks.0:6"], 2, "units 0 to 5"),
        ([*ASK[:-1], "nonsense"], 2, "SITE:INDEX"),
        ([*ASK[:-1], "blocks.0@/no.safetensors:0"], 2, "/no.safetensors"),
        (["ask", "q", "--model", TINY], 2, "--unit"),
        ([*ASK, "--data", "/nowhere"], 2, "/nowhere"),
        ([*ASK, "--planner", "builtins"], 2, "Did you mean 'builtin'"),
        ([*ASK, "--planner", "scripted:/no.json"], 2, "/no.json"),
        ([*ASK, "--budget", "calls=many"], 2, "calls=NUMBER"),
        ([*ASK, "--device", "warp9"], 2, "warp9"),
        (["show", "99"], 2, "no study 99"),
        (["resume", "99"], 2, "no study 99"),
        (["report", "99"], 2, "no study 99"),
        (["show", "--home", "/proc/nope", "1"], 4, "/proc/nope"),
    ],
)
def test_wrong_use_is_one_sentence_and_a_status(home, words, status, says):
    done = hubel(home, *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr
    assert done.stderr.startswith("hubel: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_wrong_use_begins_no_study(tmp_path):
    assert hubel(tmp_path, *ASK[:-1], "blocks.7:0").returncode == 2
    assert json.loads(hubel(tmp_path, "studies", "--json").stdout) == {"studies": []}


def test_pictures_that_cannot_be_used_are_refused_and_broken_ones_passed_over(tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    Image.new("RGB", (8, 8), "red").save(one / "1.png")
    words = [*ASK, "--data", str(one)]
    done = hubel(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "two groups" in done.stderr
    for i in range(40):
        Image.new("RGB", (8, 8), (6 * i, 99, 250 - 6 * i)).save(one / f"{i}.png")
    (one / "7.png").write_bytes(b"not a picture")
    done = hubel(tmp_path, *words, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "answered"
    index = hubel(tmp_path, "index", "--model", TINY, "--data", str(one), "--json")
    assert [name for name, _ in json.loads(index.stdout)["skipped"]] == ["7.png"]


def test_a_spent_budget_has_its_own_status(tmp_path):
    done = hubel(tmp_path, *ASK, "--budget", "calls=2", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["stop"] == "budget"


def heed_interrupts():
    """A background job of a shell inherits SIGINT ignored; a person at a terminal does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted_it_says_how_to_go_on_and_does(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "hubel", *ASK],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HUBEL_HOME": str(tmp_path)},
        preexec_fn=heed_interrupts,
    ) as process:
        for line in process.stderr:
            if "#2" in line:
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "hubel resume 1" in said
    done = hubel(tmp_path, "resume", "1", "--json")
    assert json.loads(done.stdout)["verdict"] == "answered"


def test_help_is_quick():
    def cpu(code):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = os.times()
        return (after.children_user - before.children_user) + (
            after.children_system - before.children_system
        )

    bare = min(cpu("import typer") for _ in range(3))
    ours = min(
        cpu(
            "import sys; sys.argv = ['hubel', '--help']; import runpy; runpy.run_module('hubel.cli'); from hubel.cli import app; app(['--help'], standalone_mode=False)"
        )
        for _ in range(3)
    )
    assert ours - bare < 0.3


def test_a_second_question_is_quick_because_of_the_index(home, asked):
    begun = time.monotonic()
    assert hubel(home, *ASK).returncode == 0
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["units", "--model", TINY, "--sandbox", "strong"], 2, "no sandbox level 'strong'"),
        (["units", "--model", TINY, "--read", "/nowhere"], 2, "no '/nowhere' for the box"),
        (["units", "--model", TINY, "--read", "/"], 2, "the whole of '/'"),
        (["doctor", "--sandbox", "--level", "none"], 2, "nothing to attack"),
    ],
)
def test_a_wrong_sandbox_is_one_sentence(home, words, status, why):
    done = hubel(home, *words)
    assert done.returncode == status
    assert why in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
