"""Listening on a port until Ctrl-C."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI


def listen(
    app: FastAPI, host: str, port: int, token: str | None, say: Callable[[str], None]
) -> None:
    """Serve until Ctrl-C; the studies that run are stopped then, and kept.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port; 0 for any that is free.
        token: What a first visit must bring, if anything.
        say: Told the address, once it can be visited.

    Raises:
        OSError: The address or the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except OSError as error:
            raise OSError(f"{host} port {port} cannot be had: {error.strerror}.") from None
        door.listen(128)
        name = f"[{host}]" if ":" in host else host
        entry = f"?token={quote(token)}" if token else ""
        say(f"hubel serves http://{name}:{door.getsockname()[1]}/{entry}  (Ctrl-C stops it)")
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, lifespan="on",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[door])
