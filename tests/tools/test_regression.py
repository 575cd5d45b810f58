from __future__ import annotations

import numpy as np
import pytest

from hubel.tools.regression import explain


def test_explain_finds_a_planted_linear_cause():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(150, 30))
    y = 3 * x[:, 7] - 2 * x[:, 2]
    found = explain(x, y, [str(i) for i in range(150)], rng)
    assert found.r2 > 0.99
    assert found.best == 7
    assert found.correlations[7] == pytest.approx(np.corrcoef(x[:, 7], y)[0, 1])
    assert found.best_ci[0] < found.correlations[7] < found.best_ci[1]
    assert found.r2_p == found.best_p == 1 / 200


def test_explain_control_of_noise_explains_nothing():
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x, y = rng.uniform(size=(80, 15)), rng.uniform(size=80)
        found.append(explain(x, y, [str(i) for i in range(80)], rng))
    assert np.mean([f.r2 for f in found]) < 0
    assert np.mean([f.r2_p < 0.05 for f in found]) <= 0.125
    assert np.mean([f.best_p < 0.05 for f in found]) <= 0.125


def test_explain_is_not_fooled_by_pictures_that_come_in_groups():
    alarms = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = np.repeat(rng.normal(size=(12, 20)), 8, axis=0) + 0.3 * rng.normal(size=(96, 20))
        y = np.repeat(rng.normal(size=12), 8) + 0.3 * rng.normal(size=96)
        found = explain(x, y, [f"photo {i // 8}" for i in range(96)], rng)
        alarms.append(found.best_p < 0.05)
    assert np.mean(alarms) <= 0.15


def test_explain_leaves_out_whole_groups():
    rng = np.random.default_rng(2)
    mark = np.repeat(rng.normal(size=10), 10)
    x = np.repeat(np.eye(10), 10, axis=0)  # tells groups apart and nothing else
    found = explain(x, mark + 0.01 * rng.normal(size=100), [f"g{i // 10}" for i in range(100)], rng)
    assert found.r2 <= 0.01  # split by picture it would be near 1


def test_explain_takes_constant_features_and_refuses_constant_measurements():
    rng = np.random.default_rng(3)
    groups = [str(i) for i in range(40)]
    found = explain(np.ones((40, 3)), rng.normal(size=40), groups, rng)
    assert found.r2 == pytest.approx(0)
    assert found.correlations.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="nothing to explain"):
        explain(np.ones((40, 3)), np.ones(40), groups, rng)
    with pytest.raises(ValueError, match="single group"):
        explain(np.ones((40, 3)), rng.normal(size=40), ["one"] * 40, rng)
