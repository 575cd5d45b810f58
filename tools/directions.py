"""Directions: rows of a safetensors file on which a site's output is projected."""

from __future__ import annotations

import math

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from hubel.tools.spec import ToolError


def read_direction(path: str, row: int, channels: int) -> Tensor:
    """One row of the tensor ``directions`` [rows, channels] of a file, at length one: [channels].

    Raises:
        ToolError: The file is missing or unreadable, has no such row, does not fit the site, or
            the row has no direction.
    """
    try:
        rows = load_file(path)["directions"]
    except (OSError, SafetensorError, KeyError) as error:
        raise ToolError(
            f"'{path}' cannot be read as directions ({type(error).__name__}): save a tensor "
            "'directions' of shape [rows, channels] with safetensors."
        ) from None
    if rows.ndim != 2 or rows.shape[1] != channels or row >= rows.shape[0]:
        raise ToolError(
            f"'{path}' holds directions of shape {tuple(rows.shape)}; row {row} at this site needs "
            f"[more than {row}, {channels}]."
        )
    wanted = rows[row].double()
    length = float(torch.linalg.vector_norm(wanted))
    if not 0 < length < math.inf:
        raise ToolError(f"Row {row} of '{path}' has length {length}: it gives no direction.")
    return (wanted / length).float()


def count_directions(path: str) -> int:
    """Number of rows of a directions file.

    Raises:
        OSError: The file is missing.
    """
    with safe_open(path, framework="pt") as file:
        return int(file.get_slice("directions").get_shape()[0])
