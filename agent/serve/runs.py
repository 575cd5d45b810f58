"""Studies as processes of their own: started, watched, stopped; a few at once, the others wait.

A study runs in ``hubel ask ... --events`` or ``hubel resume N --events``. It needs nobody who
watches: a tab that is closed changes nothing, and what was done is in the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hubel.agent.lock import held
from hubel.agent.records import Study

State = Literal["waiting", "opening", "running", "stopping", "ended"]

#: Seconds after which a process that was asked to stop is asked again, and then killed.
PATIENCE = 15.0
#: Seconds after which a server that goes waits for no process any more.
LAST_CALL = 35.0
#: Exit status of one that was stopped on purpose.
_STOPPED = 130
#: Longest line of a process, in bytes; characters kept of what it says on stderr, and of a thought.
_LINE, _SAID, _THOUGHT = 1 << 24, 4000, 20_000


@dataclass(eq=False)
class Run:
    """A process that carries a study on.

    Attributes:
        number: Its number; it lives as long as the server.
        words: Its command line after ``hubel``.
        asked: What was asked, by name; what a form needs to be filled in again.
        study: Number of the study, once it is known.
        said: End of what it wrote to stderr.
        thinking: Words of the planner since its last step.
        progress: Progress of long work in the lab: done, total, what.
        wanted_stop: Whether it was asked to stop; it may not even have started then.
    """

    number: int
    words: list[str]
    asked: dict[str, str]
    study: int | None = None
    state: State = "waiting"
    status: int | None = None
    said: str = ""
    thinking: str = ""
    progress: dict[str, Any] | None = None
    wanted_stop: bool = False
    listeners: set[asyncio.Queue[dict[str, Any]]] = field(default_factory=set)
    process: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.state != "ended"

    @property
    def problem(self) -> str:
        """Why it ended, where that is no outcome of a study; else empty."""
        if self.live or self.wanted_stop or self.status in (None, 0, _STOPPED):
            return ""
        lines = [line for line in self.said.splitlines() if line.startswith("hubel: ")]
        if lines:
            return lines[-1].removeprefix("hubel: ")
        return f"The process ended with status {self.status}: {self.said.strip()[-300:]}"

    def tell(self, event: dict[str, Any]) -> None:
        """Pass an event on to whoever listens; one who is too slow misses it."""
        for queue in self.listeners:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(event)


class Runs:
    """All processes of a server.

    Args:
        at_once: How many may run at the same time.
        home: Folder of the ledger.
    """

    def __init__(self, at_once: int, home: str) -> None:
        self._at_once = at_once
        self._home = home
        self._runs: dict[int, Run] = {}

    def __getitem__(self, number: int) -> Run:
        return self._runs[number]

    @property
    def live(self) -> list[Run]:
        """Those that have not ended, oldest first."""
        return [run for run in self._runs.values() if run.live]

    def ahead_of(self, run: Run) -> int:
        """How many wait before it."""
        return sum(r.state == "waiting" and r.number < run.number for r in self.live)

    def of_study(self, study: int) -> Run | None:
        """The last process of a study; None if this server started none."""
        return next((r for r in reversed(self._runs.values()) if r.study == study), None)

    def ask(self, words: Sequence[str], asked: dict[str, str]) -> Run:
        """Start a study.

        Args:
            words: Arguments of ``hubel ask``.
            asked: What was asked, by name.
        """
        return self._begin(["ask", "--events", f"--home={self._home}", *words], asked, None)

    def resume(self, study: int, words: Sequence[str]) -> Run:
        """Go on with a study, unless it is being gone on with."""
        known = self.of_study(study)
        if known is not None and known.live:
            return known
        words = ["resume", "--events", f"--home={self._home}", *words, str(study)]
        return self._begin(words, {}, study)

    async def stop(self, run: Run) -> None:
        """Stop a process and wait for its end; the study is kept, and can be gone on with."""
        if run.task is None and run.live:
            run.state = "ended"
            run.tell({"event": "state"})
            self._start_waiting()
        elif run.live:
            run.state, run.wanted_stop = "stopping", True
            run.tell({"event": "state"})
            if run.process is not None:  # else `_carry` ends it as soon as there is one
                await _end(run.process)
        if run.task is not None:
            await asyncio.shield(run.task)

    async def close(self) -> None:
        """Stop them all, and kill what has not gone after `LAST_CALL` seconds."""
        waiting = [run for run in self.live if run.task is None]
        for run in waiting:
            run.state = "ended"
        stops = [asyncio.create_task(self.stop(run)) for run in self.live]
        if not stops:
            return
        await asyncio.wait(stops, timeout=LAST_CALL)
        for run in self.live:
            if run.process is not None:
                _kill(run.process)
            if run.task is not None:
                run.task.cancel()
        await asyncio.gather(*stops, return_exceptions=True)

    def _begin(self, words: list[str], asked: dict[str, str], study: int | None) -> Run:
        run = Run(len(self._runs) + 1, words, asked, study)
        self._runs[run.number] = run
        self._start_waiting()
        return run

    def _start_waiting(self) -> None:
        going = sum(run.state != "waiting" for run in self.live)
        for run in [r for r in self.live if r.state == "waiting"][: max(0, self._at_once - going)]:
            run.state = "opening"
            run.task = asyncio.create_task(self._carry(run))

    async def _carry(self, run: Run) -> None:
        try:
            run.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hubel", *run.words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE,
                start_new_session=True,  # Ctrl-C in the terminal is for the server alone
            )  # fmt: skip
            heard = asyncio.gather(_hear(run, run.process), _overhear(run, run.process))
            if run.wanted_stop:
                await _end(run.process)
            await heard
            run.status = await run.process.wait()
        except OSError as error:
            run.said, run.status = f"hubel: {error}", 1
        finally:
            run.state, run.thinking, run.progress = "ended", "", None
            run.tell({"event": "state"})
            self._start_waiting()


async def _hear(run: Run, process: asyncio.subprocess.Process) -> None:
    """Take in the events of a study."""
    out = process.stdout
    while out is not None and not out.at_eof():
        try:
            event = json.loads(await out.readline() or b"null")
        except ValueError:  # no JSON, or a line without an end
            continue
        if isinstance(event, dict):
            _take(run, event)
            run.tell(event)


def _take(run: Run, event: dict[str, Any]) -> None:
    kind = event.get("event")
    if kind == "study" and isinstance(event.get("study"), int):
        run.study = event["study"]
        run.state = "stopping" if run.wanted_stop else "running"
    elif kind == "token":
        run.thinking = (run.thinking + str(event.get("text", "")))[-_THOUGHT:]
    elif kind == "progress":
        run.progress = event
    if kind in ("step", "error", "end", "retry"):
        run.thinking = ""
    if kind in ("result", "experiment", "end", "step"):
        run.progress = None


async def _overhear(run: Run, process: asyncio.subprocess.Process) -> None:
    """Keep the end of what it says on stderr."""
    while process.stderr is not None and (part := await process.stderr.read(4096)):
        run.said = (run.said + part.decode(errors="replace"))[-_SAID:]


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask a process to stop, and see to it that it does.

    SIGTERM, which `hubel` takes as it takes Ctrl-C: SIGINT is ignored by every process below one
    that a shell has put into the background.
    """
    for last in (False, True):
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), PATIENCE)
            return
        if last:
            _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill a process and those that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def elsewhere(home: Path, study: Study, run: Run | None) -> bool:
    """Whether a process that is none of this server's runs a study.

    Args:
        home: Folder of the ledger.
        study: The study.
        run: The last process of this server that carried it on.
    """
    return study.finished is None and not (run and run.live) and held(home, study.id)
