"""What a box may use. The limits are written into the ledger with the study."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

MIB = 1 << 20
_UNITS = {"KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30}


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
        pictures: Pictures and figures that one experiment may keep and show.
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
    pictures: int = 1000
    tmpfs: int = 256 * MIB
    inodes: int = 10_000
    processes: int = 128
    files: int = 512

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``wall=60,memory=2GiB``; what is left out keeps its default.

        Sizes may end in KiB, MiB or GiB.

        Raises:
            ValueError: An unknown name, or not a positive number.
        """
        given: dict[str, float | int] = {}
        known = [f.name for f in fields(cls)]
        for part in filter(None, text.replace(" ", "").split(",")):
            name, _, value = part.partition("=")
            if name not in known:
                raise ValueError(f"there is no limit '{name}': there are {', '.join(known)}")
            unit = next((u for u in _UNITS if value.endswith(u)), "")
            try:
                number = float(value.removesuffix(unit)) * _UNITS.get(unit, 1)
            except ValueError:
                number = 0.0
            if not 0 < number < float("inf") or (name == "gpu" and number > 1):
                raise ValueError(f"'{part}': write {name}=NUMBER, over zero")
            given[name] = number if name in ("wall", "gpu") else int(number)
        return cls(**given)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """For the ledger and for the box."""
        return asdict(self)
