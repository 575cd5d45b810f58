"""The held-out pictures on which an explanation is scored. Planners cannot call it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from hubel.tools.context import Context, UnitName
from hubel.tools.exemplars import SampleEntry, index_for
from hubel.tools.indexing.strata import LEAST
from hubel.tools.judged import item
from hubel.tools.result import Artifact, Result
from hubel.tools.sampled import MEASURES, table
from hubel.tools.spec import tool

#: Pictures that are kept for the report.
SHOWN = 12
#: Pictures that are measured a second time, and the noise that is laid on them, in grey levels.
REPEATED = 96
NOISE = 8.0


@tool(kind="observation", audience="host")
def held_out_sample(
    ctx: Context,
    unit: UnitName,
    n: Annotated[int, Field(ge=LEAST, le=2000)],
    phrases: list[str],
) -> Result:
    """Sample held-out pictures over a unit's whole range, judged for given concepts only.

    Args:
        ctx: Where the tool runs.
        unit: The unit.
        n: How many pictures.
        phrases: The concepts to judge the pictures for.
    """
    parsed = ctx.target.unit(unit)
    rng = ctx.rng()
    entries = index_for(ctx, unit).sample(parsed, n, rng, held_out=True)
    shown = _spread(len(entries), SHOWN)
    kept = [_keep(ctx, entries[at]) for at in shown]
    values = table(ctx, entries, phrases)
    values["shown"] = [
        {"at": at, "stimulus": artifact.id} for at, artifact in zip(shown, kept, strict=True)
    ]
    again = [entries[at] for at in _spread(len(entries), REPEATED)]
    values["repeat"] = _repeat(ctx, unit, again, rng)
    values["skipped"] = len(index_for(ctx, unit).skipped)
    return Result(
        values=values,
        measures={
            **MEASURES,
            "shown": "pictures that are kept: their place in the table and their id",
            "repeat": "weighted correlation with a second measurement of n of the pictures, under "
            f"pixel noise of {NOISE:g} grey levels; null where either is constant",
            "skipped": "pictures of the data set that could not be read",
        },
        metric="activation (maximum over positions)",
        seed=ctx.seed,
        artifacts=kept,
    )


def _spread(n: int, most: int) -> list[int]:
    """At most so many places of n, evenly spread."""
    return sorted({int(at) for at in np.linspace(0, n - 1, min(n, most)).round()})


def _keep(ctx: Context, entry: SampleEntry) -> Artifact:
    picture = item(ctx, entry.number)
    return ctx.store.put(picture.image, picture.provenance, "stimulus")


def _repeat(
    ctx: Context, unit: str, entries: Sequence[SampleEntry], rng: np.random.Generator
) -> dict[str, Any]:
    """How well the unit agrees with itself: what no explanation can be expected to exceed."""
    noisy = [_noisy(item(ctx, entry.number).image, rng) for entry in entries]
    first = np.array([entry.activation for entry in entries])
    second = ctx.activations(unit, noisy).astype(np.float64)
    weights = np.array([entry.weight for entry in entries])
    return {"pearson": _correlation(first, second, weights), "n": len(entries)}


def _noisy(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image.convert("RGB"), dtype=np.float64)
    noisy = pixels + rng.normal(0.0, NOISE, pixels.shape)
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def _correlation(x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any]) -> float | None:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    covariance = np.cov(x, y, aweights=weights, ddof=0)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
