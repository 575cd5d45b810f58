"""Budgets: how much a study may spend."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Budget:
    """What a study may spend.

    Attributes:
        rounds: Steps of the planner.
        calls: Tool calls that the planner asks for.
        seconds: Time in the planner and the tools; pauses between runs do not count.
        tokens: Tokens of language models, in and out; None for no limit.
        dollars: What language models cost; None for no limit.
    """

    rounds: int = 20
    calls: int = 60
    seconds: float = 900.0
    tokens: int | None = None
    dollars: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``rounds=10,calls=30,seconds=120``; what is left out keeps its default.

        Raises:
            ValueError: An unknown name, or not a positive number.
        """
        given: dict[str, float] = {}
        known = [f.name for f in fields(cls)]
        for part in filter(None, text.replace(" ", "").split(",")):
            name, _, value = part.partition("=")
            if name not in known:
                raise ValueError(f"a budget has no '{name}': it takes {', '.join(known)}")
            try:
                number = float(value)
            except ValueError:
                number = 0.0
            if not 0 < number < float("inf"):
                raise ValueError(f"'{part}': write {name}=NUMBER, over zero")
            given[name] = number if name in ("seconds", "dollars") else int(number)
        return cls(**given)  # type: ignore[arg-type]

    def left(self, **spent: float) -> dict[str, float]:
        """What is left after so much of each; never below zero. What has no limit is left out."""
        limits = {k: v for k, v in asdict(self).items() if v is not None}
        return {k: max(0.0, v - spent.get(k, 0.0)) for k, v in limits.items()}
