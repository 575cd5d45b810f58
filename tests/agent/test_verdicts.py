import pytest

from hubel.agent.records import Experiment, Prediction, Verdict
from hubel.agent.verdicts import fate, grade, judge_predictions, number_at

VALUES = {"contrast": {"mean": 0.5, "ci": [0.2, 0.8]}, "flag": True, "none": None}


def prediction(expects, refutes):
    return Prediction(1, "h1", 1, "contrast.mean", expects, refutes)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("contrast.mean", 0.5),
        ("contrast.ci.1", 0.8),
        ("contrast.ci.2", None),
        ("flag", None),
        ("none", None),
        ("nowhere.at.all", None),
        ("contrast.ci." + "1" * 5000, None),
    ],
)
def test_paths_reach_numbers_only(path, number):
    assert number_at(VALUES, path) == number


@pytest.mark.parametrize(
    ("expects", "refutes", "outcome"),
    [
        ({"op": ">", "value": 0, "path": "contrast.ci.0"}, {"op": "<", "value": 0.1}, "supported"),
        ({"op": ">", "value": 1}, {"op": "<", "value": 0.6}, "refuted"),
        ({"op": ">", "value": 1}, {"op": "<", "value": 0.1}, "inconclusive"),
        ({"op": ">", "value": 0}, {"op": ">", "value": 0}, "refuted"),
        ({"op": ">", "value": 0, "path": "none"}, {"op": "<", "value": 0}, "inconclusive"),
    ],
)
def test_the_measured_number_decides(expects, refutes, outcome):
    (verdict,) = judge_predictions([prediction(expects, refutes)], VALUES)
    assert (verdict.outcome, verdict.measured) == (outcome, 0.5)


def test_one_refutation_outweighs_support():
    verdicts = [Verdict(1, "h1", "supported", 1.0), Verdict(2, "h1", "refuted", 0.0)]
    assert fate("h1", verdicts) == "refuted"
    assert fate("h2", verdicts) == "untested"


def experiment(n, kind, counterfactual):
    result = {"values": {}, "counterfactual": counterfactual}
    return Experiment(n, 1, "planner", "t", kind, {}, 0, "done", result, None, 0.1)


def test_the_grade_follows_from_the_experiments():
    watched = experiment(1, "observation", "none")
    edited = experiment(2, "observation", "minimal pairs")
    support = [Verdict(2, "h1", "supported", 1.0)]
    assert grade([1, 2], [watched, edited], support, confirmed=True) == "causal"
    assert grade([1], [watched, edited], support, confirmed=True) == "correlational"
    assert grade([1, 2], [watched, edited], [], confirmed=True) == "correlational"
    assert grade([1, 2], [watched, edited], [], confirmed=False) == "observed"
