"""`shuffled:BASE`: another target with the elements of each of its weight tensors permuted.

Architecture and distribution of the weights stay; what training put into their order goes. A
method that tells the same story of this network as of the trained one tells it of the architecture
or of the pictures (Adebayo et al. 2018, "Sanity Checks for Saliency Maps", whose tests randomise
the weights). Units here do react to pictures, as random filters do, so some meaning may be real;
how often one is claimed is what the trained network's rate is held against.

The statistics of batch normalisation belong to the old order of the weights: kept, they would
shrink activations to nothing or blow them up from layer to layer. They are measured anew, on the
reference pictures. Other buffers stay as they are.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from hubel.evals.families.reference import batches
from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.targets.opening import open_target

#: Pictures per pass when statistics are measured.
PICTURES = 16


def load(argument: str, device: str) -> Target:
    """Open a target and shuffle it.

    Args:
        argument: The target to shuffle.
        device: Where it runs.

    Raises:
        ToolError: The base cannot be opened, or has planted channels.
    """
    if not argument:
        raise ToolError("'shuffled' needs the target to shuffle, as in 'shuffled:demo'.")
    return shuffle(open_target(argument, device), f"shuffled:{argument}")


def shuffle(target: Target, name: str, seed: int = 0) -> Target:
    """A target with a shuffled copy of the network.

    Args:
        target: The base, which stays as it is.
        name: The new target's name.
        seed: Draws the permutations.

    Raises:
        ToolError: The base has planted channels, whose twins would be lost.
    """
    if target.planted:
        raise ToolError(f"'{target.name}' has planted channels: write 'null:shuffled:...'.")
    model = copy.deepcopy(target.model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            order = torch.randperm(parameter.numel(), generator=generator)
            shuffled = parameter.flatten()[order.to(parameter.device)]
            parameter.copy_(shuffled.view_as(parameter))
    _measure_norms(model, target)
    return target.derived(name, model=model)


def _measure_norms(model: nn.Module, target: Target) -> None:
    """Set the running mean and variance of every batch normalisation to the pictures' averages."""
    norms = [
        module
        for module in model.modules()
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
        and module.track_running_stats
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # an average over all batches
        norm.train()
    with torch.no_grad():
        for batch in batches(target, PICTURES):
            model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
