"""A wired network: perception, numbered concept channels, threshold units, one neuron."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from hubel.evals.families.scenes.approximate import Approximation
from hubel.evals.families.scenes.chance import Chance
from hubel.evals.families.scenes.evidence import Atoms, slices, steep
from hubel.evals.families.scenes.network import Perception
from hubel.evals.families.scenes.wiring import BEYOND, NULL, Term, Wiring

WEIGHTS = Path(__file__).with_name("weights.safetensors")

_SPIKES = 0.02  # share of pictures on which a constant unit spikes
_COIN = 0.25  # share of pictures on which a unit of two values has the higher one
_REST = 0.2  # what a constant unit is otherwise


@dataclass(frozen=True, slots=True)
class Weights:
    """What the weights file holds.

    Attributes:
        tensors: Of the perception network, by name.
        classes: Number of classes of each group of its outputs.
        concepts: The layer from atoms to channels, [channels, atoms].
        biases: Its biases, [channels].
        joint: Share of random scenes for which two channels are on, [channels, channels].
        things: Whether a channel is about single things, [channels].
    """

    tensors: dict[str, Tensor]
    classes: dict[str, int]
    concepts: Tensor
    biases: Tensor
    joint: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    things: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@cache
def weights(path: Path = WEIGHTS) -> Weights:
    """Read the weights, which name no concept."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    full = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    inside = {k.removeprefix("perception."): v for k, v in full.items() if "perception." in k}
    groups = ("shape", "colour", "texture", "size", "ink", "kind", "ground")
    counts: dict[str, int] = dict(zip(groups, full["classes"].tolist(), strict=True))
    return Weights(
        inside,
        counts,
        full["concepts.weight"],
        full["concepts.bias"],
        full["joint"].double().numpy() / float(full["scenes"]),
        full["things"].bool().numpy(),
    )


class Concepts(nn.Sequential):
    """One convolution, 1x1, wired by hand: evidence for each channel, [N, channels, 28, 28]."""

    def __init__(self, held: Weights) -> None:
        conv = nn.Conv2d(held.concepts.shape[1], held.concepts.shape[0], 1)
        conv.load_state_dict({"weight": held.concepts[..., None, None], "bias": held.biases})
        super().__init__(conv, nn.ReLU())


class Pool(nn.Module):
    """Whether each channel is on anywhere: [N, channels, H, W] -> [N, channels] in 0 to 1."""

    def forward(self, maps: Tensor) -> Tensor:
        """Maps -> channels."""
        return steep(maps.amax((2, 3)))


class Terms(nn.Module):
    """Threshold units, one for each conjunction: [N, channels] -> [N, terms] in 0 to 1."""

    def __init__(self, terms: Sequence[Term], channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(len(terms), channels), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(len(terms)), requires_grad=False)
        for row, term in enumerate(terms):
            self.weight[row, list(term.having)] = 1
            self.weight[row, list(term.lacking)] = -1
            self.bias[row] = 1 - len(term.having)

    def forward(self, on: Tensor) -> Tensor:
        """Channels -> terms."""
        return functional.linear(on, self.weight, self.bias).relu()


