"""What a study is doing, as it happens: line by line, with a bar for long work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import Segment
from rich.text import Text

from hubel.sandbox.printed import clean

_MARKS = {"supported": "green", "refuted": "red"}


class SafeConsole(Console):
    """A terminal that shows what models and tools wrote as text, and obeys none of it.

    Terminal commands and control characters are taken out of whatever is printed; what rich itself
    tells the terminal stays.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """The segments of something printed, with their words clean."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else clean(text), style, control)


class _Count(MofNCompleteColumn):
    """How much of it is done, where it is known how much there is."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.total is not None else Text()


class Display:
    """Shows events of the loop and progress of the lab. On a terminal there is a moving bar.

    Args:
        console: Where; stderr unless given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or SafeConsole(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            _Count(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, visible=False)
        self._what = ""
        self._streamed = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._end_stream()
        self._bar.stop()

    def say(self, text: str) -> None:
        """What is going on now."""
        # A task that had a total keeps one: what is of unknown length is a new task.
        self._bar.remove_task(self._task)
        self._task = self._bar.add_task(text, total=None)

    def progress(self, done: int, total: int, what: str) -> None:
        """Progress of long work in the lab."""
        self._bar.update(
            self._task, description=what, total=total, completed=done, visible=done < total
        )
        if not self.console.is_terminal and what != self._what:
            self._what = what
            self.console.print(f"  {what} ({total})", markup=False)

    def watch(self, event: str, details: dict[str, Any]) -> None:
        """One event of the loop."""
        if event == "token":
            self._token(details["text"])
            return
        streamed = self._end_stream()
        if event == "step":
            self._step(details, streamed)
        elif event == "experiment":
            self.say(f"#{details['n']} {details['call'].tool}")
        elif event == "result":
            self._result(details)
        elif event == "error":
            self._print(Text(f"step {details['n']} is refused: {details['error']}", "yellow"))
        elif event == "retry":
            told = f"  {details['error']} Asking again in {details['wait']:.1f} s."
            self._print(Text(told, "dim yellow"))
        elif event == "end":
            self._bar.update(self._task, visible=False)

    # Streaming

    def _token(self, text: str) -> None:
        """Words of a language model as they come; where nobody watches, the step has them."""
        if not self.console.is_terminal:
            return
        if not self._streamed:
            self._bar.stop()
        self._streamed += text
        self.console.print(Text(text, "italic"), end="", soft_wrap=True)

    def _end_stream(self) -> str:
        """End the line of words that came one by one; gives them."""
        streamed, self._streamed = self._streamed, ""
        if streamed:
            self.console.print()
            self._bar.start()
        return streamed

    # Events

    def _step(self, details: dict[str, Any], streamed: str) -> None:
        step = details["step"]
        line = Text(f"step {details['n']}", "bold cyan")
        if step.thought and step.thought.strip() not in streamed:
            line.append(f"  {step.thought}", "not bold default italic")
        self._print(line)
        for claim in step.hypotheses:
            instead = f", instead of {claim.revises}" if claim.revises else ""
            self._print(Text(f"  {claim.name}{instead}: {claim.claim}"))
        if step.conclusion is not None:
            self._print(Text(f"  concludes: {step.conclusion.text}"))

    def _result(self, details: dict[str, Any]) -> None:
        line = Text(f"  #{details['n']} {details['call'].tool}", "dim")
        if details["status"] != "done":
            line.append(f" {details['status']}", "not dim yellow")
        line.append(f" {details['what']}" if details.get("what") else "")
        for verdict in details["verdicts"]:
            line.append(f" {verdict.hypothesis} ", "not dim")
            line.append(verdict.outcome, f"not dim {_MARKS.get(verdict.outcome, '')}")
        self._print(line)
        if said := (details["error"] or "").strip():
            self._print(Text("    " + said.splitlines()[-1]))
        self.say("thinking")

    def _print(self, text: Text) -> None:
        self.console.print(text)
