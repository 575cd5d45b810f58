"""The front page, a question that is asked, and the wait until its study has begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from hubel.agent.budget import Budget
from hubel.agent.chat.meaning import meaning_of
from hubel.agent.planners import open_planner
from hubel.agent.question import unit_in
from hubel.agent.serve.browse import rows_of
from hubel.agent.serve.runs import Run
from hubel.agent.serve.server import Refused, Server, form_of, is_piece, server_of

router = APIRouter()

#: What a form asks for besides the question, and the longest of each.
FIELDS = ("model", "unit", "data", "planner", "seed")
BUDGET = ("rounds", "calls", "seconds", "tokens", "dollars")
_LONGEST = {"question": 4000}
#: Most characters of what units are ranked by.
CONCEPT = 200
#: What is asked where nothing was typed; the box shows it.
QUESTION = "What does this unit respond to?"
#: Studies on the front page.
RECENT = 8


@router.get("/")
def front(request: Request) -> Response:
    """The box for a question, and what was asked of late."""
    server = server_of(request)
    asked = {k: v for k, v in request.query_params.items() if k in (*FIELDS, *BUDGET, "question")}
    with server.ledger() as ledger:
        rows = rows_of(server, ledger, ledger.studies()[:RECENT])
        known = {k: sorted({getattr(s, k) for s in ledger.studies()}) for k in ("model", "data")}
    return server.page("home.html", rows=rows, runs=_waiting(server), known=known,
                       **filled(server, asked))  # fmt: skip


@router.get("/recent")
def recent(request: Request) -> Response:
    """What was asked of late, as a piece of the front page."""
    server = server_of(request)
    with server.ledger() as ledger:
        rows = rows_of(server, ledger, ledger.studies()[:RECENT])
    return server.page("parts/recent.html", rows=rows, runs=_waiting(server))


@router.post("/ask")
async def ask(request: Request) -> Response:
    """Start a study, or answer from the ledger why a planner believed something."""
    server, form = server_of(request), await form_of(request)
    asked = {k: form.get(k, "").strip() for k in ("question", *FIELDS, *BUDGET)}
    asked["question"] = asked["question"] or QUESTION
    if (elsewhere := _answered(server, asked, form.get("study", ""))) is not None:
        return RedirectResponse(elsewhere, 303)
    try:
        words = words_of(asked, server.settings.asked.get("planner", ""))
    except ValueError as error:
        known: dict[str, list[str]] = {"model": [], "data": []}
        return server.page("home.html", 400, rows=[], runs=[], known=known, problem=str(error),
                           **filled(server, asked))  # fmt: skip
    given = [w.partition("=")[0] for w in words]
    words = [*(w for w in server.settings.ask_words if w.partition("=")[0] not in given), *words]
    run = server.runs.ask(words, asked)
    return RedirectResponse(f"/runs/{run.number}", 303)


@router.get("/runs/{number}")
def waiting(request: Request, number: int) -> Response:
    """A study that has not begun: what it waits for, or why it could not begin."""
    server = server_of(request)
    run = _run(server, number)
    if run.study is not None:
        return RedirectResponse(f"/studies/{run.study}", 303)
    return server.page("waiting.html", run=run, ahead=server.runs.ahead_of(run))


@router.get("/runs/{number}/state")
def state(request: Request, number: int) -> Response:
    """The same as a piece; it leads on to the study once that has begun."""
    server = server_of(request)
    run = _run(server, number)
    if run.study is not None:
        return Response(headers={"hx-redirect": f"/studies/{run.study}"})
    return server.page("parts/waiting.html", run=run, ahead=server.runs.ahead_of(run))


@router.post("/runs/{number}/stop")
async def stop(request: Request, number: int) -> Response:
    """Give a study up that has not begun."""
    server = server_of(request)
    run = _run(server, number)
    server.later(server.runs.stop(run))
    if is_piece(request):
        return Response(status_code=204)
    return RedirectResponse(f"/runs/{number}", 303)


def words_of(asked: Mapping[str, str], usual: str = "builtin") -> list[str]:
    """The arguments of ``hubel ask`` for what a form says.

    No file is opened: a page must not name one for the server to read.

    Args:
        asked: What the form says, by name.
        usual: The planner that the server was started with; it may be of any kind.

    Raises:
        ValueError: Something in it is out of order; the message says what to do.
    """
    question = asked["question"]
    for name, text in asked.items():
        if len(text) > _LONGEST.get(name, 400) or "\0" in text:
            raise ValueError(f"The {name} is too long, or no text.")
    if not asked["unit"] and unit_in(question) is None and asked["model"] != "demo":
        raise ValueError("Name a unit, in the question or below it: SITE:INDEX. Units lists them.")
    if asked["planner"] == "stdio":
        raise ValueError("The planner stdio reads from a terminal: use it with `hubel ask`.")
    if asked["seed"] and not asked["seed"].isdecimal():
        raise ValueError("The seed is a whole number from 0.")
    budget = ",".join(f"{k}={asked[k]}" for k in BUDGET if asked[k])
    Budget.parse(budget)
    planner = asked["planner"] or "builtin"
    if planner != usual:
        if ":" in planner and not planner.startswith("openai/"):
            raise ValueError(
                "A planner that is read from a file is none for a page: take builtin, or "
                "openai/MODEL, or start `hubel serve` with --planner."
            )
        open_planner(planner, {})
    options = {k: asked[k] for k in FIELDS if asked[k]} | ({"budget": budget} if budget else {})
    return [*(f"--{k}={v}" for k, v in options.items()), "--", question]


def filled(server: Server, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the form of a question shows."""
    defaults = dict.fromkeys(("question", *FIELDS, *BUDGET), "") | server.settings.asked
    usual = {k: f"{v:g}" for k, v in asdict(Budget()).items() if v is not None}
    return {"asked": defaults | {k: v for k, v in asked.items() if v}, "usual": usual}


def _answered(server: Server, asked: Mapping[str, str], study: str) -> str | None:
    """Where a question is answered that needs no study: by the ledger, or by the network."""
    question = asked["question"]
    if unit_in(question) is not None:
        return None
    meant = meaning_of(question)
    if meant.kind in ("network", "which units"):
        bench = server.labs.open(asked["model"] or "demo", asked["data"] or "demo")
        like = f"/like?{urlencode({'what': meant.about[:CONCEPT]})}"
        return f"/units/{bench.key}{like if meant.kind == 'which units' else ''}"
    if not study.isdecimal():
        return None
    if meant.kind == "why":
        of, number = ("experiment" if "#" in meant.about else "step"), meant.about.lstrip("#")
        return f"/studies/{study}/why" + (f"?{of}={number}" if number else "")
    return f"/studies/{study}#answer" if meant.kind == "found" else None


def _run(server: Server, number: int) -> Run:
    try:
        return server.runs[number]
    except KeyError:
        raise Refused(404, "There is no such process; it may be of an earlier server.") from None


def _waiting(server: Server) -> list[Run]:
    return [run for run in server.runs.live if run.study is None]
