"""`hubel demo`: a unit of the bundled real network, and a null unit planted beside it."""

from __future__ import annotations

from typing import Any

QUESTION = "What does this unit respond to?"
MODEL = "null:demo"
DATA = "demo"
#: The unit that is explained, also by `hubel ask --model demo` where no unit is named.
SITE, INDEX = "_blocks.6", 65
UNIT = f"{SITE}:{INDEX}"


def units_of(target: dict[str, Any]) -> list[tuple[str, str]]:
    """The units to explain, with what they are, which no planner is told.

    Args:
        target: What the lab says of the target.

    Returns:
        A real unit, and the channel of noise that the control plants after the last real one.
    """
    last = next(s["units"] for s in target["sites"] if s["name"] == SITE) - 1
    return [
        (UNIT, "a channel of EfficientNet-Lite0, trained on ImageNet"),
        (f"{SITE}:{last}", "a null unit: noise with the distribution of a real channel"),
    ]
