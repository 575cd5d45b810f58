"""Circuits whose units are known: the interface, and one toy.

A circuit is a set of units that makes one output what it is. In the toy, units outside of it are as
active as those inside and go exactly along with them, but lead to the other output; so watching
finds nothing, and only taking units out does.

Scores: precision and recall of the units, and *faithfulness*: how much of the output's variance is
left when every other unit has its mean (Wang et al. 2022, "Interpretability in the wild"; Conmy et
al. 2023, "Towards automated circuit discovery"). Faithfulness alone is fooled by claiming every
unit; precision stands beside it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hubel.tools.target import Edit, Target
from hubel.tools.targets.preprocessing import Squash

#: Sites of the toy, from the input on, and its units in each.
SITES, WIDTH = ("first", "second"), 8
#: Units of the second layer, and the units of the first that each of them reads.
_SECOND, _READ = 2, 2


@dataclass(frozen=True)
class Circuit:
    """A network with a circuit that is known.

    Attributes:
        target: What planners see.
        output: Number of the output that is to be explained.
        truth: Names of the units that make it; the evaluator's alone.
    """

    target: Target
    output: int
    truth: frozenset[str]

    @property
    def units(self) -> list[str]:
        """All units that could be claimed."""
        return [f"{site}:{i}" for site in SITES for i in range(WIDTH)]


@dataclass(frozen=True, slots=True)
class Found:
    """Scores of a claimed circuit.

    Attributes:
        precision: Share of the claimed units that are in it; 0 where none is claimed.
        recall: Share of its units that were claimed.
        faithfulness: 1 less the share of the output's variance that is lost when every unit that
            was not claimed has its mean; it may be negative.
    """

    precision: float
    recall: float
    faithfulness: float


class _Toy(nn.Module):
    """Colours -> `first` -> `second` -> two outputs, for each pixel; the outputs are means."""

    def __init__(self, first: Tensor, second: Tensor, head: Tensor) -> None:
        super().__init__()
        mixes = nn.Conv2d(3, WIDTH, 1, bias=False)
        reads = nn.Conv2d(WIDTH, WIDTH, 1, bias=False)
        leads = nn.Linear(WIDTH, 2, bias=False)
        layers: list[tuple[nn.Conv2d | nn.Linear, Tensor]] = [
            (mixes, first), (reads, second), (leads, head),
        ]  # fmt: skip
        with torch.no_grad():
            for layer, weights in layers:
                layer.weight.copy_(weights.view_as(layer.weight))
        self.first = nn.Sequential(mixes, nn.ReLU())
        self.second = nn.Sequential(reads, nn.ReLU())
        self.head = leads

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.head(self.second(self.first(x)).mean((2, 3)))
        return mixed


def make(seed: int, number: int) -> Circuit:
    """A toy: units come in pairs of equals, of which one leads to the output asked for.

    Args:
        seed: Of the family.
        number: Which circuit.
    """
    rng = np.random.default_rng([seed, number])
    half = WIDTH // 2
    colours = np.abs(rng.normal(0.6, 0.4, (half, 3)))
    reads = np.zeros((half, half))
    inside = rng.permutation(half)[:_SECOND]
    for unit in range(half):
        reads[unit, rng.permutation(half)[:_READ]] = rng.uniform(0.5, 1.5, _READ)
    head = np.zeros((2, WIDTH))
    # Unit k of a layer is the twin of unit k + half: the same values, another way on.
    head[0, inside] = rng.uniform(0.5, 1.5, _SECOND)
    head[1, half:] = rng.uniform(0.5, 1.5, half)
    outside = np.setdiff1d(np.arange(half), inside)
    head[1, outside] = rng.uniform(0.5, 1.5, len(outside))
    none = np.zeros((half, half))
    second = np.block([[reads, none], [none, reads]])
    places = [rng.permutation(WIDTH) for _ in SITES]
    weights = (
        np.vstack([colours, colours])[places[0]],
        second[places[1]][:, places[0]],
        head[:, places[1]],
    )
    used = [np.flatnonzero(reads[inside].any(axis=0)), inside]
    truth = {
        f"{site}:{int(np.flatnonzero(place == unit)[0])}"
        for site, place, units in zip(SITES, places, used, strict=True)
        for unit in units
    }
    model = _Toy(*(torch.tensor(w, dtype=torch.float32) for w in weights)).eval()
    pixels = Squash(16, 16, (0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
    name = f"synthetic:circuits/{seed}/{number}"
    target = Target(name, model, pixels, main_sites=list(SITES), identity=name)
    return Circuit(target, 0, frozenset(truth))


def score(circuit: Circuit, claimed: Collection[str], inputs: Tensor) -> Found:
    """Score a claimed circuit.

    Args:
        circuit: With its truth.
        claimed: Names of units.
        inputs: Fresh inputs, [N, 3, H, W], over which means are taken.

    Raises:
        ValueError: Something else than a unit of the toy is claimed.
    """
    if strangers := set(claimed) - set(circuit.units):
        raise ValueError(f"'{min(strangers)}' is no unit of this network: SITE:INDEX, 0 to 7")
    right = len(circuit.truth & set(claimed))
    seen = circuit.target.capture(inputs, list(SITES))
    edits = [
        Edit(site, float(seen.sites[site][:, i].mean()), i)
        for site in SITES
        for i in range(WIDTH)
        if f"{site}:{i}" not in claimed
    ]
    whole = seen.logits[:, circuit.output].double()
    left = circuit.target.intervene(inputs, edits).logits[:, circuit.output].double()
    lost = float(((whole - left) ** 2).mean() / whole.var(correction=0))
    precision = right / len(set(claimed)) if claimed else 0.0
    return Found(precision, right / len(circuit.truth), 1 - lost)
