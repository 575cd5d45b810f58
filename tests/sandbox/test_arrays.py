import fcntl
import os
import threading

import numpy as np
import pytest

from hubel.sandbox.arrays import DTYPES, MAX_DIMENSIONS, Shelf, put
from hubel.sandbox.wire import WireError

SIZE = 1 << 20


@pytest.fixture
def shelf():
    with Shelf.make(SIZE) as made:
        yield made


def header(**changed):
    return {"dtype": "uint8", "shape": [4, 6], "nbytes": 24, "offset": 0} | changed


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_arrive_as_they_were_put(shelf, dtype):
    rng = np.random.default_rng(0)
    for shape in ((), (1,), (7, 5), (2, 3, 4, 5)):
        array = rng.integers(0, 100, shape).astype(dtype)
        said = put(shelf.descriptor, array, 13)
        taken = shelf.take(said)
        assert taken.dtype == array.dtype
        assert taken.flags.owndata or taken.base is not None
        assert taken.flags.writeable
        np.testing.assert_array_equal(taken, array)


def test_strided_and_foreign_byte_orders_arrive(shelf):
    array = np.arange(60).reshape(5, 12)[::-1, ::3]
    np.testing.assert_array_equal(shelf.take(put(shelf.descriptor, array, 0)), array)
    swapped = np.arange(9, dtype=">i4").reshape(3, 3)
    np.testing.assert_array_equal(shelf.take(put(shelf.descriptor, swapped, 0)), swapped)


@pytest.mark.parametrize(
    ("array", "offset", "wrong"),
    [
        (np.zeros(SIZE + 1, np.uint8), 0, "there is room for 1048576"),
        (np.zeros(8, np.uint8), SIZE - 7, "there is room for 7"),
        (np.zeros(8, np.uint8), 2 * SIZE, "there is room for 0"),
        (np.zeros(8, np.uint8), -1, "there is room"),
        (np.zeros(0), 0, "not empty"),
        (np.zeros((1,) * (MAX_DIMENSIONS + 1)), 0, "dimensions"),
        (np.zeros(3, bool), 0, "this one is bool"),
        (np.array([object()]), 0, "this one is object"),
        (np.array(["a"]), 0, "an array may be of"),
    ],
)
def test_what_does_not_fit_is_not_put(shelf, array, offset, wrong):
    with pytest.raises(ValueError, match=wrong):
        put(shelf.descriptor, array, offset)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        header(more=1),
        {"dtype": "uint8", "shape": [1], "nbytes": 1},
        *(header(dtype=d) for d in ("object", "O", "bool", "V8", "u1", ">f4", "", None, ["uint8"])),
        *(header(dtype=d) for d in ("complex128", "datetime64[s]", "float64\n")),
        *(
            header(shape=s)
            for s in (None, 24, "24", [], [4], [25], [4, 6, 1, 2], [4, 6.0], [-4, -6])
        ),
        *(header(shape=s) for s in ([24, True], [24, None], [[24]], [1] * 8 + [24], [0, 2**62])),
        *(header(shape=s) for s in ([2**32, 2**32, 24], [2**64 + 24], [10**60], (4, 6))),
        header(shape=[0], nbytes=0),
        *(header(nbytes=n) for n in (0, -24, 23, 25, 24.0, "24", None, 2**64 + 24, True)),
        *(header(offset=o) for o in (-1, SIZE - 23, 2**63, 2**64, 0.0, None, True, "0")),
        header(shape=[SIZE, 2], nbytes=2 * SIZE),
        header(dtype="float64"),
    ],
)
def test_wrong_headers_are_refused(shelf, wrong):
    with pytest.raises(WireError) as refused:
        shelf.take(wrong)
    assert len(str(refused.value)) < 200


def test_the_right_header_is_not_refused(shelf):
    assert shelf.take(header()).shape == (4, 6)
    assert shelf.take(header(offset=SIZE - 24)).shape == (4, 6)
    assert shelf.take(header(shape=[SIZE], nbytes=SIZE)).shape == (SIZE,)


def test_numbers_that_are_not_finite_are_refused_on_request(shelf):
    said = put(shelf.descriptor, np.array([1.0, np.nan]), 0)
    assert np.isnan(shelf.take(said)).any()
    with pytest.raises(WireError, match="not finite"):
        shelf.take(said, finite=True)
    assert shelf.take(put(shelf.descriptor, np.ones(3), 0), finite=True).sum() == 3


