"""The lab: the process that holds the target and runs the tools. `python -m hubel.sandbox.lab FD`.

It reads one frame of settings, answers with what it has opened, and then carries out one call
after the other. It ends when the host closes the channel or dies.

Frames from the host: the settings; then ``{"call": tool, "args": {...}, "seed": int}``.
Frames to the host: ``{"hello": {...}}`` or ``{"refused": why}``; then for each call any number of
``{"progress": [done, total, what]}`` and one of ``{"result": {...}}``, ``{"refused": why}`` (a
`ToolError`) and ``{"broken": traceback}`` (a bug).
"""

from __future__ import annotations

import os
import platform
import select
import socket
import sys
import threading
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hubel.sandbox import wire


def main() -> None:
    """Serve the host on the socket whose file descriptor is the only argument."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    # What a user's code prints is not data.
    os.dup2(2, 1)
    threading.Thread(target=_end_with_host, args=(channel.fileno(),), daemon=True).start()
    settings = wire.receive(channel)
    lab = _opened(channel, settings)
    while lab is not None:
        try:
            message = wire.receive(channel)
        except wire.WireError:
            break
        wire.send(channel, lab.answer(message))


class _Lab:
    """An opened target with its data and the tools."""

    def __init__(self, channel: socket.socket, settings: dict[str, Any]) -> None:
        # Imported here: a host that only starts a lab must not wait for torch.
        import hubel.tools.experiments  # noqa: F401  (fills the registry)
        from hubel.tools.context import Context
        from hubel.tools.data.opening import open_data
        from hubel.tools.spec import registry
        from hubel.tools.stimuli import PictureStore
        from hubel.tools.targets.opening import open_target

        if settings["device"].startswith("cuda"):
            _share_gpu(settings["device"], settings["gpu"])
        self._channel = channel
        self.tools = registry()
        self.target = open_target(settings["target"], settings["device"])
        self.context: Context | None = None
        if settings["data"] is not None:
            self.context = Context(
                target=self.target,
                data=open_data(settings["data"]),
                store=PictureStore(
                    Path(settings["scratch"]), [Path(settings["store"])], settings["stamp"]
                ),
                cache=Path(settings["cache"]),
                report=self._report,
            )

    def hello(self) -> dict[str, Any]:
        """What the host needs to know: tools, sites, data, versions."""
        target = self.target
        data = None
        if self.context is not None:
            held = self.context.data
            data = {"name": held.name, "pictures": len(held.groups), "hash": held.fingerprint()}
        return {
            "tools": [spec.announce() for spec in self.tools.values()],
            "target": {
                "name": target.name,
                "hash": target.fingerprint(),
                "device": str(target.device),
                "classes": len(target.labels or ()),
                "sites": [
                    {"name": s.name, "layout": s.layout, "shape": list(s.shape), "units": s.units}
                    for s in target.sites.values()
                ],
                "main_sites": target.main_sites,
            },
            "data": data,
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("hubel", "torch", "numpy", "pillow")},
            },
        }

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Carry out one call."""
        from hubel.tools.data import DataError
        from hubel.tools.spec import ToolError
        from hubel.tools.units import nearest

        spec = self.tools.get(message["call"])
        try:
            if spec is None:
                known = [n for n, s in self.tools.items() if s.audience == "planner"]
                raise ToolError(
                    f"There is no tool '{message['call']}'. {nearest(message['call'], known)}"
                )
            if self.context is None:
                raise ToolError("This lab was started without data: name them with --data.")
            self.context.seed = message["seed"]
            return {"result": spec(self.context, message["args"]).to_json()}
        except (ToolError, DataError) as error:
            return {"refused": str(error)}
        except Exception:
            told = traceback.format_exc()
            return {"broken": told.encode("utf-8", "replace").decode()}

    def _report(self, done: int, total: int, what: str) -> None:
        wire.send(self._channel, {"progress": [done, total, what]})


def _share_gpu(device: str, share: float) -> None:
    """Take no more than a share of a GPU's memory; CUDA begins here, in the lab's own process."""
    import torch

    if torch.cuda.is_available():  # otherwise opening the target says what is missing
        torch.cuda.set_per_process_memory_fraction(share, torch.device(device).index or 0)


def _opened(channel: socket.socket, settings: dict[str, Any]) -> _Lab | None:
    from hubel.tools.data import DataError
    from hubel.tools.spec import ToolError

    try:
        lab = _Lab(channel, settings)
        wire.send(channel, {"hello": lab.hello()})
    except (ToolError, DataError) as error:
        wire.send(channel, {"refused": str(error)})
        return None
    return lab


def _end_with_host(descriptor: int) -> None:
    """End the process at once when the host's end of the channel is gone, even in mid-call."""
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main()
