"""A target: a network with its preprocessing, opened for measurement.

`capture(inputs, sites)` and `intervene(inputs, edits, sites)` are the two primitives that every
tool is made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor, nn

from hubel.tools.hooks import Hook, hooked, inference, output_tensor
from hubel.tools.spec import ToolError
from hubel.tools.units import Unit, nearest

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

    def channels_first(self, output: Tensor) -> Tensor:
        """The output as [N, C, positions...], a view."""
        if self.layout in ("NC", "NCHW"):
            return output
        return output.movedim(-1, 1)

    def maxima(self, output: Tensor) -> Tensor:
        """Activation of every unit: the maximum over positions, [N, C]."""
        if self.layout == "NC":
            return output
        if self.layout == "NCHW":
            return output.amax(dim=(2, 3))
        return output.flatten(1, -2).amax(dim=1)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one site's output during a forward pass.

    Attributes:
        site: Path of the module.
        value: What to write: a number, or a tensor that broadcasts to the edited part in the
            order [N, positions...] for one unit, [N, C, positions...] for the whole site.
        index: The unit to write to; None for the whole site.
        how: ``set`` writes `value`, ``add`` adds it, ``scale`` multiplies by it.
    """

    site: str
    value: float | Tensor
    index: int | None = None
    how: Literal["set", "add", "scale"] = "set"


@dataclass(frozen=True, slots=True)
class Capture:
    """One batch's outputs.

    Attributes:
        logits: The network's output, [N, classes] or [N, features].
        sites: Output of each site asked for, [N, C, positions...], detached.
    """

    logits: Tensor
    sites: dict[str, Tensor]


