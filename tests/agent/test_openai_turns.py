"""Answers that are no step, contexts that overflow, budgets that are spent: over real HTTP."""

import json

import pytest
from tests.agent.chat_server import Can, ChatServer, Reply, concludes, count_images, step, texts
from tests.agent.chat_study import QUICK, TINY, UNIT, WAYS, a_view, begin, predicts, study

from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import Malformed
from hubel.agent.planners.openai import OpenAIPlanner
from hubel.agent.records import Message
from hubel.sandbox.session import LabSession, LabSettings

RED = "1*[red object] + 0.5*[a red patch]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with LabSession(LabSettings(TINY, "scenes:120", home)) as session:
        yield session


@pytest.fixture
def ledger(lab):
    with Ledger(lab.settings.home) as opened:
        yield opened


MALFORMED = {
    "truncated": r"cut off",
    "wrong tool": r"There is no tool 'imagine'",
    "wrong types": r"is to be of type|list of objects",
    "wrong arguments": r"no argument 'verbosity'|no field 'feeling'",
    "prose": r"called no tool|no JSON object",
    "empty": r"empty",
    "refusal": r"refusal",
    "filtered": r"refusal",
}


@pytest.mark.parametrize("way", ["tools", "json", "text"])
@pytest.mark.parametrize(("fault", "words"), MALFORMED.items())
def test_what_is_no_step_gets_one_precise_sentence(ledger, lab, way, fault, words):
    script = [step("Look.", calls=[("survey", {"unit": UNIT, "n": 60})])]
    with ChatServer(script, [fault], can=WAYS[way]) as server:
        planner = OpenAIPlanner("openai/scripted", server.url, ledger.home, QUICK)
        view = a_view(ledger, lab)
        with pytest.raises(Malformed, match=words) as malformed:
            planner.next(view)
        assert server.faulted == [fault]
        error = str(malformed.value)
        assert "\n" not in error
        # It is told at the next turn, with what it said, and may mend it.
        content = {"error": error, "said": malformed.value.said}
        told = a_view(ledger, lab, messages=[*view.messages, Message(1, "error", content)])
        assert planner.next(told).calls[0].tool == "survey"
    said, answered = server.asked[-1]["messages"][-2:]
    assert error in answered["content"]
    assert said["content"] == (malformed.value.said or "(nothing)")


@pytest.mark.parametrize("way", ["tools", "json"])
def test_malformed_answers_are_recorded_and_the_study_goes_on(ledger, lab, way):
    with ChatServer([concludes(None)], ["truncated", "refusal"], can=WAYS[way]) as server:
        ended = study(ledger, lab, server)
    assert ended.stop == "nothing found"
    assert [m.role for m in ledger.messages(ended.id)] == ["user", "error", "error", "planner"]
    statuses = [c.status for c in ledger.llm_calls(ended.id) if c.role == "planner"]
    assert statuses == ["truncated", "refusal", "ok"]


def test_a_refused_step_is_told_with_the_calls_it_was_made_of(ledger, lab):
    args = {"unit": UNIT, "stimuli": ["0" * 8]}
    ghost = step("Test.", calls=[("activate", args, [predicts("ghost", ">", 0)])])
    for way in ("tools", "json"):
        with ChatServer([ghost, concludes(None)], can=WAYS[way]) as server:
            ended = study(ledger, lab, server)
        assert ended.stop == "nothing found"
        assert "'ghost'" in ledger.messages(ended.id)[1].content["error"]
        said, answered = server.asked[1]["messages"][-2:]
        assert "ghost" in json.dumps(said)
        assert "'ghost'" in answered["content"]
        assert answered["role"] == ("tool" if way == "tools" else "user")


def test_wrong_answers_without_end_end_the_study(ledger, lab):
    with ChatServer([concludes(RED)], lambda _n: "prose") as server:
        ended = study(ledger, lab, server)
    assert ended.stop == "planner failed"
    assert [m.role for m in ledger.messages(ended.id)] == ["user"] + ["error"] * 3
    assert ledger.explanation(ended.id) is None


