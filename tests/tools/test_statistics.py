from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from hubel.tools.colours import COLOURS, MEASURES, measure_colours
from hubel.tools.data.bundled import Patches, photographs
from hubel.tools.imagery.graph import RGB
from hubel.tools.imagery.pillow import EDITS, apply
from hubel.tools.measures import measure
from hubel.tools.statistics import STATISTICS, statistics

SIDE = 224
GREY = (128, 128, 128)
LEFT = Image.new("L", (SIDE, SIDE), 0)
LEFT.paste(255, (0, 0, 70, SIDE))
DIRECTIONS = ("vertical", "horizontal", "rising", "falling")


def flat(colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (SIDE, SIDE), colour)


def with_box(box: tuple[int, int, int, int], colour: tuple[int, int, int]) -> Image.Image:
    image = flat(GREY)
    image.paste(colour, box)
    return image


def stripes(direction: str, period: int = 16, phase: float = 0.0) -> Image.Image:
    y, x = np.mgrid[:SIDE, :SIDE]
    along = {"vertical": x, "horizontal": y, "rising": x + y, "falling": x - y}[direction]
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * along / period + phase)
    return Image.fromarray((wave * 255).astype(np.uint8)).convert("RGB")


def checkers(square: int) -> Image.Image:
    y, x = np.mgrid[:SIDE, :SIDE] // square
    return Image.fromarray(((x + y) % 2 * 200 + 20).astype(np.uint8)).convert("RGB")


def photos(count: int) -> list[Image.Image]:
    data = Patches("demo", photographs(), count)
    return [data.item(n).image for n in range(count)]


def test_degrees_lie_between_0_and_1_for_any_picture() -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    strange = [noise, flat((0, 0, 0)), flat((255, 255, 255)), noise.resize((1, 1))]
    strange += [noise.resize((300, 7)), noise.convert("L"), noise.convert("RGBA")]
    for image in strange:
        found = statistics(image)
        assert list(found) == list(STATISTICS)
        assert all(0 <= degree <= 1 for degree in found.values())


def test_phrases_tell_their_pooling() -> None:
    for statistic in STATISTICS.values():
        local = statistic.phrase.startswith(("a ", "an "))
        assert local == (statistic.pooling == "somewhere")
        assert local == any(word in statistic.phrase.split() for word in ("patch", "spot"))


@pytest.mark.parametrize("colour", COLOURS)
def test_each_colour_is_called_by_its_name_and_by_no_other(colour: str) -> None:
    found = statistics(flat(RGB[colour]))
    assert found[f"{colour} colouring"] > 0.7
    others = {other: found[f"{other} colouring"] for other in COLOURS if other != colour}
    assert max(others.values()) < 0.5


def test_the_degrees_of_the_colour_words_add_up() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (50, 50, 3), dtype=np.uint8)
    words = measure_colours(pixels)[..., : len(COLOURS)]
    assert np.allclose(words.sum(axis=-1), 1, atol=1e-5)
    assert MEASURES[: len(COLOURS)] == COLOURS


def test_a_small_red_patch_is_seen_somewhere_but_not_in_the_whole() -> None:
    found = statistics(with_box((150, 40, 190, 80), (217, 38, 44)))
    assert found["a red patch"] > 0.9
    assert found["red colouring"] < 0.1
    assert found["a blue patch"] == found["blue colouring"] == 0
    assert statistics(flat(GREY))["a red patch"] == 0


def test_warm_and_cool_are_opposites() -> None:
    warm, cool = statistics(flat((240, 160, 40))), statistics(flat((60, 110, 230)))
    assert warm["warm colouring"] == cool["cool colouring"] == 1
    assert warm["cool colouring"] == cool["warm colouring"] == 0
    assert statistics(flat(GREY))["saturation"] < 1e-3


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_stripes_have_edges_of_their_direction_only(direction: str) -> None:
    found = statistics(stripes(direction))
    assert found[f"{direction} edges"] > 0.9
    for other in DIRECTIONS:
        if other != direction:
            assert found[f"{other} edges"] < 0.15
            assert found[f"a patch of {other} edges"] < 0.3


