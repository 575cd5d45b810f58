from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from hubel.tools.concepts import content_words, judge, removed_by, source_of, vocabulary
from hubel.tools.data.scenes import RandomScenes
from hubel.tools.imagery.pillow import EDITS
from hubel.tools.imagery.scenes import Scene, phrases, truth
from hubel.tools.spec import ToolError
from hubel.tools.statistics import STATISTICS, statistics

GREY = Image.new("RGB", (64, 64), (128, 128, 128))
RED = Image.new("RGB", (64, 64), (217, 38, 44))


@pytest.mark.parametrize("number", range(12))
def test_of_a_scene_the_judge_says_what_is_true_and_nothing_else(number: int) -> None:
    item = RandomScenes("scenes", 12, seed=3).item(number)
    found = judge(item.image, item.provenance)
    told = {phrase for phrase in found if source_of(phrase) == "scene"}
    assert told == set(truth(Scene.from_json(item.provenance["scene"])))
    assert all(found[phrase] == 1.0 for phrase in told)


def test_an_edit_that_is_still_a_scene_has_scene_truth_and_others_have_not() -> None:
    item = RandomScenes("scenes", 1).item(0)
    edit = {"kind": "edit", "parent": "0" * 64, "instruction": {}, "changed": {}}
    still = judge(item.image, {**edit, "scene": item.provenance["scene"]})
    assert still == judge(item.image, item.provenance)
    sources = {source_of(phrase) for phrase in judge(item.image, edit)}
    assert sources == {"statistic"}


def test_labels_and_captions_are_phrases() -> None:
    picture = {"kind": "picture", "labels": ["tabby cat"], "caption": "The Cat's well-fed, 2 cats!"}
    found = judge(GREY, picture)
    told = {phrase for phrase in found if source_of(phrase) == "label"}
    assert told == {
        "labelled tabby cat",
        "caption mentions cat's",
        "caption mentions well-fed",
        "caption mentions cats",
    }
    without = judge(GREY, {"kind": "picture", "labels": [], "caption": None})
    assert {source_of(phrase) for phrase in without} == {"statistic"}


def test_content_words() -> None:
    assert content_words("A photo of the dog, and the DOG’s bone") == ["dog", "dog's", "bone"]
    assert content_words("Ein Käse aus Bœuf") == ["ein", "käse", "aus", "bœuf"]
    assert content_words("") == content_words("of the a") == []


def test_statistics_are_those_of_the_pixels_rounded_without_zeros() -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    found = judge(noise, {"kind": "picture"})
    measured = statistics(noise)
    assert found == {p: round(d, 3) for p, d in measured.items() if round(d, 3) > 0}
    assert judge(RED, {})["red colouring"] == 1
    assert "red colouring" not in judge(GREY, {})


def test_no_phrase_has_two_sources() -> None:
    assert not {p.phrase for p in phrases()} & set(STATISTICS)
    assert len(vocabulary()) == len(phrases()) + len(STATISTICS)
    assert not any(p.startswith(("labelled ", "caption mentions ")) for p in vocabulary())
    assert set(vocabulary().values()) == {"scene", "statistic"}
    assert source_of("red circle") == "scene"
    assert source_of("a red patch") == "statistic"


def test_unknown_phrases_get_the_nearest() -> None:
    with pytest.raises(ToolError, match="'a red patch'"):
        source_of("a red pach")
    with pytest.raises(ToolError, match="No picture can be judged"):
        removed_by("goodness")


def test_removal_is_an_instruction_of_an_edit_or_nothing() -> None:
    assert removed_by("red colouring") == {"op": "hue", "degrees": 180}
    assert removed_by("red circle") is None
    assert removed_by("labelled cat") is None
    assert removed_by("left-right symmetry") is None
    for phrase in vocabulary():
        instruction = removed_by(phrase)
        if instruction is not None:
            EDITS.models[instruction["op"]].model_validate(instruction)
            instruction.clear()  # a copy: the table stays whole
            assert removed_by(phrase)


def test_the_judge_needs_no_torch() -> None:
    code = "import hubel.tools.concepts, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
