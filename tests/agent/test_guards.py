"""Each known failure mode is answered by its guard, and what is sound is let through."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hubel.agent.budget import Budget
from hubel.agent.guards import FEWEST, REPEATS, objection
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import (
    Call,
    Claim,
    Conclusion,
    Condition,
    Predicted,
    Step,
    View,
    problem,
)
from hubel.agent.records import Experiment, Hypothesis, Message, Prediction, Verdict
from hubel.sandbox.session import LabSession, LabSettings

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
UNIT = "blocks.0:0"
MANY = [f"{i:064x}" for i in range(FEWEST)]
OTHERS = [f"{i:064x}" for i in range(100, 100 + FEWEST)]


#: Phrases as scenes know them, by the short names of the hypotheses here.
PHRASES = {"red": "red object", "circle": "red circle"}


def form(*names, weight=1.0):
    return {"terms": [{"weight": weight, "having": [PHRASES.get(n, n)]} for n in names]}


def tool(name, kind="observation", **defaults):
    properties = {k: {"type": "string", "default": v} for k, v in defaults.items()}
    return {"name": name, "kind": kind, "parameters": {"properties": properties}}


def experiment(number, name="activate", status="done", values=None, error=None, message=1, **args):
    result = {"values": values or {}} if status == "done" else None
    kind = "computation" if name == "run_python" else "observation"
    return Experiment(
        number,
        message,
        "planner",
        name,
        kind,
        {"unit": UNIT, **args},
        number,
        status,
        result,
        error,
        0.1,
    )


def a_view(
    hypotheses=("red",), outcomes=(), experiments=(), messages=(), left=9.0, must_conclude=False
):
    """A study: hypotheses by phrase, and (experiment, hypothesis, outcome) of its tests."""
    made = {e.n: e for e in experiments}
    for n, _, _ in outcomes:
        made.setdefault(n, experiment(n, stimuli=MANY))
    known = [h if isinstance(h, Hypothesis) else hypothesis(h) for h in hypotheses]
    either = {"op": ">", "value": 0.0}, {"op": "<=", "value": 0.0}
    return View(
        question="what?",
        unit=UNIT,
        tools=[
            tool("activate"), tool("exemplars", k=9), tool("survey", n=240), tool("find"),
            tool("synthesize", "stimulus", n=8), tool("run_python", "computation"),
        ],
        budget_left={"rounds": left, "calls": 9.0, "seconds": 99.0},
        must_conclude=must_conclude,
        seed=0,
        messages=[Message(0, "user", {"question": "what?"}), *messages],
        hypotheses=known,
        predictions=[Prediction(n, h, 1, "contrast.mean", *either) for n, h, _ in outcomes],
        experiments=[made[n] for n in sorted(made)],
        verdicts=[Verdict(n, h, o, 0.0) for n, h, o in outcomes if o != "lost"],
    )  # fmt: skip


def hypothesis(phrase, name=None, message=1, revises=None, weight=1.0):
    return Hypothesis(name or phrase, message, f"likes {phrase}", form(phrase, weight=weight), revises)  # fmt: skip


def predicts(name, **args):
    prediction = Predicted(
        hypothesis=name,
        path="contrast.mean",
        expects=Condition(op=">", value=0.0),
        refutes=Condition(op="<", value=0.0),
    )
    return Step(
        calls=(Call(tool="activate", args={"unit": UNIT, **args}, predictions=(prediction,)),)
    )


def concludes(*phrases, evidence=(), weight=1.0):
    claimed = form(*phrases, weight=weight) if phrases else None
    return Step(conclusion=Conclusion(text="So it is.", form=claimed, evidence=evidence))


def calls(name, **args):
    return Step(calls=(Call(tool=name, args={"unit": UNIT, **args}),))


def guard_of(step, view):
    assert problem(step, view) is None
    found = objection(step, view)
    return found and found.guard


SURVEY = experiment(2, "survey", n=240)
SOUND = a_view(
    ("red", "circle"), [(5, "red", "supported"), (6, "circle", "refuted")], [SURVEY]
)  # fmt: skip


def test_a_sound_conclusion_is_let_through():
    assert guard_of(concludes("red", evidence=(2, 5)), SOUND) is None
    assert guard_of(concludes(), a_view()) is None


# Answering before testing, eureka at a flawed result


def test_an_answer_needs_a_test_of_what_it_says():
    untested = objection(concludes("red"), a_view())
    assert untested.guard == "unfounded"
    assert "never tested" in untested.sentence
    # A test of something else is none of this.
    other = a_view(("red", "circle"), [(5, "circle", "supported")])
    assert guard_of(concludes("red", evidence=(5,)), other) == "unfounded"
    # Of the other sign neither.
    assert guard_of(concludes("red", evidence=(5,), weight=-1.0), SOUND) != "unfounded"
    bare = replace(SOUND, experiments=[e for e in SOUND.experiments if e.tool != "survey"])
    assert guard_of(concludes("red", evidence=(5,), weight=-1.0), bare) == "unfounded"
    assert guard_of(concludes("red", evidence=(5,)), bare) == "too early"


@pytest.mark.parametrize("outcome", ["inconclusive", "lost"])
def test_a_test_that_decided_nothing_is_no_ground(outcome):
    lost = experiment(5, status="lost", stimuli=MANY)
    view = a_view(("red",), [(5, "red", outcome)], [lost] if outcome == "lost" else [])
    flawed = objection(concludes("red"), view)
    assert flawed.guard == "unfounded"
    assert "experiment 5" in flawed.sentence
    assert "decided nothing" in flawed.sentence


# Fixating on the first idea, stopping after the first finding, made-up evidence


@pytest.mark.parametrize(
    ("view", "evidence", "lacking"),
    [
        (a_view(("red",), [(5, "red", "supported")], [SURVEY]), (5,), "test a rival"),
        (a_view(("red", hypothesis("red", "again")), [(5, "red", "supported"),
         (6, "again", "supported")], [SURVEY]), (5,), "test a rival"),
        (a_view(("red", "circle"), [(5, "red", "supported"), (6, "circle", "refuted")]),
         (5,), "survey the unit"),
        (a_view(("red", "circle"), (), [SURVEY]), (2,), "test a hypothesis of the form"),
        (SOUND, (), "cite what it rests on, experiment 2 and 5"),
        (SOUND, (6,), "cite what it rests on"),
    ],
)  # fmt: skip
def test_what_an_answer_lacks_is_said_once(view, evidence, lacking):
    step = concludes("red", evidence=evidence)
    early = objection(step, view)
    assert early.guard == "too early"
    assert lacking in early.sentence
    told = Message(1, "error", {"error": early.sentence, "guard": "too early"})
    assert objection(step, replace(view, messages=[*view.messages, told])) is None


# Ignoring evidence


def test_what_was_refuted_is_no_part_of_an_answer():
    ignored = objection(concludes("red", "circle", evidence=(2, 5)), SOUND)
    assert ignored.guard == "ignored evidence"
    assert "'circle'" in ignored.sentence
    assert "experiment 6" in ignored.sentence
    # A refuted excitation does not forbid an inhibition.
    assert guard_of(concludes("circle", evidence=(2,), weight=-1.0), SOUND) != "ignored evidence"


def test_a_supported_revision_may_hold_what_was_refuted_before_it():
    revision = hypothesis("red", "weakly", message=3, revises="red")
    tests = [(5, "red", "refuted"), (8, "weakly", "supported"), (9, "circle", "refuted")]
    view = a_view(("red", revision, "circle"), tests, [SURVEY])
    assert guard_of(concludes("red", evidence=(8,)), view) is None
    untested = a_view(("red", revision, "circle"), [tests[0], tests[2]], [SURVEY])
    assert guard_of(concludes("red", evidence=(2,)), untested) == "ignored evidence"
    # One that was supported before the refutation is no revision of it.
    earlier = a_view(
        ("red", hypothesis("red", "weakly", message=0)), tests[:2], [SURVEY]
    )  # fmt: skip
    assert guard_of(concludes("red", evidence=(8,)), earlier) == "ignored evidence"


# P-hacking


def test_a_refuted_hypothesis_is_not_tested_until_it_holds():
    hacked = objection(predicts("circle", stimuli=OTHERS), SOUND)
    assert hacked.guard == "p-hacking"
    assert "revises 'circle'" in hacked.sentence
    assert guard_of(predicts("red", stimuli=OTHERS), SOUND) is None


def test_the_same_claim_under_another_name_says_what_it_revises():
    def registers(**about):
        claim = Claim(name="disc", claim="likes discs", form=form("circle"), **about)
        return replace_step(predicts("disc", stimuli=OTHERS), hypotheses=(claim,))

    assert guard_of(registers(), SOUND) == "p-hacking"
    assert guard_of(registers(revises="circle"), SOUND) is None


def replace_step(step, **changes):
    return step.model_copy(update=changes)


def test_one_idea_is_not_registered_under_several_names_at_once():
    def registers(*forms):
        claims = [Claim(name=f"h{i}", claim="x", form=f) for i, f in enumerate(forms)]
        return replace_step(calls("survey"), hypotheses=tuple(claims))

    twice = registers(form("red"), form("circle"), form("red", weight=0.5))
    told = objection(twice, a_view(()))
    assert told.guard == "p-hacking"
    assert "'h2' says what 'h0' says" in told.sentence
    rivals = registers(form("red"), form("circle"), form("red", weight=-1.0))
    assert guard_of(rivals, a_view(())) is None


# A prediction that cannot fail


@pytest.mark.parametrize(
    ("path", "expects", "refutes", "words"),
    [
        ("contrast.n", (">", 0), ("<", -1e9), "is a count"),
        ("contrast.mean", (">", 0, "contrast.n"), ("<", 0), "is a count"),
        ("contrast.mean", (">", 0), ("<=", 0, "pictures.count"), "is a count"),
        ("contrast.mean", (">", 0), (">=", 1e9), "let one be > and the other <"),
        ("contrast.mean", ("<", 0), ("<=", -1e9), "let one be > and the other <"),
        ("contrast.mean", (">", 0, "contrast.ci.0"), ("<", 0.1, "contrast.ci.1"), None),
        ("contrast.mean", ("<=", 0), (">", 0), None),
    ],
)
def test_a_prediction_is_of_an_effect_and_can_fail(path, expects, refutes, words):
    def condition(op, value, where=None):
        return Condition(op=op, value=value, path=where)

    prediction = Predicted(
        hypothesis="red", path=path, expects=condition(*expects), refutes=condition(*refutes)
    )
    args = {"unit": UNIT, "stimuli": MANY}
    step = Step(calls=(Call(tool="activate", args=args, predictions=(prediction,)),))
    refusal = problem(step, a_view())
    assert refusal is None if words is None else words in refusal


def test_a_path_is_short():
    above, below = ({"op": op, "value": 0} for op in "><")
    long = "contrast." + "1" * 5000
    own = {"hypothesis": "red", "path": long, "expects": above, "refutes": below}
    for value in (own, {**own, "path": "contrast.mean", "expects": {**above, "path": long}}):
        with pytest.raises(ValueError, match="at most 200 characters"):
            Predicted.model_validate(value)


# Over-reading few samples


@pytest.mark.parametrize(
    "args",
    [
        {"stimuli": MANY[:-1]},
        {"stimuli": MANY[:1] * FEWEST},
        {"stimuli": MANY, "baseline": OTHERS[:2]},
    ],
)
def test_a_prediction_needs_enough_pictures(args):
    few = objection(predicts("red", **args), a_view())
    assert few.guard == "few pictures"
    assert f"at least {FEWEST}" in few.sentence
    # Looking is free.
    assert guard_of(calls("activate", **args), a_view()) is None
    assert guard_of(predicts("red", stimuli=MANY, baseline=OTHERS), a_view()) is None


# Endless loops


def test_a_call_whose_answer_is_known_is_not_made_again():
    known = experiment(4, stimuli=MANY)
    again = objection(calls("activate", stimuli=MANY), a_view(experiments=[known]))
    assert again.guard == "repetition"
    assert "experiment 4" in again.sentence
    # A prediction of what is known already is none.
    assert guard_of(predicts("red", stimuli=MANY), a_view(experiments=[known])) == "repetition"
    assert guard_of(calls("activate", stimuli=OTHERS), a_view(experiments=[known])) is None
    lost = experiment(4, status="lost", stimuli=MANY)
    assert guard_of(calls("activate", stimuli=MANY), a_view(experiments=[lost])) is None


def test_a_call_that_is_up_to_chance_may_be_repeated_a_few_times():
    surveys = [experiment(n, "survey", values={"activation": [n]}) for n in range(1, 9)]
    for made, expected in [(1, None), (2, None), (REPEATS, "repetition")]:
        view = a_view(experiments=surveys[:made])
        assert guard_of(calls("survey", n=240), view) == expected
    # The default is the same call; equal results show that chance has no part in it.
    assert guard_of(calls("survey"), a_view(experiments=surveys[:REPEATS])) == "repetition"
    equal = [experiment(n, "exemplars", values={"stimuli": MANY}) for n in (1, 2)]
    assert guard_of(calls("exemplars"), a_view(experiments=equal)) == "repetition"
    assert guard_of(calls("exemplars"), a_view(experiments=equal[:1])) is None
    assert guard_of(calls("exemplars", k=12), a_view(experiments=equal)) is None


def test_a_step_does_not_make_one_call_several_times():
    def makes(name, times, **args):
        return Step(calls=calls(name, **args).calls * times)

    told = objection(makes("activate", 2, stimuli=MANY), a_view())
    assert told.guard == "repetition"
    assert "more than once" in told.sentence
    both = (*calls("activate", stimuli=MANY).calls, *calls("activate", stimuli=OTHERS).calls)
    assert guard_of(Step(calls=both), a_view()) is None
    # Up to chance: as many in one step as in several, and no more.
    assert guard_of(makes("survey", REPEATS), a_view()) is None
    assert guard_of(makes("survey", REPEATS + 1), a_view()) == "repetition"
    made = [experiment(1, "survey", values={"activation": [1]})]
    assert guard_of(makes("survey", REPEATS - 1), a_view(experiments=made)) is None
    assert guard_of(makes("survey", REPEATS), a_view(experiments=made)) == "repetition"


def test_a_refused_call_is_not_made_over_and_over():
    refused = [
        experiment(n, "find", "refused", error="There is none. Did you mean 'sky'?", phrase="skyy")
        for n in (3, 4)
    ]
    assert guard_of(calls("find", phrase="skyy"), a_view(experiments=refused[:1])) is None
    told = objection(calls("find", phrase="skyy"), a_view(experiments=refused))
    assert told.guard == "repetition"
    assert "Did you mean 'sky'" in told.sentence


# What no ledger can hold


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (calls("activate", x=float("nan")), "Out of range float values"),
        (calls("activate", x="half \ud800"), "surrogates not allowed"),
        (calls("activate", x=10**400), "401 digits"),
        (calls("activate", x=nested(200)), "nested more than"),
        (Step(conclusion=Conclusion(text="x", form=form("red", weight=float("inf")))), "Out of range"),
        (Step(conclusion=Conclusion(text="x", form={"terms": [{"weight": 1, "having": "red"}]})),
         "lists of phrases"),
        (Step(calls=(Call(tool="activate", args={}, predictions=(
            predicts("red").calls[0].predictions * 2)),)), "'red' twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded_is_refused_in_one_sentence(step, words):
    refusal = problem(step, a_view())
    assert words in refusal
    assert len(refusal) < 300


# Where nothing better can be done


@pytest.mark.parametrize("room", [{"must_conclude": True}, {"left": 1.0}])
def test_a_planner_without_budget_concludes_with_what_it_has(room):
    assert guard_of(concludes("red"), a_view(**room)) is None
    # A prediction is held to the same as ever.
    assert guard_of(predicts("red", stimuli=MANY[:1]), a_view(**room)) == "few pictures"


# Through the loop


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with LabSession(LabSettings(TINY, "scenes:240", home)) as session:
        yield session


class Following:
    """A planner that follows a list of moves, each a function of the view."""

    name = "following"

    def __init__(self, *moves):
        self.moves = moves

    def next(self, view):
        return self.moves[min(len(view.messages) - 1, len(self.moves) - 1)](view)


def study(lab, ledger, planner):
    number = ledger.begin(
        question="what?", model=lab.settings.target, unit=UNIT, data=lab.settings.data,
        planner=planner.name, device="cpu", seed=0, budget=asdict(Budget()),
    ).id  # fmt: skip
    return run(number, ledger, lab, planner)


def test_a_planner_that_answers_before_testing_is_told_and_does_better(lab):
    def edit(view):
        made = view.experiments[-1].values["stimuli"]
        without = {"op": "without", "phrase": "red object"}
        return Step(calls=(Call(tool="edit", args={"stimuli": made, "instruction": without}),))

    def test(view):
        made = view.experiments[-1].values
        pairs = {"stimuli": made["parents"], "baseline": made["stimuli"]}
        predictions = [p for n in ("red", "dots") for p in predicts(n).calls[0].predictions]
        return Step(
            hypotheses=tuple(
                Claim(name=n, claim=f"likes {n}", form=form(p))
                for n, p in (("red", "red object"), ("dots", "dotted object"))
            ),
            calls=(
                Call(tool="activate", args={"unit": UNIT, **pairs}, predictions=tuple(predictions)),
                Call(tool="survey", args={"unit": UNIT, "n": 60}),
            ),
        )

    planner = Following(
        lambda _view: concludes("red object"),
        lambda _view: Step(
            calls=(Call(tool="synthesize", args={"n": 10, "having": ["red object"]}),)
        ),
        edit,
        test,
        lambda _view: concludes("red object", evidence=(4, 5)),
    )
    with Ledger(lab.settings.home) as ledger:
        ended = study(lab, ledger, planner)
        told = [m for m in ledger.messages(ended.id) if m.role == "error"]
        assert [m.content["guard"] for m in told] == ["unfounded"]
        assert ended.stop == "answered"
        assert ledger.explanation(ended.id).grade == "causal"


def test_a_planner_that_will_not_listen_fails(lab):
    with Ledger(lab.settings.home) as ledger:
        ended = study(lab, ledger, Following(lambda _view: concludes("red object")))
        assert ended.stop == "planner failed"
        assert "never tested" in ended.stop_detail
        assert ledger.explanation(ended.id) is None


def test_a_call_with_a_wrong_type_gets_one_precise_error_and_counts(lab):
    planner = Following(
        lambda view: calls("exemplars", k="many"), lambda _view: concludes()
    )  # fmt: skip
    with Ledger(lab.settings.home) as ledger:
        ended = study(lab, ledger, planner)
        wrong = ledger.experiments(ended.id)[1]
        assert (wrong.status, wrong.asked_by) == ("refused", "planner")
        assert wrong.error.startswith("exemplars: 'k': Input should be a valid integer")
        assert ended.stop == "nothing found"
