"""The host's side of a lab: start it, call its tools, survive its death."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from hubel.sandbox import wire
from hubel.sandbox.jail import Box, Jail, JailError
from hubel.sandbox.printed import clean, last_line
from hubel.sandbox.visible import visible

Progress = Callable[[int, int, str], None]

#: Seconds for a lab to open its target, and for one tool call; a first call may index the data.
START_SECONDS = 300.0
CALL_SECONDS = 3600.0


class LabRefused(Exception):
    """The lab does not do what was asked; the message says why and what to do instead."""


class ToolBroken(Exception):
    """A tool raised an exception that is a bug; the message is its traceback."""


class LabLost(Exception):
    """The lab died, hung or broke the protocol. The next call starts a new one."""


#: What a lab says when it has opened its target, and what a result holds.
_HELLO = {"tools", "target", "data", "versions"}
_RESULT = {"values", "measures", "metric", "mediator", "counterfactual", "seed", "artifacts"}
#: Characters of what it says that are kept.
_LONGEST = 1 << 16

#: A lab that is a plain process.
NO_JAIL = Jail("none")


@dataclass(frozen=True, slots=True)
class LabSettings:
    """What a lab opens.

    Attributes:
        target: Name of the network, as users type it.
        data: Name of the data set; None for a lab that only lists its units.
        home: Folder of the ledger; the lab reads ``pictures`` in it and writes ``cache``.
        device: Where the network runs.
        reads: Other files and folders that it may read: those of directions, or that a user's
            file opens.
        jail: How its box is started; with the level none it is a plain process.
    """

    target: str
    data: str | None
    home: Path
    device: str = "cpu"
    reads: tuple[Path, ...] = ()
    jail: Jail = NO_JAIL

    @property
    def cache(self) -> Path:
        """Where the lab keeps what can be computed again, for labs of the same target alone.

        A target may be somebody else's code: what it writes here spoils no other's results.
        """
        name = hashlib.sha256(self.target.encode()).hexdigest()[:16]
        return self.home / "cache" / name


class LabSession:
    """A lab, started when first needed and started again after it died."""

    def __init__(self, settings: LabSettings, progress: Progress | None = None) -> None:
        self.settings = settings
        self.progress: Progress = progress or (lambda _done, _total, _what: None)
        self._process: subprocess.Popen[bytes] | None = None
        self._box: Box | None = None
        self._channel: socket.socket | None = None
        self._hello: dict[str, Any] = {}
        self.scratch = Path(tempfile.mkdtemp(prefix="hubel-lab-"))
        # Not in the scratch: what lies there is the lab's, and may be a link by now.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def hello(self) -> dict[str, Any]:
        """What the lab said of itself: tools, target, data, versions. Starts the first one.

        Raises:
            LabRefused: The target or the data cannot be opened.
            LabLost: The lab died while it started.
        """
        if not self._hello:
            self._start()
        return self._hello

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The announced tools that planners, and the code they write, may call."""
        return [tool for tool in self.hello["tools"] if tool["audience"] == "planner"]

    def call(
        self, tool: str, args: dict[str, Any], seed: int, seconds: float = CALL_SECONDS
    ) -> dict[str, Any]:
        """Run one tool and wait for its result.

        Raises:
            LabRefused: The call is not one that the tool carries out.
            ToolBroken: The tool has a bug.
            LabLost: The lab died or did not answer in time; it is gone now.
        """
        if self._channel is None:
            self._start()
        deadline = time.monotonic() + seconds
        try:
            self._send({"call": tool, "args": args, "seed": seed})
            answer = self._answer(deadline)
        except wire.WireError as error:
            raise LabLost(
                f"The lab was lost during '{tool}': {error}. {self._obituary()}"
            ) from None
        except BaseException:
            # An interrupt in mid-call leaves an answer under way that belongs to nobody.
            self._stop()
            raise
        if "broken" in answer:
            raise ToolBroken(_text(answer["broken"]))
        if "refused" in answer:
            raise LabRefused(_text(answer["refused"]))
        result = answer.get("result")
        if not isinstance(result, dict) or not result.keys() >= _RESULT:
            self._stop()
            raise LabLost(f"The lab was lost during '{tool}': its answer is no result.")
        return result

    def close(self) -> None:
        """End the lab and remove its scratch."""
        self._stop()
        self._log.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """Process id of the running lab."""
        return self._process.pid if self._process else None

    def _start(self) -> None:
        home, cache = self.settings.home, self.settings.cache
        for folder in (home / "pictures", cache, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        self._log.truncate(0)
        self._log.seek(0)
        if self.settings.jail.level in ("none", "unsafe"):
            self._process, self._channel = self._bare(self._log.fileno())
        else:
            self._box = self._boxed(self._log.fileno())
            self._process, self._channel = self._box.process, self._box.channel
        settings = {
            "target": self.settings.target,
            "data": self.settings.data,
            "device": self.settings.device,
            "store": str(home / "pictures"),
            "cache": str(cache),
            "scratch": str(self.scratch / "pictures"),
            "gpu": self.settings.jail.limits.gpu,
            "stamp": {"sandbox": "none"} if self.settings.jail.level == "unsafe" else {},
        }
        try:
            self._send(settings)
            answer = self._answer(time.monotonic() + START_SECONDS)
        except wire.WireError as error:
            raise LabLost(f"The lab did not start: {error}. {self._obituary()}") from None
        except BaseException:
            self._stop()
            raise
        if "refused" in answer:
            self._stop()
            raise LabRefused(_text(answer["refused"]))
        hello = answer.get("hello")
        if not isinstance(hello, dict) or not hello.keys() >= _HELLO:
            self._stop()
            raise LabLost("The lab did not start: it did not say what it opened.")
        if self._box is not None:
            try:
                self._box.opened(self.settings.jail.limits)
            except OSError:
                raise LabLost(f"The lab did not start. {self._obituary()}") from None
        self._hello = hello

    def _bare(self, log: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """A lab without a box."""
        mine, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603  (our own module, our own Python)
                [sys.executable, *_LAB, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is the host's to handle
            )
        return process, mine

    def _boxed(self, log: int) -> Box:
        """A lab in a box. It sees its target, its data and the pictures, and writes to two folders.

        Raises:
            LabLost: The box cannot be started.
        """
        settings = self.settings
        reads = [settings.home / "pictures", *visible(settings.target, settings.data)]
        try:
            return settings.jail.start(
                "lab",
                [sys.executable, *_LAB, "{channel}"],
                read=[*reads, *settings.reads],
                write=[self.scratch, settings.cache],
                environment=_lab_environment(self.scratch),
                folder=Path.cwd(),
                user=settings.target,
                log=log,
                gpu=settings.device != "cpu",
            )
        except JailError as error:
            raise LabLost(str(error)) from None

    def _send(self, message: dict[str, Any]) -> None:
        if self._channel is None:
            raise wire.WireError("there is no lab")
        wire.send(self._channel, message)

    def _answer(self, deadline: float) -> dict[str, Any]:
        if self._channel is None:
            raise wire.WireError("there is no lab")
        while True:
            message = wire.receive(self._channel, deadline)
            if "progress" not in message:
                return message
            match message["progress"]:
                case [int(done), int(total), str(what)]:
                    self.progress(done, total, clean(what)[:200])
                case _:
                    raise wire.WireError("a report of progress is wrong")

    def _obituary(self) -> str:
        """Stop what is left of the lab and say how it ended."""
        process = self._process
        ended = None
        said = self._box.last_words() if self._box is not None else ""
        if self._box is not None and self._box.overfull():
            limit = self.settings.jail.limits.memory >> 20
            said = said or f"It took more than {limit} MiB of memory on top of its target."
        if said:
            self._stop()
            return said
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended = process.wait(timeout=0.5)
        self._stop()
        how = "It was still running and was stopped." if ended is None else f"Exit status {ended}."
        words = last_line(self._log)
        return how + (f" Its last words: {words[:300]}" if words else "")

    def _stop(self) -> None:
        if self._box is not None:
            self._box.end()
            self._box = self._process = self._channel = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


#: How a lab is started; the working folder, which anybody may fill, is no place for modules.
_LAB = ("-P", "-m", "hubel.sandbox.lab")

# Threads that wait by spinning take the cores from each other: on two cores with one other busy
# process a forward pass took four times as long.
_QUIET = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def _text(value: object) -> str:
    """What a lab says, safe to show."""
    return clean(str(value))[:_LONGEST]


def _lab_environment(scratch: Path) -> dict[str, str]:
    """All that the environment of a lab in a box holds."""
    from huggingface_hub.constants import HF_HUB_CACHE

    threads = {k: v for k, v in os.environ.items() if k in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    places = {
        "HOME": str(Path.home()),  # only a name: what ~ means, of which the box shows nothing
        "XDG_CACHE_HOME": str(scratch / "home"),
        "MPLCONFIGDIR": str(scratch / "home"),
        "HF_HUB_CACHE": HF_HUB_CACHE,
    }
    return _QUIET | _OFFLINE | threads | places


def _environment() -> dict[str, str]:
    """The host's environment without what a lab has no business to know."""
    secret = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")
    kept = {k: v for k, v in os.environ.items() if not any(word in k.upper() for word in secret)}
    return _QUIET | kept | _OFFLINE
