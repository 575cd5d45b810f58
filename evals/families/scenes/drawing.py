"""Draws wirings: which channels go together, by how often they are on together, not by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hubel.evals.families.scenes.wiring import BEYOND, NULL, Join, Term, Wiring

#: How often each kind of rule, of null unit and of complication is drawn, relative to the others.
KINDS = {
    "one": 3, "or": 3, "and": 3, "and not": 3, "xor": 3, "and or": 3, "graded": 2,
    "polysemantic": 2, "twice": 1, "left of": 1, "majority": 1, "odd": 1, "larger": 1, "nested": 1,
    "noise": 1, "coin": 1, "dead": 1, "spikes": 1,
    "mixed": 1,
}  # fmt: skip
COMPLEXITIES = {"clean": 3, "noise": 4, "bias": 2, "corrupted": 2, "approximated": 1}
#: Signal to noise: the variance of a unit that is fully on for half of the pictures, over noise's.
SNRS = (5.0, 2.0, 1.0)

_LEAST = (0.05, 0.02, 0.006)  # share of random scenes that a channel is on for: the difficulty
_MOST = 0.6
_APART = 0.3  # of that share, on which each channel of a rule makes a difference
_REGION = (0.08, 0.35)
_ALONE = (95,)  # channels that no two things of a scene have: there is one place for them
_MIXED = 24  # channels of a random direction
_TRIES = 20_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """A wiring, and how it came about: for tables by kind, on the evaluator's side."""

    wiring: Wiring
    kind: str
    complexity: str


def draw(joint: NDArray[np.float64], things: NDArray[np.bool_], seed: int, number: int) -> Drawn:
    """The wiring of a neuron.

    Args:
        joint: Share of random scenes for which two channels are on, [channels, channels].
        things: Whether a channel is about single things, [channels].
        seed: Of the family.
        number: Which neuron.
    """
    rng = np.random.default_rng([seed, number])
    kind = str(rng.choice([*KINDS], p=_shares(KINDS)))
    complexity = str(rng.choice([*COMPLEXITIES], p=_shares(COMPLEXITIES)))
    drawer = _Drawer(joint, things, rng)
    if kind in _RULES:
        wiring = drawer.complicated(_RULES[kind](drawer), complexity)
    else:
        wiring = drawer.other(cast("Join", kind))
        complexity = "null" if wiring.join in NULL else "beyond"
    return Drawn(replace(wiring, seed=int(rng.integers(2**31))), kind, complexity)


def with_noise(wiring: Wiring, snr: float) -> Wiring:
    """The same with another signal-to-noise ratio."""
    return replace(wiring, noise=wiring.full / 2 / float(np.sqrt(snr)))


