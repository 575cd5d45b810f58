"""Who explains a neuron in the benchmark, by name: the built-in explorers and the baselines.

A baseline is an explorer like any other. What it is for is to be beaten: a score that it reaches
too says nothing.
"""

from __future__ import annotations

import gc
import hashlib
import itertools
import math
import os
import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.evals.neuron import Neuron
from hubel.tools.units import nearest

#: Takes a budget and a seed; those of ``words`` and ``pairs`` a `Lexicon` besides.
Explore = Callable[..., Explorer]

#: Where the built-in explorer of each domain is.
_BUILTIN = {
    "numbers": "hubel.agent.planners.numbers",
    "strings": "hubel.agent.planners.strings",
    "words": "hubel.agent.planners.lexical.entities",
    "pairs": "hubel.agent.planners.lexical.relations",
    "scenes": "hubel.agent.planners.scenes",
}
#: Inputs that a baseline asks about.
_NUMBERS = [float(x) for x in range(-128, 129, 2)]
_STRINGS = ["", "a", "Z", "7", "cat", "Dog", "hello world", "A1 b2", "ABC", "42", "level", "x y z"]


def explorer(domain: str, name: str) -> Explore:
    """The explorer of a name, for a domain.

    Raises:
        ValueError: There is none; the message names the nearest.
    """
    if domain not in _BUILTIN:
        raise ValueError(f"there is no domain '{domain}'. {nearest(domain, _BUILTIN)}")
    if name == "builtin":
        found: Explore = import_module(_BUILTIN[domain]).explore
        return found
    known = _baselines(domain)
    if name not in known:
        there = ["builtin", "oracle", *known]
        raise ValueError(f"there is no planner '{name}' for {domain}. {nearest(name, there)}")
    return known[name]


def _baselines(domain: str) -> dict[str, Explore]:
    if domain in ("words", "pairs"):
        from hubel.evals.families.words import baselines

        return baselines.of(domain) | {"empty": _wordless(empty), "cheater": _wordless(cheater)}
    if domain == "scenes":
        from hubel.evals.families.scenes.baselines import BASELINES

        return BASELINES | {"empty": empty, "cheater": cheater}
    return NUMBERS if domain == "numbers" else STRINGS


def _wordless(explore: Explore) -> Explore:
    """An explorer that makes no use of a lexicon."""

    def explored(budget: int, seed: int, lexicon: object) -> Explorer:  # noqa: ARG001
        return explore(budget, seed)

    return explored


def empty(_budget: int, _seed: int) -> Explorer:
    """Asks nothing and finds nothing: its abstentions are right on null units alone."""
    yield from ()
    return Finding(None, "Nothing was found.", 0.0)


def constant_number(budget: int, _seed: int) -> Explorer:
    """The median of what it saw. On functions with a narrow range FIND's own score lets it pass."""
    answers = yield _NUMBERS[:budget]
    middle = statistics.median([y for y in answers if y is not None] or [0.0])
    return Finding(f"def f(x):\n    return {middle!r}\n", f"It is {middle:g}.", 0.0)


def nearest_number(budget: int, _seed: int) -> Explorer:
    """A table of what it saw, read at the nearest input: it predicts, and explains nothing."""
    asked = _NUMBERS[:budget]
    answers = yield asked
    table = {x: y for x, y in zip(asked, answers, strict=True) if y is not None}
    code = f"T = {table!r}\ndef f(x):\n    return T[min(T, key=lambda k: abs(k - x))]\n"
    return Finding(code, "What was seen at the nearest input.", 0.0)


def polynomial(budget: int, _seed: int) -> Explorer:
    """The polynomial of degree 0 to 6 that fits what it saw best, by BIC."""
    import numpy as np

    asked = _NUMBERS[:budget]
    answers = yield asked
    seen = [(x, y) for x, y in zip(asked, answers, strict=True) if y is not None]
    if len(seen) < 8:
        return Finding(None, "It is undefined nearly everywhere.", 0.0)
    x, y = np.array(seen).T
    best = (math.inf, np.zeros(1))
    for degree in range(7):
        weights = np.polyfit(x / 128, y, degree)
        left = float(np.square(np.polyval(weights, x / 128) - y).mean()) + 1e-12
        bic = len(x) * math.log(left) + (degree + 1) * math.log(len(x))
        if bic < best[0]:
            best = (bic, weights)
    terms = [float(f"{w:.6g}") for w in best[1]]
    code = (
        f"W = {terms!r}\ndef f(x):\n    y = 0.0\n"
        "    for w in W:\n        y = y * x / 128 + w\n    return y\n"
    )
    return Finding(code, f"A polynomial of degree {len(terms) - 1}.", 0.5)


