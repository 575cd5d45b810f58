"""The evaluator's side of a planner: answers its questions, counts them, takes what it found."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hubel.agent.planners.explorer import Finding
from hubel.evals.neuron import Neuron
from hubel.sandbox import wire
from hubel.sandbox.jail import Box, Jail
from hubel.tools.spec import ToolError

#: Seconds that a planner may think about one neuron.
PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Explained:
    """What a planner made of a neuron.

    Attributes:
        finding: What it found; None if it failed.
        failed: Why it failed; empty if it did not.
        queries: Inputs that it asked about.
        seconds: How long it took.
    """

    finding: Finding | None
    failed: str
    queries: int
    seconds: float


class Worker:
    """A planner in a box, which explains one neuron after the other.

    The box holds no neuron: it cannot look into this process, whose truth it is to find.

    Args:
        jail: How the box is started.
        explorer: Name of the planner.
        words: File of the lexicon, for planners that explain neurons over words.
    """

    def __init__(self, jail: Jail, explorer: str, words: Path | None = None) -> None:
        self._jail = jail
        self._explorer = explorer
        self._words = words
        self._box: Box | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._end()

    def explain(self, neuron: Neuron, budget: int, seed: int) -> Explained:
        """Have it explain a neuron.

        Args:
            neuron: Of which it may ask.
            budget: Inputs that it may ask about.
            seed: Of its own choices.
        """
        begun = time.monotonic()
        box = self._started()
        queries = 0
        order = {
            "explorer": self._explorer,
            "domain": neuron.domain,
            "budget": budget,
            "seed": seed,
        }
        finding, failed = None, ""
        try:
            wire.send(box.channel, order)
            while finding is None and not failed:
                frame = wire.receive(box.channel, begun + PATIENCE)
                if "ask" in frame:
                    if not isinstance(frame["ask"], list):
                        raise wire.WireError("it asked about something that is no list of inputs")
                    queries += len(frame["ask"])
                    if queries > budget:
                        raise wire.WireError(f"it asked more than {budget} times")
                    wire.send(box.channel, {"outputs": outputs(neuron, frame["ask"])})
                elif "found" in frame:
                    finding = _finding(frame["found"])
                else:
                    failed = str(frame.get("failed"))
        except wire.WireError as error:
            failed = str(error)
            self._end()
        return Explained(finding, failed, queries, time.monotonic() - begun)

    def _started(self) -> Box:
        if self._box is None:
            command = [sys.executable, "-P", "-m", "hubel.evals.worker", "{channel}"]
            given = [self._words] if self._words is not None else []
            command += map(str, given)
            threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            self._box = self._jail.start("lab", command, read=given, environment=threads)
            self._box.opened(self._jail.limits)
        return self._box

    def _end(self) -> None:
        if self._box is not None:
            self._box.end()
            self._box = None


def outputs(neuron: Neuron, asked: list[Any]) -> list[Any]:
    """Answers; what is not a finite number or a text is undefined.

    Raises:
        WireError: An input is not one of the neuron's domain.
    """
    if neuron.domain == "scenes":
        return _of_scenes(neuron, asked)
    wanted = (int, float) if neuron.domain == "numbers" else str
    ok = all(isinstance(x, wanted) and not isinstance(x, bool) for x in asked)
    if not ok or (neuron.domain == "pairs" and not all("," in x for x in asked)):
        raise wire.WireError(f"it asked about something that is not one of {neuron.domain}")
    if neuron.domain == "numbers" and not all(abs(x) <= sys.float_info.max for x in asked):
        raise wire.WireError("it asked about a number that is no finite float")
    try:
        return [plain(y) for y in neuron.function(asked)]
    except OverflowError:
        raise wire.WireError("it asked about a number that is too large") from None


def _of_scenes(neuron: Neuron, asked: list[Any]) -> list[Any]:
    try:
        return [plain(y) for y in neuron.function(asked)]
    except (ToolError, ValueError, OverflowError) as error:
        raise wire.WireError(f"it asked about something that is no scene: {error}") from None


def plain(value: Any) -> float | str | None:
    """An output as JSON has it."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, complex) or not math.isfinite(value):
        return None
    return float(value)


def _finding(found: Any) -> Finding:
    """What a planner says that it found.

    Raises:
        WireError: It is not a finding.
    """
    if not isinstance(found, dict):
        raise wire.WireError("what it found is no finding")
    try:
        exceptions = tuple((float(a), float(b)) for a, b in found.pop("exceptions", ()))
        finding = Finding(**found, exceptions=exceptions)
        ok = isinstance(finding.code, str | None) and 0.0 <= float(finding.confidence) <= 1.0
    except (TypeError, ValueError, OverflowError) as error:
        raise wire.WireError(f"what it found is no finding ({error})") from None
    if not ok:
        raise wire.WireError("what it found is no finding")
    return finding
