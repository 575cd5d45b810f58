"""Commands about networks and the machine: index, units, models, tools, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hubel.commands.options import (
    DONE,
    ENVIRONMENT,
    AsJson,
    BaseUrl,
    Data,
    Device,
    Home,
    Model,
    Reads,
    Sandbox,
)
from hubel.commands.surroundings import fail, home_of, open_display, open_ledger, print_json

if TYPE_CHECKING:
    from hubel.agent.where import Where


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
    with where.lab(model, data, home_of(home), device) as lab:
        values = lab.call("build_index", {"sites": site or []}, seed=0)["values"]
    if as_json:
        print_json(values)
        return
    typer.echo(
        f"{values['units']} units of {len(values['sites'])} sites over {values['pictures']} "
        f"pictures, {len(values['skipped'])} skipped"
    )
    for name, why in values["skipped"]:
        typer.echo(f"skipped {name}: {why}", err=True)


def units(
    model: Model = "demo",
    every: Annotated[bool, typer.Option("--all", help="Of every site, not the main ones.")] = False,
    like: Annotated[
        str | None,
        typer.Option(help="Those that respond to what scenes can show: stripes, a red circle."),
    ] = None,
    data: Data = "demo",
    device: Device = "cpu",
    sandbox: Sandbox = "isolated",
    read: Reads = None,
    as_json: AsJson = False,
) -> None:
    """List the units of a network, or those that respond to something."""
    import tempfile

    from hubel.agent.where import Where

    where = Where(sandbox, reads=tuple(read or ()))
    if like is not None:
        _print_ranking(where, model, data, device, like, every, as_json)
        return
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
        print_json({"units": listed})
        return
    for s in sites:
        shape = "x".join(map(str, s["shape"]))
        typer.echo(f"{s['name']}:0 ... {s['name']}:{s['units'] - 1}  {s['layout']} {shape}")


def _print_ranking(
    where: Where, model: str, data: str, device: str, concept: str, every: bool, as_json: bool
) -> None:
    """Compare units by how they respond to a concept, and print the strongest."""
    import tempfile

    from hubel.agent.ranking import ranking_of

    with (
        tempfile.TemporaryDirectory() as scratch,
        open_display() as display,
        where.lab(model, data, Path(scratch), device) as lab,
    ):
        lab.progress = display.progress
        sites = [s["name"] for s in lab.hello["target"]["sites"]] if every else []
        values = lab.call("rank", {"concept": concept, "sites": sites}, seed=0)["values"]
    if as_json:
        print_json(values)
        return
    for line in ranking_of(values).lines:
        typer.echo(line)


def models(as_json: AsJson = False) -> None:
    """List the kinds of networks that --model takes."""
    from hubel.agent.catalogue import kinds

    _print_kinds(kinds("hubel.targets"), as_json)


def tools(as_json: AsJson = False) -> None:
    """List the tools that planners call, with their arguments."""
    from hubel.agent.catalogue import tools as announced

    listed = announced()
    if as_json:
        print_json({"tools": listed})
        return
    for one in listed:
        if one["audience"] == "planner":
            typer.echo(f"{one['name']}({', '.join(one['parameters']['properties'])})")
            typer.echo(f"    {one['summary']} [{one['kind']}]")


def doctor(
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Attack the sandbox in every listed way.")
    ] = False,
    level: Annotated[str, typer.Option(help="The level to attack.")] = "isolated",
    planner: Annotated[
        str | None,
        typer.Option("--planner", help="Measure what a language model can do: openai/MODEL."),
    ] = None,
    base_url: BaseUrl = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Check what works on this machine and say how to mend what does not."""
    from hubel.agent.doctor import examine

    if level not in ("isolated", "confined"):
        raise ValueError(f"there is nothing to attack at the level '{level}': isolated, confined")
    if sandbox:
        _attack(level, as_json)
    if planner is not None:
        _preflight(planner, base_url, home, as_json)
    checks = examine(home_of(home))
    if as_json:
        print_json({"checks": [c.to_json() for c in checks]})
    else:
        for check in checks:
            typer.echo(str(check))
    raise typer.Exit(DONE if all(c.ok or not c.needed for c in checks) else ENVIRONMENT)


def _preflight(planner: str, base_url: str | None, home: Path | None, as_json: bool) -> NoReturn:
    """Measure what a planner's model can do, keep it, and say it."""
    from hubel.agent.catalogue import tools as announced
    from hubel.agent.planner import PlannerFailed
    from hubel.agent.preflight import measure, rows

    with open_ledger(home) as ledger, open_display() as display:
        try:
            found = measure(planner, base_url, ledger.home, announced(), display.progress)
        except PlannerFailed as failure:
            fail(str(failure), ENVIRONMENT)
        ledger.keep_preflight(planner, found)
    if as_json:
        print_json(found)
    else:
        _print_kinds(dict(rows(found)), as_json)
        typer.echo(f"{found['requests']} requests, {found['tokens']} tokens")
    raise typer.Exit(DONE)


def _attack(level: str, as_json: bool) -> NoReturn:
    """Run the sandbox's conformance list, and say what held."""
    from hubel.sandbox.check import as_json as listed
    from hubel.sandbox.check import conformance, table

    with open_display() as display:
        outcomes = conformance(level, display.progress)
    typer.echo(listed(outcomes) if as_json else table(outcomes))
    raise typer.Exit(DONE if all(outcome.held for outcome in outcomes) else ENVIRONMENT)


def _print_kinds(kinds: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json(kinds)
        return
    width = max(map(len, kinds))
    for name, what in kinds.items():
        typer.echo(f"{name:{width}}  {what}")
