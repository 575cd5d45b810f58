"""From what a model said to a step; what cannot be read gets one precise sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from hubel.agent.form import Form
from hubel.agent.planner import LONGEST, Malformed, Step, View
from hubel.agent.planners.openai.answers import Answer, Asked
from hubel.agent.planners.openai.names import Names
from hubel.agent.planners.openai.schemas import CONCLUDE, HYPOTHESIZE
from hubel.agent.planners.reading import step_of
from hubel.sandbox import wire
from hubel.tools.concepts import source_of
from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

#: Characters kept of what was said and is no step, and of a thought.
KEPT = 2000
#: Items of one step, and characters of one text in it.
_MOST = {"hypotheses": 16, "calls": 16}
_LONGEST = 8000

_FENCED = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)```", re.DOTALL)
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def read(answer: Answer, mode: str, view: View) -> Step:
    """The step that an answer is.

    Args:
        answer: What the model said.
        mode: How it was asked: ``tools``, ``json`` or ``text``.
        view: The study so far.

    Raises:
        Malformed: It is no step; the message is for the model.
    """
    said = said_in(answer)
    if answer.status == "refusal":
        raise Malformed(
            "Your answer was a refusal. The question is about a unit of a neural network: answer "
            "with a step, or conclude.",
            said,
        )
    if answer.status == "empty":
        raise Malformed("Your answer was empty: answer with a step, or conclude.", said)
    try:
        value = _of_calls(answer) if mode == "tools" else _of_text(answer.text)
        return _checked(value, view, said)
    except Malformed as error:
        if answer.status == "truncated":
            raise Malformed(
                "Your answer was cut off at the server's limit of length: be briefer.", said
            ) from None
        raise Malformed(" ".join(str(error).split()), said) from None


def said_in(answer: Answer) -> str:
    """All that a model wrote, for the record."""
    calls = [f"{call.name}({call.arguments})" for call in answer.calls]
    parts = [answer.text.strip(), answer.refusal or "", *calls]
    return "\n".join(p for p in parts if p)[:KEPT]


def _of_calls(answer: Answer) -> dict[str, Any]:
    """The fields of a step, from native tool calls."""
    if not answer.calls:
        raise Malformed(
            "Your answer called no tool: call one, or `conclude` to end the study. Text alone does "
            "nothing."
        )
    step: dict[str, Any] = {"hypotheses": [], "calls": [], "conclusion": None}
    for asked in answer.calls:
        args = _arguments(asked)
        if asked.name == HYPOTHESIZE:
            step["hypotheses"].append(args)
        elif asked.name != CONCLUDE:
            predictions = args.pop("predictions", None) or []
            step["calls"].append({"tool": asked.name, "args": args, "predictions": predictions})
        elif step["conclusion"] is not None:
            raise Malformed("You concluded twice in one answer: conclude once.")
        else:
            step["conclusion"] = args
    thought = _spoken(answer.text) or answer.reasoning
    return {"thought": thought.strip()[:KEPT], **step}


def _arguments(asked: Asked) -> dict[str, Any]:
    try:
        args = json.loads(asked.arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The arguments of {asked.name[:80]} are not JSON: {error}.") from None
    if not isinstance(args, dict):
        raise Malformed(f"The arguments of {asked.name[:80]} are no JSON object.")
    return args


def _of_text(text: str) -> dict[str, Any]:
    """The fields of a step, from a text that is JSON or holds a fenced block of it."""
    spoken = _spoken(text)
    blocks = _FENCED.findall(spoken)
    written = blocks[-1] if blocks else spoken
    try:
        value = json.loads(written)
    except (ValueError, RecursionError) as error:
        if not blocks and "{" not in spoken:
            raise Malformed("Your answer holds no JSON object with a step.") from None
        raise Malformed(f"Your step is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise Malformed("Your step is no JSON object.")
    value = {k: v for k, v in value.items() if v is not None}
    if isinstance(value.get("thought"), str):
        value["thought"] = value["thought"][:KEPT]
    return value


def _spoken(text: str) -> str:
    """A text without what was thought before it, which some servers leave in."""
    return text.rsplit("</think>", 1)[-1].strip()


def _checked(value: dict[str, Any], view: View, said: str) -> Step:
    """The step of its fields, with forms read, pictures named in full and arguments checked."""
    try:
        wire.check(value, LONGEST)
    except wire.WireError as error:
        raise Malformed(f"Your step cannot be recorded: {error}.") from None
    value = {**value}
    for field, most in _MOST.items():
        items = value.get(field, [])
        if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
            raise Malformed(f"`{field}` is to be a list of objects.")
        if len(items) > most:
            raise Malformed(f"A step has at most {most} {field}; yours has {len(items)}.")
        value[field] = items
    value["hypotheses"] = [_with_form(h, "hypothesis") for h in value["hypotheses"]]
    conclusion = value.get("conclusion")
    if isinstance(conclusion, dict):
        value["conclusion"] = _with_form({"exceptions": [], "evidence": [], **conclusion}, CONCLUDE)
    names = Names(view.experiments)
    value["calls"] = [_call(call, names, view) for call in value["calls"]]
    return step_of(value, said)


def _with_form(fields: dict[str, Any], what: str) -> dict[str, Any]:
    """A hypothesis or conclusion with its form read, and every phrase of it known."""
    fields = {k: v for k, v in fields.items() if v is not None or k == "form"}
    for name, text in fields.items():
        if isinstance(text, str) and len(text) > _LONGEST:
            raise Malformed(f"`{name}` has {len(text)} characters; {_LONGEST} are the most.")
    if "form" not in fields:
        raise Malformed(f"A {what if what != CONCLUDE else 'conclusion'} needs a `form`.")
    given = fields["form"]
    if given is None:
        return fields
    try:
        form = Form.parse(given) if isinstance(given, str) else Form.from_json(given)
        for phrase in form.phrases:
            source_of(phrase)
    except (ValueError, ToolError) as error:
        raise Malformed(f"{str(error)[:500].rstrip('.')}.") from None
    return {**fields, "form": form.to_json()}


def _call(call: dict[str, Any], names: Names, view: View) -> dict[str, Any]:
    """A call with its pictures named in full."""
    name, args = call.get("tool"), call.get("args", {})
    tools = {str(t["name"]): t for t in view.tools}
    if not isinstance(name, str) or name not in tools:
        known = [*tools, HYPOTHESIZE, CONCLUDE]
        raise Malformed(f"There is no tool '{str(name)[:80]}'. {nearest(str(name)[:80], known)}")
    if not isinstance(args, dict):
        raise Malformed(f"The `args` of {name} are no JSON object.")
    kept = {k: v for k, v in args.items() if v is not None}
    _check_arguments(name, kept, tools[name]["parameters"])
    return {**call, "args": names.full(kept)}


def _check_arguments(name: str, args: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Names and types of arguments; what is inside them the tool checks itself.

    Raises:
        Malformed: One is unknown, missing, or of another type.
    """
    properties = schema.get("properties", {})
    takes = ", ".join(properties) or "no arguments"
    for argument, value in args.items():
        if argument not in properties:
            raise Malformed(f"{name} has no argument '{argument[:80]}'; it takes: {takes}.")
        types = _types_of(properties[argument])
        if types and not any(_is_of(value, t) for t in types):
            kinds = " or ".join(types)
            raise Malformed(f"{name}: '{argument}' is to be of type {kinds}, not {_kind(value)}.")
    for argument in schema.get("required", ()):
        if argument not in args:
            raise Malformed(f"{name} needs the argument '{argument}'; it takes: {takes}.")


def _types_of(schema: Mapping[str, Any]) -> list[str]:
    """The JSON types that a schema allows; none where it does not say."""
    if "anyOf" in schema:
        found = [_types_of(option) for option in schema["anyOf"]]
        return [t for types in found for t in types] if all(found) else []
    given = schema.get("type", [])
    return [given] if isinstance(given, str) else list(given)


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    whole = kind == "integer" and isinstance(value, float) and value.is_integer()
    return whole or isinstance(value, _TYPES.get(kind, ()))


def _kind(value: Any) -> str:
    return next(k for k in ("boolean", "integer", *_TYPES) if _is_of(value, k))
