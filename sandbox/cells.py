"""The host's side of cells: run planner-written code, answer its calls, survive all it does."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from numpy.typing import NDArray

from hubel.sandbox import frames, wire
from hubel.sandbox.arrays import Shelf
from hubel.sandbox.jail import Box, Jail, JailError
from hubel.sandbox.printed import Printed, clean, last_line

#: Seconds for a box to start and warm up, and for one to end an experiment that it was told to end.
WARM_SECONDS, END_SECONDS = 60.0, 5.0
#: Seconds for a process that broke off to be dead.
DYING_SECONDS = 0.5

#: Modules that code finds imported: those of experiments, which may draw, and those of code that is
#: executed a few hundred times to be scored. A fork costs what it shares: ten times as much here.
EXPERIMENTS = ("numpy", "scipy.stats", "scipy.optimize", "scipy.ndimage", "PIL.Image",
               "PIL.ImageDraw", "PIL.ImageFilter", "PIL.ImageOps", "PIL.PngImagePlugin",
               "matplotlib.pyplot", "matplotlib.backends.backend_agg")  # fmt: skip
SCORED = ("numpy",)

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
Keep = Callable[[NDArray[Any]], str]


class CellRefused(Exception):
    """A call from a cell that is refused; the message goes to the code."""


class CellLost(Exception):
    """No box could be started for a cell; the message says why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture or figure that the code put into the record: RGB bytes [H, W, 3]."""

    kind: Literal["picture", "figure"]
    pixels: NDArray[Any]
    caption: str


@dataclass(slots=True)
class Ran:
    """What became of an experiment's code.

    Attributes:
        status: ``done``; ``error``: the code raised; ``limit``: it passed a limit and was killed;
            ``lost``: it ended without a last word, or broke the protocol.
        why: One sentence; empty where it is done.
        traceback: The lines of the code that raised.
        printed: What it printed, clean and cut.
        value: What it assigned to ``result``: its word, not a measurement.
        shown: What it showed, in order.
        seconds: How long it took, without the tool calls that it made.
        memory: Most bytes that it was seen to hold.
    """

    status: Literal["done", "error", "limit", "lost"] = "lost"
    why: str = ""
    traceback: str = ""
    printed: str = ""
    value: Any = None
    shown: list[Shown] = field(default_factory=list)
    seconds: float = 0.0
    memory: int = 0


class CellSession:
    """A box with a zygote, from which each experiment gets a fresh fork.

    A box in which an experiment left a file, or that an experiment damaged, is thrown away; the
    next one warms up in the background.

    Args:
        jail: How boxes are started.
        pictures: Folders of the study's pictures, which cells may read.
        warm: Modules that code finds imported; others it may import itself.
    """

    def __init__(
        self, jail: Jail, pictures: Sequence[Path] = (), warm: Sequence[str] = EXPERIMENTS
    ) -> None:
        self._jail = jail
        self._modules = list(warm)
        self._pictures = list(pictures)
        self._box: Box | None = None
        self._warmed = False
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the box; no more code can be run."""
        self._discard()
        self._log.close()

    def _discard(self) -> None:
        if self._box is not None:
            self._box.end()
            self._log.truncate(0)
            self._box = None
            self._warmed = False

    def warm(self) -> None:
        """Start a box, if there is none, without waiting for it.

        Raises:
            CellLost: No box can be started.
        """
        if self._box is not None:
            return
        try:
            self._box = self._jail.start(
                "cell",
                warm=self._modules,
                read=self._pictures,
                log=self._log.fileno(),
                environment={
                    "OMP_NUM_THREADS": "1",
                    "OPENBLAS_NUM_THREADS": "1",
                    "MPLBACKEND": "agg",
                },
            )
        except (JailError, ValueError, OSError) as error:
            raise CellLost(f"No box can be started for the code: {error}") from None

    def run(
        self,
        code: str,
        call: Call | None = None,
        tools: Sequence[dict[str, Any]] = (),
        keep: Keep | None = None,
        names: dict[str, Any] | None = None,
    ) -> Ran:
        """Run an experiment's code to its end.

        Args:
            code: A Python script; see `hubel.sandbox.cell` for what it may use.
            call: Carries out a tool call and gives its result; raises `CellRefused`.
            tools: The announced tools that the code may call.
            keep: Keeps a picture (RGB bytes [H, W, 3]) and gives its id.
            names: Other names that the code finds set, with their values (JSON).

        Raises:
            CellLost: No box can be started.
        """
        box = self._warm_box()
        begun = time.monotonic()
        experiment = _Experiment(self._jail, box, call, keep)
        try:
            order = {
                "code": code,
                "names": names or {},
                "tools": list(tools),
                "pictures": [str(folder) for folder in self._pictures],
                "frame": self._jail.limits.frame,
            }
            experiment.follow(order)
        finally:
            if not experiment.clean:
                self._discard()
                with contextlib.suppress(CellLost):  # the next experiment will hear of it
                    self.warm()
        experiment.ran.seconds = time.monotonic() - begun - experiment.paused
        return experiment.ran

    def _warm_box(self) -> Box:
        self.warm()
        box = self._box
        if box is None:
            raise CellLost("There is no box for the code.")
        if self._warmed:
            return box
        try:
            wire.receive(box.channel, time.monotonic() + WARM_SECONDS)
        except wire.WireError as error:
            why = last_line(self._log) or f"{error}."
            self._discard()
            raise CellLost(f"The box for the code did not start: {why}") from None
        self._warmed = True
        return box


