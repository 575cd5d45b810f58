"""The lab of a chat: opened once and kept, until something else is asked of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hubel.agent.where import Where
from hubel.sandbox.session import LabSession


class KeptLab:
    """Keeps one lab open.

    Args:
        home: Folder of the ledger.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._opened = contextlib.ExitStack()
        self._lab: LabSession | None = None
        self._of: object = None

    def open(self, where: Where, model: str, data: str, device: str) -> LabSession:
        """The lab of a network and its pictures; the one that is open if it is that.

        Args:
            where: Where it runs.
            model: Name of the network, as users type it.
            data: Name of the data set, as users type it.
            device: Where the network runs.

        Raises:
            JailError: The level of the sandbox does not work here.
            LabRefused: The network or the data cannot be opened.
            LabLost: The lab died while it opened them.
        """
        level = "unsafe" if where.unsafe else where.level
        reads = frozenset(path.absolute() for path in where.reads)
        wanted = (level, where.limits, reads, model, data, device)
        if self._lab is None or wanted != self._of:
            with contextlib.ExitStack() as opening:  # the one before stays if this one cannot open
                lab = opening.enter_context(where.lab(model, data, self._home, device))
                self.close()
                self._lab, self._of, self._opened = lab, wanted, opening.pop_all()
        return self._lab

    def close(self) -> None:
        """End the lab."""
        self._lab = None
        self._opened.close()
