"""Studies that a scripted server plans, for tests."""

from dataclasses import asdict
from pathlib import Path

from tests.agent.chat_server import Can

from hubel.agent.budget import Budget
from hubel.agent.loop import run
from hubel.agent.planner import Desk, View
from hubel.agent.planners.openai import OpenAIPlanner, Patience
from hubel.agent.records import Message

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
UNIT = "blocks.0:0"
QUICK = Patience(tries=3, wait=0.01, longest_wait=0.05, silence=5)
WAYS = {
    "tools": Can(),
    "json": Can(tools="no"),
    "text": Can(tools="ignored", response_format="no"),
    "text, blind": Can(tools="no", response_format="no", images="no"),
}


def begin(ledger, lab, **budget):
    return ledger.begin(
        question="What is this unit for?", model=lab.settings.target, unit=UNIT,
        data=lab.settings.data, planner="openai/scripted", device="cpu", seed=0,
        budget={**asdict(Budget()), **budget}, options={},
    ).id  # fmt: skip


def study(ledger, lab, server, watch=None, **budget):
    """Run a study with a scripted server; gives how it ended."""
    number = begin(ledger, lab, **budget)
    planner = OpenAIPlanner("openai/scripted", server.url, ledger.home, QUICK)
    return run(number, ledger, lab, planner, watch)


def claim(name, form, revises=None):
    return {"name": name, "claim": f"{name} drives it", "form": form, "revises": revises}


def predicts(name, op, value):
    other = {">": "<=", "<": ">="}[op]
    return {
        "hypothesis": name, "path": "contrast.mean", "expects": {"op": op, "value": value},
        "refutes": {"op": other, "value": value},
    }  # fmt: skip


def a_view(ledger, lab, **more):
    """A study of which nothing but the question is there."""
    given = {
        "question": "What?", "unit": UNIT, "tools": lab.tools, "must_conclude": False, "seed": 0,
        "budget_left": {"rounds": 9.0, "seconds": 60.0}, "messages": [Message(0, "user", {})],
        "hypotheses": [], "predictions": [], "experiments": [], "verdicts": [],
        "desk": Desk(ledger.pictures, lambda _call: None, lambda _text: "", lambda *_event: None),
    }  # fmt: skip
    return View(**{**given, **more})
