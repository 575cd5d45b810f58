"""From the perception network's logits to maps of evidence for numbered concepts."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from hubel.evals.families.scenes.network import CELLS

#: Evidence of one concept each, beside the classes: where a thing's centre is, how many there are.
PLACES = ("left", "right", "top", "bottom", "centre")
COUNTS = ("0", "1", "2", "3 or more")

_NEIGHBOURS = 5  # cells across, of which a centre is the maximum; two centres are further apart
_THIRDS = {"low": (0, 12), "middle": (12, 16), "high": (16, CELLS)}
_STEEP = 4.0  # slope of threshold units at the threshold


def steep(evidence: Tensor) -> Tensor:
    """A threshold unit: 0 well below one half, 1 well above it, linear in between."""
    return (_STEEP * (evidence - 0.5) + 0.5).clamp(0, 1)


def slices(classes: Mapping[str, int]) -> dict[str, slice]:
    """Where each group of atoms lies among them, by name of the group."""
    widths = {**classes, "text": 1, "place": len(PLACES), "count": len(COUNTS)}
    found, start = {}, 0
    for group, width in widths.items():
        found[group] = slice(start, start + width)
        start += width
    return found


class Atoms(nn.Module):
    """Logits -> evidence in 0 to 1 for every class, where it is: [N, atoms, 28, 28].

    A thing's classes stand at the one cell of its centre, a text's likewise. What is true of the
    whole picture stands everywhere, a number of things at their centres.
    """

    places: Tensor

    def __init__(self, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.groups = dict(classes)
        self.register_buffer("places", _places(), persistent=False)

    def forward(self, centres: Tensor, classes: Tensor, whole: Tensor) -> Tensor:
        """The output of `Perception` -> atoms."""
        thing, text = (_peaks(centres[:, n : n + 1]) for n in (0, 1))
        widths = [w for g, w in self.groups.items() if g not in ("kind", "ground")]
        *things, ink = (part.softmax(dim=1) for part in torch.split(classes, widths, dim=1))
        kind, ground = whole.tensor_split([self.groups["kind"]], dim=1)
        background = torch.cat([kind.softmax(dim=1), ground.sigmoid()], dim=1)
        number = thing.sum((1, 2, 3))
        counts = torch.stack([(1 - (number - n).abs()).clamp(min=0) for n in range(3)], dim=1)
        counts = torch.cat([counts, (number - 2).clamp(0, 1)[:, None]], dim=1)
        where = torch.where(number[:, None, None, None] > 0.5, thing, torch.ones_like(thing))
        parts = [
            *(part * thing for part in things),
            ink * text,
            background[:, :, None, None].expand(-1, -1, CELLS, CELLS),
            text,
            self.places * thing,
            counts[:, :, None, None] * where,
        ]
        return torch.cat(parts, dim=1)


def _peaks(logits: Tensor) -> Tensor:
    """Evidence that a centre is here, at local maxima only: [N, 1, H, W]."""
    highest = functional.max_pool2d(logits, _NEIGHBOURS, 1, _NEIGHBOURS // 2)
    return steep(logits.sigmoid()) * (logits == highest)


def _places() -> Tensor:
    """For each of `PLACES`, the cells that belong to it: [1, places, 28, 28]."""
    cell = torch.arange(CELLS)
    low, middle, high = ((cell >= first) & (cell < end) for first, end in _THIRDS.values())
    every = torch.ones(CELLS, dtype=torch.bool)
    rows = [every, every, low, high, middle]
    columns = [low, high, every, every, middle]
    masks = [r[:, None] & c[None, :] for r, c in zip(rows, columns, strict=True)]
    return torch.stack(masks)[None].float()
