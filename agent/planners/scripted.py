"""A planner that follows a script, for tests and for studies laid out in advance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from hubel.agent.planner import PlannerFailed, Step, View


class Scripted:
    """Returns the given steps in order, and is strict about their number.

    A step too many is an error; `unused` tells whether any was left over.

    Args:
        steps: The script.
        name: The name under which a study records it.
    """

    #: A script cannot mend a step, so the loop raises no objections (see `hubel.agent.guards`).
    listens = False

    def __init__(self, steps: Sequence[Step], name: str = "scripted") -> None:
        self._steps = list(steps)
        self._used = 0
        self.name = name

    @classmethod
    def read(cls, path: str) -> Self:
        """Read a script: a JSON list of steps.

        Raises:
            ValueError: The file is missing, or is no such list.
        """
        try:
            steps = [Step.model_validate(s) for s in json.loads(Path(path).read_text())]
        except (OSError, ValueError, TypeError) as error:
            first = str(error).splitlines()[0]
            raise ValueError(f"'{path}' is not a script, a JSON list of steps: {first}") from None
        return cls(steps, name=f"scripted:{path}")

    def next(self, view: View) -> Step:
        """The step that follows those the study has recorded."""
        i = sum(m.role != "user" for m in view.messages)
        if i >= len(self._steps):
            raise PlannerFailed(f"the script has {len(self._steps)} steps and was asked for more")
        self._used = max(self._used, i + 1)
        return self._steps[i]

    @property
    def unused(self) -> int:
        """How many steps were never asked for."""
        return len(self._steps) - self._used
