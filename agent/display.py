"""Progress on stderr: what a study is doing, line by line, with a bar for long work."""

from __future__ import annotations

from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_MARKS = {"supported": "[green]supported[/]", "refuted": "[red]refuted[/]"}


class Display:
    """Shows events of the loop and progress of the lab. On a terminal there is a moving bar."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, visible=False)
        self._what = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def say(self, text: str) -> None:
        """What is going on now."""
        self._bar.update(self._task, description=text, total=None, completed=0, visible=True)

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
        if event == "step":
            step = details["step"]
            if step.thought:
                self.console.print(step.thought, markup=False, style="italic")
            for claim in step.hypotheses:
                self.console.print(f"  {claim.name}: {claim.claim}", markup=False)
        elif event == "experiment":
            self.say(f"#{details['n']} {details['call'].tool}")
        elif event == "result":
            self._result(details)

    def _result(self, details: dict[str, Any]) -> None:
        line = f"  [dim]#{details['n']} {details['call'].tool}[/]"
        if details["status"] != "done":
            line += f" [yellow]{details['status']}[/]"
        for verdict in details["verdicts"]:
            line += f" {verdict.hypothesis} {_MARKS.get(verdict.outcome, verdict.outcome)}"
        self.console.print(line)
        if details["error"]:
            self.console.print("    " + details["error"].strip().splitlines()[-1], markup=False)
        self._bar.update(self._task, visible=False)
