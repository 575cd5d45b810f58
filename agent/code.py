"""`run_python`: planner-written code, run in a cell. The one tool that the host carries out itself.

What the code says is its word, not a measurement: predictions and evidence rest on the tool calls
that it makes, which are experiments of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubel.sandbox.cells import CellLost, CellSession
from hubel.tools.result import Artifact, Result
from hubel.tools.spec import ToolError, specify

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from hubel.tools.stimuli import PictureStore


@dataclass(frozen=True, slots=True)
class Bench:
    """What a piece of code works with.

    Attributes:
        cells: Runs it; None where there is no sandbox.
        tools: The announced tools that it may call.
        call: Carries out one of its calls as an experiment; raises `CellRefused`.
        store: Keeps its pictures.
        origin: What is recorded of them.
        seed: The code finds it as ``seed``.
    """

    cells: CellSession | None
    tools: list[dict[str, Any]]
    call: Callable[[str, dict[str, Any]], dict[str, Any]]
    store: PictureStore
    origin: dict[str, Any]
    seed: int


def run_python(ctx: Bench, code: str) -> Result:
    """Run a Python script in a sandbox that holds no model, no network and no keys.

    The script may call every tool as ``tools.NAME(...)``, which counts as a call: the answer is a
    dictionary of the measured values, with ``.pictures`` (ids), ``.measures`` and ``.experiment``
    (its number, to cite as evidence); a refused call raises ``ToolError``. ``picture(id)`` gives a
    picture as a PIL image, ``keep(image)`` stores one and gives its id (pictures among a tool's
    arguments are stored in passing), ``show(image_or_figure, caption)`` puts one into the record,
    ``seed`` is the seed to use, and what is assigned to ``result`` comes back as JSON. numpy,
    scipy, Pillow and matplotlib are there. What a script computes is its word: predictions are
    tested, and conclusions rest, on the tool calls.

    Args:
        ctx: What it works with.
        code: The script.
    """
    if ctx.cells is None:
        raise ToolError(
            "run_python needs a sandbox, and this study runs with none: call the tools themselves."
        )
    made: list[Artifact] = []

    def keep(pixels: NDArray[Any]) -> str:
        made.append(ctx.store.put(_image(pixels), ctx.origin, "stimulus"))
        return made[-1].id

    try:
        ran = ctx.cells.run(code, ctx.call, ctx.tools, keep, {"seed": ctx.seed})
    except CellLost as loss:
        raise ToolError(str(loss)) from None
    for shown in ran.shown:
        kind = "figure" if shown.kind == "figure" else "stimulus"
        record = {**ctx.origin, "shown": shown.kind, "caption": shown.caption}
        made.append(ctx.store.put(_image(shown.pixels), record, kind))
    return Result(
        values={
            "ended": ran.status,
            "why": ran.why,
            "traceback": ran.traceback,
            "printed": ran.printed,
            "result": ran.value,
        },
        measures={
            "ended": "done; error: the code raised; limit: it was killed for passing one; lost",
            "why": "what ended it",
            "traceback": "where the code raised",
            "printed": "what it printed",
            "result": "what it assigned to `result`: its word, not a measurement",
        },
        metric="output of the code",
        seed=ctx.seed,
        artifacts=list({artifact.id: artifact for artifact in made}.values()),
    )


def origin(level: str) -> dict[str, Any]:
    """What is recorded of a picture that code made, in a sandbox of some level."""
    return {"kind": "code"} | ({"sandbox": "none"} if level == "unsafe" else {})


#: What planners see of it.
SPEC = specify(run_python, kind="computation")


def _image(pixels: NDArray[Any]) -> Image.Image:
    from PIL import Image

    return Image.fromarray(pixels)
