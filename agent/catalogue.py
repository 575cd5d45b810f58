"""What is installed: kinds of targets and data, and tools, without importing torch here."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hubel.agent.code import SPEC


def kinds(group: str) -> dict[str, str]:
    """The entry points of a group with the first line of their modules' docstrings.

    Args:
        group: ``hubel.targets`` or ``hubel.data``.
    """
    return {point.name: _first_line(point.module) for point in sorted(entry_points(group=group))}


def tools() -> list[dict[str, Any]]:
    """The announcements of all tools, from a process that may import torch."""
    code = (
        "import json, hubel.tools.experiments; from hubel.tools.spec import registry; "
        "print(json.dumps([s.announce() for s in registry().values()]))"
    )
    done = subprocess.run(  # noqa: S603  (our own code, our own Python)
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    announced: list[dict[str, Any]] = json.loads(done.stdout)
    return [*announced, SPEC.announce()]


def _first_line(module: str) -> str:
    """First line of a module's docstring, read without running the module."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return "(not found)"
    doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text()))
    return doc.splitlines()[0] if doc else ""
