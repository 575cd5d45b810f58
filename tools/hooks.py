"""The hook engine: see and replace module outputs during a forward pass, and leave no trace.

Everything else that looks inside a model is made of `hooked`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

Hook = Callable[[Tensor], Tensor | None]


@contextmanager
def hooked(model: nn.Module, hooks: Mapping[str, Hook]) -> Iterator[None]:
    """Call each function on the output tensor of its module while the block runs.

    A function that returns a tensor replaces the output by it; None leaves it alone. Where a
    module returns a tuple, list or mapping, its first tensor is meant. The tensor is the live
    one: what must outlast the call is to be cloned, since a later layer may write in place.
    Hooks are removed when the block ends, also by an exception.

    Raises:
        KeyError: No module has that path.
    """
    modules = dict(model.named_modules())
    handles = []
    try:
        for path, function in hooks.items():
            handles.append(modules[path].register_forward_hook(_forward_hook(function)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def output_tensor(output: Any) -> Tensor | None:
    """The first tensor of a module's output, or None."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return next((part for part in output if isinstance(part, Tensor)), None)
    return None


def _forward_hook(function: Hook) -> Callable[[nn.Module, Any, Any], Any]:
    def hook(_module: nn.Module, _args: Any, output: Any) -> Any:
        seen = output_tensor(output)
        if seen is None:
            return None
        replacement = function(seen)
        return None if replacement is None else _replace(output, seen, replacement)

    return hook


def _replace(output: Any, old: Tensor, new: Tensor) -> Any:
    """`output` with its tensor `old` replaced by `new`."""
    if isinstance(output, Tensor):
        return new
    if isinstance(output, Mapping):
        replaced = type(output)(output)  # type: ignore[call-arg]
        key = next(k for k, v in output.items() if v is old)
        replaced[key] = new  # type: ignore[index]
        return replaced
    parts = [new if part is old else part for part in output]
    if hasattr(output, "_fields"):  # a named tuple
        return type(output)(*parts)
    return type(output)(parts)


@contextmanager
def inference(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; the training flags are put back afterwards.

    torch's fused attention is off meanwhile: it passes over submodules, and switches itself off
    where there are hooks, so that a hooked pass would differ from a plain one in the last bits.
    """
    training = [m for m in model.modules() if m.training]
    fused = torch.backends.mha.get_fastpath_enabled()
    model.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for module in training:
            module.training = True
