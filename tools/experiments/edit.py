"""Change pictures by an instruction, so that original and edit are a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

import numpy as np
from PIL import Image
from pydantic import Field

from hubel.tools.context import Context, StimulusId
from hubel.tools.imagery import pillow
from hubel.tools.imagery.operations import Instruction
from hubel.tools.imagery.pairs import differences, flaw
from hubel.tools.imagery.scenes import Scene, render, truth
from hubel.tools.imagery.steps import STEPS, step
from hubel.tools.imagery.truth import find
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import ToolError, tool

if TYPE_CHECKING:
    AnyInstruction = Instruction
else:
    _models = (*STEPS.models.values(), *pillow.EDITS.models.values())
    AnyInstruction = Annotated[Union[_models], Field(discriminator="op")]  # noqa: UP007

_MEASURES = {
    "stimuli": "ids of the edited pictures",
    "parents": "id of the picture that each was made from, in the same order",
    "changed": "what differs between each and its parent: pixels, the share of pixels; mean, the "
    "mean absolute difference as a share of the range of values; of scenes also the factor, the "
    "number of the thing, the values before and after, and the phrases gained and lost",
    "rejected": "pictures of which no edit came back, each with the reason",
}


@tool(kind="stimulus")
def edit(
    ctx: Context,
    stimuli: Annotated[list[StimulusId], Field(min_length=1, max_length=64)],
    instruction: AnyInstruction,
) -> Result:
    """Change pictures, one thing about each; the edit and its parent are a minimal pair.

    Any picture: hue, saturation, brightness, contrast, blur, noise, greyscale, jpeg, occlude and
    background (these in a region too: `box`, or `thing` of a scene), rotate, flip, crop. Scenes,
    by what they hold: with, without (a phrase made true or false by the smallest change), set
    (one factor of one thing), remove, add, set_background, set_text. Every edit of a scene is
    checked on the drawn pixels; what fails is not passed on but counted as rejected.

    Args:
        ctx: Where the tool runs.
        stimuli: The pictures to change.
        instruction: What to do to each, such as {"op": "hue", "degrees": 120} or {"op": "with",
            "phrase": "red circle"} or {"op": "set", "thing": 0, "factor": "colour", "value":
            "blue"}.
    """
    parents = [ctx.store.artifact(s) for s in stimuli]
    scenes = [_scene(parent) for parent in parents]
    if instruction.op in STEPS.models:
        _check_scenes(instruction, parents, scenes)
    rng = ctx.rng()
    made: list[Artifact] = []
    kept: list[str] = []
    changed: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    for number, (parent, scene) in enumerate(zip(parents, scenes, strict=True)):
        ctx.report(number, len(parents), "pictures edited")
        try:
            artifact, change = _edit(ctx, parent, scene, instruction, rng)
        except ToolError as error:
            rejected.append({"stimulus": parent.id, "why": str(error)})
            continue
        made.append(artifact)
        kept.append(parent.id)
        changed.append(change)
    if not made:
        raise ToolError(f"None of the pictures could be edited; the first: {rejected[0]['why']}")
    return Result(
        values={
            "stimuli": [artifact.id for artifact in made],
            "parents": kept,
            "changed": changed,
            "rejected": rejected,
        },
        measures=_MEASURES,
        metric="none: pictures are made",
        counterfactual="the parent of each picture",
        seed=ctx.seed,
        artifacts=made,
    )


def _edit(
    ctx: Context,
    parent: Artifact,
    scene: Scene | None,
    instruction: Instruction,
    rng: np.random.Generator,
) -> tuple[Artifact, dict[str, Any]]:
    """Make one picture; refuse it if it is not what was asked for."""
    before = ctx.store.image(parent.id)
    about = {
        "kind": "edit",
        "parent": parent.id,
        "instruction": instruction.model_dump(mode="json", exclude_unset=True),
    }
    changed: dict[str, Any] = {}
    if scene is not None and instruction.op in STEPS.models:
        new = step(scene, instruction, rng)
        after = render(new)
        changed = _checked(scene, new, before, after, instruction)
        about["scene"] = new.to_json()
    else:
        after = pillow.apply(before, instruction, scene)
    changed |= pillow.measure(before, after)
    if changed["pixels"] == 0:
        raise ToolError(f"{instruction.op} changes nothing about this picture.")
    return ctx.store.put(after, {**about, "changed": changed}, "stimulus"), changed


def _checked(
    old: Scene, new: Scene, before: Image.Image, after: Image.Image, instruction: Instruction
) -> dict[str, Any]:
    """What a step changed, after checking that it is one factor and shows on the pixels."""
    wrong = flaw(old, new, before, after)
    if wrong is not None:
        raise ToolError(f"{instruction.op} fails on this scene: {wrong}.")
    change = differences(old, new)[0]
    was, now = truth(old), truth(new)
    return {
        **change,
        "gained": [p for p in now if p not in was],
        "lost": [p for p in was if p not in now],
    }


def _scene(artifact: Artifact) -> Scene | None:
    """The scene that a picture shows exactly, if it does."""
    graph = artifact.provenance.get("scene")
    return None if graph is None else Scene.from_json(graph)


def _check_scenes(
    instruction: Instruction, parents: list[Artifact], scenes: list[Scene | None]
) -> None:
    phrase = getattr(instruction, "phrase", None)
    if phrase is not None:
        find(phrase)
    for parent, scene in zip(parents, scenes, strict=True):
        if scene is None:
            raise ToolError(
                f"'{instruction.op}' edits scenes, and picture '{parent.id[:12]}' shows none: use "
                f"one of {', '.join(pillow.EDITS.models)}."
            )
