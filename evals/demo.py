"""`hubel demo`: a unit of the bundled real network, and a null unit planted beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

QUESTION = "What does this unit respond to?"
SITE = "_blocks.10"
INDEX = 7


def cases() -> tuple[str, str, Callable[[dict[str, Any]], list[tuple[str, str]]]]:
    """The target, the data, and what names the two units once the target is open."""
    return "null:demo", "demo", _units


def _units(target: dict[str, Any]) -> list[tuple[str, str]]:
    """A real unit, and the channel of noise that the control target plants after the last."""
    last = next(s["units"] for s in target["sites"] if s["name"] == SITE) - 1
    return [
        (f"{SITE}:{INDEX}", "a channel of EfficientNet-Lite0, trained on ImageNet"),
        (f"{SITE}:{last}", "a null unit: noise with the distribution of a real channel"),
    ]
