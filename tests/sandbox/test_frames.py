import pytest

from hubel.sandbox import frames
from hubel.sandbox.frames import Call, Final, Keep, Raised, Show, parse
from hubel.sandbox.wire import WireError

HEADER = {"dtype": "uint8", "shape": [2, 2, 3], "nbytes": 12, "offset": 0}
RAISED = {"type": "ValueError", "message": "no", "traceback": "line 1"}


def test_each_frame_is_read():
    call = parse({"call": {"tool": "ablate", "args": {"units": [1, {"a": None}]}}})
    assert isinstance(call, Call)
    assert (call.tool, call.args) == ("ablate", {"units": [1, {"a": None}]})
    show = parse({"show": {"kind": "figure", "array": HEADER, "caption": "x" * 500}})
    assert isinstance(show, Show)
    assert (show.kind, show.array, len(show.caption)) == ("figure", HEADER, 500)
    keep = parse({"keep": {"array": HEADER}})
    assert isinstance(keep, Keep)
    assert keep.array == HEADER
    for value in (None, 1, 2.5, "a", [], {"a": [True]}, False):
        final = parse({"final": {"value": value}})
        assert isinstance(final, Final)
        assert final.value == value
        assert type(final.value) is type(value)
    raised = parse({"raised": RAISED})
    assert isinstance(raised, Raised)
    assert raised.model_dump() == RAISED


def test_text_comes_clean():
    hostile = "a\x1b[31mb\x00\u202ec\r\nd"
    raised = parse({"raised": dict.fromkeys(RAISED, hostile)})
    assert raised.model_dump() == dict.fromkeys(RAISED, "abc\nd")
    assert parse({"show": {"kind": "picture", "array": {}, "caption": hostile}}).caption == "abc\nd"


def call(**changed):
    return {"call": {"tool": "ablate", "args": {}} | changed}


def show(**changed):
    return {"show": {"kind": "picture", "array": HEADER, "caption": ""} | changed}


@pytest.mark.parametrize(
    "frame",
    [
        None,
        [],
        "call",
        {},
        {"hello": {}},
        {"run": {"code": "1"}},
        {"Call": {"tool": "ablate", "args": {}}},
        call() | {"final": {"value": 1}},
        {"call": None},
        {"call": []},
        {"call": "ablate"},
        {"call": {"tool": "ablate"}},
        *(
            call(tool=t)
            for t in (None, 1, "", "Ablate", "_a", "a.b", "a b", "a\n", "a\u0435", "1a")
        ),
        *(call(tool=t) for t in ("__class__", "a" * 65, ["ablate"])),
        *(call(args=a) for a in (None, [], "x", 1)),
        call(seed=1),
        *(show(kind=k) for k in (None, "Picture", "svg", 1)),
        *(show(caption=c) for c in (None, 1, "x" * 501, ["x"])),
        *(show(array=a) for a in (None, [], "x")),
        show(html="<b>"),
        {"keep": {}},
        {"keep": {"array": HEADER, "name": "x"}},
        {"final": {}},
        {"final": {"value": 1, "score": 1}},
        {"final": {"value": object()}},
        {"final": {"value": {1: 2}}},
        {"raised": RAISED | {"message": 1}},
        {"raised": RAISED | {"message": "x" * 10_001}},
        {"raised": {"type": "E", "message": "m"}},
        {"raised": RAISED | {"more": 1}},
        {"call": {"tool": "ablate", "args": {}, "\x1b[2J" * 100: 1}},
        {"\x1b[2J" * 100: 1},
    ],
)
def test_anything_else_is_refused_in_one_clean_sentence(frame):
    with pytest.raises(WireError, match=r"^a frame ") as refused:
        parse(frame)
    said = str(refused.value)
    assert said.isprintable()
    assert len(said) < 300


def test_a_value_within_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(WireError):
        parse({"final": {"value": value}})


def test_frames_do_not_change():
    final = parse({"final": {"value": 1}})
    with pytest.raises(ValueError, match="frozen"):
        final.value = 2


def test_every_frame_has_a_documented_schema():
    for model in frames._FRAMES.values():
        assert model.__doc__
        assert model.model_json_schema()["additionalProperties"] is False
