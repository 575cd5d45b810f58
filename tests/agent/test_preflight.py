"""What a model can do is measured as it is: a server that is right with a known share."""

import base64
import io
import json
import random
import re
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from tests.agent.author import OPENED
from tests.agent.chat_server import Can, ChatServer, Reply, concludes, step
from typer.testing import CliRunner

from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.planner import PlannerFailed
from hubel.agent.planners.openai.client import Patience
from hubel.agent.planners.openai.pictures import data_url, small
from hubel.agent.preflight import eyes, line, measure
from hubel.agent.preflight.measure import CALLS, PICTURES, STUDIES, scored
from hubel.agent.preflight.practice import RULES
from hubel.agent.report import write_report
from hubel.agent.show import show_study
from hubel.cli import app

SEED = 3
QUICK = Patience(tries=2, wait=0.01)
FORMS = ["1.0*[red object]", "1.0*[circle]"]


@pytest.fixture(scope="module")
def tools():
    code = (
        "import json, hubel.tools.experiments; from hubel.tools.spec import registry; "
        "print(json.dumps([s.announce() for s in registry().values()]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def truths():
    """Every item by the pictures that are sent for it."""
    return {
        tuple(data_url(small(p)) for p in item.pictures): item
        for item in eyes.items(PICTURES, SEED)
    }


class Model:
    """Right about pictures and calls with some probability; keeps the loop's rules or does not."""

    def __init__(self, truths, right, hands=1.0, obeys=True):
        self.truths, self.right, self.hands, self.obeys = truths, right, hands, obeys
        self.rng = random.Random(7)
        self.hits = dict.fromkeys(["difference", "count", "heat-map", "call"], 0)

    def __call__(self, body):
        if body["messages"][0]["role"] != "system":
            return self.looks(body["messages"][0]["content"])
        text = json.dumps(body["messages"][1:])
        if "This is a test of the tools" in text:
            return self.calls(text.replace("\\", ""))
        return self.studies(sum(m["role"] == "assistant" for m in body["messages"]), text)

    def looks(self, content):
        item = self.truths[tuple(p["image_url"]["url"] for p in content if "image_url" in p)]
        hit = self.rng.random() < self.right
        self.hits[item.ability] += hit
        wrong = [c for c in item.choices if c != item.truth]
        said = item.truth if hit else self.rng.choice(wrong)
        return Reply(text=f"Not {wrong[0]}, I think. Answer: {said.title()}.")

    def calls(self, text):
        tool, args = re.search(r"`(\w+)` with (.*?)\. Leave all", text).groups()
        given = dict(re.findall(r'(\w+) = (\[.*?\]|".*?"|\d+)', args))
        hit = self.rng.random() < self.hands
        self.hits["call"] += hit
        wanted = {k: json.loads(v) for k, v in given.items()}
        key = next(iter(wanted))
        return step(calls=[(tool, wanted if hit else {**wanted, key: "practice:1"})])

    def studies(self, turn, text):
        claims = [
            {"name": n, "claim": "so", "form": f}
            for n, f in zip("ab", FORMS[: 2 if self.obeys else 1], strict=False)
        ]
        if turn == 0:
            return step(hypotheses=claims, calls=[("synthesize", {"n": 8})])
        if turn == 1 and self.obeys:
            pictures = re.findall(r"\b[0-9a-f]{8}\b", text)[:6]
            says = {"hypothesis": "a", "path": "activation.0", "expects": {"op": ">", "value": 0},
                    "refutes": {"op": "<", "value": 0}}  # fmt: skip
            return step(calls=[("activate", {"unit": "practice:0", "stimuli": pictures}, [says])])
        if self.obeys:
            return concludes(FORMS[0], evidence=[3])
        return Reply(text="It is a mystery.")


def measured(tools, model, tmp_path, can=None):
    with ChatServer(model, can=can or Can()) as server:
        return measure(
            "openai/scripted", server.url, tmp_path, tools, lambda *_: None, seed=SEED,
            patience=QUICK,
        )  # fmt: skip


@pytest.mark.parametrize("right", [0.8, 1.0])
def test_a_known_share_is_measured_as_it_is(tools, truths, tmp_path, right):
    model = Model(truths, right, hands=right)
    found = measured(tools, model, tmp_path)
    abilities = found["abilities"]
    assert {k: abilities[k]["right"] for k in model.hits} == model.hits
    assert [abilities[k]["n"] for k in model.hits] == [PICTURES] * 3 + [CALLS]
    for ability in ("difference", "count", "heat-map"):
        low, high = abilities[ability]["ci"]
        assert low <= right <= high
        assert low > abilities[ability]["chance"]
    assert abilities["loop"]["rules"] == dict.fromkeys(RULES, STUDIES)
    assert found["tokens"] == 120 * found["requests"]
    assert found["model"] == "scripted"


def test_a_blind_model_is_measured_at_chance_and_a_lawless_one_as_such(tools, truths, tmp_path):
    class Blind(Model):
        def looks(self, content):
            item = self.truths[tuple(p["image_url"]["url"] for p in content if "image_url" in p)]
            return Reply(text=self.rng.choice(item.choices))

    found = measured(tools, Blind(truths, 0, hands=0.0, obeys=False), tmp_path)["abilities"]
    for ability in ("difference", "count", "heat-map"):
        low, high = found[ability]["ci"]
        assert low <= found[ability]["chance"] <= high
    assert found["call"]["right"] == 0
    assert found["loop"]["rules"] == dict.fromkeys(RULES, 0)


def test_a_text_only_model_is_reported_as_such_and_not_as_failed(tools, truths, tmp_path):
    found = measured(tools, Model(truths, 1.0), tmp_path, Can(images="no"))["abilities"]
    for ability in ("difference", "count", "heat-map"):
        assert found[ability]["n"] == 0
        assert "image input is not supported" in found[ability]["why"]
    assert found["call"]["right"] == CALLS
    assert "difference not measured, the server takes no pictures" in line(
        {"model": "m", "abilities": found}
    )


def test_a_server_that_is_not_there_is_no_measurement(tools, tmp_path):
    with pytest.raises(PlannerFailed):
        measure("openai/x", "http://127.0.0.1:9/v1", tmp_path, tools, print, patience=QUICK)
    with pytest.raises(ValueError, match="language models"):
        measure("builtin", None, tmp_path, tools, print)


# The pictures themselves


def test_items_are_balanced_drawn_by_the_seed_and_true():
    drawn, glowing = eyes.items(20, 5), []
    for ability in eyes.ABILITIES:
        mine = [i for i in drawn if i.ability == ability]
        counts = {c: sum(i.truth == c for i in mine) for c in mine[0].choices}
        assert len(set(counts.values())) == 1, counts
    for item in drawn:
        pixels = [np.asarray(p) for p in item.pictures]
        if item.ability == "difference":
            assert np.array_equal(*pixels) == (item.truth == "same")
            # The difference outlives the way to the model.
            sent = [decoded(data_url(small(p))) for p in item.pictures]
            changed = (np.abs(sent[0] - sent[1]).max(axis=2) > 40).mean()
            assert (changed > 0.002) == (item.truth == "different")
        if item.ability == "heat-map":
            glowing.append(brightest_quarter(pixels[0].astype(float)) == item.truth)
    assert sum(glowing) >= 18, glowing  # scenes have bright things of their own
    again = eyes.items(20, 5)
    assert [i.truth for i in again] == [i.truth for i in drawn]
    assert [i.truth for i in eyes.items(20, 6)] != [i.truth for i in drawn]


def brightest_quarter(pixels):
    """The quarter that is yellowest, as the top of the colour map is."""
    yellow = pixels[..., :2].min(axis=2) - pixels[..., 2]
    half = len(yellow) // 2
    quarters = {
        "top left": yellow[:half, :half], "top right": yellow[:half, half:],
        "bottom left": yellow[half:, :half], "bottom right": yellow[half:, half:],
    }  # fmt: skip
    return max(quarters, key=lambda name: quarters[name].mean())


def decoded(url):
    data = base64.b64decode(url.split(",")[1])
    return np.asarray(Image.open(io.BytesIO(data)), float)


@pytest.mark.parametrize(
    ("choices", "said", "choice"),
    [
        (("same", "different"), "They look the same at first, but are DIFFERENT.", "different"),
        (tuple("12345"), "I count three objects.", "3"),
        (tuple("12345"), "12 of them", None),
        (("top left", "bottom left"), "**Top-left**", "top left"),
        (("same", "different"), "I cannot see pictures.", None),
    ],
)
def test_an_answer_is_read_as_the_choice_that_it_names(choices, said, choice):
    assert eyes.Item("count", (), "?", choices, choices[0]).read(said) == choice


def test_wilsons_interval():
    """Values from Newcombe, "Two-sided confidence intervals for the single proportion" (1998)."""
    found = scored([True] * 81 + [False] * (263 - 81), 0.5)
    assert found["ci"] == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert scored([False] * 20, None)["ci"] == pytest.approx([0.0, 0.1611], abs=1e-4)


# Kept and shown


def test_the_command_keeps_it_and_studies_show_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HUBEL_HOME", str(tmp_path))
    items = eyes.items(PICTURES, 0)
    known = {tuple(data_url(small(p)) for p in item.pictures): item for item in items}
    with ChatServer(Model(known, 1.0)) as server:
        args = ["doctor", "--planner", "openai/scripted", "--base-url", server.url]
        ran = CliRunner().invoke(app, [*args, "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["abilities"]["count"]["right"] == PICTURES
    with Ledger(tmp_path) as ledger:
        kept = ledger.preflight("openai/scripted")
        assert kept["abilities"]["difference"]["right"] == PICTURES
        study = ledger.begin(
            question="?", model="demo", unit="a:0", data="demo", planner="openai/scripted",
            device="cpu", seed=0, budget=asdict(Budget()),
        ).id  # fmt: skip
        ledger.opened(study, {**OPENED, "preflight": kept})
        console = Console(record=True, width=200, file=io.StringIO())
        show_study(ledger, study, console)
        told = "preflight of scripted: difference 1.00 (0.84 to 1.00, n 20, chance 0.50)"
        assert told in console.export_text()
        page = write_report(ledger, study, tmp_path / "report.html").read_text()
        assert told in page
