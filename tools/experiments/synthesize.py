"""Draw scenes: pictures of which it is known exactly what is in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hubel.tools.context import Context
from hubel.tools.imagery import pictographs
from hubel.tools.imagery.scenes import Scene, render, scene_having, truth
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import ToolError, tool
from hubel.tools.stimuli import picture_id

_MOST = 64
_MEASURES = {
    "stimuli": "ids of the pictures, all different",
    "scenes": "the scene graph of each; lengths are shares of the picture's side",
    "concepts": "the scene phrases that are true of each, all others being false",
    "pictographs": "whether pictographs could be drawn, or geometric shapes only",
}


@tool(kind="stimulus")
def synthesize(
    ctx: Context,
    n: Annotated[int, Field(ge=1, le=_MOST)] = 8,
    having: list[str] = [],  # noqa: B006 - copied by the schema, never changed
    lacking: list[str] = [],  # noqa: B006
    scenes: Annotated[list[Scene], Field(min_length=1, max_length=_MOST)] | None = None,
) -> Result:
    """Draw scenes with objects, patterns and text, random ones or exactly as described.

    What phrases leave open is drawn at random: number, colours, textures, sizes, places,
    background. A scene has all phrases of `having` and none of `lacking`, say `red circle`,
    `striped object`, `large object`, `object at the left`, `two objects`, `text`, `animal` or
    `blue background`. Where there are not as many different scenes, fewer come back.

    Args:
        ctx: Where the tool runs.
        n: How many; not looked at if `scenes` are given.
        having: Phrases that are to be true of each scene.
        lacking: Phrases that are to be false of each scene.
        scenes: Scenes to draw exactly as given, instead of random ones.
    """
    if scenes is not None and (having or lacking):
        raise ToolError("Give scenes, or phrases that they have and lack, not both.")
    drawn = _random(ctx, n, having, lacking) if scenes is None else scenes
    made: dict[str, tuple[Artifact, Scene]] = {}
    for scene in drawn:
        picture = render(scene)
        if picture_id(picture) not in made:
            about = {"kind": "scene", "scene": scene.to_json()}
            made[picture_id(picture)] = (ctx.store.put(picture, about, "stimulus"), scene)
    return Result(
        values={
            "stimuli": [artifact.id for artifact, _ in made.values()],
            "scenes": [scene.to_json() for _, scene in made.values()],
            "concepts": [list(truth(scene)) for _, scene in made.values()],
            "pictographs": pictographs.installed(),
        },
        measures=_MEASURES,
        metric="none: pictures are made",
        seed=ctx.seed if scenes is None else None,
        artifacts=[artifact for artifact, _ in made.values()],
    )


def _random(ctx: Context, n: int, having: list[str], lacking: list[str]) -> list[Scene]:
    """At most `n` different scenes."""
    rng = ctx.rng()
    found: dict[Scene, None] = {}
    for _ in range(3 * n):
        if len(found) < n:
            ctx.report(len(found), n, "scenes composed")
            found[scene_having(rng, having, lacking)] = None
    return list(found)
