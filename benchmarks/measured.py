"""Measure the benchmark itself and write docs/measured.md: every table of it, by one command.

    python benchmarks/measured.py --home FOLDER [--seed 1087] [--n numbers=100,scenes=60] [--few 5]

Interrupted, it goes on where it was: results are rows of the ledger in that folder. Give a fresh
folder after the planners have changed. FIND's own data are not measured here, since they are not
ours to ship; docs/benchmark.md has the command.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
#: Planners of each suite; those after the first explain fewer neurons, and come last.
PLANNERS = {
    "numbers": ("builtin", "oracle", "polynomial", "nearest", "constant", "empty", "cheater"),
    "strings": ("builtin", "oracle", "commonest", "identity", "constant", "empty", "cheater"),
    "words": ("builtin", "oracle", "commonest", "nearest", "random", "constant", "empty"),
    "scenes": ("builtin", "oracle", "lift", "best-of", "observation", "commonest", "empty"),
    "real": ("builtin", "ridge", "lift", "exemplars", "constant"),
}
#: What we want of `builtin`: suite, what is said of it, where it stands, and the goal.
GOALS: tuple[tuple[str, str, tuple[str, ...], str, float], ...] = (
    ("numbers", "FIND's error below .1, where the truth's is", ("find_passed",), ">=", 0.97),
    ("numbers", "exceptions found (overlap above .9)", ("exceptions_found",), ">=", 0.90),
    ("strings", "recovered", ("recovered",), ">=", 0.98),
    ("words", "unit tests", ("unit_test",), ">=", 0.90),
    ("words", "concepts named", ("named",), ">=", 0.80),
    ("words", "all concepts named where there are several", ("parts",), ">=", 0.75),
    ("scenes", "recovered at SNR 5", ("by_snr", "5", "recovered"), ">=", 0.97),
    ("scenes", "recovered at SNR 2", ("by_snr", "2", "recovered"), ">=", 0.90),
    ("scenes", "recovered at SNR 1", ("by_snr", "1", "recovered"), ">=", 0.75),
    ("scenes", "laws beyond the grammar flagged", ("beyond_flagged",), ">=", 0.80),
    ("scenes", "surest claim of one of these", ("beyond_surest",), "<=", 0.95),
    ("real", "correlation on held-out scenes", ("correlation",), ">=", 0.60),
    *((s, "null units claimed", ("null_claimed",), "<=", 0.02) for s in PLANNERS),
    *((s, "real units abstained on", ("abstained",), "<=", 0.05) for s in PLANNERS),
    *((s, "calibration error", ("calibration",), "<=", 0.05) for s in PLANNERS if s != "real"),
)
#: Columns of a suite's table: heading, score; those that no planner has are left out.
COLUMNS = (
    ("n", "n"), ("agreement", "agreement"), ("correlation", "correlation"), ("ceiling", "ceiling"),
    ("rank correlation", "rank_correlation"), ("FIND", "find_passed"),
    ("exceptions", "exceptions_found"), ("unit test", "unit_test"), ("named", "named"),
    ("all named", "parts"), ("null claimed", "null_claimed"), ("null n", "null_n"),
    ("abstained", "abstained"), ("beyond flagged", "beyond_flagged"), ("beyond n", "beyond_n"),
    ("beyond surest", "beyond_surest"), ("calibration", "calibration"),
    ("by chance", "calibration_chance"), ("failed", "failed"), ("asked", "queries"), ("s", "seconds"),
)  # fmt: skip
#: Columns that are left out where they are zero throughout.
RARE = ("beyond_n", "failed")
GROUPS = (("by_complexity", "complexity"), ("by_snr", "SNR"), ("by_kind", "kind"))


def main() -> None:
    """Run what is not in the ledger, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1087)
    parser.add_argument(
        "--n",
        default="numbers=100,strings=100,words=100,scenes=100,real=32",
        help="suites, with the neurons that builtin explains",
    )
    parser.add_argument("--few", type=int, default=5, help="neurons for baselines and the oracle")
    given = parser.parse_args()
    many = {suite: int(n) for suite, n in (one.split("=") for one in given.n.split(","))}
    times = given.home / "measured.json"
    walls: dict[str, float | None] = json.loads(times.read_text()) if times.exists() else {}
    given.home.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    for suite, n in many.items():
        whole = suite not in walls  # a run that was interrupted has no time
        times.write_text(json.dumps({**walls, suite: walls.get(suite)}))
        begun = time.monotonic()
        found[suite] = bench(given, suite, PLANNERS[suite][0], n)
        walls[suite] = time.monotonic() - begun if whole else walls[suite]
        times.write_text(json.dumps(walls))
        write(given, found, walls)
    for suite, n in many.items():
        few = n if suite == "real" else min(n, given.few)
        for planner in PLANNERS[suite][1:]:
            found[suite] |= bench(given, suite, planner, few)
        write(given, found, walls)


