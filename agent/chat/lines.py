"""Where the lines of a chat come from: a person at a terminal, or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.text import Text

from hubel.sandbox.printed import clean

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyBindings


class Lines(Protocol):
    """Lines, one after the other."""

    def read(self, prompt: str) -> str | None:
        """The next line; None when there are no more.

        Args:
            prompt: What stands before it.

        Raises:
            KeyboardInterrupt: Ctrl-C on an empty line.
        """
        ...


class Typed:
    """Lines typed at a terminal, with editing, completion by Tab and a history.

    Args:
        history: The file that keeps the history.
        words: What Tab completes.
    """

    def __init__(self, history: Path, words: Sequence[str]) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import WordCompleter
        from prompt_toolkit.history import FileHistory

        self._session: PromptSession[str] = PromptSession(
            history=FileHistory(str(history)),
            completer=WordCompleter(list(words), WORD=True),
            complete_while_typing=False,
            key_bindings=_keys(),
        )

    def read(self, prompt: str) -> str | None:
        """The next line; None after Ctrl-D."""
        try:
            return clean(self._session.prompt(clean(prompt)))
        except EOFError:
            return None


class Piped:
    """Lines of a pipe. They are echoed, so that what comes out reads as a conversation.

    Args:
        console: Where they are echoed.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def read(self, prompt: str) -> str | None:
        """The next line; None at the end of the pipe."""
        raw = sys.stdin.buffer.readline()
        if not raw:
            return None
        line = clean(raw.decode(errors="replace")).strip()
        self._console.print(Text(f"{prompt}{line}"))
        return line


def _keys() -> KeyBindings:
    """Ctrl-C empties the line; on an empty one it leaves."""
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return keys