class _Drawer:
    """Draws channels that fit together."""

    def __init__(
        self, joint: NDArray[np.float64], things: NDArray[np.bool_], rng: np.random.Generator
    ) -> None:
        self.joint, self.things, self.rng = joint, things, rng
        self.share = np.diag(joint)
        self.least = float(rng.choice(_LEAST))
        self.usable = np.flatnonzero((self.share >= self.least) & (self.share <= _MOST))

    def several(
        self, count: int, together: int = 0, among: NDArray[np.int64] | None = None
    ) -> list[int]:
        """Channels none of which implies another, the first few of them often on together."""
        pool, rare = self.usable if among is None else among, _APART * self.least
        for _ in range(_TRIES):
            chosen = [int(c) for c in self.rng.choice(pool, count, replace=False)]
            joint = self.joint[np.ix_(chosen, chosen)]
            apart = np.diag(joint)[:, None] - joint + np.eye(count)
            if apart.min() >= rare and joint[:together, :together].min(initial=1) >= rare:
                return chosen
        raise RuntimeError("No channels fit together: the shares of the weights file are off.")

    def other(self, kind: Join) -> Wiring:
        """A null unit, or a law that is no list of conjunctions."""
        if kind in ("majority", "nested"):
            return Wiring(tuple(Term(1.0, (c,)) for c in self.several(3, together=3)), kind)
        if kind in BEYOND:
            pool = np.intersect1d(self.usable, np.flatnonzero(self.things))
            pool = np.setdiff1d(pool[self.share[pool] >= _LEAST[0]], _ALONE)
            chosen = self.several(1 if kind in ("twice", "odd") else 2, among=pool)
            return Wiring(tuple(Term(1.0, (c,)) for c in chosen), kind)
        if kind != "mixed":
            return Wiring((), kind)
        mixed = [int(c) for c in self.rng.choice(self.usable, _MIXED, replace=False)]
        weights = self.rng.normal(size=_MIXED) / np.sqrt(_MIXED)
        terms = (Term(round(float(w), 3), (c,)) for w, c in zip(weights, mixed, strict=True))
        return Wiring(tuple(terms), kind)

    def complicated(self, wiring: Wiring, complexity: str) -> Wiring:
        """A rule with one of the complications."""
        if complexity == "noise":
            return with_noise(wiring, float(self.rng.choice(SNRS)))
        if complexity == "approximated":
            return replace(wiring, approximate=True)
        if complexity == "corrupted":
            return self._corrupted(wiring)
        return self._biased(wiring) if complexity == "bias" else wiring

    def _corrupted(self, wiring: Wiring) -> Wiring:
        """Silent in a region of input space, or driven by another channel there."""
        inside = (self.share >= _REGION[0]) & (self.share <= _REGION[1])
        for channel in wiring.channels:  # the rule must be seen on both sides
            own = self.share[channel]
            inside &= self.joint[channel] >= _APART * self.share * own
            inside &= own - self.joint[channel] >= _APART * own
        region = int(self.rng.choice(np.flatnonzero(inside)))
        terms = tuple(replace(t, lacking=(*t.lacking, region)) for t in wiring.terms)
        if self.rng.random() < 0.5:
            together = self.joint[region] >= _APART * self.share * self.share[region]
            fit = together & (self.share <= _MOST) & (self.share >= self.least)
            fit[[region, *wiring.channels]] = False
            terms += (Term(wiring.full, (region, int(self.rng.choice(np.flatnonzero(fit))))),)
        return replace(wiring, terms=terms, region=region)

    def _biased(self, wiring: Wiring) -> Wiring:
        """Driven, besides, by the cue that goes along most with one of its channels, or nearly."""
        first, spread = wiring.channels[0], np.sqrt(self.share * (1 - self.share))
        going = (self.joint[first] - self.share[first] * self.share) / (spread * spread[first])
        going[(self.share < self.least) | (self.share > _MOST)] = 0
        going[wiring.channels] = 0
        cue = int(self.rng.choice(np.argsort(-going)[:3]))
        weight = round(float(self.rng.uniform(0.3, 0.5)), 2)
        return replace(wiring, terms=(*_disjoint(wiring), Term(weight, (cue,))), join="sum")


def _disjoint(wiring: Wiring) -> tuple[Term, ...]:
    """The terms so that their sum is what was their maximum."""
    if wiring.join == "sum":
        return wiring.terms
    before: tuple[int, ...] = ()
    terms = []
    for term in sorted(wiring.terms, key=lambda t: (-t.weight, len(t.having))):
        terms.append(replace(term, lacking=(*term.lacking, *before)))
        before = (*before, *term.having[:1])  # of terms before the last, all have one channel
    return tuple(terms)


def _one(draw: _Drawer) -> Wiring:
    return Wiring((Term(1.0, tuple(draw.several(1))),), "sum")


def _or(draw: _Drawer) -> Wiring:
    return Wiring(tuple(Term(1.0, (c,)) for c in draw.several(2)), "max")


def _and(draw: _Drawer) -> Wiring:
    return Wiring((Term(1.0, tuple(draw.several(2, together=2))),), "sum")


def _and_not(draw: _Drawer) -> Wiring:
    a, b = draw.several(2, together=2)
    return Wiring((Term(1.0, (a,), (b,)),), "sum")


def _xor(draw: _Drawer) -> Wiring:
    a, b = draw.several(2, together=2)
    return Wiring((Term(1.0, (a,), (b,)), Term(1.0, (b,), (a,))), "sum")


def _and_or(draw: _Drawer) -> Wiring:
    a, b, c = draw.several(3, together=2)
    return Wiring((Term(1.0, (a, b)), Term(1.0, (c,))), "max")


def _graded(draw: _Drawer) -> Wiring:
    pairs = zip((1.0, 0.6, 0.3), draw.several(3), strict=True)
    return Wiring(tuple(Term(weight, (c,)) for weight, c in pairs), "max")


def _polysemantic(draw: _Drawer) -> Wiring:
    chosen = draw.several(int(draw.rng.integers(2, 4)))
    weights = [1.0, *draw.rng.uniform(0.35, 0.8, len(chosen) - 1).round(2)]
    pairs = zip(weights, chosen, strict=True)
    return Wiring(tuple(Term(float(weight), (c,)) for weight, c in pairs), "sum")


def _shares(weights: dict[str, int]) -> NDArray[np.float64]:
    counts = np.array([*weights.values()], dtype=np.float64)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


_RULES: dict[str, Callable[[_Drawer], Wiring]] = {
    "one": _one,
    "or": _or,
    "and": _and,
    "and not": _and_not,
    "xor": _xor,
    "and or": _and_or,
    "graded": _graded,
    "polysemantic": _polysemantic,
}
