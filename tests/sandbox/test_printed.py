import random
import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hubel.sandbox.printed import Printed, clean

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def is_clean(text):
    return not any(
        (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 or c in BIDI for c in text
    )


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain äöü 猫 🐈\ttab\n", "plain äöü 猫 🐈\ttab\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred\x9bm", "red"),
        ("a\x1b[2J\x1b[H\x1b[?25lb", "ab"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"),
        ("\x9d0;title\x9ca", "a"),
        ("\x1bP1$r\x1b\\a\x1b_hidden\x1b\\b", "ab"),
        ("\x1b(Ba\x1bcb\x1b7\x1b8", "ab"),
        ("\x1b]0;never ends\nthe next line", "0;never ends\nthe next line"),
        ("a\x00\x08\x0b\x0c\x7f\x85\x9f\x1bz", "a"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("\x1b\x1b[0m[31m", "[31m"),
        ("10%\r50%\r\n100%\r", "10%\n50%\n100%\n"),
        (f"user{BIDI}nimda", "usernimda"),
        ("\ud800x", "x"),
    ],
)
def test_text_shows_as_it_reads(raw, shown):
    assert clean(raw) == shown


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b\x9b\x9d\x07\\[]m;0\r\n" + BIDI)))
@settings(deadline=None)
def test_any_text_comes_out_clean_and_stays_so(raw):
    once = clean(raw)
    assert is_clean(once)
    assert clean(once) == once


def test_the_check_of_cleanness_would_notice():
    for bad in ("\x1b", "\r", "\x9b", "\x7f", "\x00", BIDI[4]):
        assert not is_clean(f"a{bad}b")


def test_hostile_text_is_cleaned_in_linear_time():
    begun = time.monotonic()
    for part in ("\x1b]", "\x1b[", "\x1b[0", "\x1b]a", "\x9d", "\x1b", "\x1bP\x1b]x", "\x1b[0;"):
        clean(part * (500_000 // len(part)))
        clean(part + "0" * 500_000)
        clean(part + " " * 500_000)
    assert time.monotonic() - begun < 60


def collected(data, kept, fatal=10**9, sizes=(1, 2, 3, 50)):
    rng = random.Random(0)
    printed = Printed(kept, fatal)
    at = 0
    while at < len(data):
        size = rng.choice(sizes)
        printed.add(data[at : at + size])
        at += size
    return printed


@given(st.binary(max_size=300), st.integers(0, 320))
@example(b"\x80\x80\x80\x80", 2)
@example("猫".encode() * 20, 40)
@settings(deadline=None)
def test_any_bytes_give_clean_text_within_bounds(data, kept):
    printed = collected(data, kept)
    text = printed.text()
    assert is_clean(text)
    assert printed.total == len(data)
    if len(data) <= kept:
        assert text == clean(data.decode("utf-8", "replace"))
    else:
        assert f"[{len(data) - kept} bytes left out]" in text
        assert len(text) <= kept + 50


def test_the_beginning_and_the_end_are_kept():
    lines = "".join(f"line {n}\n" for n in range(1000)).encode()
    text = collected(lines, 60).text()
    left_out = len(lines) - 60
    assert text == f"{lines[:30].decode()}\n[{left_out} bytes left out]\n{lines[-30:].decode()}"
    assert text.startswith("line 0\n")
    assert text.endswith("line 999\n")


@pytest.mark.parametrize("kept", range(10, 22))
def test_a_cut_through_a_character_leaves_no_broken_one(kept):
    text = collected("猫🐈é".encode() * 50, kept).text()
    assert "\ufffd" not in text


def test_bytes_that_are_no_text_are_replaced():
    assert collected(b"a\xff\xfeb", 100).text() == "a\ufffd\ufffdb"


def test_it_says_when_too_much_came():
    printed = Printed(10, 100)
    printed.add(b"x" * 100)
    assert not printed.too_much
    printed.add(b"x")
    assert printed.too_much


def test_it_never_holds_more_than_a_few_times_what_it_keeps():
    printed = Printed(64 << 10, 10**12)
    part = b"x" * 65_536
    tracemalloc.start()
    try:
        for _ in range(500):
            printed.add(part)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * (64 << 10)
    assert len(printed.text()) < (64 << 10) + 50
