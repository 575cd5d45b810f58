"""What a probe is: an attack, and a judge on the host who looks whether it got through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hubel.sandbox.probes.room import Room


class Verdict(NamedTuple):
    """What a judge found.

    Attributes:
        through: The attack reached its aim.
        evidence: What was seen, in a sentence.
    """

    through: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of an attack, in a box or without one.

    Attributes:
        status: As `hubel.sandbox.cells.Ran` has it; ``hung`` without a box: a signal to end was
            ignored; there, ``lost`` means that the process which ran the code was killed.
        why: How it ended, where it did not end well.
        printed: What it printed, as the host kept it.
        traceback: Where it raised, as the host kept it.
        size: Bytes of printed text that reached the host's memory or disk.
        value: What it assigned to ``result``.
        seconds: How long it took.
        left: Processes of the attack that lived on after it.
        victim: The process that was set up as a victim lives.
    """

    status: str
    why: str
    printed: str
    traceback: str
    size: int
    value: Any
    seconds: float
    left: int
    victim: bool

    def holds(self, token: str) -> bool:
        """Whether a secret came out by any way: the value, printed text or an error."""
        return token in repr((self.value, self.printed, self.traceback, self.why))

    def end(self) -> str:
        """How it ended, for the evidence."""
        return self.why or f"{self.status}: {self.value!r}"[:200]


@dataclass(frozen=True, slots=True)
class Probe:
    """One attack with its judge.

    Attributes:
        name: What is attacked.
        protects: What would be lost.
        judge: Sets the scene, has the attack run in the room, and looks.
        depends: Why the attack may fail without the box too, on some machines; empty if it may not.
        bare: It harms nothing, so that it may run without namespaces where there are none.
    """

    name: str
    protects: str
    judge: Callable[[Room], Verdict]
    depends: str = ""
    bare: bool = False


#: All probes, in the order in which they are shown.
PROBES: list[Probe] = []


def probe(
    name: str, protects: str, *, depends: str = "", bare: bool = False
) -> Callable[[Callable[[Room], Verdict]], Callable[[Room], Verdict]]:
    """Declare a judge as a probe: the attributes of `Probe`."""

    def declare(judge: Callable[[Room], Verdict]) -> Callable[[Room], Verdict]:
        PROBES.append(Probe(name, protects, judge, depends, bare))
        return judge

    return declare


def leaked(token: str, tried: Tried) -> Verdict:
    """The verdict on an attack on a secret: did the token come out?"""
    if tried.holds(token):
        return Verdict(True, "the secret came out")
    return Verdict(False, f"the secret stayed in; {tried.end()}")
