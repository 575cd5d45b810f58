"""Where a study's tools and code run: the level of its sandbox, and its lab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hubel.agent.display import Display
from hubel.agent.ledger import Ledger
from hubel.agent.records import Study
from hubel.sandbox.jail import Jail
from hubel.sandbox.levels import jail_for
from hubel.sandbox.limits import Limits
from hubel.sandbox.session import LabSession, LabSettings
from hubel.tools.targets.fetch import fetch
from hubel.tools.units import Unit


@dataclass(frozen=True)
class Where:
    """Where tools and code run.

    Attributes:
        level: Level of the sandbox, as users type it.
        unsafe: Run planner-written code without one.
        reads: Files and folders that the lab may read besides its target and data.
        limits: What boxes may use.
    """

    level: str
    unsafe: bool = False
    reads: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(cls, study: Study, unsafe: bool, read: list[Path] | None) -> Where:
        """Where a study began: it goes on with the same level, and the same files to read.

        Args:
            study: The study.
            unsafe: Whether to run code without a sandbox.
            read: Other files that the lab may read.

        Raises:
            ValueError: It ran code without a sandbox, which must be asked for again.
        """
        began = (study.opened or {}).get("sandbox") or {"level": "isolated", "reads": []}
        if (began["level"] == "unsafe") != unsafe:
            if unsafe:
                raise ValueError("the study began in a sandbox: ask again to go on without one")
            raise ValueError("the study ran code without a sandbox: repeat --unsafe-no-sandbox")
        reads = [*map(Path, began["reads"]), *(read or ()), *files_of(study.unit)]
        limits = Limits(**began["limits"]) if "limits" in began else Limits()
        return cls(began["level"], unsafe, tuple(dict.fromkeys(reads)), limits)

    def lab_of(self, study: Study, ledger: Ledger) -> AbstractContextManager[LabSession]:
        """The lab of a study."""
        return self.lab(study.model, study.data, ledger.home, study.device)

    @contextmanager
    def lab(self, target: str, data: str | None, home: Path, device: str) -> Iterator[LabSession]:
        """A lab with its network open, started when the level was found to work.

        Raises:
            JailError: The level does not work here.
            LabRefused: The target or the data cannot be opened.
        """
        fetch(target)
        jail = Jail("unsafe", limits=self.limits)
        if not self.unsafe:
            jail = jail_for(self.level, self.limits)
        settings = LabSettings(target, data, home, device, self.reads, jail)
        with LabSession(settings) as lab, Display() as display:
            lab.progress = display.progress
            display.say("opening the network")
            _ = lab.hello
            display.close()
            yield lab


def files_of(unit: str) -> list[Path]:
    """The file of directions that a unit's name speaks of."""
    file = Unit.parse(unit).file
    return [Path(file).expanduser()] if file is not None and Path(file).is_file() else []
