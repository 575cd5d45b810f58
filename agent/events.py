"""What happens in a study as JSON lines on stdout, for a program that watches: ``--events``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from typing import Any, TextIO

import pydantic


class Printed:
    """Prints events of the loop and progress of the lab, a JSON object a line.

    Each has ``event`` and what belongs to it: ``study`` (its number, first of all), ``progress``,
    ``token``, ``step``, ``experiment``, ``result``, ``error``, ``end``.

    Args:
        study: Number of the study.
        out: Where to; stdout unless given.
    """

    def __init__(self, study: int, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self.watch("study", {"study": study})

    def progress(self, done: int, total: int, what: str) -> None:
        """Progress of long work in the lab."""
        self.watch("progress", {"done": done, "total": total, "what": what})

    def watch(self, event: str, details: dict[str, Any]) -> None:
        """One event of the loop."""
        line = {"event": event, **{k: _plain(v) for k, v in details.items()}}
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
