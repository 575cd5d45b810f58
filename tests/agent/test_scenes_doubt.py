"""What the explorer of scenes makes of noise, of parts that it has not seen, and of rival laws."""

import numpy as np
import pytest

from hubel.agent.planners.scenes.fit import fit
from hubel.agent.planners.scenes.grammar import Hypothesis
from hubel.agent.planners.scenes.library import library
from hubel.agent.planners.scenes.rivals import rivals
from hubel.agent.planners.scenes.state import State
from hubel.agent.planners.scenes.unseen import Unseen
from hubel.agent.planners.scenes.verdict import conclude
from hubel.agent.planners.scenes.words import names
from hubel.tools.imagery.scenes import truth

SIGMA = 0.35
STAR = Hypothesis("one", "", (names().index("star"),))


def star(true):
    return float("star" in true)


def star_or_both(true):
    return float("star" in true or ("animal" in true and "plain object" in true))


def told(value, scenes, noise=0.0, twice=0):
    """What an explorer knows that asked about scenes, and about the first of them again."""
    rng = np.random.default_rng(0)
    state, asked = State(), [*scenes, *scenes[:twice]]
    state.add(asked, [value(truth(s)) + noise * float(rng.normal()) for s in asked])
    return state


def odds(value, count):
    data = told(value, library().scenes[:count], SIGMA, twice=15).data()
    return Unseen(fit(STAR, data), data).odds


def test_a_part_that_drives_the_unit_besides_raises_the_odds_that_there_is_one():
    assert odds(star_or_both, 150) > 3
    assert odds(star, 150) < 0.5
    assert odds(star, 250) < odds(star, 80)


def test_scenes_are_chosen_that_show_what_was_seldom_seen_where_the_rule_is_off():
    wanted = "text"
    seen = [s for s in library().scenes[:260] if wanted not in truth(s)]
    state = told(star, seen, SIGMA, twice=15)
    data = state.data()
    chosen = Unseen(fit(STAR, data), data).scenes(8, state)
    true = [truth(s) for s in chosen]
    assert all("star" not in t for t in true)
    usual = np.mean([wanted in truth(s) for s in library().scenes])
    assert np.mean([wanted in t for t in true]) > 2 * usual


def test_scenes_repeated_for_being_high_do_not_make_the_noise_larger():
    state = State()
    some = library().scenes[:20]
    state.add(list(some), [0.5] * 20)
    state.add(list(some), [0.5 + 0.78] * 20)  # they differ by more than the noise makes them
    assert state.noise == pytest.approx(0.55, abs=0.01)
    state.settle(SIGMA)
    assert state.noise == SIGMA
    state.settle(1.1)  # what a wrong rule leaves
    assert state.noise == pytest.approx(0.55, abs=0.01)


def star_or_text(true):
    return float("star" in true or "text" in true)


def judged(duels):
    """The verdict on [star] or [text] where scenes with a star and a blue thing say otherwise.

    Args:
        duels: What four fresh scenes with a star and a blue thing say; None if nothing was asked.
    """
    scenes = library().scenes
    third = [s for s in scenes if all(p in truth(s) for p in ("star", "blue object"))]
    third = [s for s in third if "text" not in truth(s)]
    state = told(star_or_text, [s for s in scenes[:200] if s not in third])
    state.add(third[:9], [0.0] * 9)
    if duels is not None:
        state.duels.update(third[9:13])
        state.add(third[9:13], [duels] * 4)
    data = state.data()
    best = [fit(Hypothesis("or", "", tuple(names().index(p) for p in ("star", "text"))), data)]
    laws = rivals(best, state)
    assert laws[0].gap < -10
    return conclude(best, 1.0, state, laws)


def test_a_law_is_believed_by_scenes_that_were_to_tell_it_from_the_rule_alone():
    assert judged(duels=0.0).outside
    assert "[blue object]" in judged(duels=0.0).text
    assert not judged(duels=1.0).outside
    undecided = judged(duels=None)
    assert not undecided.outside
    assert undecided.confidence < 0.6


def test_neighbours_of_one_misperceived_scene_count_once():
    scenes = [s for s in library().scenes if "star" in truth(s) and "blue object" in truth(s)][:9]
    state = told(star, [s for s in library().scenes[:150] if s not in scenes])
    state.chased.update(scenes[1:])
    state.add(scenes, [0.0] * len(scenes))
    assert state.fair().worth.sum() == len(state.scenes) - 8
    state.redrawn[scenes[0]] = scenes[8]
    assert state.fair().worth.sum() == len(state.scenes) - 8  # the same again: a law
    state.redrawn[scenes[0]] = next(
        s for s in library().scenes if star(truth(s)) and state.times(s)
    )
    assert state.fair().worth.sum() == len(state.scenes) - 9


@pytest.mark.parametrize("noise", [0.0, SIGMA])
def test_a_misperceived_scene_counts_once_however_often_it_was_asked_about(noise):
    both = [s for s in library().scenes if "star" in truth(s) and "blue object" in truth(s)]
    state = told(star, [s for s in library().scenes[:150] if s not in both], noise, twice=15)
    region = Hypothesis("and not", "", (STAR.slots[0], names().index("blue object")))

    def behind():
        data = state.data()
        return fit(region, data).score - fit(STAR, data).score

    state.add([both[0]] * 4, [0.0] * 4)
    once = behind()
    assert once < 2
    state.add([both[0]] * 8, [0.0] * 8)
    assert behind() == pytest.approx(once, abs=0.5)
    state.add(both[1:5], [0.0] * 4)  # five different scenes are no error of perception
    assert behind() > once + 10
