"""A target: a network with its preprocessing, opened for measurement.

`capture(inputs, sites)` and `intervene(inputs, edits, sites)` are the two primitives that every
tool is made of.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor, nn

from hubel.tools.directions import read_direction
from hubel.tools.edits import Edit, apply
from hubel.tools.hooks import Hook, hooked, inference, output_tensor
from hubel.tools.sites import Layout, Site, find_sites, repeated_blocks
from hubel.tools.spec import ToolError
from hubel.tools.units import Unit, nearest

__all__ = ["Capture", "Edit", "Layout", "Plant", "Site", "Target"]

Plant = Callable[[Tensor, Tensor], Tensor]


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
        identity: What tells it from others beside weights and preprocessing, for the fingerprint:
            a hash of the source file, the seed of what is planted.

    Raises:
        ToolError: No output inside the network can be read.
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
        planted: Mapping[str, Plant] | None = None,
        identity: str = "",
    ) -> None:
        self.name = name
        self.model = model.to(device)
        self.labels = list(labels) if labels is not None else None
        self.device = torch.device(device)
        self.preprocess = preprocess
        self._logits = logits or _first_tensor
        self._planted = dict(planted or {})
        self._identity = identity
        self.sites = find_sites(self.model, self.batch([_test_picture()] * 2))
        if not self.sites:
            raise ToolError(
                f"{name}: no module inside the network has an output that can be read; a compiled "
                "or scripted network hides them."
            )
        for site in self._planted:
            self.sites[site] = self.site(site).widened()
        self.main_sites = list(main_sites or repeated_blocks(self.model, self.sites))

    @property
    def planted(self) -> tuple[str, ...]:
        """The sites whose last channel is planted."""
        return tuple(self._planted)

    def derived(
        self,
        name: str,
        *,
        model: nn.Module | None = None,
        device: str | None = None,
        planted: Mapping[str, Plant] | None = None,
        identity: str = "",
    ) -> Target:
        """This target under another name, with what is given here instead of its own.

        Args:
            name: The new name.
            model: A network of the same architecture.
            device: Where it runs.
            planted: See `Target`.
            identity: Joins the identity that this target has.
        """
        return Target(
            name,
            self.model if model is None else model,
            self.preprocess,
            labels=self.labels,
            logits=self._logits,
            main_sites=self.main_sites,
            device=str(self.device) if device is None else device,
            planted=self._planted if planted is None else planted,
            identity=f"{self._identity} {identity}".strip(),
        )

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

        def watch(site: Site, function: Callable[[Tensor], None]) -> Hook:
            def hook(output: Tensor) -> None:
                function(self._extended(site, output, inputs))

            return hook

        hooks = {name: watch(self.site(name), function) for name, function in see.items()}
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
        return torch.einsum("nc...,c->n...", output, self.direction(unit).to(output))

    def direction(self, unit: Unit) -> Tensor:
        """The unit-norm vector of a direction unit, [C].

        Raises:
            ToolError: The file is missing or does not fit the site.
        """
        return read_direction(str(unit.file), unit.index, self.site(unit.site).units)

    def fingerprint(self) -> str:
        """Hash of weights, architecture, identity and the preprocessing of a test picture."""
        digest = hashlib.sha256(repr((sorted(self.sites.items()), self._identity)).encode())
        digest.update(re.sub(r" at 0x\w+", "", repr(self.model)).encode())  # addresses differ
        parts = {**dict(self.model.named_parameters()), **dict(self.model.named_buffers())}
        for name, value in sorted(parts.items()):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            flat = value.detach().cpu().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
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
                    apply(edit, full)
            if kept is not None:
                kept[site.name] = full.detach().clone()
            if not edits:
                return None
            changed = torch.empty_like(output)  # with its strides: later layers may ask for a view
            own = site.channels_first(changed)
            own.copy_(full[:, : own.shape[1]])
            return changed

        return hook

    def _extended(self, site: Site, output: Tensor, inputs: Tensor) -> Tensor:
        """The output as [N, C, positions...] with the planted channels at the end."""
        first = site.channels_first(output)
        plant = self._planted.get(site.name)
        return first if plant is None else torch.cat([first, plant(inputs, first)], dim=1)


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
