"""Laws made of two: sums, products, gates, and one put into the other."""

from __future__ import annotations

import numpy as np

from hubel.evals.families.numbers.laws import REACH, Law, compiled, single

#: What may be put around another law without leaving the range of numbers.
OUTER = (
    ("abs({x})", "the absolute value of"),
    ("max({x}, 0)", "what is above zero of"),
    ("min({x}, 10)", "at most 10 of"),
    ("math.floor({x})", "the floor of"),
    ("round({x})", "the nearest integer to"),
    ("math.ceil({x})", "the ceiling of"),
    ("({x})**2", "the square of"),
    ("math.sqrt(abs({x}))", "the root of the size of"),
    ("math.log(1 + abs({x}))", "the logarithm of one plus the size of"),
    ("math.tanh(0.1*({x}))", "the saturated"),
    ("10*math.sin(0.1*({x}))", "the sine of"),
)
#: What the argument may pass through first.
INNER = (
    ("abs(x)", "the absolute value of x"),
    ("math.floor(x)", "the floor of x"),
    ("round(x)", "x rounded"),
    ("max(x, 0)", "the positive part of x"),
    ("20*math.sin(0.1*x)", "a sine of x"),
    ("(x % 50)", "x modulo 50"),
)
#: Laws that behave when something is done to them.
TAME = ("linear", "polynomial", "wave", "absolute", "stairs", "saturating", "bell", "ramp", "step")
PIECES = ("linear", "wave", "absolute", "exponential", "constant", "saturating", "polynomial")


def _sum(rng: np.random.Generator) -> Law:
    a, b = (single(rng) for _ in range(2))
    sign = str(rng.choice(["+", "-"]))
    return Law("sum", f"({a.source}) {sign} ({b.source})", f"{a.words} {sign} {b.words}")


def _product(rng: np.random.Generator) -> Law:
    a = single(rng, str(rng.choice(["linear", "exponential", "absolute", "bell", "step"])))
    b = single(rng, str(rng.choice(["wave", "step", "saturating", "square", "linear"])))
    return Law("product", f"({a.source}) * ({b.source})", f"{a.words} times {b.words}")


def _outer(rng: np.random.Generator) -> Law:
    inner = single(rng, str(rng.choice(TAME)))
    source, words = OUTER[int(rng.integers(len(OUTER)))]
    return Law("outer", source.replace("{x}", f"({inner.source})"), f"{words} {inner.words}")


def _inner(rng: np.random.Generator) -> Law:
    outer = single(rng, str(rng.choice(["linear", *TAME])))
    source, words = INNER[int(rng.integers(len(INNER)))]
    return Law("inner", outer.source.replace("{x}", source), f"{outer.words} in {words}")


def _gate(rng: np.random.Generator) -> Law:
    a, b = (single(rng, str(rng.choice(PIECES))) for _ in range(2))
    t = round(float(rng.uniform(-80, 80)), 1)
    source = f"(({a.source}) if {{x}} < {t} else ({b.source}))"
    return Law("gate", source, f"below {t} {a.words}, else {b.words}")


MAKERS = (_sum, _product, _outer, _inner, _gate)


def composed(rng: np.random.Generator) -> Law:
    """A law made of two."""
    return MAKERS[int(rng.integers(len(MAKERS)))](rng)


def usable(law: Law) -> bool:
    """Is it defined on most of the axis, not constant (unless it says so), and of sane size?"""
    function = compiled(law.code())
    x = np.linspace(-REACH, REACH, 401) + 0.013
    y = np.array([np.nan if (v := function(t)) is None else v for t in x])
    good = y[np.isfinite(y)]
    if len(good) < 0.7 * len(x) or np.abs(good).max() > 1e12:
        return False
    if law.kind == "constant":
        return True
    # A law that turns faster than anyone could ask is no law for a planner.
    near = [function(t + 0.05) for t in x]
    moved = [abs(u - v) for u, v in zip(near, y, strict=True) if u is not None and v == v]
    if np.median(moved) > 0.25 * np.std(np.clip(good, *np.quantile(good, [0.05, 0.95]))):
        return False
    size = np.median(np.abs(good - np.median(good)))
    common = max(np.mean(np.abs(good - v) < 1e-9) for v in np.quantile(good, [0.1, 0.5, 0.9]))
    flat = bool(common > 0.9) or np.std(good) < 1e-6
    return not flat and (size > 0 or law.kind not in ("wave", "linear"))
