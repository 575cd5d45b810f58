"""Explanations as something that can be executed: weighted lists of conjunctions of phrases.

    0.9*[red object AND circle] + 0.6*[striped object AND NOT text]
    max(0.9*[circle], 0.4*[text])

A phrase has a degree in [0, 1] on each picture; NOT d is 1 - d, AND is the minimum. The prediction
is the sum (or the maximum) of the terms plus an intercept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


#: Terms that a form may have: an explanation is short, and a long list fits whatever it likes.
MOST_TERMS = 12

_TERM = re.compile(
    r"(?P<sign>[+,-]?)\s*(?P<weight>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*\*"
    r"\s*\[(?P<all>[^\[\]]+)\]\s*"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A weighted conjunction.

    Attributes:
        weight: Its contribution where the conjunction holds fully, in units of activation.
        having: Phrases that must hold.
        lacking: Phrases that must not.
    """

    weight: float
    having: tuple[str, ...]
    lacking: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [*self.having, *(f"NOT {p}" for p in self.lacking)]
        return f"{self.weight:.3g}*[{' AND '.join(parts)}]"

    @property
    def phrases(self) -> tuple[str, ...]:
        """All phrases, negated ones too."""
        return self.having + self.lacking

    def degree(self, concepts: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """How far the conjunction holds on each picture, [N].

        Raises:
            KeyError: The concepts lack one of the phrases.
        """
        import numpy as np

        parts = [concepts[p] for p in self.having] + [1.0 - concepts[p] for p in self.lacking]
        least: NDArray[np.float64] = np.min(np.stack(parts), axis=0)
        return least


@dataclass(frozen=True, slots=True)
class Form:
    """An executable explanation. Without terms it is the empty one: a constant."""

    terms: tuple[Term, ...]
    join: Literal["sum", "max"] = "sum"
    intercept: float = 0.0

    @property
    def phrases(self) -> list[str]:
        """Every phrase once, in order."""
        return list(dict.fromkeys(p for term in self.terms for p in term.phrases))

    def predict(self, concepts: Mapping[str, NDArray[Any]], n: int) -> NDArray[Any]:
        """Predicted activation of each of `n` pictures.

        Args:
            concepts: Degree of each phrase on each picture, [N] in [0, 1].
            n: Number of pictures.
        """
        import numpy as np

        if not self.terms:
            return np.full(n, self.intercept)
        parts = np.stack([t.weight * t.degree(concepts) for t in self.terms])
        joined = parts.sum(axis=0) if self.join == "sum" else parts.max(axis=0)
        return np.asarray(joined + self.intercept)

    def __str__(self) -> str:
        if self.join == "max" and self.terms:
            return f"max({', '.join(map(str, self.terms))})"
        return " + ".join(map(str, self.terms)).replace("+ -", "- ")

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        terms = [
            {"weight": t.weight, "having": list(t.having), "lacking": list(t.lacking)}
            for t in self.terms
        ]
        return {
            "join": self.join, "intercept": self.intercept, "terms": terms, "written": str(self)
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Form:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is not a form; the message says where.
        """
        try:
            terms = [
                Term(float(t["weight"]), tuple(t["having"]), tuple(t.get("lacking", ())))
                for t in data["terms"]
            ]
            join = data.get("join", "sum")
            intercept = float(data.get("intercept", 0.0))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a form: {error!r}") from None
        if len(terms) > MOST_TERMS:
            raise ValueError(
                f"a form has at most {MOST_TERMS} terms, not {len(terms)}: keep those that matter"
            )
        if not all(map(math.isfinite, [intercept, *(t.weight for t in terms)])):
            raise ValueError("the weights of a form are finite numbers")
        if any(isinstance(t.get(key), str) for t in data["terms"] for key in ("having", "lacking")):
            raise ValueError("'having' and 'lacking' of a form's term are lists of phrases")
        if join not in ("sum", "max"):
            raise ValueError(f"a form is joined by 'sum' or 'max', not by {join!r}")
        if any(not t.phrases or not all(isinstance(p, str) for p in t.phrases) for t in terms):
            raise ValueError("each term of a form needs at least one phrase")
        return cls(tuple(terms), join, intercept)

    @classmethod
    def parse(cls, text: str) -> Form:
        """Read the written form.

        Raises:
            ValueError: It is not in the grammar above.
        """
        body = text.strip()
        join: Literal["sum", "max"] = "sum"
        if match := re.fullmatch(r"max\((.*)\)", body):
            join, body = "max", match[1]
        matches = list(_TERM.finditer(body))
        if not matches or "".join(m[0] for m in matches) != body:
            raise ValueError(f"'{text}' is not a form: write 0.9*[a AND NOT b] + 0.6*[c]")
        return cls(tuple(_term(m) for m in matches), join)


def _term(match: re.Match[str]) -> Term:
    parts: Sequence[str] = [p.strip() for p in match["all"].split(" AND ")]
    weight = float(match["weight"]) * (-1 if match["sign"] == "-" else 1)
    return Term(
        weight,
        tuple(p for p in parts if not p.startswith("NOT ")),
        tuple(p.removeprefix("NOT ") for p in parts if p.startswith("NOT ")),
    )
