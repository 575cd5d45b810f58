"""Tools: typed functions with a docstring, from which the JSON schema is made.

    @tool(kind="observation")
    def activate(ctx: Context, unit: UnitName, stimuli: list[StimulusId]) -> Result:
        '''Measure a unit on pictures, and an "Args:" section that describes each parameter.'''

Declaring a tool without types, or with an undescribed parameter, fails at import.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pydantic

from hubel.tools.result import Result

Kind = Literal["observation", "stimulus", "input intervention", "model intervention", "computation"]
Audience = Literal["planner", "host"]


class ToolError(Exception):
    """A tool call that cannot be carried out as asked; the message says what to do instead.

    It goes back to the planner. Any other exception in a tool is a bug.
    """


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the lab runs it and as planners see it.

    Attributes:
        kind: What calling it does to the network: watch it, make pictures only, change its input,
            or change its inside; a computation does nothing to it. The grade of an explanation is
            computed from the kinds.
        audience: ``planner`` tools are announced to planners; ``host`` ones serve the loop alone
            (those that show held-out pictures, for instance).
        parameters: JSON schema of the arguments.
    """

    name: str
    kind: Kind
    audience: Audience
    summary: str
    doc: str
    parameters: dict[str, Any]
    function: Callable[..., Result]
    arguments: type[pydantic.BaseModel]

    def announce(self) -> dict[str, Any]:
        """The part that travels to the host."""
        names = ("name", "kind", "audience", "summary", "doc", "parameters")
        return {name: getattr(self, name) for name in names}

    def __call__(self, ctx: Any, args: dict[str, Any]) -> Result:
        """Check the arguments and run the tool.

        Raises:
            ToolError: The arguments do not fit the schema, or the tool refuses them.
        """
        try:
            checked = self.arguments.model_validate(args)
        except pydantic.ValidationError as error:
            raise ToolError(_explain(self.name, error, self.parameters)) from None
        return self.function(ctx, **{n: getattr(checked, n) for n in type(checked).model_fields})


_registry: dict[str, ToolSpec] = {}


def tool(
    *, kind: Kind, audience: Audience = "planner"
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Register a function as a tool.

    Raises:
        TypeError: A parameter has no type or no description, or the name is taken.
    """

    def register(function: Callable[..., Result]) -> Callable[..., Result]:
        spec = specify(function, kind, audience)
        if spec.name in _registry:
            raise TypeError(f"two tools are named '{spec.name}'")
        _registry[spec.name] = spec
        return function

    return register


def registry() -> dict[str, ToolSpec]:
    """Every tool, by name. Importing `hubel.tools.experiments` fills it."""
    return dict(sorted(_registry.items()))


def specify(
    function: Callable[..., Result], kind: Kind, audience: Audience = "planner"
) -> ToolSpec:
    """Make a tool of a function without registering it.

    Raises:
        TypeError: A parameter has no type or no description.
    """
    name = function.__name__
    doc = inspect.getdoc(function)
    if not doc:
        raise TypeError(f"tool '{name}' has no docstring")
    described = _described_arguments(doc)
    hints = typing.get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.name not in hints:
            raise TypeError(f"tool '{name}': parameter '{parameter.name}' has no type")
        if parameter.name not in described:
            raise TypeError(f"tool '{name}': parameter '{parameter.name}' has no description")
        default = ... if parameter.default is parameter.empty else parameter.default
        described_field = pydantic.Field(default, description=described[parameter.name])
        fields[parameter.name] = (hints[parameter.name], described_field)
    model = pydantic.create_model(
        f"{name}_arguments",
        __config__=pydantic.ConfigDict(extra="forbid", strict=False, allow_inf_nan=False),
        **fields,
    )
    schema = model.model_json_schema()
    schema.pop("title", None)
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    return ToolSpec(
        name=name,
        kind=kind,
        audience=audience,
        summary=doc.splitlines()[0],
        doc=re.split(r"\n\s*Args:\n", doc)[0].strip(),
        parameters=schema,
        function=function,
        arguments=model,
    )


def _described_arguments(doc: str) -> dict[str, str]:
    """The ``Args:`` section of a Google-style docstring, by parameter."""
    match = re.search(r"^Args:\n(?P<body>(?:[ \t]+.*\n?|\n)+)", doc, re.MULTILINE)
    if not match:
        return {}
    found: dict[str, str] = {}
    current = ""
    for line in match["body"].splitlines():
        if start := re.match(r"    (\w+): (.*)", line):
            current = start[1]
            found[current] = start[2].strip()
        elif current and line.strip():
            found[current] += " " + line.strip()
    return found


def _explain(name: str, error: pydantic.ValidationError, schema: dict[str, Any]) -> str:
    """One sentence for a planner: what is wrong, and what the tool takes."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(p) for p in first["loc"]) or "arguments"
    takes = ", ".join(schema.get("properties", {})) or "no arguments"
    if first["type"] == "extra_forbidden":
        return f"{name} has no argument '{where}'; it takes: {takes}."
    if first["type"] == "missing":
        return f"{name} needs the argument '{where}'; it takes: {takes}."
    return f"{name}: '{where}': {first['msg']}."
