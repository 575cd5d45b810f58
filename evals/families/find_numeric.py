"""FIND's functions of numbers, from a folder of its definitions.

Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating Interpretability
Methods". The folder holds a list of definitions (`find_layout` says where) with the fields that
`Definition` names. A definition says how its function is noised, corrupted and approximated,
whichever of these is asked of it here. What the fields mean was checked against the mean value over
the domain that each definition records.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hubel.evals.families.find_layout import not_laid_out, rows_of
from hubel.evals.families.numbers.laws import REACH, compiled
from hubel.evals.families.numbers.nets import stand_in
from hubel.evals.families.numbers.neurons import draw
from hubel.evals.neuron import Neuron
from hubel.tools.data import DataError

#: Functions of the published set by complexity, apart from the approximated ones.
PUBLISHED = {"clean": 483, "corrupted": 191, "noise": 176}
#: Standard deviation of the noise that stands inside corrupted intervals.
INSIDE = 0.1

Value = Callable[[float], float | None]

#: Sources of the primitives, with fields for their parameters.
PRIMITIVES = {
    "constant": "{0}",
    "linear": "{0}*x + {1}",
    "absolute": "{0}*abs(x) + {1}",
    "relu": "{0}*max(x, {2}*x) + {1}",
    "step": "{0}*((x > 0) + {2}*(x == 0)) + {1}",
    "rectangle": "1.0 if abs(x) < {0}/2 else 0.0",
    "square_wave": "1.0 if (x - {1}) % {0} < {0}/2 else -1.0",
    "sin": "{0}*math.sin(2*math.pi/{1}*(x - {2})) + {3}",
    "cos": "{0}*math.cos(2*math.pi/{1}*(x - {2})) + {3}",
    "tanh": "{0}*math.tanh(2*math.pi/{1}*(x - {2})) + {3}",
    "gaussian": "math.exp(-((x - {0})/{1})**2/2)/({1}*math.sqrt(2*math.pi))",
    "logarithm": "{0}*math.log(x)/math.log({2}) + {1}",
    "root": "{0}*x**(1/{2}) + {1}",
    "reciprocal": "{0}/x",
    "floor": "math.floor(x)",
    "ceil": "math.ceil(x)",
}
COMBINED = {"sum_two": "({}) + ({})", "multiply_two": "({}) * ({})"}


@dataclass(frozen=True, slots=True)
class Definition:
    """One function of FIND's, as its file gives it.

    Attributes:
        place: Its place in the file.
        kind: The primitives, in postfix, as in `floor;linear;sum_two`.
        source: A Python expression in ``x``.
        domain: The interval on which the network was trained.
        trained: A small network was trained to stand in.
        corruption: `interval_inside`, `interval_smaller` or `interval_larger`.
        boundary: One end or two, by the kind of corruption.
        inside: The value around which the corrupted interval is noise.
        noise: `normal`, `uniform` or `poisson`.
        size: The noise's parameter.
    """

    place: int
    kind: str
    source: str
    domain: tuple[float, float]
    trained: bool
    corruption: str
    boundary: tuple[float, ...]
    inside: float
    noise: str
    size: float

    def interval(self) -> tuple[float, float]:
        """The corrupted interval."""
        if self.corruption == "interval_smaller":
            return (-REACH, self.boundary[0])
        if self.corruption == "interval_larger":
            return (self.boundary[0], REACH)
        return (self.boundary[0], self.boundary[1])

    def code(self) -> str:
        """Python source that defines ``f(x)``."""
        return f"import math\n\ndef f(x):\n    return {self.source}\n"


def load_numeric(folder: Path, complexity: str | None = None, seed: int = 0) -> list[Neuron]:
    """The neurons of a folder of FIND's definitions.

    Args:
        folder: FIND's files.
        complexity: `clean`, `noise`, `corrupted` or `approximated`, for all definitions that have
            it; by default the trained ones are approximated, and the others get one of the rest, in
            the published shares.
        seed: Draws the noise, the shares, and the networks.

    Raises:
        DataError: The file is missing or not in that layout.
    """
    found = definitions(folder)
    asked = [complexity] * len(found) if complexity else complexities(found, seed)
    return [
        make(definition, one, seed)
        for definition, one in zip(found, asked, strict=True)
        if one != "approximated" or definition.trained
    ]


def complexities(found: list[Definition], seed: int) -> list[str]:
    """One for each definition: the trained ones are approximated, the others drawn as published.

    Args:
        found: The definitions.
        seed: Draws them, in the published shares.
    """
    rng = np.random.default_rng([seed, 83])
    shares = np.array(list(PUBLISHED.values())) / sum(PUBLISHED.values())
    drawn = [str(rng.choice(list(PUBLISHED), p=shares)) for _ in found]
    return ["approximated" if d.trained else other for d, other in zip(found, drawn, strict=True)]


def definitions(folder: Path) -> list[Definition]:
    """The definitions in a folder.

    Raises:
        DataError: The file is missing or not in that layout.
    """
    path, rows = rows_of(folder, "numeric")
    try:
        return [_definition(n, row) for n, row in enumerate(rows)]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise not_laid_out(path, error) from None


def _definition(place: int, row: dict[str, Any]) -> Definition:
    kind = str(row["name"]).split("(")[0]
    corruption = row["corruption_params"]
    low, high = row["domain"]
    return Definition(
        place=place,
        kind=kind,
        source=_source(kind.split(";"), row["params"]),
        domain=(float(low), float(high)),
        trained=isinstance(row["approx_mse_error"], float),
        corruption=str(row["corruption_type"]),
        boundary=tuple(float(end) for end in corruption["boundary"]),
        inside=float(corruption["std"]),
        noise=str(row["noise_type"]),
        size=float(row["noise_params"]),
    )


def _source(names: list[str], params: Any) -> str:
    if len(names) == 1:
        return _primitive(names[0], params)
    first, second, combination = names
    parts = (_primitive(first, params[0]), _primitive(second, params[1]))
    return COMBINED[combination].format(*parts)


def _primitive(name: str, params: Any) -> str:
    if name == "polynomial":
        return _polynomial(params[::-1])
    if name == "rational":
        return f"({_polynomial(params[0])}) / ({_polynomial(params[1])})"
    values = params if isinstance(params, list) else [] if params is None else [params]
    return PRIMITIVES[name].format(*(f"({float(value)})" for value in values))


def _polynomial(coefficients: list[float]) -> str:
    """From the constant upwards."""
    return " + ".join(f"({float(c)})*x**{n}" for n, c in enumerate(coefficients))


def make(definition: Definition, complexity: str, seed: int) -> Neuron:
    """The neuron of a definition, noised, corrupted or approximated."""
    law = compiled(definition.code())
    rng = np.random.default_rng([seed, definition.place, zlib.crc32(complexity.encode())])
    exceptions: tuple[tuple[float, float], ...] = ()
    function = truth = law
    if complexity == "noise":
        function = _noisy(definition, law, rng)
    elif complexity == "corrupted":
        exceptions = (definition.interval(),)
        function, truth = _corrupted(definition, law, rng)
    elif complexity == "approximated":
        function = truth = _approximated(definition, law, rng)
    elif complexity != "clean":
        raise DataError(f"FIND has no complexity '{complexity}'.")
    return Neuron(
        name=f"find-numbers/{definition.place}",
        domain="numbers",
        kind=definition.kind,
        complexity=complexity,
        function=lambda inputs: [function(float(x)) for x in inputs],
        truth=lambda inputs: [truth(float(x)) for x in inputs],
        draw=lambda n, own: draw(n, own, exceptions),
        description=definition.source,
        code=definition.code(),
        exceptions=exceptions,
    )


def _noisy(definition: Definition, law: Value, rng: np.random.Generator) -> Value:
    draws: dict[str, Callable[[], float]] = {
        "normal": lambda: rng.normal(0, definition.size),
        "uniform": lambda: rng.uniform(-definition.size, definition.size),
        "poisson": lambda: rng.poisson(definition.size),
    }
    noise = draws[definition.noise]

    def value(x: float) -> float | None:
        y = law(x)
        return None if y is None else y + float(noise())

    return value


def _corrupted(definition: Definition, law: Value, rng: np.random.Generator) -> tuple[Value, Value]:
    """What is answered, and the same without noise."""
    low, high = definition.interval()

    def value(x: float) -> float | None:
        return definition.inside + INSIDE * float(rng.normal()) if low <= x <= high else law(x)

    return value, lambda x: definition.inside if low <= x <= high else law(x)


def _approximated(definition: Definition, law: Value, rng: np.random.Generator) -> Value:
    """A network trained on the law over its domain, when it is first asked."""

    @cache
    def network() -> Callable[[Any], Any]:
        grid = np.linspace(*definition.domain, 1024)
        pairs = [(x, y) for x in grid if (y := law(float(x))) is not None]
        x, y = np.array(pairs).T
        return stand_in(x, y, rng)

    return lambda x: float(network()(np.array([x]))[0])