def test_rising_edges_go_up_to_the_right() -> None:
    image = flat(GREY)
    pixels = np.array(image)
    y, x = np.mgrid[:SIDE, :SIDE]
    pixels[x + y > SIDE] = 240  # the border runs from lower left to upper right
    found = statistics(Image.fromarray(pixels))
    assert found["a patch of rising edges"] > 3 * found["a patch of falling edges"]


def test_turning_swaps_directions() -> None:
    upright = statistics(stripes("vertical"))
    turned = statistics(stripes("vertical").rotate(90))
    assert turned["horizontal edges"] == pytest.approx(upright["vertical edges"], abs=0.02)
    slanted = statistics(stripes("rising").rotate(90))
    assert slanted["falling edges"] > 0.9 > 0.15 > slanted["rising edges"]


def test_a_local_patch_of_stripes_is_found_somewhere() -> None:
    image = flat(GREY)
    image.paste(stripes("vertical").crop((0, 0, 48, 48)), (20, 150))
    found = statistics(image)
    assert found["a patch of vertical edges"] > 0.8
    assert found["vertical edges"] < 0.35
    assert found["a patch of horizontal edges"] < 0.5 * found["a patch of vertical edges"]


@pytest.mark.parametrize(
    ("period", "band"), [(2, "fine"), (3, "fine"), (6, "medium"), (7, "medium"), (20, "coarse")]
)
@pytest.mark.parametrize("direction", ["vertical", "horizontal", "rising"])
def test_gratings_have_the_texture_of_their_frequency(
    direction: str, period: int, band: str
) -> None:
    found = measure(stripes(direction, period, phase=0.7))
    bands = {name: found["whole", name] for name in ("fine", "medium", "coarse")}
    assert max(bands, key=lambda name: bands[name]) == band


def test_texture_and_edges_leave_with_blur_and_a_flat_picture_has_none() -> None:
    image = checkers(2)
    sharp = statistics(image)
    soft = statistics(image.filter(ImageFilter.GaussianBlur(6)))
    none = statistics(flat(GREY))
    for phrase in ("fine texture", "a patch of fine texture", "edges"):
        assert sharp[phrase] > 0.9
        assert soft[phrase] < 0.1
        assert none[phrase] < 1e-3
    assert none["plainness"] == 1 > 0.1 > sharp["plainness"]
    assert none["contrast"] == none["many colours"] == none["left-right symmetry"] == 0


