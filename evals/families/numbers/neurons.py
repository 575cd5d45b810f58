"""Neurons of numbers: a law, and what is done to it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hubel.evals.families.numbers.composed import composed, usable
from hubel.evals.families.numbers.laws import REACH, Law, compiled, single
from hubel.evals.families.numbers.nets import stand_in
from hubel.evals.neuron import Neuron

#: Complexities with their shares in a suite.
COMPLEXITIES = {
    "clean": 0.25,
    "composed": 0.15,
    "noise": 0.15,
    "corrupted": 0.1,
    "exception": 0.15,
    "approximated": 0.1,
    "null": 0.1,
}
#: Variance of the noise-free outputs over that of the noise.
SNRS = (5.0, 2.0, 1.0)
NULLS = ("noise", "scattered", "dead", "spikes", "moments")
#: Families in which an exception or a stand-in can be told from the law.
PLAIN = ("linear", "polynomial", "wave", "absolute", "ramp", "exponential", "logarithm", "power")
WIDER = (*PLAIN, "saturating", "bell", "stairs", "square", "modular", "triangle", "clip")

Value = Callable[[float], float | None]
Interval = tuple[float, float]


def suite(seed: int, count: int) -> list[Neuron]:
    """Neurons of all complexities, in their shares.

    Args:
        seed: Draws them.
        count: How many.
    """
    return [make(seed, n) for n in range(count)]


def make(seed: int, n: int, complexity: str | None = None) -> Neuron:
    """The neuron of that number.

    Args:
        seed: Of the suite.
        n: Its place in the suite.
        complexity: One of `COMPLEXITIES`; by default drawn in their shares.

    Raises:
        ValueError: There is no such complexity.
    """
    rng = np.random.default_rng([zlib.crc32(b"numbers"), seed, n])
    drawn = str(rng.choice(list(COMPLEXITIES), p=list(COMPLEXITIES.values())))
    complexity = complexity or drawn
    makers = {
        "clean": _clean,
        "composed": _composed,
        "noise": _noise,
        "corrupted": _corrupted,
        "exception": _exception,
        "approximated": _approximated,
        "null": _null,
    }
    if complexity not in makers:
        raise ValueError(f"there is no complexity '{complexity}': one of {', '.join(makers)}.")
    return makers[complexity](f"numbers/{n}", rng)


def _law(rng: np.random.Generator, draw: Callable[[np.random.Generator], Law]) -> Law:
    """The first usable one."""
    while not usable(law := draw(rng)):
        pass
    return law


def _any(rng: np.random.Generator) -> Law:
    return single(rng, "constant") if rng.random() < 0.03 else single(rng)


def _clean(name: str, rng: np.random.Generator) -> Neuron:
    return _neuron(name, "clean", _law(rng, _any))


def _composed(name: str, rng: np.random.Generator) -> Neuron:
    return _neuron(name, "composed", _law(rng, composed))


def _noise(name: str, rng: np.random.Generator) -> Neuron:
    law = _law(rng, single if rng.random() < 0.7 else composed)
    snr = float(rng.choice(SNRS))
    value = compiled(law.code())
    grid = _defined(value, np.linspace(-REACH, REACH, 1025))
    low, high = np.quantile(grid, [0.02, 0.98])
    sd = float(np.std(np.clip(grid, low, high)) / np.sqrt(snr))
    uniform, own = bool(rng.random() < 0.3), np.random.default_rng(rng.integers(2**32))

    def noisy(x: float) -> float | None:
        y = value(x)
        draw = own.uniform(-(3**0.5), 3**0.5) if uniform else own.normal()
        return None if y is None else y + sd * float(draw)

    return _neuron(name, "noise", law, function=noisy, about={"snr": snr, "noise_sd": sd})


def _corrupted(name: str, rng: np.random.Generator) -> Neuron:
    """Inside an interval, below or above a boundary: noise around the mean, as FIND has it."""
    law = _law(rng, lambda r: single(r, str(r.choice(WIDER))))
    value = compiled(law.code())
    mean = float(np.mean(_defined(value, np.linspace(-100, 100, 401))))
    where = _where(rng, sides=True)
    own = np.random.default_rng(rng.integers(2**32))

    def noisy(x: float) -> float | None:
        return mean + 0.1 * float(own.normal()) if where[0] <= x <= where[1] else value(x)

    truth = _within(where, lambda _: mean, value)
    return _neuron(name, "corrupted", law, noisy, truth, (where,), {"inside": f"noise at {mean}"})


def _exception(name: str, rng: np.random.Generator) -> Neuron:
    """Inside an interval another law, always the same, that differs clearly from the first."""
    while True:
        law = _law(rng, lambda r: single(r, str(r.choice(WIDER))))
        value = compiled(law.code())
        where = _where(rng, sides=False)
        other = _other(rng, law)
        inside = compiled(other.code())
        spread = float(np.std(_defined(value, np.linspace(-REACH, REACH, 401))))
        grid = np.linspace(*where, 41)
        apart = np.abs(_defined(value, grid) - _defined(inside, grid))
        if np.mean(apart > 0.2 * spread) > 0.9 and apart[0] > 0 and apart[-1] > 0:
            break
    both = _within(where, inside, value)
    return _neuron(name, "exception", law, both, both, (where,), {"inside": other.words})


def _other(rng: np.random.Generator, law: Law) -> Law:
    value = compiled(law.code())
    spread = float(np.std(_defined(value, np.linspace(-REACH, REACH, 401))))
    which = int(rng.integers(4))
    far = round(spread * float(rng.uniform(0.6, 2.5)) * float(rng.choice([-1, 1])), 2)
    if which == 0:
        return Law("constant", f"{far} + 0*{{x}}", f"the constant {far}")
    if which == 1:
        return Law("moved", f"({law.source}) + {far}", f"the law moved by {far}")
    if which == 2:
        return Law("turned", f"-({law.source})", "the law with its sign turned")
    slope = round(spread / 40 * float(rng.choice([-1, 1])), 3)
    return Law("linear", f"{slope}*{{x}} + {far}", f"a line of slope {slope}")


def _approximated(name: str, rng: np.random.Generator) -> Neuron:
    """What is scored is what the network computes; the law it was trained on is its code."""
    law = _law(rng, lambda r: single(r, str(r.choice(WIDER[:10]))))
    x = np.linspace(-REACH, REACH, 1024)
    value = compiled(law.code())
    y = _defined(value, x)
    network = stand_in(x, y, rng)

    def computed(point: float) -> float | None:
        return float(network(np.array([point]))[0])

    about = {"nmse_of_law": float(np.mean((network(x) - y) ** 2) / np.mean(y**2))}
    return _neuron(name, "approximated", law, computed, computed, about=about)


def _null(name: str, rng: np.random.Generator) -> Neuron:
    kind = str(rng.choice(NULLS))
    size, rate = float(rng.uniform(1, 30)), float(rng.uniform(0.025, 0.05))
    base = float(rng.choice([0.0, 0.0, round(float(rng.uniform(-5, 5)), 1)]))
    if kind in ("noise", "scattered"):
        base *= size / 20  # A mean that stands out of the noise would be a meaning.
    key, own = int(rng.integers(2**32)), np.random.default_rng(rng.integers(2**32))

    def value(x: float) -> float | None:
        cell = np.random.default_rng([key, zlib.crc32(np.float64(x).tobytes())])
        place = np.random.default_rng([key, int(x * 4 + 100_000)])
        if kind == "noise":
            return base + size * float(own.normal())
        if kind == "scattered":
            return base + size * float(cell.normal())
        if kind == "dead":
            return 0.0
        spike = own.random() if kind == "moments" else place.random()
        return base + (10 * size if spike < rate else 0.0)

    rest = 0.0 if kind == "dead" else base
    law = Law(kind, f"{rest} + 0*{{x}}", f"nothing ({kind})")
    return _neuron(name, "null", law, value, lambda _: rest, real=False)


def _where(rng: np.random.Generator, sides: bool) -> Interval:
    side = str(rng.choice(["inside", "below", "above"])) if sides else "inside"
    edge = round(float(rng.uniform(-70, 70)), 1)
    if side == "below":
        return (-REACH, edge)
    if side == "above":
        return (edge, REACH)
    width = round(float(rng.uniform(8, 60)), 1)
    low = round(float(rng.uniform(-110, 110 - width)), 1)
    return (low, low + width)


def _within(where: Interval, inside: Value, outside: Value) -> Value:
    return lambda x: inside(x) if where[0] <= x <= where[1] else outside(x)


def _defined(value: Value, x: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    return np.array([y for t in x if (y := value(float(t))) is not None])


def _neuron(
    name: str,
    complexity: str,
    law: Law,
    function: Value | None = None,
    truth: Value | None = None,
    exceptions: tuple[Interval, ...] = (),
    about: dict[str, Any] | None = None,
    real: bool = True,
) -> Neuron:
    value = compiled(law.code())
    return Neuron(
        name=name,
        domain="numbers",
        kind=law.kind,
        complexity=complexity,
        function=_each(function or value),
        truth=_each(truth or value),
        draw=lambda n, rng: draw(n, rng, exceptions),
        description=law.words,
        code=law.code() if real else None,
        exceptions=exceptions,
        real=real,
        about=about,
    )


def _each(value: Value) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda inputs: [value(float(x)) for x in inputs]


def draw(
    n: int, rng: np.random.Generator, exceptions: tuple[Interval, ...]
) -> tuple[list[Any], list[str]]:
    """Held-out inputs with strata: anywhere, inside the exceptions, and near their borders.

    Args:
        n: How many.
        rng: Draws them.
        exceptions: Intervals; without any, all inputs are global.
    """
    x = rng.uniform(-REACH, REACH, n)
    strata = ["global"] * n
    if exceptions:
        for k in range(n // 2, n):
            low, high = exceptions[int(rng.integers(len(exceptions)))]
            if k < 3 * n // 4:
                x[k], strata[k] = rng.uniform(low, high), "exception"
                continue
            edge = low if rng.random() < 0.5 else high
            x[k], strata[k] = np.clip(edge + rng.uniform(-2, 2), -REACH, REACH), "border"
    return x.tolist(), strata
