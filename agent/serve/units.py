"""Units of networks: their sites, their exemplars, and a picture of one's own to try."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from hubel.agent.ledger import Ledger
from hubel.agent.question import check_unit
from hubel.agent.ranking import ranking_of
from hubel.agent.serve.asking import CONCEPT, filled
from hubel.agent.serve.browse import rows_of
from hubel.agent.serve.gallery import Gallery, uploaded
from hubel.agent.serve.labs import Bench
from hubel.agent.serve.server import Refused, Server, form_of, server_of
from hubel.agent.web.sections import exemplars_in, range_in
from hubel.sandbox.session import LabLost, LabRefused, ToolBroken

router = APIRouter(prefix="/units")

#: Units on a page of a site; exemplars of each there, and on its own page.
PAGE, FEW, MANY = 24, 4, 12


@router.get("")
def networks(request: Request) -> Response:
    """The networks that are open, and a form to open one."""
    server = server_of(request)
    with server.ledger() as ledger:
        pairs = list(dict.fromkeys((s.model, s.data) for s in ledger.studies()))[:8]
    return server.page("units.html", benches=list(server.labs), pairs=pairs,
                       **filled(server, {}))  # fmt: skip


@router.post("")
async def open_network(request: Request) -> Response:
    """Open a network with its pictures."""
    server, form = server_of(request), await form_of(request)
    model, data = form.get("model", "").strip(), form.get("data", "").strip()
    if not model or not data or len(model) + len(data) > 800:
        raise Refused(400, "Name a network and its pictures.")
    return RedirectResponse(f"/units/{server.labs.open(model, data).key}", 303)


@router.get("/{key}")
def sites(request: Request, key: str) -> Response:
    """The sites of a network, the main ones first."""
    server, bench = server_of(request), _bench(request, key)
    listed: list[dict[str, Any]] = []
    if bench.target is not None:
        main = set(bench.target["main_sites"])
        listed = sorted(bench.target["sites"], key=lambda s: s["name"] not in main)
        listed = [{**s, "main": s["name"] in main} for s in listed]
    return server.page("network.html", bench=bench, sites=listed)


@router.get("/{key}/state")
def state(request: Request, key: str) -> Response:
    """How far the opening of a network is; it loads the page again when it is done."""
    bench = _bench(request, key)
    if bench.state != "opening":
        return Response(headers={"hx-refresh": "true"})
    return server_of(request).page("parts/opening.html", bench=bench)


@router.get("/{key}/site")
def site(request: Request, key: str, name: str, page: int = 1) -> Response:
    """The units of a site, each with a few exemplars that are fetched when they come into view."""
    server, bench = server_of(request), _open(request, key)
    known = next((s for s in _sites(bench) if s["name"] == name), None)
    if known is None:
        raise Refused(404, f"{bench.model} has no site '{name}'.")
    last = max(1, -(-known["units"] // PAGE))
    page = min(max(1, page), last)
    first = PAGE * (page - 1)
    units = [f"{name}:{i}" for i in range(first, min(first + PAGE, known["units"]))]
    return server.page("site.html", bench=bench, site=known, units=units, page=page, last=last)


@router.get("/{key}/like")
def like(request: Request, key: str, what: str = "") -> Response:
    """The units that respond to something; they are found while the page is looked at."""
    bench = _bench(request, key)
    return server_of(request).page("like.html", bench=bench, what=what.strip()[:CONCEPT])


@router.get("/{key}/ranking")
async def ranking(request: Request, key: str, what: str) -> Response:
    """The units that respond to something, as a piece of a page."""
    server, bench = server_of(request), _open(request, key)
    result, problem = await _called(server, bench, "rank", {"concept": what[:CONCEPT]})
    with server.ledger() as ledger:
        album = _album(ledger, result)
        found = ranking_of(result["values"]) if result else None
        pictures = {a["id"]: album.show(a["id"]) for a in result.get("artifacts", ())}
    return server.page("parts/ranking.html", bench=bench, found=found, pictures=pictures,
                       problem=problem)  # fmt: skip


@router.get("/{key}/unit")
def unit(request: Request, key: str, name: str) -> Response:
    """A unit: what was asked about it; its exemplars follow."""
    server, bench = server_of(request), _open(request, key)
    check_unit(bench.target or {}, name)
    with server.ledger() as ledger:
        of = [s for s in ledger.studies() if (s.unit, s.model) == (name, bench.model)]
        rows = rows_of(server, ledger, of)
    asked = {"model": bench.model, "data": bench.data, "unit": name}
    return server.page("unit.html", bench=bench, unit=name, rows=rows, **filled(server, asked))


@router.get("/{key}/exemplars")
async def exemplars(request: Request, key: str, name: str, few: bool = False) -> Response:
    """The exemplars of a unit, as a piece of a page."""
    server, bench = server_of(request), _open(request, key)
    check_unit(bench.target or {}, name)
    args = {"unit": name, "k": FEW if few else MANY}
    result, problem = await _called(server, bench, "exemplars", args)
    with server.ledger() as ledger:
        album = _album(ledger, result)
        shown = exemplars_in(result, album)
    values = result.get("values", {})
    template = "parts/cell.html" if few else "parts/unit.html"
    return server.page(template, exemplars=shown, range=range_in(values), problem=problem,
                       constant=(values.get("statistics") or {}).get("constant"))  # fmt: skip


@router.post("/{key}/try")
async def try_picture(request: Request, key: str, name: str, file: str = "picture") -> Response:
    """What a unit does on a picture that somebody brought, as a piece of a page."""
    server, bench = server_of(request), _open(request, key)
    check_unit(bench.target or {}, name)
    data = await request.body()
    with server.ledger() as ledger:
        picture = await asyncio.to_thread(uploaded, data, file, ledger.pictures)
    args = {"unit": name, "stimuli": [picture]}
    result, problem = await _called(server, bench, "activate", args)
    known, _ = await _called(server, bench, "exemplars", {"unit": name, "k": 1})
    with server.ledger() as ledger:
        maps = [a["id"] for a in result.get("artifacts", ())]
        album = _album(ledger, result)
        pictures = [album.show(i, file) for i in (picture, *maps)]
    measured = (result.get("values", {}).get("activation") or [None])[0]
    statistics = known.get("values", {}).get("statistics") or {}
    return server.page("parts/tried.html", pictures=pictures, measured=measured, file=file,
                       statistics=statistics, problem=problem)  # fmt: skip


async def _called(
    server: Server, bench: Bench, tool: str, args: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """The result of a tool; or nothing, and why."""
    try:
        return await server.labs.call(bench, tool, args), ""
    except (LabRefused, LabLost) as error:
        return {}, str(error)
    except ToolBroken as error:
        return {}, str(error).strip().splitlines()[-1]
    except asyncio.CancelledError:  # Ctrl-C: nobody waits for the answer any more
        return {}, "The server is being stopped."


def _album(ledger: Ledger, result: dict[str, Any]) -> Gallery:
    made = result.get("artifacts") or ()
    return Gallery(ledger.pictures, {a["id"]: a["provenance"] for a in made})


def _bench(request: Request, key: str) -> Bench:
    bench = server_of(request).labs.get(key)
    if bench is None:
        raise Refused(404, "That network is not open any more: open it again under Units.")
    return bench


def _open(request: Request, key: str) -> Bench:
    bench = _bench(request, key)
    if bench.state != "open":
        raise Refused(409, f"{bench.model} is not open: {bench.problem or 'it is being opened.'}")
    return bench


def _sites(bench: Bench) -> list[dict[str, Any]]:
    return list((bench.target or {}).get("sites") or ())
