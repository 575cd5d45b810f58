from __future__ import annotations

import colorsys
import json

import numpy as np
import pytest
from PIL import Image

import hubel.tools.experiments  # noqa: F401 - fills the registry
from hubel.tools.imagery import pictographs, pillow
from hubel.tools.imagery.operations import Operations
from hubel.tools.imagery.scenes import Background, Scene, Text, Thing, masks, render, truth
from hubel.tools.spec import ToolError, registry

WHITE = Background("plain", "white")
SCENE = Scene(
    WHITE,
    (
        Thing("circle", 0.25, 0.25, 0.3, "red", "plain"),
        Thing("dog", 0.7, 0.7, 0.45),
        Thing("square", 0.75, 0.22, 0.2, "blue", "dots"),
    ),
)


def photograph(width=96, height=64):
    """Smooth and coloured, with an edge, so that every edit has something to change."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    waves = [0.5 + 0.4 * np.sin(9 * x + 2), 0.4 + 0.3 * np.cos(11 * y), 0.3 + 0.2 * x * y]
    rgb = np.stack(waves, axis=2)
    rgb[:, : width // 3] *= 0.5
    return Image.fromarray((rgb * 255).astype(np.uint8))


def edited(image, scene=None, **instruction):
    model = pillow.EDITS.models[instruction["op"]].model_validate(instruction)
    return pillow.apply(image, model, scene)


def array(image):
    return np.asarray(image, dtype=float)


def same(one, other):
    return one.size == other.size and one.tobytes() == other.tobytes()


def hsv(image):
    flat = array(image).reshape(-1, 3) / 255
    return np.array([colorsys.rgb_to_hsv(*pixel) for pixel in flat])


def roughness(image):
    grey = array(image).mean(axis=2)
    return np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()


# --- each edit does what it says, measured in another way -----------------------------------------


@pytest.mark.parametrize(
    "instruction",
    [
        {"op": "hue", "degrees": 0},
        {"op": "hue", "degrees": 360},
        {"op": "saturation", "factor": 1},
        {"op": "brightness", "factor": 1},
        {"op": "contrast", "factor": 1},
        {"op": "blur", "radius": 0},
        {"op": "noise", "sd": 0},
        {"op": "rotate", "degrees": 0},
        {"op": "crop", "box": [0, 0, 1, 1]},
        {"op": "background", "box": [0, 0, 1, 1]},
    ],
    ids=lambda i: i["op"],
)
def test_control_an_edit_by_nothing_changes_nothing(instruction):
    assert same(edited(photograph(), **instruction), photograph())


@pytest.mark.parametrize("degrees", [30, 120, -90])
def test_hue_turns_by_the_angle_and_keeps_saturation_and_value(degrees):
    before, after = hsv(photograph()), hsv(edited(photograph(), op="hue", degrees=degrees))
    strong = before[:, 1] > 0.3
    turned = (after[strong, 0] - before[strong, 0] - degrees / 360 + 0.5) % 1 - 0.5
    assert np.abs(turned).max() * 360 < 3
    assert np.abs(turned).mean() * 360 < 0.5
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=0.02)


def test_hue_leaves_grey_alone():
    grey = photograph().convert("L").convert("RGB")
    assert same(edited(grey, op="hue", degrees=100), grey)


def test_saturation_scales_the_distance_from_grey():
    image = photograph()
    half, none = (edited(image, op="saturation", factor=f) for f in (0.5, 0))

    def spread(i):
        return np.ptp(array(i), axis=2).mean()

    assert spread(half) == pytest.approx(spread(image) / 2, rel=0.03)
    assert spread(none) == 0


def test_greyscale_has_no_colour_and_keeps_luminance():
    grey = array(edited(photograph(), op="greyscale"))
    luminance = array(photograph()) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(grey, np.repeat(luminance[:, :, None], 3, axis=2), atol=1)


def test_brightness_scales_the_mean():
    mean = array(photograph()).mean()
    assert array(edited(photograph(), op="brightness", factor=0.5)).mean() == pytest.approx(
        mean / 2, abs=1
    )
    assert array(edited(photograph(), op="brightness", factor=0)).max() == 0


def test_contrast_scales_the_spread_and_keeps_the_mean():
    before, after = array(photograph()), array(edited(photograph(), op="contrast", factor=0.5))
    assert after.std() < 0.6 * before.std()
    mean = (before @ [0.299, 0.587, 0.114]).mean()
    assert (after @ [0.299, 0.587, 0.114]).mean() == pytest.approx(mean, abs=1)


def test_blur_takes_edges_and_keeps_the_mean():
    image = edited(photograph(), op="noise", sd=20)
    levels = [roughness(edited(image, op="blur", radius=r)) for r in (0, 1, 3)]
    assert levels[0] > 2 * levels[1] > 2 * levels[2]
    blurred = edited(image, op="blur", radius=3)
    assert array(blurred).mean() == pytest.approx(array(image).mean(), abs=1)


def test_noise_has_the_deviation_asked_for_and_follows_its_seed():
    flat = Image.new("RGB", (100, 100), (120, 120, 120))
    one, again, other = (edited(flat, op="noise", sd=12, seed=s) for s in (1, 1, 2))
    assert array(one).std() == pytest.approx(12, rel=0.05)
    assert array(one).mean() == pytest.approx(120, abs=0.5)
    assert same(one, again)
    assert not same(one, other)


def test_jpeg_of_lower_quality_is_farther_from_the_picture():
    image = edited(photograph(), op="noise", sd=20)
    away = [pillow.measure(image, edited(image, op="jpeg", quality=q))["mean"] for q in (95, 40, 5)]
    assert 0 < away[0] < away[1] < away[2]


def test_rotation_is_clockwise_and_four_quarters_are_one_turn():
    image = photograph(64, 64)
    quarter = edited(image, op="rotate", degrees=90)
    np.testing.assert_array_equal(array(quarter), np.rot90(array(image), -1))
    for _ in range(3):
        quarter = edited(quarter, op="rotate", degrees=90)
    assert same(quarter, image)
    corner = edited(image, op="rotate", degrees=45).getpixel((0, 0))
    assert corner == (127, 127, 127)


def test_flip_mirrors_the_named_way_and_twice_is_nothing():
    image = photograph()
    mirrored = edited(image, op="flip", axis="left-right")
    np.testing.assert_array_equal(array(mirrored), array(image)[:, ::-1])
    np.testing.assert_array_equal(
        array(edited(image, op="flip", axis="top-bottom")), array(image)[::-1]
    )
    assert same(edited(mirrored, op="flip", axis="left-right"), image)


def test_crop_keeps_the_pixels_of_its_box():
    cropped = edited(photograph(100, 60), op="crop", box=[0.1, 0.5, 0.6, 1])
    np.testing.assert_array_equal(array(cropped), array(photograph(100, 60))[30:60, 10:60])


def test_crop_too_small_to_see_is_refused():
    with pytest.raises(ToolError, match="at least 8 pixels"):
        edited(photograph(), op="crop", box=[0.5, 0.5, 0.52, 1])


def test_occlude_covers_its_box_and_nothing_else():
    image = photograph(100, 60)
    covered = array(edited(image, op="occlude", box=[0.2, 0.5, 0.6, 1]))
    assert (covered[30:60, 20:60] == 127).all()
    outside = np.ones((60, 100), dtype=bool)
    outside[30:60, 20:60] = False
    np.testing.assert_array_equal(covered[outside], array(image)[outside])


def test_background_replaces_all_but_the_thing():
    image, mask = render(SCENE), masks(SCENE)[1]
    kept = array(edited(image, SCENE, op="background", thing=1, colour="green"))
    np.testing.assert_array_equal(kept[mask], array(image)[mask])
    assert len(np.unique(kept[~mask], axis=0)) == 1


@pytest.mark.parametrize(
    "instruction",
    [
        {"op": "hue", "degrees": 90},
        {"op": "saturation", "factor": 0.2},
        {"op": "brightness", "factor": 0.5},
        {"op": "contrast", "factor": 0.3},
        {"op": "blur", "radius": 4},
        {"op": "noise", "sd": 30},
        {"op": "greyscale"},
        {"op": "jpeg", "quality": 5},
        {"op": "occlude"},
    ],
    ids=lambda i: i["op"],
)
def test_an_edit_of_a_region_changes_nothing_outside_of_it(instruction):
    image, mask = render(SCENE), masks(SCENE)[1]
    of_thing = array(edited(image, SCENE, thing=1, **instruction)) != array(image)
    assert of_thing[mask].any()
    assert not of_thing[~mask].any()
    of_box = array(edited(image, box=[0.5, 0.5, 1, 1], **instruction)) != array(image)
    assert of_box[112:, 112:].any()
    assert not of_box[:112].any()
    assert not of_box[:, :112].any()


@pytest.mark.parametrize(
    ("scene", "instruction", "says"),
    [
        (None, {"op": "occlude", "thing": 0}, "give 'box' instead"),
        (SCENE, {"op": "occlude", "thing": 3}, "numbered 0 to 2"),
        (Scene(WHITE), {"op": "occlude", "thing": 0}, "no things"),
        (SCENE, {"op": "occlude", "box": [0.5, 0.5, 0.501, 0.501]}, "smaller than a pixel"),
    ],
)
def test_a_region_that_is_not_in_the_picture_is_refused(scene, instruction, says):
    with pytest.raises(ToolError, match=says):
        edited(render(SCENE), scene, **instruction)


def test_what_changed_is_measured():
    black, partly = Image.new("RGB", (10, 10)), Image.new("RGB", (10, 10))
    partly.paste((255, 0, 0), (0, 0, 10, 3))
    assert pillow.measure(black, partly) == {"pixels": 0.3, "mean": 0.1, "size": [10, 10]}
    assert pillow.measure(black, black)["pixels"] == 0
    assert pillow.measure(black, black.crop((0, 0, 4, 5)))["mean"] is None


def test_an_edit_is_one_function_with_types_and_a_docstring():
    edits = Operations(given=("image",))

    @edits.add
    def shade(image, by: int = 2):
        """Make darker."""
        return image - by

    instruction = edits.models["shade"].model_validate({"op": "shade", "by": 5})
    assert edits.call(instruction, image=12) == 7
    assert edits.models["shade"].model_json_schema()["description"] == "Make darker."
    with pytest.raises(TypeError, match="'level'"):

        @edits.add
        def untyped(image, level):
            """Lack a type."""

    with pytest.raises(TypeError, match="docstring"):

        @edits.add
        def unsaid(image, level: int):
            return image


# --- the tools ------------------------------------------------------------------------------------


def synthesize(bench, **args):
    return registry()["synthesize"](bench.ctx, args)


def edit(bench, stimuli, **instruction):
    return registry()["edit"](bench.ctx, {"stimuli": stimuli, "instruction": instruction})


def drawn(bench, *scenes):
    return synthesize(bench, scenes=[s.to_json() for s in scenes]).values["stimuli"]


def scene_of(bench, picture):
    return Scene.from_json(bench.ctx.store.artifact(picture).provenance["scene"])


def test_synthesize_gives_pictures_with_the_phrases_and_their_whole_truth(bench):
    b = bench()
    result = synthesize(b, n=6, having=["red circle", "two objects"], lacking=["text"])
    assert len(set(result.values["stimuli"])) == 6
    assert result.seed == b.ctx.seed
    columns = (result.values[key] for key in ("stimuli", "scenes", "concepts"))
    for picture, graph, said in zip(*columns, strict=True):
        scene = scene_of(b, picture)
        assert scene == Scene.from_json(graph)
        assert same(b.ctx.store.image(picture), render(scene))
        assert said == list(truth(scene))
        assert {"red circle", "two objects"} <= set(said)
        assert "text" not in said
    assert result.values["pictographs"] == pictographs.installed()
    json.dumps(result.to_json())


def test_synthesize_follows_the_seed(bench):
    b = bench()
    first, again = (synthesize(b, n=3).values for _ in range(2))
    b.ctx.seed += 1
    assert first == again
    assert set(first["stimuli"]).isdisjoint(synthesize(b, n=3).values["stimuli"])


def test_synthesize_draws_given_scenes_exactly(bench):
    b = bench()
    result = synthesize(b, scenes=[SCENE.to_json(), Scene(WHITE).to_json()])
    assert result.seed is None
    assert [b.ctx.store.image(p).tobytes() for p in result.values["stimuli"]] == [
        render(SCENE).tobytes(),
        render(Scene(WHITE)).tobytes(),
    ]


def test_synthesize_gives_fewer_where_there_are_no_more_different_scenes(bench):
    only = ["no object", "plain background", "red background"]
    values = synthesize(bench(), n=5, having=only, lacking=["text"]).values
    assert len(values["stimuli"]) == len(values["scenes"]) == 1


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"n": 0}, "greater than or equal to 1"),
        ({"n": 10**6}, "less than or equal to 64"),
        ({"having": ["red cirkle"]}, "Did you mean 'red circle'"),
        ({"having": ["circle"], "lacking": ["circle"]}, "contradict"),
        ({"scenes": []}, "at least 1 item"),
        (
            {"scenes": [{"background": {"kind": "plain", "colour": "white"}}], "having": ["text"]},
            "both",
        ),
        ({"scenes": [{"background": {"kind": "dots", "colour": "red"}}]}, "two different colours"),
    ],
)
def test_synthesize_refuses_what_cannot_be_in_one_sentence(bench, args, says):
    with pytest.raises(ToolError, match=says) as caught:
        synthesize(bench(), **args)
    assert "\n" not in str(caught.value)


def test_edit_changes_any_picture_and_records_parent_instruction_and_change(bench):
    b = bench()
    parents = [b.put(photograph()), b.put(photograph(40, 40))]
    result = edit(b, parents, op="hue", degrees=120)
    assert result.values["parents"] == parents
    assert result.values["rejected"] == []
    for picture, parent, changed in zip(
        result.values["stimuli"], parents, result.values["changed"], strict=True
    ):
        about = b.ctx.store.artifact(picture).provenance
        assert about["kind"] == "edit"
        assert about["parent"] == parent
        assert about["instruction"] == {"op": "hue", "degrees": 120}
        assert "scene" not in about
        before, after = array(b.ctx.store.image(parent)), array(b.ctx.store.image(picture))
        assert changed["pixels"] == pytest.approx((before != after).any(axis=2).mean())
        assert changed["mean"] == pytest.approx(np.abs(before - after).mean() / 255)
    json.dumps(result.to_json())


def test_edit_rejects_and_counts_pictures_that_do_not_change(bench):
    b = bench()
    grey, coloured = b.put(photograph().convert("L").convert("RGB")), b.put(photograph())
    values = edit(b, [grey, coloured], op="greyscale").values
    assert values["parents"] == [coloured]
    assert [r["stimulus"] for r in values["rejected"]] == [grey]
    with pytest.raises(ToolError, match="changes nothing"):
        edit(b, [grey], op="greyscale")


@pytest.mark.parametrize(
    ("instruction", "factor", "thing"),
    [
        ({"op": "with", "phrase": "green circle"}, "colour", 0),
        ({"op": "without", "phrase": "dog"}, "shape", 1),
        ({"op": "set", "thing": 0, "factor": "colour", "value": "blue"}, "colour", 0),
        ({"op": "set", "thing": 0, "factor": "texture", "value": "checker"}, "texture", 0),
        ({"op": "set", "thing": 0, "factor": "shape", "value": "star"}, "shape", 0),
        ({"op": "set", "thing": 1, "factor": "shape", "value": "banana"}, "shape", 1),
        ({"op": "set", "thing": 0, "factor": "size", "value": "small"}, "size", 0),
        ({"op": "set", "thing": 0, "factor": "size", "value": 0.22}, "size", 0),
        ({"op": "set", "thing": 2, "factor": "position", "value": [0.55, 0.15]}, "position", 2),
        ({"op": "set", "thing": 0, "factor": "position", "value": "bottom"}, "position", 0),
        ({"op": "set", "thing": 2, "factor": "rotation", "value": 45}, "rotation", 2),
        ({"op": "remove", "thing": 1}, "thing", 1),
        (
            {"op": "add", "thing": {"shape": "cat face", "x": 0.2, "y": 0.8, "size": 0.2}},
            "thing",
            3,
        ),
        (
            {"op": "set_background", "background": {"kind": "noise", "colour": "grey"}},
            "background",
            None,
        ),
        (
            {"op": "set_text", "text": {"word": "Hi", "colour": "blue", "position": "bottom"}},
            "text",
            None,
        ),
    ],
    ids=str,
)
def test_edit_of_a_scene_changes_the_one_factor_asked_for(bench, instruction, factor, thing):
    b = bench()
    parent = drawn(b, SCENE)
    values = edit(b, parent, **instruction).values
    changed, after = values["changed"][0], scene_of(b, values["stimuli"][0])
    assert (changed["factor"], changed["thing"]) == (factor, thing)
    assert changed["gained"] == [p for p in truth(after) if p not in truth(SCENE)]
    assert changed["lost"] == [p for p in truth(SCENE) if p not in truth(after)]
    assert same(b.ctx.store.image(values["stimuli"][0]), render(after))
    if instruction["op"] == "set" and factor in ("colour", "texture", "shape"):
        assert getattr(after.things[thing], factor) == instruction["value"]
    if thing is not None:
        nowhere = np.zeros((224, 224), dtype=bool)
        was = masks(SCENE)[thing] if changed["from"] is not None else nowhere
        now = masks(after)[thing] if changed["to"] is not None else nowhere
        apart = (array(render(SCENE)) != array(render(after))).any(axis=2)
        assert apart.any()
        assert not (apart & ~(was | now)).any()


def test_a_picture_that_is_not_the_drawing_of_its_scene_is_not_edited_by_it(bench):
    b = bench()
    false = render(SCENE)
    false.putpixel((110, 220), (0, 0, 0))
    about = {"kind": "scene", "scene": SCENE.to_json()}
    picture = b.ctx.store.put(false, about, "stimulus").id
    with pytest.raises(ToolError, match="pixels outside"):
        edit(b, [picture], op="with", phrase="green circle")


def test_edits_of_scenes_can_be_chained_and_undone(bench):
    b = bench()
    first = drawn(b, SCENE)
    blue = edit(b, first, op="set", thing=0, factor="colour", value="blue").values["stimuli"]
    covered = edit(b, blue, op="occlude", thing=0).values["stimuli"]
    assert "scene" not in b.ctx.store.artifact(covered[0]).provenance
    back = edit(b, blue, op="set", thing=0, factor="colour", value="red").values["stimuli"]
    original = b.ctx.store.image(first[0])
    assert b.ctx.store.image(back[0]).tobytes() == original.tobytes()
    # The same pixels, made in another way: another stimulus, with a parent of its own.
    assert back != first
    assert b.ctx.store.artifact(back[0]).provenance["parent"] == blue[0]


def test_text_can_be_taken_away(bench):
    b = bench()
    written = drawn(b, Scene(WHITE, (), Text("Hi", "blue", "top")))
    values = edit(b, written, op="set_text", text=None).values
    about = b.ctx.store.artifact(values["stimuli"][0]).provenance
    assert about["instruction"] == {"op": "set_text", "text": None}
    assert values["changed"][0]["lost"] == ["text", "blue text"]


def test_edits_of_a_scene_that_fail_are_rejected_and_counted_never_passed_on(bench):
    b = bench()
    roomy = Scene(
        WHITE, (Thing("circle", 0.8, 0.8, 0.2, "red", "plain"), Thing("dog", 0.7, 0.3, 0.3))
    )
    parents = drawn(b, SCENE, roomy, Scene(WHITE))
    values = edit(b, parents, op="set", thing=1, factor="position", value=[0.3, 0.3]).values
    assert values["parents"] == [parents[1]]
    assert [r["stimulus"] for r in values["rejected"]] == [parents[0], parents[2]]
    assert "hidden" in values["rejected"][0]["why"]
    assert "no thing 1" in values["rejected"][1]["why"]


@pytest.mark.parametrize(
    ("instruction", "says"),
    [
        ({"op": "with", "phrase": "green cirkle"}, "Did you mean 'green circle'"),
        ({"op": "with", "phrase": "circle"}, "already"),
        ({"op": "without", "phrase": "star"}, "already"),
        ({"op": "set", "thing": 9, "factor": "colour", "value": "blue"}, "numbered 0 to 2"),
        ({"op": "set", "thing": 0, "factor": "colour", "value": "bleu"}, "'blue'"),
        (
            {"op": "set", "thing": 0, "factor": "colour", "value": "white"},
            "colour of its background",
        ),
        ({"op": "set", "thing": 0, "factor": "colour", "value": "red"}, "0 factors"),
        ({"op": "set", "thing": 1, "factor": "colour", "value": "red"}, "pictograph"),
        ({"op": "set", "thing": 0, "factor": "shape", "value": "dog"}, "remove and add"),
        ({"op": "set", "thing": 0, "factor": "shape", "value": "circel"}, "Did you mean"),
        (
            {"op": "set", "thing": 0, "factor": "size", "value": "huge"},
            "Did you mean 'large'",
        ),
        ({"op": "set", "thing": 0, "factor": "size", "value": 7}, "less than or equal to 1"),
        ({"op": "set", "thing": 0, "factor": "position", "value": "nowhere"}, "position 'nowhere'"),
        ({"op": "set", "thing": 0, "factor": "position", "value": 0.3}, "a word"),
        ({"op": "set", "thing": 0, "factor": "position", "value": [0.7, 0.7]}, "out of sight"),
        ({"op": "set", "thing": 0, "factor": "position", "value": [0, 0]}, "out of sight"),
        ({"op": "set", "thing": 0, "factor": "smell", "value": "sweet"}, "'shape'"),
        ({"op": "add", "thing": {"shape": "circle", "x": 0.5, "y": 0.5, "size": 0.2}}, "a colour"),
        ({"op": "remove", "thing": 5}, "numbered 0 to 2"),
        ({"op": "hue"}, "needs"),
        ({"op": "hue", "degrees": 1e9}, "360"),
        ({"op": "hue", "degrees": float("nan")}, "finite"),
        ({"op": "hue", "degrees": 5, "box": [0, 0, 1, 1], "thing": 0}, "not both"),
        ({"op": "occlude"}, "a region is needed"),
        ({"op": "occlude", "box": [0.8, 0, 0.2, 1]}, "left < right"),
        ({"op": "blur", "radius": 3, "sigma": 2}, "sigma"),
        ({"op": "sharpen"}, "'blur'"),
        ({}, "op"),
    ],
    ids=str,
)
def test_edit_refuses_a_bad_instruction_in_one_sentence(bench, instruction, says):
    b = bench()
    with pytest.raises(ToolError, match=says) as caught:
        edit(b, drawn(b, SCENE), **instruction)
    assert "\n" not in str(caught.value)


def test_edit_of_the_scene_of_a_picture_that_shows_none_names_the_other_edits(bench):
    b = bench()
    with pytest.raises(ToolError, match=r"shows none: use one of hue, .*crop"):
        edit(b, [b.put(photograph())], op="with", phrase="circle")


def test_edit_of_no_picture_or_an_unknown_one_is_refused(bench):
    b = bench()
    with pytest.raises(ToolError, match="at least 1 item"):
        edit(b, [], op="greyscale")
    with pytest.raises(ToolError, match="no picture"):
        edit(b, ["0" * 64], op="greyscale")
