"""Random directions: units that read a real site, mixed by no rule."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file


def random_directions(path: Path, channels: int, rows: int, seed: int) -> None:
    """Write a file of random directions, for units named ``SITE@PATH:ROW``.

    A direction drawn evenly from the sphere mixes whatever features the channels hold; a method
    that finds as much meaning in it as in channels has not found that channels are special.

    Args:
        path: A safetensors file; gets one tensor ``directions``, [rows, channels], rows of length
            one.
        channels: Channels of the site.
        rows: How many directions.
        seed: Draws them.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(rows, channels, generator=generator, dtype=torch.float64)
    directions = torch.nn.functional.normalize(drawn, dim=1).float()
    save_file({"directions": directions}, str(path))
