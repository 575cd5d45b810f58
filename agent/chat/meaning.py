"""What a line of the chat asks for, where it is no slash command: decided by its words alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["why", "found", "network", "which units", "unit"]

_WHY_AT = re.compile(
    r"\bwhy\b.*?(?:\bstep\s+|(?P<experiment>\bexperiment\s+#?|#))(?P<n>\d+)\b"
    r"|\s*why\s+(?P<alone>\d+)\s*\??\s*$",
    re.I,
)
_WHY = re.compile(r"\s*why\s+(?:did|do)\s+you\b|\s*why\s*\??\s*$", re.I)
_FOUND = re.compile(
    r"\bwhat (?:did|have|do) you (?:find|found|conclude|concluded|learn|learned|know)\b"
    r"|\bwhat (?:was|is) (?:the|your) (?:answer|result|conclusion|finding)\b",
    re.I,
)
_NETWORK = re.compile(
    r"\bwhat(?:'s| is) (?:in|inside) (?:this|the) (?:whole )?(?:model|network)\b"
    r"|\b(?:about|describe) (?:this|the) (?:whole )?(?:model|network)\b"
    r"|\b(?:which|what|how many) (?:sites|layers|units|channels) (?:are|does|has|is)\b"
    r"(?! (?:for|about))",
    re.I,
)
_WHICH = re.compile(
    r"\b(?:which|what|find|any) (?:units?|channels?)\b"
    r"(?:\s+(?:that|which|are|is|do|does|most|\w+ly))*"
    r"\s+(?:likes?|loves?|prefers?|detects?|(?:cares? )?(?:for|about)"
    r"|(?:responds?|reacts?|fires?)(?: the)?(?: most| best)?(?: \w+ly)? (?:to|for|on))"
    r"\s+(?P<what>.+)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is asked for.

    Attributes:
        kind: ``why``: the evidence behind a step; ``found``: what a study came to; ``network``:
            what there is to ask about; ``which units``: units for something; ``unit``: a new study.
        about: The step of a ``why``, as in ``7`` or ``#7`` for an experiment, empty for the last;
            the thing of a ``which units``.
    """

    kind: Kind
    about: str = ""


def meaning_of(line: str) -> Meaning:
    """What a line asks for. A line that names a unit and asks for nothing else is about it."""
    if at := _WHY_AT.search(line):
        return Meaning("why", ("#" if at["experiment"] else "") + (at["n"] or at["alone"]))
    if _WHY.match(line):
        return Meaning("why")
    if _FOUND.search(line):
        return Meaning("found")
    if _NETWORK.search(line):
        return Meaning("network")
    if which := _WHICH.search(line):
        return Meaning("which units", which["what"].strip(" ?.!"))
    return Meaning("unit")


def number_in(text: str, what: str) -> int:
    """Read a number that a user typed.

    Raises:
        ValueError: It is none.
    """
    if not text.isdecimal():
        raise ValueError(f"'{text}' is not the number of {what}")
    return int(text)
