"""`describe`: a second model looks at pictures, and never sees the hypotheses.

What it says is its word, not a measurement: no prediction and no conclusion may rest on it. It sees
the pictures as the experiment left them (masked, where it masked them), and neither activations nor
what the planner thinks: eyes and judgement are kept apart, as in ProReason (Zhou et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import pydantic

from hubel.agent.records import LLMCall
from hubel.tools.result import Result
from hubel.tools.spec import specify

if TYPE_CHECKING:
    from PIL import Image

    from hubel.tools.stimuli import PictureStore

#: Pictures shown at once.
MOST = 12


class Describer(Protocol):
    """Whoever looks at pictures."""

    @property
    def name(self) -> str:
        """Its name, as users type it."""
        ...

    def describe(
        self,
        pictures: Sequence[Image.Image],
        record: Callable[[LLMCall], None],
        message: int,
        left: Mapping[str, float],
    ) -> str:
        """What the pictures have in common.

        Args:
            pictures: RGB.
            record: Records each request to a language model.
            message: Number of the step that asks.
            left: What is left of the study's budget, as `hubel.agent.budget.Budget.left` has it.

        Raises:
            ToolError: It gave no answer; the message says why.
        """
        ...


@dataclass(frozen=True, slots=True)
class Gallery:
    """What a describer is shown pictures with."""

    describer: Describer
    store: PictureStore
    record: Callable[[LLMCall], None]
    message: int
    seed: int
    left: Mapping[str, float]


def describe(
    ctx: Gallery,
    pictures: Annotated[list[str], pydantic.Field(min_length=1, max_length=MOST)],
) -> Result:
    """Ask a fresh pair of eyes what pictures have in common.

    Another model sees the pictures alone: not their activations, not the question, not the
    hypotheses. Its text is a hint, not a measurement.

    Args:
        ctx: What it works with.
        pictures: Ids of pictures that results of this study named, at most 12.
    """
    shown = [ctx.store.image(picture) for picture in pictures]
    text = ctx.describer.describe(shown, ctx.record, ctx.message, ctx.left)
    return Result(
        values={"text": text, "by": ctx.describer.name},
        measures={"text": "what the describer says of the pictures: its word, not a measurement"},
        metric="words of a describer",
        seed=ctx.seed,
    )


#: What planners see of it.
SPEC = specify(describe, kind="computation")
