"""The control: runs an attack as a host without a box does, by `exec` in its own process.

A program of its own, in throwaway namespaces: a job as JSON on standard input, what came of it as
JSON on standard output. It imports the standard library only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import IO, Any

#: Kept: an attack may put its own in the place of it.
_encoded = json.dumps

#: A process with a secret in its environment and in its memory; it prints where.
VICTIM = """
import ctypes, os, time
held = bytearray(os.environ["HUBEL_PROBE"].encode())
print(ctypes.addressof((ctypes.c_char * len(held)).from_buffer(held)), len(held), flush=True)
time.sleep(60)
"""

#: Bytes of printed text that are handed on.
_KEPT = 1 << 16


def start_victim(token: str) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """Start a victim that holds `token`; gives it and where it holds it."""
    victim = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-c", VICTIM],
        stdout=subprocess.PIPE,
        env={"HUBEL_PROBE": token},
        text=True,
    )
    address, length = map(int, victim.stdout.readline().split() if victim.stdout else ())
    if victim.stdout:
        victim.stdout.close()
    return victim, {"victim": victim.pid, "address": address, "length": length}


def named(tag: str) -> list[int]:
    """Processes that have named themselves `tag`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                name, state = (entry / "stat").read_text().rsplit(")", 1)
            except (OSError, UnicodeDecodeError):  # it has ended since
                continue
            if name.endswith(f"({tag}") and state.split()[0] != "Z":
                found.append(int(entry.name))
    return found


def main() -> None:
    """Do the one job."""
    job = json.load(sys.stdin)
    victim = None
    if job["victim"]:
        victim, facts = start_victim(job["victim"])
        job["facts"] |= facts
    begun = time.monotonic()
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as answer:
        child = os.fork()
        if child == 0:
            _carry_out(job, printed.fileno(), answer)
        status, why = _wait(child, begun + job["seconds"])
        seconds = time.monotonic() - begun
        answer.seek(0)
        said = json.loads(answer.read() or "{}")
        printed.seek(0)
        tried = {
            "status": said.get("status", status) if status == "done" else status,
            "why": said.get("why", why),
            "printed": printed.read(_KEPT).decode(errors="replace"),
            "traceback": "",
            "size": os.fstat(printed.fileno()).st_size,
            "value": said.get("value"),
            "seconds": seconds,
            "left": len([p for p in named(job["tag"]) if p != child]),
            "victim": victim is not None and victim.poll() is None,
        }
    sys.stdout.write(json.dumps(tried))
    if victim is not None:
        victim.kill()
        victim.wait()


def _carry_out(job: dict[str, Any], printed: int, answer: IO[bytes]) -> None:
    """In a process of its own: run each of the codes with the same interpreter."""
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    said: dict[str, Any] = {"status": "done", "why": "", "value": None}
    for code in job["codes"]:
        names = {"__name__": "__main__", "given": job["facts"], "show": lambda _what: None}
        try:
            exec(compile(code, "<attack>", "exec"), names)  # noqa: S102  (what is to be shown)
            said = {"status": "done", "why": "", "value": names.get("result")}
        except Exception as error:
            traceback.print_exc()
            said = {"status": "error", "why": f"{type(error).__name__}: {error}", "value": None}
    sys.stdout.flush()
    answer.write(_encoded(said).encode())
    answer.flush()
    os._exit(0)


def _wait(child: int, deadline: float) -> tuple[str, str]:
    """Wait for the child; at the deadline ask it to end, as a careful host does."""
    asked = False
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            if asked:
                return "limit", "it ended when it was asked to"
            return ("done", "") if code == 0 else ("lost", f"the host died, status {code}")
        if time.monotonic() > deadline:
            if asked:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return "hung", "it ignored the signal to end"
            os.kill(child, signal.SIGTERM)
            asked, deadline = True, deadline + 0.5
        time.sleep(0.01)


if __name__ == "__main__":
    main()
