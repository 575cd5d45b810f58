import numpy as np
import pytest

from hubel.agent.score import correlate, pearson, precision_recall

N = 200


@pytest.fixture
def unit():
    rng = np.random.default_rng(0)
    return rng.gamma(1.0, 2.0, N), np.ones(N), [f"g{i}" for i in range(N)], rng


def test_weighted_correlation_equals_that_of_repeated_pictures(unit):
    measured, _, _, rng = unit
    predicted = measured + rng.normal(0, 3, N)
    weights = rng.integers(0, 4, N).astype(float)
    repeated = np.repeat(np.arange(N), weights.astype(int))
    expected = np.corrcoef(predicted[repeated], measured[repeated])[0, 1]
    assert pearson(predicted, measured, weights[None])[0] == pytest.approx(expected)


def test_truth_scores_one_and_a_constant_zero(unit):
    measured, weights, groups, _ = unit
    truth = correlate(3 * measured - 1, measured, weights, groups, seed=0)
    assert truth.pearson == pytest.approx(1)
    assert truth.p < 0.001
    constant = correlate(np.full(N, 0.1), measured, weights, groups, seed=0)
    assert constant.pearson == 0
    assert constant.p == 1


def test_shuffled_prediction_is_at_the_floor(unit):
    measured, weights, groups, rng = unit
    score = correlate(rng.permutation(measured), measured, weights, groups, seed=0)
    assert abs(score.pearson) < 0.2
    assert score.p > 0.01
    assert 0 < score.shuffled < 0.25


def test_interval_widens_when_pictures_come_in_groups(unit):
    measured, weights, groups, rng = unit
    shared = np.repeat(rng.normal(0, 3, N // 20), 20)
    predicted = measured + shared
    alone = correlate(predicted, measured, weights, groups, seed=0)
    grouped = correlate(predicted, measured, weights, [f"g{i // 20}" for i in range(N)], seed=0)
    assert grouped.groups == N // 20
    assert grouped.high - grouped.low > alone.high - alone.low


def test_permutation_test_keeps_its_level():
    rng = np.random.default_rng(1)
    groups = [str(i) for i in range(60)]
    weights = rng.uniform(0.2, 3, 60)
    ps = [
        correlate(rng.normal(size=60), rng.gamma(1, 1, 60), weights, groups, seed=i).p
        for i in range(60)
    ]
    assert sum(p < 0.05 for p in ps) <= 9  # binomial(60, .05): nine or more has p = .003


def test_precision_and_recall_of_a_phrase():
    measured = np.arange(20.0)
    degree = np.zeros(20)
    degree[[19, 3]] = 1.0
    found = precision_recall(degree, measured, np.ones(20))
    assert found == {"precision": 0.5, "recall": pytest.approx(0.5)}
    nowhere = precision_recall(np.zeros(20), measured, np.ones(20))
    assert nowhere == {"precision": None, "recall": 0.0}
