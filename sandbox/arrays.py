"""Arrays out of a box: memory that the host makes, the box fills, and the host copies out.

The memory is a memfd of a fixed size, sealed before the box gets it: the box cannot shrink it (a
mapped file that shrinks kills its reader), grow it, or seal it further. It can punch holes, which
read as zeros, and write while the host reads. So the host maps nothing: it copies the bytes out
and only then looks at them. Nor does it use the file's position or flags, which the two share.

Every box gets a shelf of its own. Emptying a used one costs more than making a new one, and what
is still running of an earlier box could read and write it.
"""

from __future__ import annotations

import fcntl
import math
import os
from typing import TYPE_CHECKING, Any, Self

from hubel.sandbox.wire import WireError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: What an array may consist of: every bit pattern of these is a value. (Of bool that is not so.)
DTYPES = (
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64",
)  # fmt: skip

MAX_DIMENSIONS = 8

_HEADER = {"dtype", "shape", "nbytes", "offset"}
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class Shelf:
    """Memory in which one box lays arrays for the host. Close it, or use it with `with`.

    Attributes:
        descriptor: What the box is given.
        nbytes: Its size.
    """

    def __init__(self, descriptor: int, nbytes: int) -> None:
        self.descriptor = descriptor
        self.nbytes = nbytes

    @classmethod
    def make(cls, nbytes: int) -> Self:
        """Make one of a fixed size. It takes up memory only as far as it is filled.

        Raises:
            OSError: There are no descriptors left.
        """
        descriptor = os.memfd_create("shelf", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(descriptor, nbytes)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor, nbytes)

    def close(self) -> None:
        """Give the memory back, once the box is gone too."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def take(self, header: object, *, finite: bool = False) -> NDArray[Any]:
        """Copy an array out.

        Args:
            header: What the box says of it: ``dtype`` (one of `DTYPES`), ``shape``, ``nbytes``
                and ``offset``, as `put` gives it.
            finite: Refuse an array that holds NaN or infinity.

        Returns:
            The array [shape], in memory of its own.

        Raises:
            WireError: The header is wrong, or a number is not finite.
        """
        import numpy as np

        dtype, shape, nbytes, offset = self._checked(header)
        taken = np.empty(nbytes, np.uint8)
        self._copy(taken.data, offset)
        array = taken.view(dtype).reshape(shape)
        if finite and not np.isfinite(array).all():
            raise WireError("an array holds a number that is not finite")
        return array

    def picture(self, header: object) -> NDArray[np.uint8]:
        """Copy a picture out: uint8 [H, W, 3].

        Raises:
            WireError: The header is wrong, or is not that of a picture.
        """
        dtype, shape, _, _ = self._checked(header)
        if dtype != "uint8" or len(shape) != 3 or shape[2] != 3:
            raise WireError(f"a picture is uint8 [H, W, 3], this array is {dtype} {list(shape)}")
        return self.take(header)

    def _checked(self, header: object) -> tuple[str, tuple[int, ...], int, int]:
        """Dtype, shape, size and offset, none of which can mislead."""
        import numpy as np

        if not isinstance(header, dict) or header.keys() != _HEADER:
            raise WireError("the header of an array has dtype, shape, nbytes and offset")
        dtype, shape = header["dtype"], header["shape"]
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise WireError(f"an array may be of {', '.join(DTYPES)} only")
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise WireError(f"the shape of an array is a list of at most {MAX_DIMENSIONS} numbers")
        nbytes, offset = header["nbytes"], header["offset"]
        if not all(type(n) is int and 0 < n <= self.nbytes for n in (*shape, nbytes)):
            raise WireError(f"an array has from 1 to {self.nbytes} bytes")
        if type(offset) is not int or not 0 <= offset <= self.nbytes - nbytes:
            raise WireError(f"an array lies outside the {self.nbytes} bytes there are for arrays")
        if math.prod(shape) * np.dtype(dtype).itemsize != nbytes:
            raise WireError("the shape of an array does not agree with its number of bytes")
        return dtype, tuple(shape), nbytes, offset

    def _copy(self, into: memoryview, offset: int) -> None:
        done = 0
        while done < len(into):
            try:
                count = os.preadv(self.descriptor, [into[done:]], offset + done)
            except OSError as error:
                raise WireError(f"an array cannot be read ({error.strerror})") from None
            if count == 0:
                raise WireError("an array lies outside the memory for arrays")
            done += count


def put(descriptor: int, array: Any, offset: int) -> dict[str, Any]:
    """Lay an array where the host can take it. This is the box's side.

    Writing is twice as quick as filling a mapping, page faults and all.

    Args:
        descriptor: Of the shelf.
        array: Anything that numpy makes an array of one of `DTYPES` from.
        offset: Byte of the shelf at which it begins.

    Returns:
        The header for `Shelf.take`.

    Raises:
        ValueError: It is empty, of another dtype, has too many dimensions, or does not fit.
    """
    import numpy as np

    given = np.asarray(array)
    shape = list(given.shape)
    if given.dtype.name not in DTYPES:
        raise ValueError(f"an array may be of {', '.join(DTYPES)}; this one is {given.dtype.name}")
    if given.size == 0 or len(shape) > MAX_DIMENSIONS:
        raise ValueError(f"an array has 1 to {MAX_DIMENSIONS} dimensions and is not empty")
    room = os.fstat(descriptor).st_size - offset
    if offset < 0 or given.nbytes > room:
        raise ValueError(f"the array has {given.nbytes} bytes; there is room for {max(room, 0)}")
    native = given.dtype.newbyteorder("=")
    data = np.ascontiguousarray(given, dtype=native).reshape(-1).view(np.uint8).data
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], offset + done)
    return {"dtype": native.name, "shape": shape, "nbytes": len(data), "offset": offset}
