"""A language model as the planner."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubel.agent.planner import PlannerFailed, Step, View
from hubel.agent.planners.openai import schemas
from hubel.agent.planners.openai.answers import Answer
from hubel.agent.planners.openai.client import Client, Errand, Patience
from hubel.agent.planners.openai.dialog import ROOMS, Dialog
from hubel.agent.planners.openai.failures import BadRequest, TooLong, about_pictures
from hubel.agent.planners.openai.modes import Way, find_way
from hubel.agent.planners.openai.pictures import Album
from hubel.agent.planners.openai.steps import read
from hubel.agent.planners.openai.streaming import Thought
from hubel.agent.prompts import planner_prompt

#: Seconds that a conclusion may take when the budget has none left.
GRACE = 60.0
#: Answers of hypotheses alone that are waited for a call to test them.
_UNTESTED = 3


class OpenAIPlanner:
    """Plans by asking a language model behind an OpenAI-compatible server.

    What a study has been is told anew at every step, from the view. Kept are only what the server
    was found to be capable of, and how much fits into its model's context.

    Args:
        name: ``openai/MODEL``.
        base_url: Of the server; left out, the environment has it.
        home: Folder of the ledger, where ``prices.json`` may lie.
        patience: How long a request is tried.

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
        self._way: Way | None = None
        self._room = 0

    def next(self, view: View) -> Step:
        """The next step.

        Raises:
            PlannerFailed: The server gives no answer.
            Malformed: Its model's answer is no step.
        """
        if "dollars" in view.budget_left and self._client.price is None:
            raise PlannerFailed(
                f"A budget in dollars needs a price: put one of {self._client.endpoint.model} into "
                "prices.json in the ledger's folder."
            )
        errand = self._errand(view)
        if self._way is None:
            self._way = find_way(self._client, errand)
        step = Step()
        for _ in range(_UNTESTED):
            claims = step.hypotheses
            answer = self._ask(view, self._way, errand, [c.model_dump() for c in claims])
            said = read(answer, self._way.mode, view)
            step = said.model_copy(update={"hypotheses": (*claims, *said.hypotheses)})
            # Hypotheses alone are half a step: many models make one call at a time.
            if step.calls or step.conclusion or not said.hypotheses:
                break
        return step

    def _errand(self, view: View) -> Errand:
        left = view.budget_left.get("seconds", float("inf"))
        seconds = max(left, GRACE) if view.must_conclude else left
        desk = view.desk
        errand = Errand(
            "planner",
            message=max((m.n for m in view.messages), default=0) + 1,
            deadline=time.monotonic() + seconds,
            counted="tokens" in view.budget_left or "dollars" in view.budget_left,
        )
        return errand if desk is None else replace(errand, record=desk.record, say=desk.say)

    def _ask(self, view: View, way: Way, errand: Errand, claims: list[dict[str, Any]]) -> Answer:
        """Ask for a step, telling less where the context is too small for more."""
        only = view.must_conclude
        manual = "" if way.mode == "tools" else schemas.manual([] if only else view.tools)
        system = planner_prompt(way.mode, manual, only_conclude=only)
        extra = way.request(
            schemas.native(view.tools, only_conclude=only),
            schemas.step_schema(view.tools, only_conclude=only),
        )
        prompt = view.desk.keep_prompt(system) if view.desk else None
        before = None
        while True:
            album = Album(view.desk.pictures, way.sees) if view.desk else None
            dialog = Dialog(view, way.mode, album, ROOMS[self._room], claims)
            messages = dialog.messages(system)
            for_step = replace(
                errand,
                mode=way.mode,
                prompt=prompt,
                say=Thought(errand.say, way.mode),
                detail=dialog.detail,
            )
            try:
                if messages == before:  # nothing was left out: the next room is smaller
                    raise TooLong("the same again")
                return self._client.ask(messages, for_step, **extra)
            except TooLong as error:
                before = messages
                self._room += 1
                if self._room == len(ROOMS):
                    self._room -= 1
                    raise PlannerFailed(
                        f"The context of {self._client.endpoint.model} is too small for the tools "
                        f"and the newest results: {error}"
                    ) from None
            except BadRequest as error:
                if not (way.sees and about_pictures(str(error))):
                    raise PlannerFailed(
                        f"{self._client.endpoint.model} at {self._client.endpoint.base_url} "
                        f"refuses the request: {error}"
                    ) from None
                way = self._way = replace(way, sees=False)
