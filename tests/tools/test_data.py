from __future__ import annotations

import importlib.util
import io
import json
import os
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hubel.tools.data import (
    DataError,
    UnreadablePicture,
    bundled,
    folder,
    held_out,
    hfds,
    readable,
    scenes,
    stamps,
)
from hubel.tools.data.combined import Combined
from hubel.tools.data.files import Notes, PictureFiles, walk
from hubel.tools.data.opening import kinds, open_data
from hubel.tools.data.reading import BACKGROUND, MAX_SIDE, read_picture, require_readable

RED, GREEN = (220, 20, 20), (20, 180, 20)


def png(colour: object = RED, size: tuple[int, int] = (8, 6), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)  # type: ignore[arg-type]


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format=form, **options)
    return out.getvalue()


def noise(seed: int = 0, side: int = 64) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def write(path: Path, image: Image.Image | bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(image if isinstance(image, bytes) else saved(image or png()))
    return path


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def outcome(data: bytes) -> str:
    """The mode of the picture, or how its error begins."""
    try:
        return read_picture(data, "x").mode
    except UnreadablePicture as error:
        return str(error)[:3]


#: Growth of the resident memory by reading 300 pictures, and then by holding ten.
GROWTH = """
import os, sys
from pathlib import Path
from hubel.tools.data import folder

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

data = folder.load(sys.argv[1])
for n in range(10):
    data.item(n)
before = resident()
for n in range(300):
    data.item(n % 10)
read = resident() - before
held = [data.item(n) for n in range(10)] + [data.item(n) for n in range(10)]
print(read, resident() - before)
"""


class TestReading:
    def test_a_whole_picture_is_read(self) -> None:
        image = noise()
        assert read_picture(saved(image), "x").tobytes() == image.tobytes()

    @pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
    @pytest.mark.parametrize("kept", [0.05, 0.3, 0.6])
    def test_a_truncated_picture_is_refused_by_name(self, form: str, kept: float) -> None:
        data = saved(noise(), form)
        with pytest.raises(UnreadablePicture, match=r"^cats/7\.x: "):
            read_picture(data[: int(len(data) * kept)], "cats/7.x")
        assert read_picture(data, "whole").size == (64, 64)

    def test_flipped_bytes_are_refused_by_name(self) -> None:
        data = bytearray(saved(noise()))
        data[len(data) // 2] ^= 0xFF
        with pytest.raises(UnreadablePicture, match=r"^flipped\.png: cannot be decoded"):
            read_picture(bytes(data), "flipped.png")

    @pytest.mark.parametrize("seed", range(40))
    def test_any_damage_is_an_unreadable_picture_or_a_picture(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        form = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")[seed % 6]
        data = np.frombuffer(saved(noise(side=24), form), np.uint8).copy()
        data[rng.integers(0, len(data), 12)] = rng.integers(0, 256, 12, dtype=np.uint8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert outcome(data.tobytes()) in ("RGB", "x: ")

    def test_an_empty_file_is_said_to_be_empty(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadablePicture, match="empty"):
            read_picture(write(tmp_path / "a.png", b""), "a.png")

    def test_text_named_png_is_no_picture(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadablePicture, match="not a PNG, JPEG"):
            read_picture(write(tmp_path / "a.png", b"Dear diary"), "a.png")

    def test_a_missing_file_is_unreadable(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadablePicture, match="gone"):
            read_picture(tmp_path / "gone.png", "gone.png")

    def test_postscript_is_not_run(self) -> None:
        with pytest.raises(UnreadablePicture, match="not a PNG"):
            read_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "a.png")

    @pytest.mark.parametrize("side", [9_500, 60_000])  # Pillow warns of the one, refuses the other
    @pytest.mark.parametrize("action", ["error", "ignore"])
    def test_decompression_bombs_are_refused(self, side: int, action: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter(action)  # type: ignore[arg-type]
            with pytest.raises(UnreadablePicture, match=r"^bomb\.png: too large"):
                read_picture(bomb(side), "bomb.png")

    def test_pictures_are_turned_upright(self) -> None:
        image = png(size=(8, 4))
        image.paste(GREEN, (0, 0, 4, 4))  # green left, red right
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by 90 degrees clockwise
        upright = read_picture(saved(image, exif=exif), "x")
        assert upright.size == (4, 8)
        assert upright.getpixel((2, 1)) == GREEN
        assert upright.getpixel((2, 6)) == RED
        assert read_picture(saved(image), "x").size == (8, 4)

    def test_cmyk(self) -> None:
        read = read_picture(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"), "x")
        assert read.getpixel((4, 4)) == (255, 0, 0)

    @pytest.mark.parametrize("form", ["PNG", "TIFF"])
    def test_sixteen_bits_are_scaled_not_clipped(self, form: str) -> None:
        ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
        read = np.asarray(read_picture(saved(Image.fromarray(ramp), form), "x"))
        assert (read == np.arange(256).reshape(16, 16, 1)).all()

    def test_floating_point_pixels_are_refused(self) -> None:
        floats = saved(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF")
        with pytest.raises(UnreadablePicture, match="floating-point"):
            read_picture(floats, "x")

    def test_grey_and_palette(self) -> None:
        assert read_picture(saved(png(77, mode="L")), "x").getpixel((0, 0)) == (77, 77, 77)
        palette = png(RED).convert("P", palette=Image.Palette.ADAPTIVE)
        assert read_picture(saved(palette), "x").getpixel((0, 0)) == RED

    def test_transparent_parts_show_the_background(self) -> None:
        image = png((*RED, 255), mode="RGBA")
        image.putpixel((0, 0), (*RED, 0))
        image.putpixel((1, 0), (*RED, 128))
        read = read_picture(saved(image), "x")
        assert read.getpixel((0, 0)) == BACKGROUND
        assert read.getpixel((5, 5)) == RED
        half = read.getpixel((1, 0))
        assert isinstance(half, tuple)
        assert BACKGROUND[0] < half[0] < RED[0]

    def test_a_palette_with_a_transparent_colour(self) -> None:
        image = Image.new("P", (4, 4), 0)
        image.putpalette([*RED, *GREEN])
        image.putpixel((0, 0), 1)
        read = read_picture(saved(image, transparency=1), "x")
        assert read.getpixel((0, 0)) == BACKGROUND
        assert read.getpixel((3, 3)) == RED

    def test_long_pictures_are_shrunk_in_proportion(self) -> None:
        assert read_picture(saved(png(size=(4 * MAX_SIDE, 64))), "x").size == (MAX_SIDE, 16)

    def test_nothing_readable_is_an_error(self) -> None:
        require_readable("mine", 1, [UnreadablePicture("a.png: empty")])
        with pytest.raises(DataError, match=r"mine.*a\.png: empty"):
            require_readable("mine", 0, [UnreadablePicture("a.png: empty")])


class TestFolder:
    def test_files_are_found_at_any_depth_in_order(self, tmp_path: Path) -> None:
        for name in ("b/2.JPG", "a.png", "b/c/1.webp", ".hidden/x.png", "b/._x.png"):
            write(tmp_path / name)
        (tmp_path / "notes.md").write_text("no picture")
        data = folder.load(str(tmp_path))
        assert list(data.groups) == ["a.png", "b/2.JPG", "b/c/1.webp"]
        assert data.name == f"folder:{tmp_path}"

    def test_the_first_folder_is_the_label(self, tmp_path: Path) -> None:
        for name in ("cat/1.png", "train/dog/big/2.png", "3.png"):
            write(tmp_path / name)
        data = folder.load(str(tmp_path))
        labels = {data.item(n).name: data.item(n).labels for n in range(3)}
        assert labels == {"3.png": (), "cat/1.png": ("cat",), "train/dog/big/2.png": ("dog",)}

    def test_provenance_repeats_what_is_known(self, tmp_path: Path) -> None:
        write(tmp_path / "cat/1.png")
        (tmp_path / "captions.csv").write_text("file_name,caption\ncat/1.png,A cat.\n")
        item = folder.load(str(tmp_path)).item(0)
        assert (item.labels, item.caption) == (("cat",), "A cat.")
        assert item.provenance == {
            "kind": "picture",
            "data": f"folder:{tmp_path}",
            "item": "cat/1.png",
            "labels": ["cat"],
            "caption": "A cat.",
        }

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("captions.csv", 'image,caption\na.png,"One, two"\na.png,three\n'),
            ("captions.txt", "a.png#0\tOne, two\na.png#1\tthree\n"),
            ("captions.txt", "image,caption\na.png,One, two\na.png,three\n"),
            ("captions.json", json.dumps({"a.png": ["One, two", "three"]})),
            ("captions.json", json.dumps([{"file_name": "a.png", "caption": "One, two / three"}])),
            (
                "captions.json",
                json.dumps(
                    {
                        "images": [{"id": 7, "file_name": "a.png"}],
                        "annotations": [
                            {"image_id": 7, "caption": "One, two"},
                            {"image_id": 7, "caption": "three"},
                        ],
                    }
                ),
            ),
            ("metadata.jsonl", '{"file_name": "./a.png", "text": "One, two / three"}\n'),
            (
                "metadata.csv",
                "\ufefffile_name,text\na.png,One, two / three\n".replace(
                    "One, two / three", '"One, two / three"'
                ),
            ),
        ],
    )
    def test_captions_in_every_layout(self, tmp_path: Path, name: str, text: str) -> None:
        write(tmp_path / "a.png")
        write(tmp_path / "b.png")
        (tmp_path / name).write_text(text, encoding="utf-8")
        data = folder.load(str(tmp_path))
        assert data.item(0).caption == "One, two / three"
        assert data.item(1).caption is None

    def test_metadata_gives_labels_and_groups(self, tmp_path: Path) -> None:
        for name in ("a.png", "b.png", "c.png"):
            write(tmp_path / "deep" / name)
        (tmp_path / "deep" / "metadata.csv").write_text(
            "file_name,label,group\na.png,owl,night\nb.png,,night\n"
        )
        data = folder.load(str(tmp_path))
        assert list(data.groups) == ["night", "night", "deep/c.png"]
        assert data.item(0).labels == ("deep", "owl")

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("captions.json", "{not json", "cannot be read"),
            ("captions.txt", "only words here", "no tab and no comma"),
            ("captions.csv", "picture;words\na.png;x", "no column file_name"),
            ("metadata.jsonl", '{"file_name": "z.png", "text": "x"}', "name no picture"),
        ],
    )
    def test_broken_captions_are_an_error(
        self, tmp_path: Path, name: str, text: str, message: str
    ) -> None:
        write(tmp_path / "a.png")
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=message):
            folder.load(str(tmp_path))

    def test_no_folder_and_no_pictures_are_errors(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no folder"):
            folder.load(str(tmp_path / "nowhere"))
        with pytest.raises(DataError, match="no picture"):
            folder.load(str(tmp_path))

    def test_loops_of_links_end(self, tmp_path: Path) -> None:
        write(tmp_path / "in/a.png")
        (tmp_path / "in/loop").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "b.png").symlink_to(tmp_path / "in/a.png")
        (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
        assert list(folder.load(str(tmp_path)).groups) == ["b.png", "in/a.png"]

    def test_a_pipe_named_png_is_passed_over(self, tmp_path: Path) -> None:
        write(tmp_path / "a.png")
        os.mkfifo(tmp_path / "b.png")
        assert list(folder.load(str(tmp_path)).groups) == ["a.png"]

    def test_names_that_are_not_unicode(self, tmp_path: Path) -> None:
        write(tmp_path / os.fsdecode(b"caf\xe9.png"))
        data = folder.load(str(tmp_path))
        assert data.item(0).name == "caf\\xe9.png"
        assert held_out(data) == [False]
        assert data.fingerprint()

    def test_a_folder_that_cannot_be_listed_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="gone' cannot be listed"):
            list(walk(tmp_path / "gone"))

    def test_corrupt_pictures_come_as_errors_between_the_others(self, tmp_path: Path) -> None:
        write(tmp_path / "1.png")
        write(tmp_path / "2.png", saved(noise())[:500])
        write(tmp_path / "3.png", bomb(60_000))
        write(tmp_path / "4.png")
        data = folder.load(str(tmp_path))
        found = [item for _, item in readable(data, iter(range(4)))]
        kinds_found = [type(f).__name__ for f in found]
        assert kinds_found == ["Item", "UnreadablePicture", "UnreadablePicture", "Item"]
        assert str(found[1]).startswith("2.png: ")

    def test_the_fingerprint_sees_changes(self, tmp_path: Path) -> None:
        write(tmp_path / "a.png")
        first = folder.load(str(tmp_path)).fingerprint()
        assert folder.load(str(tmp_path)).fingerprint() == first
        os.utime(tmp_path / "a.png", ns=(1, 1))
        touched = folder.load(str(tmp_path)).fingerprint()
        (tmp_path / "captions.txt").write_text("a.png,new")
        noted = folder.load(str(tmp_path)).fingerprint()
        write(tmp_path / "b.png")
        assert len({first, touched, noted, folder.load(str(tmp_path)).fingerprint()}) == 4

    @pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
    def test_memory_does_not_grow_with_what_is_read(self, tmp_path: Path) -> None:
        for n in range(10):
            write(tmp_path / f"{n}.png", png(size=(800, 800)))
        # In a process of its own: this one has memory to spare from the tests before.
        words = [sys.executable, "-c", GROWTH, str(tmp_path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        read, held = map(int, done.stdout.split())
        assert read < 20e6  # one picture has 2.6 MB
        assert held > 20e6  # so the first would have been seen


class TestSplit:
    @staticmethod
    def data(groups: dict[str, str | None]) -> PictureFiles:
        return PictureFiles(
            "x", Path(), list(groups), {f: Notes(group=g) for f, g in groups.items()}
        )

    def test_groups_never_straddle_and_both_halves_are_full(self) -> None:
        data = self.data({f"{n}.png": f"photo {n % 23}" for n in range(200)})
        halves = held_out(data)
        sides = {
            g: {h for o, h in zip(data.groups, halves, strict=True) if o == g} for g in data.groups
        }
        assert all(len(side) == 1 for side in sides.values())
        assert sum(side == {True} for side in sides.values()) == 11
        assert held_out(data) == halves

    def test_pictures_added_to_groups_move_none(self) -> None:
        few = self.data({f"{n}.png": f"photo {n % 9}" for n in range(20)})
        many = self.data({f"{n}.png": f"photo {n % 9}" for n in range(90)})
        assert held_out(many)[:20] == held_out(few)

    def test_every_class_is_halved(self) -> None:
        data = self.data({f"{c}/{n}.png": None for c in ("cat", "dog") for n in range(11)})
        kept = [g for g, h in zip(data.groups, held_out(data), strict=True) if h]
        assert abs(sum(g.startswith("cat") for g in kept) - 5.5) <= 1
        assert len(kept) == 11


class TestScenes:
    def test_items_are_scenes_by_seed_and_number(self) -> None:
        few, many, other = (scenes.load(a) for a in ("3", "9", "3?seed=5"))
        pictures = [few.item(n).image.tobytes() for n in range(3)]
        assert pictures == [many.item(n).image.tobytes() for n in range(3)]
        assert len({*pictures, *(other.item(n).image.tobytes() for n in range(3))}) == 6
        assert len({few.fingerprint(), many.fingerprint(), other.fingerprint()}) == 3
        assert few.item(1).provenance["kind"] == "scene"

    def test_the_scene_in_the_provenance_is_the_picture(self) -> None:
        from hubel.tools.imagery.scenes import Scene, render

        item = scenes.load("2").item(1)
        kept = json.loads(json.dumps(item.provenance))
        assert render(Scene.from_json(kept["scene"])).tobytes() == item.image.tobytes()

    @pytest.mark.parametrize("argument", ["", "many", "0", "-3", "2.5", "3?seed=x", "٣"])
    def test_other_arguments_are_refused(self, argument: str) -> None:
        with pytest.raises(DataError, match="whole numbers"):
            scenes.load(argument)


class TestDemo:
    def test_patches_and_scenes_alternate(self) -> None:
        data = bundled.load("30")
        items = [data.item(n) for n in range(8)]
        assert len(data.groups) == 60
        assert [i.provenance["kind"] for i in items] == ["picture", "scene"] * 4
        assert {i.image.size for i in items} == {(224, 224)}
        assert all(i.labels == () and i.caption is None for i in items)

    def test_crops_of_a_photograph_share_a_group_and_differ(self) -> None:
        data = bundled.Patches("demo", bundled.photographs(), 120)
        same = [n for n, g in enumerate(data.groups) if g.endswith("/coffee.png")]
        assert len(same) > 3
        assert len({data.item(n).image.tobytes() for n in same}) == len(same)
        assert len({data.item(n).name for n in same}) == len(same)
        again = bundled.Patches("demo", bundled.photographs(), 120)
        assert again.item(7).image.tobytes() == data.item(7).image.tobytes()

    def test_both_halves_have_photographs_in_colour_and_grey(self) -> None:
        data = bundled.load("")
        assert len(data.groups) == 2 * bundled.SIZE
        halves = held_out(data)
        for kind in ("colour photo", "grey photo", "scene"):
            of_kind = [h for g, h in zip(data.groups, halves, strict=True) if f"/{kind}" in g]
            assert 0.35 < sum(of_kind) / len(of_kind) < 0.65

    def test_drawings_are_not_photographs(self) -> None:
        names = {p.name for p in bundled.photographs()}
        assert {"coffee.png", "camera.png", "chelsea.png"} <= names
        assert not {"logo.png", "phantom.png", "lfw_subset.npy", "multipage.tif"} & names

    def test_the_missing_package_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        with pytest.raises(DataError, match=r"pip install 'hubel\[demo\]'"):
            bundled.load("")


class TestStamps:
    def test_captions_and_categories(self, tmp_path: Path) -> None:
        write(tmp_path / "animals/birds/owl.png", png((*RED, 0), mode="RGBA"))
        (tmp_path / "animals/birds/owl.txt").write_text("A barn owl.\nde.utf8=Eine Eule.\n")
        write(tmp_path / "food/egg.png")
        data = stamps.load(str(tmp_path))
        owl, egg = data.item(0), data.item(1)
        assert (owl.labels, owl.caption) == (("animals", "birds"), "A barn owl.")
        assert owl.image.getpixel((0, 0)) == BACKGROUND
        assert (egg.labels, egg.caption) == (("food",), None)

    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="apt install tuxpaint-stamps-default"):
            stamps.load(str(tmp_path / "none"))

    @pytest.mark.skipif(not Path(stamps.FOLDER).is_dir(), reason="tuxpaint-stamps-default missing")
    def test_the_installed_ones(self) -> None:
        data = stamps.load("")
        assert len(data.groups) > 500
        items = [data.item(n) for n in range(0, len(data.groups), 40)]
        assert all(i.labels for i in items)
        assert sum(i.caption is not None for i in items) > len(items) / 2


datasets_missing = importlib.util.find_spec("datasets") is None


@pytest.mark.skipif(datasets_missing, reason="needs hubel[datasets]")
class TestHuggingFace:
    @pytest.fixture
    def table(self, tmp_path: Path) -> Path:
        library = pytest.importorskip("datasets")
        features = library.Features(
            {
                "image": library.Image(),
                "label": library.ClassLabel(names=["cat", "dog"]),
                "text": library.Value("string"),
                "group": library.Value("string"),
            }
        )
        rows = {
            "image": [
                {"bytes": saved(noise(1)), "path": None},
                {"bytes": saved(noise(2))[:900], "path": None},
                {"bytes": bomb(60_000), "path": None},
                None,
            ],
            "label": [1, 0, 0, 0],
            "text": ["A dog.", "x", None, "y"],
            "group": ["a", "a", "b", "c"],
        }
        whole = library.Dataset.from_dict(rows, features=features)
        whole.save_to_disk(tmp_path / "one")
        library.DatasetDict({"train": whole, "test": whole}).save_to_disk(tmp_path / "two")
        return tmp_path

    def test_rows_are_items(self, table: Path) -> None:
        data = hfds.load(f"{table}/one")
        item = data.item(0)
        assert list(data.groups) == ["a", "a", "b", "c"]
        assert item.image.tobytes() == noise(1).tobytes()
        assert (item.labels, item.caption) == (("dog",), "A dog.")
        assert data.fingerprint() == hfds.load(f"{table}/one").fingerprint()

    def test_bad_pictures_are_named(self, table: Path) -> None:
        data = hfds.load(f"{table}/one")
        found = [str(item) for _, item in readable(data, iter(range(1, 4)))]
        assert [f.partition(": ")[0] for f in found] == ["row 1", "row 2", "row 3"]
        assert "too large" in found[1]
        assert "no picture" in found[2]

    def test_splits_are_chosen(self, table: Path) -> None:
        assert len(hfds.load(f"{table}/two?split=test").groups) == 4
        with pytest.raises(DataError, match="several splits"):
            hfds.load(f"{table}/two")
        with pytest.raises(DataError, match="Did you mean 'train'"):
            hfds.load(f"{table}/two?split=tain")

    def test_other_folders_are_refused(self, table: Path) -> None:
        with pytest.raises(DataError, match="save_to_disk"):
            hfds.load(f"{table}/none")
        library = pytest.importorskip("datasets")
        library.Dataset.from_dict({"n": [1]}).save_to_disk(table / "numbers")
        with pytest.raises(DataError, match="no column of pictures"):
            hfds.load(f"{table}/numbers")


def test_the_missing_datasets_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'hubel\[datasets\]'"):
        hfds.load("anywhere")


class TestCombined:
    def test_parts_are_mixed_evenly_and_kept_apart(self, tmp_path: Path) -> None:
        for n in range(6):
            write(tmp_path / f"a/{n}.png", png(RED))
        for n in range(2):
            write(tmp_path / f"b/{n}.png", png(GREEN))
        one, two = folder.load(f"{tmp_path}/a"), folder.load(f"{tmp_path}/b")
        both = Combined("both", [one, two])
        colours = [both.item(n).image.getpixel((0, 0)) for n in range(8)]
        assert [colours[:4].count(GREEN), colours[4:].count(GREEN)] == [1, 1]
        assert len(set(both.groups)) == 8
        assert both.fingerprint() != Combined("both", [two]).fingerprint()


needs_install = pytest.mark.skipif(not kinds(), reason="hubel is not installed")


@needs_install
class TestOpening:
    def test_every_declared_kind_loads(self) -> None:
        assert {"demo", "folder", "hfds", "scenes", "stamps"} <= set(kinds())
        assert all(callable(load()) for load in kinds().values())

    def test_kinds_folders_and_sums(self, tmp_path: Path) -> None:
        write(tmp_path / "x+y/a.png")
        assert open_data("scenes:3").name == "scenes:3"
        assert open_data(f"{tmp_path}/x+y").name == f"folder:{tmp_path}/x+y"
        both = open_data(f"{tmp_path}/x+y+scenes:2")
        assert len(both.groups) == 3
        assert both.name == f"{tmp_path}/x+y+scenes:2"

    def test_unknown_kinds_get_the_nearest(self) -> None:
        with pytest.raises(DataError, match="Did you mean 'folder'"):
            open_data("foldr:/tmp")
        with pytest.raises(DataError, match="neither a folder nor a kind"):
            open_data("/no/such/place")
