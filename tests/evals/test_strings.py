"""String neurons: seeded, true to their code, telling; and the loader of FIND's layout."""

import json

import numpy as np
import pytest

from hubel.evals.families.find_strings import executions, load_strings, unit_tests
from hubel.evals.families.strings import SHARES, make, run, suite
from hubel.tools.data import DataError


def drawn(neuron, n=100):
    return neuron.draw(n, np.random.default_rng(0))


def test_seeds_reproduce():
    for a, b in zip(suite(3, 21), suite(3, 21), strict=True):
        assert (a.kind, a.code, a.description) == (b.kind, b.code, b.description)
        inputs, strata = drawn(a)
        assert (inputs, strata) == drawn(b)
        assert a.function(inputs) == b.function(inputs)
    assert [a.code for a in suite(3, 21)] != [a.code for a in suite(4, 21)]


def test_every_complexity_comes_up():
    assert {make(0, n).complexity for n in range(0, 2 * len(SHARES), 2)} == set(SHARES)


def test_code_is_the_truth_and_no_law_is_constant_or_identity():
    for neuron in suite(5, 30):
        inputs, _ = drawn(neuron)
        truth = neuron.truth(inputs)
        if neuron.code is not None:
            f = run(neuron.code)
            assert [f(x) for x in inputs] == truth
            assert len(set(truth)) > 1
            assert truth != inputs


def test_exceptions_have_their_strata():
    neuron = next(n for n in suite(0, 60) if n.complexity == "exception")
    inputs, strata = drawn(neuron)
    assert {"global", "exception"} <= set(strata)
    assert len(inputs) == 100


def test_noise_differs_from_call_to_call_and_the_truth_does_not():
    neuron = next(n for n in suite(0, 80) if n.complexity == "noise" and n.code is not None)
    inputs, _ = drawn(neuron)
    assert neuron.function(inputs) != neuron.function(inputs)
    assert neuron.truth(inputs) == neuron.truth(inputs)


def test_null_units_have_no_code():
    nulls = [n for n in suite(0, 80) if n.complexity == "null"]
    assert nulls
    assert all(not n.real and n.code is None for n in nulls)


@pytest.fixture
def folder(tmp_path):
    row = {
        "dir": "f7",
        "description": "It reverses its input.",
        "test_inputs": ": abc, level, go",
        "unit_tests": [
            [["x", "abc", "y"], ["xx", "cba", "1"]],
            [["go", "q", "r"], ["og", "Q", "9r"]],
        ],
        "correct": [2, 1],
    }
    (tmp_path / "strings.json").write_text(json.dumps([row]))
    return tmp_path


def test_the_layout_is_read_and_scored(folder):
    (function,) = load_strings(folder)
    assert function.inputs == ("abc", "level", "go")
    assert function.executions == {"abc": "cba", "go": "og"}
    assert unit_tests(function, lambda x: x[::-1]) == 1.0
    assert executions(function, lambda x: x[::-1]) == 1.0
    assert unit_tests(function, str.upper) < 1.0
    assert unit_tests(function, lambda x: None) == pytest.approx(1 / 3)
    assert executions(function, str.upper) == 0.0


def test_a_layout_that_is_wrong_is_refused(folder):
    with pytest.raises(DataError, match="cannot be read"):
        load_strings(folder / "nowhere")
    (folder / "strings.json").write_text('[{"dir": "f1"}]')
    with pytest.raises(DataError, match="layout"):
        load_strings(folder)
