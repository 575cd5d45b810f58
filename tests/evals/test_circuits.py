"""The toy circuit: what takes units out finds it, what watches them does not."""

import numpy as np
import pytest
import torch

from hubel.evals.families.circuits import SITES, WIDTH, Circuit, make, score
from hubel.tools.target import Edit

SEEDS = range(5)


def pictures(n=64, seed=0):
    return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * (
        torch.rand(n, 3, 1, 1, generator=torch.Generator().manual_seed(seed + 1))
    )


def by_ablation(circuit: Circuit, inputs):
    """The units without which the output is another."""
    plain = circuit.target.capture(inputs, []).logits[:, circuit.output]
    found = set()
    for site in SITES:
        for i in range(WIDTH):
            changed = circuit.target.intervene(inputs, [Edit(site, 0.0, i)])
            if (changed.logits[:, circuit.output] - plain).abs().max() > 1e-5:
                found.add(f"{site}:{i}")
    return found


def by_watching(circuit: Circuit, inputs):
    """As many units of each site as the circuit has, those that go along with the output best."""
    seen = circuit.target.capture(inputs, list(SITES))
    plain = seen.logits[:, circuit.output].numpy()
    found = set()
    for site in SITES:
        known = sum(name.startswith(site) for name in circuit.truth)
        values = seen.sites[site].amax((2, 3)).numpy()
        along = [np.corrcoef(values[:, i], plain)[0, 1] for i in range(WIDTH)]
        found |= {f"{site}:{i}" for i in np.argsort(along)[-known:]}
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_ablation_finds_the_circuit_and_it_is_faithful(seed):
    circuit = make(seed, 0)
    assert by_ablation(circuit, pictures()) == circuit.truth
    found = score(circuit, circuit.truth, pictures(seed=9))
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert found.faithfulness == pytest.approx(1.0, abs=1e-6)


def test_watching_alone_does_not_find_it():
    scores = [score(c, by_watching(c, pictures()), pictures()) for c in map(make, SEEDS, SEEDS)]
    assert np.mean([s.precision for s in scores]) < 0.8
    assert np.mean([s.faithfulness for s in scores]) < 0.8


def test_twins_are_equal_and_only_one_leads_to_the_output():
    circuit = make(3, 1)
    seen = circuit.target.capture(pictures(), ["second"]).sites["second"]
    for name in circuit.truth:
        site, _, index = name.partition(":")
        if site == "second":
            same = [i for i in range(WIDTH) if torch.allclose(seen[:, i], seen[:, int(index)])]
            assert len(same) == 2
            assert sum(f"second:{i}" in circuit.truth for i in same) == 1


def test_claiming_everything_is_faithful_and_not_precise():
    circuit = make(0, 0)
    everything = score(circuit, circuit.units, pictures())
    assert everything.faithfulness == pytest.approx(1.0)
    assert everything.recall == 1.0
    assert everything.precision == len(circuit.truth) / (2 * WIDTH)


def test_claiming_nothing_or_a_part_is_not_faithful():
    circuit = make(0, 0)
    assert score(circuit, [], pictures()).faithfulness <= 0.01
    assert score(circuit, [], pictures()).precision == 0
    one = min(n for n in circuit.truth if n.startswith("second"))
    assert score(circuit, circuit.truth - {one}, pictures()).faithfulness < 0.99


def test_seeds_make_it_again_and_others_make_another():
    assert make(1, 2).truth == make(1, 2).truth
    assert len({make(1, n).truth for n in range(8)}) > 3
    with pytest.raises(ValueError, match="no unit"):
        score(make(0, 0), ["third:1"], pictures(2))
