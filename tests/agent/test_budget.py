import pytest

from hubel.agent.budget import Budget


def test_parses_what_is_given_and_keeps_the_rest():
    assert Budget.parse("calls=3, seconds=1.5") == Budget(calls=3, seconds=1.5)
    assert Budget.parse("") == Budget()


@pytest.mark.parametrize("text", ["call=3", "calls", "calls=0", "seconds=inf", "rounds=-1", "x"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(ValueError, match=r"budget has no|write"):
        Budget.parse(text)


def test_what_is_left_is_never_below_zero():
    left = Budget(rounds=2, calls=3, seconds=10).left(rounds=5, calls=1, seconds=2.5)
    assert left == {"rounds": 0.0, "calls": 2.0, "seconds": 7.5}
