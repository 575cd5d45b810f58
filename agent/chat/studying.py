"""A study of the chat, carried out in full view."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from hubel.agent.chat.pictures import Pictures
from hubel.agent.display import Display
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planners import open_describer, open_planner
from hubel.agent.records import Study
from hubel.agent.summaries import summary_of
from hubel.sandbox.session import LabSession

#: Tools whose pictures are shown without being asked for.
_SHOWN = ("exemplars", "run_python")


def watched(
    study: Study, ledger: Ledger, lab: LabSession, console: Console, pictures: Pictures
) -> None:
    """Carry a study on to its end, and show what happens as it does.

    Args:
        study: The study.
        ledger: Where it is recorded.
        lab: Runs the tools.
        console: Where it is shown.
        pictures: Shows its pictures.

    Raises:
        PlannerGone: The planner has gone away; the study can be gone on with.
        KeyboardInterrupt: The user stopped it; it can be gone on with.
    """
    planner = open_planner(study.planner, study.options, ledger.home)
    describer = open_describer(study.planner, study.options, ledger.home)
    with Display(console) as display:

        def watch(event: str, details: dict[str, Any]) -> None:
            if event == "experiment" and lab.pid is None:
                console.print(Text("The lab is not running: it is started again.", "yellow"))
            if event != "result":
                display.watch(event, details)
                return
            done = next(e for e in ledger.experiments(study.id) if e.n == details["n"])
            what = summary_of(done) if done.status == "done" else ""
            display.watch(event, {**details, "what": what})
            if done.tool in _SHOWN:
                show_pictures(ledger, study.id, done.n, pictures)

        lab.progress = display.progress
        run(study.id, ledger, lab, planner, watch, describer=describer)


def show_pictures(ledger: Ledger, study: int, n: int, pictures: Pictures) -> bool:
    """Show the pictures of an experiment: its heat-maps and figures, where it made some.

    Args:
        ledger: Where it is recorded.
        study: Number of the study.
        n: Number of the experiment.
        pictures: Shows them.

    Returns:
        Whether there are any.
    """
    made = [
        artifact
        for e in ledger.experiments(study)
        if e.n == n
        for artifact in (e.result or {}).get("artifacts", ())
    ]
    figures = [a["id"] for a in made if a["kind"] == "figure"]
    ids = figures or [a["id"] for a in made]
    if ids:
        pictures.show(ids, f"study-{study}-{n}")
    return bool(ids)
