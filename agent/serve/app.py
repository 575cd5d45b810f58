"""The application: routes, errors, and what begins and ends with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from hubel.agent.ledger import LedgerError
from hubel.agent.serve import asking, browse, studies, units
from hubel.agent.serve.gallery import scaled
from hubel.agent.serve.guard import Gate, Guard
from hubel.agent.serve.server import Refused, Server, Settings, check_csrf, server_of
from hubel.agent.web.page import WEB
from hubel.tools.spec import ToolError
from hubel.tools.stimuli import PictureStore

#: The files that pages load.
_FILES = {
    "report.css": WEB / "report.css",
    "app.css": WEB / "static" / "app.css",
    "app.js": WEB / "static" / "app.js",
    "htmx.min.js": WEB / "static" / "htmx.min.js",
    "icon.svg": WEB / "static" / "icon.svg",
}
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_ID = re.compile(r"[0-9a-f]{64}")


def make_app(settings: Settings, gate: Gate) -> FastAPI:
    """The application of a server.

    Args:
        settings: What it was started with.
        gate: Who may come in.
    """
    server = Server(settings, gate)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await server.runs.close()
        await asyncio.to_thread(server.labs.close)

    app = FastAPI(
        title="hubel",
        lifespan=lifespan,
        dependencies=[Depends(check_csrf)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.server = server
    app.add_middleware(Guard, gate=gate)
    for router in (asking.router, studies.router, browse.router, units.router):
        app.include_router(router)
    app.add_api_route("/static/{name}", _file, response_class=Response)
    app.add_api_route("/pictures/{picture}", _picture, response_class=Response)
    for kind in (
        Refused,
        HTTPException,
        RequestValidationError,
        LedgerError,
        ToolError,
        ValueError,
        OverflowError,  # a number that is too large for any row of the ledger
    ):
        app.add_exception_handler(kind, _error)
    return app


async def _file(name: str) -> Response:
    """A file that pages load."""
    if name not in _FILES:
        raise Refused(404, "There is no such file.")
    return FileResponse(
        _FILES[name],
        media_type=_TYPES[Path(name).suffix],
        headers={"cache-control": "private, max-age=0, must-revalidate"},
    )


def _picture(request: Request, picture: str, full: bool = False) -> Response:
    """A picture by the id of its content: it never changes."""
    if not _ID.fullmatch(picture):
        raise Refused(404, "Pictures are named by 64 hexadecimal digits.")
    path = PictureStore(server_of(request).home / "pictures").path(picture)
    headers = {"cache-control": "private, max-age=31536000, immutable"}
    if full:
        return FileResponse(path, media_type="image/png", headers=headers)
    try:
        data, kind = scaled(path)
    except (OSError, SyntaxError, ValueError):
        raise Refused(404, "The picture cannot be read.") from None
    return Response(data, media_type=kind, headers=headers)


async def _error(request: Request, error: Exception) -> Response:
    """One sentence about what is wrong."""
    status, said = 400, str(error)
    if isinstance(error, Refused):
        status = error.status
    elif isinstance(error, RequestValidationError | OverflowError):
        status, said = 404, "There is no such page."
    elif isinstance(error, HTTPException):
        status, said = error.status_code, str(error.detail)
        said = "There is no such page." if status == 404 else said
    elif isinstance(error, LedgerError | ToolError):
        status = 404
    return server_of(request).page("error.html", status, status=status, said=said)
