"""Commands that talk: chat, why."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hubel.commands.options import (
    AsJson,
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
    Seed,
    StudyNumber,
    Unsafe,
)
from hubel.commands.surroundings import open_ledger, print_json

if TYPE_CHECKING:
    from types import FrameType


def chat(
    model: Model = "demo",
    unit: Annotated[str | None, typer.Option(help="The unit to begin with: SITE:INDEX.")] = None,
    data: Data = "demo",
    planner: PlannerName = "builtin",
    base_url: BaseUrl = None,
    describer: DescriberName = None,
    budget: Budgeted = "",
    device: Device = "cpu",
    seed: Seed = 0,
    sandbox: Sandbox = "isolated",
    unsafe: Unsafe = False,
    limits: Limited = "",
    read: Reads = None,
    home: Home = None,
) -> None:
    """Talk about the units of a network: ask, watch, stop, go on, ask why."""
    from hubel.agent.budget import Budget
    from hubel.agent.chat.chat import Asking, Chat
    from hubel.agent.chat.commands import COMMANDS
    from hubel.agent.chat.lines import Piped, Typed
    from hubel.agent.chat.pictures import Pictures, way_of
    from hubel.agent.display import SafeConsole
    from hubel.agent.planners import open_describer, open_planner
    from hubel.agent.where import Where, files_of
    from hubel.evals.demo import UNIT
    from hubel.sandbox.limits import Limits

    given = {"base_url": base_url, "describer": describer}
    options = {k: v for k, v in given.items() if v is not None}
    if planner == "stdio":
        raise ValueError("the planner stdio reads what you type here: use `hubel ask`")
    open_planner(planner, options)
    open_describer(planner, options)
    signal.signal(signal.SIGTERM, _end)
    reads = [*(read or ()), *(files_of(unit) if unit else ())]
    where = Where(sandbox, unsafe, tuple(reads), Limits.parse(limits))
    asking = Asking(model, data, unit, planner, device, seed, Budget.parse(budget), options)
    person = sys.stdin.isatty() and sys.stdout.isatty()
    screen = SafeConsole(highlight=False, soft_wrap=not person)
    with open_ledger(home) as ledger:
        pictures = Pictures(screen, ledger.pictures, ledger.home / "strips", way_of())
        talk = Chat(ledger, where, asking, screen, pictures, UNIT if model == "demo" else None)
        talk.open()
        if person:
            words = [f"/{name}" for name in COMMANDS]
            sites = [s["name"] + ":" for s in talk.lab().hello["target"]["sites"]]
            talk.talk(Typed(ledger.home / "history", [*words, *sites]))
        else:
            talk.talk(Piped(screen))


def why(
    study: StudyNumber,
    step: Annotated[
        str | None, typer.Argument(help="Number of the step, or #N for that of an experiment.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say what a step of a study rested on: what was known then, and what came of it."""
    from hubel.agent.chat.telling import why_text
    from hubel.agent.display import SafeConsole
    from hubel.agent.why import step_named
    from hubel.agent.why import why as explained

    with open_ledger(home) as ledger:
        told = explained(ledger, study, step_named(ledger, study, step or ""))
    if as_json:
        print_json(told.to_json())
    else:
        SafeConsole(highlight=False).print(why_text(told))


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends the chat; the study under way is kept."""
    raise SystemExit(128 + signal.SIGTERM)
