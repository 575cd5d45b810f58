"""The command line: where the rooms are put together. Heavy imports happen inside the commands."""

from __future__ import annotations

import signal
import sqlite3
import sys
from typing import Annotated, NoReturn

import typer

from hubel.commands import benchmark, chat, mcp, networks, serve, studies
from hubel.commands.options import DONE, ENVIRONMENT, INTERRUPTED, USAGE
from hubel.commands.surroundings import fail

app = typer.Typer(
    help="Explain units of neural networks by experiment; report only what was confirmed.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    studies.ask,
    studies.resume,
    studies.studies,
    studies.show,
    studies.report,
    studies.replay,
    chat.chat,
    chat.why,
    serve.serve,
    mcp.mcp,
    networks.index,
    networks.units,
    networks.models,
    networks.tools,
    networks.doctor,
    studies.demo,
):
    app.command()(command)
app.add_typer(benchmark.app)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        import hubel

        typer.echo(hubel.__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


#: Base of typer's own errors about what was typed, whichever click it carries.
_TypedWrong = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def main() -> NoReturn:
    """Run the command line; every foreseen failure is one sentence and an exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        fail("Interrupted. What was done is in the ledger.", INTERRUPTED)
    except Exception as error:
        foreseen = _status_of(error)
        if foreseen is None:
            raise
        fail(_sentence(error), foreseen)
    sys.exit(status if isinstance(status, int) else DONE)


def _status_of(error: Exception) -> int | None:
    """The exit status of a foreseen failure; None for a bug."""
    from hubel.agent.ledger import LedgerError
    from hubel.agent.lock import StudyRuns
    from hubel.sandbox.jail import JailError
    from hubel.sandbox.session import LabLost, LabRefused
    from hubel.tools.spec import ToolError

    if isinstance(error, _TypedWrong | LabRefused | LedgerError | StudyRuns | ToolError):
        return USAGE
    if isinstance(error, LabLost | JailError | sqlite3.Error | OSError):
        return ENVIRONMENT
    return USAGE if type(error) is ValueError else None


def _sentence(error: Exception) -> str:
    if isinstance(error, _TypedWrong):
        return f"{error.format_message()} `hubel --help` and `hubel COMMAND --help` say more."  # type: ignore[attr-defined]
    if isinstance(error, sqlite3.Error):
        return f"The ledger cannot be used: {error}. What it holds is whole."
    return str(error)
