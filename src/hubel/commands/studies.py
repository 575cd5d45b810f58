"""Commands about studies: ask, go on, look, report, repeat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hubel.commands.options import (
    BUDGET,
    DONE,
    FAILED,
    INTERRUPTED,
    AsJson,
    BaseUrl,
    Budgeted,
    Data,
    DescriberName,
    Device,
    Events,
    Home,
    Limited,
    Model,
    PlannerName,
    Reads,
    Recorded,
    ReportTo,
    Sandbox,
    Seed,
    StudyNumber,
    Unsafe,
)
from hubel.commands.surroundings import console, fail, note, open_display, open_ledger, print_json

if TYPE_CHECKING:
    from hubel.agent.ledger import Ledger
    from hubel.agent.records import Study
    from hubel.sandbox.session import LabSession


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know of the unit.")],
    model: Model = "demo",
    unit: Annotated[str | None, typer.Option(help="The unit: SITE:INDEX.")] = None,
    data: Data = "demo",
    planner: PlannerName = "builtin",
    base_url: BaseUrl = None,
    describer: DescriberName = None,
    budget: Budgeted = "",
    device: Device = "cpu",
    seed: Seed = 0,
    report_to: ReportTo = None,
    record: Recorded = None,
    sandbox: Sandbox = "isolated",
    unsafe: Unsafe = False,
    limits: Limited = "",
    read: Reads = None,
    home: Home = None,
    as_json: AsJson = False,
    events: Events = False,
) -> None:
    """Ask what a unit does; the answer is confirmed on pictures that the planner never saw."""
    from dataclasses import asdict

    from hubel.agent.budget import Budget
    from hubel.agent.planners import open_describer, open_planner
    from hubel.agent.question import Question, unit_in
    from hubel.agent.where import Where, files_of
    from hubel.evals.demo import UNIT
    from hubel.sandbox.limits import Limits

    allowed = asdict(Budget.parse(budget))
    given = {"base_url": base_url, "describer": describer}
    options = {k: v for k, v in given.items() if v is not None}
    open_planner(planner, options)
    open_describer(planner, options)
    _check_stdout(planner, as_json, events)
    named = unit or unit_in(question) or (UNIT if model == "demo" else None)
    if named is None:
        raise ValueError("name the unit: --unit SITE:INDEX; `hubel units --model ...` lists them")
    asked = Question(question, model, named, data, planner, device, seed, allowed, options)
    reads = [*(read or ()), *files_of(named)]
    where = Where(sandbox, unsafe, tuple(reads), Limits.parse(limits))
    with open_ledger(home) as ledger, where.lab(model, data, ledger.home, device) as lab:
        study = asked.begin(ledger, lab.hello["target"])
        _go_on(study, ledger, lab, Shown(report_to, as_json, events, record))


def resume(
    study: StudyNumber,
    report_to: ReportTo = None,
    record: Recorded = None,
    unsafe: Unsafe = False,
    read: Reads = None,
    home: Home = None,
    as_json: AsJson = False,
    events: Events = False,
) -> None:
    """Go on with a study that was interrupted; nothing that is done is done again."""
    from hubel.agent.where import Where

    with open_ledger(home) as ledger:
        known = ledger.study(study)
        _check_stdout(known.planner, as_json, events)
        with Where.of(known, unsafe, read).lab_of(known, ledger) as lab:
            _go_on(known, ledger, lab, Shown(report_to, as_json, events, record))


def studies(home: Home = None, as_json: AsJson = False) -> None:
    """List the studies in the ledger, newest first."""
    from hubel.agent.show import list_studies, studies_json

    with open_ledger(home) as ledger:
        if as_json:
            print_json(studies_json(ledger))
        else:
            list_studies(ledger, console())


def show(study: StudyNumber, home: Home = None, as_json: AsJson = False) -> None:
    """Show a study: its answer, hypotheses, experiments and cost."""
    from hubel.agent.show import show_study, study_json

    with open_ledger(home) as ledger:
        ledger.study(study)
        if as_json:
            print_json(study_json(ledger, study))
        else:
            show_study(ledger, study, console())


def report(
    study: StudyNumber,
    to: Annotated[Path | None, typer.Option(help="The HTML file to write.")] = None,
    home: Home = None,
) -> None:
    """Write a study's report: one HTML file that works offline."""
    with open_ledger(home) as ledger:
        ledger.study(study)
        typer.echo(_write_report(ledger, study, to))


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

    with open_ledger(home) as ledger:
        known = ledger.study(study)
        with Where.of(known, unsafe, read).lab_of(known, ledger) as lab:
            outcome = replay_study(known, ledger, lab, note)
    if as_json:
        print_json(outcome.to_json())
    else:
        typer.echo(outcome.summary())
    raise typer.Exit(DONE if outcome.same else FAILED)


