"""Neurons whose truth is known: what a planner may ask, and what only the evaluator holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Domain = Literal["numbers", "strings", "words", "pairs", "scenes"]
Function = Callable[[Sequence[Any]], list[Any]]


@dataclass(frozen=True)
class Neuron:
    """A function to be explained, with its truth.

    The truth stays in the process of the evaluator: planners, labs and cells reach `function`
    alone, and only through calls.

    Attributes:
        name: ``SUITE/N``; tells nothing about the truth.
        kind: What sort of truth it is (``gated linear``, ``A AND B``), for tables by kind.
        complexity: ``clean``, ``noise``, ``corrupted``, ``approximated``, ``composed``, ...
        function: Outputs for inputs as a planner sees them: noise is drawn anew at each call;
            None where it is undefined.
        truth: The same without noise.
        draw: ``(n, rng) -> (inputs, strata)``: held-out inputs, each with its stratum
            (``global``, ``exception`` or ``border``).
        description: The truth in words.
        code: The truth as Python source that defines ``f(x)``; None where there is none.
        exceptions: Intervals in which it behaves otherwise (numbers).
        real: False for null units: no meaning is there to be found.
        about: Whatever else scores need (concepts, unit tests).
    """

    name: str
    domain: Domain
    kind: str
    complexity: str
    function: Function
    truth: Function
    draw: Callable[[int, np.random.Generator], tuple[list[Any], list[str]]]
    description: str
    code: str | None = None
    exceptions: tuple[tuple[float, float], ...] = ()
    real: bool = True
    about: dict[str, Any] | None = None
