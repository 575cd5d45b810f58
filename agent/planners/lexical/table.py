"""Rows of numbers that are computed once each, though there are ever more of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]


class Table:
    """A matrix that grows by rows, without copying those that it has each time.

    Args:
        width: Numbers in a row.
    """

    def __init__(self, width: int) -> None:
        self._room = np.empty((0, width), np.float32)
        self._count = 0

    def upto(self, count: int, made: Callable[[int], Rows]) -> Rows:
        """The first rows, a view that must not be changed: [count, width].

        Args:
            count: How many are wanted.
            made: Computes those from a number on, up to `count`; not called if all are there.
        """
        if count > self._count:
            fresh = made(self._count)
            if count > len(self._room):
                room = np.empty((max(count, 2 * len(self._room)), self._room.shape[1]), np.float32)
                room[: self._count] = self._room[: self._count]
                self._room = room
            self._room[self._count : count] = fresh
            self._count = count
        return self._room[:count]
