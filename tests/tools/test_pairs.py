from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hubel.tools.imagery.pairs import differences
from hubel.tools.imagery.pairs import flaw as flaw_of_pictures
from hubel.tools.imagery.scenes import (
    Background,
    Scene,
    Text,
    Thing,
    masks,
    phrases,
    render,
    scene_having,
    truth,
    with_phrase,
    without_phrase,
)
from hubel.tools.spec import ToolError

WHITE = Background("plain", "white")
NAMES = sorted(p.phrase for p in phrases())
SEEDS = st.integers(0, 2**32 - 1)


def circle(x=0.5, y=0.5, size=0.3, colour="red", texture="plain"):
    return Thing("circle", x, y, size, colour, texture)


def flaw(old, new):
    return flaw_of_pictures(old, new, render(old), render(new))


def differing(one, other):
    return np.any(np.asarray(render(one)) != np.asarray(render(other)), axis=2)


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.sampled_from(NAMES), st.booleans())
def test_a_minimal_pair_differs_in_one_factor_and_only_there(seed, phrase, wanted):
    rng = np.random.default_rng(seed)
    start = scene_having(rng, *([[], [phrase]] if wanted else [[phrase], []]))
    change = with_phrase if wanted else without_phrase
    try:
        scene, changed = change(start, phrase, rng)
    except ToolError:
        assume(False)
    assert (phrase in truth(scene)) == wanted
    assert differences(start, scene) == [changed]
    number = changed["thing"]
    if number is None:
        return
    nowhere = np.zeros((start.size, start.size), dtype=bool)
    before = masks(start)[number] if changed["from"] is not None else nowhere
    after = masks(scene)[number] if changed["to"] is not None else nowhere
    outside = ~(before | after)
    assert not (differing(start, scene) & outside).any()
    assert (differing(start, scene) & ~outside).any()


@pytest.mark.parametrize(
    ("scene", "phrase", "factor"),
    [
        (Scene(WHITE, (circle(colour="blue"),)), "red circle", "colour"),
        (Scene(WHITE, (Thing("star", 0.5, 0.5, 0.3, "red", "plain"),)), "red circle", "shape"),
        (Scene(WHITE, (circle(),)), "striped object", "texture"),
        (Scene(WHITE, (circle(),)), "large object", "size"),
        (Scene(WHITE, (circle(),)), "object at the left", "position"),
        (Scene(WHITE, (Thing("dog", 0.5, 0.5, 0.3),)), "banana", "shape"),
        (Scene(WHITE, (Thing("dog", 0.5, 0.5, 0.3),)), "red object", "thing"),
        (Scene(WHITE, (circle(),)), "cat face", "thing"),
        (Scene(WHITE), "small object", "thing"),
        (Scene(WHITE, (circle(),)), "two objects", "thing"),
        (Scene(WHITE, (circle(),)), "no object", "thing"),
        (Scene(WHITE, (circle(),)), "blue background", "background"),
        (Scene(WHITE, (circle(),)), "dotted background", "background"),
        (Scene(WHITE, (circle(),)), "red text", "text"),
        (Scene(WHITE, (), Text("Taxi", "blue", "top")), "red text", "text"),
    ],
)
def test_the_smallest_change_that_makes_a_phrase_true(scene, phrase, factor):
    changed, change = with_phrase(scene, phrase, np.random.default_rng(0))
    assert change["factor"] == factor
    assert phrase in truth(changed)
    assert flaw(scene, changed) is None


@pytest.mark.parametrize(
    ("phrase", "factor"),
    [
        ("red circle", "colour"),
        ("dotted circle", "texture"),
        ("dotted red object", "colour"),
        ("circle", "shape"),
        ("geometric shape", "thing"),
        ("one object", "thing"),
        ("medium object", "size"),
        ("object in the centre", "position"),
        ("white background", "background"),
        ("plain background", "background"),
        ("text", "text"),
        ("blue text", "text"),
    ],
)
def test_the_smallest_change_that_makes_a_phrase_false(phrase, factor):
    scene = Scene(WHITE, (circle(texture="dots"),), Text("Taxi", "blue", "bottom"))
    changed, change = without_phrase(scene, phrase, np.random.default_rng(0))
    assert change["factor"] == factor
    assert phrase not in truth(changed)
    assert flaw(scene, changed) is None


def test_changes_of_background_keep_what_need_not_change():
    scene = Scene(Background("dots", "green", "brown"), (circle(),))
    checkered, _ = with_phrase(scene, "checkered background", np.random.default_rng(0))
    assert checkered.background == Background("checker", "green", "brown")
    blue, _ = without_phrase(scene, "green background", np.random.default_rng(0))
    assert (blue.background.kind, blue.background.second) == ("dots", "brown")
    assert blue.background.colour not in {"green", "red"}


@pytest.mark.parametrize(
    ("scene", "change", "phrase", "says"),
    [
        (Scene(WHITE, (circle(),)), with_phrase, "circle", "already"),
        (Scene(WHITE), without_phrase, "circle", "already"),
        (Scene(WHITE), with_phrase, "two objects", "No single change"),
        (Scene(WHITE, (circle(0.2), circle(0.8))), without_phrase, "circle", "No single change"),
        (Scene(WHITE, (circle(),)), with_phrase, "red background", "No single change"),
        (Scene(WHITE), with_phrase, "circel", "Did you mean 'circle'"),
    ],
)
def test_what_no_single_change_can_do_is_refused(scene, change, phrase, says):
    with pytest.raises(ToolError, match=says):
        change(scene, phrase, np.random.default_rng(0))


def test_a_failed_edit_is_found_out():
    start = Scene(WHITE, (circle(0.25), Thing("star", 0.75, 0.5, 0.3, "blue", "plain")))
    first, second = start.things

    def with_things(*things):
        return replace(start, things=things)

    sound = with_things(circle(0.25, colour="green"), second)
    assert flaw(start, sound) is None
    two_things = with_things(circle(0.25, colour="green"), replace(second, size=0.2))
    two_factors = with_things(circle(0.25, colour="green", size=0.2), second)
    covering = with_things(first, replace(second, x=0.4))
    faint = with_things(circle(0.25, colour="white"), second)
    leaving = with_things(replace(first, x=0.0, y=0.0), second)
    turned = with_things(replace(first, rotation=90), second)
    swapped = with_things(second, first)
    assert "2 factors" in str(flaw(start, two_things))
    assert "2 factors" in str(flaw(start, two_factors))
    assert "hidden" in str(flaw(start, covering))
    assert "background" in str(flaw(start, faint))
    assert "out of sight" in str(flaw(start, leaving))
    assert "no pixel" in str(flaw(start, turned))
    assert "factors" in str(flaw(start, swapped))
    assert "0 factors" in str(flaw(start, start))


def test_a_picture_that_does_not_show_its_scene_is_found_out():
    start, end = (Scene(WHITE, (circle(0.25, colour=c),)) for c in ("red", "green"))
    tampered = render(end)
    tampered.putpixel((200, 200), (0, 0, 0))
    assert flaw_of_pictures(start, end, render(start), render(end)) is None
    assert "outside" in flaw_of_pictures(start, end, render(start), tampered)
    assert "no pixel" in flaw_of_pictures(start, end, render(end), render(end))
    small = render(end).resize((100, 100))
    assert "sizes" in flaw_of_pictures(start, end, render(start), small)
