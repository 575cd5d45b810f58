"""The zygote: a warmed Python from which every cell is forked. Process 1 of its box.

It has imported what experiments use, holds no model, and never runs planner-written code itself.
Each experiment is a fork; when it ends, everything that it started is killed. If it left a file
behind, the box says so, and the host throws the box away.

Frames from the host: ``{"run": {...}}`` with three descriptors (the cell's channel, where printed
text goes, the shelf for arrays), and ``{"stop": true}``. Frame to the host, at the end of each
experiment: ``{"ended": {"status", "why", "clean", "memory"}}``.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import socket
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

from hubel.sandbox import cell, watchdog

#: Seconds between two looks at an experiment's memory.
PULSE = 0.05


def serve(plan: dict[str, Any]) -> NoReturn:
    """Warm up, say so, and run one experiment after the other until the host is gone."""
    host = socket.socket(fileno=plan["channel"])
    os.close(plan["lifeline"])
    _warm(plan["warm"])
    gc.freeze()  # a collection in a fork would copy all that is shared
    files = _files_in(plan["tmpfs"])
    _send(host, {"warm": True})
    while True:
        message, descriptors = _receive(host)
        if "run" in message:
            _send(host, {"ended": _experiment(host, message["run"], descriptors, plan, files)})


def _warm(modules: list[str]) -> None:
    there = set(Path.cwd().iterdir())  # what the host shows of its own files may lie here
    for name in (*modules, "hubel.tools.result"):
        __import__(name)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.figure(figsize=(1, 1)).canvas.draw()
        pyplot.close("all")
    # What the modules cached on disk they have in memory now.
    for left in set(Path.cwd().iterdir()) - there:
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        sys.exit(f"the zygote has {threads} threads: forks of it could hang")


def _experiment(
    host: socket.socket,
    order: dict[str, Any],
    descriptors: list[int],
    plan: dict[str, Any],
    files: list[int],
) -> dict[str, Any]:
    """Fork a cell and watch it to its end."""
    child = os.fork()
    if child == 0:
        host.close()
        cell.run(order, cell.Doors(*descriptors), plan)
    for descriptor in descriptors:
        os.close(descriptor)
    watch = watchdog.Watch(plan["limits"]["memory"], tuple(plan["tmpfs"]))
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(host, select.POLLIN)
    why = ""
    while not why:
        ready = {descriptor for descriptor, _ in poll.poll(1000 * PULSE)}
        if ended in ready:
            break
        if host.fileno() in ready:
            _receive(host)  # "stop", or the host is gone
            why = "It was stopped."
        why = watch.passed() or why
    status = _status(child)
    watchdog.kill_all()
    os.close(ended)
    clean = _files_in(plan["tmpfs"]) == files
    return {"status": status, "why": why, "clean": clean, "memory": watch.most}


def _status(child: int) -> int | None:
    """Exit status or minus the signal of a cell that has ended; None if it has not."""
    done, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def _files_in(places: list[str]) -> list[int]:
    """How many files lie in each writable place: a place that changed betrays a fork."""
    if not places:  # confined: an ordinary folder
        return [len(list(Path.cwd().iterdir()))]
    found = map(os.statvfs, places)
    return [there.f_files - there.f_ffree for there in found]


def _receive(host: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """One frame of the host with the descriptors that came along; ends the box at its end."""
    data, descriptors, _flags, _from = socket.recv_fds(host, 4, 3)
    while len(data) < 4:
        data += _more(host, 4 - len(data), data)
    (length,) = struct.unpack(">I", data)
    body = b""
    while len(body) < length:
        body += _more(host, length - len(body), data)
    message: dict[str, Any] = json.loads(body)
    return message, descriptors


def _more(host: socket.socket, count: int, begun: bytes) -> bytes:
    part = host.recv(count) if begun else b""
    if not part:  # process 1 takes the whole box with it
        watchdog.kill_all()
        os._exit(0)
    return part


def _send(host: socket.socket, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    host.sendall(struct.pack(">I", len(body)) + body)
