"""Where attacks run: in a box, or (as the control) in a plain process in namespaces of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from hubel.sandbox.cells import CellSession, Ran
from hubel.sandbox.jail import Jail
from hubel.sandbox.limits import MIB, Limits
from hubel.sandbox.probes import plain
from hubel.sandbox.probes.probe import Tried
from hubel.sandbox.view import python_folders

#: Small, so that attacks on them are quick and harmless.
LIMITS = Limits(
    wall=5.0,
    cpu=10,
    memory=384 * MIB,
    printed=MIB // 16,
    printed_fatal=4 * MIB,
    frame=MIB // 4,
    arrays=16 * MIB,
    tmpfs=16 * MIB,
    inodes=500,
    processes=32,
    files=64,
)

#: Name of the variable of the host's environment that holds a secret while probes run.
VARIABLE = "HUBEL_PROBE"
_BEGUN = "hubel-probe: begun"
_PREFACE = f"""
import ctypes, json
facts = json.loads(%r) | globals().get("given", {{}})
ctypes.CDLL(None).prctl(15, facts["tag"].encode(), 0, 0, 0)
def attempt(action, *arguments):
    try:
        return action(*arguments)
    except Exception as error:
        return f"{{type(error).__name__}}: {{error}}"
print({_BEGUN!r}, flush=True)
"""


class NoControl(Exception):
    """Nothing can be run without the box here; the message says why."""


class NotBegun(Exception):
    """The box did not run the attack at all, so nothing is shown; the message says why."""


class Bench:
    """What the rooms of one run of the list share: folders, a box, and secrets of the host.

    Args:
        jail: How boxes are started.
    """

    def __init__(self, jail: Jail) -> None:
        self.jail = Jail(jail.level, jail.bwrap, LIMITS)
        self.folder = Path(tempfile.mkdtemp(prefix="hubel-probes-"))
        self.folder.chmod(0o755)
        #: Shown to the box, to read.
        self.shared = self.folder / "shared"
        self.shared.mkdir()
        self.token = secrets.token_hex(16)
        os.environ[VARIABLE] = self.token
        file = self.folder / "open"
        file.write_text(self.token)
        self.descriptor = os.open(file, os.O_RDONLY)
        os.set_inheritable(self.descriptor, True)
        self.session = CellSession(self.jail, [self.shared])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.session.close()
        os.close(self.descriptor)
        os.environ.pop(VARIABLE, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def control(self) -> list[str]:
        """The command that opens namespaces for a control; empty if there can be none."""
        bwrap = self.jail.bwrap or shutil.which("bwrap")
        if bwrap is None:
            return []
        command = [bwrap, *_own_namespaces(), "--bind", str(self.folder), str(self.folder)]
        ok = subprocess.run([*command, "true"], capture_output=True, check=False)  # noqa: S603
        return command if ok.returncode == 0 else []


class Room:
    """A place for one attack.

    Attributes:
        bench: What it shares with other rooms.
        box: The attack runs in a box; otherwise this is the control.
        folder: On the host; a box sees it read-only, the control may write there.
        hidden: On the host; a box is not shown it.
        tag: What the processes of the attack call themselves.
        limits: Those of the box.
    """

    def __init__(self, bench: Bench, *, box: bool, bare: bool) -> None:
        self.bench = bench
        self.box = box
        self.tag = f"hp-{secrets.token_hex(6)}"
        self.limits = LIMITS
        self.folder = Path(tempfile.mkdtemp(dir=bench.shared))
        self.hidden = Path(tempfile.mkdtemp(dir=bench.folder))
        for folder in (self.folder, self.hidden):
            folder.chmod(0o755)
        self._bare = bare
        self._victim = ""

    def secret(self, path: Path, mode: int = 0o644) -> str:
        """Write a random token to a file; gives the token."""
        token = secrets.token_hex(16)
        path.write_text(token)
        path.chmod(mode)
        return token

    def victim(self) -> str:
        """Have a process run beside the attack; gives the token that it holds."""
        self._victim = secrets.token_hex(16)
        return self._victim

    def attack(self, *codes: str, seconds: float = 3.0, **facts: Any) -> Tried:
        """Run attacks, one experiment after the other; gives what became of the last.

        Args:
            codes: Python scripts; they see `facts` and ``attempt(action, *arguments)``.
            seconds: After which a host without a box asks the code to end.
            facts: What the attacker knows.
        """
        # Probes reach for processes that they started themselves, and for no others: where the
        # box shares the host's list of processes, an attack keeps to those it was told of.
        facts |= {"tag": self.tag, "processes": str(Path("/proc/self/ns/pid").readlink())}
        codes = tuple(_PREFACE % json.dumps(facts) + code for code in codes)
        return self._in_box(codes) if self.box else self._without(codes, facts, seconds)

    def _in_box(self, codes: Sequence[str]) -> Tried:
        victim = None
        if self._victim:
            victim, known = plain.start_victim(self._victim)
            codes = [f"given = {known!r}\n{code}" for code in codes]
        try:
            *_, ran = [self._begun(code) for code in codes]
            lives = victim is not None and victim.poll() is None
        finally:
            if victim is not None:
                victim.kill()
                victim.wait()
        # A process whose killing was ordered takes a moment to be gone.
        until = time.monotonic() + 1.0
        while plain.named(self.tag) and time.monotonic() < until:
            time.sleep(0.02)
        left = _killed(self.tag)
        printed = ran.printed.replace(_BEGUN + "\n", "", 1)
        size = len(ran.printed.encode())
        return Tried(
            ran.status, ran.why, printed, ran.traceback, size, ran.value, ran.seconds, left, lives
        )

    def _begun(self, code: str) -> Ran:
        """Run it; an attack that did not begin shows nothing."""
        ran = self.bench.session.run(code)
        if _BEGUN not in ran.printed:
            raise NotBegun(f"the attack did not begin: {ran.why}")
        return ran

    def _without(self, codes: Sequence[str], facts: dict[str, Any], seconds: float) -> Tried:
        command = self.bench.control
        if not command and not self._bare:
            raise NoControl("there are no namespaces here to run the attack in")
        job = {
            "codes": codes,
            "facts": facts,
            "seconds": seconds,
            "victim": self._victim,
            "tag": self.tag,
        }
        done = subprocess.run(  # noqa: S603
            [*command, sys.executable, "-I", plain.__file__],
            input=json.dumps(job).encode(),
            cwd=self.hidden,
            capture_output=True,
            pass_fds=[self.bench.descriptor],
            timeout=seconds + 30,
            start_new_session=True,  # its group is its own to spoil
            check=False,
        )
        if done.returncode != 0:
            raise NoControl(f"the control broke: {done.stderr.decode(errors='replace')[-300:]}")
        return Tried(**json.loads(done.stdout))

    def works(self) -> bool:
        """Whether the host still runs code as it should; then the next attack need not wait."""
        ran = self.bench.session.run("import json, numpy\nresult = int(numpy.sum([40, 2]))")
        return bool(ran.status == "done" and ran.value == 42)


def _killed(tag: str) -> int:
    """End the processes that an attack left; gives how many there were."""
    left = plain.named(tag)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(left)


def _own_namespaces() -> list[str]:
    """Options of bwrap: all can be read; what an attack writes, fills and kills is its own.

    The root of a bwrap is a file system in memory, as `/dev` and `/tmp` are.
    """
    out = ["--die-with-parent", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
    for entry in sorted(Path("/").iterdir()):
        if entry.name in ("proc", "dev", "tmp"):
            continue
        if entry.is_symlink():
            out += ["--symlink", str(entry.readlink()), str(entry)]
        else:
            out += ["--ro-bind-try", str(entry), str(entry)]
    out += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/dev/shm", "/tmp"):  # noqa: S108  (the control's own)
        out += ["--size", str(768 * MIB), "--tmpfs", place]
        # Python, hubel and the home folder may lie beneath.
        for path in (*python_folders(), Path.home()):
            out += ["--ro-bind", str(path), str(path)] if path.is_relative_to(place) else []
    out += ["--chdir", "/tmp"]  # noqa: S108
    return out
