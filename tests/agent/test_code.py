import json
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.sandbox.levels import ISOLATED

from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import Call, Claim, Conclusion, Condition, Predicted, Step
from hubel.agent.planners.scripted import Scripted
from hubel.agent.replay import replay_study
from hubel.agent.report import write_report
from hubel.sandbox.jail import Jail
from hubel.sandbox.levels import jail_for
from hubel.sandbox.session import LabSession, LabSettings

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
RED = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
CODE = """
for tool, args in (("exemplar", {}), ("exemplars", {"unit": "nowhere:0"})):
    try:
        getattr(tools, tool)(**args)
    except (AttributeError, ToolError) as error:
        print("refused")
tops = tools.exemplars(unit="blocks.0:0", k=2)
turned = [keep(picture(name).rotate(90)) for name in tops["stimuli"]]
measured = tools.activate(unit="blocks.0:0", stimuli=turned)
show(picture(turned[0]), caption="turned")
print("number", measured.experiment)
result = {"turned": turned, "seed": seed}
"""


@pytest.fixture(scope="module", params=ISOLATED)
def lab(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with LabSession(LabSettings(TINY, "scenes:240", home, jail=jail_for(request.param))) as session:
        yield session


@pytest.fixture
def ledger(lab):
    with Ledger(lab.settings.home) as opened:
        yield opened


def begin(ledger, lab, **budget):
    return ledger.begin(
        question="what?", model=lab.settings.target, unit="blocks.0:0", data=lab.settings.data,
        planner="scripted", device="cpu", seed=0, budget={**asdict(Budget()), **budget},
    ).id  # fmt: skip


def code(text, predictions=()):
    return Call(tool="run_python", args={"code": text}, predictions=predictions)


def concluding(*evidence):
    return Step(conclusion=Conclusion(text="It likes red.", form=RED, evidence=evidence))


def test_calls_from_code_are_experiments_of_their_own(ledger, lab, tmp_path):
    study = begin(ledger, lab)
    steps = [Step(calls=(code(CODE), Call(tool="synthesize", args={"n": 1}))), concluding(5, 6)]
    assert run(study, ledger, lab, Scripted(steps)).stop == "answered"
    first, ran, made, refused, tops, measured, confirmed = ledger.experiments(study)
    assert (first.tool, ran.tool, made.tool) == ("exemplars", "run_python", "synthesize")
    assert (tops.tool, measured.tool) == ("exemplars", "activate")
    assert [e.parent for e in (ran, made, tops, measured)] == [None, None, 2, 2]
    assert {e.sandbox for e in ledger.experiments(study)} == {"isolated"}
    assert ran.values["ended"] == "done"
    assert (refused.status, refused.parent) == ("refused", 2)
    assert ran.values["printed"] == "refused\nrefused\nnumber 6\n"
    assert ran.values["result"]["seed"] == ran.seed
    assert measured.args["stimuli"] == ran.values["result"]["turned"]
    kept = {a["id"]: a for a in ran.result["artifacts"]}
    assert {*measured.args["stimuli"]} < {*kept}
    assert [a["provenance"].get("caption") for a in kept.values()][-1] == "turned"
    opened = ledger.study(study).opened
    assert opened["sandbox"]["level"] == "isolated"
    assert opened["sandbox"]["limits"]["wall"] == 120.0
    assert confirmed.tool == "held_out_sample"
    assert replay_study(ledger.study(study), ledger, lab, lambda _text: None).same
    page = write_report(ledger, study, tmp_path / "report.html").read_text()
    assert "Ran a script of 11 lines." in page
    assert "called by the code of" in page
    assert "no sandbox" not in page


def test_replay_tells_when_code_comes_out_otherwise(ledger, lab):
    study = begin(ledger, lab)
    clock = "import uuid\nresult = uuid.uuid4().hex"
    run(study, ledger, lab, Scripted([Step(calls=(code(clock),)), concluding()]))
    outcome = replay_study(ledger.study(study), ledger, lab, lambda _text: None)
    assert [d.path for d in outcome.differences] == ["values.result"]


def test_code_that_fails_says_so_and_the_study_goes_on(ledger, lab):
    study = begin(ledger, lab)
    steps = [Step(calls=(code("print('so far')\n1 / 0"),)), concluding()]
    assert run(study, ledger, lab, Scripted(steps)).stop == "answered"
    values = ledger.experiments(study)[1].values
    assert values["ended"] == "error"
    assert values["why"] == "ZeroDivisionError: division by zero"
    assert values["printed"] == "so far\n"


def test_calls_from_code_count_against_the_budget(ledger, lab):
    study = begin(ledger, lab, calls=4)
    greedy = (
        "n = 0\n"
        "try:\n"
        "    while True:\n"
        "        tools.synthesize(n=1)\n"
        "        n += 1\n"
        "except ToolError as error:\n"
        "    result = [n, str(error)]\n"
    )
    ended = run(study, ledger, lab, Scripted([Step(calls=(code(greedy),)), concluding()]))
    assert ended.stop == "budget"
    made, why = ledger.experiments(study)[1].values["result"]
    assert made == 3  # the script itself is the fourth call
    assert "budget is spent" in why


def test_code_has_no_tool_that_planners_have_not(ledger, lab):
    study = begin(ledger, lab)
    peek = "result = dir(tools)\ntools.held_out_sample(unit='blocks.0:0', phrases=[])"
    run(study, ledger, lab, Scripted([Step(calls=(code(peek),)), concluding()]))
    values = ledger.experiments(study)[1].values
    assert "no tool 'held_out_sample'" in values["why"]
    assert "run_python" not in json.dumps(values)


def test_what_code_says_is_no_measurement(ledger, lab):
    claim = Claim(name="red", claim="red drives it", form=RED)
    says = Predicted(
        hypothesis="red",
        path="result",
        expects=Condition(op=">", value=0),
        refutes=Condition(op="<=", value=0),
    )
    study = begin(ledger, lab)
    steps = [
        Step(hypotheses=(claim,), calls=(code("result = 1", (says,)),)),
        Step(calls=(code("result = 1"),)),
        concluding(2),
        concluding(),
    ]
    run(study, ledger, lab, Scripted(steps))
    errors = [m.content["error"] for m in ledger.messages(study) if m.role == "error"]
    assert "the code's own word" in errors[0]
    assert "cite the tool calls" in errors[1]
    assert ledger.verdicts(study) == []


def in_a_plain_lab(tmp_path, level, steps):
    settings = LabSettings(TINY, "scenes:60", tmp_path, jail=Jail(level))
    with LabSession(settings) as lab, Ledger(tmp_path) as ledger:
        study = begin(ledger, lab)
        run(study, ledger, lab, Scripted(steps))
        page = write_report(ledger, study, tmp_path / "report.html").read_text()
        assert ("no sandbox" in page) == (level == "unsafe")
        return ledger.experiments(study), ledger.study(study)


def test_without_a_sandbox_code_is_refused_and_tools_still_work(tmp_path):
    steps = [Step(calls=(code("result = 1"), Call(tool="synthesize", args={"n": 1}))), concluding()]
    experiments, study = in_a_plain_lab(tmp_path, "none", steps)
    assert experiments[1].status == "refused"
    assert "run_python needs a sandbox" in experiments[1].error
    assert experiments[2].status == "done"
    assert study.stop in ("answered", "nothing found")
    assert "sandbox" not in experiments[2].result["artifacts"][0]["provenance"]


def test_run_without_a_sandbox_by_choice_everything_is_stamped(tmp_path):
    steps = [Step(calls=(code(CODE), Call(tool="synthesize", args={"n": 1}))), concluding()]
    experiments, study = in_a_plain_lab(tmp_path, "unsafe", steps)
    assert experiments[1].values["ended"] == "done"
    assert {e.sandbox for e in experiments} == {"unsafe"}
    assert study.opened["sandbox"]["level"] == "unsafe"
    made = [a for e in experiments for a in (e.result or {}).get("artifacts", ())]
    assert made
    assert all(a["provenance"]["sandbox"] == "none" for a in made)