class Target:
    """A network opened for measurement.

    Args:
        name: The name under which users asked for it.
        model: The network.
        preprocess: RGB pictures of any size -> input batch [N, 3, H, W].
        labels: Names of the output classes; None where outputs are not classes.
        logits: The network's return value -> [N, classes]. By default its first tensor.
        main_sites: The sites indexed by default. By default the repeated blocks.
        device: Where it runs.
        planted: Functions that append one channel to a site's output, by site: (inputs, output as
            [N, C, positions...]) -> [N, 1, positions...]. It is a unit like any other and feeds
            nothing. Used by control targets.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        preprocess: Callable[[Sequence[Image.Image]], Tensor],
        *,
        labels: Sequence[str] | None = None,
        logits: Callable[[object], Tensor] | None = None,
        main_sites: Sequence[str] | None = None,
        device: str = "cpu",
        planted: Mapping[str, Callable[[Tensor, Tensor], Tensor]] | None = None,
    ) -> None:
        self.name = name
        self.model = model.to(device)
        self.labels = list(labels) if labels is not None else None
        self.device = torch.device(device)
        self.preprocess = preprocess
        self._logits = logits or _first_tensor
        self._planted = dict(planted or {})
        self.sites = self._find_sites()
        self.main_sites = list(main_sites or _repeated_blocks(self.model, self.sites))

    def site(self, name: str) -> Site:
        """The site of that name.

        Raises:
            ToolError: No such site; the message names the nearest.
        """
        if name not in self.sites:
            raise ToolError(f"{self.name} has no site '{name}'. {nearest(name, self.sites)}")
        return self.sites[name]

    def unit(self, name: str) -> Unit:
        """The unit of that name, checked against the network.

        Raises:
            ToolError: Not a unit name, no such site, or the index is too high.
        """
        unit = Unit.parse(name)
        site = self.site(unit.site)
        if unit.file is None and unit.index >= site.units:
            raise ToolError(
                f"'{site.name}' has {site.units} units, numbered 0 to {site.units - 1}; "
                f"'{name}' is not among them."
            )
        if unit.file is not None:
            self.direction(unit)
        return unit

    def batch(self, images: Sequence[Image.Image]) -> Tensor:
        """Pictures -> input batch [N, 3, H, W] on the target's device."""
        return self.preprocess(images).to(self.device)

    def forward(self, inputs: Tensor) -> Tensor:
        """The plain forward pass, without hooks: logits [N, classes]."""
        with inference(self.model):
            return self._logits(self.model(inputs))

    def capture(self, inputs: Tensor, sites: Sequence[str]) -> Capture:
        """Run the network and keep the outputs of `sites`.

        Args:
            inputs: [N, 3, H, W].
            sites: Paths of modules.

        Raises:
            ToolError: No such site.
        """
        return self.intervene(inputs, (), sites)

    def intervene(
        self, inputs: Tensor, edits: Sequence[Edit], sites: Sequence[str] = ()
    ) -> Capture:
        """Run the network with some outputs changed; what is kept of a site is after its edits.

        Edits of one site are applied in their order. With no edits the logits are bit-equal to
        `forward`'s.

        Args:
            inputs: [N, 3, H, W].
            edits: The changes.
            sites: Paths of modules whose outputs to keep.

        Raises:
            ToolError: No such site or unit.
        """
        kept: dict[str, Tensor] = {}
        hooks: dict[str, Hook] = {}
        for name in dict.fromkeys([*(e.site for e in edits), *sites]):
            at = [e for e in edits if e.site == name]
            hooks[name] = self._hook(self.site(name), at, inputs, kept if name in sites else None)
        with inference(self.model), hooked(self.model, hooks):
            logits = self._logits(self.model(inputs))
        return Capture(logits, kept)

    def observe(self, inputs: Tensor, see: Mapping[str, Callable[[Tensor], None]]) -> Tensor:
        """Run the network and show each site's live output, [N, C, positions...], to a function.

        For streaming measurements that must not keep or copy whole outputs.

        Returns:
            Logits [N, classes].
        """

        def hook(site: Site, function: Callable[[Tensor], None]) -> Hook:
            return lambda output: function(self._extended(site, output, inputs))

        hooks = {name: hook(self.site(name), function) for name, function in see.items()}
        with inference(self.model), hooked(self.model, hooks):
            return self._logits(self.model(inputs))

    def maps(self, inputs: Tensor, units: Sequence[Unit]) -> list[Tensor]:
        """Activation maps of units: for each, [N, positions...] ([N] where there are none)."""
        kept = self.capture(inputs, list(dict.fromkeys(u.site for u in units))).sites
        return [self.read(kept[u.site], u) for u in units]

    def read(self, output: Tensor, unit: Unit) -> Tensor:
        """One unit's part of a captured output: [N, C, positions...] -> [N, positions...]."""
        if unit.file is None:
            return output[:, unit.index]
        return torch.tensordot(output, self.direction(unit).to(output), dims=([1], [0]))

    def direction(self, unit: Unit) -> Tensor:
        """The unit-norm vector of a direction unit, [C].

        Raises:
            ToolError: The file is missing or does not fit the site.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = Path(str(unit.file))
        try:
            rows = load_file(path)["directions"]
        except (OSError, SafetensorError, KeyError) as error:
            raise ToolError(
                f"'{path}' cannot be read as directions ({type(error).__name__}): save a tensor "
                "'directions' of shape [rows, channels] with safetensors."
            ) from None
        channels = self.site(unit.site).units
        if rows.ndim != 2 or rows.shape[1] != channels or unit.index >= rows.shape[0]:
            raise ToolError(
                f"'{path}' holds directions of shape {tuple(rows.shape)}; '{unit}' needs "
                f"[more than {unit.index}, {channels}]."
            )
        return nn.functional.normalize(rows[unit.index].float(), dim=0)

    def fingerprint(self) -> str:
        """Hash of the weights, the sites and the preprocessing of a fixed test picture."""
        digest = hashlib.sha256(repr(sorted(self.sites.items())).encode())
        for name, value in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
        digest.update(self.batch([_test_picture()]).cpu().numpy().tobytes())
        return digest.hexdigest()

    def _hook(
        self, site: Site, edits: Sequence[Edit], inputs: Tensor, kept: dict[str, Tensor] | None
    ) -> Hook:
        def hook(output: Tensor) -> Tensor | None:
            full = self._extended(site, output, inputs)
            if edits:
                full = full.clone()
                for edit in edits:
                    _apply(edit, full)
            if kept is not None:
                kept[site.name] = full.detach().clone()
            if not edits:
                return None
            own = full[:, : full.shape[1] - self._extra(site.name)]
            return own if site.layout in ("NC", "NCHW") else own.movedim(1, -1)

        return hook

    def _extended(self, site: Site, output: Tensor, inputs: Tensor) -> Tensor:
        """The output as [N, C, positions...] with the planted channels at the end."""
        first = site.channels_first(output)
        plant = self._planted.get(site.name)
        return first if plant is None else torch.cat([first, plant(inputs, first)], dim=1)

    def _extra(self, name: str) -> int:
        return 1 if name in self._planted else 0

    def _find_sites(self) -> dict[str, Site]:
        """One forward pass on a test picture: every module called once with a usable output."""
        seen: dict[str, list[Site | None]] = {}
        inputs = self.batch([_test_picture()] * 2)

        def watch(path: str, module: nn.Module) -> Callable[[nn.Module, object, object], None]:
            def hook(_module: nn.Module, _args: object, output: object) -> None:
                tensor = output_tensor(output)
                site = None if tensor is None else _describe(path, module, tensor)
                seen.setdefault(path, []).append(site)

            return hook

        handles = [m.register_forward_hook(watch(p, m)) for p, m in self.model.named_modules() if p]
        try:
            with inference(self.model):
                self.model(inputs)
        finally:
            for handle in handles:
                handle.remove()
        sites: dict[str, Site] = {}
        for path, _module in self.model.named_modules():
            calls = seen.get(path, [])
            if len(calls) == 1 and calls[0] is not None:
                site = calls[0]
                if path in self._planted:
                    site = Site(path, "NCHW", (site.units + 1, *site.shape[1:]))
                sites[path] = site
        return sites


def _apply(edit: Edit, full: Tensor) -> None:
    """Carry an edit out in place on an output [N, C, positions...]."""
    if edit.index is not None and edit.index >= full.shape[1]:
        raise ToolError(f"'{edit.site}' has {full.shape[1]} units; there is no {edit.index}.")
    part = full if edit.index is None else full[:, edit.index]
    if edit.how == "set":
        part.copy_(torch.as_tensor(edit.value, dtype=part.dtype, device=part.device))
    elif edit.how == "add":
        part.add_(edit.value)
    else:
        part.mul_(edit.value)


def _describe(path: str, module: nn.Module, output: Tensor) -> Site | None:
    """The site that a module is, or None where its output is no map of channels."""
    if output.shape[0] != 2 or not output.is_floating_point():
        return None
    shape = tuple(output.shape[1:])
    if output.ndim == 2:
        return Site(path, "NC", shape)
    if output.ndim == 3:
        return Site(path, "NTC", shape)
    if output.ndim == 4:
        last = getattr(module, "normalized_shape", None) or [getattr(module, "out_features", None)]
        return Site(path, "NHWC" if last[-1] == shape[-1] else "NCHW", shape)
    return None


def _repeated_blocks(model: nn.Module, sites: Mapping[str, Site]) -> list[str]:
    """The members of the outermost lists of modules, or every site where there is no list."""
    found: list[str] = []
    for path, module in model.named_modules():
        inside = any(path.startswith(f + ".") for f in found)
        if isinstance(module, nn.ModuleList | nn.Sequential) and not inside:
            members = [f"{path}.{n}" if path else n for n, _ in module.named_children()]
            found += [m for m in members if m in sites]
    return found or list(sites)


def _first_tensor(output: object) -> Tensor:
    tensor = output_tensor(output)
    if tensor is None:
        raise ToolError("the model returned no tensor")
    return tensor


def _test_picture() -> Image.Image:
    """A fixed picture with some of everything: three ramps."""
    return Image.merge(
        "RGB",
        (
            Image.linear_gradient("L"),
            Image.linear_gradient("L").rotate(90),
            Image.radial_gradient("L"),
        ),
    )
