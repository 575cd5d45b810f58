"""What a request costs: ``prices.json`` in the ledger's folder, which the user keeps.

    {"gpt-x": {"in": 1.25, "out": 10.0, "source": "the provider's page, 1 June 2026"}}

Dollars per million tokens. A model that is not in it has no price: its tokens are counted alone.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

NAME = "prices.json"


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens, in and out."""

    given: float
    made: float

    def of(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """What so many tokens cost; None where they were not counted."""
        if tokens_in is None or tokens_out is None:
            return None
        return (tokens_in * self.given + tokens_out * self.made) / 1e6


def price_of(model: str, home: Path | None) -> Price | None:
    """The price of a model; None where it is not known.

    Raises:
        ValueError: The file is not of the form above.
    """
    path = None if home is None else home / NAME
    if path is None or not path.exists():
        return None
    try:
        table = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as JSON ({error}): mend or remove it") from None
    entry = table.get(model) if isinstance(table, dict) else "no table"
    if entry is None:
        return None
    given, made = (entry.get(k) if isinstance(entry, dict) else None for k in ("in", "out"))
    if not (_is_price(given) and _is_price(made)):
        raise ValueError(
            f"{path} has no price of '{model}' that can be read: write "
            '{"MODEL": {"in": 1.0, "out": 2.0, "source": "..."}}, in dollars per million tokens'
        )
    return Price(float(given), float(made))  # type: ignore[arg-type]


def _is_price(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0  # type: ignore[arg-type,operator]