def test_a_picture_is_bytes_in_three_channels(shelf):
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    np.testing.assert_array_equal(shelf.picture(put(shelf.descriptor, pixels, 0)), pixels)
    for other in (pixels[:, :, :2], pixels[0], pixels.astype(np.float32), pixels[None]):
        with pytest.raises(WireError, match="a picture is uint8"):
            shelf.picture(put(shelf.descriptor, other, 0))


def test_what_was_taken_is_not_changed_by_who_put_it(shelf):
    said = put(shelf.descriptor, np.full(1000, 7, np.uint8), 0)
    taken = shelf.take(said)
    os.pwrite(shelf.descriptor, b"\0" * 1000, 0)
    assert (taken == 7).all()


def test_the_box_cannot_shrink_grow_or_seal_it(shelf):
    for attempt in (
        lambda: os.ftruncate(shelf.descriptor, 10),
        lambda: os.ftruncate(shelf.descriptor, 2 * SIZE),
        lambda: os.posix_fallocate(shelf.descriptor, 0, 2 * SIZE),
        lambda: os.pwrite(shelf.descriptor, b"xx", SIZE),
        lambda: fcntl.fcntl(shelf.descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE),
    ):
        with pytest.raises(PermissionError):
            attempt()
    assert shelf.take(header(shape=[SIZE], nbytes=SIZE)).shape == (SIZE,)


def test_an_unsealed_one_that_shrank_is_an_error_and_no_signal():
    """The negative control: without the seals the attack works, and reading does not die of it."""
    descriptor = os.memfd_create("unsealed", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, SIZE)
    with Shelf(descriptor, SIZE) as unsealed:
        said = put(descriptor, np.ones(1000), 0)
        os.ftruncate(descriptor, 10)
        with pytest.raises(WireError, match="outside"):
            unsealed.take(said)


def test_flags_and_position_do_not_disturb_the_reader(shelf):
    said = put(shelf.descriptor, np.arange(1000), 13)
    for flags in (os.O_APPEND, os.O_NONBLOCK, os.O_ASYNC, os.O_NOATIME, os.O_DIRECT):
        try:
            fcntl.fcntl(shelf.descriptor, fcntl.F_SETFL, flags)
        except OSError:  # O_DIRECT, on kernels where memory has none
            continue
        os.lseek(shelf.descriptor, 999, os.SEEK_SET)
        np.testing.assert_array_equal(shelf.take(said), np.arange(1000))


def test_holes_that_the_box_punches_read_as_zeros(shelf):
    said = put(shelf.descriptor, np.ones(SIZE, np.uint8), 0)
    punch(shelf.descriptor, SIZE)
    assert not shelf.take(said).any()


def test_a_writer_in_mid_read_spoils_its_own_array_only(shelf):
    said = put(shelf.descriptor, np.zeros(SIZE, np.uint8), 0)
    stop = threading.Event()

    def scribble():
        while not stop.is_set():
            os.pwrite(shelf.descriptor, b"\xff" * SIZE, 0)
            punch(shelf.descriptor, SIZE)

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        for _ in range(50):
            taken = shelf.take(said)
            before = taken.copy()
            assert set(np.unique(taken)) <= {0, 255}
            np.testing.assert_array_equal(taken, before)
    finally:
        stop.set()
        writer.join()


def test_it_takes_up_memory_only_as_far_as_it_is_filled():
    with Shelf.make(256 << 20) as large:
        assert os.fstat(large.descriptor).st_blocks == 0
        put(large.descriptor, np.ones(SIZE, np.uint8), 0)
        assert os.fstat(large.descriptor).st_blocks * 512 <= 4 * SIZE


def test_a_closed_one_is_closed_once_and_not_read(shelf):
    said = put(shelf.descriptor, np.ones(3), 0)
    shelf.close()
    shelf.close()
    with pytest.raises(WireError, match="cannot be read"):
        shelf.take(said)


def test_a_program_that_is_started_does_not_inherit_it(shelf):
    assert not os.get_inheritable(shelf.descriptor)


def punch(descriptor, nbytes):
    """fallocate with FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.fallocate(descriptor, 3, ctypes.c_long(0), ctypes.c_long(nbytes)) == 0
