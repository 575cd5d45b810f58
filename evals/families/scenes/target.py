"""`synthetic:scenes/N`, `synthetic:planted/N` or `synthetic:FILE`: a neuron whose truth is known.

Only the wires are known here, not their meaning: see the package `hubel.evals.families.scenes`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hubel.evals.families.scenes.drawing import draw
from hubel.evals.families.scenes.wired import Wired, weights
from hubel.evals.families.scenes.wiring import Wiring
from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.targets.preprocessing import Squash

#: Pictures as the wired network takes them: 0 to 1.
PREPROCESS = Squash(224, 224, (0.0, 0.0, 0.0), (255.0, 255.0, 255.0))
#: The unit that is to be explained.
NEURON = "neuron:0"

_NAME = re.compile(r"(?P<place>scenes|planted)/(?:(?P<seed>\d+)/)?(?P<number>\d+)")


def load(argument: str, device: str) -> Target:
    """Open a neuron.

    Args:
        argument: ``scenes/N``, ``scenes/SEED/N`` (0 by default), the same with ``planted``, or a
            file that the evaluator wrote.
        device: Where it runs.

    Raises:
        ToolError: It is none of these.
    """
    place, wiring = _parse(argument)
    name = f"synthetic:{argument}"
    if place == "planted":
        from hubel.evals.families.scenes.planted import plant

        return plant(wiring, name, device).target
    return Target(
        name,
        Wired(wiring, weights()),
        PREPROCESS,
        main_sites=["neuron"],
        device=device,
        identity=json.dumps(wiring.to_json()),
    )


def _parse(argument: str) -> tuple[str, Wiring]:
    if argument.endswith(".json"):
        return _read(Path(argument).expanduser())
    match = _NAME.fullmatch(argument)
    if match is None:
        raise ToolError(
            f"There is no neuron 'synthetic:{argument}': write 'synthetic:scenes/17', "
            "'synthetic:planted/17', or a wiring's file, 'synthetic:wiring.json'."
        )
    held = weights()
    drawn = draw(held.joint, held.things, int(match["seed"] or 0), int(match["number"]))
    return match["place"], drawn.wiring


def _read(path: Path) -> tuple[str, Wiring]:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ToolError(f"'{path}' is no wiring that can be read: {error}.") from None
    if not isinstance(data, dict) or data.get("place") not in ("scenes", "planted"):
        raise ToolError(f"'{path}' is no wiring of a neuron.")
    return data["place"], Wiring.from_json(data.get("wiring", {}))
