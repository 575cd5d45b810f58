"""The suite of real channels: what is asked about, baselines on planted causes, and a run."""

import numpy as np
import pytest

from hubel.agent.confirm import Sample
from hubel.agent.ledger import Ledger
from hubel.evals import bench
from hubel.evals.baselines import LIFTED, by_lift, ridge
from hubel.evals.channels import PLANTED, channel, rank_correlation
from hubel.evals.leaderboard import board
from hubel.sandbox.jail import Jail

TARGET = {
    "main_sites": ["a", "b", "c", "d"] * 2,
    "sites": [{"name": name, "units": 40} for name in "abcd"],
}


def sample(seed=0, n=300):
    """A unit driven by `cause`, which goes with nothing; `common` is everywhere."""
    rng = np.random.default_rng(seed)
    degrees = {p: (rng.random(n) < 0.3).astype(float) for p in ("cause", "other", "rest")}
    degrees["common"] = (rng.random(n) < 0.9).astype(float)
    activation = 2 * degrees["cause"] + rng.normal(0, 0.3, n)
    values = {
        "activation": activation.tolist(),
        "weight": [1.0] * n,
        "group": [str(i) for i in range(n)],
        "population": ["rendered scenes"] * n,
        "concepts": {p: d.tolist() for p, d in degrees.items()},
    }
    return Sample(values, sorted(degrees))


def test_channels_are_drawn_without_replacement_and_the_planted_one_comes_once():
    target = {"main_sites": list("abcdefgh"), "sites": [{"name": s, "units": 40} for s in "dh"]}
    drawn = [channel(target, 3, number) for number in range(60)]
    assert len({name for name, _, _ in drawn}) == 60
    assert {site for _, site, _ in drawn} == {"d", "h"}
    null = [name for name, _, real in drawn if not real]
    assert null == ["d:39", "h:39"]
    assert drawn[2 * PLANTED][0] == "d:39"
    assert drawn == [channel(target, 3, number) for number in range(60)]
    assert drawn != [channel(target, 4, number) for number in range(60)]
    with pytest.raises(ValueError, match="lower --n"):
        channel(target, 3, 80)


def test_by_lift_names_the_cause_first_and_never_what_is_everywhere():
    form = by_lift(sample())
    assert form.terms[0].having == ("cause",)
    assert len(form.terms) <= LIFTED
    assert form.terms[0].weight > 3 * sum(t.weight for t in form.terms[1:])


def test_ridge_gives_the_cause_its_weight_and_the_others_none():
    weights = {t.having[0]: t.weight for t in ridge(sample()).terms}
    assert weights["cause"] == pytest.approx(2, abs=0.2)
    assert max(abs(w) for p, w in weights.items() if p != "cause") < 0.2


def test_of_a_unit_of_noise_ridge_predicts_nothing_new():
    rng = np.random.default_rng(5)
    seen, fresh = sample(1), sample(2)
    seen.measured[:] = rng.normal(size=len(seen))
    fresh.measured[:] = rng.normal(size=len(fresh))
    assert abs(fresh.correlate(ridge(seen), 0).pearson) < 0.2


def test_correlation_of_ranks_sees_order_alone():
    measured = np.arange(20.0)
    assert rank_correlation(np.exp(measured), measured, np.ones(20)) == pytest.approx(1)
    assert rank_correlation(np.ones(20), measured, np.ones(20)) == 0
    assert rank_correlation(-measured, measured, np.ones(20)) == pytest.approx(-1)


def test_nobody_knows_the_truth_of_a_channel_so_there_is_no_oracle():
    with pytest.raises(ValueError, match="nobody knows"):
        bench.check(bench.Plan(("real",), ("oracle",), 1, 0))
    with pytest.raises(ValueError, match="no planner 'bultin'"):
        bench.check(bench.Plan(("real",), ("bultin",), 1, 0))


@pytest.mark.slow
def test_a_run_over_channels(tmp_path):
    """Baselines on two real channels; ridge predicts, a constant does not, and all is kept."""
    plan = bench.Plan(("real",), ("ridge", "constant"), 1, 0)
    jail = Jail("none")
    with Ledger(tmp_path) as ledger:
        rows = bench.run(plan, ledger, jail, lambda *_: None)
        again = bench.run(plan, ledger, jail, lambda *_: pytest.fail("it was there already"))
    assert rows == again
    found = board(rows)["real"]
    assert found["ridge"]["correlation"] > 0.3
    assert found["ridge"]["rank_correlation"] > 0.3
    assert found["constant"]["correlation"] == 0
    assert found["ridge"]["recovered"] is None
    assert found["ridge"]["calibration"] is None
    assert found["ridge"]["versus"]["constant"]["correlation"][0] > 0.3
