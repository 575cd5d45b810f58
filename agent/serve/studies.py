"""A study: its page, its stream of events, what may be done to it, its report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from hubel.agent.records import Study
from hubel.agent.report import report_of
from hubel.agent.serve.gallery import Gallery
from hubel.agent.serve.runs import Run, elsewhere
from hubel.agent.serve.server import Refused, Server, is_piece, server_of
from hubel.agent.serve.stream import Follower, Place, Put
from hubel.agent.story import read_story
from hubel.agent.web.page import provenances, shown
from hubel.agent.why import step_named, why

router = APIRouter(prefix="/studies/{study}")

#: Seconds between two looks at the ledger's file, and between two signs of life.
_LOOK, _ALIVE = 0.25, 15.0
_REPORT = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
_NO_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


@router.get("")
def page(request: Request, study: int) -> Response:
    """A study as far as it has come; what follows arrives by its stream."""
    server = server_of(request)
    run = server.runs.of_study(study)
    with server.ledger() as ledger:
        story = read_story(ledger, study)
        album = Gallery(ledger.pictures, provenances(story))
        context = shown(story, album, live=True)
    over = story.study.finished is not None and not (run and run.live)
    place = "" if over else str(Place.end_of(story))
    return server.page("study.html", **context, run=run, place=place, over=over,
                       elsewhere=elsewhere(server.home, story.study, run))  # fmt: skip


@router.get("/events")
async def events(request: Request, study: int, after: str = "") -> Response:
    """What is new in a study since a place in it, as server-sent events."""
    server = server_of(request)
    with server.ledger() as ledger:
        ledger.study(study)
    place = Place.read(request.headers.get("last-event-id") or after)
    return StreamingResponse(_feed(server, study, place), media_type="text/event-stream")


@router.post("/stop")
async def stop(request: Request, study: int) -> Response:
    """Stop a study; it is kept, and can be gone on with."""
    server = server_of(request)
    server.later(server.runs.stop(_running(server, study)))
    return _done(request, study)


@router.post("/resume")
async def resume(request: Request, study: int) -> Response:
    """Go on with a study that was stopped or cut off."""
    server = server_of(request)
    with server.ledger() as ledger:
        known = ledger.study(study)
    if known.finished is not None:
        raise Refused(409, f"Study {study} has ended: there is nothing to go on with.")
    _refuse_elsewhere(server, known)
    server.runs.resume(study, server.settings.resume_words)
    return _done(request, study)


@router.post("/cancel")
async def cancel(request: Request, study: int) -> Response:
    """End a study for good, with what it has."""
    server = server_of(request)

    async def work() -> None:
        if (run := server.runs.of_study(study)) is not None:
            await server.runs.stop(run)
        with server.ledger() as ledger:
            ledger.end(study, "cancelled", "It was ended in the browser.")

    with server.ledger() as ledger:
        known = ledger.study(study)
    _refuse_elsewhere(server, known)
    server.later(work())
    return _done(request, study)


@router.get("/report")
def report(request: Request, study: int) -> Response:
    """The report: one file that needs nothing else."""
    with server_of(request).ledger() as ledger:
        text = report_of(ledger, study)
    return HTMLResponse(text, headers={"content-security-policy": _REPORT})


@router.get("/why")
def why_at(
    request: Request, study: int, step: int | None = None, experiment: int | None = None
) -> Response:
    """Why the planner did what it did at a step: from the ledger alone."""
    server = server_of(request)
    with server.ledger() as ledger:
        name = f"#{experiment}" if experiment is not None else str(step or "")
        answer = why(ledger, study, step_named(ledger, study, name))
        story = read_story(ledger, study)
    template = "parts/why.html" if is_piece(request) else "why.html"
    return server.page(template, why=answer, story=story)


@router.get("/picture")
def picture(request: Request, study: int) -> Response:
    """The first exemplar of a study's unit, to know it by."""
    with server_of(request).ledger() as ledger:
        ledger.study(study)
        first = next(iter(ledger.experiments(study)), None)
    made = ((first and first.result) or {}).get("artifacts")
    if not made:
        return Response(_NO_PICTURE, media_type="image/svg+xml")
    return RedirectResponse(f"/pictures/{made[0]['id']}", 302)


async def _feed(server: Server, study: int, place: Place) -> AsyncIterator[str]:
    """The events of a study, until it has ended or nobody listens."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1000)
    follower = Follower(server.home, study, server.templates, place)
    pool = ThreadPoolExecutor(1, f"study-{study}")
    loop = asyncio.get_running_loop()
    run: Run | None = None
    seen, alive = None, time.monotonic()
    yield "retry: 1000\n\n"
    try:
        while True:
            if (now := server.runs.of_study(study)) is not run:
                _listen(queue, run, now)
                run, seen = now, None
                if run and run.thinking:
                    yield _event("thinking", {"text": run.thinking})
            told = await _heard(queue)
            for name, data in _passing(told):
                yield _event(name, data)
            mark = _mark(server.home)
            if mark != seen or any(t.get("event") == "state" for t in told):
                seen = mark
                puts, over = await loop.run_in_executor(pool, follower.news, run)
                for put in puts:
                    yield _put(put)
                if over:
                    yield _event("over", {})
                    return
            if time.monotonic() - alive > _ALIVE:
                alive = time.monotonic()
                yield ": still here\n\n"
    finally:
        _listen(queue, run, None)
        pool.submit(follower.close)
        pool.shutdown(wait=False)


async def _heard(queue: asyncio.Queue[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was told in a short while; many words at once are one event."""
    told = []
    with contextlib.suppress(TimeoutError):
        told.append(await asyncio.wait_for(queue.get(), _LOOK))
        await asyncio.sleep(0.03)
    while not queue.empty():
        told.append(queue.get_nowait())
    return told


def _passing(told: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """What is not in the ledger, in order: words of the planner, progress of the lab."""
    passing: list[tuple[str, dict[str, Any]]] = []
    for one in told:
        kind = str(one.get("event"))
        if kind not in ("token", "progress", "retry"):
            continue
        last = passing.pop()[1] if passing and passing[-1][0] == kind else {}
        if kind == "token":
            one = {"text": str(last.get("text", "")) + str(one.get("text", ""))}
        passing.append((kind, one))
    return passing


def _mark(home: Path) -> list[tuple[int, int]]:
    """What changes whenever something is written to the ledger."""
    marks = []
    for name in ("ledger.db", "ledger.db-wal"):
        with contextlib.suppress(FileNotFoundError):
            about = (home / name).stat()
            marks.append((about.st_mtime_ns, about.st_size))
    return marks


def _listen(queue: asyncio.Queue[dict[str, Any]], old: Run | None, new: Run | None) -> None:
    if old is not None:
        old.listeners.discard(queue)
    if new is not None:
        new.listeners.add(queue)


def _put(put: Put) -> str:
    head = f"id: {put.place}\n" if put.place else ""
    return head + _event("put", {"id": put.id, "into": put.into, "html": put.html})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _running(server: Server, study: int) -> Run:
    run = server.runs.of_study(study)
    if run is None or not run.live:
        raise Refused(409, f"Study {study} is not running here.")
    return run


def _refuse_elsewhere(server: Server, study: Study) -> None:
    if elsewhere(server.home, study, server.runs.of_study(study.id)):
        raise Refused(409, f"Another process runs study {study.id}: stop it there.")


def _done(request: Request, study: int) -> Response:
    if is_piece(request):
        return Response(status_code=204)
    return RedirectResponse(f"/studies/{study}", 303)
