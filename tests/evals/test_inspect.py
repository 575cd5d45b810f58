"""The task of Inspect, run by Inspect itself with its mock model in the place of a real one."""

import os
import re
import warnings

import pytest
from tests.sandbox.levels import ISOLATED

from hubel.evals import bench

pytestmark = pytest.mark.filterwarnings("ignore")
SEED, N = 3, 3


@pytest.fixture(scope="module", params=ISOLATED)
def level(request):
    return request.param


@pytest.fixture(scope="module")
def inspect():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import inspect_ai
    except ImportError:
        why = "NO INSPECT: inspect-ai is not installed; the task was NOT run"
        if os.environ.get("HUBEL_REQUIRE_INSPECT") == "1":
            pytest.fail(why)
        pytest.skip(why)
    return inspect_ai


def run(inspect, level, tmp_path, act):
    """Evaluate with a model that does what `act(number, step)` says: a tool and its arguments."""
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from hubel.evals.inspect_task import neurons

    def output(messages, _tools, _choice, _config):
        number = int(re.search(r"function (\d+)", messages[1].text)[1])
        step = sum(m.role == "assistant" for m in messages)
        tool, arguments = act(number, step)
        made = (
            ModelOutput.for_tool_call("mockllm", tool, arguments)
            if tool
            else ModelOutput.from_content("mockllm", "I am done.")
        )
        made.usage = ModelUsage(input_tokens=10, output_tokens=5, total_tokens=15)
        return made

    log = inspect.eval(
        neurons(n=N, seed=SEED, queries=10, sandbox=level),
        model=get_model("mockllm/model", custom_outputs=output),
        display="none",
        log_dir=str(tmp_path),
    )[0]
    assert log.status == "success", log.error
    return log


def scores(log):
    return {name: m.value for name, m in log.results.scores[0].metrics.items()}


def truth(number):
    unit = bench.neuron("numbers", SEED, number)
    return {
        "code": unit.code if unit.real else None,
        "text": "as it is",
        "confidence": 0.9,
        "exceptions": [list(e) for e in unit.exceptions],
    }


def test_one_that_knows_the_truth_is_right_and_its_questions_are_counted(inspect, level, tmp_path):
    def act(number, step):
        return ("ask", {"inputs": [1, 2.5, -20]}) if step < 2 else ("explain", truth(number))

    log = run(inspect, level, tmp_path, act)
    found = scores(log)
    assert found["recovered"] == 1.0
    assert found["queries"] == 6
    assert found["tokens"] == 45
    answers = [m.text for m in log.samples[0].messages if m.role == "tool"]
    assert '"left": 7' in answers[0]
    assert '"left": 4' in answers[1]
    # The samples hold no truth: what the model was sent does not say it.
    for sample in log.samples:
        sent = " ".join(m.text for m in sample.messages if m.role in ("system", "user"))
        assert sample.scores["executed"].explanation not in sent
        assert not sample.target


def test_one_that_is_wrong_or_says_nothing_is_not_right(inspect, level, tmp_path):
    def act(number, step):
        if step:
            return None, None
        if number == 0:
            return "ask", {"inputs": [1.0]}
        return "explain", truth(number) | {"code": "def f(x):\n    return 12345.678\n"}

    log = run(inspect, level, tmp_path, act)
    rows = [s.scores["executed"].metadata for s in log.samples]
    assert scores(log)["recovered"] == 0.0
    assert rows[0]["failed"] == "no explanation was given"
    assert [r["claimed"] for r in rows] == [False, True, True]


def test_too_many_questions_and_wrong_words_get_an_error_and_cost_nothing(inspect, level, tmp_path):
    steps = [
        ("ask", {"inputs": list(range(11))}),
        ("ask", {"inputs": ["a"]}),
        ("explain", {"text": "x", "confidence": 2.0}),
        ("explain", {"text": "x", "confidence": 0.1}),
    ]
    log = run(inspect, level, tmp_path, lambda _number, step: steps[step])
    errors = [m.error.message for m in log.samples[0].messages if m.role == "tool" and m.error]
    assert "11 inputs are too many: 10 are left" in errors[0]
    assert "not one of numbers" in errors[1]
    assert "less than or equal to 1" in errors[2]
    assert scores(log)["queries"] == 0
    assert scores(log)["abstained"] == 1.0
