"""What a model is told that it may call: the tools' schemas, made plain, and those of the loop.

Servers differ in how much JSON schema they understand. What is sent holds no references and no
discriminated unions: those become one flat object, whose description has a line for each kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

#: Keys that say nothing to a model, or that some servers refuse.
_LEFT_OUT = {"title", "discriminator", "$defs", "additionalProperties", "exclusiveMaximum"}

_NUMBER: Schema = {
    "type": "object",
    "properties": {
        "op": {"type": "string", "enum": [">", ">=", "<", "<="]},
        "value": {"type": "number"},
        "path": {"type": "string", "description": "Another number, if it is about one."},
    },
    "required": ["op", "value"],
}
#: A prediction, as `hubel.agent.planner.Predicted`.
PREDICTION: Schema = {
    "type": "object",
    "properties": {
        "hypothesis": {"type": "string", "description": "Name of a registered hypothesis."},
        "path": {"type": "string", "description": "The number, as in contrast.mean."},
        "expects": _NUMBER,
        "refutes": _NUMBER,
    },
    "required": ["hypothesis", "path", "expects", "refutes"],
}
_PREDICTIONS: Schema = {
    "type": "array",
    "description": "What hypotheses say of the result, and what would refute them.",
    "items": PREDICTION,
}
_FORM = "The executable form, as in 0.9*[PHRASE AND NOT PHRASE] + 0.6*[PHRASE]"
#: A hypothesis, as `hubel.agent.planner.Claim`.
CLAIM: Schema = {
    "type": "object",
    "properties": {
        "name": {
            "type": "string",
            "description": "Short and new: a letter, then letters or digits.",
        },
        "claim": {"type": "string", "description": "The hypothesis in one sentence."},
        "form": {"type": "string", "description": f"{_FORM}."},
        "revises": {"type": "string", "description": "Name of the hypothesis that it revises."},
    },
    "required": ["name", "claim", "form"],
}
#: A conclusion, as `hubel.agent.planner.Conclusion`.
CONCLUSION: Schema = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "The explanation, for people."},
        "form": {"type": ["string", "null"], "description": f"{_FORM}; null for nothing found."},
        "exceptions": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Where the unit behaves otherwise.",
        },
        "evidence": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "Numbers of the experiments that the text rests on.",
        },
    },
    "required": ["text", "form"],
}
#: Calls of the loop itself, beside the tools.
HYPOTHESIZE, CONCLUDE = "hypothesize", "conclude"


def native(tools: Sequence[Mapping[str, Any]], *, only_conclude: bool) -> list[Schema]:
    """The tools as chat completions take them.

    Args:
        tools: The announced tools.
        only_conclude: Nothing but a conclusion is wanted.
    """
    conclude = _function(CONCLUDE, "End the study with what you have come to.", CONCLUSION)
    if only_conclude:
        return [conclude]
    register = _function(HYPOTHESIZE, "Register a hypothesis, before it is tested.", CLAIM)
    return [register, *(_native(tool) for tool in tools), conclude]


def _native(tool: Mapping[str, Any]) -> Schema:
    parameters = plain(tool["parameters"])
    if tool["kind"] != "computation":  # whose numbers test nothing
        properties = {**parameters.get("properties", {}), "predictions": _PREDICTIONS}
        parameters = {**parameters, "properties": properties}
    return _function(str(tool["name"]), str(tool["doc"]), parameters)


def _function(name: str, description: str, parameters: Schema) -> Schema:
    words = " ".join(description.split())
    function = {"name": name, "description": words, "parameters": parameters}
    return {"type": "function", "function": function}


def step_schema(tools: Sequence[Mapping[str, Any]], *, only_conclude: bool) -> Schema:
    """The form of a step, for models that answer in JSON; arguments are objects."""
    names = [tool["name"] for tool in tools]
    call = {
        "type": "object",
        "properties": {
            "tool": {"type": "string", "enum": names},
            "args": {"type": "object"},
            "predictions": _PREDICTIONS,
        },
        "required": ["tool", "args"],
    }
    thought = {"type": "string", "description": "What you make of the results, briefly."}
    if only_conclude:
        return {
            "type": "object",
            "properties": {"thought": thought, "conclusion": CONCLUSION},
            "required": ["thought", "conclusion"],
        }
    return {
        "type": "object",
        "properties": {
            "thought": thought,
            "hypotheses": {"type": "array", "items": CLAIM},
            "calls": {"type": "array", "items": call},
            "conclusion": {"anyOf": [CONCLUSION, {"type": "null"}]},
        },
        "required": ["thought", "hypotheses", "calls", "conclusion"],
    }


def manual(tools: Sequence[Mapping[str, Any]]) -> str:
    """The tools in words, for models that are not told of them by the server."""
    return "\n\n".join(_entry(tool) for tool in tools)


def _entry(tool: Mapping[str, Any]) -> str:
    parameters = plain(tool["parameters"])
    required = parameters.get("required", [])
    lines = [f"### {tool['name']}", " ".join(str(tool["doc"]).split())]
    for name, schema in parameters.get("properties", {}).items():
        optional = "" if name in required else ", optional"
        about = schema.get("description", "")
        rest = {k: v for k, v in schema.items() if k not in ("description", "type")}
        if schema.get("items", {}).get("type") == "string":
            del rest["items"]
        kind = schema.get("type", "any")
        detail = f" {json.dumps(rest)}" if rest and kind != "object" else ""
        lines.append(f"- {name} ({kind}{optional}): {about}{detail}")
    return "\n".join(lines)


def plain(schema: Mapping[str, Any], definitions: Mapping[str, Any] | None = None) -> Schema:
    """A JSON schema without references, unions of kinds, and what only programs read.

    Args:
        schema: As pydantic makes it.
        definitions: What its references point to; its own if left out.
    """
    known = schema.get("$defs", {}) if definitions is None else definitions
    if "$ref" in schema:
        target = known[str(schema["$ref"]).rsplit("/", 1)[-1]]
        return plain({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, known)
    rest = {k: v for k, v in schema.items() if k not in _LEFT_OUT}
    if "oneOf" in rest:
        return _flat([plain(option, known) for option in rest.pop("oneOf")], rest)
    if "anyOf" in rest:
        options = [plain(o, known) for o in rest.pop("anyOf") if o != {"type": "null"}]
        rest = {k: v for k, v in rest.items() if (k, v) != ("default", None)}
        return {**options[0], **rest} if len(options) == 1 else {"anyOf": options, **rest}
    if "const" in rest:
        rest["enum"] = [rest.pop("const")]
    if "prefixItems" in rest:
        rest["items"] = rest.pop("prefixItems")[0]
    if isinstance(rest.get("items"), Mapping):
        rest["items"] = plain(rest["items"], known)
    if "properties" in rest:
        rest["properties"] = {k: plain(v, known) for k, v in rest["properties"].items()}
    if "description" in rest:
        rest["description"] = " ".join(str(rest["description"]).split())
    return rest


def _flat(options: Sequence[Schema], rest: Schema) -> Schema:
    """Kinds of one thing, told apart by a constant, as one object with all that they may have."""
    properties: dict[str, list[Schema]] = {}
    lines = []
    for option in options:
        required = option.get("required", [])
        constant, *others = option["properties"]
        words = ", ".join(n if n in required else f"{n}?" for n in others)
        value = option["properties"][constant]["enum"][0]
        lines.append(f"{value}({words}): {option.get('description', '')}")
        for name, schema in option["properties"].items():
            found = properties.setdefault(name, [])
            if schema not in found:
                found.append(schema)
    merged = {name: _either(found) for name, found in properties.items()}
    about = f"{rest.get('description', '')} One of:\n" + "\n".join(lines)
    return {
        **rest,
        "type": "object",
        "description": about.strip(),
        "properties": merged,
        "required": [next(iter(merged))],
    }


def _either(schemas: Sequence[Schema]) -> Schema:
    """One schema for what has several: values listed together, ranges made wide."""
    if len(schemas) == 1:
        return schemas[0]
    if all(set(s) <= {"type", "enum", "default"} and "enum" in s for s in schemas):
        values = dict.fromkeys(v for s in schemas for v in s["enum"])
        return {"type": "string", "enum": list(values)}
    kinds = {json.dumps({k: v for k, v in s.items() if k != "default"}): s for s in schemas}
    options = [json.loads(kind) for kind in kinds]
    return options[0] if len(options) == 1 else {"anyOf": options}
