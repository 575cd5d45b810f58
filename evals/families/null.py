"""`null:BASE`: another target with a channel of pure noise at the end of each main site.

The null unit of a site is ``<site>:<C>``, C being the number of real channels. It is made to differ
from its neighbours in one thing only, that it has nothing to do with the picture:

- its activations have the distribution of a real channel of that site, its twin, drawn by the seed
  among those that vary: quantiles of the twin's activations on the reference pictures;
- its maps are the twin's maps on other pictures, mirrored and rolled at random, so they are as
  smooth, as sparse and as large as a real channel's;
- asked twice about one picture it answers the same: the draw is seeded by a hash of the input.
  Another picture, be it one pixel that is changed, is another draw.

A claim about such a unit is a false discovery, and is counted as one: among the units of an audit,
the share of null units given a meaning estimates how often noise passes for one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hubel.evals.families.reference import batches
from hubel.tools.spec import ToolError
from hubel.tools.target import Plant, Target
from hubel.tools.targets.opening import open_target

#: Channels looked at for a twin that varies.
CANDIDATES = 8


def load(argument: str, device: str) -> Target:
    """Open a target and plant the null channels.

    Args:
        argument: The target to plant them in.
        device: Where it runs.

    Raises:
        ToolError: The base cannot be opened, or no channel of its main sites varies.
    """
    if not argument:
        raise ToolError("'null' needs the target to plant null channels in, as in 'null:demo'.")
    return plant(open_target(argument, device), f"null:{argument}")


def plant(target: Target, name: str, seed: int = 0) -> Target:
    """A target with a null channel at each of its main sites where a channel varies.

    Args:
        target: The base.
        name: The new target's name.
        seed: Draws the twins and the noise.

    Raises:
        ToolError: The base has planted channels already, or no channel of its main sites varies.
    """
    if target.planted:
        raise ToolError(f"'{target.name}' has planted channels already.")
    rng = np.random.default_rng(seed)
    chosen = {
        site: rng.permutation(target.site(site).units)[:CANDIDATES] for site in target.main_sites
    }
    digests = _Digests()
    planted: dict[str, Plant] = {}
    for site, maps in _maps(target, chosen).items():
        varying = [c for c in range(maps.shape[1]) if _varies(maps[:, c])]
        if varying:
            planted[site] = _Noise.like(maps[:, varying[0]], f"{seed} {site}", digests)
    if not planted:
        raise ToolError(f"'{target.name}' has no main site with a channel that varies.")
    return target.derived(name, planted=planted, identity=f"null {seed}")


def null_units(target: Target) -> list[str]:
    """The names of a target's null units, in the order of its sites."""
    return [f"{site}:{target.site(site).units - 1}" for site in target.planted]


def _maps(target: Target, chosen: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.float32]]:
    """Maps of the chosen channels on the reference pictures: [pictures, channels, positions...]."""
    kept: dict[str, list[NDArray[np.float32]]] = {site: [] for site in chosen}

    def keeper(site: str) -> Callable[[Tensor], None]:
        def keep(output: Tensor) -> None:
            channels = torch.as_tensor(chosen[site], device=output.device)
            kept[site].append(output[:, channels].float().cpu().numpy())

        return keep

    for batch in batches(target):
        target.observe(batch, {site: keeper(site) for site in chosen})
    return {site: np.concatenate(parts) for site, parts in kept.items()}


def _varies(maps: NDArray[np.float32]) -> bool:
    """Whether at least half of the pictures have an activation of their own."""
    maxima = maps.reshape(len(maps), -1).max(axis=1)
    return bool(np.isfinite(maxima).all()) and 2 * len(np.unique(maxima)) >= len(maxima)


class _Digests:
    """A hash of each picture of an input batch, computed once for all sites of a pass."""

    def __init__(self) -> None:
        self._inputs: Tensor | None = None
        self._version: int | None = None
        self._digests: list[bytes] = []

    def __call__(self, inputs: Tensor) -> Sequence[bytes]:
        # Buffers are used again: torch counts how often one was written to, save in inference mode.
        version = None if inputs.is_inference() else inputs._version
        if inputs is not self._inputs or version is None or version != self._version:
            pixels = inputs.detach().float().cpu().contiguous().numpy()
            self._digests = [hashlib.blake2b(p.tobytes(), digest_size=32).digest() for p in pixels]
            self._inputs, self._version = inputs, version
        return self._digests


@dataclass(frozen=True, slots=True)
class _Noise:
    """A null channel.

    Attributes:
        maps: The twin's maps on the reference pictures, by rising maximum: [R, positions...].
        maxima: Their maxima, [R].
        salt: Tells the site's draws from other sites'.
    """

    maps: NDArray[np.float32]
    maxima: NDArray[np.float32]
    salt: bytes
    digests: _Digests

    @classmethod
    def like(cls, maps: NDArray[np.float32], salt: str, digests: _Digests) -> _Noise:
        """The null channel whose twin has these maps on the reference pictures."""
        maxima = maps.reshape(len(maps), -1).max(axis=1)
        order = np.argsort(maxima, kind="stable")
        return cls(maps[order], maxima[order], salt.encode(), digests)

    def __call__(self, inputs: Tensor, output: Tensor) -> Tensor:
        """Inputs and the site's output [N, C, positions...] -> noise, [N, 1, positions...]."""
        drawn = np.stack([self._draw(digest) for digest in self.digests(inputs)])
        return torch.from_numpy(drawn)[:, None].to(output)

    def _draw(self, digest: bytes) -> NDArray[np.float32]:
        """One map: its maximum is a quantile at random, its shape that of the map next above."""
        mixed = hashlib.blake2b(digest + self.salt, digest_size=16).digest()
        rng = np.random.default_rng(int.from_bytes(mixed))
        place = rng.random() * (len(self.maxima) - 1)
        level = np.interp(place, np.arange(len(self.maxima)), self.maxima)
        made = self.maps[int(np.ceil(place))]
        for axis, size in enumerate(made.shape):
            made = np.roll(made, rng.integers(size), axis)
            made = np.flip(made, axis) if rng.random() < 0.5 else made
        low, high = float(made.min()), float(made.max())
        if level <= low:
            return np.full_like(made, level)
        scaled = low + (made - low) * ((level - low) / (high - low))
        drawn: NDArray[np.float32] = np.minimum(scaled, level).astype(np.float32)
        return drawn
