"""A neuron as one more channel of the demo network, like its neighbours in scale and scatter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hubel.evals.families.null import CANDIDATES, _Digests, _Noise
from hubel.evals.families.reference import batches
from hubel.evals.families.scenes.wired import Wired, weights
from hubel.evals.families.scenes.wiring import Wiring
from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.targets.opening import open_target

#: Blocks of the demo network whose maps are coarse enough to be of things.
SITES = tuple(f"_blocks.{number}" for number in range(5, 16))

_SCATTER = 0.4  # of the twin's deviation: what has nothing to do with the rule
_LEAST = 0.04  # least variance of the rule's value: of a unit that is on for one picture in 25
_MEAN, _SPREAD = 127.0, 128.0  # of the demo network's preprocessing


class Plant:
    """A planted channel: (inputs, a site's output [N, C, H, W]) -> its maps [N, 1, H, W].

    Scatter, made as null channels are from a real channel's maps of other pictures, and the
    neuron's own map are added up so that activations have that channel's mean and deviation.

    Attributes:
        network: The wired network, which sees the same pictures.
    """

    def __init__(self, network: Wired, twin: NDArray[np.float32], salt: str) -> None:
        self.network = network
        self._scatter = _Noise.like(twin, salt, _Digests())
        constant = network.join.wiring.join in ("dead", "spikes")
        self._share = 0.0 if constant else _SCATTER
        self._gain, self._shift = 1.0, 0.0

    def fit(self, inputs: Sequence[Tensor], like: Tensor) -> None:
        """Scale to the mean and deviation of a real channel's activations, [pictures]."""
        values = torch.cat([self._seen(batch)[0] for batch in inputs])
        levels = torch.cat([self._scatter(batch, like).amax((2, 3)) for batch in inputs])
        spread = float(np.sqrt(max(_LEAST, float(values.var()))))
        self._gain = float(like.std()) * float(np.sqrt(1 - self._share**2)) / spread
        now = self._gain * values + self._share * levels  # the highest of its maps
        self._shift = float(like.mean() - now.mean())

    def __call__(self, inputs: Tensor, output: Tensor) -> Tensor:
        """The planted maps."""
        value, place = self._seen(inputs)
        place = functional.interpolate(place, size=output.shape[2:], mode="area")
        place = place / place.amax((2, 3), keepdim=True).clamp(min=1e-6)
        high = value[:, :, None, None] * self._gain
        own = high - high.abs() * (1 - place)
        scatter = self._scatter(inputs, output)
        # Only its level is added: where it is highest would else be where the rule's map is not.
        level = scatter.amax((2, 3), keepdim=True)
        return own + self._share * (level + (scatter - level) * (1 - place)) + self._shift

    def _seen(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The neuron's value [N, 1], and the share of it that each place has, [N, 1, 28, 28]."""
        pixels = ((inputs * _SPREAD + _MEAN) / 255).clamp(0, 1)
        return self.network.read(pixels)


@dataclass(frozen=True, slots=True)
class Planted:
    """The demo network with a planted neuron.

    Attributes:
        target: The network.
        unit: The neuron's name.
        plant: The neuron.
    """

    target: Target
    unit: str
    plant: Plant


def plant(wiring: Wiring, name: str, device: str = "cpu") -> Planted:
    """Plant a neuron at a site that its seed draws.

    Raises:
        ToolError: The demo network is not installed.
    """
    base = open_target("demo", device)
    rng = np.random.default_rng(wiring.seed)
    site = str(rng.choice(SITES))
    chosen = rng.permutation(base.site(site).units)[:CANDIDATES]
    inputs = list(batches(base))
    maps = torch.cat([base.capture(batch, [site]).sites[site][:, chosen] for batch in inputs])
    highest = maps.amax((2, 3))
    varying = [
        n for n in range(len(chosen)) if 2 * len(torch.unique(highest[:, n])) >= len(highest)
    ]
    if not varying:
        raise ToolError(f"No channel of '{site}' varies: no neuron can be planted there.")
    twin = varying[0]
    network = Wired(wiring, weights()).to(device)
    planted = Plant(network, maps[:, twin].cpu().numpy(), f"{wiring.seed} {site}")
    with torch.inference_mode():
        planted.fit(inputs, highest[:, twin])
    identity = json.dumps(wiring.to_json())
    target = base.derived(name, planted={site: planted}, identity=identity)
    return Planted(target, f"{site}:{base.site(site).units}", planted)
