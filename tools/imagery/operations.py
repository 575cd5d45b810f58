"""Edits as instructions: one function each, from whose signature the checked instruction is made.

    EDITS = Operations(given=("image",))

    @EDITS.add
    def blur(image: Image, radius: Annotated[float, Field(ge=0, le=50)]) -> Image:
        '''Gaussian blur of so many pixels.'''

gives the instruction ``{"op": "blur", "radius": 2.5}``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeVar

import pydantic

_F = TypeVar("_F", bound=Callable[..., Any])


def _untitled(schema: dict[str, Any]) -> None:
    """Titles repeat the names of the fields, and planners pay for every word of a schema."""
    for field in (schema, *schema.get("properties", {}).values()):
        field.pop("title", None)


class Instruction(pydantic.BaseModel):
    """What to do to a picture: the name of an edit and its settings."""

    model_config = pydantic.ConfigDict(
        extra="forbid", allow_inf_nan=False, frozen=True, json_schema_extra=_untitled
    )

    op: str


class Operations:
    """A table of edits.

    Args:
        given: Names of parameters that are no part of the instruction but come from the caller.
    """

    def __init__(self, given: Collection[str]) -> None:
        self._given = frozenset(given)
        self._functions: dict[str, Callable[..., Any]] = {}
        self._models: dict[str, type[Instruction]] = {}

    def add(self, function: _F, base: type[Instruction] = Instruction) -> _F:
        """Register a function under its name; an underscore at the end is dropped.

        Args:
            function: Typed, with a docstring that says what it does.
            base: Instruction class with fields that many edits share.

        Raises:
            TypeError: A parameter has no type, or the docstring is missing.
        """
        name = function.__name__.rstrip("_")
        hints = typing.get_type_hints(function, include_extras=True)
        fields: dict[str, Any] = {"op": (Literal[name], ...)}
        own = [p for n, p in inspect.signature(function).parameters.items() if n not in self._given]
        for parameter in own:
            if parameter.name not in hints or not function.__doc__:
                raise TypeError(f"edit '{name}': a docstring and a type of '{parameter.name}'")
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (hints[parameter.name], default)
        self._functions[name] = function
        self._models[name] = pydantic.create_model(
            name, __base__=base, __doc__=inspect.getdoc(function), **fields
        )
        return function

    @property
    def models(self) -> Mapping[str, type[Instruction]]:
        """The class of each edit's instructions."""
        return self._models

    def call(self, instruction: Instruction, **given: Any) -> Any:
        """Carry an edit out.

        Args:
            instruction: An instance of one of `models`.
            given: What the caller has to give; functions take of it what they name.
        """
        function = self._functions[instruction.op]
        names = inspect.signature(function).parameters
        values = {n: given[n] if n in given else getattr(instruction, n) for n in names}
        return function(**values)
