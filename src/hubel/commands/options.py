"""Options that several commands share, and the exit statuses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

#: Exit statuses.
DONE, FAILED, USAGE, BUDGET, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 4, 130

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

# Of studies

PlannerName = Annotated[
    str,
    typer.Option("--planner", help="Who plans: builtin, openai/MODEL, stdio, ..."),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(help="Endpoint of openai/MODEL [default: $OPENAI_BASE_URL, or OpenAI's own]."),
]
DescriberName = Annotated[
    str | None,
    typer.Option(
        "--describer", help="Who looks at pictures: openai/MODEL or none [default: the planner's]."
    ),
]
Budgeted = Annotated[
    str,
    typer.Option("--budget", help="As in rounds=20,calls=60,seconds=900,tokens=200000,dollars=1."),
]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
ReportTo = Annotated[Path | None, typer.Option("--report", help="Where the report goes.")]
Recorded = Annotated[
    Path | None,
    typer.Option("--record", help="Keep the steps, for --planner replay:FILE."),
]
Events = Annotated[
    bool, typer.Option("--events", help="Print what happens to stdout, as JSON lines.")
]
