"""Exceptions that a law has: found between two jumps, whatever holds inside."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.numbers import explore
from hubel.agent.planners.numbers.data import Data
from hubel.agent.planners.numbers.pieces import leaping
from hubel.evals.families.numbers import make

Function = Callable[[float], float]


def explored(function: Function) -> Finding:
    explorer = explore(200, 3)
    inputs = next(explorer)
    while True:
        try:
            inputs = explorer.send([function(x) for x in inputs])
        except StopIteration as end:
            found: Finding = end.value
            return found


def excepted(law: Function, inside: Function, low: float, high: float) -> Function:
    return lambda x: inside(x) if low <= x <= high else law(x)


def near(x: float) -> float:
    return 3 * math.log(abs(x - 22) + 1) - 2


def held(x: float) -> float:
    return 2.5 * min(max(x, -70), 44)


CASES: dict[str, tuple[Function, Function, float, float]] = {
    "turned": (near, lambda x: -near(x), -40.0, 9.0),
    "moved, with an end beside a kink": (near, lambda x: near(x) + 1.7, -20.0, 24.5),
    "constant, around the turning point": (
        lambda x: abs(x + 50) ** 1.5 + 7,
        lambda _: 420.0,
        -90.0,
        -38.0,
    ),
    "line nearly along the law": (
        lambda x: -4 * math.log(x + 150),
        lambda x: 1.2 - 0.05 * x,
        60.0,
        84.0,
    ),
    "around a bend of the law": (held, lambda x: -held(x), -95.0, -52.0),
    "stairs, turned": (
        lambda x: 5 * math.floor(0.07 * x + 0.3),
        lambda x: -5 * math.floor(0.07 * x + 0.3),
        -88.0,
        -41.0,
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_an_exception_of_a_curved_or_bent_law_is_found_with_its_ends(name: str) -> None:
    law, inside, low, high = CASES[name]
    finding = explored(excepted(law, inside, low, high))
    ((a, b),) = finding.exceptions
    shared = max(0.0, min(b, high) - max(a, low))
    assert shared / (max(b, high) - min(a, low)) > 0.95
    assert finding.code is not None
    space: dict[str, Function] = {}
    exec(finding.code, space)  # noqa: S102
    for x in (-120.3, 0.5 * (low + high) + 0.1, 118.7):
        assert space["f"](x) == pytest.approx(inside(x) if low <= x <= high else law(x), rel=0.01)


@pytest.mark.parametrize(
    "law",
    [
        near,
        held,
        lambda x: max(0, x + 60) - 3 * max(0, x + 10) + 2 * max(0, x - 75),
        lambda x: 6 * math.sin(0.7 * x),
        lambda x: 9.0 if (x + 2) % 31 < 12 else -1.0,
    ],
    ids=["kink", "held", "bends", "wave", "square wave"],
)
def test_a_law_without_an_exception_has_none(law: Function) -> None:
    assert explored(law).exceptions == ()


def test_a_jump_is_closed_in_on_and_a_slope_is_not() -> None:
    x = np.linspace(-128, 128, 90)
    jump = 0.1 * x + np.where(x < 31.4, 0.0, 6.0)
    (asked,) = leaping(Data(x, jump), 4)
    step = np.diff(x)[0]
    assert abs(asked - 31.4) < step
    assert leaping(Data(x, 0.1 * x), 4) == []
    assert leaping(Data(x, np.exp(0.03 * x)), 4) == []


def test_nothing_is_closed_in_on_where_nothing_is_lawful() -> None:
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-128, 128, 160))
    assert leaping(Data(x, rng.normal(size=160)), 4) == []


def test_a_stretch_with_a_law_that_no_form_meets_is_found_and_doubted() -> None:
    def wild(x: float) -> float:
        waves = ((0.31, 0.0), (0.53, 1.0), (0.87, 2.0), (1.13, 0.5), (1.71, 3.0), (2.3, 1.5))
        return 20 + 3 * sum(math.sin(w * x + p) for w, p in waves)

    finding = explored(excepted(lambda x: 0.5 * x + 2, wild, -30.0, 25.0))
    ((low, high),) = finding.exceptions
    assert (low, high) == pytest.approx((-30.0, 25.0), abs=1.0)
    assert finding.confidence < 0.3
    assert "no form of mine" in finding.text


def test_rare_values_at_random_moments_are_nothing_whatever_wave_meets_them() -> None:
    unit = make(1031, 0)
    assert unit.kind == "moments"
    finding = explored(lambda x: float(unit.function([x])[0]))
    assert finding.code is None
    assert "random moments" in finding.text


def test_a_wave_that_is_seldom_up_is_found_beside_a_stretch_of_noise() -> None:
    rng = np.random.default_rng(0)

    def noisy(_: float) -> float:
        return float(rng.normal(0, 30))

    wave = excepted(lambda x: 50.0 if (x + 3) % 40 < 4 else 1.0, noisy, 20.0, 30.0)
    finding = explored(wave)
    assert finding.code is not None
    ((low, high),) = finding.exceptions
    assert (low, high) == pytest.approx((20.0, 30.0), abs=0.5)
