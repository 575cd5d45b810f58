"""No input from inside makes the host raise anything but `WireError`, hang, or grow."""

import contextlib
import json
import math
import os
import random
import socket
import struct
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from hubel.sandbox import frames, wire
from hubel.sandbox.arrays import DTYPES, Shelf

LIMIT = 64 << 10
#: Seconds that a whole frame may take, and what the machine may add.
PATIENCE, SLACK = 0.01, 60.0

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
THOROUGH = settings(QUICK, max_examples=5_000)
#: To see that something fails, not to find the smallest thing that does.
CONTROL = settings(QUICK, phases=[Phase.generate], derandomize=True, report_multiple_bugs=False)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["picture", "figure", "ablate", *DTYPES])
    | st.sampled_from([-1, 0, 1, 3, 4096, 4097, 2**31, 2**63, 2**64, 2**64 + 3, 10**70])
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)
#: Headers that are nearly right, so that the arithmetic is reached.
numbers = st.integers(-2, 4100) | st.sampled_from([2**31, 2**32, 2**62, 2**63, 2**64])
headers = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(DTYPES) | json_values,
        "shape": st.lists(st.integers(0, 9) | numbers, max_size=9) | json_values,
        "nbytes": numbers | json_values,
        "offset": st.integers(0, 64) | numbers | json_values,
    }
)


@st.composite
def right_headers(draw):
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(1, 4), max_size=4))
    nbytes = math.prod(shape) * np.dtype(dtype).itemsize
    return {"dtype": dtype, "shape": shape, "nbytes": nbytes, "offset": draw(st.integers(0, 2000))}


any_headers = right_headers() | headers | json_values
right_frames = st.one_of(
    st.fixed_dictionaries({"call": st.fixed_dictionaries({"tool": st.just("ablate"), "args": st.dictionaries(st.text(), json_values, max_size=3)})}),
    st.fixed_dictionaries({"show": st.fixed_dictionaries({"kind": st.sampled_from(["picture", "figure"]), "array": right_headers(), "caption": st.text(max_size=30)})}),
    st.fixed_dictionaries({"keep": st.fixed_dictionaries({"array": right_headers()})}),
    st.fixed_dictionaries({"final": st.fixed_dictionaries({"value": json_values})}),
    st.fixed_dictionaries({"raised": st.fixed_dictionaries({key: st.text() for key in ("type", "message", "traceback")})}),
)  # fmt: skip


@st.composite
def wrong_frames(draw):
    """A right frame with one part replaced, added or taken away."""
    frame = draw(right_frames)
    place = frame
    while True:
        keys = sorted(place)
        key = draw(st.sampled_from(keys)) if keys else "key"
        below = place.get(key)
        if not isinstance(below, dict) or draw(st.integers(0, 2)) == 0:
            break
        place = below
    what = draw(st.sampled_from(["replace", "add", "drop"]))
    if what == "drop":
        place.pop(key, None)
    else:
        place[key if what == "replace" else draw(st.text(max_size=5))] = draw(json_values)
    return frame


#: Where JSON and Python's reading of it part, or where the reader is made to work.
TOKENS = [
    b"NaN", b"-Infinity", b"1e999", b"-0.0", b"9" * 5000, b"1." + b"1" * 5000, b'"\\ud800"', b"\\ud800",
    b'"\xed\xa0\x80"', b"[" * 2000, b'{"a":' * 2000, b"[" * 70 + b"]" * 70, b'{"a":1,"a":2}', b"{}",
]  # fmt: skip


@st.composite
def poisoned_bytes(draw):
    """A right frame whose value is one of the tokens."""
    body = b'{"final":{"value":' + draw(st.sampled_from(TOKENS)) + b"}}"
    return struct.pack(">I", len(body)) + body


@st.composite
def mutated_bytes(draw):
    """A right frame as bytes, with bytes flipped, cut, doubled or put in."""
    body = json.dumps(draw(right_frames)).encode()
    data = bytearray(struct.pack(">I", len(body)) + body)
    first = draw(st.sampled_from([0, 4]))  # most mutations of the length end there
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(first, max(first, len(data) - 1)))
        match draw(st.integers(0, 4)):
            case 0:
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del data[at : at + draw(st.integers(1, 8))]
            case 2:
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case 3:
                data[at:at] = draw(st.sampled_from(TOKENS))
            case _:
                data[at:at] = draw(st.binary(max_size=12))
    if draw(st.booleans()) and len(data) >= 4:
        data[:4] = struct.pack(">I", len(data) - 4)
    return bytes(data)


hostile_bytes = mutated_bytes() | poisoned_bytes()


def survives(action, bound=2 << 20):
    """What the action gives, or None if it raised the one named error; it may not grow or hang."""
    tracemalloc.start()  # from nothing, and only here: it makes everything slower
    begun = time.monotonic()
    try:
        return action()
    except wire.WireError as error:
        said = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert time.monotonic() - begun < PATIENCE + SLACK
        assert peak < bound
    assert said.isprintable()
    assert len(said) < 400
    return None


def received(data, close, receive):
    """What the host makes of bytes from inside; the sender stays silent, or goes, after them."""
    host, cell = socket.socketpair()
    with host, cell:
        host.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LIMIT)
        cell.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            cell.send(data)
        if close:
            cell.shutdown(socket.SHUT_WR)
        return receive(host, time.monotonic() + PATIENCE, LIMIT)


