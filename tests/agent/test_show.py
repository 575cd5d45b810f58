import io

import pytest
from rich.console import Console
from tests.agent import example_study
from tests.agent.author import PLANTED, Author

from hubel.agent.ledger import Ledger, LedgerError
from hubel.agent.show import show_study, study_json

KEYS = ["study", "model", "unit", "text", "form", "exceptions", "grade", "score", "concepts",
        "evidence", "verdict", "sandbox", "stop", "cost"]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    with Ledger(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture(scope="module")
def answered(ledger):
    author = Author(ledger, PLANTED, pictures=40)
    author.exemplars()
    author.step("What drives it?", {"red object": 1.9, "circle": 1.2})
    author.minimal_pairs("red object", "h1", n=6)
    author.call("find", "stimulus", {"phrase": "x"}, status="broken", error="Traceback\nOSError: 5")
    author.conclude("It responds to red.", {"red object": 1.9, "striped object": 0.9}, [1, 4])
    return author.study


def shown(ledger, study):
    out = io.StringIO()
    show_study(ledger, study, Console(file=out, width=160))
    return out.getvalue()


def test_the_terminal_shows_verdict_fates_experiments_and_cost(ledger, answered):
    text = shown(ledger, answered)
    score = ledger.scores(answered)["explanation"]
    for part in ("It responds to red.", "1.9*[red object] + 0.9*[striped object]", "grade causal",
                 f"{score.pearson:.2f}", "#4: mean difference", "untested", "OSError: 5",
                 "Drew 6 scenes with ‘red object’.", "of 20 rounds", "stop: answered"):  # fmt: skip
        assert part in text
    assert "unsupported" not in text


def test_markup_in_what_others_wrote_is_not_obeyed(ledger):
    study = example_study.hostile(ledger, "[bold red]boo[/] [link=file:///]x")
    assert "[bold red]boo[/] [link=file:///]x" in shown(ledger, study)


def test_a_study_that_has_not_ended_is_shown_as_such(ledger):
    assert "has not ended yet" in shown(ledger, example_study.unfinished(ledger))
    lost = example_study.unfinished(ledger, "lab failed", "2 calls in a row lost their lab")
    assert "2 calls in a row lost their lab" in shown(ledger, lost)


def test_json_of_an_answer(ledger, answered):
    out, score = study_json(ledger, answered), ledger.scores(answered)["explanation"]
    assert list(out) == KEYS
    assert out["verdict"] == out["stop"] == "answered"
    assert out["form"]["written"] == "1.9*[red object] + 0.9*[striped object]"
    assert out["evidence"] == [1, 4, 6]
    assert out["score"] == {
        "pearson": score.pearson, "ci": [score.ci_low, score.ci_high],
        "floor": score.detail["shuffled"], "ceiling": 0.963, "n": 40,
    }  # fmt: skip
    assert [set(c) for c in out["concepts"]] == [{"phrase", "precision", "recall"}] * 2
    assert set(out["cost"]) == {"rounds", "calls", "seconds"}
    assert out["cost"]["calls"] == 4


def test_json_of_a_study_without_an_answer(ledger):
    out = study_json(ledger, example_study.unfinished(ledger, "cancelled"))
    assert list(out) == KEYS
    assert (out["stop"], out["verdict"], out["text"], out["score"]) == ("cancelled", *[None] * 3)
    assert out["concepts"] == out["evidence"] == out["exceptions"] == []


@pytest.mark.parametrize("tell", [study_json, shown])
def test_there_is_nothing_to_say_of_no_study(ledger, tell):
    with pytest.raises(LedgerError, match="no study 999"):
        tell(ledger, 999)