def test_a_context_that_overflows_is_told_less_and_the_ledger_keeps_all(ledger, lab):
    script = [step("Look.", calls=[("survey", {"unit": UNIT, "n": 50 + i})]) for i in range(4)]
    with ChatServer([*script, concludes(None)], can=Can(context=20_000)) as server:
        ended = study(ledger, lab, server)
    assert ended.stop == "nothing found"
    calls = [c for c in ledger.llm_calls(ended.id) if c.role == "planner"]
    over = [c for c in calls if c.status == "context overflow"]
    assert over
    assert all(c.status in ("ok", "context overflow") for c in calls)
    assert calls[-1].detail["left_out"]["pictures"] > 0
    assert "not shown again: picture" in json.dumps(server.asked[-1])
    assert len([e for e in ledger.experiments(ended.id) if e.tool == "survey"]) == 4
    assert len(ledger.experiments(ended.id)[0].result["artifacts"]) == 18


def test_a_context_that_is_too_small_for_anything_fails_by_name(ledger, lab):
    with ChatServer([concludes(None)], can=Can(context=500)) as server:
        ended = study(ledger, lab, server)
    assert ended.stop == "planner failed"
    assert "too small" in ended.stop_detail


def test_pictures_that_are_refused_later_are_replaced_by_words(ledger, lab):
    with ChatServer([concludes(None)]) as server:
        probe = server.can
        number = begin(ledger, lab)
        planner = OpenAIPlanner("openai/scripted", server.url, ledger.home, QUICK)

        def answers(_body):
            return concludes(None)

        server.answers = answers
        seen = []

        def faults(n):
            seen.append(n)
            probe.images = "no"
            return "500" if n == 0 else None

        server.faults = faults
        ended = run(number, ledger, lab, planner)
    assert ended.stop == "nothing found"
    statuses = [c.status for c in ledger.llm_calls(number) if c.role == "planner"]
    assert statuses == ["server error", "bad request", "ok"]
    assert not count_images(server.asked[-1])


@pytest.mark.parametrize("budget", [{"tokens": 1000}, {"rounds": 1}, {"calls": 1}])
def test_a_spent_budget_asks_for_a_conclusion_and_nothing_else(ledger, lab, budget):
    look = step("Look.", calls=[("survey", {"unit": UNIT, "n": 60})])
    with ChatServer([look, concludes(RED)]) as server:
        server.answers = [
            Reply(calls=(("survey", {"unit": UNIT, "n": 60}),), tokens=(990, 20)), concludes(RED)
        ]  # fmt: skip
        ended = study(ledger, lab, server, **budget)
    assert ended.stop == "budget"
    assert ledger.explanation(ended.id).verdict == "answered"
    last = server.asked[-1]
    assert [t["function"]["name"] for t in last["tools"]] == ["conclude"]
    assert "Conclude now" in texts(last)[-1]


def test_a_budget_in_dollars_is_kept_by_the_user_s_prices_and_refused_without(ledger, lab):
    with ChatServer([concludes(None)]) as server:
        ended = study(ledger, lab, server, dollars=1.0)
        assert ended.stop == "planner failed"
        assert "prices.json" in ended.stop_detail
        assert not server.requests
    prices = ledger.home / "prices.json"
    prices.write_text(json.dumps({"scripted": {"in": 1e4, "out": 1e4, "source": "a test"}}))
    look = step("Look.", calls=[("survey", {"unit": UNIT, "n": 60})])
    try:
        with ChatServer([look, concludes(None)]) as server:
            ended = study(ledger, lab, server, dollars=1.5)
    finally:
        prices.unlink()
    assert ended.stop == "budget"
    assert sum(c.dollars for c in ledger.llm_calls(ended.id)) == pytest.approx(3.6)
