"""Functions of one number as other authors might write them, to see what the explorer generalises to.

Written from general knowledge, before the explorer was tried on any of them. The even ones were there
while it was developed; the odd ones were run for the first time when that was done but for last
corrections, of which one (what a period costs under noise) came from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hubel.evals.families.numbers.laws import REACH, compiled
from hubel.evals.families.numbers.nets import stand_in
from hubel.evals.families.numbers.neurons import draw
from hubel.evals.neuron import Neuron

Value = Callable[[float], float | None]
Span = tuple[float, float]


@dataclass(frozen=True)
class Foreign:
    """A law, and what is done to it.

    Attributes:
        name: In a few words.
        law: A Python expression in ``x``.
        snr: Variance of the law over that of the noise that is added; None for none.
        span: Where it behaves otherwise.
        inside: What it does there: an expression, or ``noise``.
        trained: A small network stands in for it.
        real: False if there is nothing to be found.
    """

    name: str
    law: str
    snr: float | None = None
    span: Span | None = None
    inside: str = ""
    trained: bool = False
    real: bool = True


FOREIGN: tuple[Foreign, ...] = (
    Foreign("difference of two bells", "math.exp(-((x + 30)/20)**2) - 0.5*math.exp(-((x - 40)/15)**2)"),
    Foreign("wave on a parabola", "0.01*x**2 + 12*math.sin(0.3*x)"),
    Foreign("digit sum", "sum(int(c) for c in str(int(abs(x))))"),
    Foreign("greatest common divisor with 12", "math.gcd(int(abs(x)), 12)"),
    Foreign("beat of two waves", "4*math.sin(0.5*x) + 4*math.sin(0.6*x)"),
    Foreign("amplitude modulated", "(1 + 0.5*math.cos(0.05*x))*math.sin(0.8*x)"),
    Foreign("swish", "x/(1 + math.exp(-0.1*x))"),
    Foreign("softplus", "5*math.log(1 + math.exp(x/5))"),
    Foreign("leaky ramp", "x if x > 10 else 0.1*(x - 10) + 10"),
    Foreign("larger of a line and a parabola", "max(2*x + 10, 0.05*x**2)"),
    Foreign("smaller of two waves", "min(3*math.sin(0.1*x), 2*math.cos(0.13*x))"),
    Foreign("sign times root", "math.copysign(math.sqrt(abs(x)), x)"),
    Foreign("signed logarithm", "math.copysign(math.log(1 + abs(x)), x)"),
    Foreign("sinc", "20*math.sin(0.3*x)/(0.3*x) if x != 0 else 20.0"),
    Foreign("damped wave of the distance", "10*math.exp(-abs(x)/30)*math.cos(0.4*x)"),
    Foreign("frequency sweep", "5*math.sin(0.003*x**2 + 0.1*x)"),
    Foreign("triangle wave on a line", "0.2*x + 2*abs((x/14) % 2 - 1)"),
    Foreign("three pieces", "-5 if x < -40 else (0.1*x + 3 if x < 35 else 40/(x - 20))"),
    Foreign("remainder squared", "((x % 17) - 8)**2"),
    Foreign("parity of the integer part", "1 if math.floor(x) % 2 == 0 else -1"),
    Foreign("Hill curve", "8*abs(x)**3/(40**3 + abs(x)**3)"),
    Foreign("logistic difference", "1/(1 + math.exp(-(x + 50)/6)) - 1/(1 + math.exp(-(x - 20)/12))"),
    Foreign("quartic under a root", "math.sqrt(0.001*x**4 - 2*x**2 + 1500)"),
    Foreign("bumpy line", "0.5*x + 3*math.tanh(math.sin(0.2*x)*4)"),
    Foreign("line with noise", "-0.7*x + 12", snr=3.0),
    Foreign("wave with noise", "6*math.cos(0.21*x - 1)", snr=2.0),
    Foreign("saturation with noise", "15/(1 + math.exp(-(x - 10)/8)) - 4", snr=2.0),
    Foreign("ramp with noise", "3*max(0, x + 20) - 50", snr=5.0),
    Foreign("parabola with noise", "0.02*(x - 30)**2", snr=1.0),
    Foreign("decay with noise", "30*math.exp(-0.04*(x + 128)) + 5", snr=4.0),
    Foreign("line, flat for a while", "1.5*x - 20", span=(22.3, 51.8), inside="7.0"),
    Foreign("wave, doubled for a while", "5*math.sin(0.15*x)", span=(-70.2, -31.5), inside="10*math.sin(0.15*x)"),
    Foreign("square wave, silent for a while", "3 if x % 24 < 12 else -3", span=(-8.4, 40.2), inside="0.0"),
    Foreign("parabola, flipped for a while", "0.03*x**2 - 40", span=(-20.6, 33.1), inside="40 - 0.03*x**2"),
    Foreign("bell with a line in it", "50*math.exp(-(x/40)**2)", span=(60.0, 95.5), inside="0.5*x - 20"),
    Foreign("logarithm corrupted by noise", "4*math.log(abs(x) + 2)", span=(-101.3, -52.7), inside="noise"),
    Foreign("absolute value corrupted by noise", "abs(x + 11)", span=(40.4, 128.0), inside="noise"),
    Foreign("network for a sine", "3*math.sin(0.08*x) + 1", trained=True),
    Foreign("network for a hinge", "max(0.0, x - 15) - 5", trained=True),
    Foreign("network for a bell", "10*math.exp(-((x - 20)/35)**2)", trained=True),
)  # fmt: skip


def neuron(index: int) -> Neuron:
    """The neuron of that place in the list."""
    item = FOREIGN[index]
    code = f"import math\n\ndef f(x):\n    return {item.law}\n"
    law = compiled(code)
    rng = np.random.default_rng([index, 0xF0])
    function: Value = law
    truth: Value = law
    complexity = "clean"
    if item.snr is not None:
        complexity = "noise"
        function = _noisy(law, item.snr, rng)
    elif item.trained:
        complexity = "approximated"
        function = truth = _trained(law, rng)
    elif item.span is not None:
        complexity = "corrupted" if item.inside == "noise" else "exception"
        function, truth = _excepted(law, item.span, item.inside, rng)
    spans = (item.span,) if item.span else ()
    return Neuron(
        name=f"foreign/{index}",
        domain="numbers",
        kind=item.name,
        complexity=complexity,
        function=lambda inputs: [function(float(x)) for x in inputs],
        truth=lambda inputs: [truth(float(x)) for x in inputs],
        draw=lambda n, own: draw(n, own, spans),
        description=item.name,
        code=code,
        exceptions=spans,
        real=item.real,
        about={"snr": item.snr} if item.snr else None,
    )


def _values(law: Value) -> tuple[Any, Any]:
    pairs = [(x, y) for x in np.linspace(-REACH, REACH, 1024) if (y := law(float(x))) is not None]
    x, y = np.array(pairs).T
    return x, y


def _noisy(law: Value, snr: float, rng: np.random.Generator) -> Value:
    sd = float(np.std(_values(law)[1]) / snr**0.5)

    def value(x: float) -> float | None:
        y = law(x)
        return None if y is None else y + sd * float(rng.normal())

    return value


def _trained(law: Value, rng: np.random.Generator) -> Value:
    @cache
    def network() -> Callable[[Any], Any]:
        return stand_in(*_values(law), rng)

    return lambda x: float(network()(np.array([x]))[0])


def _excepted(law: Value, span: Span, inside: str, rng: np.random.Generator) -> tuple[Value, Value]:
    low, high = span
    mean = float(np.mean(_values(law)[1]))
    noisy = inside == "noise"
    other: Value = (
        (lambda _: mean) if noisy else compiled(f"import math\n\ndef f(x):\n    return {inside}\n")
    )

    def truth(x: float) -> float | None:
        return other(x) if low <= x <= high else law(x)

    def value(x: float) -> float | None:
        if noisy and low <= x <= high:
            return mean + 0.1 * float(rng.normal())
        return truth(x)

    return value, truth
