"""Which properties of a picture a unit hangs on: its change under a fixed list of edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hubel.tools import contrast
from hubel.tools.context import Context, StimulusId, UnitName
from hubel.tools.imagery import pillow
from hubel.tools.interventions import distinct
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import tool

Instruction = dict[str, Any]

#: The edits, by name. Those measured in pixels scale with the picture's shorter side.
STANDARD: dict[str, Callable[[int], Instruction]] = {
    "hue turned by 120 degrees": lambda _side: {"op": "hue", "degrees": 120},
    "hue turned by 240 degrees": lambda _side: {"op": "hue", "degrees": 240},
    "greyscale": lambda _side: {"op": "greyscale"},
    "saturation doubled": lambda _side: {"op": "saturation", "factor": 2},
    "brightness halved": lambda _side: {"op": "brightness", "factor": 0.5},
    "brightness raised by half": lambda _side: {"op": "brightness", "factor": 1.5},
    "contrast halved": lambda _side: {"op": "contrast", "factor": 0.5},
    "contrast raised by half": lambda _side: {"op": "contrast", "factor": 1.5},
    "blur": lambda side: {"op": "blur", "radius": max(1.0, side / 64)},
    "noise": lambda _side: {"op": "noise", "sd": 25},
    "jpeg of low quality": lambda _side: {"op": "jpeg", "quality": 10},
    "turned by 90 degrees": lambda _side: {"op": "rotate", "degrees": 90},
    "upside down": lambda _side: {"op": "flip", "axis": "top-bottom"},
    "mirrored": lambda _side: {"op": "flip", "axis": "left-right"},
    "enlarged twofold": lambda _side: {"op": "crop", "box": [0.25, 0.25, 0.75, 0.75]},
    "faint noise (control)": lambda _side: {"op": "noise", "sd": 1},
}

_MEASURES = {
    "baseline": "activation on each unedited picture",
    "edits": "edits, the largest mean effect first: change of activation for each picture; its "
    "contrast with the unedited pictures (p_adjusted: false discovery rate over the edits); "
    "changed, the mean absolute change of the pixels as a part of their range, null where the "
    "edit changes the size; example, ids of the picture changed most, before and after. An effect "
    "no larger than that of the faint noise is none",
}


@dataclass(frozen=True, slots=True)
class _Tried:
    """One edit carried out on every picture."""

    name: str
    instructions: list[Instruction]
    images: list[Image.Image]
    activation: NDArray[Any]
    contrast: contrast.Contrast


@tool(kind="input intervention")
def profile(ctx: Context, unit: UnitName, stimuli: list[StimulusId]) -> Result:
    """Measure how a unit's activation changes under standard edits of pictures.

    Hue, saturation, brightness, contrast, blur, noise, compression, turning, mirroring and
    enlarging, each alone. After Nauta et al., "This Looks Like That, Because ..." (2021), who
    explain prototypes by the change of their similarity under such edits. Pictures that were
    chosen for their high activation fall under nearly any edit: compare the edits with each other
    there, or choose pictures by what they show.

    Args:
        ctx: Where the tool runs.
        unit: The unit to measure.
        stimuli: Pictures to edit; the unit has to be active on some of them.
    """
    distinct(stimuli, "stimuli")
    parsed = str(ctx.target.unit(unit))
    images = ctx.images(stimuli)
    before = ctx.activations(parsed, images)
    tried = []
    for number, name in enumerate(STANDARD):
        ctx.report(number, len(STANDARD), "edits tried")
        tried.append(_try(ctx, parsed, name, images, before))
    adjusted = contrast.adjusted([t.contrast.p for t in tried])
    order = np.argsort([-abs(t.contrast.mean) for t in tried], kind="stable")
    listed, artifacts = [], []
    for i in (int(n) for n in order):
        example, about = _example(ctx, stimuli, images, before, tried[i])
        artifacts.append(example)
        listed.append(_summary(images, before, tried[i], adjusted[i]) | {"example": about})
    return Result(
        values={"baseline": before.tolist(), "edits": listed},
        measures=_MEASURES,
        metric="change of activation (maximum over positions)",
        counterfactual="the same pictures unedited",
        seed=ctx.seed,
        artifacts=artifacts,
    )


def _try(
    ctx: Context, unit: str, name: str, images: list[Image.Image], before: NDArray[Any]
) -> _Tried:
    instructions, edited = [], []
    for number, image in enumerate(images):
        instruction = STANDARD[name](min(image.size))
        if instruction["op"] == "noise":
            instruction["seed"] = (ctx.seed + number) % 2**32
        model = pillow.EDITS.models[instruction["op"]].model_validate(instruction)
        instructions.append(model.model_dump(mode="json", exclude_none=True))
        edited.append(pillow.apply(image, model))
    after = ctx.activations(unit, edited)
    found = contrast.paired(after.tolist(), before.tolist(), ctx.seed)
    return _Tried(name, instructions, edited, after, found)


def _summary(
    images: list[Image.Image], before: NDArray[Any], tried: _Tried, adjusted: float
) -> dict[str, Any]:
    pairs = zip(images, tried.images, strict=True)
    changed = [pillow.measure(old, new)["mean"] for old, new in pairs]
    return {
        "edit": tried.name,
        "instruction": tried.instructions[0],
        "change": (tried.activation - before).tolist(),
        "contrast": {**tried.contrast.to_json(), "p_adjusted": adjusted},
        "changed": None if None in changed else float(np.mean(changed)),
    }


def _example(
    ctx: Context,
    stimuli: list[str],
    images: list[Image.Image],
    before: NDArray[Any],
    tried: _Tried,
) -> tuple[Artifact, dict[str, str]]:
    """The picture whose activation the edit changed most, kept as a stimulus."""
    most = int(np.abs(tried.activation - before).argmax())
    provenance = {
        "kind": "edit",
        "parent": stimuli[most],
        "instruction": tried.instructions[most],
        "changed": pillow.measure(images[most], tried.images[most]),
    }
    kept = ctx.store.put(tried.images[most], provenance, "stimulus")
    return kept, {"before": stimuli[most], "after": kept.id}
