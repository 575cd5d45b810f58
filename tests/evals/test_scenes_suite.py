import numpy as np
import pytest

from hubel.evals.families.scenes import neurons, suite
from hubel.evals.families.scenes.seen import described
from hubel.tools.imagery.scenes import phrases, random_scene, truth

SCENES = [random_scene(np.random.default_rng([41, number])) for number in range(8)]


def numbered(seed):
    """One neuron of each complexity, and one beyond the grammar."""
    found = {}
    for number in range(40):
        made = neurons.make(seed, number)
        found.setdefault(made.complexity, number)
    return found


NUMBERS = numbered(300)


@pytest.mark.parametrize("complexity", NUMBERS)
def test_what_is_remembered_of_scenes_is_what_the_network_computes(complexity):
    slow = neurons.make(300, NUMBERS[complexity])
    fast = suite.make(300, NUMBERS[complexity])
    asked = [scene.to_json() for scene in SCENES]
    wanted = slow.function(SCENES)
    assert fast.function(asked) == pytest.approx(wanted, abs=1e-4)
    again = fast.function(asked)
    noisy = complexity == "noise" or fast.kind in ("noise", "coin", "spikes")
    assert (again == pytest.approx(wanted, abs=1e-4)) is not noisy


def test_each_scene_is_seen_alone():
    unit = suite.make(300, NUMBERS["clean"])
    asked = [scene.to_json() for scene in SCENES]
    assert unit.function(asked) == [unit.function([one])[0] for one in asked]


def test_a_cell_is_given_what_is_true():
    words = [p.phrase for p in phrases()]
    for scene in SCENES:
        assert {words[n] for n in described(scene)[0]} == set(truth(scene))
