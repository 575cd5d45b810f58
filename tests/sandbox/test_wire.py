import contextlib
import json
import socket
import struct
import threading
import time

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


@pytest.mark.parametrize("body", [b"[1]", b'{"a": NaN}', b"\xff", b'{"a"', b"[" * 100_000])
def test_frames_that_are_no_json_objects_are_refused(ends, body):
    left, right = ends
    sender = threading.Thread(target=left.sendall, args=(struct.pack(">I", len(body)) + body,))
    sender.start()
    with pytest.raises(wire.WireError, match=r"not JSON|not a JSON object"):
        wire.receive(right, time.monotonic() + 5)
    sender.join()


def test_an_oversize_frame_is_refused_before_it_is_read(ends):
    left, right = ends
    left.sendall(struct.pack(">I", wire.MAX_FRAME + 1))
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.receive(right, time.monotonic() + 5)
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.send(left, {"a": "x" * wire.MAX_FRAME})


def test_not_a_number_is_never_sent(ends):
    with pytest.raises(ValueError, match="JSON compliant"):
        wire.send(ends[0], {"a": float("nan")})


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
    assert time.monotonic() - begun < 1
    stop.set()
    sender.join()


def test_a_closed_channel_is_an_error(ends):
    left, right = ends
    left.close()
    with pytest.raises(wire.WireError, match="closed"):
        wire.receive(right)
