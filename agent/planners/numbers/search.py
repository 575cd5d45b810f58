"""The search: single forms first, then what can be made of them, while something is unexplained."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from hubel.agent.planners.numbers.data import Data, Mask, runs
from hubel.agent.planners.numbers.expr import X, uses_input
from hubel.agent.planners.numbers.forms import FORMS, Form
from hubel.agent.planners.numbers.nested import CHANGED, nested
from hubel.agent.planners.numbers.parts import (
    NARROW,
    envelopes,
    gated,
    gates,
    imaged,
    lattice,
    longest,
    pairs,
    wide,
)
from hubel.agent.planners.numbers.periodic import folded, period, unfolded, waves
from hubel.agent.planners.numbers.pieces import bends, leaps, longest_straight, stretches
from hubel.agent.planners.numbers.rational import rationals
from hubel.agent.planners.numbers.scan import Fit, best_of, fitted, judged, start
from hubel.agent.planners.numbers.whole import counting

#: Fits that are kept, and forms that are fitted to the end.
KEPT, FITTED = 24, 18
#: Forms of fewer parameters that are fitted once one explains everything.
PLAINER = 4
#: Share of the answers above which a law explains nearly everything.
NEARLY = 0.9
#: Largest jumps between which an exception may lie.
JUMPS = 4
#: Widest straight runs of answers that may be exceptions.
STRAIGHT = 2
#: Forms of which laws of a changed argument are tried.
_CHANGEABLE = ("line", "parabola", "cubic", "exponential", "wave", "saturating rise", "bell")


def search(data: Data, seed: int, deep: bool = True) -> list[Fit]:
    """Fits, best first.

    Args:
        data: The answers.
        seed: Draws the starts of the searches.
        deep: Go on to composed forms if no single one explains the answers.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, tuple[Form, Fit]] = {}
    starts = [(form, *start(form, data)) for form in FORMS if _worth(form, data)]
    # Simple forms are always fitted; of the others those that look best from their grids.
    starts.sort(key=lambda item: item[1] if item[0].columns else -1.0)
    most, left = np.inf, FITTED
    for form, _, shapes in starts:
        count = len(form.columns) + len(shapes[0])
        if left == 0 or count >= most:
            continue
        left -= 1
        fit = best_of(form, data, shapes, rng)
        found[form.name] = (form, fit)
        # Under noise a wrong form may be near enough: all are weighed against each other.
        if data.sigma == 0 and complete(fit, data):
            most, left = count, min(left, PLAINER)
    best = sorted(found.values(), key=lambda pair: pair[1].cost)
    fits = [fit for _, fit in best]
    if data.sigma == 0 and not complete(fits[0], data):
        fits = sorted([*fits, *bends(data)], key=lambda fit: fit.cost)
    if deep and not complete(fits[0], data):
        for fit in _deeper(best, data, rng):
            fits = sorted([*fits, fit], key=lambda fit: fit.cost)
            if complete(fits[0], data):
                break
    return fits[:KEPT]


def excepting(data: Data, seed: int) -> list[Fit]:
    """Laws of what lies outside a stretch between two jumps, with what holds inside."""
    return list(_masked(data, np.random.default_rng(seed)))


def complete(fit: Fit, data: Data) -> bool:
    """Is nothing left to be explained?"""
    if data.sigma > 0:
        return fit.scale <= 1.06 * data.floor and float((~fit.inside).mean()) < 0.01
    wrong = len(data.undefined) and bool(np.isfinite(fit(data.undefined)).any())
    return fit.exact(data) and bool(fit.inside.all()) and not wrong


def excepted(fit: Fit, data: Data) -> bool:
    """Is it exact but for one stretch?"""
    out = ~fit.inside
    where = np.flatnonzero(out)
    if not fit.exact(data) or len(where) < 3 or out.mean() > 0.4 or not uses_input(fit.expr):
        return False
    return runs(out) == 1 and bool(data.x[where[-1]] - data.x[where[0]] > NARROW)


def _worth(form: Form, data: Data) -> bool:
    """Periodic forms need outputs that vary."""
    return not form.columns or float(np.ptp(data.y)) > 0


