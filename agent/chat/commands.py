"""The slash commands of the chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from hubel.agent.budget import Budget
from hubel.agent.chat.meaning import number_in
from hubel.agent.chat.studying import show_pictures
from hubel.agent.lock import held
from hubel.agent.planners import open_describer, open_planner
from hubel.agent.question import check_unit
from hubel.agent.report import write_report
from hubel.agent.show import list_studies, show_study
from hubel.tools.units import nearest

if TYPE_CHECKING:
    from hubel.agent.chat.chat import Chat

#: Sites that are listed at once.
_LISTED = 40


class Quit(Exception):
    """The chat is over."""


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command.

    Attributes:
        takes: Its argument, as the help shows it.
        does: What it does, in a line.
    """

    takes: str
    does: str
    run: Callable[[Chat, str], None]


def carry_out(chat: Chat, line: str) -> None:
    """Carry out a line that begins with a slash.

    Raises:
        ValueError: There is no such command, or its argument is wrong.
        Quit: The chat is to end.
    """
    name, _, argument = line[1:].partition(" ")
    if name not in COMMANDS:
        raise ValueError(f"there is no command '/{name}'. {nearest(name, COMMANDS)}")
    COMMANDS[name].run(chat, argument.strip())


def _help(chat: Chat, _argument: str) -> None:
    usage = {f"/{name} {c.takes}".strip(): c.does for name, c in COMMANDS.items()}
    width = max(map(len, usage))
    for used, does in usage.items():
        chat.say(f"  {used:{width}}  {does}")
    chat.say("Other words are a question: about the unit that they name, or the current one;")
    chat.say("‘what did you find?’, ‘why did you believe that at step 7?’ and")
    chat.say("‘what is in this model?’ are answered from what is recorded.")


def _unit(chat: Chat, name: str) -> None:
    if not name:
        chat.say(f"The unit is {chat.asking.unit or 'not chosen yet'}.")
        return
    check_unit(chat.lab(name).hello["target"], name)
    chat.asking.unit = name
    chat.say(f"The unit is {name}.")


def _units(chat: Chat, part: str) -> None:
    target = chat.lab().hello["target"]
    sites = [
        s
        for s in target["sites"]
        if (part in s["name"] if part else s["name"] in target["main_sites"])
    ]
    if not sites:
        raise ValueError(f"no site has '{part}' in its name; /units lists the main ones")
    for site in sites[:_LISTED]:
        last = f"{site['name']}:{site['units'] - 1}"
        shape = "x".join(map(str, site["shape"]))
        chat.say(f"  {site['name']}:0 ... {last}  {site['layout']} {shape}")
    if len(sites) > _LISTED:
        chat.say(f"  and {len(sites) - _LISTED} sites more: /units FILTER narrows them down")


def _tools(chat: Chat, _argument: str) -> None:
    for tool in chat.lab().tools:
        arguments = ", ".join(tool["parameters"]["properties"])
        chat.say(f"  {tool['name']}({arguments})")
        chat.say(f"      {tool['summary']} [{tool['kind']}]", "dim")


def _budget(chat: Chat, text: str) -> None:
    if text:
        chat.asking.budget = Budget.parse(text)
    limits = [f"{v:g} {k}" for k, v in asdict(chat.asking.budget).items() if v is not None]
    chat.say(f"A study may spend {', '.join(limits)}.")


def _planner(chat: Chat, name: str) -> None:
    if name == "stdio":
        raise ValueError("the planner stdio reads what you type here: use `hubel ask`")
    if name:
        open_planner(name, chat.asking.options, chat.ledger.home)
        open_describer(name, chat.asking.options, chat.ledger.home)
        chat.asking.planner = name
    chat.say(f"The planner is {chat.asking.planner}.")


def _data(chat: Chat, name: str) -> None:
    before = chat.asking.data
    if name:
        chat.asking.data = name
        try:
            _ = chat.lab().hello
        except BaseException:
            chat.asking.data = before
            raise
    data = chat.lab().hello["data"]
    chat.say(f"The pictures are {data['name']}: {data['pictures']:,}.")


def _why(chat: Chat, about: str) -> None:
    chat.tell_why(about)


def _show(chat: Chat, number: str) -> None:
    show_study(chat.ledger, chat.chosen(number), chat.console)


def _look(chat: Chat, number: str) -> None:
    n, study = number_in(number.removeprefix("#"), "an experiment"), chat.chosen()
    if not show_pictures(chat.ledger, study, n, chat.pictures):
        raise ValueError(f"experiment #{n} of study {study} has no pictures")


def _report(chat: Chat, number: str) -> None:
    study = chat.chosen(number)
    path = chat.ledger.home / "reports" / f"study-{study}.html"
    write_report(chat.ledger, study, path)
    chat.say(f"The report of study {study}: {path.absolute().as_uri()}")


def _studies(chat: Chat, _argument: str) -> None:
    list_studies(chat.ledger, chat.console)


def _resume(chat: Chat, number: str) -> None:
    chat.resume(chat.chosen(number))


def _cancel(chat: Chat, _argument: str) -> None:
    study = chat.current()
    if study is None or study.finished:
        raise ValueError("there is no study under way")
    if held(chat.ledger.home, study.id):
        raise ValueError(f"study {study.id} is running in another process: stop it there first")
    chat.ledger.end(study.id, "cancelled", "it was cancelled in the chat")
    chat.say(f"Study {study.id} has ended for good; what it did is in the ledger.")


def _quit(_chat: Chat, _argument: str) -> None:
    raise Quit


COMMANDS = {
    "help": Command("", "this list", _help),
    "unit": Command("[SITE:INDEX]", "choose the unit that questions are about", _unit),
    "units": Command(
        "[FILTER]", "list the units: of the main sites, or of those that match", _units
    ),
    "tools": Command("", "list the tools of planners", _tools),
    "budget": Command("[rounds=N,...]", "what a study may spend", _budget),
    "planner": Command("[NAME]", "who plans", _planner),
    "data": Command("[NAME]", "the pictures", _data),
    "why": Command("[N|#N] [STUDY]", "what step N, or the step of experiment #N, rested on", _why),
    "show": Command("[STUDY]", "a study with all its hypotheses and experiments", _show),
    "look": Command("#N", "the pictures of experiment #N", _look),
    "report": Command("[STUDY]", "write a study's report and say where it is", _report),
    "studies": Command("", "list the studies in the ledger", _studies),
    "resume": Command("[STUDY]", "go on with a study that was stopped", _resume),
    "cancel": Command("", "end the current study for good", _cancel),
    "quit": Command("", "leave; Ctrl-D does so too", _quit),
}
