"""Activation patching: put what a site or unit held in one run into another run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pydantic
from numpy.typing import NDArray
from torch import Tensor

from hubel.tools import contrast
from hubel.tools.context import Context, StimulusId
from hubel.tools.interventions import (
    Intact,
    discovery_pictures,
    intact,
    matched_units,
    minimal_pairs,
    numbers,
    put_unit,
)
from hubel.tools.outputs import (
    METRICS,
    Metric,
    output_index,
    output_name,
    pair_of_outputs,
    run_metric,
)
from hubel.tools.result import Result
from hubel.tools.spec import ToolError, tool
from hubel.tools.target import Edit, Target
from hubel.tools.units import Unit

SiteOrUnitName = Annotated[str, pydantic.Field(description="name of a site, or of a unit in it")]
Floats = NDArray[np.float64]

#: The edit for a run: (number of the batch, the run's own output at the site, the other run's).
Patch = Callable[[int, Tensor, Tensor], Edit]

#: Runs whose metrics are closer than this do not differ: their logits are rounded sums.
_NOISE = 1e-9

_DIRECTION = (
    "effect is the change of the metric towards the other run, for each pair (positive: towards "
    "it); normalised is the part of the whole difference between the runs (0 nothing, 1 all) over "
    "all pairs with its 95% interval, null where the runs do not differ; control is the same for "
    "the control patches; contrast is effect less control, paired"
)
_MEASURES = {
    "minimal_pairs": "whether each pair is a picture and its edit",
    "metric": "the metric: the difference of two logits, the probability of the answer, or "
    "-KL(clean || run) of the softmax in nats",
    "answers": "for each pair, the class whose logit counts and the one it is compared with",
    "clean": "metric of each clean run",
    "corrupted": "metric of each corrupted run",
    "denoising": "clean activation put into the corrupted run: " + _DIRECTION,
    "noising": "corrupted activation put into the clean run: " + _DIRECTION,
    "control": "what was patched for comparison",
    "by_metric": "normalised effect under every metric: a conclusion should not hang on one",
}


@tool(kind="model intervention")
def patch(
    ctx: Context,
    where: SiteOrUnitName,
    clean: list[StimulusId],
    corrupted: list[StimulusId],
    answer: str | None = None,
    other: str | None = None,
    metric: Metric = "logit difference",
) -> Result:
    """Patch a unit's or a site's activation from a run on one picture into a run on another.

    Both directions are measured: the clean activation in the corrupted run (denoising: is it
    enough?) and the corrupted activation in the clean run (noising: is it needed?). Beside a unit,
    random units of the site that are about as active are patched; beside a site, activations from
    unrelated pictures. Wang et al., "Interpretability in the Wild" (2022); Zhang and Nanda,
    "Towards Best Practices of Activation Patching" (2023); Heimersheim and Nanda, "How to use and
    interpret activation patching" (2024). Pairs should differ in one factor (Golovanevsky et al.,
    "What Do VLMs NOTICE?", 2024); the result says whether they do.

    Args:
        ctx: Where the tool runs.
        where: What to patch: a site (its whole output) or a unit.
        clean: Pictures with the factor of interest.
        corrupted: For each clean picture, in the same order, its fellow with that factor changed.
        answer: The class expected on the clean pictures; by default each clean run's top class.
        other: The class to compare it with; by default each corrupted run's top class, or where
            that is the answer too, the class whose logit changed most against it.
        metric: What is measured at the output.
    """
    _check(clean, corrupted)
    site, unit = _mediator(ctx.target, where)
    first, second = (ctx.batches(ctx.images(ids)) for ids in (clean, corrupted))
    before = intact(ctx.target, site, unit, first)
    runs = before.logits, intact(ctx.target, site, None, second).logits
    answers = _answers(ctx.target, *runs, answer, other)
    patches, control = _patches(ctx, site, unit, before, [*clean, *corrupted])
    patched = _patched(ctx, site, patches, first, second)
    pairs = minimal_pairs(ctx, clean, corrupted)
    ends = [run_metric(run, runs[0], answers, metric) for run in runs]
    values: dict[str, Any] = {
        "minimal_pairs": pairs,
        "metric": metric,
        "answers": [[output_name(ctx.target, int(i)) for i in pair] for pair in answers],
        "clean": ends[0].tolist(),
        "corrupted": ends[1].tolist(),
        **_both(runs, patched, answers, metric, ctx.seed),
        "control": control,
        "by_metric": {m: _brief(_both(runs, patched, answers, m, ctx.seed)) for m in METRICS},
    }
    return Result(
        values=values,
        measures=_MEASURES,
        metric=metric,
        mediator=f"the whole output of {site}" if unit is None else f"the whole map of unit {unit}",
        counterfactual="the activation on the paired picture, "
        + ("a minimal pair" if pairs else "not a minimal pair"),
        seed=ctx.seed,
    )


def _check(clean: list[str], corrupted: list[str]) -> None:
    if len(clean) != len(corrupted) or not clean:
        raise ToolError(
            f"'clean' names {len(clean)} pictures and 'corrupted' {len(corrupted)}: give pairs, "
            "as many of one as of the other and at least one."
        )
    if len(set(zip(clean, corrupted, strict=True))) < len(clean):
        raise ToolError("The same clean and corrupted pair is named twice: name each once.")


def _mediator(target: Target, where: str) -> tuple[str, Unit | None]:
    if where in target.sites or not set(where) & set(":#@"):
        return target.site(where).name, None
    unit = target.unit(where)
    return unit.site, unit


def _answers(
    target: Target, clean: Floats, corrupted: Floats, answer: str | None, other: str | None
) -> list[tuple[int, int]]:
    """For each pair, the two outputs whose difference is measured."""
    outputs = clean.shape[1]
    if outputs < 2:
        raise ToolError(f"{target.name} has a single output: there is no difference of logits.")
    given = [None if n is None else output_index(target, n, outputs) for n in (answer, other)]
    if given[0] is not None and given[0] == given[1]:
        raise ToolError(f"'answer' and 'other' are both '{answer}': name two classes.")
    return [pair_of_outputs(a, b, *given) for a, b in zip(clean, corrupted, strict=True)]


def _patches(
    ctx: Context,
    site: str,
    unit: Unit | None,
    before: Intact,
    without: list[str],
) -> tuple[list[Patch], dict[str, Any]]:
    """The patch asked for, then its controls; and what the controls are."""
    target, rng = ctx.target, ctx.rng()

    def of_unit(patched: Unit) -> Patch:
        return lambda _n, own, source: put_unit(target, patched, own, target.read(source, patched))

    if unit is not None:
        units = matched_units(unit, before.activation, before.channels, rng)
        about = {"kind": "units of the site", "units": [str(u) for u in units]}
        return [of_unit(u) for u in (unit, *units)], about
    images = discovery_pictures(ctx, len(without) // 2, rng, without=without)
    donors = ctx.batches(images)

    def unrelated(number: int, _own: Tensor, _source: Tensor) -> Edit:
        return Edit(site, target.capture(donors[number], [site]).sites[site])

    about = {"kind": "the site on unrelated pictures", "units": []}
    return [lambda _n, _own, source: Edit(site, source), unrelated], about


def _patched(
    ctx: Context, site: str, patches: list[Patch], first: list[Tensor], second: list[Tensor]
) -> list[tuple[Floats, Floats]]:
    """For each patch, logits of the corrupted runs denoised and of the clean runs noised."""
    logits: list[tuple[list[Floats], list[Floats]]] = [([], []) for _ in patches]
    for n, (good, bad) in enumerate(zip(first, second, strict=True)):
        ctx.report(n, len(first), "batches patched")
        here, there = (ctx.target.capture(batch, [site]).sites[site] for batch in (good, bad))
        for make, (denoised, noised) in zip(patches, logits, strict=True):
            restored = ctx.target.intervene(bad, [make(n, there, here)])
            spoiled = ctx.target.intervene(good, [make(n, here, there)])
            denoised.append(numbers(restored.logits))
            noised.append(numbers(spoiled.logits))
    return [(np.concatenate(d), np.concatenate(c)) for d, c in logits]


def _both(
    runs: tuple[Floats, Floats],
    patched: list[tuple[Floats, Floats]],
    answers: list[tuple[int, int]],
    metric: Metric,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Effects of the patch, the first of `patched`, and of its controls, in both directions."""

    def of_run(logits: Floats) -> Floats:
        return run_metric(logits, runs[0], answers, metric)

    clean, corrupted = (of_run(run) for run in runs)
    whole = clean - corrupted
    towards = np.where(whole < 0, -1.0, 1.0)
    denoised = [towards * (of_run(logits) - corrupted) for logits, _ in patched]
    noised = [towards * (clean - of_run(logits)) for _, logits in patched]
    return {
        "denoising": _effect(denoised, np.abs(whole), seed),
        "noising": _effect(noised, np.abs(whole), seed),
    }


def _effect(effects: list[Floats], whole: Floats, seed: int) -> dict[str, Any]:
    """One direction: the first of `effects` is the patch's, [N] each, the others its controls'."""
    own, *others = effects
    beside = np.mean(others, axis=0) if others else None
    versus = None
    if beside is not None:
        versus = contrast.paired(own.tolist(), beside.tolist(), seed).to_json()
    return {
        "effect": own.tolist(),
        "normalised": _normalised(own, whole),
        "control": None if beside is None else _normalised(beside, whole),
        "contrast": versus,
    }


def _normalised(effect: Floats, whole: Floats) -> dict[str, Any] | None:
    """Effect over the whole difference between the runs, where they differ."""
    differ = whole > _NOISE
    found = (
        contrast.ratio(effect[differ].tolist(), whole[differ].tolist()) if differ.any() else None
    )
    return None if found is None else {"mean": found[0], "ci": found[1]}


def _brief(both: dict[str, dict[str, Any]]) -> dict[str, float | None]:
    normalised = {way: effect["normalised"] for way, effect in both.items()}
    return {way: None if found is None else found["mean"] for way, found in normalised.items()}