class Join(nn.Module):
    """The neuron's value, [N, 1], by its terms, channels and maps."""

    weight: Tensor

    def __init__(self, wiring: Wiring, terms: Sequence[Term]) -> None:
        super().__init__()
        self.wiring = wiring
        self.chance = Chance(wiring.seed)
        weight = torch.tensor([term.weight for term in terms])
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, terms: Tensor, maps: Tensor, sizes: Tensor, pixels: Tensor) -> Tensor:
        """Terms [N, terms], channels' maps, evidence of sizes and pixels -> [N, 1]."""
        normal, even = self.chance(pixels)
        if self.wiring.join in NULL and self.wiring.join != "mixed":
            return self._null(normal, even)
        if self.wiring.join in BEYOND:
            value = self._beyond(maps, sizes)
        else:
            driven = terms * self.weight
            high = self.wiring.join == "max"
            value = driven.amax(1, keepdim=True) if high else driven.sum(1, keepdim=True)
        return value + self.wiring.noise * normal

    def _null(self, normal: Tensor, even: Tensor) -> Tensor:
        match self.wiring.join:
            case "noise":
                return 0.5 + 0.5 * normal
            case "coin":
                return (even < _COIN).to(even)
            case "spikes":
                return torch.where(even < _SPIKES, 1.0, _REST)
            case _:
                return torch.zeros_like(even)

    def _beyond(self, maps: Tensor, sizes: Tensor) -> Tensor:
        """What no list of conjunctions says, [N, 1]."""
        match self.wiring.join:
            case "twice":
                return self._number(maps).sub(1).clamp(0, 1)
            case "odd":
                return (1 - (self._number(maps) % 2 - 1).abs()).clamp(0, 1)
            case "left of":
                return self._left(maps)
            case "larger":
                first, second = (self._largest(maps, sizes, n) for n in (0, 1))
                return (first - second).clamp(0, 1) * second.clamp(0, 1)
            case "majority":
                on = torch.cat([self._on(maps, n) for n in range(3)], dim=1)
                return on.sum(1, keepdim=True).sub(1).clamp(0, 1)
            case _:
                first, second, third = (self._on(maps, n) for n in range(3))
                return (first - (second - third).relu()).relu()

    def _on(self, maps: Tensor, term: int) -> Tensor:
        return self._things(maps, term).amax((1, 2))[:, None]

    def _number(self, maps: Tensor) -> Tensor:
        return self._things(maps, 0).sum((1, 2))[:, None]

    def _largest(self, maps: Tensor, sizes: Tensor, term: int) -> Tensor:
        """The greatest size of a thing with a term's channel, 1 to 3, or 0 without one: [N, 1]."""
        ranks = torch.arange(1, sizes.shape[1] + 1, dtype=sizes.dtype, device=sizes.device)
        sized = (sizes * ranks[:, None, None]).sum(1)
        return (self._things(maps, term) * sized).amax((1, 2))[:, None]

    def _things(self, maps: Tensor, term: int) -> Tensor:
        """Things with a term's channel, at their centres: [N, H, W]."""
        return steep(maps[:, self.wiring.terms[term].having[0]])

    def _left(self, maps: Tensor) -> Tensor:
        first, second = (self._things(maps, n).amax(1) for n in (0, 1))  # by column
        before = functional.pad(first.cummax(1).values, (1, 0))[:, :-1]
        return (before * second).amax(1, keepdim=True)


class Spread(nn.Module):
    """The share of its value that a neuron has at each place, [N, 1, H, W]: 1 at the highest.

    It is 1 where what drives the neuron is, falls off around it, and is 1 everywhere where nothing
    is there that drives it.
    """

    def __init__(self, shown: list[int]) -> None:
        super().__init__()
        self.shown = shown

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of all channels -> shares."""
        seen = steep(maps[:, self.shown]).amax(1, keepdim=True)
        wide = functional.max_pool2d(seen, 3, 1, 1)
        smooth = functional.avg_pool2d(wide, 5, 1, 2, count_include_pad=False)
        top = smooth.amax((2, 3), keepdim=True)
        return torch.where(top > 0, smooth / top.clamp(min=1e-6), torch.ones_like(smooth))


class Neuron(nn.Module):
    """The output whose one unit is to be explained."""

    def forward(self, value: Tensor, place: Tensor) -> Tensor:
        """Value [N, 1] and its share at each place -> maps whose maximum is the value."""
        high = value[:, :, None, None]
        return high - high.abs() * (1 - place)


class Wired(nn.Module):
    """Pixels -> the neuron's value [N, 1]; its maps are the output of the site ``neuron``."""

    def __init__(self, wiring: Wiring, held: Weights) -> None:
        super().__init__()
        self.perception = Perception(held.classes)
        self.perception.load_state_dict(held.tensors, strict=True)
        self.perception.pack()
        self.atoms = Atoms(held.classes)
        self._sizes = slices(held.classes)["size"]
        self.concepts = Concepts(held)
        self.pool = Pool()
        channels = len(held.biases)
        terms = wiring.among(channels)
        exact = not wiring.approximate
        self.terms = Terms(terms, channels) if exact else Approximation(terms, wiring.seed)
        self.join = Join(wiring, terms)
        drivers = [c for term in wiring.terms for c in term.having]
        random = np.random.default_rng(wiring.seed).choice(channels, 3, replace=False)
        self.spread = Spread(list(dict.fromkeys(drivers)) or random.tolist())
        self.neuron = Neuron()
        self.eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels [N, 3, 224, 224] in 0 to 1 -> the neuron's value, [N, 1]."""
        out: Tensor = self.neuron(*self.read(pixels))
        return out.amax((2, 3))

    def read(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The value [N, 1], and the share of it at each place, [N, 1, 28, 28]."""
        atoms = self.atoms(*self.perception(pixels))
        maps = self.concepts(atoms)
        value = self.join(self.terms(self.pool(maps)), maps, atoms[:, self._sizes], pixels)
        return value, self.spread(maps)
