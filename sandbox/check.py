"""The conformance list: what was tried against the sandbox of this machine, and what held."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hubel.sandbox.levels import jail_for
from hubel.sandbox.probes import PROBES, Probe
from hubel.sandbox.probes.room import Bench, NoControl, Room

Progress = Callable[[int, int, str], None]

#: What `Outcome.control` says of an attack that got through without the box.
SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe came to.

    Attributes:
        name: What was attacked.
        protects: What would have been lost.
        held: The box stopped it.
        control: The same attack without the box: ``succeeded``; ``not possible: `` and why;
            ``not run``; or ``failed: `` and why, which makes the probe worth nothing.
        evidence: What was seen of the attack in the box, in a sentence.
        seconds: How long both took.
    """

    name: str
    protects: str
    held: bool
    control: str
    evidence: str
    seconds: float

    @property
    def shown(self) -> bool:
        """The box stopped an attack that is known to work without it."""
        return self.held and self.control == SUCCEEDED

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self) | {"shown": self.shown}


def conformance(
    level: str = "isolated",
    progress: Progress | None = None,
    *,
    only: Collection[str] | None = None,
    controls: bool = True,
) -> list[Outcome]:
    """Try every probe against a level of the sandbox, and without it.

    Args:
        level: ``isolated`` or ``confined``.
        progress: Is told how many are done, of how many, and the next one's name.
        only: Names of the probes to run; None for all.
        controls: Also run the attacks without the box.

    Raises:
        JailError: The level does not work here.
    """
    jail = jail_for(level)
    chosen = [p for p in PROBES if only is None or p.name in only]
    outcomes = []
    with Bench(jail) as bench:
        for done, probe in enumerate(chosen):
            if progress is not None:
                progress(done, len(chosen), probe.name)
            outcomes.append(tried(probe, bench, controls=controls))
    return outcomes


def tried(probe: Probe, bench: Bench, *, controls: bool = True) -> Outcome:
    """Try one probe, first without the box, so that it is known that it can fail."""
    begun = time.monotonic()
    control = _without(probe, bench) if controls else "not run"
    try:
        through, evidence = probe.judge(Room(bench, box=True, bare=False))
    except Exception as error:  # a host that an attack makes raise has not held
        through, evidence = True, f"the host raised {type(error).__name__}: {error}"
    seconds = time.monotonic() - begun
    evidence = " ".join(evidence.split())[:400]
    return Outcome(probe.name, probe.protects, not through, control, evidence, seconds)


def table(outcomes: Iterable[Outcome]) -> str:
    """The list as lines of text, with a line below that sums it up."""
    lines, outcomes = [], list(outcomes)
    for outcome in outcomes:
        word = "held" if outcome.held else "FAILED"
        lines.append(f"{word:<7}{outcome.name:<52}without the box: {outcome.control}")
        if not outcome.held:
            lines.append(f"       {outcome.evidence}")
    shown = sum(outcome.shown for outcome in outcomes)
    failed = sum(not outcome.held for outcome in outcomes)
    lines.append(
        f"{len(outcomes)} attacks: {failed} got through; {shown} were stopped that succeed without "
        f"the box; {len(outcomes) - failed - shown} were stopped whose success was not shown here."
    )
    return "\n".join(lines)


def as_json(outcomes: Iterable[Outcome]) -> str:
    """The list as JSON."""
    return json.dumps([outcome.to_json() for outcome in outcomes], indent=2)


def _without(probe: Probe, bench: Bench) -> str:
    try:
        through, evidence = probe.judge(Room(bench, box=False, bare=probe.bare))
    except NoControl as why:
        return f"not possible: {why}"
    if through:
        return SUCCEEDED
    evidence = " ".join(evidence.split())[:300]
    return f"not possible: {probe.depends} ({evidence})" if probe.depends else f"failed: {evidence}"
