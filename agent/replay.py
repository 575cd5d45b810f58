"""Run a study's experiments again and compare what is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self, TypeGuard

from hubel.agent import code
from hubel.agent.ledger import Ledger
from hubel.agent.loop import cells_for
from hubel.agent.records import Experiment, Study
from hubel.sandbox.cells import CellRefused
from hubel.sandbox.session import LabLost, LabRefused, LabSession, ToolBroken
from hubel.tools.spec import ToolError

#: Numbers may differ by this much, relative to the larger: float32 sums on another machine do.
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a repeated experiment came out otherwise."""

    experiment: int
    path: str
    recorded: Any
    measured: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay came to.

    Attributes:
        repeated: How many experiments were run again.
    """

    study: int
    repeated: int
    differences: list[Difference]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def summary(self) -> str:
        """For people."""
        if self.same:
            return f"study {self.study}: {self.repeated} experiments repeated, nothing differs"
        lines = [f"study {self.study}: {len(self.differences)} differences"]
        lines += [
            f"  #{d.experiment} {d.path}: recorded {d.recorded!r}, now {d.measured!r}"
            for d in self.differences[:20]
        ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {**asdict(self), "same": self.same}


def replay_study(
    study: Study, ledger: Ledger, lab: LabSession, note: Callable[[str], None]
) -> Outcome:
    """Repeat every experiment that ended well, with its seed, and compare values and pictures.

    The weights and the data are compared first: other ones are a difference in themselves.
    """
    differences: list[Difference] = []
    opened = study.opened or {}
    for part in ("target", "data"):
        was, now = opened.get(part, {}).get("hash"), lab.hello[part]["hash"]
        if was != now:
            differences.append(Difference(0, f"{part}.hash", was, now))
    recorded = ledger.experiments(study.id)
    done = [e for e in recorded if e.status == "done"]
    with _Repeat(recorded, ledger, lab) as repeat:
        for experiment in done:
            note(f"#{experiment.n} {experiment.tool}")
            try:
                result = repeat(experiment)
            except (LabRefused, LabLost, ToolBroken, ToolError) as error:
                last = str(error).strip().splitlines()[-1]
                differences.append(Difference(experiment.n, "status", "done", last))
                continue
            differences += [
                Difference(experiment.n, path, was, now)
                for path, was, now in _compare("", experiment.result, result)
            ]
    return Outcome(study.id, len(done), differences)


class _Repeat:
    """Runs an experiment again: a tool in the lab, code in a cell."""

    def __init__(self, recorded: list[Experiment], ledger: Ledger, lab: LabSession) -> None:
        self._recorded = recorded
        self._lab = lab
        self._pictures = ledger.pictures
        self._cells = cells_for(lab, ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._cells is not None:
            self._cells.close()

    def __call__(self, experiment: Experiment) -> dict[str, Any]:
        if experiment.tool != code.SPEC.name:
            return self._lab.call(experiment.tool, experiment.args, experiment.seed)
        # Its calls are experiments of their own, repeated by themselves: here they are answered
        # as they were, so that a difference of the code is told from one of a tool.
        made = [e for e in self._recorded if e.parent == experiment.n]

        def call(tool: str, args: dict[str, Any]) -> dict[str, Any]:
            while made and made[0].status == "running":  # cut off, and never gone on with
                made.pop(0)
            if not made or (made[0].tool, made[0].args) != (tool, args):
                raise CellRefused(f"The code did not call {tool} like this when it was recorded.")
            known = made.pop(0)
            if known.result is None:
                raise CellRefused(known.error or "the call failed")
            return {**known.result, "experiment": known.n}

        origin = code.origin(self._lab.settings.jail.level)
        bench = code.Bench(
            self._cells, self._lab.tools, call, self._pictures, origin, experiment.seed
        )
        return code.SPEC(bench, experiment.args).to_json()


def _compare(path: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Places where two JSON values differ by more than the tolerance."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            yield from _compare(f"{path}.{key}" if path else key, was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for i, (a, b) in enumerate(zip(was, now, strict=True)):
            yield from _compare(f"{path}.{i}", a, b)
    elif _is_number(was) and _is_number(now):
        if not math.isclose(was, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield path, was, now
    elif was != now:
        yield path, was, now


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
