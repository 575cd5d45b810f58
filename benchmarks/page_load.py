"""How fast pages of `hubel serve` load: the front page, and a study with 100 experiments.

    python benchmarks/page_load.py

Prints, for each page, the time until the whole document has come over HTTP and its size, and the
time until a headless Chromium has laid it out (DOMContentLoaded) and loaded what is in view, as
medians over several loads of a fresh browser context.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.agent import example_study
from tests.agent.author import PLANTED, UNIT, Author
from tests.agent.browser import FLAGS, NAMES
from tests.agent.served import served

from hubel.agent.ledger import Ledger

#: Experiments of the long study, and loads of each page.
LONG, LOADS = 100, 9


def long_study(ledger: Ledger) -> int:
    """A study with many experiments, each with its pictures."""
    author = Author(ledger, PLANTED, pictures=24)
    first = author.exemplars()
    author.step("What goes with the unit's activation?", {"red object": 1.9})
    while author.n < LONG - 6:
        author.step("Once more, with other pictures.")
        author.minimal_pairs("red object", "h1")
    while author.n < LONG:
        author.look_inside(first.values["stimuli"][:8])
    ledger.end(author.study, "cancelled", "It is long enough.")
    print(f"unit {UNIT}, {author.n} experiments")
    return author.study


def main() -> None:
    import shutil

    from playwright.sync_api import sync_playwright

    home = Path(tempfile.mkdtemp(prefix="hubel-load-"))
    with Ledger(home) as ledger:
        short, many = example_study.answered(ledger), long_study(ledger)
    pages = {"front page": "/", "studies": "/studies", "a study": f"/studies/{short}",
             "a study with 100 experiments": f"/studies/{many}"}  # fmt: skip
    found = next(path for name in NAMES if (path := shutil.which(name)))
    with served(home) as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        print(
            "| page | kB | HTTP, ms | DOM ready, ms | loaded, ms |\n| --- | --- | --- | --- | --- |"
        )
        for name, path in pages.items():
            whole, ready, loaded = [], [], []
            for _ in range(LOADS):
                begun = time.perf_counter()
                size = len(httpx.get(server.address + path).content)
                whole.append(1000 * (time.perf_counter() - begun))
                context = chromium.new_context()
                page = context.new_page()
                page.goto(server.address + path, wait_until="load")
                timing = page.evaluate(
                    "(t => [t.domContentLoadedEventEnd, t.loadEventEnd || t.domComplete])"
                    "(performance.getEntriesByType('navigation')[0])"
                )
                ready.append(timing[0])
                loaded.append(timing[1])
                context.close()
            row = " | ".join(f"{statistics.median(v):.0f}" for v in (whole, ready, loaded))
            print(f"| {name} | {size / 1000:.0f} | {row} |")
        chromium.close()
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
