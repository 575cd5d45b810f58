"""`stdio`: whoever reads JSON lines on stdout and writes them to stdin plans.

One line out asks for a step, one line in is the step. What has been said on this connection is not
said again; the first line of a connection tells the whole study so far, so that a study that was
interrupted can be gone on with by anybody. docs/protocol.md describes the lines.
"""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO

from hubel.agent.planner import Malformed, PlannerGone, Step, View
from hubel.agent.planners.reading import LONGEST, read_step
from hubel.agent.planners.turns import Turn, turn_of


class Stdio:
    """Asks the other side of two byte streams for each step.

    Args:
        reader: Where steps come from; stdin unless given.
        writer: Where turns go; stdout unless given.
    """

    name = "stdio"

    def __init__(self, reader: BinaryIO | None = None, writer: BinaryIO | None = None) -> None:
        self._reader = reader or sys.stdin.buffer
        self._writer = writer or sys.stdout.buffer
        self._told: View | None = None

    def next(self, view: View) -> Step:
        """The next step that comes in.

        Raises:
            PlannerGone: The other side has closed its end.
            Malformed: The line is no step.
        """
        turn = turn_of(view, self._told)
        self._write(turn.model_dump_json().encode() + b"\n")
        self._told = view
        return read_step(self._line())

    def _write(self, line: bytes) -> None:
        try:
            self._writer.write(line)
            self._writer.flush()
        except BrokenPipeError:
            # What is left in the buffer is flushed at exit, and must not fail a second time.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._writer.fileno())
            os.close(nowhere)
            raise PlannerGone("The planner does not read any more.") from None

    def _line(self) -> bytes:
        """The next line that is not blank.

        Raises:
            PlannerGone: There is none; a line that is cut off is none.
            Malformed: It is too long.
        """
        while True:
            line = self._reader.readline(LONGEST)
            if len(line) == LONGEST and not line.endswith(b"\n"):
                while (rest := self._reader.readline(LONGEST)) and not rest.endswith(b"\n"):
                    pass
                raise Malformed(f"The line is longer than {LONGEST >> 20} MiB.")
            if not line.endswith(b"\n"):
                raise PlannerGone("The planner has closed stdin.")
            if line.strip():
                return line


def schemas() -> dict[str, Any]:
    """JSON schemas of both lines: ``turn``, which goes out, and ``step``, which comes in."""
    return {"turn": Turn.model_json_schema(), "step": Step.model_json_schema()}
