"""A benchmark's planner process. `python -m hubel.evals.worker FD [WORDS]`, in a box of its own.

It holds no neuron and no truth: the evaluator answers its questions over a socket. Frames from the
evaluator: ``{"explorer", "domain", "budget", "seed"}``, then ``{"outputs": [...]}`` for each
question. Frames to it: ``{"ask": [...]}``, and at the end ``{"found": {...}}`` or
``{"failed": why}``.
"""

from __future__ import annotations

import socket
import sys
import traceback
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

from hubel.agent.planners.lexical.lexicon import Lexicon
from hubel.evals.explorers import explorer
from hubel.sandbox import wire


def main() -> None:
    """Explain one neuron after the other, until the evaluator is gone."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    while True:
        try:
            order = wire.receive(channel)
        except wire.WireError:
            return
        try:
            last: dict[str, Any] = {"found": _found(channel, order)}
        except wire.WireError:
            return
        except Exception:
            last = {"failed": traceback.format_exc()[-4000:]}
        wire.send(channel, last)


def _found(channel: socket.socket, order: dict[str, Any]) -> dict[str, Any]:
    explore = explorer(order["domain"], order["explorer"])
    if order["domain"] in ("words", "pairs"):
        explore = partial(explore, lexicon=_lexicon())
    steps = explore(order["budget"], order["seed"])
    try:
        asked = next(steps)
        while True:
            wire.send(channel, {"ask": asked})
            asked = steps.send(wire.receive(channel)["outputs"])
    except StopIteration as end:
        return asdict(end.value)


@cache
def _lexicon() -> Lexicon:
    """What explorers of neurons over words may ask about, from the file that the box shows."""
    return Lexicon.load(Path(sys.argv[2]))


if __name__ == "__main__":
    main()
