"""Planners, by the name that users type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubel.tools.units import nearest

if TYPE_CHECKING:
    from hubel.agent.planner import Planner

KINDS = {
    "builtin": "programmatic; needs no key: screens concepts, then tests them by minimal pairs",
    "scripted:FILE": "the steps in a JSON file, one after the other; strict",
}


def open_planner(name: str) -> Planner:
    """The planner of that name.

    Raises:
        ValueError: There is none; the message names the nearest.
    """
    kind, _, argument = name.partition(":")
    if kind == "builtin" and not argument:
        from hubel.agent.planners.builtin import Builtin

        return Builtin()
    if kind == "scripted" and argument:
        from hubel.agent.planners.scripted import Scripted

        return Scripted.read(argument)
    raise ValueError(f"there is no planner '{name}'. {nearest(name, KINDS)}")
