"""One plain sentence for each tool call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hubel.agent.records import Experiment
from hubel.agent.wording import instruction_text, listed, number


def summary_of(experiment: Experiment) -> str:
    """One plain sentence: what was done and, where it ended well, what came out."""
    say = _SUMMARIES.get(experiment.tool)
    told = say(experiment.args, experiment.values) if say else ""
    if told:
        return told
    metric = (experiment.result or {}).get("metric")
    return f"Measured: {metric}." if metric else f"Called {experiment.tool}."


def _count(args: Mapping[str, Any], values: Mapping[str, Any], noun: str = "picture") -> str:
    lists = (values.get("stimuli"), args.get("stimuli"), values.get("activation"))
    n = next((len(found) for found in map(_items, lists) if found), args.get("n", 0))
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _items(value: Any) -> list[Any]:
    """A list of the arguments; a refused call may hold anything in its place."""
    return value if isinstance(value, list) else []


def _quoted(phrases: Sequence[Any]) -> str:
    return listed([f"‘{p}’" for p in phrases])


def _activate(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    contrast = values.get("contrast") or {}
    told = f"Measured the unit on {_count(args, {})}"
    if contrast.get("counterfactual") == "minimal pairs":
        told += ", each beside the same picture with one thing changed"
    elif beside := _items(args.get("baseline")):
        told += f" and on {len(beside)} others"
    if contrast.get("mean") is None:
        return told + "."
    more = "more" if contrast["mean"] > 0 else "less"
    return f"{told}: it responds {more}, by {number(abs(contrast['mean']))} on average."


def _synthesize(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    having, lacking = _items(args.get("having")), _items(args.get("lacking"))
    told = f"Drew {_count(args, values, 'scene')}"
    told += f" with {_quoted(having)}" if having else ""
    return told + (f" and without {_quoted(lacking)}." if lacking else ".")


def _find(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    having, lacking = _items(args.get("having")), _items(args.get("lacking"))
    told = f"Looked for pictures with {_quoted([args.get('phrase'), *having])}"
    told += f" and without {_quoted(lacking)}" if lacking else ""
    return told + (f": {_count({}, values)}." if values.get("stimuli") else ".")


def _ablate(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    mode = {"zero": "zero", "mean": "its mean", "resample": "its map on other pictures"}
    filler = mode.get(str(args.get("mode", "mean")), "another value")
    told = f"Put {filler} in the unit's place on {_count(args, {})}"
    kl = (values.get("effect") or {}).get("kl")
    control = ((values.get("control") or {}).get("effect") or {}).get("kl")
    if kl is None:
        return told + "."
    told += f": the outputs move by {number(kl)} nats"
    return told + (f", for control units by {number(control)}." if control is not None else ".")


def _run_python(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    lines = len(str(args.get("code", "")).strip().splitlines())
    told = f"Ran a script of {lines} line" + ("" if lines == 1 else "s")
    return told + (f": {values['why']}" if values.get("why") else ".")


def _held_out(_args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    n = len(values.get("activation", ()))
    which = f"{n} held-out pictures" if n else "held-out pictures"
    return f"Drew {which}, over the whole range of the unit, which no planner has seen."


_SUMMARIES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], str]] = {
    "exemplars": lambda a, v: f"Looked at the {_count(a, v)} to which the unit responds most.",
    "survey": lambda a, v: (
        f"Measured the unit on {_count(a, {'activation': v.get('activation')})} of the discovery "
        "half, over its whole range, with the concepts of each."
    ),
    "image_stats": lambda _a, _v: (
        "Asked whether a plain statistic of the image explains the unit already."
    ),
    "synthesize": _synthesize,
    "find": _find,
    "edit": lambda a, v: f"Edited {_count(a, v)}: {instruction_text(a.get('instruction'))}.",
    "activate": _activate,
    "ablate": _ablate,
    "profile": lambda a, _v: f"Tried the standard edits on {_count(a, {})}.",
    "held_out_sample": _held_out,
    "run_python": _run_python,
}
