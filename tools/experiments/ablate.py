"""Remove a unit and see what the network's outputs lose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hubel.tools import contrast
from hubel.tools.context import Context, StimulusId, UnitName
from hubel.tools.interventions import (
    discovery_pictures,
    distinct,
    intact,
    matched_units,
    numbers,
    positions_last,
    put_unit,
)
from hubel.tools.outputs import divergence, log_probabilities, output_name
from hubel.tools.result import Result
from hubel.tools.spec import tool
from hubel.tools.units import Unit

#: Pictures over which the mean of a unit is taken.
REFERENCE = 24
#: Classes listed as moved most.
MOVED = 5

#: What takes the unit's place: (unit) -> a number, or its map [N, positions...].
Filler = Callable[[Unit], float | Tensor]

_MEASURES = {
    "pictures": "for each picture: the predicted class (top), the change of its logit and of its "
    "probability, KL(intact || ablated) of the softmax in nats, and the class predicted instead "
    "(becomes; null where it stays)",
    "effect": "means over the pictures: change of logit and probability of the predicted class, "
    "KL in nats, part of the pictures whose prediction flips",
    "moved": "the outputs whose logits change most on average, with 95% interval, and the mean "
    "change of the same output when a control unit is removed instead",
    "control": "random units of the same site, about as active on these pictures: mean "
    "activation, mean effect, and the KL of each; null where the unit is alone at its site",
    "contrast": "unit less mean of the controls, paired by picture, for KL and for the size of "
    "the logit change; exceeds is the part of the controls whose mean KL the unit's is above",
}


@dataclass(frozen=True, slots=True)
class _Effect:
    """What removing one unit does to each picture."""

    change: NDArray[np.float64]  # of the logits, [N, classes]
    logit: NDArray[np.float64]  # [N], of the class predicted before
    probability: NDArray[np.float64]  # [N]
    kl: NDArray[np.float64]  # [N]
    becomes: NDArray[np.int64]  # [N]
    flips: NDArray[np.bool_]  # [N]

    def means(self) -> dict[str, float]:
        return {
            "logit": float(self.logit.mean()),
            "probability": float(self.probability.mean()),
            "kl": float(self.kl.mean()),
            "flipped": float(self.flips.mean()),
        }


@tool(kind="model intervention")
def ablate(
    ctx: Context,
    unit: UnitName,
    stimuli: list[StimulusId],
    mode: Literal["zero", "mean", "resample"] = "mean",
) -> Result:
    """Remove a unit during the forward pass and measure what happens to the network's outputs.

    The whole map of the unit is replaced. The same is done to random units of the same site that
    are about as active, since removing anything changes something.

    Args:
        ctx: Where the tool runs.
        unit: The unit to remove.
        stimuli: Pictures on which the effect is measured.
        mode: What takes its place: zero; its mean over positions and over random pictures of the
            data set; or its map on another random picture for each stimulus (resample).
    """
    distinct(stimuli, "stimuli")
    parsed = ctx.target.unit(unit)
    rng = ctx.rng()
    batches = ctx.batches(ctx.images(stimuli))
    before = intact(ctx.target, parsed.site, parsed, batches)
    controls = matched_units(parsed, before.activation, before.channels, rng)
    fillers = _fillers(ctx, parsed.site, stimuli, mode, rng)
    ablated = _ablated(ctx, [parsed, *controls], batches, fillers)
    own, *others = [_effect(before.logits, logits) for logits in ablated]
    values: dict[str, Any] = {
        "pictures": _per_picture(ctx, before.logits, own),
        "effect": own.means(),
        "moved": _moved(ctx, own, others),
        "control": None,
        "contrast": None,
    }
    if others:
        each = [o.means() for o in others]
        values["control"] = {
            "units": [str(c) for c in controls],
            "activation": [before.channels[c.index] for c in controls],
            "unit_activation": before.activation,
            "effect": {key: float(np.mean([e[key] for e in each])) for key in each[0]},
            "kl": [e["kl"] for e in each],
        }
        values["contrast"] = _contrast(own, others, ctx.seed)
    return Result(
        values=values,
        measures=_MEASURES,
        metric="change of the class logits",
        mediator=f"the whole map of unit {parsed}",
        counterfactual=_counterfactual(mode),
        seed=ctx.seed,
    )


def _counterfactual(mode: str) -> str:
    return {
        "zero": "the unit at zero",
        "mean": f"the unit at its mean over positions and over {REFERENCE} random pictures of the "
        "discovery half",
        "resample": "the unit's map on other random pictures of the discovery half",
    }[mode]


def _fillers(
    ctx: Context, site: str, stimuli: list[str], mode: str, rng: np.random.Generator
) -> Callable[[int], Filler]:
    """For the number of a batch, what takes the place of each unit in it."""
    target = ctx.target
    if mode == "zero":
        return lambda _batch: lambda _unit: 0.0
    count = REFERENCE if mode == "mean" else len(stimuli)
    donors = ctx.batches(discovery_pictures(ctx, count, rng, without=stimuli))
    if mode == "resample":

        def resampled(batch: int) -> Filler:
            output = target.capture(donors[batch], [site]).sites[site]
            return lambda u: target.read(output, u)

        return resampled
    outputs = (target.capture(batch, [site]).sites[site] for batch in donors)
    sums = [positions_last(o).mean(dim=2).sum(dim=0, keepdim=True) for o in outputs]
    mean = torch.cat(sums).sum(dim=0, keepdim=True) / count
    return lambda _batch: lambda u: float(target.read(mean, u))


def _ablated(
    ctx: Context, units: list[Unit], batches: list[Tensor], fillers: Callable[[int], Filler]
) -> list[NDArray[np.float64]]:
    """For each unit, the logits without it, [N, classes]."""
    logits: list[list[NDArray[np.float64]]] = [[] for _ in units]
    for number, batch in enumerate(batches):
        ctx.report(number, len(batches), "batches ablated")
        filler = fillers(number)
        output = ctx.target.capture(batch, [units[0].site]).sites[units[0].site]
        for unit, kept in zip(units, logits, strict=True):
            edit = put_unit(ctx.target, unit, output, filler(unit))
            kept.append(numbers(ctx.target.intervene(batch, [edit]).logits))
    return [np.concatenate(kept) for kept in logits]


def _effect(before: NDArray[np.float64], ablated: NDArray[np.float64]) -> _Effect:
    rows, top = np.arange(len(before)), before.argmax(axis=1)
    p, q = np.exp(log_probabilities(before)), np.exp(log_probabilities(ablated))
    return _Effect(
        change=ablated - before,
        logit=(ablated - before)[rows, top],
        probability=(q - p)[rows, top],
        kl=divergence(before, ablated),
        becomes=ablated.argmax(axis=1),
        flips=ablated.argmax(axis=1) != top,
    )


def _per_picture(ctx: Context, before: NDArray[np.float64], own: _Effect) -> dict[str, Any]:
    names = [output_name(ctx.target, int(i)) for i in own.becomes]
    return {
        "top": [output_name(ctx.target, int(i)) for i in before.argmax(axis=1)],
        "logit": own.logit.tolist(),
        "probability": own.probability.tolist(),
        "kl": own.kl.tolist(),
        "becomes": [n if flips else None for n, flips in zip(names, own.flips, strict=True)],
    }


def _moved(ctx: Context, own: _Effect, others: list[_Effect]) -> list[dict[str, Any]]:
    mean = own.change.mean(axis=0)
    order = np.argsort(-np.abs(mean), kind="stable")[:MOVED]
    still = np.zeros(len(own.change))
    out = []
    for index in (int(i) for i in order):
        found = contrast.paired(own.change[:, index].tolist(), still.tolist(), ctx.seed)
        beside = [float(o.change[:, index].mean()) for o in others]
        out.append(
            {
                "output": output_name(ctx.target, index),
                "change": found.mean,
                "ci": None if found.ci is None else list(found.ci),
                "control": float(np.mean(beside)) if beside else None,
            }
        )
    return out


def _contrast(own: _Effect, others: list[_Effect], seed: int) -> dict[str, Any]:
    kl = np.mean([o.kl for o in others], axis=0)
    logit = np.mean([np.abs(o.logit) for o in others], axis=0)
    return {
        "kl": contrast.paired(own.kl.tolist(), kl.tolist(), seed).to_json(),
        "logit": contrast.paired(np.abs(own.logit).tolist(), logit.tolist(), seed).to_json(),
        "exceeds": float(np.mean([own.kl.mean() > o.kl.mean() for o in others])),
    }
