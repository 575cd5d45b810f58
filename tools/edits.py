"""Edits: what can be written into a site's output during a forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hubel.tools.spec import ToolError


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one site's output during a forward pass.

    Attributes:
        site: Path of the module.
        value: What to write: a number, or a tensor that broadcasts to the edited part in the
            order [N, positions...] for one unit, [N, C, positions...] for the whole site.
        index: The unit to write to; None for the whole site.
        how: ``set`` writes `value`, ``add`` adds it, ``scale`` multiplies by it.
    """

    site: str
    value: float | Tensor
    index: int | None = None
    how: Literal["set", "add", "scale"] = "set"


def apply(edit: Edit, full: Tensor) -> None:
    """Carry an edit out in place on an output [N, C, positions...].

    Raises:
        ToolError: The output has no such unit.
    """
    if edit.index is not None and edit.index >= full.shape[1]:
        raise ToolError(f"'{edit.site}' has {full.shape[1]} units; there is no {edit.index}.")
    part = full if edit.index is None else full[:, edit.index]
    value = torch.as_tensor(edit.value, dtype=part.dtype, device=part.device)
    if edit.how == "set":
        part.copy_(value)
    elif edit.how == "add":
        part.add_(value)
    else:
        part.mul_(value)
