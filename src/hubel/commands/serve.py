"""The command that serves the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from hubel.commands.options import (
    BaseUrl,
    Budgeted,
    Data,
    DescriberName,
    Device,
    Home,
    Limited,
    Model,
    PlannerName,
    Reads,
    Sandbox,
    Unsafe,
)
from hubel.commands.surroundings import home_of, note


def serve(
    port: Annotated[
        int, typer.Option(help="Where it listens; 0 for any free port.", min=0, max=65535)
    ] = 8765,
    host: Annotated[str, typer.Option(help="The address; others than loopback need a token.")] = (
        "127.0.0.1"
    ),
    token: Annotated[
        str | None,
        typer.Option(help="What the first visit must bring.", envvar="HUBEL_TOKEN"),
    ] = None,
    at_once: Annotated[int, typer.Option(help="Studies that run at the same time.", min=1)] = 2,
    model: Model = "demo",
    data: Data = "demo",
    planner: PlannerName = "builtin",
    base_url: BaseUrl = None,
    describer: DescriberName = None,
    budget: Budgeted = "",
    device: Device = "cpu",
    sandbox: Sandbox = "isolated",
    unsafe: Unsafe = False,
    limits: Limited = "",
    read: Reads = None,
    home: Home = None,
) -> None:
    """Serve the browser: ask, watch studies as they run, browse units and the ledger."""
    from hubel.agent.budget import Budget
    from hubel.agent.ledger import Ledger
    from hubel.agent.serve.app import make_app
    from hubel.agent.serve.guard import Gate
    from hubel.agent.serve.listening import listen
    from hubel.agent.serve.server import Settings
    from hubel.agent.where import Where
    from hubel.sandbox.limits import Limits

    Budget.parse(budget)
    gate = Gate(host, token)
    where = Where(sandbox, unsafe, tuple(read or ()), Limits.parse(limits))
    reads = [f"--read={path}" for path in read or ()]
    only_unsafe = ["--unsafe-no-sandbox"] if unsafe else []
    given = {
        "base-url": base_url, "describer": describer, "device": device, "limits": limits,
        "sandbox": sandbox, "budget": budget,
    }  # fmt: skip
    words = [f"--{name}={value}" for name, value in given.items() if value]
    folder = home_of(home)
    Ledger(folder).close()  # an older one is migrated, or refused, before anybody asks
    settings = Settings(
        home=folder,
        asked={"model": model, "data": data, "planner": planner},
        where=where,
        device=device,
        ask_words=(*words, *reads, *only_unsafe),
        resume_words=(*reads, *only_unsafe),
        at_once=at_once,
    )
    listen(make_app(settings, gate), host, port, token, note)
