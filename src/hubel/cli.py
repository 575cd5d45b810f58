"""The command line: where the rooms are put together. Heavy imports happen inside the commands."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hubel.agent.ledger import Ledger
    from hubel.agent.records import Study
    from hubel.sandbox.session import LabSession

DONE, FAILED, USAGE, BUDGET, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 4, 130

app = typer.Typer(
    help="Explain units of neural networks by experiment; report only what was confirmed.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Model = Annotated[str, typer.Option(help="The network: demo, hf:REPO, file:PATH:FACTORY, ...")]
Data = Annotated[str, typer.Option(help="The pictures: demo, a folder, scenes:N, ...")]
Device = Annotated[str, typer.Option(help="Where the network runs: cpu, cuda, cuda:1, ...")]
Home = Annotated[
    Path | None,
    typer.Option(help="Folder of the ledger [default: $HUBEL_HOME, or the user's data folder]"),
]
Sandbox = Annotated[
    str,
    typer.Option(help="Where code runs: isolated, confined or none.", envvar="HUBEL_SANDBOX"),
]
Unsafe = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox", help="Run planner-written code unguarded, as you; all is stamped."
    ),
]
Limited = Annotated[
    str, typer.Option("--limits", help="Limits of the sandbox, as in wall=60,memory=2GiB.")
]
Reads = Annotated[
    list[Path] | None, typer.Option("--read", help="Another file or folder that the lab may read.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
StudyNumber = Annotated[int, typer.Argument(help="Number of the study.", min=1)]


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know of the unit.")],
    model: Model = "demo",
    unit: Annotated[str | None, typer.Option(help="The unit: SITE:INDEX.")] = None,
    data: Data = "demo",
    planner: Annotated[str, typer.Option(help="Who plans: builtin, scripted:FILE.")] = "builtin",
    budget: Annotated[str, typer.Option(help="As in rounds=20,calls=60,seconds=900.")] = "",
    device: Device = "cpu",
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    report_to: Annotated[
        Path | None, typer.Option("--report", help="Where the report goes.")
    ] = None,
    sandbox: Sandbox = "isolated",
    unsafe: Unsafe = False,
    limits: Limited = "",
    read: Reads = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Ask what a unit does; the answer is confirmed on pictures that the planner never saw."""
    from dataclasses import asdict

    from hubel.agent.budget import Budget
    from hubel.agent.ledger import Ledger
    from hubel.agent.planners import open_planner
    from hubel.agent.where import Where, files_of
    from hubel.evals.demo import UNIT
    from hubel.sandbox.limits import Limits

    allowed = asdict(Budget.parse(budget))
    open_planner(planner)
    named = unit or _unit_in(question) or (UNIT if model == "demo" else None)
    if named is None:
        raise ValueError("name the unit: --unit SITE:INDEX; `hubel units --model ...` lists them")
    reads = [*(read or ()), *files_of(named)]
    where = Where(sandbox, unsafe, tuple(reads), Limits.parse(limits))
    with Ledger(_home(home)) as ledger, where.lab(model, data, ledger.home, device) as lab:
        _check_unit(lab.hello["target"], named)
        study = ledger.begin(
            question=question,
            model=model,
            unit=named,
            data=data,
            planner=planner,
            device=device,
            seed=seed,
            budget=allowed,
        )
        _go_on(study, ledger, lab, report_to, as_json)


