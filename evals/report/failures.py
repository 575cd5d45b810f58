"""What went wrong, classified, with the truth beside what was said."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hubel.evals.report.pictures import SUITE, pictures

#: Failures of each planner that are shown.
SHOWN = 6
#: Characters of a code or text that are shown.
CUT = 1400
#: Share of all inputs that agrees where a law is right but for its exception, and how much less
#: agrees inside that.
MOSTLY, LESS_INSIDE = 0.75, 0.25
#: Share of all inputs that agrees where an answer is nearly right.
NEARLY = 0.9
#: Correlation with the truth from which the shape is right, whatever the numbers in it.
SHAPED = 0.95

#: Classes of failures, the first that holds; what each means.
CLASSES = {
    "false discovery": "a meaning was claimed of a null unit, which has none",
    "broke off": "the planner failed before it said anything",
    "outside": "it said that none of its forms is the law",
    "abstained": "it said that nothing is to be found, but there is a law",
    "does not run": "the code that it gave could not be executed",
    "exception missed": (
        f"the law agrees on {MOSTLY:.0%} of all inputs or more, but on {LESS_INSIDE:.0%} fewer "
        "where the unit behaves otherwise"
    ),
    "nearly right": f"the code agrees on {NEARLY:.0%} of fresh inputs or more, short of 99%",
    "right shape": (
        f"it correlates with the truth at {SHAPED} or more, but its numbers are not right"
    ),
    "wrong form": "the code says something else",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as the page shows it.

    Attributes:
        row: The result.
        kind: Its class, one of `CLASSES`.
        pictures: With captions, where the neuron is one of pictures.
    """

    row: dict[str, Any]
    kind: str
    pictures: list[tuple[Markup, str]]


def failure(row: dict[str, Any]) -> str | None:
    """The class of a result that is wrong; None of one that is right."""
    if not row["real"]:
        return "false discovery" if row["claimed"] else None
    if row["recovered"]:
        return None
    if row["failed"]:
        return "broke off"
    if row["outside"]:
        return "outside"
    if not row["claimed"]:
        return "abstained"
    if row["recovered"] is None:  # of a real channel nobody knows
        return None
    if row["why"]:
        return "does not run"
    # Random scenes say little of a rare rule: there the composed ones count as well.
    everywhere = min(row["agreement"].get(s, 1.0) for s in ("global", "composed"))
    inside = row["agreement"].get("exception", everywhere)
    if everywhere >= MOSTLY and everywhere - inside >= LESS_INSIDE:
        return "exception missed"
    if everywhere >= NEARLY:
        return "nearly right"
    return "right shape" if (row["correlation"] or 0.0) >= SHAPED else "wrong form"


def counts(rows: Sequence[dict[str, Any]]) -> Counter[str]:
    """How many failures of each class there are."""
    return Counter(kind for row in rows if (kind := failure(row)) is not None)


def examples(rows: Sequence[dict[str, Any]], seed: int) -> list[Failure]:
    """Failures of one planner: the most confident of each class, class after class in turn.

    Args:
        rows: Its results in a suite.
        seed: That drew the neurons.
    """
    by: dict[str, list[dict[str, Any]]] = {name: [] for name in CLASSES}
    for row in sorted(rows, key=lambda r: (-(r["confidence"] or 0.0), r["number"])):
        if (kind := failure(row)) is not None:
            by[kind].append(row)
    turns = itertools.zip_longest(*([(kind, row) for row in held] for kind, held in by.items()))
    chosen = [one for turn in turns for one in turn if one is not None][:SHOWN]
    return [
        Failure(row, kind, pictures(seed, row["number"]) if row["suite"] == SUITE else [])
        for kind, row in chosen
    ]


def cut(text: str | None) -> str:
    """A text, short enough to be read; it says how much of it is left out."""
    if not text or len(text) <= CUT:
        return text or ""
    return f"{text[:CUT]}\n… and {len(text) - CUT:,} characters more"
