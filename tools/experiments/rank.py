"""Which units of a network respond to a concept: all of them on the same minimal pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from hubel.tools import contrast
from hubel.tools.context import BATCH, Context
from hubel.tools.heatmap import grid, overlay
from hubel.tools.imagery.naming import phrase_for
from hubel.tools.imagery.pairs import flaw, without_phrase
from hubel.tools.imagery.scenes import Scene, render, scene_having
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import ToolError, tool

#: False discoveries among the units that are called confirmed.
FDR = 0.05

_MEASURES = {
    "phrase": "the concept as scenes know it",
    "units": "the units whose activation falls most when the concept is taken away, the strongest "
    "first, chosen on one half of the pairs and measured on the other: mean fall with its 95% "
    "interval, in_sd (in standard deviations of the unit over these pictures), effect size d, "
    "permutation p, p_adjusted (false discovery rate over the units listed); confirmed where "
    f"p_adjusted is at most {FDR} and the fall is positive; figure, the picture with the concept "
    "on which it fell most, with its activation map",
    "ranked": "units that were compared",
    "pairs": "[pairs on which the units were chosen, fresh pairs on which they were measured]",
    "changed": "factor -> in how many pairs it was the one that changed",
    "example": "ids of a scene with the concept, and the same without",
}


@dataclass(frozen=True, slots=True)
class _Pair:
    """A scene with the concept and the same scene without; the factor that differs."""

    present: Image.Image
    absent: Image.Image
    scenes: tuple[Scene, Scene]
    factor: str


@tool(kind="input intervention", audience="host")
def rank(
    ctx: Context,
    concept: str,
    sites: list[str] = [],  # noqa: B006 - copied by the schema, never changed
    n: Annotated[int, Field(ge=1, le=50)] = 10,
    pairs: Annotated[int, Field(ge=16, le=256)] = 64,
) -> Result:
    """Find the units that respond to a concept, by taking it away from scenes that have it.

    Every unit of the sites is measured on the same minimal pairs: scenes with the concept, and the
    same scenes with the smallest change that takes it away. Units are chosen by the lower end of
    their standardised fall on the first half of the pairs; what is told of them was measured on
    the second half, which had no part in choosing them.

    Args:
        ctx: Where the tool runs.
        concept: What scenes can show, in plain words: stripes, a red circle, dogs.
        sites: Where to look; the main sites if there are none.
        n: How many units to list at most.
        pairs: Minimal pairs, half of them to choose by.
    """
    phrase = phrase_for(concept)
    names = [ctx.target.site(name).name for name in sites or ctx.target.main_sites]
    made = _pairs(ctx, phrase, pairs)
    present = _measure(ctx, [p.present for p in made], names, "scenes with it")
    absent = _measure(ctx, [p.absent for p in made], names, "scenes without it")
    half = len(made) // 2
    units = [f"{name}:{i}" for name in names for i in range(ctx.target.site(name).units)]
    score = _least_fall(present[:half], absent[:half])
    chosen = [int(i) for i in np.argsort(-score, kind="stable")[:n] if score[i] > 0]
    example = [_kept(ctx, made[0], which) for which in (0, 1)]
    listed, artifacts = [], example[:]
    for i in chosen:
        with_it, without = present[half:, i], absent[half:, i]
        spread = float(np.concatenate([with_it, without]).std())
        found = contrast.paired(with_it.tolist(), without.tolist(), ctx.seed)
        shown = _figure(ctx, units[i], made[half + int(np.argmax(with_it - without))])
        artifacts += shown
        listed.append(
            {
                "unit": units[i],
                **found.to_json(),
                "in_sd": found.mean / spread if spread > 0 else None,
                "figure": shown[-1].id if shown else None,
            }
        )
    adjusted = contrast.adjusted([one["p"] for one in listed])
    for one, p in zip(listed, adjusted, strict=True):
        one |= {"p_adjusted": p, "confirmed": p <= FDR and one["mean"] > 0}
    return Result(
        values={
            "phrase": phrase,
            "units": listed,
            "ranked": len(units),
            "pairs": [half, len(made) - half],
            "changed": _counted([p.factor for p in made]),
            "example": [artifact.id for artifact in example],
        },
        measures=_MEASURES,
        metric="fall of activation (maximum over positions)",
        counterfactual="minimal pairs",
        seed=ctx.seed,
        artifacts=list({artifact.id: artifact for artifact in artifacts}.values()),
    )


def _pairs(ctx: Context, phrase: str, n: int) -> list[_Pair]:
    """Minimal pairs whose pictures show what is said of them."""
    rng = ctx.rng()
    made: list[_Pair] = []
    for _ in range(4 * n):
        if len(made) == n:
            break
        ctx.report(len(made), n, "pairs of scenes drawn")
        scene = scene_having(rng, [phrase])
        try:
            other, change = without_phrase(scene, phrase, rng)
        except ToolError:
            continue
        pictures = render(scene), render(other)
        if flaw(scene, other, *pictures) is None:
            made.append(_Pair(*pictures, (scene, other), change["factor"]))
    if len(made) < n:
        raise ToolError(
            f"Only {len(made)} of {n} scenes with '{phrase}' could be changed into ones without it "
            "in a single factor: ask for fewer pairs, or for a simpler concept."
        )
    return made


def _measure(
    ctx: Context, images: list[Image.Image], sites: list[str], what: str
) -> NDArray[np.float32]:
    """Activation of every unit: its maximum over positions, [pictures, units of all sites]."""
    rows = []
    for number, batch in enumerate(ctx.batches(images)):
        ctx.report(min(BATCH * number, len(images)), len(images), what)
        kept = ctx.target.capture(batch, sites).sites
        outputs = [kept[name].float() for name in sites]
        flat = [o.flatten(2).amax(dim=-1) if o.ndim > 2 else o for o in outputs]
        rows.append(np.concatenate([part.cpu().numpy() for part in flat], axis=1))
    return np.concatenate(rows)


def _least_fall(present: NDArray[Any], absent: NDArray[Any]) -> NDArray[np.float64]:
    """The lower end of each unit's fall (one standard error), in its own standard deviations.

    Args:
        present: [pairs, units].
        absent: [pairs, units].
    """
    change = (present - absent).astype(np.float64)
    spread = np.concatenate([present, absent]).astype(np.float64).std(axis=0)
    least = change.mean(axis=0) - change.std(axis=0, ddof=1) / np.sqrt(len(change))
    out: NDArray[np.float64] = np.zeros_like(least)
    np.divide(least, spread, out=out, where=spread > 1e-12)
    return out


def _figure(ctx: Context, unit: str, pair: _Pair) -> list[Artifact]:
    """The pair's first picture, and it with the unit's map; nothing where a unit has no places."""
    found = ctx.maps(unit, [pair.present])[0]
    if grid(found) is None:
        return []
    artifact = _kept(ctx, pair, 0)
    about = {"kind": "figure", "of": artifact.id, "unit": unit, "activation": float(found.max())}
    low, high = min(0.0, float(found.min())), float(found.max())
    return [artifact, ctx.store.put(overlay(pair.present, found, (low, high)), about, "figure")]


def _kept(ctx: Context, pair: _Pair, which: int) -> Artifact:
    picture = (pair.present, pair.absent)[which]
    about = {"kind": "scene", "scene": pair.scenes[which].to_json()}
    return ctx.store.put(picture, about, "stimulus")


def _counted(factors: list[str]) -> dict[str, int]:
    return {factor: factors.count(factor) for factor in sorted(set(factors))}
