"""Every tool is tested by existing: a new one needs an example here, and tests of its own."""

from __future__ import annotations

import ast
import json
import pkgutil
import typing
from pathlib import Path

import pytest

import hubel.tools.experiments as experiments
from hubel.tools.result import Result
from hubel.tools.spec import Audience, Kind, ToolError, registry

TOOLS = registry()
HERE = Path(__file__).parent
UNIT = "colours:0"

#: For each tool, arguments for a call on the tiny network: (bench) -> arguments.
EXAMPLES = {
    "ablate": lambda b: {"unit": UNIT, "stimuli": b.random(3)},
    "activate": lambda b: {"unit": UNIT, "stimuli": b.random(3), "baseline": b.random(4, seed=2)},
    "build_index": lambda b: {"sites": ["colours"]},
    "edit": lambda b: {"stimuli": b.random(2), "instruction": {"op": "greyscale"}},
    "exemplars": lambda b: {"unit": UNIT},
    "find": lambda b: {"phrase": "brightness", "n": 3},
    "held_out_sample": lambda b: {"unit": UNIT, "n": 12, "phrases": ["brightness"]},
    "image_stats": lambda b: {"unit": UNIT, "n": 40},
    "patch": lambda b: {"where": UNIT, "clean": b.random(3), "corrupted": b.random(3, seed=2)},
    "profile": lambda b: {"unit": UNIT, "stimuli": b.random(2)},
    "rank": lambda b: {"concept": "red", "sites": ["colours"], "n": 2, "pairs": 16},
    "survey": lambda b: {"unit": UNIT, "n": 12},
    "synthesize": lambda b: {"n": 2},
}


def every(argument="name"):
    return pytest.mark.parametrize(argument, TOOLS)


def test_every_module_of_the_folder_is_one_tool_of_its_name_with_an_example_here():
    modules = {m.name for m in pkgutil.iter_modules(experiments.__path__)}
    assert modules == set(TOOLS) == set(EXAMPLES)


@every()
def test_a_tool_says_what_it_is(name):
    spec = TOOLS[name]
    assert spec.name == name
    assert spec.kind in typing.get_args(Kind)
    assert spec.audience in typing.get_args(Audience)
    assert spec.summary.endswith(".")
    assert spec.doc.startswith(spec.summary)
    assert "Args:" not in spec.doc


@every()
def test_every_parameter_has_a_type_and_a_description(name):
    schema = TOOLS[name].parameters
    assert "ctx" not in schema["properties"]
    assert schema["additionalProperties"] is False
    for parameter, about in schema["properties"].items():
        assert about["description"].endswith("."), parameter
        assert set(about) & {"type", "anyOf", "oneOf", "enum", "$ref"}, parameter


@every()
def test_an_announcement_survives_json(name):
    announced = TOOLS[name].announce()
    assert json.loads(json.dumps(announced)) == announced


@every()
def test_wrong_and_missing_arguments_are_refused_by_name(name, bench):
    b = bench()
    arguments = EXAMPLES[name](b)
    with pytest.raises(ToolError, match="no argument 'sky'"):
        TOOLS[name](b.ctx, arguments | {"sky": "blue"})
    for missing in TOOLS[name].parameters.get("required", []):
        with pytest.raises(ToolError, match=f"needs the argument '{missing}'"):
            TOOLS[name](b.ctx, {k: v for k, v in arguments.items() if k != missing})


@every()
def test_a_result_is_whole_json_that_says_what_was_measured(name, bench):
    b = bench()
    arguments = EXAMPLES[name](b)
    result = TOOLS[name](b.ctx, arguments)
    assert isinstance(result, Result)
    sent = result.to_json()
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent
    assert set(sent["values"]) == set(sent["measures"])
    assert sent["metric"]
    kinds = {b.ctx.store.artifact(a.id).kind for a in result.artifacts}
    assert kinds <= {"stimulus", "figure"}
    assert ("intervention" not in TOOLS[name].kind) or result.counterfactual != "none"
    assert (TOOLS[name].kind == "model intervention") == (result.mediator != "none")
    assert TOOLS[name](b.ctx, arguments).to_json() == sent, "the same call, another result"


@every()
def test_a_tool_has_a_planted_truth_and_a_control_among_the_tests(name):
    tests = _names_of_tests()
    if TOOLS[name].kind == "stimulus":  # it makes pictures and measures nothing
        assert any(t.startswith(f"test_{name}_") for t in tests)
        return
    assert any(t.startswith(f"test_{name}_finds_") for t in tests)
    assert any(t.startswith(f"test_{name}_") and "control" in t for t in tests)


def _names_of_tests():
    names = set()
    for file in HERE.glob("test_*.py"):
        tree = ast.parse(file.read_text())
        names |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    return names
