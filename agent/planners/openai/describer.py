"""A describer behind a server of chat completions: a second role, which sees pictures alone.

It is given no question, no hypothesis and no activation, so that what it says cannot follow what
the planner hopes for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubel.agent import prompts
from hubel.agent.planner import PlannerFailed, whole
from hubel.agent.planners.openai.client import BadRequest, Client, Errand, Patience
from hubel.agent.planners.openai.pictures import data_url, small
from hubel.agent.records import LLMCall
from hubel.tools.spec import ToolError

if TYPE_CHECKING:
    from PIL import Image


class OpenAIDescriber:
    """Describes pictures by a model behind an OpenAI-compatible server.

    Args:
        name: ``openai/MODEL``.
        base_url: Of the server; the environment has it if left out.
        home: Folder of the ledger, where ``prices.json`` may lie.
        patience: How long requests are tried.

    Raises:
        ValueError: The name, the URL, the key or the file of prices is wrong or missing.
    """

    def __init__(
        self,
        name: str,
        base_url: str | None = None,
        home: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.name = name
        self._client = Client(name, base_url, home, patience)

    def describe(
        self,
        pictures: Sequence[Image.Image],
        record: Callable[[LLMCall], None],
        message: int,
        left: Mapping[str, float],
    ) -> str:
        """What the pictures have in common, in the model's words.

        Args:
            pictures: RGB.
            record: Records each request.
            message: Number of the step that asks.
            left: What is left of the study's budget: it ends with the seconds, and its tokens are
                estimated where they are limited and the server does not count them.

        Raises:
            ToolError: It gave no answer, takes no pictures, or has no price that a budget in
                dollars needs.
        """
        if "dollars" in left and self._client.price is None:
            raise ToolError(
                f"A budget in dollars needs a price of the describer: put one of "
                f"{self._client.endpoint.model} into prices.json in the ledger's folder."
            )
        errand = Errand(
            "describer",
            message=message,
            record=record,
            deadline=time.monotonic() + left.get("seconds", float("inf")),
            counted="tokens" in left or "dollars" in left,
            detail={"sent": len(pictures)},
        )
        chat: list[dict[str, Any]] = [
            {"role": "system", "content": prompts.DESCRIBER},
            {"role": "user", "content": [picture_part(picture) for picture in pictures]},
        ]
        try:
            answer = self._client.ask(chat, errand)
        except BadRequest as error:
            raise ToolError(f"{self.name} cannot describe these pictures: {error}") from None
        except PlannerFailed as error:
            raise ToolError(f"There is no description: {error}") from None
        if answer.status != "ok":
            why = answer.refusal or answer.finish or "no text"
            raise ToolError(f"{self.name} gave no description ({answer.status}: {why}).")
        return whole(answer.text.strip())


def picture_part(picture: Image.Image) -> dict[str, Any]:
    """A picture as a part of a message, as planners are shown them."""
    return {"type": "image_url", "image_url": {"url": data_url(small(picture))}}
