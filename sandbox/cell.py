"""A cell: one experiment's code, in a fork of the zygote. What is here is what the code sees.

The code runs as a script. It may use

- ``tools.NAME(...)``: a tool, as planners call it. The call goes to the host, which counts and
  records it, and from there to the lab. The answer is a dictionary of the measured values, with
  ``.pictures`` (ids), ``.measures`` and ``.experiment`` (its number in the ledger).
- ``keep(picture)``: have the host keep a picture (PIL or an array); gives its id. Pictures among
  the arguments of a tool are kept in passing.
- ``picture(id)``: a picture as a PIL image.
- ``show(picture_or_figure, caption="")``: put a picture or a matplotlib figure into the record.
  Figures that are still open at the end are shown.
- ``result = ...``: JSON, numbers or arrays that go back to the planner.

Whatever it does to its own process dies with it.
"""

from __future__ import annotations

import ctypes
import linecache
import os
import resource
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from hubel.sandbox import arrays, landlock, seccomp, wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image

_PR_SET_DUMPABLE = 4
_SCRIPT = "<experiment>"


class ToolError(Exception):
    """A tool refused the call; the message says what to do instead."""


class Answer(dict[str, Any]):
    """The values that a tool measured.

    Attributes:
        pictures: Ids of the pictures that it made.
        measures: What each value means.
        experiment: Number of the call in the ledger.
    """

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result["values"])
        self.pictures = [made["id"] for made in result["artifacts"]]
        self.measures: dict[str, str] = result["measures"]
        self.experiment: int | None = result.get("experiment")


class Doors(NamedTuple):
    """The descriptors of a cell.

    Attributes:
        channel: A socket to the host.
        printed: Takes what is printed.
        shelf: Memory through which arrays go out.
    """

    channel: int
    printed: int
    shelf: int


def run(order: dict[str, Any], doors: Doors, plan: dict[str, Any]) -> NoReturn:
    """Run one experiment's code and end the process.

    Args:
        order: ``code``, the ``names`` that it finds set, the announced ``tools``, the folders
            where ``pictures`` lie, and the longest ``frame``.
        doors: What leads out.
        plan: The plan of the box; see `hubel.sandbox.jail`.
    """
    # First a signal that can be told from others, then the end.
    seconds = plan["limits"]["cpu"]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(doors.printed, 1)
    os.dup2(doors.printed, 2)
    # The watchdog adds up the memory of this process, so it must not hide it; the zygote does.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    if plan["walls"]:
        if plan["cell_read"] is not None:
            landlock.restrict(plan["cell_read"], plan["cell_write"])
        seccomp.install("cell")
    host = _Host(socket.socket(fileno=doors.channel), doors.shelf, order)
    try:
        host.send(_carried_out(order["code"], order["names"], host))
    except BaseException:  # the host broke off, or the code broke this very module
        os._exit(1)
    os._exit(0)


def _carried_out(code: str, given: dict[str, Any], host: _Host) -> dict[str, Any]:
    """The last frame: what the code came to."""
    lines = code.splitlines(keepends=True)
    linecache.cache[_SCRIPT] = (len(code), None, lines, _SCRIPT)
    names: dict[str, Any] = {
        "__name__": "__main__",
        "tools": _Tools(host),
        "ToolError": ToolError,
        "keep": host.keep,
        "picture": host.picture,
        "show": host.show,
        **given,
    }
    try:
        _script(code, names)
        host.show_open_figures()
        final = {"final": {"value": _plain(names.get("result"))}}
        host.check(final)
    except BaseException as error:
        return {"raised": _described(error)}
    finally:
        _flush()
    return final


def _script(code: str, names: dict[str, Any]) -> None:
    try:
        exec(compile(code, _SCRIPT, "exec"), names)  # noqa: S102  (what the box is for)
    except SystemExit as error:
        if error.code not in (None, 0):
            raise


