"""Laws of numbers: random expressions in ``x``, with their words.

A law is written as Python, with ``{x}`` where its argument goes, so that composing two laws is
putting one into the other, and the truth that is scored is the source that people can read.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Inputs lie between minus and plus this.
REACH = 128.0

Draw = Callable[[np.random.Generator], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Law:
    """A function of one number.

    Attributes:
        kind: Its family.
        source: A Python expression with ``{x}`` for the argument.
        words: The same in words.
    """

    kind: str
    source: str
    words: str

    def of(self, argument: str = "x") -> str:
        """The expression with an argument put in."""
        return self.source.replace("{x}", argument)

    def code(self) -> str:
        """Python source that defines ``f(x)``."""
        return f"import math\n\ndef f(x):\n    return {self.of()}\n"


def compiled(code: str) -> Callable[[float], float | None]:
    """The function that a source of ours defines; None where it raises or is not a finite real.

    Only for laws that this package wrote: a planner's code runs in a box.
    """
    space: dict[str, Any] = {}
    exec(compile(ast.parse(code), "<law>", "exec"), space)  # noqa: S102
    function = space["f"]

    def value(x: float) -> float | None:
        try:
            y = function(float(x))
        except (ArithmeticError, ValueError):
            return None
        if isinstance(y, complex) or not math.isfinite(y):
            return None
        return float(y)

    return value


def _coefficient(rng: np.random.Generator, low: float = 0.5, high: float = 30.0) -> float:
    """Log-uniform in size, either sign, with few digits, as people write them."""
    size = math.exp(rng.uniform(math.log(low), math.log(high)))
    digits = int(rng.choice([0, 1, 1, 2])) if low >= 0.5 else 2 + int(rng.integers(2))
    value = round(size, digits) or low
    return float(value if rng.random() < 0.5 else -value)


def _place(rng: np.random.Generator, reach: float = 90.0) -> float:
    """Where something happens on the axis."""
    return round(float(rng.uniform(-reach, reach)), int(rng.choice([0, 1, 2])))


def _size(rng: np.random.Generator, low: float, high: float) -> float:
    return abs(_coefficient(rng, low, high))


def _linear(rng: np.random.Generator) -> tuple[str, str]:
    a, b = _coefficient(rng), _coefficient(rng)
    return f"{a}*{{x}} + {b}", f"a line of slope {a}"


def _constant(rng: np.random.Generator) -> tuple[str, str]:
    a = _coefficient(rng)
    return f"{a} + 0*{{x}}", f"the constant {a}"


def _polynomial(rng: np.random.Generator) -> tuple[str, str]:
    degree = int(rng.integers(2, 6))
    roots = [_place(rng, 100) for _ in range(degree)]
    a = _coefficient(rng, 0.5, 10)
    if rng.random() < 0.5:
        terms = [f"{_coefficient(rng, 0.5, 10)}*{{x}}**{k}" for k in range(1, degree + 1)]
        return " + ".join(terms), f"a polynomial of degree {degree}"
    shift = " * ".join(f"({{x}} - {r})" for r in roots)
    return f"{a} * {shift}", f"a polynomial with roots {roots}"


def _rational(rng: np.random.Generator) -> tuple[str, str]:
    a, b, c, t = _coefficient(rng), _coefficient(rng), _size(rng, 0.5, 900), _place(rng)
    which = int(rng.integers(4))
    if which == 0:
        return f"{a} / ({{x}} - {t}) + {b}", f"a hyperbola with its pole at {t}"
    if which == 1:
        return f"({a}*{{x}} + {b}) / ({{x}} - {t})", f"a ratio of lines with its pole at {t}"
    if which == 2:
        return f"{a} / (({{x}} - {t})**2 + {c})", f"a bell 1/(1 + x**2) around {t}"
    return f"({a}*{{x}} + {b}) / ({{x}}**2 + {c})", "a line over a square"


def _wave(rng: np.random.Generator) -> tuple[str, str]:
    a, b, c = _coefficient(rng), _coefficient(rng, 0.5, 6), _coefficient(rng)
    w = _size(rng, 0.02, 3.0)
    name = str(rng.choice(["sin", "cos"]))
    return f"{a}*math.{name}({w}*{{x}} + {b}) + {c}", f"a {name} wave of frequency {w}"


def _tangent(rng: np.random.Generator) -> tuple[str, str]:
    a, w, b = _coefficient(rng), _size(rng, 0.02, 1.0), _coefficient(rng, 0.5, 3)
    return f"{a}*math.tan({w}*{{x}} + {b})", f"a tangent of frequency {w}"


def _exponential(rng: np.random.Generator) -> tuple[str, str]:
    a, k, c = _coefficient(rng), _coefficient(rng, 0.01, 0.2), _coefficient(rng)
    return f"{a}*math.exp({k}*{{x}}) + {c}", f"an exponential of rate {k}"


def _logarithm(rng: np.random.Generator) -> tuple[str, str]:
    a, t, c = _coefficient(rng), _place(rng, 60), _coefficient(rng)
    if rng.random() < 0.5:
        return f"{a}*math.log(abs({{x}} - {t}) + 1) + {c}", f"a logarithm of the distance from {t}"
    return f"{a}*math.log({{x}} + {140 + abs(t)}) + {c}", "a logarithm"


def _power(rng: np.random.Generator) -> tuple[str, str]:
    a, t, c = _coefficient(rng), _place(rng, 60), _coefficient(rng)
    p = float(rng.choice([0.5, 0.33, 1.5, 0.7, 2.5]))
    return f"{a}*abs({{x}} - {t})**{p} + {c}", f"the distance from {t} to the power {p}"


def _absolute(rng: np.random.Generator) -> tuple[str, str]:
    a, t, c = _coefficient(rng), _place(rng), _coefficient(rng)
    return f"{a}*abs({{x}} - {t}) + {c}", f"the distance from {t}"


def _ramp(rng: np.random.Generator) -> tuple[str, str]:
    a, t, c = _coefficient(rng), _place(rng), _coefficient(rng)
    sign = str(rng.choice(["", "-"]))
    words = f"zero, then a ramp from {t}"
    return f"{a}*max(0, {sign}({{x}} - {t})) + {c}", words


def _step(rng: np.random.Generator) -> tuple[str, str]:
    a, b, t = _coefficient(rng), _coefficient(rng), _place(rng)
    return f"({a} if {{x}} > {t} else {b})", f"a step at {t}"


def _stairs(rng: np.random.Generator) -> tuple[str, str]:
    a, w, b = _coefficient(rng), _size(rng, 0.03, 2.0), _coefficient(rng, 0.5, 5)
    name = str(rng.choice(["math.floor", "math.ceil", "round"]))
    return f"{a}*{name}({w}*{{x}} + {b})", f"stairs of width 1/{w}"


def _modular(rng: np.random.Generator) -> tuple[str, str]:
    a, m, b = _coefficient(rng), _size(rng, 2, 90), _coefficient(rng)
    return f"{a}*(({{x}} + {b}) % {m})", f"the remainder by {m}"


def _square(rng: np.random.Generator) -> tuple[str, str]:
    a, b, period = _coefficient(rng), _coefficient(rng), _size(rng, 3, 120)
    duty = float(rng.choice([0.5, 0.5, 0.3, 0.7]))
    source = f"({a} if ({{x}} + {b}) % {period} < {round(duty * period, 4)} else {-a})"
    return source, f"a square wave of period {period}"


def _triangle(rng: np.random.Generator) -> tuple[str, str]:
    a, b, period = _coefficient(rng), _coefficient(rng), _size(rng, 5, 150)
    return f"{a}*abs(({{x}} + {b}) % {period} - {period / 2})", f"a triangle wave of {period}"


def _saturating(rng: np.random.Generator) -> tuple[str, str]:
    a, t, s, c = _coefficient(rng), _place(rng, 60), _size(rng, 2, 40), _coefficient(rng)
    inner = f"({{x}} - {t})/{s}"
    source = str(
        rng.choice([f"math.tanh({inner})", f"math.atan({inner})", f"1/(1 + math.exp(-{inner}))"])
    )
    return f"{a}*{source} + {c}", f"a saturating rise around {t}"


def _bell(rng: np.random.Generator) -> tuple[str, str]:
    a, t, s, c = _coefficient(rng), _place(rng, 70), _size(rng, 8, 50), _coefficient(rng)
    return f"{a}*math.exp(-(({{x}} - {t})/{s})**2) + {c}", f"a bell around {t}"


def _clip(rng: np.random.Generator) -> tuple[str, str]:
    a, b = _coefficient(rng), _coefficient(rng)
    low, high = sorted((_place(rng), _place(rng)))
    return f"{a}*min(max({{x}}, {low}), {high + 5}) + {b}", f"a line held between {low} and {high}"


#: The families of single laws.
FAMILIES: dict[str, Draw] = {
    "constant": _constant,
    "linear": _linear,
    "polynomial": _polynomial,
    "rational": _rational,
    "wave": _wave,
    "tangent": _tangent,
    "exponential": _exponential,
    "logarithm": _logarithm,
    "power": _power,
    "absolute": _absolute,
    "ramp": _ramp,
    "step": _step,
    "stairs": _stairs,
    "modular": _modular,
    "square": _square,
    "triangle": _triangle,
    "saturating": _saturating,
    "bell": _bell,
    "clip": _clip,
}


def single(rng: np.random.Generator, kind: str | None = None) -> Law:
    """A law of one family, or of any but the constant."""
    names = list(FAMILIES)[1:]
    kind = kind or names[int(rng.integers(len(names)))]
    source, words = FAMILIES[kind](rng)
    return Law(kind, source, words)
