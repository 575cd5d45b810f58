"""A describer sees pictures alone, and what it says is its word."""

import base64
import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.agent.chat_server import Can, ChatServer, Reply

from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import Call, Claim, Conclusion, Condition, Predicted, Step, problem
from hubel.agent.planners.openai.client import Patience
from hubel.agent.planners.openai.describer import OpenAIDescriber
from hubel.agent.planners.scripted import Scripted
from hubel.sandbox.session import LabSession, LabSettings
from hubel.tools.spec import ToolError

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
QUESTION = "Is the zebrafinch unit about red?"
CLAIM = "It likes crimson marmalade"
QUICK = Patience(tries=2, wait=0.01)


def picture(colour):
    return Image.new("RGB", (900, 300), colour)


def sent(body):
    """The pictures of a request, as pixels."""
    parts = [p for m in body["messages"] if isinstance(m["content"], list) for p in m["content"]]
    data = [p["image_url"]["url"].split(",")[1] for p in parts if p["type"] == "image_url"]
    return [Image.open(io.BytesIO(base64.b64decode(d))) for d in data]


def test_its_requests_hold_the_pictures_scaled_in_order():
    asked = []
    with ChatServer([Reply(text=" All are plain. ")]) as server:
        eyes = OpenAIDescriber("openai/scripted", server.url, patience=QUICK)
        assert (
            eyes.describe([picture("red"), picture("blue")], asked.append, 4, {})
            == "All are plain."
        )
        (body,) = server.requests
    shown = sent(body)
    assert [p.size for p in shown] == [(224, 75)] * 2
    assert [int(np.asarray(p)[9, 9].argmax()) for p in shown] == [0, 2]  # red, then blue
    (call,) = asked
    assert (call.role, call.message, call.status) == ("describer", 4, "ok")
    assert call.tokens_in == 100


@pytest.mark.parametrize(
    ("answer", "can", "why"),
    [
        (Reply(refusal="I will not look."), Can(), "I will not look"),
        (Reply(text=""), Can(), "empty"),
        (Reply(text="Cut off in the", finish="length"), Can(), "truncated"),
        (Reply(text="?"), Can(images="no"), "image input is not supported"),
    ],
)
def test_what_is_no_description_is_refused(answer, can, why):
    with ChatServer([answer], can=can) as server:
        eyes = OpenAIDescriber("openai/scripted", server.url, patience=QUICK)
        with pytest.raises(ToolError, match=why):
            eyes.describe([picture("red")], lambda _call: None, 1, {})


def test_a_server_that_never_answers_is_a_refusal_too():
    asked = []
    with ChatServer([], faults=["500", "503"]) as server:
        eyes = OpenAIDescriber("openai/scripted", server.url, patience=QUICK)
        with pytest.raises(ToolError, match="no description"):
            eyes.describe([picture("red")], asked.append, 1, {})
    assert [c.status for c in asked] == ["server error"] * 2


def test_it_ends_with_the_seconds_that_a_study_has_left():
    asked = []
    with ChatServer([], faults=["503"]) as server:
        patient = Patience(tries=9, wait=30.0)
        eyes = OpenAIDescriber("openai/scripted", server.url, patience=patient)
        with pytest.raises(ToolError, match="No time is left to wait"):
            eyes.describe([picture("red")], asked.append, 1, {"seconds": 2.0})
    assert len(asked) == 1


def test_its_tokens_are_estimated_where_they_are_limited_and_not_counted():
    asked = []
    with ChatServer([Reply(text="Plain.")] * 2, can=Can(usage="no")) as server:
        eyes = OpenAIDescriber("openai/scripted", server.url, patience=QUICK)
        eyes.describe([picture("red")], asked.append, 1, {"tokens": 9000.0})
        eyes.describe([picture("red")], asked.append, 1, {"seconds": 99.0})
    limited, free = asked
    assert limited.detail["estimated"] is True
    assert limited.tokens_in > 0
    assert free.tokens_in is None


