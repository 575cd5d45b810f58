"""Sites: where in a network activations can be read and edited, and how they are laid out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from hubel.tools.hooks import inference, output_tensor

Layout = Literal["NC", "NCHW", "NHWC", "NTC"]


@dataclass(frozen=True, slots=True)
class Site:
    """A module whose output can be read and edited.

    Attributes:
        name: Path of the module.
        layout: Order of the output's axes: batch N, channels C, rows H, columns W, tokens T.
        shape: Shape for one picture, without the batch axis.
    """

    name: str
    layout: Layout
    shape: tuple[int, ...]

    @property
    def units(self) -> int:
        """Number of channels."""
        return self.shape[0] if self.layout == "NCHW" else self.shape[-1]

    def widened(self) -> Site:
        """The site with one channel more."""
        axis = 0 if self.layout == "NCHW" else -1
        shape = list(self.shape)
        shape[axis] += 1
        return Site(self.name, self.layout, tuple(shape))

    def channels_first(self, output: Tensor) -> Tensor:
        """The output as [N, C, positions...], a view."""
        if self.layout in ("NC", "NCHW"):
            return output
        return output.movedim(-1, 1)

    def maxima(self, output: Tensor) -> Tensor:
        """Activation of every unit: [N, C, positions...] -> the maximum over positions, [N, C]."""
        return output if self.layout == "NC" else output.flatten(2).amax(dim=2)


def find_sites(model: nn.Module, inputs: Tensor) -> dict[str, Site]:
    """Every module that a forward pass calls once and whose output can be read, by path.

    Args:
        model: The network.
        inputs: At least two pictures, [N, 3, H, W].
    """
    seen: dict[str, list[Site | None]] = {}

    def watch(path: str, module: nn.Module) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _args: object, output: object) -> None:
            tensor = output_tensor(output)
            site = None if tensor is None else _describe(path, module, tensor, inputs)
            seen.setdefault(path, []).append(site)

        return hook

    handles = [m.register_forward_hook(watch(p, m)) for p, m in model.named_modules() if p]
    try:
        with inference(model):
            model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    sites: dict[str, Site] = {}
    for path, _module in model.named_modules():
        match seen.get(path):
            case [Site() as site]:
                sites[path] = site
    return sites


def repeated_blocks(model: nn.Module, sites: Mapping[str, Site]) -> list[str]:
    """The members of the outermost lists of like modules, or every site where there is no list.

    A list counts if two of its members are of one class: the layers of an encoder do, the flatten
    and linear of a head do not.
    """
    found: list[str] = []
    for path, module in model.named_modules():
        if not isinstance(module, nn.ModuleList | nn.Sequential):
            continue
        if any(path.startswith(f"{f}.") for f in found):
            continue
        members = {f"{path}.{n}" if path else n: type(m) for n, m in module.named_children()}
        classes = [kind for member, kind in members.items() if member in sites]
        if len(set(classes)) < len(classes):
            found += [member for member in members if member in sites]
    return found or list(sites)


def _describe(path: str, module: nn.Module, output: Tensor, inputs: Tensor) -> Site | None:
    """The site that a module is, or None where its output is no map of channels."""
    if output.ndim < 2 or output.shape[0] != len(inputs) or not output.is_floating_point():
        return None
    shape = tuple(output.shape[1:])
    if output.ndim == 2:
        return Site(path, "NC", shape)
    if output.ndim == 3:
        return Site(path, "NTC", shape)
    if output.ndim == 4:
        return Site(path, _layout_of_map(module, output.shape, inputs.shape), shape)
    return None


def _layout_of_map(module: nn.Module, output: torch.Size, inputs: torch.Size) -> Layout:
    """Rows and columns are the two neighbouring axes in the proportion of the input picture."""

    def like_picture(rows: int, columns: int) -> bool:
        return abs(rows * inputs[-1] - columns * inputs[-2]) < max(inputs[-2:])

    first, last = like_picture(output[2], output[3]), like_picture(output[1], output[2])
    if first != last:
        return "NCHW" if first else "NHWC"
    return "NHWC" if isinstance(module, nn.Linear | nn.LayerNorm) else "NCHW"
