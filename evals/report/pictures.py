"""Pictures of neurons over scenes: where the truth is high, and where it is low."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
from markupsafe import Markup

from hubel.agent.wording import number as shown
from hubel.evals import bench

#: The suite whose inputs are scenes.
SUITE = "scenes"
#: Pictures of each end, the scenes that they are chosen from, and their side on the page.
EACH, FROM, SIDE = 2, 120, 128

_PICTURE = Markup('<img class="sheet" alt="{}" width="{}" height="{}" src="{}">')


@cache
def pictures(seed: int, number: int) -> list[tuple[Markup, str]]:
    """Scenes at both ends of a neuron, drawn again from its seed.

    Args:
        seed: Of the suite.
        number: Of the neuron.

    Returns:
        Pictures with the activation that the written rule has there, highest first.
    """
    unit = bench.neuron(SUITE, seed, number)
    drawn, strata = unit.draw(FROM, np.random.default_rng([seed, number, 0xF1]))
    scenes = [x for x, s in zip(drawn, strata, strict=True) if s == "global"]
    values = [0.0 if y is None else float(y) for y in unit.truth(scenes)]
    order = sorted(range(len(scenes)), key=lambda k: (-values[k], k))
    ends = [*order[:EACH], *order[max(EACH, len(order) - EACH) :]]
    captions = [f"truth {shown(values[k])}" for k in ends]
    return [(_drawn(scenes[k], words), words) for k, words in zip(ends, captions, strict=True)]


def _drawn(scene: object, words: str) -> Markup:
    from hubel.evals.families.scenes.suite import opened
    from hubel.tools.imagery.render import render

    data = io.BytesIO()
    render(opened(scene)).convert("RGB").resize((SIDE, SIDE)).save(data, "PNG", optimize=True)
    address = f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode('ascii')}"
    return _PICTURE.format(f"Scene, {words}", SIDE, SIDE, address)