def _deeper(best: list[tuple[Form, Fit]], data: Data, rng: np.random.Generator) -> Iterator[Fit]:
    """Composed forms, one after the other, cheap ones first."""
    if data.sigma == 0:
        yield from counting(data)
        yield from rationals(data)
    sure = sorted((fit for _, fit in best if excepted(fit, data)), key=_plainness)[:3]
    for fit in sure:
        yield _filled(fit, longest(~fit.inside), data, rng)
    if sure:
        return
    yield from _repeated(data, rng)
    yield from waves(data)
    yield from _masked(data, rng)
    for fit, stretch in gates(best, data, rng):
        yield _filled(fit, stretch, data, rng)
    yield from lattice(data, rng)
    for _, inner in CHANGED:
        for form in FORMS:
            if form.name in _CHANGEABLE:
                yield fitted(form, data, rng, inner, 1)
    yield from pairs(best, data, rng)
    yield from _nested(data, rng)


def _plainness(fit: Fit) -> float:
    """Few parameters, and much that is explained, come first."""
    return len(fit.params) + 10 * float((~fit.inside).mean())


def _masked(data: Data, rng: np.random.Generator) -> Iterator[Fit]:
    """Laws of what lies outside a stretch that may be an exception."""
    if data.sigma > 0 or len(data.x) < 20:
        return
    for stretch in (*_between_jumps(data), *longest_straight(data, STRAIGHT)):
        held = data.x[stretch]
        if not wide(stretch, data) or held[-1] - held[0] > 0.4 * (data.x[-1] - data.x[0]):
            continue
        rest = data.only(~stretch)
        laws = (*search(rest, int(rng.integers(2**32)), deep=False)[:1], *lattice(rest, rng))
        law = min(laws, key=lambda fit: fit.cost)
        if complete(law, rest) and uses_input(law.expr):
            whole = judged(law.name, law.expr, law.params, data)
            yield _filled(whole, longest(~whole.inside), data, rng)


def _between_jumps(data: Data) -> Iterator[Mask]:
    """Stretches between two of the largest jumps."""
    for low, high in combinations(leaps(data, JUMPS), 2):
        stretch = np.zeros(len(data.x), dtype=bool)
        stretch[low + 1 : high + 1] = True
        yield stretch


def _repeated(data: Data, rng: np.random.Generator) -> Iterator[Fit]:
    """Laws of the place in a turn."""
    found = period(data) if data.sigma == 0 and len(data.x) >= 40 else None
    if found is not None:
        turn = folded(data, *found)
        for fit in search(turn, int(rng.integers(2**32)), deep=False)[:4]:
            yield unfolded(fit, data, *found)


def plainer(fit: Fit, data: Data, seed: int) -> Iterator[Fit]:
    """Plainer laws with an exception between two breaks of one that explains nearly everything."""
    if not fit.exact(data) or fit.inside.mean() < NEARLY:
        return
    rng = np.random.default_rng(seed)
    known = data.only(fit.inside)  # A break may still lie on the wrong side of an answer.
    for stretch in stretches(fit, known):
        if not wide(stretch, known):
            continue
        rest = known.only(~stretch)
        law = search(rest, int(rng.integers(2**32)), deep=False)[0]
        if complete(law, rest) and uses_input(law.expr):
            whole = judged(law.name, law.expr, law.params, data)
            tried = _filled(whole, longest(~whole.inside), data, rng)
            if tried.cost < fit.cost:
                yield tried


def contents(fit: Fit, data: Data, seed: int) -> Iterator[Fit]:
    """The law with another law for the stretch that it leaves unexplained."""
    stretch = longest(~fit.inside)
    if wide(stretch, data) and not stretch.all() and fit.expr[0] != "where":
        yield _filled(fit, stretch, data, np.random.default_rng(seed))


def _filled(fit: Fit, stretch: Mask, data: Data, rng: np.random.Generator) -> Fit:
    if not wide(stretch, data):
        return fit
    image = imaged(fit, stretch, data)
    if complete(image, data):
        return image
    rest = search(data.only(stretch), int(rng.integers(2**32)), deep=False)
    both = [gated(fit, other, stretch, data) for other in rest[:2]]
    both += [tried for other in rest[:2] for tried in envelopes(fit, other, data)]
    return min([image, *both], key=lambda other: other.cost)


def _nested(data: Data, rng: np.random.Generator) -> Iterator[Fit]:
    """The nested forms whose best starts look best, polished."""
    starts = []
    for form in nested(rng):
        score, shapes = start(form, data, X, 3)
        starts.append((score, form, shapes))
    starts.sort(key=lambda item: item[0])
    for _, form, shapes in starts[:12]:
        yield best_of(form, data, shapes, rng, X)
