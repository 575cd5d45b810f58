import os

import pytest
from PIL import Image

from hubel.tools.result import Artifact
from hubel.tools.spec import ToolError
from hubel.tools.stimuli import PictureStore, stimulus_id

RED = Image.new("RGB", (8, 6), "red")
PROVENANCE = {"kind": "code"}


@pytest.fixture
def stores(tmp_path):
    return PictureStore(tmp_path / "kept"), PictureStore(tmp_path / "scratch")


def test_a_picture_is_taken_over_with_what_is_recorded_of_it(stores):
    kept, scratch = stores
    made = scratch.put(RED, PROVENANCE, "stimulus")
    kept.adopt(made, scratch)
    assert kept.artifact(made.id) == made
    assert kept.image(made.id).tobytes() == RED.tobytes()


def planted(scratch, image=RED):
    """The id of a picture and the empty place where another store would look for it."""
    name = stimulus_id(image, "stimulus", PROVENANCE)
    place = scratch.root / name[:2] / f"{name}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    return Artifact(name, "stimulus", PROVENANCE), place


def as_link(place, tmp_path):
    elsewhere = tmp_path / "elsewhere.png"
    RED.save(elsewhere)
    place.symlink_to(elsewhere)


def as_pipe(place, _tmp_path):
    os.mkfifo(place)


def as_other_format(place, _tmp_path):
    RED.save(place, format="BMP")


def as_rubbish(place, _tmp_path):
    place.write_bytes(b"\x89PNG\r\n\x1a\n rubbish")


def as_sparse_giant(place, _tmp_path):
    with place.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("how", [as_link, as_pipe, as_other_format, as_rubbish, as_sparse_giant])
def test_a_file_that_was_put_there_to_do_harm_is_refused(stores, tmp_path, how):
    kept, scratch = stores
    artifact, place = planted(scratch)
    how(place, tmp_path)
    with pytest.raises(ToolError, match="no plain PNG file"):
        kept.adopt(artifact, scratch)


def test_a_picture_that_is_not_what_its_id_says_is_refused(stores):
    kept, scratch = stores
    artifact, place = planted(scratch)
    Image.new("RGB", (8, 6), "blue").save(place, format="PNG")
    with pytest.raises(ValueError, match="not what its id says"):
        kept.adopt(artifact, scratch)


def test_a_stamp_goes_into_every_record(tmp_path):
    stamped = PictureStore(tmp_path, stamp={"sandbox": "none"})
    assert stamped.put(RED, PROVENANCE, "figure").provenance == {**PROVENANCE, "sandbox": "none"}
