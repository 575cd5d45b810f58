"""What the tools that change the inside of a network share.

Changing one unit, units to compare it with, pictures to take activations from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from hubel.tools.context import Context
from hubel.tools.data import UnreadablePicture, held_out, readable
from hubel.tools.spec import ToolError
from hubel.tools.stimuli import picture_id
from hubel.tools.target import Edit, Target
from hubel.tools.units import Unit

#: Control units beside a unit that is changed.
CONTROLS = 5

#: Controls are drawn among so many times as many units, those nearest in activation.
_POOL = 3


def positions_last(output: Tensor) -> Tensor:
    """A captured output as [N, C, P], with all its positions on one axis."""
    return output.reshape(*output.shape[:2], -1)


def numbers(values: Tensor) -> NDArray[np.float64]:
    """A tensor as float64 numbers on the CPU."""
    return values.detach().double().cpu().numpy()


@dataclass(frozen=True, slots=True)
class Intact:
    """Plain runs on a list of pictures.

    Attributes:
        logits: [N, classes].
        activation: Mean activation of the unit that was asked about; 0 for none.
        channels: Mean activation of each channel of the site, [C].
    """

    logits: NDArray[np.float64]
    activation: float
    channels: list[float]


def intact(target: Target, site: str, unit: Unit | None, batches: Sequence[Tensor]) -> Intact:
    """Run the network as it is and see how active a unit and the channels beside it are."""
    logits, own, channels = [], [np.zeros(0)], []
    for batch in batches:
        seen = target.capture(batch, [site])
        output = seen.sites[site]
        logits.append(numbers(seen.logits))
        channels.append(numbers(positions_last(output).amax(dim=2)))
        if unit is not None:
            own.append(numbers(target.read(output, unit).reshape(len(batch), -1).amax(dim=1)))
    activation = float(np.concatenate(own).mean()) if unit is not None else 0.0
    means = np.concatenate(channels).mean(axis=0).tolist()
    return Intact(np.concatenate(logits), activation, means)


def put_unit(target: Target, unit: Unit, output: Tensor, value: float | Tensor) -> Edit:
    """The edit that gives a unit these activations and leaves the rest of its site alone.

    Args:
        target: The network.
        unit: A channel, or a direction (whose projection is moved along the direction).
        output: The site's output on the same inputs, [N, C, positions...].
        value: A number, or the unit's map, [N, positions...].
    """
    if unit.file is None:
        return Edit(unit.site, value, unit.index)
    direction = target.direction(unit).to(output)
    change = value - target.read(output, unit)
    return Edit(unit.site, torch.stack([change * w for w in direction], dim=1), how="add")


def matched_units(
    unit: Unit, activation: float, others: Sequence[float], rng: np.random.Generator
) -> list[Unit]:
    """Random channels of the same site that are about as active as the unit.

    Drawn among the channels nearest in mean activation. A direction is compared with channels too.

    Args:
        unit: The unit to match.
        activation: The unit's mean activation over the pictures.
        others: Mean activation of each channel of the site, [C].
        rng: What draws them.

    Returns:
        At most `CONTROLS` channels, in order; none where the unit is alone.
    """
    order = np.argsort(np.abs(np.asarray(others) - activation), kind="stable")
    pool = [int(i) for i in order if unit.file is not None or i != unit.index]
    pool = pool[: _POOL * CONTROLS]
    drawn = rng.permutation(len(pool))[:CONTROLS]
    return [Unit(unit.site, index) for index in sorted(pool[int(i)] for i in drawn)]


def discovery_pictures(
    ctx: Context, count: int, rng: np.random.Generator, without: Collection[str] = ()
) -> list[Image.Image]:
    """Random pictures of the half of the data set that planners may see.

    Args:
        ctx: Holds the data set.
        count: How many.
        rng: What draws them.
        without: Ids of pictures to leave out.

    Raises:
        ToolError: There are fewer than `count`.
    """
    seen = [i for i, hidden in enumerate(held_out(ctx.data)) if not hidden]
    excluded = {picture_id(image) for image in ctx.images(list(without))}
    found: list[Image.Image] = []
    for _, item in readable(ctx.data, (int(i) for i in rng.permutation(seen))):
        if len(found) == count:
            break
        if not isinstance(item, UnreadablePicture) and picture_id(item.image) not in excluded:
            found.append(item.image)
    if len(found) < count:
        raise ToolError(
            f"This needs {count} other pictures of the data set '{ctx.data.name}', which has "
            f"{len(found)} to give: name fewer stimuli or use a larger data set."
        )
    return found


def distinct(ids: Sequence[str], what: str) -> None:
    """Refuse an empty list, and one that counts a picture twice.

    Raises:
        ToolError: It is so.
    """
    if not ids:
        raise ToolError(f"'{what}' is empty: name at least one picture.")
    twice = next((i for n, i in enumerate(ids) if i in ids[:n]), None)
    if twice is not None:
        raise ToolError(f"'{what}' names the picture '{twice}' twice: name each once.")


def minimal_pairs(ctx: Context, a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether each picture of `a` is an edit of its fellow in `b`, or the other way round."""

    def parent(child: str) -> str | None:
        provenance = ctx.store.artifact(child).provenance
        return provenance.get("parent") if provenance.get("kind") == "edit" else None

    pairs = zip(a, b, strict=False)
    return len(a) == len(b) and all(parent(x) == y or parent(y) == x for x, y in pairs)
