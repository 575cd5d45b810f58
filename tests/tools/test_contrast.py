from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from hubel.tools.contrast import adjusted, paired, ratio, unpaired

FLOATS = st.floats(-1e3, 1e3, width=32)


def test_paired_interval_is_that_of_the_t_test():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 20), rng.normal(0, 1, 20)
    found = paired(a.tolist(), b.tolist())
    known = scipy.stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found.ci == pytest.approx((known.low, known.high))
    assert found.d == pytest.approx((a - b).mean() / (a - b).std(ddof=1))


def test_unpaired_interval_is_that_of_welch():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 9), rng.normal(0, 4, 30)
    found = unpaired(a.tolist(), b.tolist())
    known = scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert found.ci == pytest.approx((known.low, known.high))


def test_p_values_of_small_lists_are_exact():
    assert paired([1, 2, 3, 4], [0, 0, 0, 0]).p == 2 / 16
    assert unpaired([10, 11, 12], [1, 2, 3]).p == 2 / 20
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.5, 1, 6), rng.normal(0, 1, 5)
    known = scipy.stats.permutation_test(
        (a, b), lambda x, y: abs(x.mean() - y.mean()), n_resamples=1e9, alternative="greater"
    )
    assert unpaired(a.tolist(), b.tolist()).p == pytest.approx(known.pvalue)


def test_false_alarms_are_as_rare_as_the_p_value_says():
    rng = np.random.default_rng(4)
    lists = rng.normal(size=(200, 2, 10))
    for contrast in (paired, unpaired):
        p = [contrast(a.tolist(), b.tolist()).p for a, b in lists]
        assert 0.01 <= np.mean(np.array(p) < 0.05) <= 0.1


def test_a_real_difference_in_long_lists_is_found_with_drawn_permutations():
    rng = np.random.default_rng(5)
    a, b = rng.normal(1, 1, 60).tolist(), rng.normal(0, 1, 60).tolist()
    for contrast in (paired, unpaired):
        assert contrast(a, b, seed=3).p < 0.001
        assert contrast(a, b, seed=3) == contrast(a, b, seed=3)


def test_equal_lists_have_no_effect_and_a_point_for_an_interval():
    found = paired([1.5] * 5, [1.5] * 5)
    assert (found.mean, found.ci, found.d, found.p) == (0, (0, 0), 0, 1)
    found = unpaired([1.5] * 5, [1.5] * 4)
    assert (found.mean, found.ci, found.d, found.p) == (0, (0, 0), 0, 1)


def test_a_difference_without_spread_has_no_size_in_standard_deviations():
    found = paired([2.0] * 8, [1.0] * 8)
    assert (found.mean, found.ci, found.d) == (1, (1, 1), None)
    assert found.p == 2 / 2**8


def test_one_pair_gives_no_interval_and_no_evidence():
    found = paired([3.0], [1.0])
    assert (found.mean, found.ci, found.d, found.p) == (2, None, None, 1)


def test_rounding_noise_is_no_difference():
    a = np.float32([0.3, 5.0, 100.0]).tolist()
    assert paired(a, [x * (1 + 1e-7) for x in a]).mean == 0


def test_lists_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="length"):
        paired([1, 2], [1])
    with pytest.raises(ValueError, match="at least one"):
        unpaired([], [1])


@settings(max_examples=60, deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=8), st.lists(FLOATS, min_size=1, max_size=8))
def test_every_number_is_finite_or_none(a, b):
    pairs = [unpaired(a, b)] + ([paired(a, b)] if len(a) == len(b) else [])
    for found in pairs:
        shown = [found.mean, found.d, found.p, *(found.ci or ())]
        assert all(x is None or np.isfinite(x) for x in shown)
        assert 0 < found.p <= 1


def test_ratio_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(300):
        whole = rng.uniform(0.5, 2, 20)
        part = 0.6 * whole + rng.normal(0, 0.3, 20)
        _, interval = ratio(part.tolist(), whole.tolist())
        hits += interval[0] <= 0.6 <= interval[1]
    assert 0.91 <= hits / 300 <= 0.98


def test_ratio_of_nothing_is_not_measured():
    assert ratio([0.0, 0.0], [0.0, 0.0]) is None
    assert ratio([1.0], [2.0]) == (0.5, None)


def test_adjusted_p_values_keep_the_false_discovery_rate():
    assert adjusted([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert adjusted([]) == []
