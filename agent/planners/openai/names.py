"""Short names of pictures: a model reads and writes eight characters instead of sixty-four."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hubel.agent.planner import Malformed
from hubel.agent.records import Experiment

LENGTH = 8
_FULL = re.compile(r"\b[0-9a-f]{64}\b")
_SHORT = re.compile(r"\b[0-9a-f]{8,63}\b")


def shortened(value: Any) -> Any:
    """A JSON value with the ids of pictures shortened, wherever they stand."""
    if isinstance(value, str):
        return _FULL.sub(lambda match: match[0][:LENGTH], value)
    if isinstance(value, list | tuple):
        return [shortened(v) for v in value]
    if isinstance(value, dict):
        return {k: shortened(v) for k, v in value.items()}
    return value


class Names:
    """The pictures that a study has named.

    Args:
        experiments: What was done so far.
    """

    def __init__(self, experiments: Iterable[Experiment]) -> None:
        known: set[str] = set()
        for experiment in experiments:
            result = experiment.result or {}
            known.update(made["id"] for made in result.get("artifacts", ()))
            _collect(result.get("values"), known)
        self._by_prefix: dict[str, list[str]] = {}
        for picture in sorted(known):
            self._by_prefix.setdefault(picture[:LENGTH], []).append(picture)

    def full(self, value: Any) -> Any:
        """A JSON value with short names of known pictures replaced by their ids.

        Raises:
            Malformed: A short name could mean two pictures.
        """
        if isinstance(value, str):
            return _SHORT.sub(self._meant, value)
        if isinstance(value, list):
            return [self.full(v) for v in value]
        if isinstance(value, dict):
            return {k: self.full(v) for k, v in value.items()}
        return value

    def _meant(self, match: re.Match[str]) -> str:
        found = [p for p in self._by_prefix.get(match[0][:LENGTH], ()) if p.startswith(match[0])]
        if len(found) > 1:
            raise Malformed(f"'{match[0]}' could be two pictures: write more of the id.", match[0])
        return found[0] if found else match[0]


def _collect(value: Any, known: set[str]) -> None:
    """Ids among measured values: `find` and others name pictures that they did not make."""
    if isinstance(value, str):
        if _FULL.fullmatch(value):
            known.add(value)
    elif isinstance(value, list):
        for v in value:
            _collect(v, known)
    elif isinstance(value, dict):
        for v in value.values():
            _collect(v, known)
