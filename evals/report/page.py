"""The page: every suite of a run in one file, which loads nothing and runs no script."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from hubel import __version__
from hubel.agent import web, wording
from hubel.agent.web.cards import Row
from hubel.evals.bench import Plan
from hubel.evals.calibration import Rows
from hubel.evals.leaderboard import board, ranked
from hubel.evals.report import failures, figures, tables
from hubel.evals.report.failures import CLASSES, Failure
from hubel.evals.report.figures import Plot
from hubel.evals.report.tables import Heat, Line
from hubel.evals.terminal import unmatched

_WEB = Path(web.__file__).parent


@dataclass(frozen=True, slots=True)
class Wrong:
    """A planner's failures: how many of each class, and the worst of them."""

    planner: str
    counts: list[int]
    total: int
    shown: list[Failure]


@dataclass(frozen=True, slots=True)
class Section:
    """A suite as the page shows it."""

    suite: str
    n: int
    null_n: int
    budget: int
    best: str
    best_recovered: float | None
    heads: list[str]
    lines: list[Line]
    differences: list[tuple[str, list[Row]]]
    unmatched: str
    heats: list[Heat]
    calibration: Plot | None
    costs: list[Plot]
    wrong: list[Wrong]
    classes: list[str]


def write_report(rows: Rows, plan: Plan, path: Path) -> Path:
    """Write the report of a run. The same rows give the same file.

    Args:
        rows: Results, as `hubel.evals.bench.run` gives them.
        plan: What was run.
        path: The file to write; replaced if it is there, whole or not at all.

    Returns:
        `path`.
    """
    page = (
        _environment()
        .get_template("bench.html")
        .render(
            plan=plan,
            sections=[_section(suite, rows, plan) for suite in plan.suites],
            command=_command(plan),
            means=CLASSES,
            version=__version__,
        )
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(page, encoding="utf-8")
    return part.replace(path)


def _environment() -> jinja2.Environment:
    """Templates here, and the style and macros that reports of studies have."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parent, _WEB / "templates", _WEB]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.number,
        "p": wording.p_text,
        "score": wording.score_text,
        "interval": wording.interval_text,
        "cut": failures.cut,
    }
    return environment


def _section(suite: str, rows: Rows, plan: Plan) -> Section:
    held = [r for r in rows if r["suite"] == suite]
    planners = ranked(board(held)[suite])
    by = {name: [r for r in held if r["planner"] == name] for name, _ in planners}
    rivals = [p for p in planners if p[0] != "oracle"] or planners
    heads, lines = tables.leaderboard(planners)
    wrong = [_wrong(name, by[name], plan.seed) for name, _ in rivals]
    best, scores = rivals[0]
    return Section(
        suite=suite,
        n=plan.n,
        null_n=scores["null_n"],
        budget=plan.budget(suite),
        best=best,
        best_recovered=scores["recovered"],
        heads=heads,
        lines=lines,
        differences=tables.differences(planners),
        unmatched=unmatched(rivals),
        heats=tables.heats(planners),
        calibration=figures.calibration({name: by[name] for name, _ in rivals}),
        costs=figures.costs(planners),
        wrong=wrong,
        classes=[c for i, c in enumerate(CLASSES) if any(w.counts[i] for w in wrong)],
    )


def _wrong(planner: str, rows: Rows, seed: int) -> Wrong:
    counted = failures.counts(rows)
    counts = [counted[name] for name in CLASSES]
    return Wrong(planner, counts, sum(counts), failures.examples(rows, seed))


def _command(plan: Plan) -> str:
    """What runs the same again."""
    words: list[Any] = ["hubel", "bench", "--suite", ",".join(plan.suites)]
    words += ["--planner", ",".join(plan.planners), "--n", plan.n, "--seed", plan.seed]
    if plan.queries is not None:
        words += ["--queries", plan.queries]
    return shlex.join(map(str, words))
