"""The pictures that activate a unit most, with where, and what is in them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from hubel.tools.context import Context, UnitName
from hubel.tools.data import Item
from hubel.tools.exemplars import TOP, Entry, Index, index_for
from hubel.tools.heatmap import grid, overlay
from hubel.tools.indexing.reading import LEVELS
from hubel.tools.judged import item, judged
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import tool
from hubel.tools.stimuli import picture_id
from hubel.tools.units import Unit

#: Pictures that could not be read, of which the names are given.
_NAMED = 10

_MEASURES = {
    "stimuli": "id of each picture, the most active first; ties go to the first in the data set",
    "names": "name of each picture in the data set",
    "activation": "activation on each picture: the maximum of the unit's map over positions",
    "position": "[row, column] of that maximum as parts of the map, null where it has none",
    "labels": "class names of each picture, where the data set has any",
    "captions": "caption of each picture, null where it has none",
    "concepts": "phrase -> degree in (0, 1] for each picture",
    "statistics": "the unit over the discovery half: number of pictures, mean, standard deviation "
    "(sd), lowest (low) and highest (high) activation, share of pictures with exactly zero, "
    "pictures that share the highest (tied), whether it is constant; level -> quantile",
    "skipped": "pictures of the data set that were left out: how many, and name and reason of the "
    "first",
}


@tool(kind="observation")
def exemplars(ctx: Context, unit: UnitName, k: Annotated[int, Field(ge=1, le=TOP)] = 9) -> Result:
    """Show the pictures that activate a unit most, with heat-maps, and the unit's statistics.

    The pictures are those of the discovery half; one that is in the data twice is shown once.

    Args:
        ctx: Where the tool runs.
        unit: The unit.
        k: How many pictures.
    """
    parsed = ctx.target.unit(unit)
    index = index_for(ctx, unit)
    entries, pictures, stimuli = _distinct(ctx, index.top(parsed, TOP), k)
    maps = ctx.maps(str(parsed), [p.image for p in pictures])
    figures = _figures(ctx, str(parsed), [p.image for p in pictures], stimuli, maps)
    return Result(
        values={
            "stimuli": [stimulus.id for stimulus in stimuli],
            "names": [p.name for p in pictures],
            "activation": [entry.activation for entry in entries],
            "position": [entry.position and list(entry.position) for entry in entries],
            "labels": [list(p.labels) for p in pictures],
            "captions": [p.caption for p in pictures],
            "concepts": [j.concepts for j in judged(ctx, [e.number for e in entries])],
            "statistics": _statistics(index, parsed),
            "skipped": {"count": len(index.skipped), "first": index.skipped[:_NAMED]},
        },
        measures=_MEASURES,
        metric="activation (maximum over positions)",
        artifacts=[*stimuli, *figures],
    )


def _distinct(
    ctx: Context, entries: list[Entry], k: int
) -> tuple[list[Entry], list[Item], list[Artifact]]:
    """The first k entries whose pictures differ, the pictures, and the stored pictures."""
    found: dict[str, tuple[Entry, Item]] = {}
    for entry in entries:
        picture = item(ctx, entry.number)
        found.setdefault(picture_id(picture.image), (entry, picture))
        if len(found) == k:
            break
    pictures = [picture for _, picture in found.values()]
    stimuli = [ctx.store.put(p.image, p.provenance, "stimulus") for p in pictures]
    return [entry for entry, _ in found.values()], pictures, stimuli


def _statistics(index: Index, unit: Unit) -> dict[str, Any]:
    quantiles = zip(LEVELS, index.quantiles(unit), strict=True)
    return {
        **asdict(index.stats(unit)),
        "quantiles": {f"{level:g}": value for level, value in quantiles},
    }


def _figures(
    ctx: Context,
    unit: str,
    images: list[Image.Image],
    stimuli: list[Artifact],
    maps: list[NDArray[Any]],
) -> list[Artifact]:
    """Each picture under its activation map, on one scale from zero (or below) to the highest."""
    if grid(maps[0]) is None:
        return []
    span = (min(0.0, *(float(m.min()) for m in maps)), max(float(m.max()) for m in maps))
    made = []
    for image, stimulus, activation in zip(images, stimuli, maps, strict=True):
        about = {
            "kind": "figure",
            "of": stimulus.id,
            "unit": unit,
            "activation": float(activation.max()),
        }
        made.append(ctx.store.put(overlay(image, activation, span), about, "figure"))
    return made
