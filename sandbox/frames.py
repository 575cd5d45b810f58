"""What a cell may say to the host, each with its schema. Anything else is a `WireError`.

A frame is an object with one key, which says what it is. The header of an array is checked where
the array is taken (`hubel.sandbox.arrays.Shelf`). Text is cleaned of control characters; arguments
and the final value are data, passed on as they are.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from hubel.sandbox.printed import clean
from hubel.sandbox.wire import WireError

Text = Annotated[str, Field(max_length=10_000), AfterValidator(clean)]
Header = dict[str, JsonValue]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Call(_Body):
    """The code calls a tool: ``{"call": {"tool", "args"}}``.

    Attributes:
        tool: Its name.
        args: Its arguments, which the tool checks.
    """

    tool: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    args: dict[str, JsonValue]


class Show(_Body):
    """The code shows a picture or a figure: ``{"show": {"kind", "array", "caption"}}``.

    Attributes:
        kind: Whether it is a picture, or a figure that was drawn.
        array: Header of its pixels.
        caption: What the code says of it, at most 500 characters.
    """

    kind: Literal["picture", "figure"]
    array: Header
    caption: Annotated[str, Field(max_length=500), AfterValidator(clean)]


class Keep(_Body):
    """The code has a picture stored and waits for its id: ``{"keep": {"array"}}``.

    Attributes:
        array: Header of its pixels.
    """

    array: Header


class Final(_Body):
    """The code came to its end: ``{"final": {"value"}}``.

    Attributes:
        value: What it assigned to ``result``.
    """

    value: JsonValue


class Raised(_Body):
    """The code raised an exception: ``{"raised": {"type", "message", "traceback"}}``.

    Attributes:
        type: Name of its class.
        message: What it says.
        traceback: Lines of the code that led to it.
    """

    type: Text
    message: Text
    traceback: Text


Frame = Call | Show | Keep | Final | Raised

_FRAMES: dict[str, type[Frame]] = {
    "call": Call,
    "show": Show,
    "keep": Keep,
    "final": Final,
    "raised": Raised,
}


def parse(frame: object) -> Frame:
    """Read one frame of a cell.

    Args:
        frame: What `hubel.sandbox.wire.receive` gave.

    Raises:
        WireError: It is none of the frames above.
    """
    if not isinstance(frame, dict) or len(frame) != 1:
        raise WireError("a frame of a cell is an object with one key")
    ((kind, body),) = frame.items()
    if kind not in _FRAMES:
        raise WireError(f"a frame of a cell is one of {', '.join(_FRAMES)}")
    try:
        return _FRAMES[kind].model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        wrong = f"{place}: {first['msg']}" if place else first["msg"]
        quoted = ascii(wrong)[1:-1][:200]  # it names keys that the cell chose
        raise WireError(f"a frame '{kind}' of a cell is wrong ({quoted})") from None
