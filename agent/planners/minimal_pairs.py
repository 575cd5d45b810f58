"""How a term is tested: pictures on which it holds, beside the same with a phrase taken away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubel.agent.form import Term
from hubel.agent.guards import FEWEST
from hubel.agent.planner import Call, Condition, Predicted
from hubel.agent.planners.words import drives
from hubel.tools.concepts import removed_by, source_of

#: Pairs of pictures in an experiment.
PAIRS = 12
#: A change smaller than this share of the unit's standard deviation refutes a term.
SMALL = 0.1


@dataclass(frozen=True, slots=True)
class Test:
    """A hypothesis; it is tested by the first phrase that must hold, or by each of an OR."""

    name: str
    term: Term

    @property
    def phrases(self) -> tuple[str, ...]:
        """Those that are taken away."""
        return self.term.having[:1] or self.term.lacking

    def pictures(self, phrase: str) -> Call:
        """Pictures on which the term holds by a phrase: drawn if all is of scenes, else found."""
        n, term = PAIRS // len(self.phrases), self.term
        besides = [p for p in term.having if p != phrase]
        lacking = [p for p in term.lacking if p != phrase]
        if all(source_of(p) == "scene" for p in term.phrases):
            having = [phrase, *besides]
            return Call(tool="synthesize", args={"n": n, "having": having, "lacking": lacking})
        args = {"phrase": phrase, "n": n, "having": besides, "lacking": lacking}
        return Call(tool="find", args=args)

    def contrast(self, unit: str, edits: Sequence[Mapping[str, Any]], spread: float) -> Call | None:
        """The measurement of all pairs; None if a phrase has none, or all together too few.

        Args:
            unit: What is explained.
            edits: What each edit gave: `parents` and `stimuli`.
            spread: Standard deviation of the unit.
        """
        pairs = [dict(zip(e["parents"], e["stimuli"], strict=True)) for e in edits]
        if not pairs or not all(pairs) or sum(map(len, pairs)) < FEWEST:
            return None
        distinct = dict.fromkeys(pair for one in pairs for pair in one.items())
        return Call(
            tool="activate",
            args={
                "unit": unit,
                "stimuli": [before for before, _ in distinct],
                "baseline": [after for _, after in distinct],
            },
            predictions=(self._prediction(spread),),
        )

    def _prediction(self, spread: float) -> Predicted:
        """The pictures activate the unit more than without the phrase, or less."""
        low, high = "contrast.ci.0", "contrast.ci.1"
        if drives(self.term):
            expects = Condition(op=">", value=0.0, path=low)
            refutes = Condition(op="<", value=SMALL * spread, path=high)
        else:
            expects = Condition(op="<", value=0.0, path=high)
            refutes = Condition(op=">", value=-SMALL * spread, path=low)
        return Predicted(
            hypothesis=self.name, path="contrast.mean", expects=expects, refutes=refutes
        )


def edits_of(pictures: Mapping[str, list[str]]) -> list[Call]:
    """The edits that take each phrase out of its pictures; none unless one is known for each."""
    removed = {phrase: _removing(phrase) for phrase in pictures}
    if not all(removed.values()):
        return []
    return [
        Call(tool="edit", args={"stimuli": pictures[phrase], "instruction": edit})
        for phrase, edit in removed.items()
    ]


def _removing(phrase: str) -> dict[str, Any] | None:
    if source_of(phrase) == "scene":
        return {"op": "without", "phrase": phrase}
    return removed_by(phrase)


def key_of(tool: str, args: Mapping[str, Any]) -> str:
    """The same for the same call."""
    return json.dumps([tool, args], sort_keys=True)
