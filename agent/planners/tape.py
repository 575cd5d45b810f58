"""The file of a cassette: a header, then a line for each turn.

A turn's line has what the planner was shown (``tools``, and of each new experiment its call, its
status and a digest of its numbers and pictures, without times), what was said of pictures
(``descriptions``), what the planner answered (``step``, ``malformed`` or ``failed``), and what
language models were asked for it (``usage``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from hubel import __version__
from hubel.agent.planner import View
from hubel.agent.planners.redaction import without_secrets
from hubel.agent.records import Experiment
from hubel.tools.stimuli import picture_id

#: Version of the format.
FORMAT = 1
_SHOWN = {"turn", "tools", "results", "descriptions", "usage"}


@dataclass(frozen=True, slots=True)
class Tape:
    """A cassette as it was read.

    Attributes:
        turns: By number, from 1, without gaps.
        whole: Bytes of the lines that are whole.
        cut: Number of the line within which the file ends; None if it ends with a whole one.
    """

    header: dict[str, Any]
    turns: dict[int, dict[str, Any]]
    whole: int
    cut: int | None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a cassette; one that is cut off within a line, up to there.

        Raises:
            ValueError: The file is missing or no cassette; the message says in which line.
        """
        try:
            *lines, rest = path.read_bytes().split(b"\n")
        except OSError as error:
            raise ValueError(f"the cassette '{path}' cannot be read: {error.strerror}") from None
        header: dict[str, Any] = {}
        turns: dict[int, dict[str, Any]] = {}
        for number, line in enumerate(lines, start=1):
            try:
                read = json.loads(line)
                if number == 1:
                    header = _header(read)
                else:
                    turns = _with_turn(turns, read)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"'{path}' is not a cassette: line {number}: {error}") from None
        if not header:
            raise ValueError(f"'{path}' is not a cassette: it holds no whole line")
        whole = sum(len(line) + 1 for line in lines)
        return cls(header, turns, whole, len(lines) + 1 if rest else None)


def append(path: Path, line: dict[str, Any]) -> None:
    """Write a line at the end of a cassette, without secrets."""
    with path.open("a") as file:
        file.write(json.dumps(without_secrets(line), allow_nan=False) + "\n")


def header_of(view: View) -> dict[str, Any]:
    """What a study and one that replays it have in common."""
    asked = {"question": view.question, "unit": view.unit, "seed": view.seed}
    return dict(without_secrets(asked))


def first_line(view: View, planner: str, listens: bool, about: dict[str, str]) -> dict[str, Any]:
    """The header of a new cassette.

    Args:
        view: The study.
        planner: Name of the planner.
        listens: Whether objections are raised against its steps.
        about: What else is said of the study.
    """
    opened = {"cassette": FORMAT, "hubel": __version__, "planner": planner, "listens": listens}
    return opened | about | header_of(view)


def shown(view: View, n: int) -> dict[str, Any]:
    """What a planner was shown for its nth step that it had not been shown before."""
    new = [e for e in view.experiments if e.message == n - 1]
    described = [_description(e, view) for e in new if e.tool == "describe"]
    return {
        "turn": n,
        "tools": sorted(tool["name"] for tool in view.tools),
        "results": {str(e.n): _digest(e) for e in new},
        "descriptions": described,
    }


def _digest(experiment: Experiment) -> dict[str, str]:
    """An experiment's call, status, and a hash of what came of it that holds in every run."""
    result = experiment.result or {}
    pictures = [made["id"] for made in result.get("artifacts", ())]
    content = [experiment.args, result.get("values"), pictures]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return {"tool": experiment.tool, "status": experiment.status, "digest": digest}


def _description(experiment: Experiment, view: View) -> dict[str, Any]:
    """What was said of some pictures; they are known by their pixels."""
    values = experiment.values
    pictures: list[str] = []
    if view.desk is not None and experiment.status == "done":
        store = view.desk.pictures
        pictures = [picture_id(store.image(name)) for name in experiment.args["pictures"]]
    return {"pictures": pictures, "by": values.get("by"), "text": values.get("text")}


def _header(read: Any) -> dict[str, Any]:
    if not isinstance(read, dict) or read.get("cassette") != FORMAT:
        raise ValueError(f"a cassette begins with a header of the format {FORMAT}")
    return read


def _with_turn(turns: dict[int, dict[str, Any]], read: Any) -> dict[int, dict[str, Any]]:
    """The turns with one more.

    One that comes again was cut off before the study had it: it counts, and what followed does not.
    """
    if not isinstance(read, dict) or not read.keys() >= _SHOWN:
        raise ValueError(f"a turn has {', '.join(sorted(_SHOWN))}")
    n = read["turn"]
    if not isinstance(n, int) or not 1 <= n <= len(turns) + 1:
        raise ValueError(f"turn {len(turns) + 1} is missing")
    return {k: turn for k, turn in turns.items() if k < n} | {n: read}
