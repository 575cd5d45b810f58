"""What the strings explorer reads off examples: cuts, amounts, places, and what does not matter."""

import pytest
from tests.agent.test_strings_explorer import agreement, explored

from hubel.agent.planners.strings.among import among
from hubel.agent.planners.strings.amounts import amounts, swaps
from hubel.agent.planners.strings.cuts import in_two
from hubel.agent.planners.strings.data import Data, Pool
from hubel.agent.planners.strings.narrow import narrowings
from hubel.agent.planners.strings.probes import FIXED
from hubel.agent.planners.strings.terms import IDENTITY, prim

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def moved(text, k):
    out = ""
    for c in text:
        if c.isascii() and c.isalpha():
            base = 65 if c.isupper() else 97
            c = chr((ord(c) - base + k) % 26 + base)
        out += c
    return out


def capitals_from_the_first_o(x):
    """A cut where the input says, and one part changed."""
    return x[: x.find("o")] + x[x.find("o") :].upper() if "o" in x else x


def moved_by_the_third_letter(x):
    """How far is measured on the input."""
    third = x[2:3].lower()
    return moved(x, ord(third) - 96) if "a" <= third <= "z" else x


def third_and_sixth_exchanged(x):
    """Two places, unchanged where one of them is missing."""
    y = list(x)
    if len(x) > 5:
        y[2], y[5] = y[5], y[2]
    return "".join(y)


def once_twice_three_times(x):
    """Three rules by the place, each of which many others resemble at first."""
    return "".join(c * (1 + i % 3) for i, c in enumerate(x))


def letters_counted_and_the_name_changed(x):
    """Only a count decides, and what becomes of its name is a rule for each place; above ten undefined."""
    name = NAMES[sum(c.isupper() for c in x)]
    return moved(name[0], 2) + name[1:]


def asked_back(x):
    """A condition that one of the fixed inputs meets."""
    return "so: " + x if x.endswith("?") else x + "!!"


def stuttered(x):
    """Each word is joined of parts of it."""
    return " ".join(w[0] + "-" + w for w in x.split())


def ranked(x):
    """What a word becomes hangs on the others."""
    return " ".join(f"{sorted(x.split()).index(w) + 1}:{w}" for w in x.split())


def switched(x):
    """A character does what it does for those after it, too."""
    return "".join(c.upper() if x[: i + 1].count("r") % 2 else c for i, c in enumerate(x))


def bare(x):
    """What becomes of each mark is seen where it stands alone."""
    return "".join(c for c in x.lower() if c not in ".,!?'").replace(" ", "_")


def pattern_in_codes(x):
    """What was written can be read back, and is then a rule for each character."""
    return "-".join(str(ord("v" if c in "aeiouAEIOU" else "k")) for c in x if c.isalpha())


def joined_and_reversed(x):
    """What was put in is of letters that inputs have, too, and backwards."""
    return " and so ".join(x.split())[::-1]


def a_small_vowel_first(x):
    """The condition is of a class in one case, and the other side is joined of three pieces."""
    letters = sum(c.isalpha() for c in x)
    return x.upper() if x[:1] in tuple("aeiou") else f"{letters} of {len(x)}"


def long_words_of_the_rest(x):
    """A side that keeps some words."""
    few = sum(c in "aeiouAEIOU" for c in x) < 3
    return " ".join(w for w in x.split() if len(w) > 3) if few else x[::-1]


def palindromes_sorted(x):
    """Most inputs are left as they are, which meets a side of nearly every test."""
    return "".join(sorted(x)) if x == x[::-1] else switched(x)


@pytest.mark.parametrize(
    "law",
    [
        capitals_from_the_first_o,
        moved_by_the_third_letter,
        third_and_sixth_exchanged,
        once_twice_three_times,
        letters_counted_and_the_name_changed,
        stuttered,
        ranked,
        switched,
        pattern_in_codes,
        joined_and_reversed,
        a_small_vowel_first,
        long_words_of_the_rest,
        pytest.param(palindromes_sorted, marks=pytest.mark.slow),
        pytest.param(bare, marks=pytest.mark.slow),
    ],
)
def test_planted_laws_are_read_off(law):
    finding, asked = explored(law)
    assert agreement(finding, law) >= 0.99
    assert finding.confidence > 0.9
    assert len(asked) <= 200


def test_a_condition_that_one_fixed_input_meets_is_found():
    finding, asked = explored(asked_back)
    assert sum(x.endswith("?") for x in asked) > 10
    assert agreement(finding, asked_back) >= 0.99
    assert not finding.outside


def test_nothing_is_read_off_what_no_number_measures_and_no_cut_explains():
    def law(x):
        return moved(x, sum((i + 3) * ord(c) for i, c in enumerate(x)) % 97)

    data = Data(FIXED, tuple(map(law, FIXED)))
    pool = Pool(FIXED)
    pool.extend(IDENTITY, FIXED, [prim(1.0, "x.lower()", "_"), prim(1.0, "str(len(x))", "_")])
    assert among(data) == []
    assert amounts(data) == []
    assert swaps(data) == []
    assert in_two(data) == []
    assert narrowings(data, pool) == []
