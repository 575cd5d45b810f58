"""What a study is asked: checked before anything is recorded."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubel.tools.spec import ToolError
from hubel.tools.units import Unit, nearest

if TYPE_CHECKING:
    from hubel.agent.ledger import Ledger
    from hubel.agent.records import Study

#: A unit named in a question, as in "what does layer4.2:17 do?".
_UNIT = re.compile(r"[\w.]+\w(?:@\S+?)?:\d+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one unit, with all that its study needs.

    Attributes:
        planner: As `hubel.agent.planners.open_planner` takes it.
        budget: As `hubel.agent.budget.Budget` has it.
        options: What else the planner is opened with: ``base_url``, ``describer``.
    """

    question: str
    model: str
    unit: str
    data: str
    planner: str = "builtin"
    device: str = "cpu"
    seed: int = 0
    budget: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def begin(self, ledger: Ledger, target: dict[str, Any]) -> Study:
        """Record the question as a new study.

        Args:
            ledger: Where.
            target: The network, as the lab announced it.

        Raises:
            ToolError: The unit is none of this network; the message names the nearest.
        """
        check_unit(target, self.unit)
        return ledger.begin(**asdict(self))


def unit_in(question: str) -> str | None:
    """The first unit that a question names; None if it names none."""
    match = _UNIT.search(question)
    return match[0] if match else None


def check_unit(target: dict[str, Any], name: str) -> None:
    """Refuse a wrong unit before a study is begun.

    Raises:
        ToolError: Not a unit of this target; the message names the nearest.
    """
    unit = Unit.parse(name)
    sites = {s["name"]: s["units"] for s in target["sites"]}
    if unit.site not in sites:
        raise ToolError(f"{target['name']} has no site '{unit.site}'. {nearest(unit.site, sites)}")
    if unit.file is None and unit.index >= sites[unit.site]:
        last = sites[unit.site] - 1
        raise ToolError(f"'{unit.site}' has the units 0 to {last}; there is no {unit.index}.")
    if unit.file is not None and not Path(unit.file).is_file():
        raise ToolError(f"There is no file '{unit.file}' with directions.")
