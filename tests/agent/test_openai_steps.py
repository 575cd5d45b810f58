"""From what models say to steps, and from studies to what models are told; no server needed."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubel.agent import code, describe, prompts
from hubel.agent.planner import Malformed, Step, View
from hubel.agent.planners.openai import schemas
from hubel.agent.planners.openai.answers import Answer, Asked
from hubel.agent.planners.openai.names import Names
from hubel.agent.planners.openai.results import ROOM, told
from hubel.agent.planners.openai.steps import read
from hubel.agent.planners.openai.streaming import Thought
from hubel.agent.records import Experiment

LOOK = {
    "name": "look", "kind": "observation", "summary": "Look.", "doc": "Look at pictures.",
    "parameters": {
        "type": "object", "required": ["unit"], "properties": {
            "unit": {"type": "string"},
            "n": {"type": "integer"},
            "share": {"type": "number"},
            "stimuli": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
            "how": {"$ref": "#/$defs/How"},
        },
    },
}  # fmt: skip
TOOLS = [LOOK, code.SPEC.announce()]
ONE, TWO = "12345678" + "a" * 56, "87654321" + "b" * 56
TWIN = ONE[:10] + "c" * 54


def seen(*pictures):
    made = [{"id": p, "kind": "stimulus", "provenance": {}} for p in pictures]
    result = {"values": {"stimuli": list(pictures)}, "artifacts": made}
    return Experiment(1, 0, "program", "look", "observation", {}, 0, "done", result, None, 0.1)


def a_view(*experiments, **more):
    given = {
        "question": "What?", "unit": "a:0", "tools": TOOLS, "budget_left": {"rounds": 3.0},
        "must_conclude": False, "seed": 0, "messages": [], "hypotheses": [], "predictions": [],
        "experiments": list(experiments), "verdicts": [],
    }  # fmt: skip
    return View(**{**given, **more})


def calling(*calls, **more):
    asked = tuple(Asked(n, a if isinstance(a, str) else json.dumps(a)) for n, a in calls)
    return read(Answer(calls=asked, **more), "tools", a_view(seen(ONE, TWO)))


def saying(text, mode="text"):
    return read(Answer(text=text), mode, a_view(seen(ONE, TWO)))


def test_several_native_calls_are_one_step():
    form = "0.9*[red object AND NOT text] + 0.6*[circle]"
    predicted = {
        "hypothesis": "h1", "path": "contrast.mean", "expects": {"op": ">", "value": 1},
        "refutes": {"op": "<", "value": 0, "path": "contrast.ci.1"},
    }  # fmt: skip
    step = calling(
        ("hypothesize", {"name": "h1", "claim": "Red.", "form": form, "revises": None}),
        (
            "look",
            {"unit": "a:0", "stimuli": ["12345678", "87654321bb"], "predictions": [predicted]},
        ),
        ("run_python", {"code": "picture('12345678').size"}),
        text="<think>secretly</think> I think so.",
    )
    assert step.thought == "I think so."
    assert step.hypotheses[0].form["written"] == form
    assert [c.tool for c in step.calls] == ["look", "run_python"]
    # Short names of pictures become ids, inside of code too.
    assert step.calls[0].args == {"unit": "a:0", "stimuli": [ONE, TWO]}
    assert step.calls[1].args == {"code": f"picture('{ONE}').size"}
    assert step.calls[0].predictions[0].refutes.path == "contrast.ci.1"


def test_a_conclusion_of_nothing_found():
    step = calling(("conclude", {"text": "Nothing.", "form": None}))
    assert (step.conclusion.form, step.conclusion.evidence) == (None, ())


@pytest.mark.parametrize(
    "text",
    [
        '{"thought": "x", "calls": [{"tool": "look", "args": {"unit": "a:0"}}]}',
        'Well.\n```json\n{"calls": [{"tool": "look", "args": {"unit": "a:0"}}]}\n```\nSo be it.',
        '```\n{"calls": []}\n```\nNo:\n```json\n{"calls": [{"tool": "look", '
        '"args": {"unit": "a:0"}}], "conclusion": null, "hypotheses": null}\n```',
        '<think>```json\n{"calls": 3}\n```</think>\n'
        '{"calls": [{"tool": "look", "args": {"unit": "a:0", "n": null}, "predictions": []}]}',
    ],
)
@pytest.mark.parametrize("mode", ["json", "text"])
def test_a_step_in_text_is_found_wherever_it_stands(text, mode):
    assert [(c.tool, c.args) for c in saying(text, mode).calls] == [("look", {"unit": "a:0"})]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("loook", {}), "no tool 'loook'. Did you mean 'look'"),
        (("hypothesise", {}), "Did you mean 'hypothesize'"),
        (("look", '{"unit": "a'), "arguments of look are not JSON"),
        (("look", "[1]"), "no JSON object"),
        (("look", ""), "needs the argument 'unit'"),
        (("look", {"unit": 3}), "'unit' is to be of type string, not integer"),
        (("look", {"unit": "a", "n": "3"}), "'n' is to be of type integer, not string"),
        (("look", {"unit": "a", "n": True}), "not boolean"),
        (("look", {"unit": "a", "n": 1.5}), "integer, not number"),
        (("look", {"unit": "a", "stimuli": "all"}), "of type array or null, not string"),
        (("look", {"unit": "a", "units": []}), "no argument 'units'; it takes: unit, n"),
        (("look", {"unit": "a", "predictions": "none"}), "calls.0.predictions"),
        (("look", {"unit": "a", "predictions": [{"path": "x"}]}), "needs the field 'hypothesis'"),
        (("look", {"unit": "a", "share": float("nan")}), "cannot be recorded"),
        (("look", '{"unit": "\\ud800"}'), "cannot be recorded"),
        (("look", '{"unit": ' + "[" * 500 + "]" * 500 + "}"), "deep"),
        (("look", {"unit": "a", "how": "x" * (5 << 20)}), "over the limit"),
        (("hypothesize", {"name": "h", "claim": "c"}), "needs a `form`"),
        (("hypothesize", {"name": "h", "claim": "c", "form": "red"}), "'red' is not a form: write"),
        (("hypothesize", {"name": "h", "claim": "c", "form": "1*[red objekt]"}), "'red object'"),
        (("hypothesize", {"name": "h", "claim": "c", "form": {"terms": 3}}), "not a form"),
        (("hypothesize", {"name": "h h", "claim": "c", "form": "1*[circle]"}), "hypotheses.0.name"),
        (("hypothesize", {"name": "h", "claim": "c" * 9000, "form": "1*[circle]"}), "9000 char"),
        (("hypothesize", {"name": "h", "form": "1*[circle]"}), "needs the field 'claim'"),
        (("conclude", {"text": "t", "form": "1*[purple elephant]"}), "purple elephant"),
        (("conclude", {"form": None}), "needs the field 'text'"),
        (("conclude", {"text": "t", "form": None, "evidence": ["one"]}), "evidence"),
        (("conclude", {"text": "t", "form": None, "sure": True}), "no field 'sure'"),
    ],
)
def test_what_is_wrong_is_said_in_one_precise_sentence(call, words):
    with pytest.raises(Malformed) as malformed:
        calling(call)
    assert words in str(malformed.value)
    assert "\n" not in str(malformed.value)
    assert len(str(malformed.value)) < 900
    assert len(malformed.value.said) <= 2000


def test_limits_of_a_step():
    look = ("look", {"unit": "a"})
    assert len(calling(*[look] * 16).calls) == 16
    with pytest.raises(Malformed, match="at most 16 calls; yours has 17"):
        calling(*[look] * 17)
    done = ("conclude", {"text": "t", "form": None})
    with pytest.raises(Malformed, match="conclude once"):
        calling(done, done)
    assert len(calling(look, text="x" * 9999).thought) == 2000


def test_a_short_name_that_is_two_pictures_is_refused_and_longer_ones_tell_them_apart():
    names = Names([seen(ONE, TWIN)])
    with pytest.raises(Malformed, match="'12345678' could be two pictures"):
        names.full(["12345678"])
    assert names.full(TWIN[:12]) == TWIN
    assert names.full({"a": [ONE, "deadbeef", 3]}) == {"a": [ONE, "deadbeef", 3]}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["thought", "hypotheses", "calls", "conclusion", "tool", "args", "form",
                         "terms", "having", "text", "name", "predictions", "path", "expects",
                         "unit", "evidence"]) | st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(_JSON, st.sampled_from(["look", "run_python", "hypothesize", "conclude", "", "é\n"]))
def test_whatever_a_model_says_is_a_step_or_malformed(value, name):
    for answer, mode in (
        (Answer(calls=(Asked(name, json.dumps(value)),)), "tools"),
        (Answer(text=json.dumps(value)), "json"),
        (Answer(text=f"```json\n{json.dumps(value)}\n```"), "text"),
    ):
        try:
            step = read(answer, mode, a_view(seen(ONE)))
        except Malformed as error:
            sentence = str(error)
        else:
            assert isinstance(step, Step)
            sentence = json.dumps(step.model_dump(mode="json"), allow_nan=False)
        assert "\n" not in sentence.encode().decode()


# What models are told


def announced():
    import hubel.tools.experiments  # noqa: F401  (registers the tools)
    from hubel.tools.spec import registry

    tools = [s.announce() for s in registry().values() if s.audience == "planner"]
    return [*tools, code.SPEC.announce(), describe.SPEC.announce()]


def keys_of(schema):
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key
            yield from keys_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from keys_of(value)


def test_schemas_are_plain_small_and_complete():
    tools = announced()
    native = schemas.native(tools, only_conclude=False)
    names = [t["function"]["name"] for t in native]
    assert names == ["hypothesize", *(t["name"] for t in tools), "conclude"]
    found = set(keys_of(native))
    assert not found & {"$ref", "$defs", "oneOf", "discriminator", "prefixItems", "const"}
    for tool, sent in zip(tools, native[1:-1], strict=True):
        parameters = sent["function"]["parameters"]
        theirs = set(tool["parameters"]["properties"])
        carries = tool["kind"] != "computation"
        assert set(parameters["properties"]) == theirs | ({"predictions"} if carries else set())
        assert parameters.get("required", []) == tool["parameters"].get("required", [])
    edit = next(t for t in tools if t["name"] == "edit")
    kinds = set(edit["parameters"]["properties"]["instruction"]["discriminator"]["mapping"])
    flat = schemas.plain(edit["parameters"])["properties"]["instruction"]
    assert set(flat["properties"]["op"]["enum"]) == kinds
    assert all(f"\n{kind}(" in flat["description"] for kind in kinds)
    assert len(json.dumps(flat)) < len(json.dumps(edit["parameters"])) / 2
    only = schemas.native(tools, only_conclude=True)
    assert [t["function"]["name"] for t in only] == ["conclude"]


def test_prompts_hold_the_tools_the_phrases_and_an_example_that_is_read():
    tools = announced()
    for mode in ("json", "text"):
        prompt = prompts.planner_prompt(mode, schemas.manual(tools), only_conclude=False)
        for tool in tools:
            assert f"### {tool['name']}\n" in prompt
        assert "{" + "step}" not in prompt
    native = prompts.planner_prompt("tools", "", only_conclude=False)
    from hubel.tools.statistics import STATISTICS

    assert all(phrase in native for phrase in STATISTICS)
    assert len(native) < 8000
    for example in (prompts.STEP, prompts.LAST_STEP):
        said = example.replace("NAME", "look").replace('"ARGUMENT": "VALUE"', '"unit": "a:0"')
        said = re.sub("phrase|PHRASE", "circle", said)
        step = saying(said)
        assert bool(step.calls) != bool(step.conclusion)


def test_results_are_short_say_what_they_leave_out_and_keep_every_picture():
    pictures = [f"{i:064x}" for i in range(64)]
    values = {"stimuli": pictures, "levels": [i / 7 for i in range(3000)], "words": "w" * 99_999}
    done = Experiment(4, 1, "planner", "look", "observation", {}, 0, "done",
                      {"values": values, "artifacts": []}, None, 0.1)  # fmt: skip
    text = told(done, [])
    assert len(text) < ROOM + 200
    assert all(p[:8] in text for p in pictures)
    assert "more" in text
    assert "(99999 characters)" in text
    assert len(told(done, [], brief=True)) < 100


def test_a_survey_is_told_by_how_phrases_go_with_the_activation():
    activation = [float(i) for i in range(20, 0, -1)]
    concepts = {f"p{i}": {"at": [i, i + 1]} for i in range(40)}
    values = {
        "stimuli": [f"picture {i}" for i in range(20)], "activation": activation,
        "weight": [1.0] * 10 + [9.0] * 10, "group": ["g"] * 20, "population": ["x"] * 20,
        "concepts": {
            "the cause": [1.0 if a > 10 else 0.0 for a in activation],
            "its opposite": [1.0 if a < 6 else 0.0 for a in activation],
            "nothing": [float(i % 2) for i in range(20)],
            **{name: {"at": [i % 20 for i in found["at"]]} for name, found in concepts.items()},
        },
    }  # fmt: skip
    survey = Experiment(2, 1, "planner", "survey", "observation", {}, 0, "done",
                        {"values": values, "artifacts": []}, None, 0.1)  # fmt: skip
    found = json.loads(told(survey, []).split(": ", 2)[2])
    rows = found["phrases"]["rows"]
    strengths = [abs(row[0]) for row in rows.values()]
    assert strengths == sorted(strengths, reverse=True)
    assert list(rows)[:2] == ["its opposite", "the cause"]
    weighted = np.cov(activation, values["concepts"]["the cause"], aweights=values["weight"])
    correlation = weighted[0, 1] / np.sqrt(weighted[0, 0] * weighted[1, 1])
    expected = (correlation, 15.5, 5.5, 0.1)
    assert rows["the cause"] == [pytest.approx(v, rel=0.01) for v in expected]
    assert rows["its opposite"][0] < 0
    assert found["phrases"]["left out"] == 43 - len(rows) > 0


def test_only_the_thought_of_a_step_is_seen_as_it_is_written():
    said = json.dumps({"thought": 'Red, "I say" – \n\\ ok', "calls": [{"tool": "x"}]})
    for mode, expected in (("json", 'Red, "I say" – \n\\ ok'), ("tools", said)):
        for size in (1, 3, 1000):
            assert overheard(said, mode, size) == expected


def overheard(said, mode, size):
    """What is seen of a text that comes in pieces."""
    words = []
    thought = Thought(lambda _event, details: words.append(details["text"]), mode)
    for i in range(0, len(said), size):
        thought("token", {"text": said[i : i + size]})
    return "".join(words)