@app.command()
def resume(
    study: StudyNumber,
    report_to: Annotated[
        Path | None, typer.Option("--report", help="Where the report goes.")
    ] = None,
    unsafe: Unsafe = False,
    read: Reads = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a study that was interrupted; nothing that is done is done again."""
    from hubel.agent.where import Where

    with _ledger(home) as ledger:
        known = ledger.study(study)
        with Where.of(known, unsafe, read).lab_of(known, ledger) as lab:
            _go_on(known, ledger, lab, report_to, as_json)


@app.command()
def studies(home: Home = None, as_json: AsJson = False) -> None:
    """List the studies in the ledger, newest first."""
    from hubel.agent.show import list_studies, studies_json

    with _ledger(home) as ledger:
        if as_json:
            _print_json(studies_json(ledger))
        else:
            list_studies(ledger, _out())


@app.command()
def show(study: StudyNumber, home: Home = None, as_json: AsJson = False) -> None:
    """Show a study: its answer, hypotheses, experiments and cost."""
    from hubel.agent.show import show_study, study_json

    with _ledger(home) as ledger:
        ledger.study(study)
        if as_json:
            _print_json(study_json(ledger, study))
        else:
            show_study(ledger, study, _out())


@app.command()
def report(
    study: StudyNumber,
    to: Annotated[Path | None, typer.Option(help="The HTML file to write.")] = None,
    home: Home = None,
) -> None:
    """Write a study's report: one HTML file that works offline."""
    with _ledger(home) as ledger:
        ledger.study(study)
        typer.echo(_write_report(ledger, study, to))


@app.command()
def replay(
    study: StudyNumber,
    unsafe: Unsafe = False,
    read: Reads = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Run a study's experiments again and compare; exit status 1 if anything differs."""
    from hubel.agent.replay import replay_study
    from hubel.agent.where import Where

    with _ledger(home) as ledger:
        known = ledger.study(study)
        with Where.of(known, unsafe, read).lab_of(known, ledger) as lab:
            outcome = replay_study(known, ledger, lab, _note)
    if as_json:
        _print_json(outcome.to_json())
    else:
        typer.echo(outcome.summary())
    raise typer.Exit(DONE if outcome.same else FAILED)


@app.command()
def index(
    model: Model = "demo",
    data: Data = "demo",
    site: Annotated[
        list[str] | None, typer.Option(help="A site to index [default: the main sites]")
    ] = None,
    device: Device = "cpu",
    sandbox: Sandbox = "isolated",
    read: Reads = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Find the exemplars of every unit in one pass over the pictures, ahead of any question."""
    from hubel.agent.where import Where

    where = Where(sandbox, reads=tuple(read or ()))
    with where.lab(model, data, _home(home), device) as lab:
        values = lab.call("build_index", {"sites": site or []}, seed=0)["values"]
    if as_json:
        _print_json(values)
        return
    typer.echo(
        f"{values['units']} units of {len(values['sites'])} sites over {values['pictures']} "
        f"pictures, {len(values['skipped'])} skipped"
    )
    for name, why in values["skipped"]:
        typer.echo(f"skipped {name}: {why}", err=True)


@app.command()
def units(
    model: Model = "demo",
    every: Annotated[bool, typer.Option("--all", help="Of every site, not the main ones.")] = False,
    device: Device = "cpu",
    sandbox: Sandbox = "isolated",
    read: Reads = None,
    as_json: AsJson = False,
) -> None:
    """List the units of a network."""
    import tempfile

    from hubel.agent.where import Where

    where = Where(sandbox, reads=tuple(read or ()))
    with (
        tempfile.TemporaryDirectory() as scratch,
        where.lab(model, None, Path(scratch), device) as lab,
    ):
        target = lab.hello["target"]
    sites = [s for s in target["sites"] if every or s["name"] in target["main_sites"]]
    if as_json:
        listed = [
            {"name": f"{s['name']}:{i}", "site": s["name"], "index": i, "shape": s["shape"]}
            for s in sites
            for i in range(s["units"])
        ]
        _print_json({"units": listed})
        return
    for s in sites:
        shape = "x".join(map(str, s["shape"]))
        typer.echo(f"{s['name']}:0 ... {s['name']}:{s['units'] - 1}  {s['layout']} {shape}")


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the kinds of networks that --model takes."""
    from hubel.agent.catalogue import kinds

    _print_kinds(kinds("hubel.targets"), as_json)


@app.command()
def tools(as_json: AsJson = False) -> None:
    """List the tools that planners call, with their arguments."""
    from hubel.agent.catalogue import tools as announced

    listed = announced()
    if as_json:
        _print_json({"tools": listed})
        return
    for one in listed:
        if one["audience"] == "planner":
            typer.echo(f"{one['name']}({', '.join(one['parameters']['properties'])})")
            typer.echo(f"    {one['summary']} [{one['kind']}]")


@app.command()
def doctor(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Attack the sandbox in every listed way.")
    ] = False,
    level: Annotated[str, typer.Option(help="The level to attack.")] = "isolated",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Check what works on this machine and say how to mend what does not."""
    from hubel.agent.doctor import examine

    if sandbox:
        _attack(level, as_json)
    checks = examine(_home(home))
    if as_json:
        _print_json({"checks": [c.to_json() for c in checks]})
    else:
        for check in checks:
            typer.echo(str(check))
    raise typer.Exit(DONE if all(c.ok or not c.needed for c in checks) else ENVIRONMENT)


@app.command()
def demo(home: Home = None, device: Device = "cpu", sandbox: Sandbox = "isolated") -> None:
    """Explain a unit of the bundled real network, and a planted null unit beside it."""
    from dataclasses import asdict

    from hubel.agent.budget import Budget
    from hubel.agent.where import Where
    from hubel.evals.demo import DATA, MODEL, QUESTION, units_of

    where = Where(sandbox)
    with _ledger(home) as ledger, where.lab(MODEL, DATA, ledger.home, device) as lab:
        for unit, what in units_of(lab.hello["target"]):
            _note(f"\n{unit}: {what}")
            study = ledger.begin(
                question=QUESTION,
                model=MODEL,
                unit=unit,
                data=DATA,
                planner="builtin",
                device=device,
                seed=0,
                budget=asdict(Budget()),
            )
            _finish(study, ledger, lab, None, as_json=False)


@app.command()
def bench(
    suite: Annotated[
        str, typer.Option(help="What is explained: numbers, strings or all; several with commas.")
    ] = "all",
    planner: Annotated[
        str, typer.Option(help="Who explains: builtin, baselines, oracle; several with commas.")
    ] = "builtin",
    n: Annotated[int, typer.Option("--n", help="Neurons of each suite.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Draws the neurons.", min=0)] = 0,
    queries: Annotated[
        int | None, typer.Option(help="Inputs that a planner may ask about [default: 200]", min=1)
    ] = None,
    sandbox: Sandbox = "isolated",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Score planners on neurons whose truth is known; interrupted, it goes on where it was."""
    from hubel.evals import bench as benchmark
    from hubel.evals.leaderboard import board, show
    from hubel.sandbox.levels import jail_for

    suites = benchmark.SUITES if suite == "all" else tuple(suite.split(","))
    plan = benchmark.Plan(suites, tuple(planner.split(",")), n, seed, queries)
    benchmark.check(plan)
    with _ledger(home) as ledger, _display() as display:
        rows = benchmark.run(plan, ledger, jail_for(sandbox), display.progress)
    found = board(rows)
    if as_json:
        _print_json(found)
    else:
        show(found, _out())


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        import hubel

        typer.echo(hubel.__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


#: Base of typer's own errors about what was typed, whichever click it carries.
_TypedWrong = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def main() -> NoReturn:
    """Run the command line; every foreseen failure is one sentence and an exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        _fail("Interrupted. What was done is in the ledger.", INTERRUPTED)
    except Exception as error:
        foreseen = _status_of(error)
        if foreseen is None:
            raise
        _fail(_sentence(error), foreseen)
    sys.exit(status if isinstance(status, int) else DONE)


def _status_of(error: Exception) -> int | None:
    """The exit status of a foreseen failure; None for a bug."""
    from hubel.agent.ledger import LedgerError
    from hubel.sandbox.jail import JailError
    from hubel.sandbox.session import LabLost, LabRefused
    from hubel.tools.spec import ToolError

    if isinstance(error, _TypedWrong | LabRefused | LedgerError | ToolError):
        return USAGE
    if isinstance(error, LabLost | JailError | sqlite3.Error | OSError):
        return ENVIRONMENT
    return USAGE if type(error) is ValueError else None


def _sentence(error: Exception) -> str:
    if isinstance(error, _TypedWrong):
        return f"{error.format_message()} `hubel --help` and `hubel COMMAND --help` say more."  # type: ignore[attr-defined]
    if isinstance(error, sqlite3.Error):
        return f"The ledger cannot be used: {error}. What it holds is whole."
    return str(error)


# One study


def _go_on(
    study: Study, ledger: Ledger, lab: LabSession, report_to: Path | None, as_json: bool
) -> NoReturn:
    stop = _finish(study, ledger, lab, report_to, as_json=as_json)
    if stop in ("planner failed", "lab failed"):
        raise typer.Exit(FAILED)
    raise typer.Exit(BUDGET if stop == "budget" else DONE)


def _finish(
    study: Study, ledger: Ledger, lab: LabSession, report_to: Path | None, *, as_json: bool
) -> str:
    """Carry a study to its end, print what it came to and write its report."""
    from hubel.agent.loop import run
    from hubel.agent.planners import open_planner
    from hubel.agent.show import show_study, study_json
    from hubel.sandbox.session import LabRefused

    try:
        with _display() as display:
            lab.progress = display.progress
            ended = run(study.id, ledger, lab, open_planner(study.planner), display.watch)
    except KeyboardInterrupt:
        _fail(f"Interrupted. Go on with: hubel resume {study.id}", INTERRUPTED)
    if ended.stop == "refused":
        raise LabRefused(str(ended.stop_detail))
    path = _write_report(ledger, study.id, report_to)
    if as_json:
        _print_json(study_json(ledger, study.id))
    else:
        show_study(ledger, study.id, _out())
    _note(f"Report: {path}")
    return str(ended.stop)


def _write_report(ledger: Ledger, study: int, to: Path | None) -> Path:
    from hubel.agent.report import write_report

    path = to or ledger.home / "reports" / f"study-{study}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_report(ledger, study, path)


def _attack(level: str, as_json: bool) -> NoReturn:
    """Run the sandbox's conformance list, and say what held."""
    from hubel.sandbox.check import as_json as listed
    from hubel.sandbox.check import conformance, table

    if level not in ("isolated", "confined"):
        raise ValueError(f"there is nothing to attack at the level '{level}': isolated, confined")
    with _display() as display:
        outcomes = conformance(level, display.progress)
    typer.echo(listed(outcomes) if as_json else table(outcomes))
    raise typer.Exit(DONE if all(outcome.held for outcome in outcomes) else ENVIRONMENT)


def _check_unit(target: dict[str, Any], name: str) -> None:
    """Refuse a wrong unit before a study is begun.

    Raises:
        ToolError: Not a unit of this target; the message names the nearest.
    """
    from hubel.tools.spec import ToolError
    from hubel.tools.units import Unit, nearest

    unit = Unit.parse(name)
    sites = {s["name"]: s["units"] for s in target["sites"]}
    if unit.site not in sites:
        raise ToolError(f"{target['name']} has no site '{unit.site}'. {nearest(unit.site, sites)}")
    if unit.file is None and unit.index >= sites[unit.site]:
        last = sites[unit.site] - 1
        raise ToolError(f"'{unit.site}' has the units 0 to {last}; there is no {unit.index}.")
    if unit.file is not None and not Path(unit.file).is_file():
        raise ToolError(f"There is no file '{unit.file}' with directions.")


def _unit_in(question: str) -> str | None:
    """A unit named in a question, as in "what does layer4.2:17 do?"."""
    import re

    match = re.search(r"[\w.]+\w(?:@\S+?)?:\d+", question)
    return match[0] if match else None


# Surroundings


def _home(given: Path | None) -> Path:
    if given is not None:
        return given.expanduser().resolve()
    if named := os.environ.get("HUBEL_HOME"):
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "hubel"


def _ledger(home: Path | None) -> Ledger:
    from hubel.agent.ledger import Ledger

    return Ledger(_home(home))


def _display() -> Any:
    from hubel.agent.display import Display

    return Display()


def _out() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def _print_kinds(kinds: dict[str, str], as_json: bool) -> None:
    if as_json:
        _print_json(kinds)
        return
    width = max(map(len, kinds))
    for name, what in kinds.items():
        typer.echo(f"{name:{width}}  {what}")


def _note(text: str) -> None:
    typer.echo(text, err=True)


def _fail(text: str, status: int) -> NoReturn:
    typer.echo(f"hubel: {text}", err=True)
    sys.exit(status)