def check_receive(data, close):
    check_receiver(wire.receive, data, close)


def check_receiver(receive, data, close):
    # Parsed, the costliest JSON is some thirty times its own size.
    message = survives(lambda: received(data, close, receive), (1 << 20) + 64 * len(data))
    if message is not None:
        assert isinstance(message, dict)
        wire.check(message)
        json.dumps(message, allow_nan=False, ensure_ascii=False).encode()
        survives(lambda: frames.parse(message))


def check_parse(frame):
    parsed = survives(lambda: frames.parse(frame))
    if parsed is not None:
        (kind,) = frame
        assert isinstance(parsed, frames._FRAMES[kind])
        assert set(parsed.model_dump()) == set(frame[kind])


def check_take(shelf, header, finite):
    array = survives(lambda: shelf.take(header, finite=finite))
    if array is not None:
        assert array.dtype.name == header["dtype"]
        assert list(array.shape) == header["shape"]
        assert array.nbytes == header["nbytes"]
        held = os.pread(shelf.descriptor, header["nbytes"], header["offset"])
        assert array.tobytes() == held
        assert not finite or np.isfinite(array).all()
    survives(lambda: shelf.picture(header))


@pytest.fixture(scope="module")
def shelf():
    with Shelf.make(4096) as made:
        os.pwrite(made.descriptor, random.Random(0).randbytes(4096), 0)
        yield made


def at_both_speeds(test):
    """The same property, quick by default and thorough when asked for."""
    return pytest.mark.parametrize(
        "how",
        [
            pytest.param(QUICK, id="quick"),
            pytest.param(
                THOROUGH, id="thorough", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]
            ),
        ],
    )(test)


@at_both_speeds
def test_any_bytes(how):
    how(given(st.binary(max_size=300), st.booleans())(check_receive))()


@at_both_speeds
def test_any_bytes_in_a_frame(how):
    how(
        given(st.binary(max_size=300).map(lambda b: struct.pack(">I", len(b)) + b), st.booleans())(
            check_receive
        )
    )()


@at_both_speeds
def test_mutated_frames(how):
    how(given(hostile_bytes, st.booleans())(check_receive))()


@at_both_speeds
def test_right_frames_pass_and_nearly_right_ones_do_no_harm(how):
    @given(right_frames)
    def right(frame):
        frames.parse(frame)
        check_parse(frame)

    how(right)()
    how(given(wrong_frames() | json_values)(check_parse))()


@at_both_speeds
def test_any_header(how, shelf):
    how(given(st.just(shelf), any_headers, st.booleans())(check_take))()


def test_the_headers_reach_both_ends(shelf):
    """A fuzz test in which nothing is ever accepted, or nothing refused, would show nothing."""
    outcomes = set()

    @settings(QUICK, max_examples=300)
    @given(any_headers)
    def look(header):
        try:
            shelf.take(header)
            outcomes.add("taken")
        except wire.WireError as error:
            outcomes.add(str(error)[:45])

    look()
    assert "taken" in outcomes
    assert len(outcomes) >= 5


def assert_found_by_the_check(error):
    """It comes from a part that was tried, and not from how the fuzzing is set up."""
    assert not isinstance(error, HypothesisException)


def naive(channel, deadline, limit):
    """What one would write without care."""
    channel.settimeout(PATIENCE)
    try:
        (length,) = struct.unpack(">I", channel.recv(4))
        return json.loads(channel.recv(min(length, limit)))
    except (OSError, struct.error, json.JSONDecodeError, UnicodeDecodeError):
        raise wire.WireError("bad") from None


def greedy(channel, deadline, limit):
    """Takes the sender's word for how much will come."""
    data = bytearray(32 << 20)
    message = wire.receive(channel, deadline, limit)
    return message | {"": len(data) * 0}


def leaky(channel, deadline, limit):
    """Raises another error than the named one."""
    try:
        return wire.receive(channel, deadline, limit)
    except wire.WireError as error:
        raise ValueError(str(error)) from None


@pytest.mark.parametrize(
    ("receive", "wrong"),
    [
        (naive, (AssertionError, ValueError, RecursionError, wire.WireError)),
        (greedy, AssertionError),
        (leaky, ValueError),
    ],
)
def test_a_careless_receiver_would_be_noticed(receive, wrong):
    """The negative control: the same check, the same inputs, fails."""
    fuzz = given(st.just(receive), hostile_bytes, st.booleans())(check_receiver)
    with pytest.raises(wrong) as noticed:
        CONTROL(fuzz)()
    assert_found_by_the_check(noticed.value)


def test_a_careless_taker_would_be_noticed():
    class Careless(Shelf):
        def take(self, header, *, finite=False):
            held = os.pread(self.descriptor, header["nbytes"], header["offset"])
            return np.frombuffer(held, header["dtype"]).reshape(header["shape"])

    with Careless.make(4096) as shelf:
        fuzz = given(st.just(shelf), any_headers, st.booleans())(check_take)
        with pytest.raises(
            (AssertionError, LookupError, TypeError, ValueError, OSError)
        ) as noticed:
            CONTROL(fuzz)()
    assert_found_by_the_check(noticed.value)