def demo(home: Home = None, device: Device = "cpu", sandbox: Sandbox = "isolated") -> None:
    """Explain a unit of the bundled real network, and a planted null unit beside it."""
    from dataclasses import asdict

    from hubel.agent.budget import Budget
    from hubel.agent.question import Question
    from hubel.agent.where import Where
    from hubel.evals.demo import DATA, MODEL, QUESTION, units_of

    where = Where(sandbox)
    with open_ledger(home) as ledger, where.lab(MODEL, DATA, ledger.home, device) as lab:
        for unit, what in units_of(lab.hello["target"]):
            note(f"\n{unit}: {what}")
            asked = Question(QUESTION, MODEL, unit, DATA, device=device, budget=asdict(Budget()))
            _finish(asked.begin(ledger, lab.hello["target"]), ledger, lab, Shown())


# One study


@dataclass(frozen=True)
class Shown:
    """How a study is shown, and where it is kept besides the ledger.

    Attributes:
        report: The report's file; None for its place beside the ledger.
        as_json: Print what the study came to as one JSON object.
        events: Print what happens as JSON lines, as it happens.
        record: The file that keeps the planner's steps.
    """

    report: Path | None = None
    as_json: bool = False
    events: bool = False
    record: Path | None = None


def _check_stdout(planner: str, as_json: bool, events: bool) -> None:
    """Refuse two writers to stdout."""
    if planner == "stdio" and (as_json or events):
        raise ValueError("stdout is the planner's with --planner stdio: leave --json and --events")


def _go_on(study: Study, ledger: Ledger, lab: LabSession, shown: Shown) -> NoReturn:
    stop = _finish(study, ledger, lab, shown)
    if stop in ("planner failed", "lab failed"):
        raise typer.Exit(FAILED)
    raise typer.Exit(BUDGET if stop == "budget" else DONE)


def _finish(study: Study, ledger: Ledger, lab: LabSession, shown: Shown) -> str:
    """Carry a study to its end, print what it came to and write its report."""
    from hubel.agent.planner import PlannerGone
    from hubel.agent.show import show_study, study_json
    from hubel.sandbox.session import LabRefused

    try:
        ended = _run(study, ledger, lab, shown)
    except KeyboardInterrupt:
        fail(f"Interrupted. Go on with: hubel resume {study.id}", INTERRUPTED)
    except PlannerGone as gone:
        fail(f"{gone} Go on with: hubel resume {study.id}", FAILED)
    if ended.stop == "refused":
        raise LabRefused(str(ended.stop_detail))
    path = _write_report(ledger, study.id, shown.report)
    if shown.as_json:
        print_json(study_json(ledger, study.id))
    elif not (shown.events or study.planner == "stdio"):  # there stdout has another reader
        show_study(ledger, study.id, console())
    note(f"Report: {path}")
    return str(ended.stop)


def _run(study: Study, ledger: Ledger, lab: LabSession, shown: Shown) -> Study:
    from hubel.agent.events import Printed
    from hubel.agent.loop import run
    from hubel.agent.planners import open_describer, open_planner

    planner = open_planner(study.planner, study.options, ledger.home)
    describer = open_describer(study.planner, study.options, ledger.home)
    if shown.record is not None:
        from hubel.agent.planners.cassette import Recording

        planner = Recording(planner, shown.record, {"model": study.model, "data": study.data})
    with open_display() as display:
        seen = Printed(study.id) if shown.events else display
        lab.progress = seen.progress
        return run(study.id, ledger, lab, planner, seen.watch, describer=describer)


def _write_report(ledger: Ledger, study: int, to: Path | None) -> Path:
    from hubel.agent.report import write_report

    path = to or ledger.home / "reports" / f"study-{study}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_report(ledger, study, path)
