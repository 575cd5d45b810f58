"""What people see while a model writes: its thought, also where that is inside of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_THOUGHT = re.compile(
    r'"thought"\s*:\s*"((?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)(")?'
)

Say = Callable[[str, dict[str, Any]], None]


@dataclass
class Thought:
    """Passes on what a model says; of a step in JSON, its thought alone.

    Args:
        say: Told of ``token`` and other events.
        mode: In ``tools`` all text is passed on as it is.
    """

    say: Say
    mode: str
    _written: str = field(default="", init=False)
    _told: int = field(default=0, init=False)
    _over: bool = field(default=False, init=False)

    def __call__(self, event: str, details: dict[str, Any]) -> None:
        """Pass an event on, or as much of it as people are to see."""
        if event == "retry":  # what comes next begins anew
            self._written, self._told, self._over = "", 0, False
        if event != "token" or self.mode == "tools":
            self.say(event, details)
            return
        if self._over:
            return
        self._written += str(details["text"])
        match = _THOUGHT.search(self._written)
        if match is None:
            return
        thought = str(json.loads(f'"{match[1]}"'))
        if len(thought) > self._told:
            self.say("token", {"text": thought[self._told :]})
            self._told = len(thought)
        self._over = match[2] is not None