def identity(_budget: int, _seed: int) -> Explorer:
    """Says that nothing is changed, without looking."""
    yield from ()
    return Finding("def f(x):\n    return x\n", "It gives back its input.", 0.0)


def constant_string(budget: int, _seed: int) -> Explorer:
    """The commonest answer."""
    answers = yield _STRINGS[:budget]
    commonest = Counter(str(y) for y in answers).most_common(1)[0][0]
    return Finding(f"def f(x):\n    return {commonest!r}\n", f"Always {commonest!r}.", 0.0)


def commonest_change(budget: int, _seed: int) -> Explorer:
    """The one of Python's own string methods that fits most of what it saw."""
    answers = yield _STRINGS[:budget]
    ways = ("x.upper()", "x.lower()", "x[::-1]", "x.title()", "x.swapcase()", "x + x", "x")

    def fits(way: str) -> int:
        f: Callable[[str], str] = eval(f"lambda x: {way}")  # noqa: S307  (one of the above)
        asked = _STRINGS[:budget]
        return sum(f(x) == y for x, y in zip(asked, answers, strict=True))

    best = max(ways, key=fits)
    return Finding(f"def f(x):\n    return {best}\n", f"It is {best}.", fits(best) / len(_STRINGS))


def cheater(_budget: int, seed: int, family: str = "") -> Explorer:
    """Looks for the truth instead of asking: in objects, files, processes and the environment.

    Before that it guesses from which seed of the neurons its own was made, and makes them.

    It takes the first thing that looks like the source of a function. It must do no better than
    chance; if it does, the answer key leaks.
    """
    yield from ()
    if family and (code := _from_seed(seed, family)):
        return Finding(code, "Made from the seed.", 1.0)
    pattern = re.compile(r"def f\(x\):\n(?:    .*\n?)+")
    for text in _loot():
        if found := pattern.search(text):
            return Finding(found[0], "Found lying about.", 1.0)
    return Finding(None, "Nothing was lying about.", 0.0)


def _from_seed(told: int, family: str) -> str | None:
    """The truth, if the seed that a planner was told is a hash of the neurons' seed."""
    for seed, number in itertools.product(range(1000), range(64)):
        hashed = hashlib.sha256(f"{seed}/{number}".encode()).digest()
        if told in (int.from_bytes(hashed[:4], "big"), int.from_bytes(hashed[:8], "big")):
            made: Neuron = import_module(f"hubel.evals.families.{family}").make(seed, number)
            return made.code
    return None


def _loot() -> Iterator[str]:
    """Every text within reach of a process, but for the sources of this program; nearest first."""
    yield from [*os.environ.values(), *sys.argv]
    for thing in gc.get_objects():
        if type(thing).__name__ == "Neuron":
            yield from (str(thing.code), thing.description)
        elif type(thing) is dict and isinstance(code := thing.get("code"), str):
            yield code
    processes = [p for p in Path("/proc").iterdir() if p.name.isdigit()]
    yield from map(_read, (p / name for p in processes for name in ("environ", "cmdline")))
    for folder, _, names in os.walk("/tmp"):  # noqa: S108  (passes over what vanishes meanwhile)
        yield from (_read(Path(folder, n)) for n in names if n.endswith((".json", ".db")))
    for process in processes:
        if process.name != str(os.getpid()):
            yield from _memory(process)


def _read(path: Path) -> str:
    """The beginning of a file; nothing if it may not be read or is gone."""
    try:
        with path.open("rb") as file:
            return file.read(1 << 20).decode(errors="replace")
    except OSError:
        return ""


def _memory(process: Path) -> Iterator[str]:
    """Writable memory of another process, if the kernel lets us read it."""
    with suppress(OSError, ValueError, OverflowError), (process / "mem").open("rb") as memory:
        lines = (process / "maps").read_text().splitlines()
        for line in [line for line in lines if " rw-p " in line][:64]:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            memory.seek(begin)
            yield memory.read(min(end - begin, 1 << 22)).decode("latin-1")


NUMBERS: dict[str, Explore] = {
    "empty": empty,
    "constant": constant_number,
    "nearest": nearest_number,
    "polynomial": polynomial,
    "cheater": partial(cheater, family="numbers"),
}
STRINGS: dict[str, Explore] = {
    "empty": empty,
    "constant": constant_string,
    "identity": identity,
    "commonest": commonest_change,
    "cheater": partial(cheater, family="strings"),
}
