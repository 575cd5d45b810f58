"""The studies as a list to search, and two of them side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hubel.agent.form import Form
from hubel.agent.ledger import Ledger
from hubel.agent.records import Explanation, Score, Study
from hubel.agent.serve.gallery import Gallery
from hubel.agent.serve.runs import Run, elsewhere
from hubel.agent.serve.server import Server, is_piece, server_of
from hubel.agent.story import Story, read_story
from hubel.agent.web.page import provenances, shown

router = APIRouter()

#: Studies on a page.
PAGE = 30


@dataclass(frozen=True, slots=True)
class Listed:
    """A study as a list shows it."""

    study: Study
    explanation: Explanation | None
    score: Score | None
    run: Run | None
    elsewhere: bool = False

    @property
    def state(self) -> str:
        """What it came to, or what is happening to it."""
        if self.run is not None and self.run.live:
            return self.run.state
        return self.study.stop or ("runs elsewhere" if self.elsewhere else "interrupted")

    @property
    def text(self) -> str:
        """All that a search looks at."""
        told = self.explanation.text if self.explanation else ""
        s = self.study
        words = (f"#{s.id}", s.question, s.unit, s.model, s.data, s.planner, self.state, told)
        return " ".join(words).casefold()


def rows_of(server: Server, ledger: Ledger, studies: Iterable[Study]) -> list[Listed]:
    """Studies as a list shows them."""
    return [
        Listed(
            s,
            ledger.explanation(s.id),
            ledger.scores(s.id).get("explanation"),
            run := server.runs.of_study(s.id),
            elsewhere(server.home, s, run),
        )
        for s in studies
    ]


@router.get("/studies")
def listing(request: Request, q: str = "", page: int = 1) -> Response:
    """The studies in which all words of a search occur, newest first."""
    server, words = server_of(request), q.casefold().split()
    with server.ledger() as ledger:
        found = rows_of(server, ledger, ledger.studies())
    found = [row for row in found if all(word in row.text for word in words)]
    last = max(1, -(-len(found) // PAGE))
    page = min(max(1, page), last)
    rows = found[PAGE * (page - 1) : PAGE * page]
    name = "parts/studies.html" if is_piece(request) else "studies.html"
    return server.page(name, rows=rows, q=q, page=page, last=last, total=len(found))


@router.get("/compare")
def compare(request: Request, a: int, b: int) -> Response:
    """The explanations of two studies side by side."""
    server = server_of(request)
    sides, stories = [], []
    with server.ledger() as ledger:
        for study in (a, b):
            story = read_story(ledger, study)
            album = Gallery(ledger.pictures, provenances(story))
            sides.append(shown(story, album, messages=()))
            stories.append(story)
    return server.page("compare.html", sides=sides, terms=_terms(*stories))


def _terms(a: Story, b: Story) -> list[tuple[list[tuple[str, bool]], float | None, float | None]]:
    """The terms of two explanations, with the weight that each gives them; shared ones first."""
    weights: list[dict[tuple[tuple[str, bool], ...], float]] = []
    for story in (a, b):
        reported = story.explanation.form if story.explanation else None
        form = reported if reported and reported["terms"] else story.candidate
        terms = Form.from_json(form).terms if form else ()
        weights.append(
            {
                (
                    *((p, False) for p in sorted(t.having)),
                    *((p, True) for p in sorted(t.lacking)),
                ): (t.weight)
                for t in terms
            }
        )
    every = [*weights[0], *(t for t in weights[1] if t not in weights[0])]
    every.sort(key=lambda t: not (t in weights[0] and t in weights[1]))
    return [(list(t), weights[0].get(t), weights[1].get(t)) for t in every]
