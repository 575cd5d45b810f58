"""A preflight for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubel.agent.wording import score_text


def line(detail: Mapping[str, Any]) -> str:
    """A preflight in one line: each ability with its interval."""
    told = "; ".join(f"{name} {what}" for name, what in rows(detail))
    return f"preflight of {detail['model']}: {told}"


def rows(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each ability with its score in words."""
    return [(name, _score(one)) for name, one in detail["abilities"].items()]


def _score(one: Mapping[str, Any]) -> str:
    if not one["n"]:
        return f"not measured, {one['why']}"
    low, high = (score_text(end) for end in one["ci"])
    told = f"{score_text(one['right'] / one['n'])} ({low} to {high}, n {one['n']}"
    if one["chance"] is not None:
        told += f", chance {score_text(one['chance'])}"
    return told + ")"
