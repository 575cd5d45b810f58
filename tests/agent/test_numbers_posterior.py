from __future__ import annotations

import numpy as np

from hubel.agent.planners.numbers.data import Data
from hubel.agent.planners.numbers.forms import FORMS
from hubel.agent.planners.numbers.posterior import Posterior, posterior, walked
from hubel.agent.planners.numbers.scan import Fit, fitted


def noisy_line(sd: float = 4.0, count: int = 80) -> tuple[Fit, Data]:
    rng = np.random.default_rng(0)
    x = np.linspace(-128, 128, count)
    data = Data(x, 0.5 * x + 3 + sd * rng.normal(size=count), sd)
    line = next(form for form in FORMS if form.name == "line")
    return fitted(line, data, rng), data


def test_walkers_spread_as_least_squares_says() -> None:
    fit, data = noisy_line()
    draws = walked(fit, data, 4.0, np.random.default_rng(1))
    slope = 4.0 / np.sqrt(np.sum((data.x - data.x.mean()) ** 2))
    height = 4.0 / np.sqrt(len(data.x))
    assert 0.75 < draws[:, 0].std() / slope < 1.35
    assert 0.75 < draws[:, 1].std() / height < 1.35
    assert abs(draws[:, 0].mean() - fit.params[0]) < slope


def test_of_a_line_the_ends_are_asked() -> None:
    fit, data = noisy_line()
    x = np.linspace(-128, 128, 65)
    asked = posterior([fit], data, x, np.random.default_rng(2)).loose(12)
    assert np.mean(np.abs(asked) > 100) > 0.8
    assert min(asked) < 0 < max(asked)


def test_what_agrees_with_no_law_is_never_right() -> None:
    fit, data = noisy_line()
    x = np.linspace(-128, 128, 65)
    possible = posterior([fit], data, x, np.random.default_rng(2))
    assert possible.right(fit(x)) > 0.9
    assert possible.right(fit(x) + 30) == 0


def test_rivals_share_the_belief() -> None:
    x = np.linspace(0, 1, 50)
    laws = np.concatenate([np.tile(x, (3, 1)), np.tile(5 - x, (1, 1))])
    possible = Posterior(x, laws, 1.0)
    assert possible.right(x) == 0.75
    assert possible.right(5 - x) == 0.25
