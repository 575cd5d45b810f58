"""Explorers: planners of functions from input to output, as generators of questions."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

#: Yields inputs, is sent their outputs (None where undefined), returns what it found.
Explorer = Generator[list[Any], list[Any], "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What an explorer has come to.

    Attributes:
        code: Python source that defines ``f(x)``; None if nothing was found.
        text: The same in one or two plain sentences.
        confidence: Probability that the code agrees with the function on nearly all inputs.
        exceptions: Intervals in which the function behaves otherwise.
        outside: The function is lawful, but none of the forms that were tried is its law.
        about: What else was measured (noise, rivals), JSON.
    """

    code: str | None
    text: str
    confidence: float
    exceptions: tuple[tuple[float, float], ...] = ()
    outside: bool = False
    about: dict[str, Any] | None = None
