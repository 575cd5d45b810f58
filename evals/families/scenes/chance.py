"""Chance that a picture decides: the same pixels and the same seed draw the same."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import Tensor


class Chance:
    """Numbers drawn by the hash of a picture.

    A network is a function: clean and corrupted runs on one picture share their noise, a batch
    gives what its pictures give alone, and a replayed experiment repeats. Where a new draw is
    wanted for each presentation, as FIND's noise has it (Schwettmann et al. 2023), whoever holds
    the network calls `again`.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._presented: int | None = None

    def again(self, presented: int) -> None:
        """From now on draw by the place in the order of presentations too, counted from here."""
        self._presented = presented

    def __call__(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures [N, 3, H, W] in 0 to 1 -> a standard normal number and one in [0, 1), [N, 1]."""
        whole = (pixels.detach() * 255).round().to(torch.uint8).cpu().numpy()
        drawn = []
        for picture in whole:
            salt = f"{self._seed} {self._presented}".encode()
            digest = hashlib.blake2b(picture.tobytes(), digest_size=16, key=salt).digest()
            rng = np.random.default_rng(int.from_bytes(digest))
            drawn.append((rng.normal(), rng.random()))
            if self._presented is not None:
                self._presented += 1
        numbers = torch.tensor(drawn, dtype=pixels.dtype, device=pixels.device).reshape(-1, 2)
        return numbers[:, :1], numbers[:, 1:]
