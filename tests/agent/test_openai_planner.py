"""Whole studies planned over real HTTP, in each way in which a model can be asked."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from tests.agent.chat_server import ChatServer, concludes, count_images, pictures_in, step, texts
from tests.agent.chat_study import QUICK, TINY, UNIT, WAYS, a_view, begin, claim, predicts, study
from tests.sandbox.levels import ISOLATED

from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planners.openai import OpenAIPlanner
from hubel.agent.planners.openai.dialog import ROOMS, Dialog
from hubel.agent.planners.openai.pictures import Album
from hubel.sandbox.levels import jail_for
from hubel.sandbox.session import LabSession, LabSettings

RED, DOTS = "1*[red object] + 0.5*[a red patch]", "1*[dotted object]"
CODE = """
seen = picture("PICTURE")
show(seen, caption="looked at")
result = {"red": float(__import__("numpy").asarray(seen)[..., 0].mean())}
"""


@pytest.fixture(scope="module", params=ISOLATED)
def lab(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with LabSession(LabSettings(TINY, "scenes:120", home, jail=jail_for(request.param))) as session:
        yield session


@pytest.fixture
def ledger(lab):
    with Ledger(lab.settings.home) as opened:
        yield opened


def pairs_in(body):
    """Edited pictures and their parents, of the last edit in a request."""
    for text in reversed(texts(body)):
        if found := re.search(r'"stimuli": \[([^\]]*)\], "parents": \[([^\]]*)\]', text):
            return [re.findall("[0-9a-f]{8}", group) for group in found.groups()]
    raise AssertionError("no edit in the request")


def test_red(body):
    edited, parents = pairs_in(body)
    predictions = [predicts("red", ">", 0), predicts("dots", "<", 0)]
    args = {"unit": UNIT, "stimuli": parents, "baseline": edited}
    return step("Does taking red away change it?", calls=[("activate", args, predictions)])


test_red.__test__ = False

SCRIPT = [
    step("First the whole range.", calls=[("survey", {"unit": UNIT, "n": 60})]),
    step("Two rivals.", [claim("red", RED), claim("dots", DOTS)],
         [("synthesize", {"n": 8, "having": ["red object"]})]),
    lambda body: step("A look, and an edit.", calls=[
        ("run_python", {"code": CODE.replace("PICTURE", pictures_in(body)[0])}),
        ("edit", {"stimuli": pictures_in(body),
                  "instruction": {"op": "without", "phrase": "red object"}}),
    ]),
    test_red,
    concludes(RED, "It responds to red.", [1, 2, 6]),
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_complete_study_with_pictures_code_and_a_refuted_hypothesis(
    ledger, lab, way, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-mine")
    told = []
    with ChatServer(SCRIPT, can=WAYS[way]) as server:
        ended = study(ledger, lab, server, lambda *event: told.append(event))
        assert server.unused == 0
    n = ended.id
    assert (ended.stop, ended.stop_detail) == ("answered", None)
    assert ledger.scores(n)["explanation"].pearson > 0.5
    assert {v.hypothesis: v.outcome for v in ledger.verdicts(n)} == {
        "red": "supported", "dots": "refuted"
    }  # fmt: skip
    explanation = ledger.explanation(n)
    assert (explanation.text, explanation.grade) == ("It responds to red.", "causal")
    assert [m.role for m in ledger.messages(n)] == ["user"] + ["planner"] * 5
    ran = next(e for e in ledger.experiments(n) if e.tool == "run_python")
    assert ran.values["ended"] == "done"
    assert ran.values["result"]["red"] > 0
    # Each request is a row; the probes come first, and the way was found.
    calls = ledger.llm_calls(n)
    assert len(calls) == len(server.requests)
    assert {c.mode for c in calls if c.role == "planner"} == {way.split()[0].strip(",")}
    assert [c.status for c in calls if c.role == "planner"] == ["ok"] * 5
    assert [c.role for c in calls] == ["probe"] * len(server.probes) + ["planner"] * 5
    prompts = {c.prompt for c in calls if c.role == "planner"}
    system = {m["content"] for b in server.asked for m in b["messages"] if m["role"] == "system"}
    assert {ledger.prompt(key) for key in prompts} == system
    # What was seen: pictures, or words about them.
    if "blind" in way:
        assert not any(map(count_images, server.asked))
        assert "red object 1" in texts(server.asked[0])[1]
        assert {c.detail["pictures"] for c in calls if c.role == "planner"} == {0}
    else:
        assert count_images(server.asked[0]) == 9 == calls[-5].detail["pictures"]
        assert count_images(server.asked[-1]) > 20
    _nothing_is_given_away(ledger, ended.id, json.dumps(server.requests))
    _is_told_within_any_room(ledger, lab, ended.id)
    words = "".join(details["text"] for event, details in told if event == "token")
    thoughts = [m.content["step"]["thought"] for m in ledger.messages(n)[1:]]
    # The thoughts are seen as they are written, and nothing else of the JSON is.
    assert words.replace(" ", "") == "".join(thoughts).replace(" ", "")


def _nothing_is_given_away(ledger, n, sent):
    """Neither the held-out half nor a key is in what was sent."""
    held_out = ledger.experiments(n)[-1]
    assert held_out.tool == "held_out_sample"
    for shown in held_out.values["shown"]:
        assert shown["stimulus"][:8] not in sent
    assert "held_out_sample" not in sent
    assert "sk-secret-of-mine" not in sent
    # The control: what it was shown is there.
    assert ledger.experiments(n)[0].values["stimuli"][0][:8] in sent


def _is_told_within_any_room(ledger, lab, n):
    """Each call has one answer, ids are short, and less room makes less of it."""
    view = a_view(
        ledger, lab, messages=ledger.messages(n), hypotheses=ledger.hypotheses(n),
        predictions=ledger.predictions(n), experiments=ledger.experiments(n),
        verdicts=ledger.verdicts(n),
    )  # fmt: skip
    sizes = []
    for room in ROOMS:
        dialog = Dialog(view, "tools", Album(ledger.pictures, True), room)
        chat = dialog.messages("system")
        asked = [c["id"] for m in chat for c in m.get("tool_calls", ())]
        assert asked == [m["tool_call_id"] for m in chat if m["role"] == "tool"]
        assert len(set(asked)) == len(asked) == 8
        assert all(re.fullmatch("[a-z0-9]{9}", i) for i in asked)
        assert count_images({"messages": chat}) == dialog.detail["pictures"] <= room.panels
        words = re.sub(r'base64,[^"]*', "", json.dumps(chat))
        assert not re.search(r"[0-9a-f]{64}", words)
        assert "Hypothesis 'red': supported" in words
        sizes.append(len(json.dumps(chat)))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 10
    plain = Dialog(view, "json", Album(ledger.pictures, False), ROOMS[0]).messages("system")
    assert [m["role"] for m in plain] == ["system", "user"] + ["assistant", "user"] * 5


def test_pictures_are_small_captioned_and_beside_their_heat_maps(ledger, lab):
    with ChatServer([concludes(RED)]) as server:
        ended = study(ledger, lab, server)
    first = server.asked[0]["messages"][1]["content"]
    exemplars = ledger.experiments(ended.id)[0].values
    captions = [p["text"] for p in first if p["type"] == "text"][1:10]
    for caption, name, level in zip(
        captions, exemplars["stimuli"], exemplars["activation"], strict=True
    ):
        assert name[:8] in caption
        assert f"activation {level:.3f}" in caption
    url = next(p["image_url"]["url"] for p in first if p["type"] == "image_url")
    shown = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    assert shown.size == (2 * 224 + 8, 224)
    original = ledger.pictures.image(exemplars["stimuli"][0]).resize((224, 224))
    left = np.asarray(shown.convert("RGB"), float)[:, :224]
    assert np.abs(left - np.asarray(original, float)).mean() < 12


def test_a_model_that_registers_hypotheses_alone_is_asked_for_their_test(ledger, lab):
    script = [
        step("An idea.", [claim("red", RED)]),
        step("Another.", [claim("dots", DOTS)]),
        step("Now look.", calls=[("survey", {"unit": UNIT, "n": 60})]),
        concludes(None, "Nothing was found."),
    ]
    for can in (WAYS["tools"], WAYS["json"]):
        with ChatServer(script, can=can) as server:
            ended = study(ledger, lab, server)
        assert ended.stop == "nothing found"
        assert [h.name for h in ledger.hypotheses(ended.id)] == ["red", "dots"]
        assert [m.role for m in ledger.messages(ended.id)] == ["user", "planner", "planner"]
        assert "make it now" in texts(server.asked[1])[-1]


def test_a_study_that_was_cut_off_is_planned_on_from_the_view_alone(ledger, lab):
    """The requests of a second planner are those that the first would have made."""

    class Cut(Exception):
        pass

    def stopping(event, _details):
        if event == "result" and ledger.experiments(number)[-1].n == 3:
            raise Cut

    without = {"op": "without", "phrase": "red object"}

    def edit(body):
        args = {"stimuli": pictures_in(body), "instruction": without}
        return step("An edit.", calls=[("edit", args)])

    script = [*SCRIPT[:2], edit, *SCRIPT[3:4], concludes(RED, evidence=[1, 2])]
    requests = []
    for cut in (False, True):
        number = begin(ledger, lab)
        with ChatServer(script) as server:
            planner = OpenAIPlanner("openai/scripted", server.url, ledger.home, QUICK)
            if cut:
                with pytest.raises(Cut):
                    run(number, ledger, lab, planner, stopping)
                planner = OpenAIPlanner("openai/scripted", server.url, ledger.home, QUICK)
            ended = run(number, ledger, lab, planner)
            asked = [
                [m for m in body["messages"] if m["role"] == "assistant"] for body in server.asked
            ]
        assert ended.stop == "answered"
        requests.append(asked)
    assert requests[0] == requests[1]
