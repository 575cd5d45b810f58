import io
import json
import os
import subprocess
import sys

import pytest
from tests.agent import example_study
from tests.agent.author import PLANTED, UNIT, Author

from hubel.agent.chat.telling import found_text, why_text
from hubel.agent.display import SafeConsole
from hubel.agent.ledger import Ledger, LedgerError
from hubel.agent.planner import Step
from hubel.agent.records import Message
from hubel.agent.why import step_named, step_of, why


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ledger(home):
    with Ledger(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def answered(ledger):
    return example_study.answered(ledger)


def fates(told):
    return {h.name: h.fate for h in told.held}


def beginning(ledger, whole):
    """A study in which ‘red object’ is tested; the whole of it refutes ‘circle’ as well."""
    author = Author(ledger, PLANTED, pictures=24)
    author.exemplars()
    author.step("What drives it?", {"red object": 1.9, "circle": 1.2})
    author.minimal_pairs("red object", "h1", n=6)
    if whole:
        author.minimal_pairs("circle", "h2", n=6, least=0.9)
        author.conclude("It responds to red.", {"red object": 1.9}, [1, 4])
    return author.study


def test_a_belief_rests_on_what_had_been_measured_by_then(ledger, answered):
    assert fates(why(ledger, answered, 5)) == dict.fromkeys(["h1", "h2", "h3", "h4"], "untested")
    told = why(ledger, answered, 8)
    assert fates(told) == {"h1": "supported", "h2": "untested", "h3": "untested", "h4": "untested"}
    verdict = next(v for v in ledger.verdicts(answered) if v.experiment == 7)
    [test] = told.held[0].tests
    assert (test.experiment, test.outcome, test.measured) == (7, "supported", verdict.measured)
    assert verdict.measured > 1
    measured = next(f for f in told.known if f.experiment == 7).numbers[0]
    assert measured.value == verdict.measured
    assert measured.ci[0] < verdict.measured < measured.ci[1]


def test_what_a_step_did_and_what_came_of_it(ledger, answered):
    told = why(ledger, answered, 8)
    assert "as h2 says" in told.thought
    assert [f.experiment for f in told.asked] == [10]
    assert [(t.hypothesis, t.before, t.after) for t in told.turns] == [
        ("h2", "untested", "supported")
    ]
    circle = next(h for h in told.held if h.name == "h3")
    assert [(t.step, t.after) for t in circle.later] == [(11, "refuted")]
    assert [h.name for h in why(ledger, answered, 2).registered] == ["h1", "h2", "h3", "h4"]
    end = why(ledger, answered, told.steps)
    assert fates(end)["h3"] == "refuted"
    assert end.conclusion["evidence"] == [1, 2, 7, 10]
    assert end.next_thought is None
    assert [f.tool for f in end.asked] == ["held_out_sample"]


def test_no_step_knows_what_came_later(ledger):
    part, whole = beginning(ledger, whole=False), beginning(ledger, whole=True)
    for step in range(1, why(ledger, part, 1).steps + 1):
        then, now = (why(ledger, study, step) for study in (part, whole))
        assert then.known == now.known
        assert all(f.step < step for f in now.known)
        assert fates(then) == fates(now)
        assert [h.tests for h in then.held] == [h.tests for h in now.held]
        assert all(t.experiment < min(f.experiment for f in now.asked)
                   for h in now.held for t in h.tests if now.asked)  # fmt: skip
    assert "later" in why_text(why(ledger, whole, 2)).plain.lower()


def test_the_same_log_gives_the_same_answer(tmp_path, ledger, answered):
    with Ledger(tmp_path) as other:
        study = example_study.answered(other)
        for step in (1, 5, 8, 13):
            again = why(other, study, step).to_json()
            assert again == {**why(ledger, answered, step).to_json(), "study": study}
            assert json.loads(json.dumps(again)) == json.loads(json.dumps(again))


def test_the_text_says_what_the_numbers_were(ledger, answered):
    text = why_text(why(ledger, answered, 11)).plain
    measured = next(v for v in ledger.verdicts(answered) if v.experiment == 13).measured
    for part in ("Step 11 of 13", f"mean difference {measured:.4f}", "refuted by", "h1 supported",
                 "So h3 went from untested to refuted, by #13.", "By then 11 experiments"):  # fmt: skip
        assert part in text, text


def test_a_belief_without_a_test_is_called_that(ledger):
    told = why(ledger, example_study.unfinished(ledger), 1)
    assert [h.name for h in told.registered] == ["h1"]
    assert told.held == []
    assert "No hypothesis had been registered yet." in why_text(told).plain
    assert "survey running" in why_text(told).plain.replace("Called survey. ", "")
    author = Author(ledger, PLANTED, pictures=24)
    author.exemplars()
    author.step("I just know.", {"red object": 1.0})
    author.step("Look.")
    author.call("find", "stimulus", {"phrase": "x"}, status="refused", error="No such phrase.")
    told = why(ledger, author.study, 2)
    assert (fates(told), told.turns, told.predicted) == ({"h1": "untested"}, [], [])
    text = why_text(told).plain
    assert "rested on no test" in text
    assert "supported" not in text


def test_a_refused_step_says_why_it_was_refused(ledger):
    author = Author(ledger, PLANTED, pictures=24)
    author.exemplars()
    content = {"error": "A step needs at least one call.", "step": Step(thought="Hm.").model_dump()}
    ledger.record_step(author.study, Message(1, "error", content), 0.1)
    told = why(ledger, author.study, 1)
    assert (told.role, told.thought, told.asked) == ("error", "Hm.", [])
    assert "refused: A step needs at least one call." in why_text(told).plain
    malformed = {"error": "No JSON.", "said": "Well, I think"}
    ledger.record_step(author.study, Message(2, "error", malformed), 0.1)
    assert why(ledger, author.study, 2).thought == "Well, I think"


def test_what_does_not_exist_is_not_explained(ledger, answered):
    with pytest.raises(ValueError, match="the steps 1 to 13"):
        why(ledger, answered, 14)
    with pytest.raises(ValueError, match="no step 0"):
        why(ledger, answered, 0)
    with pytest.raises(LedgerError, match="no study 999"):
        why(ledger, 999, 1)
    with pytest.raises(ValueError, match="no experiment #99"):
        step_of(ledger, answered, 99)
    with pytest.raises(ValueError, match="nobody believed anything"):
        step_named(ledger, answered, "#1")
    with pytest.raises(ValueError, match="'seven' is no step"):
        step_named(ledger, answered, "seven")
    empty = Author(ledger, PLANTED, pictures=24).study
    with pytest.raises(ValueError, match="no step yet"):
        why(ledger, empty, 1)
    with pytest.raises(ValueError, match="no step yet"):
        step_named(ledger, empty, "")


def test_a_step_is_named_by_number_experiment_or_as_the_last(ledger, answered):
    assert step_named(ledger, answered, "8") == 8
    assert step_named(ledger, answered, "#10") == step_of(ledger, answered, 10) == 8
    assert step_named(ledger, answered, "") == 13


EVIL = "\x1b]0;own\x07\x1b[2J\x9b31mboo\x1b[31m\x07\u202e[bold]x[/]"


def test_what_others_wrote_never_reaches_the_terminal_raw(ledger):
    study = example_study.hostile(ledger, EVIL)
    out = io.StringIO()
    console = SafeConsole(file=out, force_terminal=True, color_system="truecolor", width=120)
    for step in (1, 2):
        console.print(why_text(why(ledger, study, step)))
    console.print(found_text(ledger, study))
    shown = out.getvalue()
    assert "boo[bold]x[/]" in shown
    for harm in ("\x1b]", "\x1b[2J", "\x9b", "\x1b[31mx", "\x07", "\u202e"):
        assert harm not in shown


def test_the_command_says_it_and_prints_json(home, ledger, answered):
    def hubel(*words):
        done = subprocess.run(
            [sys.executable, "-m", "hubel", "why", *words], capture_output=True, text=True,
            check=False, env={**os.environ, "HUBEL_HOME": str(home)},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    status, out, _ = hubel(str(answered), "#10")
    assert (status, f"Step 8 of 13, study {answered}: {UNIT}" in out) == (0, True)
    status, out, _ = hubel(str(answered), "8", "--json")
    assert json.loads(out) == json.loads(json.dumps(why(ledger, answered, 8).to_json()))
    status, out, err = hubel(str(answered), "14")
    assert (status, out, len(err.strip().splitlines())) == (2, "", 1)
