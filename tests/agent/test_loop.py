import json
import sqlite3
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import Call, Claim, Conclusion, Condition, PlannerFailed, Predicted, Step
from hubel.agent.planners import open_planner
from hubel.agent.planners.scripted import Scripted
from hubel.sandbox.session import LabSession, LabSettings

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
RED = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
NOISE = {"terms": [{"weight": 1.0, "having": ["dotted object"]}]}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lab(home):
    with LabSession(LabSettings(TINY, "scenes:240", home)) as session:
        yield session


@pytest.fixture
def ledger(home):
    with Ledger(home) as opened:
        yield opened


def begin(ledger, lab, unit="blocks.0:0", **budget):
    return ledger.begin(
        question="what?", model=lab.settings.target, unit=unit, data=lab.settings.data,
        planner="builtin", device="cpu", seed=0, budget={**asdict(Budget()), **budget},
    ).id  # fmt: skip


def call(tool, predictions=(), **args):
    return Call(tool=tool, args=args, predictions=predictions)


def conclusion(form, evidence=()):
    return Step(conclusion=Conclusion(text="It likes red.", form=form, evidence=evidence))


def test_builtin_explains_a_planted_unit_and_confirms_it(ledger, lab):
    study = begin(ledger, lab)
    ended = run(study, ledger, lab, open_planner("builtin"))
    explanation = ledger.explanation(study)
    assert ended.stop == explanation.verdict == "answered"
    assert "red" in explanation.text
    assert explanation.grade == "causal"
    score = ledger.scores(study)["explanation"]
    assert score.pearson > 0.6
    assert score.ci_low > 0.4
    assert score.detail["shuffled"] < 0.3
    assert ledger.scores(study)["constant"].pearson == 0
    # Each prediction is older than the experiment that tests it, and the program confirmed.
    for p in ledger.predictions(study):
        assert p.message <= next(
            e.message for e in ledger.experiments(study) if e.n == p.experiment
        )
    experiments = {e.n: e for e in ledger.experiments(study)}
    assert experiments[len(experiments)].asked_by == "program"
    # What is said of either of two phrases is tested on pictures of both.
    either = next(h for h in ledger.hypotheses(study) if not h.form["terms"][0]["having"])
    test = next(p.experiment for p in ledger.predictions(study) if p.hypothesis == either.name)
    for phrase in either.form["terms"][0]["lacking"]:
        found = next(e for e in experiments.values() if e.args.get("phrase") == phrase)
        assert set(found.values["stimuli"]) & set(experiments[test].args["stimuli"])


@pytest.mark.parametrize("unit", ["blocks.0:1"])
def test_builtin_finds_nothing_in_a_constant_unit(ledger, lab, unit):
    study = begin(ledger, lab, unit)
    assert run(study, ledger, lab, open_planner("builtin")).stop == "nothing found"
    assert ledger.explanation(study).form["terms"] == []


def test_a_planner_cannot_confirm_its_own_claim(ledger, lab):
    study = begin(ledger, lab)
    assert run(study, ledger, lab, Scripted([conclusion(NOISE)])).stop == "nothing found"
    explanation = ledger.explanation(study)
    assert "No consistent meaning" in explanation.text
    assert explanation.grade == "observed"


def test_the_measured_result_decides_over_hypotheses(ledger, lab):
    def claim(name, form):
        return Claim(name=name, claim=f"{name} drives it", form=form)

    def says(name, op, value):
        return Predicted(
            hypothesis=name,
            path="contrast.mean",
            expects=Condition(op=op, value=value),
            refutes=Condition(op="<=" if op == ">" else ">=", value=value),
        )

    study = begin(ledger, lab)
    steps = [
        Step(
            hypotheses=(claim("red", RED), claim("dots", NOISE)),
            calls=(call("synthesize", n=6, having=["red object"]),),
        ),
    ]
    run_until = Scripted(steps)
    assert run(study, ledger, lab, run_until).stop == "planner failed"
    made = ledger.experiments(study)[1].values["stimuli"]
    assert len(made) == 6
    second = begin(ledger, lab)
    edit = {"op": "without", "phrase": "red object"}
    steps.append(Step(calls=(call("edit", stimuli=made, instruction=edit),)))
    assert run(second, ledger, lab, Scripted(steps)).stop == "planner failed"
    without = ledger.experiments(second)[2].values["stimuli"]
    third = begin(ledger, lab)
    predictions = (says("red", ">", 0.0), says("dots", "<", 0.0))
    steps.append(
        Step(
            calls=(
                call("activate", predictions, unit="blocks.0:0", stimuli=made, baseline=without),
            )
        )
    )
    steps.append(conclusion(RED, (4,)))
    script = Scripted(steps)
    assert run(third, ledger, lab, script).stop == "answered"
    assert script.unused == 0
    outcomes = {v.hypothesis: v.outcome for v in ledger.verdicts(third)}
    assert outcomes == {"red": "supported", "dots": "refuted"}
    assert ledger.explanation(third).grade == "causal"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step(), "at least one call"),
        (
            Step(calls=(call("activat", unit="blocks.0:0", stimuli=["x"]),)),
            "Did you mean 'activate'",
        ),
        (Step(conclusion=Conclusion(text="x", form={"terms": 3})), "not a form"),
        (conclusion(RED, (77,)), "experiment 77"),
        (conclusion({"terms": [{"weight": 1.0, "having": ["zebra"]}]}), "judged for 'zebra'"),
        (Step(calls=(call("held_out_sample", unit="blocks.0:0", n=9, phrases=[]),)), "no tool"),
        (
            Step(
                calls=(
                    call(
                        "exemplars",
                        (
                            Predicted(
                                hypothesis="ghost",
                                path="x",
                                expects=Condition(op=">", value=0),
                                refutes=Condition(op="<", value=0),
                            ),
                        ),
                        unit="blocks.0:0",
                    ),
                )
            ),
            "'ghost'",
        ),
    ],
)
def test_a_malformed_step_gets_one_error_and_the_planner_may_mend_it(ledger, lab, step, message):
    study = begin(ledger, lab)
    assert run(study, ledger, lab, Scripted([step, conclusion(RED)])).stop == "answered"
    errors = [m for m in ledger.messages(study) if m.role == "error"]
    assert len(errors) == 1
    assert message in errors[0].content["error"]


