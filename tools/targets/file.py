"""`file:PATH:FACTORY`: a network of yours, made by a function in a Python file.

``FACTORY()`` returns one of

- an ``nn.Module`` that takes [N, 3, 224, 224], normalised with ImageNet's mean and deviation;
- a pair (module, preprocess), where ``preprocess`` turns one RGB picture of Pillow into a tensor
  [3, H, W], as transforms of torchvision do;
- a `hubel.Target`, for names of classes, main sites or outputs of another form.

The file may import its neighbours. It runs with the rights of the process that opens it.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.targets.preprocessing import IMAGENET
from hubel.tools.units import nearest


def load(argument: str, device: str) -> Target:
    """Call the factory and open what it made.

    Args:
        argument: ``PATH:FACTORY``.
        device: Where it runs.

    Raises:
        ToolError: No such file or function, the user's code raised (the message has its line), or
            what came back is none of the three.
    """
    path, factory = _parse(argument)
    source = path.read_bytes()
    made = _run(path, _function(path, factory), f"{factory}()")
    name, identity = f"file:{argument}", hashlib.sha256(source).hexdigest()
    if isinstance(made, Target):
        return made.derived(name, device=device, identity=identity)
    preprocess: Callable[[Sequence[Image.Image]], Tensor] = IMAGENET
    match made:
        case nn.Module():
            model = made
        case (nn.Module() as model, single) if callable(single):
            preprocess = _Each(single, name)
        case _:
            raise ToolError(
                f"{factory}() in {path} returned {type(made).__name__}: return an nn.Module, a "
                "pair (module, preprocess) or a hubel.Target."
            )
    opened: Target = _run(
        path,
        lambda: Target(name, model, preprocess, device=device, identity=identity),
        "the network on a test picture",
    )
    return opened


class _Each:
    """A preprocessing of one picture, applied to each."""

    def __init__(self, single: Callable[[Image.Image], Any], name: str) -> None:
        self._single = single
        self._name = name

    def __call__(self, images: Sequence[Image.Image]) -> Tensor:
        made = [self._single(image.convert("RGB")) for image in images]
        for part in made:
            if not (isinstance(part, Tensor) and part.ndim == 3):
                shape = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
                raise ToolError(
                    f"The preprocess of '{self._name}' returned {shape} for a picture: it must "
                    "return a tensor [channels, H, W]."
                )
        return torch.stack(made)


def _parse(argument: str) -> tuple[Path, str]:
    text, _, factory = argument.rpartition(":")
    path = Path(text).expanduser()
    if not text or not factory.isidentifier():
        raise ToolError(
            f"'file:{argument}' is not of the form file:PATH:FACTORY, as in 'file:model.py:make'."
        )
    if not path.is_file():
        raise ToolError(f"There is no file '{path}': write file:PATH:FACTORY.")
    return path.resolve(), factory


def _function(path: Path, factory: str) -> Callable[[], Any]:
    module: ModuleType = _run(path, lambda: _imported(path), "importing it")
    found: Callable[[], Any] | None = getattr(module, factory, None)
    if not callable(found):
        names = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise ToolError(f"{path} has no function '{factory}'. {nearest(factory, names)}")
    return found


def _imported(path: Path) -> ModuleType:
    name = f"hubel_target_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ToolError(f"'{path}' is no Python file: its name must end in .py.")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last, so that its neighbours hide nothing installed
    spec.loader.exec_module(module)
    return module


def _run(path: Path, function: Callable[[], Any], what: str) -> Any:
    """Call into the user's code; what it raises becomes one sentence with the line at fault."""
    try:
        return function()
    except ToolError:
        raise
    except (Exception, SystemExit) as error:  # anything at all may come out of a user's file
        where = path.name
        if isinstance(error, SyntaxError) and error.lineno is not None:
            where = f"line {error.lineno} of {Path(error.filename or path).name}"
        for frame in traceback.extract_tb(error.__traceback__):
            if Path(frame.filename) == path:
                where = f"line {frame.lineno} of {path.name}, '{frame.line}'"
        why = str(error).strip().splitlines()[0] if str(error).strip() else "no message"
        raise ToolError(f"{what} failed at {where}: {type(error).__name__}: {why}") from error
