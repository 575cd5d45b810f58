import contextlib
import json
import socket
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubel.sandbox import wire

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


@given(st.dictionaries(st.text(), values, max_size=4))
@settings(deadline=None)
def test_objects_arrive_as_they_were_sent(message):
    left, right = socket.socketpair()
    with left, right:
        wire.send(left, message)
        assert wire.receive(right, time.monotonic() + 5) == message


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_bytes_raise_anything_but_a_wire_error(data):
    left, right = socket.socketpair()
    with left, right:
        left.sendall(data)
        left.shutdown(socket.SHUT_WR)
        with contextlib.suppress(wire.WireError):
            assert isinstance(wire.receive(right, time.monotonic() + 5), dict)


def framed(body):
    return struct.pack(">I", len(body)) + body


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"1", "not a JSON object"),
        (b'{"a"', "not JSON"),
        (b'{"a": 1} {}', "not JSON"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 1.%s}' % (b"1" * 100), "too long"),
        (b'{"a": %s}' % (b"9" * 65), "65 digits"),
        (b'{"a": %s}' % (b"9" * 100_000), "100000 digits"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "a key twice"),
        (b"\xff", "not JSON"),
        (b'{"a": "\xed\xa0\x80"}', "not JSON"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b'{"\\uDC00": 1}', "half a character"),
        ('{"a": 1}'.encode("utf-16"), "not JSON"),
        ('{"a": 1}'.encode("utf-32-le"), "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (nested(wire.MAX_DEPTH + 1), "nested more than 64 deep"),
        (nested(900), "nested more than 64 deep"),
        (b'{"a":' + b"[" * 100_000, "nested more than 64 deep"),
    ],
)
def test_frames_that_are_no_json_objects_are_refused(ends, body, wrong):
    left, right = ends
    sender = threading.Thread(target=left.sendall, args=(framed(body),))
    sender.start()
    with pytest.raises(wire.WireError, match=wrong) as refused:
        wire.receive(right, time.monotonic() + 5)
    sender.join()
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_what_just_passes_arrives(ends):
    left, right = ends
    wide = [[] for _ in range(1000)]
    for body in (
        nested(wire.MAX_DEPTH),
        json.dumps({"a": wide}).encode(),
        b'{"a": "\\ud83d\\ude00"}',
    ):
        left.sendall(framed(body))
        assert wire.receive(right, time.monotonic() + 5) == json.loads(body)


@pytest.mark.parametrize(
    "message",
    [
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": object()},
        {"a": b"x"},
        {"a": "\ud800"},
        {("a",): 1},
        {"a": 10**5000},
    ],
)
def test_what_is_no_json_is_not_sent(ends, message):
    left, right = ends
    with pytest.raises(wire.WireError, match="not JSON"):
        wire.send(left, message)
    with pytest.raises(wire.WireError, match="in time"):
        wire.receive(right, time.monotonic() + 0.05)  # not even its length


def test_a_message_within_itself_is_not_sent(ends):
    message = {}
    message["a"] = [message, message]
    with pytest.raises(wire.WireError, match="Circular"):
        wire.send(ends[0], message)


def test_check_refuses_what_receive_would_refuse():
    wire.check({"a": "x" * 80}, 100)
    deep = json.loads(nested(wire.MAX_DEPTH + 1))
    for message, limit in [({"a": "x" * 100}, 100), (deep, 10_000), ({1: 0, "1": 0}, 100)]:
        with pytest.raises(wire.WireError):
            wire.check(message, limit)


def test_a_limit_can_be_given(ends):
    left, right = ends
    wire.send(left, {"a": "x" * 80}, limit=100)
    assert wire.receive(right, time.monotonic() + 5, limit=100) == {"a": "x" * 80}
    with pytest.raises(wire.WireError, match="over the limit of 100"):
        wire.send(left, {"a": "x" * 100}, limit=100)
    left.sendall(struct.pack(">I", 101))
    with pytest.raises(wire.WireError, match="over the limit of 100"):
        wire.receive(right, time.monotonic() + 5, limit=100)


def test_memory_grows_with_what_came_and_not_with_what_was_announced(ends):
    left, right = ends
    left.sendall(struct.pack(">I", 30 << 20) + b"0123456789")
    tracemalloc.start()
    try:
        with pytest.raises(wire.WireError, match="in time"):
            wire.receive(right, time.monotonic() + 0.1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_the_costliest_frame_of_a_cell_takes_bounded_memory(ends):
    left, right = ends
    limit = 1 << 20
    body = b'{"a":[' + b"{}," * (limit // 3 - 10) + b"{}]}"
    sender = threading.Thread(target=left.sendall, args=(framed(body),))
    sender.start()
    tracemalloc.start()
    try:
        wire.receive(right, time.monotonic() + 10, limit)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    sender.join()
    assert peak < 40 * limit


def test_who_does_not_read_cannot_hold_the_sender(ends):
    begun = time.monotonic()
    with pytest.raises(wire.WireError, match="did not read in time"):
        wire.send(ends[0], {"a": "x" * (8 << 20)}, begun + 0.2)
    with pytest.raises(wire.WireError, match="did not read in time"):
        wire.send(ends[0], {}, begun)


def test_a_deadline_does_not_outlast_its_call(ends):
    left, right = ends
    with pytest.raises(wire.WireError, match="in time"):
        wire.receive(left, time.monotonic() + 0.02)
    reader = threading.Timer(0.3, wire.receive, (right,))
    reader.start()
    wire.send(left, {"a": "x" * (8 << 20)})
    reader.join()


def test_descriptors_that_come_along_are_not_taken(ends):
    left, right = ends
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Path("/dev/null").open() as file:
        socket.send_fds(left, [framed(b"{}")], [file.fileno()] * 50)
    left.send(b"!", socket.MSG_OOB)
    assert wire.receive(right, time.monotonic() + 5) == {}
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(wire.WireError, match="in time"):
        wire.receive(right, time.monotonic() + 0.05)


def test_an_oversize_frame_is_refused_before_it_is_read(ends):
    left, right = ends
    left.sendall(struct.pack(">I", wire.MAX_FRAME + 1))
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.receive(right, time.monotonic() + 5)
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.send(left, {"a": "x" * wire.MAX_FRAME})


def test_a_slow_sender_meets_one_total_deadline(ends):
    left, right = ends
    body = json.dumps({"a": "b"}).encode()
    stop = threading.Event()

    def trickle():
        for byte in struct.pack(">I", len(body)) + body:
            if stop.wait(0.1):
                return
            left.sendall(bytes([byte]))

    sender = threading.Thread(target=trickle)
    sender.start()
    begun = time.monotonic()
    with pytest.raises(wire.WireError, match="in time"):
        wire.receive(right, begun + 0.35)
    assert time.monotonic() - begun < 60
    stop.set()
    sender.join()


def test_a_closed_channel_is_an_error(ends):
    left, right = ends
    left.close()
    with pytest.raises(wire.WireError, match="closed"):
        wire.receive(right)
    with pytest.raises(wire.WireError, match="gone"):
        wire.send(right, {})
    right.close()
    for use in (lambda: wire.receive(right), lambda: wire.send(right, {})):
        with pytest.raises(wire.WireError, match=r"broke|gone"):
            use()


def test_importing_the_wire_brings_the_standard_library_only():
    code = "import sys, hubel.sandbox.wire, hubel.sandbox.arrays; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = {name.partition(".")[0] for name in done.stdout.split()}
    assert not found & {"numpy", "pydantic", "torch", "PIL", "typing_extensions"}
