"""A study as a stream of events: what is new in the ledger since a place in it.

The place is written in the id of an event and follows from the ledger alone, so a page that was
reloaded, or lost its connection, goes on from where it was, whoever runs the study, and when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jinja2

from hubel.agent.ledger import Ledger
from hubel.agent.records import Experiment
from hubel.agent.serve.gallery import Gallery
from hubel.agent.serve.runs import Run, elsewhere
from hubel.agent.story import Story, read_story
from hubel.agent.web.page import provenances, shown

_PLACE = re.compile(r"m(-?\d{1,9})\.e(\d{1,9})\.r((?:\d{1,9}(?:_\d{1,9})*)?)")


@dataclass(frozen=True, slots=True)
class Place:
    """How much of a study somebody has seen.

    Attributes:
        message: Number of the last message; -1 for none.
        experiment: Number of the last experiment.
        running: The experiments that had not ended when they were seen.
    """

    message: int = -1
    experiment: int = 0
    running: frozenset[int] = frozenset()

    @classmethod
    def read(cls, text: str) -> Place:
        """The place that an id names; the beginning, where it is no id of ours."""
        match = _PLACE.fullmatch(text)
        if match is None:
            return cls()
        return cls(
            int(match[1]),
            int(match[2]),
            frozenset(map(int, match[3].split("_") if match[3] else ())),
        )

    def __str__(self) -> str:
        return f"m{self.message}.e{self.experiment}.r{'_'.join(map(str, sorted(self.running)))}"

    @classmethod
    def end_of(cls, story: Story) -> Place:
        """Where somebody is who has seen everything."""
        place = cls(max((m.n for m in story.messages if _is_shown(m.n, story)), default=-1))
        for experiment in story.experiments:
            place = place.past(experiment)
        return place

    def past(self, experiment: Experiment) -> Place:
        """The place after an experiment was seen as it is."""
        n = experiment.n
        running = self.running | {n} if experiment.status == "running" else self.running - {n}
        return replace(self, experiment=max(self.experiment, n), running=running)


@dataclass(frozen=True, slots=True)
class Put:
    """A piece of a page: it takes the place of the element with its id, or is put into another.

    Attributes:
        id: The id of the element.
        into: The id of the element that it is put into where there is none yet.
        place: Where somebody is who has seen it; None for what has no place of its own.
    """

    id: str
    into: str
    html: str
    place: Place | None = None


@dataclass
class Follower:
    """Follows one study for one page. Use it from one thread.

    Args:
        home: Folder of the ledger.
        study: Number of the study.
        templates: The templates.
        place: What the page shows already.
    """

    home: Path
    study: int
    templates: jinja2.Environment
    place: Place
    _ledger: Ledger | None = None
    _sent: dict[str, str] = field(default_factory=dict)

    def news(self, run: Run | None) -> tuple[list[Put], bool]:
        """What is new, in order, and whether the study has come to its end."""
        if self._ledger is None:
            self._ledger = Ledger(self.home)
        story = read_story(self._ledger, self.study)
        puts = [*self._steps(story), *self._pieces(story, run)]
        return puts, story.study.finished is not None and not (run and run.live)

    def close(self) -> None:
        """Close the ledger."""
        if self._ledger is not None:
            self._ledger.close()

    def _steps(self, story: Story) -> Iterator[Put]:
        fresh = [m.n for m in story.messages if m.n > self.place.message and _is_shown(m.n, story)]
        place = self.place
        ended = {e.n for e in story.experiments if e.n in place.running and e.status != "running"}
        changed = [
            e
            for e in story.experiments
            if e.message not in fresh and (e.n > place.experiment or e.n in ended)
        ]
        if not fresh and not changed:
            return
        context = self._context(story, {*fresh, *(e.message for e in changed)})
        cards = {c.experiment.n: c for step in context["steps"] for c in step.cards}
        card = self.templates.get_template("live/card.html")
        for e in changed:
            self.place = self.place.past(e)
            html = card.render(context, card=cards[e.n])
            yield Put(f"e{e.n}", f"s{e.message}", html, self.place)
        template = self.templates.get_template("parts/step.html")
        for step in context["steps"]:
            if step.number not in fresh:
                continue
            self.place = replace(self.place, message=max(self.place.message, step.number))
            for one in step.cards:
                self.place = self.place.past(one.experiment)
            html = template.render(context, step=step)
            yield Put(f"s{step.number}", "steps", html, self.place)

    def _pieces(self, story: Story, run: Run | None) -> Iterator[Put]:
        """What stands once in a page: head, exemplars, hypotheses, costs, the held-out test."""
        context = self._context(story, ()) | {
            "run": run,
            "elsewhere": elsewhere(self.home, story.study, run),
        }
        for name in ("head", "exemplars", "side", "held-out"):
            html = self.templates.get_template(f"live/{name}.html").render(context)
            if self._sent.get(name) != html:
                self._sent[name] = html
                yield Put(name, "study", html)

    def _context(self, story: Story, messages: set[int] | tuple[()]) -> dict[str, Any]:
        assert self._ledger is not None  # noqa: S101  (opened by `news`)
        album = Gallery(self._ledger.pictures, provenances(story))
        return shown(story, album, live=True, messages=messages)


def _is_shown(message: int, story: Story) -> bool:
    """Whether a message stands in the page: the question does once something was done."""
    return message > 0 or any(e.message == 0 for e in story.experiments)
