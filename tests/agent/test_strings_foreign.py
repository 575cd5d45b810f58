"""The strings explorer on functions that were written without its language in mind."""

import pytest
from tests.agent.planners.strings_foreign import FOREIGN
from tests.agent.test_strings_explorer import agreement, explored

_BY_NAME = dict(FOREIGN)


@pytest.mark.parametrize(
    "name",
    [
        "letters shifted by their position",
        "digits spelled out",
        "initials with dots",
        "neighbours swapped",
        "each next vowel",
    ],
)
def test_functions_of_another_author_are_found(name):
    finding, _ = explored(_BY_NAME[name])
    assert agreement(finding, _BY_NAME[name]) >= 0.99
    assert finding.confidence > 0.9


def shortest_shouted_there_and_back(x):
    word = min(x.split(), key=len, default="").upper()
    return word + word[::-1][1:]


def threes(x):
    return " ".join(x[i : i + 3] for i in range(len(x) - 2))


def listed_backwards(x):
    return ", ".join(w[:-1] + w[-1].upper() for w in x.split()[::-1])


@pytest.mark.parametrize("law", [shortest_shouted_there_and_back, threes, listed_backwards])
def test_three_steps_and_pieces_are_found(law):
    finding, asked = explored(law)
    assert agreement(finding, law) >= 0.99
    assert finding.confidence > 0.9
    assert len(asked) > 150  # what is left of the budget goes into inputs that could refute it


def test_tests_that_look_alike_are_told_apart():
    """Most inputs that start with a digit are all digits; the explorer has to ask for the others."""

    def law(x):
        return x[: len(x) // 2] if x[:1].isdigit() else x[::-1]

    finding, _ = explored(law)
    assert agreement(finding, law) >= 0.99


def test_a_law_beyond_the_language_is_not_claimed():
    def law(x):
        total = 7
        for i, c in enumerate(x):
            total = (31 * total + (i + 3) * ord(c)) % 9973
        return f"{total:04d}"

    finding, _ = explored(law)
    assert finding.outside
    assert finding.confidence <= 0.5
    assert finding.code is None or agreement(finding, law) < 0.5


def test_a_rare_side_is_asked_about_until_it_is_known():
    """Of several words only the first decides, and the whole changes: both have to be seen."""

    def law(x):
        if x[:1].isdigit():
            return "".join(c.upper() if i % 2 == 0 else c.lower() for i, c in enumerate(x))
        return x.title()

    finding, asked = explored(law)
    assert sum(x[:1].isdigit() and " " in x for x in asked) >= 4
    assert agreement(finding, law) >= 0.99