def test_a_budget_in_dollars_needs_its_price(tmp_path):
    left = {"dollars": 1.0}
    with ChatServer([Reply(text="Plain.")]) as server:
        eyes = OpenAIDescriber("openai/scripted", server.url, tmp_path, QUICK)
        with pytest.raises(ToolError, match="price of the describer"):
            eyes.describe([picture("red")], lambda _call: None, 1, left)
        assert server.requests == []
        (tmp_path / "prices.json").write_text('{"scripted": {"in": 1.0, "out": 2.0}}')
        eyes = OpenAIDescriber("openai/scripted", server.url, tmp_path, QUICK)
        assert eyes.describe([picture("red")], lambda _call: None, 1, left) == "Plain."


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with LabSession(LabSettings(TINY, "scenes:120", home)) as session:
        yield session


def test_in_a_study_it_sees_neither_question_nor_hypotheses_nor_activations(lab):
    """Everything that a study knows is looked for in the requests; the pictures are in them."""
    form = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
    steps = []

    class Asking:
        name = "asking"
        listens = False

        def next(self, view):
            steps.append(view)
            if len(steps) == 1:
                shown = view.experiments[0].values["stimuli"][:3]
                claim = Claim(name="marmalade", claim=CLAIM, form=form)
                return Step(
                    thought="Surely crimson.",
                    hypotheses=(claim,),
                    calls=(Call(tool="describe", args={"pictures": shown}),),
                )
            return Step(conclusion=Conclusion(text="No.", form=None))

    with ChatServer([Reply(text="Three scenes.")]) as server, Ledger(lab.settings.home) as ledger:
        eyes = OpenAIDescriber("openai/scripted", server.url, patience=QUICK)
        study = ledger.begin(
            question=QUESTION, model=TINY, unit="blocks.0:0", data="scenes:120", planner="asking",
            device="cpu", seed=0, budget=asdict(Budget()),
        ).id  # fmt: skip
        run(study, ledger, lab, Asking(), describer=eyes)
        (body,) = server.requests
        opening, described, _ = ledger.experiments(study)
        (asked,) = ledger.llm_calls(study)
        shown = [ledger.pictures.image(p) for p in described.args["pictures"]]
    assert described.values == {"text": "Three scenes.", "by": "openai/scripted"}
    assert (asked.role, asked.message) == ("describer", 1)
    for given, seen in zip(shown, sent(body), strict=True):  # a JPEG of the same picture
        assert given.size == seen.size
        assert np.abs(np.asarray(given, float) - np.asarray(seen, float)).mean() < 4
    words = json.dumps(body)
    secrets = ["zebrafinch", "marmalade", "crimson", "blocks.0", "activation", "unit", "hypothes"]
    secrets += [str(a) for a in opening.values["activation"]]
    secrets += described.args["pictures"]
    text = "".join(p for p in words.split('"') if not p.startswith("data:image"))
    assert [s for s in secrets if s in text] == []
    assert "have in common" in text

    # Its word is none to rest on: no prediction, no evidence.
    predicted = Predicted(
        hypothesis="marmalade",
        path="text",
        expects=Condition(op=">", value=0),
        refutes=Condition(op="<", value=0),
    )
    again = Call(tool="describe", args=described.args, predictions=(predicted,))
    assert "own word" in problem(Step(calls=(again,)), steps[-1])
    cited = Step(conclusion=Conclusion(text="So.", form=form, evidence=(described.n,)))
    assert "cite the tool calls" in problem(cited, steps[-1])


def test_without_a_describer_the_tool_is_not_offered(lab):
    with Ledger(lab.settings.home) as ledger:
        study = ledger.begin(
            question="?", model=TINY, unit="blocks.0:0", data="scenes:120", planner="scripted",
            device="cpu", seed=0, budget=asdict(Budget()),
        ).id  # fmt: skip
        blind = Step(calls=(Call(tool="describe", args={"pictures": []}),))
        run(study, ledger, lab, Scripted([blind] * 3))
        errors = [m.content["error"] for m in ledger.messages(study) if m.role == "error"]
    assert errors[0].startswith("There is no tool 'describe'.")
