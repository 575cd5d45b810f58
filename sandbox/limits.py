"""What a box may use. Every limit can be set, and is written into the ledger with the study."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one box.

    Attributes:
        wall: Seconds that one experiment may take, not counting its tool calls.
        cpu: Seconds of processor time of any one process.
        memory: Bytes that all processes of the box may hold together (proportional set size), with
            shared memory and files in memory; for a lab, on top of what opening the target took.
        gpu: Share of the memory of each GPU, 0 to 1.
        printed: Bytes of printed text that are kept.
        printed_fatal: Bytes of printed text after which the experiment is ended.
        frame: Bytes of one message from the box.
        arrays: Bytes of the shared memory through which arrays come out, for one experiment.
        tmpfs: Bytes of each writable place, which lie in memory.
        inodes: Files of each writable place.
        processes: Processes and threads at one time.
        files: Open files of one process.
    """

    wall: float = 120.0
    cpu: int = 120
    memory: int = 4096 * MIB
    gpu: float = 0.9
    printed: int = MIB
    printed_fatal: int = 64 * MIB
    frame: int = MIB
    arrays: int = 256 * MIB
    tmpfs: int = 256 * MIB
    inodes: int = 10_000
    processes: int = 128
    files: int = 512

    def to_json(self) -> dict[str, Any]:
        """For the ledger and for the box."""
        return asdict(self)
