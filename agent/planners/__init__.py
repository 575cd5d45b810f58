"""Planners and describers, by the name that users type."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubel.tools.units import nearest

if TYPE_CHECKING:
    from hubel.agent.describe import Describer
    from hubel.agent.planner import Planner

KINDS = {
    "builtin": "programmatic; needs no key: screens concepts, then tests them by minimal pairs",
    "openai/MODEL": "a language model behind any OpenAI-compatible endpoint (OPENAI_BASE_URL)",
    "stdio": "whoever reads and writes JSON lines on stdin and stdout: a person, a script",
    "scripted:FILE": "the steps in a JSON file, one after the other; strict",
    "replay:FILE": "the steps that `--record FILE` kept of another study; strict",
}


def open_planner(
    name: str, options: Mapping[str, Any] | None = None, home: Path | None = None
) -> Planner:
    """The planner of that name.

    Args:
        name: As in `KINDS`.
        options: ``base_url`` of the endpoint; left out, the environment has it.
        home: Folder of the ledger, where ``prices.json`` may lie.

    Raises:
        ValueError: There is none, or it cannot be opened; the message says what to do.
    """
    kind, _, argument = name.partition(":")
    if name.startswith("openai/"):
        from hubel.agent.planners.openai import OpenAIPlanner

        return OpenAIPlanner(name, (options or {}).get("base_url"), home)
    if kind == "builtin" and not argument:
        from hubel.agent.planners.builtin import Builtin

        return Builtin()
    if name == "stdio":
        from hubel.agent.planners.stdio import Stdio

        return Stdio()
    if kind == "scripted" and argument:
        from hubel.agent.planners.scripted import Scripted

        return Scripted.read(argument)
    if kind == "replay" and argument:
        from hubel.agent.planners.cassette import Replayed

        return Replayed.read(Path(argument))
    if name == "mcp":
        raise ValueError("an MCP client plans this study: start `hubel mcp`, call resume_study")
    raise ValueError(f"there is no planner '{name}'. {nearest(name, KINDS)}")


def open_describer(
    planner: str, options: Mapping[str, Any] | None = None, home: Path | None = None
) -> Describer | None:
    """Who looks at pictures for a planner: as the options say, or the planner's own model.

    Args:
        planner: Name of the planner.
        options: ``describer``: ``openai/MODEL`` or ``none``; ``base_url`` as for planners.
        home: Folder of the ledger.

    Raises:
        ValueError: There is no such describer.
    """
    given = options or {}
    kind, _, file = planner.partition(":")
    if kind == "replay" and file and "describer" not in given:
        from hubel.agent.planners.cassette import Replayed

        return Replayed.read(Path(file)).describer
    name = given.get("describer") or (planner if planner.startswith("openai/") else "none")
    if name == "none":
        return None
    if name.startswith("openai/"):
        from hubel.agent.planners.openai import OpenAIDescriber

        return OpenAIDescriber(name, given.get("base_url"), home)
    raise ValueError(f"there is no describer '{name}'. {nearest(name, ['openai/MODEL', 'none'])}")
