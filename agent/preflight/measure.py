"""Asking a model what the program knows, and counting what it gets right."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubel.agent import prompts
from hubel.agent.guards import filled
from hubel.agent.planner import Call, Desk, Malformed, Planner, View, problem
from hubel.agent.preflight import eyes, practice
from hubel.agent.records import LLMCall, Message

if TYPE_CHECKING:
    from hubel.agent.planners.openai.client import Client, Patience

#: Items of each ability of the eyes, calls, and studies for practice.
PICTURES, CALLS, STUDIES = 20, 10, 3

#: Told how far it is: (done, total, what).
Progress = Callable[[int, int, str], None]


def measure(
    name: str,
    base_url: str | None,
    home: Path,
    tools: Sequence[dict[str, Any]],
    progress: Progress,
    *,
    seed: int = 0,
    patience: Patience | None = None,
) -> dict[str, Any]:
    """Measure a model.

    Args:
        name: ``openai/MODEL``.
        base_url: Of its server; the environment has it if left out.
        home: Folder of the ledger, where ``prices.json`` may lie.
        tools: All tools, as announced.
        progress: Told how far it is.
        seed: Draws pictures and calls.
        patience: How long requests are tried.

    Returns:
        ``model``; ``abilities``, each with ``right``, ``n``, ``chance`` and ``ci``, or with ``n``
        0 and ``why``; ``requests``, ``tokens`` and ``dollars`` that it took.

    Raises:
        ValueError: It is no language model, or its server cannot be named so.
        PlannerFailed: It cannot be asked.
    """
    if not name.startswith("openai/"):
        raise ValueError(f"a preflight measures language models, openai/MODEL, and not '{name}'")
    from hubel.agent.planners.openai import OpenAIPlanner
    from hubel.agent.planners.openai.client import Client
    from hubel.tools.stimuli import PictureStore

    asked: list[LLMCall] = []
    ours = [t for t in tools if t["name"] in practice.TOOLS]
    abilities = _eyes(Client(name, base_url, home, patience), seed, asked, progress)
    with tempfile.TemporaryDirectory() as scratch:
        desk = Desk(
            PictureStore(Path(scratch)), asked.append, lambda _text: "", lambda _e, _d: None
        )
        planner = OpenAIPlanner(name, base_url, home, patience)
        abilities["call"] = _calls(planner, desk, ours, seed, progress)
        abilities["loop"] = _loop(planner, desk, ours, seed, progress)
    return {
        "model": name.removeprefix("openai/"),
        "abilities": abilities,
        "requests": len(asked),
        "tokens": sum((c.tokens_in or 0) + (c.tokens_out or 0) for c in asked),
        "dollars": sum(c.dollars or 0.0 for c in asked),
    }


def scored(right: Iterable[bool], chance: float | None) -> dict[str, Any]:
    """A share with Wilson's 95% interval.

    Args:
        right: Of each item.
        chance: Share that guessing reaches; None where there is no guessing.
    """
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    listed = list(right)
    interval = binomtest(sum(listed), len(listed)).proportion_ci(method="wilson")
    ci = [round(float(interval.low), 4), round(float(interval.high), 4)]
    return {"right": sum(listed), "n": len(listed), "chance": chance, "ci": ci}


def _eyes(client: Client, seed: int, asked: list[LLMCall], progress: Progress) -> dict[str, Any]:
    """What it sees; none of it where its server takes no pictures."""
    from hubel.agent.planners.openai.client import BadRequest, Errand
    from hubel.agent.planners.openai.describer import picture_part

    listed = eyes.items(PICTURES, seed)
    right: dict[str, list[bool]] = {ability: [] for ability in eyes.ABILITIES}
    for i, item in enumerate(listed):
        progress(i, len(listed), "pictures looked at")
        errand = Errand("probe", record=asked.append, detail={"preflight": item.ability})
        parts = [picture_part(picture) for picture in item.pictures]
        content = [*parts, {"type": "text", "text": item.question}]
        try:
            answer = client.ask([{"role": "user", "content": content}], errand)
        except BadRequest as error:
            why = f"the server takes no pictures: {error}"
            return {ability: {"n": 0, "why": why} for ability in right}
        right[item.ability].append(item.read(answer.text) == item.truth)
    chances = {item.ability: item.chance for item in listed}
    return {ability: scored(found, chances[ability]) for ability, found in right.items()}


def _calls(
    planner: Planner, desk: Desk, tools: list[dict[str, Any]], seed: int, progress: Progress
) -> dict[str, Any]:
    """Whether it makes the call that it is asked to make, with these arguments and no other."""
    right = []
    for i, call in enumerate(wanted(CALLS, seed)):
        progress(i, CALLS, "calls asked for")
        listed = ", ".join(f"{k} = {json.dumps(v)}" for k, v in call.args.items())
        question = prompts.PREFLIGHT_CALL.format(tool=call.tool, args=listed)
        view = View(
            question, practice.UNIT, tools, {"rounds": 9.0, "calls": 9.0}, False, seed,
            [Message(0, "user", {"question": question})], [], [], [], [], desk,
        )  # fmt: skip
        try:
            step = planner.next(view)
        except Malformed:
            right.append(False)
            continue
        made = step.calls[0] if len(step.calls) == 1 and problem(step, view) is None else None
        right.append(made is not None and _same(made, call, tools))
    return scored(right, None)


def wanted(n: int, seed: int) -> list[Call]:
    """Calls to be asked for."""
    import numpy as np

    rng = np.random.default_rng(seed)
    colours, shapes = ("red", "blue", "green", "white"), ("circle", "star", "triangle", "ring")
    calls = []
    for i in range(n):
        some = int(rng.integers(5, 16))
        phrase = f"{rng.choice(colours)} {rng.choice(shapes)}"
        unit = f"practice:{rng.integers(2, 99)}"
        args: dict[str, dict[str, Any]] = {
            "exemplars": {"unit": unit, "k": some},
            "survey": {"unit": unit, "n": 10 * some},
            "synthesize": {"n": some, "having": [phrase], "lacking": ["text"]},
        }
        tool = list(args)[i % len(args)]
        calls.append(Call(tool=tool, args=args[tool]))
    return calls


def _same(made: Call, call: Call, tools: list[dict[str, Any]]) -> bool:
    return made.tool == call.tool and filled(made.tool, made.args, tools) == filled(
        call.tool, call.args, tools
    )


def _loop(
    planner: Planner, desk: Desk, tools: list[dict[str, Any]], seed: int, progress: Progress
) -> dict[str, Any]:
    """Which rules it keeps in studies for practice."""
    import numpy as np

    kept: list[dict[str, bool]] = []
    for i in range(STUDIES):
        progress(i, STUDIES, "studies for practice")
        study = practice.Practice(tools, desk, np.random.default_rng([seed, i]))
        kept.append(study.run(planner))
    score = scored([held for one in kept for held in one.values()], None)
    return {**score, "rules": {rule: sum(one[rule] for one in kept) for rule in practice.RULES}}