def test_malformed_steps_end_the_study_in_the_end(ledger, lab):
    study = begin(ledger, lab)
    assert run(study, ledger, lab, Scripted([Step()] * 9)).stop == "planner failed"
    assert len(ledger.messages(study)) == 4


def test_a_refused_call_is_recorded_and_the_study_goes_on(ledger, lab):
    study = begin(ledger, lab)
    steps = [Step(calls=(call("activate", unit="blocks.9:0", stimuli=["a"]),)), conclusion(RED)]
    assert run(study, ledger, lab, Scripted(steps)).stop == "answered"
    refused = ledger.experiments(study)[1]
    assert refused.status == "refused"
    assert "blocks.0" in refused.error


@pytest.mark.parametrize("budget", [{"rounds": 2}, {"calls": 3}, {"seconds": 0.001}])
def test_a_spent_budget_stops_with_what_there_is(ledger, lab, budget):
    study = begin(ledger, lab, **budget)
    assert run(study, ledger, lab, open_planner("builtin")).stop == "budget"
    assert ledger.explanation(study) is not None
    asked = [e for e in ledger.experiments(study) if e.asked_by == "planner"]
    assert len(asked) <= budget.get("calls", 99)
    steps = [m for m in ledger.messages(study) if m.role == "planner"]
    assert len(steps) <= budget.get("rounds", 98) + 1  # one more, to conclude


def test_a_planner_that_will_not_conclude_is_stopped_all_the_same(ledger, lab):
    study = begin(ledger, lab, calls=2)
    endless = [Step(calls=(call("exemplars", unit="blocks.0:0"),))] * 9
    assert run(study, ledger, lab, Scripted(endless)).stop == "budget"
    asked = [e for e in ledger.experiments(study) if e.asked_by == "planner"]
    assert len(asked) == 2
    assert ledger.explanation(study) is None


def test_a_step_that_is_refused_in_the_last_round_leaves_one_to_conclude(ledger, lab):
    study = begin(ledger, lab, rounds=1)
    script = Scripted([Step(), conclusion(RED)])
    assert run(study, ledger, lab, script).stop == "budget"
    assert ledger.explanation(study).text == conclusion(RED).conclusion.text
    another = begin(ledger, lab, rounds=1)
    assert run(another, ledger, lab, Scripted([Step()] * 9)).stop == "budget"
    assert len(ledger.messages(another)) == 3  # the question and two refused steps


def test_a_planner_that_is_waited_for_until_the_time_is_over_has_spent_the_budget(ledger, lab):
    class Late:
        name = "late"

        def next(self, view):
            time.sleep(view.budget_left["seconds"])
            raise PlannerFailed("no answer in time")

    study = run(begin(ledger, lab, seconds=3), ledger, lab, Late())
    assert (study.stop, study.stop_detail) == ("budget", "no answer in time")


def test_a_failing_planner_ends_the_study_by_name(ledger, lab):
    class Failing:
        name = "failing"

        def next(self, view):
            raise PlannerFailed("no idea")

    study = begin(ledger, lab)
    ended = run(study, ledger, lab, Failing())
    assert (ended.stop, ended.stop_detail) == ("planner failed", "no idea")


def test_a_planner_sees_nothing_of_the_held_out_half(ledger, lab):
    seen = []

    class Watching:
        name = "watching"

        def next(self, view):
            seen.append(view)
            if len(seen) == 1:
                return Step(calls=(call("survey", unit=view.unit, n=200),))
            return conclusion(RED)

    study = begin(ledger, lab)
    run(study, ledger, lab, Watching())
    held_out = ledger.experiments(study)[-1]
    assert held_out.tool == "held_out_sample"
    assert all(t["audience"] == "planner" for view in seen for t in view.tools)
    assert held_out.values["activation"]
    shown = json.dumps([asdict(e) for e in seen[-1].experiments])
    assert held_out.values["shown"]
    for picture in held_out.values["shown"]:
        assert picture["stimulus"] not in shown
    # The control: what the planner did see is there.
    assert seen[-1].experiments[0].values["stimuli"][0] in shown


def test_checkpoints_hold_numbers_only(ledger, lab, home):
    study = begin(ledger, lab)
    run(study, ledger, lab, open_planner("builtin"))
    connection = sqlite3.connect(home / "ledger.db")
    rows = connection.execute(
        "SELECT length(checkpoint) + length(metadata) FROM checkpoints WHERE thread_id = ?",
        [str(study)],
    ).fetchall()
    connection.close()
    assert len(rows) > 5
    assert max(size for (size,) in rows) < 4096
