from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.numbers import explore

Function = Callable[[float], float | None]


def explored(function: Function, budget: int = 200) -> tuple[Finding, list[float]]:
    explorer = explore(budget, 0)
    asked: list[float] = []
    inputs = next(explorer)
    while True:
        asked += inputs
        try:
            inputs = explorer.send([function(x) for x in inputs])
        except StopIteration as end:
            return end.value, asked


def defined(code: str | None) -> Callable[[float], float]:
    assert code is not None
    space: dict[str, Callable[[float], float]] = {}
    exec(code, space)  # noqa: S102
    return space["f"]


def agreement(code: str | None, function: Function) -> float:
    found = defined(code)
    grid = np.random.default_rng(5).uniform(-128, 128, 500)
    truth = [function(float(x)) for x in grid]
    good = []
    for x, y in zip(grid, truth, strict=True):
        if y is not None:
            good.append(abs(found(float(x)) - y) <= 1e-3 * (1 + abs(y)))
    return float(np.mean(good))


CLEAN: dict[str, Function] = {
    "distance": lambda x: 3.5 * abs(x - 17.25) - 4,
    "exponential": lambda x: 12 * math.exp(-0.03 * x) + 2,
    "wave": lambda x: 3 * math.sin(1.7 * x + 0.4) - 2,
    "square wave": lambda x: 4.0 if (x + 3) % 21 < 7 else -1.0,
    "stairs": lambda x: 2.0 * math.floor(0.21 * x + 0.4),
    "ratio": lambda x: (3 * x + 1) / (x**2 + 40),
    "logarithm": lambda x: 2 * math.log(x) + 1 if x > 0 else None,
    "gate": lambda x: 3 * x - 5 if x < 21.5 else 40 * math.cos(0.1 * x),
}


#: Laws made of others: added, folded, held within bounds, the larger of two, of whole numbers.
COMPOSED: dict[str, Function] = {
    "beat": lambda x: 4 * math.sin(0.5 * x) + 4 * math.sin(0.6 * x),
    "repeated decay": lambda x: 7 * math.exp(-0.2 * ((x - 3) % 25)),
    "hinges": lambda x: max(0, x + 50) - 2 * max(0, x - 20),
    "larger": lambda x: max(2 * x + 10, 0.05 * x**2),
    "digits": lambda x: float(sum(map(int, str(abs(int(x)))))),
    "divisor": lambda x: 2.5 * math.gcd(abs(int(x)), 18) - 1,
}


@pytest.mark.parametrize("name", list(COMPOSED))
def test_composed_laws_are_found(name: str) -> None:
    finding, _ = explored(COMPOSED[name])
    assert agreement(finding.code, COMPOSED[name]) >= 0.99
    assert finding.confidence > 0.8


@pytest.mark.parametrize("name", list(CLEAN))
def test_planted_laws_are_found(name: str) -> None:
    finding, _ = explored(CLEAN[name])
    assert agreement(finding.code, CLEAN[name]) >= 0.99
    assert finding.confidence > 0.8
    assert not finding.outside


def overlap(finding: Finding, low: float, high: float) -> float:
    ((a, b),) = finding.exceptions
    shared = max(0.0, min(b, high) - max(a, low))
    return shared / ((b - a) + (high - low) - shared)


def test_deterministic_exception_is_found_with_its_ends() -> None:
    def function(x: float) -> float:
        return 40.0 if 31.3 <= x <= 47.9 else 0.02 * x**2 - x + 3

    finding, _ = explored(function)
    assert overlap(finding, 31.3, 47.9) > 0.98
    assert agreement(finding.code, function) > 0.99


def test_exception_that_begins_at_a_bend_is_told_from_the_law() -> None:
    finding, _ = explored(lambda x: 3.0 if 20 <= x <= 55 else abs(x - 20))
    assert overlap(finding, 20, 55) > 0.98
    assert defined(finding.code)(-30.0) == pytest.approx(50)


