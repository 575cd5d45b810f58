"""How long a chat keeps people waiting: from start to prompt, and from a model's word to the screen.

    python benchmarks/chat_latency.py [--model demo] [--data scenes:60] [--times 3]

The chat runs on a pty, as in a terminal. A word's time runs from the moment at which the scripted
server of the test-suite has the request and begins to answer, over HTTP on loopback, to the moment
at which the word can be read on the screen.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.agent.chat_server import ChatServer, Reply
from tests.agent.terminal import Terminal


class Words:
    """Answers each request with a word of its own, and notes when."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self.begun: list[float] = []

    def __call__(self, _request: dict[str, Any]) -> Reply:
        self.begun.append(time.monotonic())
        n = len(self.begun)
        calls = (("exemplars", {"unit": self._unit, "k": 1 + n % 9}),)  # never the same twice
        return Reply(text=f"zebra{n} it may be stripes. ", calls=calls)


def once(options: argparse.Namespace, words: Words, url: str) -> tuple[float, list[float]]:
    """Seconds to the prompt, and for each step seconds to its first word."""
    first = len(words.begun)
    with tempfile.TemporaryDirectory() as home:
        begun = time.monotonic()
        command = [
            sys.executable, "-m", "hubel", "chat", "--model", options.model, "--data", options.data,
            "--unit", options.unit, "--planner", "openai/scripted", "--base-url", url,
            "--describer", "none", "--budget", f"rounds={options.steps}",
        ]  # fmt: skip
        with Terminal(command, {"HUBEL_HOME": home, "OPENAI_API_KEY": "none"}) as screen:
            screen.until(f"{options.unit} >", 300)
            prompt = time.monotonic() - begun
            screen.type("what is it?\r")
            waits = []
            for i in range(options.steps):
                screen.until(f"zebra{first + i + 1}", 300)
                waits.append(time.monotonic() - words.begun[first + i])
            screen.until("/report makes a page.", 300)
            screen.until(f"{options.unit} >", 300)
            screen.type("/quit\r")
            screen.end()
    return prompt, waits


def told(name: str, seconds: list[float]) -> str:
    """Median and range."""
    ms = [1000 * s for s in seconds]
    return f"{name}: median {statistics.median(ms):.0f} ms, {min(ms):.0f} to {max(ms):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo")
    parser.add_argument("--data", default="scenes:60")
    parser.add_argument("--unit", default="_blocks.6:65")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6)
    options = parser.parse_args()
    prompts, waits = [], []
    words = Words(options.unit)
    with ChatServer(words) as server:
        for _ in range(options.times):
            prompt, waited = once(options, words, server.url)
            prompts.append(prompt)
            waits += waited
    print(told("start to prompt", prompts))
    print(told("first word to screen", waits))


if __name__ == "__main__":
    main()
