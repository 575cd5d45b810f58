"""What it costs to score an explanation of a neuron over words."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evals.words_cache import planted
from tests.sandbox.levels import ISOLATED

from hubel.agent.planners.explorer import Finding
from hubel.evals.families.words.encoder import Encoder
from hubel.evals.families.words.judge import EncoderJudge
from hubel.evals.families.words.neurons import neuron, told
from hubel.evals.families.words.score import HELD_OUT, score
from hubel.evals.families.words.truth import Entity
from hubel.sandbox.cells import CellSession
from hubel.sandbox.levels import jail_for


class Counted(CellSession):
    """Counts the inputs that code is run on."""

    inputs = 0

    def run(self, code, call=None, tools=(), keep=None, names=None):
        self.inputs += len((names or {})["inputs"])
        return super().run(code, call, tools, keep, names)


@pytest.mark.parametrize("level", ISOLATED)
def test_a_word_that_is_held_out_many_times_is_run_once_and_counts_each_time(tmp_path, level):
    encoder = Encoder(planted(tmp_path / "words"))
    lexicon, rule = encoder.lexicon(), Entity(("sea",))
    judge, rng = EncoderJudge(encoder), np.random.default_rng(0)
    made = neuron("words/0", rule, np.inf, rng, lexicon, judge, {"pool": ["sea", "sky"]})
    words = ["asea0", "bsea1", "asky0", "csky2", "dbread3"]
    many = ["asea0"] * (HELD_OUT - len(words)) + words
    made = replace(made, draw=lambda n, _rng: (many[:n], ["global"] * n))
    with Counted(jail_for(level)) as cells:
        right = score(made, Finding(rule.code(), "", 1.0, about=told(rule)), cells, 0, encoder)
        assert cells.inputs == len(words)
        # Wrong of one word only, which is nearly all that is held out.
        code = rule.code().replace("return ", "return 0 if x == 'asea0' else ")
        code = code.replace("return 0 if x == 'asea0' else 1 /", "return 1 /")
        missed = score(made, Finding(code, "", 1.0, about=told(rule)), cells, 0, encoder)
    assert (right.agreement, right.recovered) == ({"global": 1.0}, True)
    assert missed.agreement["global"] == pytest.approx((len(words) - 1) / HELD_OUT)
    assert not missed.recovered