def test_exception_of_a_square_wave_is_told_from_the_law() -> None:
    def function(x: float) -> float:
        return 0.0 if -8.4 <= x <= 40.2 else 3.0 if x % 24 < 12 else -3.0

    finding, _ = explored(function)
    assert overlap(finding, -8.4, 40.2) > 0.9
    assert agreement(finding.code, function) > 0.98


def test_noisy_exception_is_found_with_its_ends() -> None:
    rng = np.random.default_rng(3)

    def function(x: float) -> float:
        return 5 + 0.1 * rng.normal() if x < -22.4 else 3 * abs(x - 8)

    finding, _ = explored(function)
    assert overlap(finding, -128, -22.4) > 0.98
    assert defined(finding.code)(50.0) == pytest.approx(126)


def test_no_exception_is_claimed_where_there_is_none() -> None:
    finding, _ = explored(lambda x: 7 * math.tanh((x - 4) / 9))
    assert finding.exceptions == ()


def test_noise_is_measured_and_the_law_below_it_found() -> None:
    rng = np.random.default_rng(1)
    finding, _ = explored(lambda x: 2 * x + 5 + 20 * rng.normal())
    assert finding.about is not None
    assert 14 < finding.about["noise_sd"] < 28
    found = defined(finding.code)
    assert abs(found(100.0) - 205) < 15
    assert abs(found(-100.0) + 195) < 15


def test_confidence_falls_with_noise() -> None:
    said = []
    for size in (2.0, 90.0):
        rng = np.random.default_rng(4)
        finding, _ = explored(lambda x, r=rng, s=size: 0.02 * (x - 30) ** 2 + s * r.normal())
        said.append(finding.confidence)
    assert said[0] > 0.9
    assert said[1] < 0.5


def test_a_pole_in_noise_breaks_nothing() -> None:
    rng = np.random.default_rng(6)
    finding, _ = explored(lambda x: 1e99 / (x - 40.1) ** 2 + 1e96 * rng.normal(), 60)
    assert finding.code is None or finding.confidence < 1


def scattered(x: float) -> float:
    return float(np.random.default_rng(abs(int(x * 1e6))).normal())


def noise() -> Function:
    rng = np.random.default_rng(2)
    return lambda _: float(rng.normal())


def moments() -> Function:
    rng = np.random.default_rng(2)
    return lambda _: 40.0 if rng.random() < 0.04 else 0.0


@pytest.mark.parametrize(
    "function",
    [lambda x: 0.0, scattered, noise(), moments(), lambda x: 9.0 * (math.sin(1e4 * x) > 0.997)],
    ids=["dead", "scattered", "noise", "moments", "spikes"],
)
def test_nothing_is_claimed_of_null_units(function: Function) -> None:
    finding, _ = explored(function)
    assert finding.code is None


def test_a_constant_is_not_nothing() -> None:
    finding, _ = explored(lambda x: 13.5)
    assert defined(finding.code)(4.0) == 13.5


def test_lawful_but_outside_the_forms_is_said_so() -> None:
    knots = np.linspace(-128, 128, 9)
    heights = np.array([3.0, -8, 11, 2, 9, -14, 5, 5.5, -2])
    at = knots + np.array([0, 3, -6, 9, 2, -8, 5, -3, 0])
    bend = 0.3

    def function(x: float) -> float:
        return float(np.interp(x, at, heights)) + bend * math.sin(x) * math.cos(x**2 / 500)

    finding, _ = explored(function, 60)
    assert finding.outside
    assert finding.code is not None
    assert len(finding.code) <= 700
    assert finding.confidence < 0.5


def test_budget_is_kept_and_the_study_is_reproducible() -> None:
    for budget in (12, 60):
        finding, asked = explored(CLEAN["wave"], budget)
        assert len(asked) <= budget
        assert all(-128 <= x <= 128 for x in asked)
        assert (finding, asked) == explored(CLEAN["wave"], budget)