class _Host:
    """The cell's end of the channel."""

    def __init__(self, channel: socket.socket, shelf: int, order: dict[str, Any]) -> None:
        self._channel = channel
        self._shelf = shelf
        self._turn = threading.RLock()
        self._folders = [Path(folder) for folder in order["pictures"]]
        self._frame: int = order["frame"]
        self.tools: dict[str, dict[str, Any]] = {spec["name"]: spec for spec in order["tools"]}

    def send(self, message: dict[str, Any]) -> None:
        wire.send(self._channel, message)

    def check(self, message: dict[str, Any]) -> None:
        """Refuse what the host would refuse, while the code can still hear of it."""
        try:
            wire.check(message, self._frame)
        except wire.WireError as error:
            raise ValueError(
                f"{next(iter(message))}: {error}; pass pictures by keep() or show(), and "
                "summaries instead of raw values"
            ) from None

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and wait for the host's answer."""
        self.check(message)
        with self._turn:  # the code may call from several threads
            self.send(message)
            answer = wire.receive(self._channel)
        if "refused" in answer:
            raise ToolError(answer["refused"])
        return answer

    def keep(self, picture: Image.Image | NDArray[Any]) -> str:
        """Have the host keep a picture; returns its id."""
        with self._turn:
            header = arrays.put(self._shelf, _pixels(picture), 0)
            return str(self.ask({"keep": {"array": header}})["id"])

    def show(self, what: Any, caption: str = "") -> None:
        """Put a picture or a matplotlib figure into the record."""
        kind = "picture"
        if hasattr(what, "canvas") and hasattr(what, "savefig"):
            from matplotlib.backends.backend_agg import FigureCanvasAgg

            canvas: Any = FigureCanvasAgg(what)
            canvas.draw()
            what, kind = _over_white(canvas.buffer_rgba()), "figure"
        with self._turn:
            header = arrays.put(self._shelf, _pixels(what), 0)
            self.ask({"show": {"kind": kind, "array": header, "caption": str(caption)[:500]}})

    def show_open_figures(self) -> None:
        """Show the figures that the code drew and did not close."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        for number in pyplot.get_fignums() if pyplot else ():
            self.show(pyplot.figure(number))  # type: ignore[union-attr]

    def picture(self, name: str) -> Image.Image:
        """A picture of the study, RGB."""
        from PIL import Image

        from hubel.tools.stimuli import PictureStore

        root, *others = self._folders
        with Image.open(PictureStore(root, others).path(name)) as file:
            return file.convert("RGB")


class _Tools:
    """The tools, as functions with the announced names."""

    def __init__(self, host: _Host) -> None:
        self._host = host

    def __dir__(self) -> list[str]:
        return sorted(self._host.tools)

    def __getattr__(self, name: str) -> Any:
        if name not in self._host.tools:
            known = ", ".join(sorted(self._host.tools)) or "none"
            raise AttributeError(f"there is no tool '{name}'; there are: {known}")

        def call(**arguments: Any) -> Answer:
            args = {key: self._sent(value) for key, value in arguments.items()}
            answer = self._host.ask({"call": {"tool": name, "args": args}})
            return Answer(answer["result"])

        call.__name__, call.__doc__ = name, self._host.tools[name]["doc"]
        return call

    def _sent(self, value: Any) -> Any:
        """An argument as JSON; pictures become ids."""
        if type(value).__module__.startswith("PIL.") or getattr(value, "ndim", 0) == 3:
            return self._host.keep(value)
        if isinstance(value, list | tuple):
            return [self._sent(item) for item in value]
        if isinstance(value, dict):
            return {str(key): self._sent(item) for key, item in value.items()}
        return _plain(value)


def _pixels(picture: Any) -> NDArray[Any]:
    """RGB bytes [H, W, 3] of a PIL image or an array (floats are taken as 0 to 1)."""
    import numpy as np
    from PIL import Image

    if isinstance(picture, Image.Image):
        return np.asarray(picture.convert("RGB"))
    given = np.asarray(picture)
    if given.ndim == 2:
        given = np.repeat(given[:, :, None], 3, axis=2)
    if given.ndim != 3 or given.shape[2] != 3:
        raise ValueError(f"a picture is [H, W, 3] or [H, W]; this array is {given.shape}")
    if given.dtype.kind == "f":
        given = (given.clip(0, 1) * 255).round()
    return np.ascontiguousarray(given, dtype=np.uint8)


def _over_white(rgba: Any) -> NDArray[Any]:
    import numpy as np

    given = np.asarray(rgba).astype(np.float32)
    share = given[:, :, 3:] / 255
    return (given[:, :, :3] * share + 255 * (1 - share)).astype(np.uint8)


def _plain(value: Any) -> Any:
    """JSON of what the code assigned; numpy values as numbers and lists."""
    from hubel.tools.result import rounded

    return rounded(value)


def _described(error: BaseException) -> dict[str, str]:
    """What went wrong, with the lines of the code itself only."""
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == _SCRIPT]
    listed = "".join(traceback.format_list(own))
    said = "".join(traceback.format_exception_only(type(error), error)).strip()
    return {
        "type": type(error).__name__,
        "message": _sendable(str(error)[:2000]),
        "traceback": _sendable(f"{listed}{said}"[-8000:]),
    }


def _sendable(text: str) -> str:
    """Without the halves of characters that a file's name may hold."""
    return text.encode("utf-8", "replace").decode()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # the code closed or replaced it
            continue
