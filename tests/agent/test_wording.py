import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubel.agent.records import Experiment
from hubel.agent.summaries import summary_of
from hubel.agent.web.svg import Span
from hubel.agent.web.tidy import estimates, word
from hubel.agent.wording import condition_text, interval_text, number, seconds_text


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0.00"), (-0.05, "−0.0500"), (12.345, "12.3"), (1234.5, "1,234"), (3, "3"),
     (1.5e-7, "1.50×10⁻⁷"), (-2e9, "−2.00×10⁹"), (None, "–")],
)  # fmt: skip
def test_numbers_have_three_digits(value, said):
    assert number(value) == said


@given(st.floats(-1e300, 1e300))
def test_a_number_keeps_its_sign_and_size(value):
    said = number(value).replace("−", "-").replace(",", "")
    mantissa, _, power = said.partition("×10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
    assert math.isclose(float(f"{mantissa}e{exponent}"), value, rel_tol=6e-3, abs_tol=1e-9)


def test_an_interval_has_one_precision():
    assert interval_text((0.02, 0.22)) == "0.020 to 0.220"
    assert interval_text((-1.86, -1.0)) == "−1.86 to −1.00"
    assert interval_text(None) == "–"


def test_conditions_on_an_end_of_an_interval_speak_of_the_whole():
    above = {"op": ">", "value": 0.0, "path": "contrast.ci.0"}
    assert condition_text(above, "x") == "95% interval of the mean difference above 0"
    assert condition_text({"op": ">=", "value": 2.5}, "a.b") == "a.b ≥ 2.5"
    # The upper end above a number says nothing of the lower one.
    upper = {"op": ">", "value": 0.0, "path": "contrast.ci.1"}
    assert condition_text(upper, "x").startswith("upper end")


@pytest.mark.parametrize(
    ("spent", "said"), [(0.25, "0.25 s"), (12.3, "12 s"), (299.0, "4 min 59 s")]
)
def test_times(spent, said):
    assert seconds_text(spent) == said


def test_a_call_without_a_result_claims_none():
    asked = {"unit": "a:1", "stimuli": ["x", "y"], "baseline": ["z", "w"]}
    call = Experiment(1, 1, "planner", "activate", "observation", asked, 0, "lost", None, "x", 1.0)
    assert summary_of(call) == "Measured the unit on 2 pictures and on 2 others."


KNOWN = ("activate", "exemplars", "survey", "synthesize", "find", "edit", "ablate", "profile",
         "image_stats", "held_out_sample")  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
NAMES = ("stimuli", "baseline", "instruction", "mode", "phrase", "having", "lacking", "n")
ARGUMENTS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON))


@pytest.mark.parametrize("tool", [*KNOWN, "a_third_partys"])
@given(ARGUMENTS)
def test_a_refused_call_with_any_arguments_has_a_sentence(tool, args):
    call = Experiment(1, 1, "planner", tool, "observation", args, 0, "refused", None, "no", 1.0)
    assert summary_of(call).endswith(".")
    assert word(args) is not None


def test_estimates_are_found_wherever_they_stand():
    found = list(
        estimates(
            {
                "contrast": {"mean": 1.0, "ci": [0.5, 1.5], "p": 0.01, "d": None},
                "edits": [{"edit": "blur", "contrast": {"mean": -1.0, "ci": None, "p_holm": 0.5}}],
                "moved": [{"output": "cup", "change": 0.25, "ci": [0.0, 0.5], "control": 0.125}],
                "singles": [{"statistic": "red", "correlation": 0.5}],
                "effect": {"mean": 3.0},
            }
        )
    )
    told = [(e.family, e.label, e.value, e.ci, e.p, e.control) for e in found]
    assert told == [
        ("contrast", "", 1.0, (0.5, 1.5), 0.01, None),
        ("edits", "blur", -1.0, None, 0.5, None),
        ("moved", "cup", 0.25, (0.0, 0.5), None, 0.125),
        ("singles", "red", 0.5, None, None, None),
    ]


def test_long_values_are_cut_and_say_so():
    assert word(list(range(100))).endswith("… and 88 more")
    assert word("a" * 64) == "aaaaaaaa…"
    assert word(["strong"] * 20 + ["weak"] * 5) == "20 × strong, 5 × weak"
    assert len(word({"x": "long " * 400})) < 300


@given(st.lists(st.floats(-1e6, 1e6), max_size=20), st.integers(2, 8))
def test_an_axis_holds_its_values_and_its_ticks(values, about):
    span = Span.of(values)
    assert all(span.low <= t <= span.high for t in span.ticks(about))
    assert 1 <= len(span.ticks(about)) <= 2 * about + 2
    assert all(0 <= span.at(v) <= 100 for v in values)
    places = [span.at(v) for v in sorted(values)]
    assert places == sorted(places)
