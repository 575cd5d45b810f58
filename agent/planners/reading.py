"""Reading a step from JSON that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any

import pydantic

from hubel.agent.planner import Malformed, Step
from hubel.sandbox import wire

#: Bytes that one step may have.
LONGEST = 4 << 20
#: Characters kept of what is no step.
_KEPT = 2000


def read_step(text: str | bytes) -> Step:
    """The step that a JSON text holds.

    Args:
        text: One JSON object; bytes are UTF-8.

    Raises:
        Malformed: It is none; the message says what is wrong and where.
    """
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    try:
        value = json.loads(text)
    except RecursionError:
        raise Malformed("The step is nested too deep.", said[:_KEPT]) from None
    except ValueError as error:
        raise Malformed(f"The step is not JSON: {error}.", said[:_KEPT]) from None
    return step_of(value, said)


def step_of(value: Any, said: str | None = None) -> Step:
    """The step that a JSON value describes.

    Args:
        value: An object with the fields of `Step`.
        said: The text that it came from; the value itself, written as JSON, if left out.

    Raises:
        Malformed: It does not describe one, or holds what no ledger can: a number that is none,
            half a character, lists nested too deep.
    """
    if not isinstance(value, dict):
        raise Malformed("A step is a JSON object.", (said or str(value))[:_KEPT])
    kept = (json.dumps(value) if said is None else said)[:_KEPT]
    try:
        wire.check(value, LONGEST)
        return Step.model_validate(value)
    except wire.WireError as error:
        raise Malformed(f"The step cannot be recorded: {error}.", kept) from None
    except pydantic.ValidationError as error:
        raise Malformed(_sentence(error), kept) from None


def _sentence(error: pydantic.ValidationError) -> str:
    """What is wrong with a step, of the first thing that is."""
    first = error.errors(include_url=False)[0]
    *path, last = first["loc"] or ("step",)
    holder = ".".join(map(str, path)) or "a step"
    if first["type"] == "extra_forbidden":
        return f"The step is malformed: {holder} has no field '{last}'."
    if first["type"] == "missing":
        return f"The step is malformed: {holder} needs the field '{last}'."
    where = ".".join(map(str, first["loc"])) or "step"
    return f"The step is malformed: {where}: {first['msg']}."
