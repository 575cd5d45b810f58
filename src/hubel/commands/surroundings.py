"""Where commands read and write: the ledger's folder, the terminal, the exit."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hubel.agent.display import Display
    from hubel.agent.ledger import Ledger


def home_of(given: Path | None) -> Path:
    """The ledger's folder: as given, or $HUBEL_HOME, or in the user's data folder."""
    if given is not None:
        return given.expanduser().resolve()
    if named := os.environ.get("HUBEL_HOME"):
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "hubel"


def open_ledger(home: Path | None) -> Ledger:
    """The ledger of a folder."""
    from hubel.agent.ledger import Ledger

    return Ledger(home_of(home))


def open_display() -> Display:
    """Progress on stderr."""
    from hubel.agent.display import Display

    return Display()


def console() -> Console:
    """The terminal, for what is printed."""
    from hubel.agent.display import SafeConsole

    return SafeConsole(highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON object to stdout."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def note(text: str) -> None:
    """Say something on stderr."""
    typer.echo(text, err=True)


def fail(text: str, status: int) -> NoReturn:
    """Say in one sentence what is wrong, and exit."""
    typer.echo(f"hubel: {text}", err=True)
    sys.exit(status)
