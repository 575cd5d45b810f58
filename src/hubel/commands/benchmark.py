"""The benchmark's commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hubel.commands.options import AsJson, Home, Sandbox
from hubel.commands.surroundings import console, note, open_display, open_ledger, print_json

if TYPE_CHECKING:
    from hubel.agent.ledger import Ledger
    from hubel.evals.bench import Plan
    from hubel.sandbox.jail import Jail

app = typer.Typer(name="bench", rich_markup_mode=None)

Suite = Annotated[str, typer.Option(help="Whose neurons: numbers, strings, ...")]
Number = Annotated[int, typer.Option("--n", help="Neurons of each suite.", min=1)]
Seed = Annotated[int, typer.Option(help="Draws the neurons.", min=0)]
Queries = Annotated[
    int | None,
    typer.Option(help="Inputs that may be asked of a neuron [default: the suite's own]", min=1),
]
FindDir = Annotated[
    Path | None,
    typer.Option("--find-dir", help="A copy of FIND's definitions, for the suites find-..."),
]


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    suite: Annotated[
        str,
        typer.Option(
            help="What is explained: numbers, strings, ..., all, or find for all of --find-dir; "
            "several with commas."
        ),
    ] = "all",
    planner: Annotated[
        str,
        typer.Option(
            help="Who explains: builtin, baselines, oracle, submitted:NAME; several with commas."
        ),
    ] = "builtin",
    n: Number = 100,
    seed: Seed = 0,
    queries: Queries = None,
    find_dir: FindDir = None,
    report_to: Annotated[
        Path | None, typer.Option("--report", help="Where the report goes.")
    ] = None,
    sandbox: Sandbox = "isolated",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Score planners on neurons whose truth is known; interrupted, it goes on where it was."""
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from hubel.evals import bench as benchmark
    from hubel.evals.leaderboard import board
    from hubel.evals.report import write_report
    from hubel.evals.terminal import show

    suites, left_out = benchmark.chosen(suite, find_dir)
    if left_out:
        note(left_out)
    planners = tuple(dict.fromkeys(planner.split(",")))
    plan = benchmark.Plan(suites, planners, n, seed, queries, find_dir)
    benchmark.check(plan)
    with open_ledger(home) as ledger:
        with open_display() as display:
            rows = benchmark.run(plan, ledger, _jail(sandbox), display.progress)
        path = write_report(rows, plan, report_to or _beside(ledger, plan))
    found = board(rows)
    if as_json:
        print_json(found)
    else:
        show(found, console())
    note(f"Report: {path}")


@app.command()
def submit_format(as_json: AsJson = False) -> None:
    """Say how explanations made elsewhere are scored, and what a file of them looks like."""
    from hubel.evals.submission import Submission
    from hubel.evals.submission_format import TEXT

    if as_json:
        print_json(Submission.model_json_schema())
    else:
        typer.echo(TEXT, nl=False)


@app.command()
def export(
    to: Annotated[Path, typer.Argument(help="The JSON file to write.")],
    suite: Suite,
    n: Number = 100,
    seed: Seed = 0,
    queries: Queries = None,
    find_dir: FindDir = None,
    sandbox: Sandbox = "isolated",
) -> None:
    """Write inputs and outputs of neurons, for explainers that ask nothing."""
    from hubel.evals.answering import tables
    from hubel.evals.bench import Plan
    from hubel.sandbox.cells import SCORED, CellSession

    if not to.absolute().parent.is_dir():
        raise ValueError(f"there is no folder '{to.absolute().parent}' to write '{to.name}' to")
    plan = Plan((suite,), (), n, seed, queries, find_dir)
    with CellSession(_jail(sandbox), warm=SCORED) as cells:
        written = json.dumps(tables(plan, cells), allow_nan=False)
    to.write_text(written, encoding="utf-8")
    note(f"Questions: {to}")


@app.command()
def answer(
    suite: Suite,
    name: Annotated[str, typer.Option("--as", help="Name of the explainer.")],
    n: Number = 100,
    seed: Seed = 0,
    queries: Queries = None,
    find_dir: FindDir = None,
    sandbox: Sandbox = "isolated",
    home: Home = None,
) -> None:
    """Answer an explainer's questions over stdin and stdout, count them, and score what it says."""
    from hubel.evals.answering import Session, serve
    from hubel.evals.submission import plan_of
    from hubel.sandbox.cells import SCORED, CellSession

    plan = plan_of(name, suite, seed, n, queries, find_dir)
    with open_ledger(home) as ledger, CellSession(_jail(sandbox), warm=SCORED) as cells:
        for line in serve(Session(plan, ledger, cells), sys.stdin):
            typer.echo(line)


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="The explanations, JSON.")],
    find_dir: FindDir = None,
    sandbox: Sandbox = "isolated",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Score explanations made elsewhere; `hubel bench submit-format` describes the file."""
    from hubel.evals.leaderboard import board
    from hubel.evals.submission import read, score_submission
    from hubel.evals.terminal import show

    if not file.is_file():
        raise ValueError(f"there is no file '{file}' with explanations")
    given = read(file)
    plan = given.plan(find_dir)
    with open_ledger(home) as ledger, open_display() as display:
        rows = score_submission(given, plan, ledger, _jail(sandbox), display.progress)
    found = board(rows)
    if as_json:
        print_json(found)
    else:
        show(found, console())


def _jail(sandbox: str) -> Jail:
    from hubel.sandbox.levels import jail_for

    return jail_for(sandbox)


def _beside(ledger: Ledger, plan: Plan) -> Path:
    """Where a report goes if nothing is said: one file for each run, by what it ran."""
    name = f"bench-{'-'.join(plan.suites)}-seed{plan.seed}-n{plan.n}.html"
    return ledger.home / "reports" / name


def _refuse_options(context: typer.Context) -> None:
    """Options of the benchmark itself mean nothing to a command below it."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise ValueError(
                f"{option.opts[0]} stands before '{context.invoked_subcommand}': "
                "options of a command go after its name"
            )
