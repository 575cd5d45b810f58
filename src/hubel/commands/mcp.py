"""The command that serves hubel's tools to a client of the Model Context Protocol."""

from __future__ import annotations

from importlib.util import find_spec

from hubel.commands.options import (
    BaseUrl,
    Budgeted,
    Data,
    DescriberName,
    Device,
    Home,
    Limited,
    Model,
    Reads,
    Sandbox,
    Seed,
    Unsafe,
)
from hubel.commands.surroundings import home_of


def mcp(
    model: Model = "demo",
    data: Data = "demo",
    base_url: BaseUrl = None,
    describer: DescriberName = None,
    budget: Budgeted = "rounds=60,seconds=3600",
    device: Device = "cpu",
    seed: Seed = 0,
    sandbox: Sandbox = "isolated",
    unsafe: Unsafe = False,
    limits: Limited = "",
    read: Reads = None,
    home: Home = None,
) -> None:
    """Serve the tools and the ledger over stdio: any MCP client is the planner."""
    from dataclasses import asdict

    from hubel.agent.budget import Budget
    from hubel.agent.planners import open_describer
    from hubel.agent.question import Question
    from hubel.agent.where import Where
    from hubel.sandbox.limits import Limits

    if find_spec("mcp") is None:
        raise ValueError("hubel mcp needs the package mcp: pip install 'hubel[mcp]'")
    from hubel.agent.mcp.clerk import Clerk
    from hubel.agent.mcp.running import NAME
    from hubel.agent.mcp.server import serve

    given = {"base_url": base_url, "describer": describer}
    options = {k: v for k, v in given.items() if v is not None}
    allowed = asdict(Budget.parse(budget))
    asked = Question("", model, "", data, NAME, device, seed, allowed, options)
    where = Where(sandbox, unsafe, tuple(read or ()), Limits.parse(limits))
    with where.lab(model, data, home_of(home), device) as lab:
        serve(Clerk(lab, asked, open_describer(NAME, options, home_of(home))))
