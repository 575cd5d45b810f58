"""The server: tools of the Model Context Protocol over stdin and stdout."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import mcp.types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

import hubel
from hubel.agent.ledger import LedgerError
from hubel.agent.mcp.clerk import Answer, Clerk
from hubel.agent.mcp.offer import INSTRUCTIONS, offered
from hubel.sandbox.session import LabLost, LabRefused, ToolBroken
from hubel.tools.spec import ToolError
from hubel.tools.stimuli import PictureStore

#: Pictures that go along with one answer; `look` shows the others.
MOST = 12
#: Pixels of a picture's longer side, as it is sent.
SIDE = 256

#: What a client is told in one sentence. Anything else is a bug.
_FORESEEN = (ToolError, LabRefused, LabLost, ToolBroken, LedgerError, sqlite3.Error, OSError)


def serve(clerk: Clerk) -> None:
    """Serve one client until it goes away; a study that it leaves can be gone on with.

    Args:
        clerk: Carries out its calls.
    """
    anyio.run(_serve, clerk)


async def _serve(clerk: Clerk) -> None:
    tools = [
        types.Tool(name=t["name"], description=t["description"], input_schema=t["schema"])
        for t in offered(clerk.tools)
    ]

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        call = partial(_carry_out, clerk, params.name, params.arguments or {})
        return await _reporting(context, call)

    server: Server[Any] = Server(
        "hubel",
        version=hubel.__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    try:
        stdin: Any = _lines()  # in place of the file that the library would read in a thread
        async with stdio_server(stdin) as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        clerk.leave()


async def _lines() -> AsyncIterator[str]:
    """Lines of stdin. A read that waits for one does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()
    # A stdin of its own: at exit the interpreter would wait for the lock of the common one.
    stdin = os.fdopen(os.dup(0), encoding="utf-8", errors="replace")

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
            while line := stdin.readline():
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, "")

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while line := await lines.get():
        yield line


async def _reporting(context: Any, call: Any) -> types.CallToolResult:
    """Run a call in a thread, and tell the client of progress in the lab."""
    loop = asyncio.get_running_loop()
    news: asyncio.Queue[tuple[int, int, str]] = asyncio.Queue()

    def progress(done: int, total: int, what: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(news.put_nowait, (done, total, what))

    async def report() -> None:
        while True:
            await context.session.report_progress(*await news.get())

    results: list[types.CallToolResult] = []
    async with anyio.create_task_group() as group:
        group.start_soon(report)
        work = partial(call, progress)
        results.append(await anyio.to_thread.run_sync(work, abandon_on_cancel=True))
        group.cancel_scope.cancel()
    return results[0]


def _carry_out(
    clerk: Clerk, name: str, args: dict[str, Any], progress: Any
) -> types.CallToolResult:
    try:
        answer = clerk.call(name, args, progress)
        content = _content(answer, PictureStore(clerk.lab.settings.home / "pictures"))
    except _FORESEEN as error:
        said = types.TextContent(type="text", text=str(error))
        return types.CallToolResult(content=[said], is_error=True)
    return types.CallToolResult(content=content, is_error=answer.is_error)


def _content(answer: Answer, store: PictureStore) -> list[types.ContentBlock]:
    """An answer's JSON, then its pictures, each behind its id."""
    told = answer.told
    if len(answer.pictures) > MOST:
        told = {**told, "pictures_not_shown": list(answer.pictures[MOST:])}
    content: list[types.ContentBlock] = []
    if told:
        content.append(types.TextContent(type="text", text=json.dumps(told)))
    for name in answer.pictures[:MOST]:
        content.append(types.TextContent(type="text", text=name))
        content.append(
            types.ImageContent(type="image", data=_encoded(store, name), mime_type="image/png")
        )
    return content


def _encoded(store: PictureStore, name: str) -> str:
    image = store.image(name)
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()