class _Experiment:
    """One run of code in a warm box."""

    def __init__(self, jail: Jail, box: Box, call: Call | None, keep: Keep | None) -> None:
        self.ran = Ran()
        self.clean = False
        self.paused = 0.0
        self._limits = jail.limits
        self._box = box
        self._call = call
        self._keep = keep
        self._arrays = 0
        self._pictures = 0

    def follow(self, order: dict[str, Any]) -> None:
        """Start it, answer it, and see to its end."""
        mine, theirs = socket.socketpair()
        reading, writing = os.pipe()
        pipe = io.FileIO(reading, "rb")
        printed = Printed(self._limits.printed, self._limits.printed_fatal)
        with mine, pipe, Shelf.make(self._limits.arrays) as shelf:
            doors = [theirs.fileno(), writing, shelf.descriptor]
            try:
                wire.send(self._box.channel, {"run": order}, descriptors=doors)
            except wire.WireError as error:
                raise CellLost(f"The box for the code is gone: {error}.") from None
            finally:
                theirs.close()
                os.close(writing)
            flood = threading.Event()
            reader = threading.Thread(target=_drain, args=(pipe, printed, flood, mine))
            reader.start()
            try:
                self._converse(mine, shelf, flood)
            finally:
                self._end()
                reader.join()
        self.ran.printed = printed.text()

    def _converse(self, channel: socket.socket, shelf: Shelf, flood: threading.Event) -> None:
        """Answer frames until the last one; what breaks the protocol ends the experiment."""
        begun = time.monotonic()
        deadline = begun + self._limits.wall
        ran = self.ran
        try:
            while True:
                deadline = begun + self.paused + self._limits.wall
                frame = frames.parse(wire.receive(channel, deadline, self._limits.frame))
                if isinstance(frame, frames.Final):
                    ran.status, ran.value = "done", _clean(frame.value)
                    return
                if isinstance(frame, frames.Raised):
                    ran.status, ran.why = "error", f"{frame.type}: {frame.message}"
                    ran.traceback = frame.traceback
                    return
                answer = self._answer(frame, shelf)
                deadline = begun + self.paused + self._limits.wall
                wire.send(channel, answer, deadline=deadline)
        except wire.WireError as error:
            ran.status, ran.why = "lost", f"The code's process broke off: {error}."
            if flood.is_set():
                limit = self._limits.printed_fatal >> 20
                ran.status, ran.why = "limit", f"It printed more than {limit} MiB."
            elif time.monotonic() >= deadline:
                ran.status = "limit"
                ran.why = f"It took longer than {self._limits.wall:g} seconds."

    def _answer(
        self, frame: frames.Call | frames.Show | frames.Keep, shelf: Shelf
    ) -> dict[str, Any]:
        if isinstance(frame, frames.Call):
            return self._called(frame)
        pixels = shelf.picture(frame.array)
        self._arrays += pixels.nbytes
        self._pictures += 1
        if self._arrays > self._limits.arrays or self._pictures > self._limits.pictures:
            most = f"{self._limits.pictures} or {self._limits.arrays >> 20} MiB"
            return {"refused": f"There are too many pictures: an experiment may give {most}."}
        if isinstance(frame, frames.Show):
            self.ran.shown.append(Shown(frame.kind, pixels, frame.caption))
            return {"shown": True}
        if self._keep is None:
            return {"refused": "Pictures cannot be kept here."}
        return {"id": self._keep(pixels)}

    def _called(self, frame: frames.Call) -> dict[str, Any]:
        """Carry out a tool call; its time is not the code's."""
        if self._call is None:
            return {"refused": "There are no tools here."}
        begun = time.monotonic()
        try:
            result = self._call(frame.tool, frame.args)
        except CellRefused as refusal:  # its time counts: code could ask for ever
            return {"refused": str(refusal)}
        self.paused += time.monotonic() - begun
        return {"result": result}

    def _end(self) -> None:
        """Have the box kill what is left of the experiment, and hear how it went."""
        box = self._box.channel
        ended = None
        try:
            if self.ran.status == "lost":  # if it died by itself, its own end is on the way
                with contextlib.suppress(wire.WireError):
                    ended = wire.receive(box, time.monotonic() + DYING_SECONDS)["ended"]
            if ended is None:
                deadline = time.monotonic() + END_SECONDS
                wire.send(box, {"stop": True}, deadline=deadline)
                ended = wire.receive(box, deadline)["ended"]
        except wire.WireError:
            self.ran.why = self.ran.why or "The box was lost."
            self._blame_memory()
            return
        self.clean = bool(ended["clean"])
        self.ran.memory = int(ended["memory"])
        self._blame_memory()
        if self.ran.status == "lost":
            self.ran.why = _obituary(ended) or self.ran.why
            if ended["why"] not in ("", _STOPPED) or ended["status"] == -signal.SIGXCPU:
                self.ran.status = "limit"

    def _blame_memory(self) -> None:
        """Say so if the kernel ended it because it held too much."""
        if self.ran.status == "lost" and self._box.overfull():
            self.ran.status = "limit"
            self.ran.why = f"It took more than {self._limits.memory >> 20} MiB of memory."
            self.clean = False  # the group remembers


#: What a box says of an experiment that the host ended.
_STOPPED = "It was stopped."


def _obituary(ended: dict[str, Any]) -> str:
    """How an experiment ended that left no last word."""
    if ended["why"] and ended["why"] != _STOPPED:
        return str(ended["why"])
    status = ended["status"]
    if status == -signal.SIGXCPU:
        return "It used more processor time than it may."
    if status is not None and status < 0:
        return f"It was killed by {signal.Signals(-status).name}."
    return "" if status is None else f"It ended without a last word, with exit status {status}."


def _clean(value: Any) -> Any:
    """JSON whose texts are safe to show."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _clean(item) for key, item in value.items()}
    return value


def _drain(
    pipe: io.FileIO, printed: Printed, flood: threading.Event, channel: socket.socket
) -> None:
    """Collect what is printed until nobody can print any more; too much ends the experiment."""
    while part := pipe.read(1 << 16):
        printed.add(part)
        if printed.too_much and not flood.is_set():
            flood.set()
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
