"""hubel explains units of neural networks by experiment.

The names here are the stable ones; the rooms behind them are `hubel.tools` (what is done to a
model), `hubel.sandbox` (where it runs), `hubel.agent` (who decides) and `hubel.evals` (how good it
is). Importing this module imports none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubel.agent.budget import Budget
    from hubel.agent.form import Form, Term
    from hubel.agent.ledger import Ledger
    from hubel.agent.loop import run
    from hubel.agent.planner import Planner, Step, View
    from hubel.sandbox.session import LabSession, LabSettings
    from hubel.tools.result import Result
    from hubel.tools.spec import ToolError, tool
    from hubel.tools.target import Edit, Target

__version__ = "0.1.0"

_HOMES = {
    "Budget": "hubel.agent.budget",
    "Edit": "hubel.tools.target",
    "Form": "hubel.agent.form",
    "LabSession": "hubel.sandbox.session",
    "LabSettings": "hubel.sandbox.session",
    "Ledger": "hubel.agent.ledger",
    "Planner": "hubel.agent.planner",
    "Result": "hubel.tools.result",
    "Step": "hubel.agent.planner",
    "Target": "hubel.tools.target",
    "Term": "hubel.agent.form",
    "ToolError": "hubel.tools.spec",
    "View": "hubel.agent.planner",
    "run": "hubel.agent.loop",
    "tool": "hubel.tools.spec",
}

__all__ = [
    "Budget",
    "Edit",
    "Form",
    "LabSession",
    "LabSettings",
    "Ledger",
    "Planner",
    "Result",
    "Step",
    "Target",
    "Term",
    "ToolError",
    "View",
    "__version__",
    "run",
    "tool",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hubel' has no attribute '{name}'")
