import pytest

import hubel.tools.experiments  # noqa: F401  (fills the registry)
from hubel.tools.concepts import judge
from hubel.tools.data import UnreadablePicture, held_out
from hubel.tools.spec import ToolError, registry

FIND = registry()["find"]


def test_find_finds_the_pictures_with_most_of_a_concept(bench):
    ctx = bench(pictures=80).ctx
    values = FIND(ctx, {"phrase": "red colouring", "n": 5}).to_json()["values"]
    held = held_out(ctx.data)
    degree = {
        str(i): judge(ctx.data.item(i).image, {}).get("red colouring", 0.0)
        for i in range(80)
        if not held[i]
    }
    expected = sorted(degree.values(), reverse=True)[:5]
    assert values["degrees"] == expected
    assert [degree[name] for name in values["names"]] == expected
    assert values["looked_through"] == len(degree)


def test_find_finds_what_has_several_concepts_and_lacks_others(bench):
    ctx = bench(pictures=80).ctx
    asked = {"phrase": "brightness", "having": ["red colouring"], "lacking": ["edges"], "n": 64}
    values = FIND(ctx, asked).to_json()["values"]
    for name, degree in zip(values["names"], values["degrees"], strict=True):
        known = judge(ctx.data.item(int(name)).image, {})
        parts = [known.get("brightness", 0), known.get("red colouring", 0)]
        assert degree == min(*parts, 1 - known.get("edges", 0)) > 0
    with pytest.raises(ToolError, match="beside what else was asked for"):
        FIND(ctx, {"phrase": "brightness", "having": ["red circle"]})
    with pytest.raises(ToolError, match="'edges'"):
        FIND(ctx, {"phrase": "brightness", "lacking": ["edgse"]})


def test_find_control_shows_no_held_out_picture_and_refuses_what_is_nowhere(bench):
    ctx = bench(pictures=80).ctx
    held = held_out(ctx.data)
    everything = FIND(ctx, {"phrase": "brightness", "n": 64}).to_json()["values"]
    assert not any(held[int(name)] for name in everything["names"])
    with pytest.raises(ToolError, match=r"any 'red circel'"):
        FIND(ctx, {"phrase": "red circel"})


def test_find_passes_over_a_picture_that_cannot_be_read(bench):
    ctx = bench(pictures=40).ctx
    whole = FIND(ctx, {"phrase": "brightness", "n": 1}).to_json()["values"]
    read = ctx.data.item

    def item(number):
        if str(number) == whole["names"][0]:
            raise UnreadablePicture(f"{number}: broken")
        return read(number)

    ctx.data.item = item
    ctx.cache = ctx.cache / "another"
    rest = FIND(ctx, {"phrase": "brightness", "n": 64}).to_json()["values"]
    assert whole["names"][0] not in rest["names"]
    assert rest["looked_through"] == whole["looked_through"] - 1
