"""What a tool call returns: numbers first, pictures by reference, words last."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

#: Significant digits kept of every measured number: above the noise of float32 sums.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a tool made, named by the hash of its content.

    Attributes:
        id: Hash of the pixels and of what is recorded of them (`stimuli.stimulus_id`).
        kind: ``stimulus`` (an input of the network) or ``figure`` (made to be looked at).
        provenance: How it was made and from what.
    """

    id: str
    kind: str
    provenance: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The structured result of one tool call.

    Attributes:
        values: The measured values, JSON. Numbers are finite and rounded to `DIGITS`.
        measures: What each top-level key of `values` means, with its unit of measure.
        mediator: What was held or changed inside the network, or "none".
        counterfactual: What the measurement was compared with, or "none".
        metric: The quantity that was measured, in one phrase.
        seed: The seed of everything random in the call; None where nothing was.
        artifacts: Pictures made by the call.
    """

    values: dict[str, Any]
    measures: dict[str, str]
    metric: str
    mediator: str = "none"
    counterfactual: str = "none"
    seed: int | None = None
    artifacts: list[Artifact] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """A JSON object; numbers rounded, non-finite ones refused.

        Raises:
            ValueError: A value is NaN or infinite: a tool must say "not measured" as None.
        """
        out = asdict(self)
        out["values"] = rounded(self.values)
        return out


def rounded(value: Any) -> Any:
    """`value` with every float rounded to `DIGITS` significant digits.

    Raises:
        ValueError: A number is not finite.
    """
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a result holds a number that is not finite")
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, tensors
        return rounded(value.tolist())
    raise TypeError(f"a result holds a {type(value).__name__}, which is not JSON")