def test_where_the_light_and_the_edges_lie() -> None:
    top = statistics(with_box((0, 0, SIDE, SIDE // 2), (255, 255, 255)))
    assert top["brighter at the top"] > 0.9
    assert top["brighter at the bottom"] == 0
    assert top["brighter at the left"] == top["brighter at the right"] == 0
    image = flat(GREY)
    image.paste(checkers(4).crop((0, 0, 60, SIDE)), (10, 0))
    left = statistics(image)
    assert left["more edges at the left"] > 0.9
    assert left["more edges at the right"] == left["more edges at the top"] == 0
    box = with_box((70, 70, 154, 154), (255, 255, 255))
    middle, inverted = statistics(box), statistics(ImageOps.invert(box))
    assert middle["brighter in the centre"] > 0.8
    assert middle["brighter near the rim"] == inverted["brighter in the centre"] == 0
    assert inverted["brighter near the rim"] > 0.8


def test_spots_have_a_sign() -> None:
    bright = statistics(with_box((104, 104, 112, 112), (255, 255, 255)))
    dark = statistics(with_box((104, 104, 112, 112), (0, 0, 0)))
    assert bright["a bright spot"] > 0.8 > 0.1 > bright["a dark spot"]
    assert dark["a dark spot"] > 0.8 > 0.1 > dark["a bright spot"]


def test_mirror_symmetry() -> None:
    rng = np.random.default_rng(2)
    half = np.kron(rng.integers(0, 256, (14, 7, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    mirrored = Image.fromarray(np.concatenate([half, half[:, ::-1]], axis=1))
    assert statistics(mirrored)["left-right symmetry"] == 1
    assert statistics(mirrored.rotate(90))["left-right symmetry"] < 0.5


def test_brightness_and_darkness() -> None:
    assert statistics(flat((230, 230, 230)))["brightness"] == 1
    assert statistics(flat((10, 10, 10)))["darkness"] == 1
    assert statistics(flat((10, 10, 10)))["brightness"] == 0


def test_many_colours() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    rainbow = Image.fromarray(np.stack([x, y, (x + y) // 2], -1).astype(np.uint8))
    assert statistics(rainbow)["many colours"] > 0.7
    assert statistics(stripes("vertical"))["many colours"] < 0.1


def removed(image: Image.Image, phrase: str) -> Image.Image:
    instruction = STATISTICS[phrase].removed_by
    assert instruction is not None
    return apply(image, EDITS.models[instruction["op"]].model_validate(instruction))


PLANTED = {
    **{f"{c} colouring": flat(RGB[c]) for c in COLOURS if c not in ("grey", "black")},
    "a green patch": with_box((150, 40, 190, 80), RGB["green"]),
    "a black patch": with_box((150, 40, 190, 80), RGB["black"]),
    "black colouring": flat(RGB["black"]),
    "warm colouring": flat(RGB["yellow"]),
    "a cool patch": with_box((0, 0, 60, 60), RGB["blue"]),
    "saturation": flat(RGB["red"]),
    "brightness": flat((230, 230, 230)),
    "darkness": flat((40, 40, 40)),
    "a dark patch": with_box((0, 0, 60, 60), (10, 10, 10)),
    "contrast": checkers(20),
    "plainness": flat(GREY),
    "edges": checkers(4),
    "vertical edges": stripes("vertical"),
    "a patch of horizontal edges": stripes("horizontal"),
    "rising edges": stripes("rising"),
    "a patch of falling edges": stripes("falling"),
    "straight edges": stripes("horizontal", 32),
    "fine texture": checkers(1),
    "a patch of medium texture": checkers(4),
    "coarse texture": checkers(10),
    "a bright spot": with_box((104, 104, 112, 112), (255, 255, 255)),
    "brighter at the top": with_box((0, 0, SIDE, 112), (255, 255, 255)),
    "more edges at the left": Image.composite(checkers(4), flat(GREY), LEFT),
}


@pytest.mark.parametrize("phrase", PLANTED)
def test_the_named_edit_removes_it(phrase: str) -> None:
    image = PLANTED[phrase]
    assert statistics(image)[phrase] > 0.7
    assert statistics(removed(image, phrase))[phrase] < 0.5


def test_every_instruction_is_one_that_can_be_carried_out() -> None:
    image = photos(1)[0]
    for phrase, statistic in STATISTICS.items():
        if statistic.removed_by is not None:
            assert removed(image, phrase).size == image.size


def test_photographs_spread_over_the_range() -> None:
    rows = [statistics(image) for image in photos(120)]
    rare = {"a purple patch", "a cyan patch", "a green patch", "a yellow patch", "a pink patch"}
    for phrase, statistic in STATISTICS.items():
        if phrase in rare or (statistic.quantity in COLOURS and statistic.pooling == "whole"):
            continue  # the few photographs at hand have none of them
        degrees = np.array([row[phrase] for row in rows])
        assert np.percentile(degrees, 97) - np.percentile(degrees, 3) > 0.4, phrase
        assert (degrees >= 1).mean() < 0.5, phrase


def test_a_picture_takes_milliseconds() -> None:
    image = photos(2)[1]
    statistics(image)
    spent = []
    for _ in range(15):
        start = time.process_time()
        statistics(image)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.008  # 2 ms on the machine this was written on
