"""From what a user types to a target. Imports no torch until a target is opened."""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hubel.tools.spec import ToolError
from hubel.tools.units import nearest

if TYPE_CHECKING:
    from hubel.tools.target import Target

GROUP = "hubel.targets"


def open_target(spec: str, device: str = "cpu") -> Target:
    """Open a network by its name.

    Args:
        spec: ``KIND`` or ``KIND:ARGUMENT``; see `kinds`.
        device: Where it runs, as torch names it: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises:
        ToolError: No such kind (the message names the nearest) or device, a package is missing
            (it names the extra), or there is no such network.
    """
    kind, _, argument = spec.strip().partition(":")
    points = _points()
    if kind not in points:
        raise ToolError(
            f"'{kind}' is no kind of model. {nearest(kind, points)} Write KIND or KIND:ARGUMENT, "
            "as in 'demo' or 'hf:google/vit-base-patch16-224'."
        )
    _check_device(device)
    load: Callable[[str, str], Target] = points[kind].load()
    return load(argument, device)


def kinds() -> dict[str, str]:
    """The installed kinds of targets, each with the first line of its module's docstring.

    The modules are read, not imported: what only lists them must not wait for torch.
    """
    return {name: _summary(point.module) for name, point in _points().items()}


def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def _summary(module: str) -> str:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ToolError(f"The module '{module}' of a kind of target is missing: install it again.")
    doc = ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8")))
    if not doc:
        raise ToolError(f"The module '{module}' of a kind of target has no docstring.")
    return doc.splitlines()[0]


def _check_device(device: str) -> None:
    """Try the device out, so that its absence is told before a network is read from disk."""
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = str(error).splitlines()[0]
        raise ToolError(f"There is no device '{device}' here ({why}): use 'cpu'.") from None