def write(
    given: argparse.Namespace, found: dict[str, dict[str, Any]], walls: dict[str, float | None]
) -> None:
    """Write what is known so far."""
    (DOCS / "measured.md").write_text(page(given, found, walls))


def bench(given: argparse.Namespace, suite: str, planner: str, n: int) -> dict[str, Any]:
    """Scores of one planner in one suite."""
    options = [f"--suite={suite}", f"--planner={planner}", f"--n={n}", f"--seed={given.seed}"]
    words = [sys.executable, "-m", "hubel", "bench", *options, f"--home={given.home}", "--json"]
    said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    scores: dict[str, Any] = json.loads(said.stdout)[suite]
    return scores


def page(
    given: argparse.Namespace, found: dict[str, dict[str, Any]], walls: dict[str, float | None]
) -> str:
    """The page, as Markdown."""
    when = datetime.now(UTC).date()
    parts = [
        "# Measured\n",
        "This page is written by `python benchmarks/measured.py --home FOLDER --seed "
        f"{given.seed} --n {given.n} --few {given.few}`, last on {when}, on {os.cpu_count()} cores "
        f"({platform.machine()}, Python {platform.python_version()}), without GPU or language "
        "model. No development run "
        "had used this seed by then. What the columns mean, and how each is fooled, is in "
        "[benchmark](benchmark.md). Baselines and the oracle explain the first "
        f"{given.few} neurons of those that `builtin` explains, or all of real channels, so read "
        "differences between planners from `hubel bench` itself, which pairs them. Intervals are "
        "Wilson's at "
        "95% for shares, and bootstraps over neurons for correlations. *Seconds* are those of the "
        "planner; the time of a whole run includes the scoring.\n",
        "## Goals\n",
        *table(("suite", "of `builtin`", "measured", "goal", ""), goals(found)),
    ]
    for suite, planners in found.items():
        wall, n = walls[suite], planners["builtin"]["n"]
        took = (
            "an unknown time (it was interrupted)" if wall is None else f"{wall / 60:.1f} minutes"
        )
        parts += [
            f"\n## {suite}\n",
            f"`builtin` and the scoring of its explanations took {took} for {n} neurons.\n",
            *scores_of(planners),
            *(line for group in GROUPS for line in grouped(planners["builtin"], *group)),
        ]
    return "\n".join(parts) + "\n"


def goals(found: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """What we want, and what was measured."""
    rows = []
    for suite, what, path, sign, goal in GOALS:
        value: Any = found.get(suite, {}).get("builtin")
        for key in path:
            value = None if value is None else value.get(key)
        if path[0] == "by_snr" and value is not None:
            what += f" ({found[suite]['builtin'][path[0]][path[1]]['n']} neurons)"
        if path[0] == "calibration" and value is not None:
            what += f" (by chance {number(found[suite]['builtin']['calibration_chance'])})"
        if value is not None:
            met = value >= goal if sign == ">=" else value <= goal
            said = f"at {'least' if sign == '>=' else 'most'} {number(goal)}"
            rows.append((suite, what, f"{value:.3f}", said, "met" if met else "**short**"))
    return rows


def scores_of(planners: dict[str, Any]) -> list[str]:
    """One row for each planner of a suite."""
    every = planners.values()
    columns = [c for c in COLUMNS if any(p[c[1]] is not None for p in every)]
    columns = [c for c in columns if c[1] not in RARE or any(p[c[1]] for p in every)]
    rows = []
    for name, held in planners.items():
        first = number(held["recovered"])
        if held["recovered"] is not None:
            low, high = held["recovered_ci"]
            first += f" ({number(low)} to {number(high)})"
        rows.append((f"`{name}`", first, *(number(held[key]) for _, key in columns)))
    if all(held["recovered"] is None for held in planners.values()):
        rows = [(row[0], *row[2:]) for row in rows]
        return table(("planner", *(c[0] for c in columns)), rows)
    return table(("planner", "recovered", *(c[0] for c in columns)), rows)


def grouped(held: dict[str, Any], key: str, what: str) -> list[str]:
    """`builtin` by groups of neurons; nothing where there is one group."""
    groups = held[key]
    if len(groups) < 2:
        return []
    shown = "recovered" if held["recovered"] is not None else "correlation"
    keys = (shown, "abstained", "calibration", "calibration_chance")
    rows = [(name, str(g["n"]), *(number(g[key]) for key in keys)) for name, g in groups.items()]
    return ["", *table((what, "n", shown, "abstained", "calibration", "by chance"), rows)]


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """A table in Markdown."""
    rule = tuple("---" for _ in head)
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]


def number(value: float | None) -> str:
    """Two digits of a share, one of what is larger; a dash for what nobody measured."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return str(value)
    return f"{value:.2f}" if abs(value) <= 1 else f"{value:.1f}"


if __name__ == "__main__":
    main()
