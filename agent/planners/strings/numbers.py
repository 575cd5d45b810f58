# ruff: noqa: E501 (tables are read by the row)
"""Steps from string to whole number, from number to string, and tests of strings."""

from __future__ import annotations

import itertools

from hubel.agent.planners.strings.steps import CLASSES, C, V
from hubel.agent.planners.strings.terms import Prim, prim

_COUNTS: tuple[tuple[float, str, str], ...] = (
    (1.0, "len(x)", "the length of _"),
    (1.5, "len(x.split())", "the number of words of _"),
    (2.5, "len(set(x))", "the number of different characters of _"),
    (3.0, "len(set(x.lower()))", "the number of different characters of _, whatever their case"),
    (3.0, "len({c for c in x.lower() if c.isalpha()})", "the number of different letters of _"),
    (3.0, "len(set(x.split()))", "the number of different words of _"),
    (3.0, "len(runs(x))", "the number of runs of _"),
    (3.0, "max(len(w) for w in x.split())", "the length of the longest word of _"),
    (3.5, "min(len(w) for w in x.split())", "the length of the shortest word of _"),
    (3.0, "len(x.split()[0])", "the length of the first word of _"),
    (3.0, "len(x.split()[-1])", "the length of the last word of _"),
    (3.5, "max(x.count(c) for c in x)", "the count of the commonest character of _"),
    (3.5, "max(len(r) for r in runs(x))", "the length of the longest run of _"),
    (3.0, "sum(rank(c) for c in x)", "the sum of the places of the letters of _ in the alphabet"),
    (3.0, "sum(ord(c) for c in x)", "the sum of the character codes of _"),
    (3.0, "sum(int(c) for c in x if c in '0123456789')", "the sum of the digits of _"),
    (4.0, "max((int(c) for c in x if c in '0123456789'), default=0)", "the greatest digit of _"),
    (3.0, "int(x)", "_ as a number"),
    (4.0, "int(''.join(c for c in x if c in '0123456789') or 0)", "the digits of _ as a number"),
    (2.5, "ord(x[0])", "the code of the first character of _"),
    (3.0, "ord(x[-1])", "the code of the last character of _"),
    (2.5, "rank(x[0])", "the place of the first letter of _ in the alphabet"),
    (3.0, "rank(x[-1])", "the place of the last letter of _ in the alphabet"),
    (3.5, "x.count(x[0])", "how often the first character of _ occurs"),
    (4.0, "x.count(x[-1])", "how often the last character of _ occurs"),
    (3.5, "sum(a == b for a, b in zip(x, x[1:]))", "the number of equal neighbours in _"),
    (4.0, "sum(a < b for a, b in zip(x, x[1:]))", "the number of rising neighbours in _"),
    (4.0, "sum(a != b for a, b in zip(x, x[::-1])) // 2", "the number of mismatches of _ with its reverse"),
    (4.0, f"next(i for i, c in enumerate(x) if c in '{V}')", "the place of the first vowel of _"),
    (4.5, "sum(w[0].isupper() for w in x.split())", "the number of capitalised words of _"),
    (4.5, "sum(len(w) for w in x.split()) // len(x.split())", "the mean word length of _"),
    (4.0, "sum(c in '.,;:!?' for c in x)", "the number of stops and commas of _"),
    (4.0, "len(re.findall('[aeiouy]+', x.lower()))", "the number of vowel groups (syllables) of _"),
    (4.0, "len(re.findall('[aeiou]+', x.lower()))", "the number of vowel groups of _"),
    (4.5, "len({c for c in x.lower() if c in 'aeiou'})", "the number of different vowels of _"),
)  # fmt: skip


def counts() -> list[Prim]:
    """Whole numbers measured on a string."""
    out = [prim(*row) for row in _COUNTS]
    for k, (name, test) in enumerate(CLASSES.items()):
        if "x.count" not in test:
            out.append(
                prim(1.8 + 0.15 * k, f"sum({test} for c in x)", f"the number of {name} of _")
            )
    for c in "aeiostnrl":
        out.append(prim(3.5, f"x.count({c!r})", f"how often {c!r} occurs in _"))
        out.append(
            prim(4.0, f"x.lower().count({c!r})", f"how often {c!r} occurs in _, whatever its case")
        )
    return out


#: From a number to a string.
WRITTEN: tuple[tuple[float, str, str], ...] = (
    (0.5, "str(x)", "_"),
    (2.0, "number_words(x)", "_ in words"),
    (2.5, "ordinal(x)", "_ as an ordinal"),
    (3.0, "ordinal_word(x)", "_ as an ordinal in words"),
    (3.0, "roman(x)", "_ in Roman numerals"),
    (3.0, "format(x, 'b')", "_ in binary"),
    (3.5, "format(x, 'x')", "_ in hexadecimal"),
    (3.5, "chr(x)", "the character with the code _"),
    (3.5, "chr(96 + x) if 1 <= x <= 26 else ''", "the letter in place _ of the alphabet"),
    (3.5, "'abcdefghijklmnopqrstuvwxyz'[x % 26]", "the letter in place _ of the alphabet, from 0, round"),
    (3.0, "str(x)[::-1]", "_ backwards"),
    (3.5, "str(x).zfill(2)", "_ in two digits"),
    (3.5, "str(x).zfill(3)", "_ in three digits"),
    (3.0, "'*' * x", "_ asterisks"),
    (3.5, "'even' if x % 2 == 0 else 'odd'", "whether _ is even or odd"),
    (3.5, "number_words(x).capitalize()", "_ in capitalised words"),
    (3.5, "number_words(x).upper()", "_ in words in capitals"),
)  # fmt: skip

_TESTS: tuple[tuple[float, str, str], ...] = (
    (2.0, "x == x[::-1]", "the input reads the same both ways"),
    (3.0, "x.lower() == x.lower()[::-1]", "the input reads the same both ways, whatever its case"),
    (1.5, "x.isupper()", "the input is in capitals"),
    (1.5, "x.islower()", "the input is in small letters"),
    (2.0, "x.istitle()", "the input is in title case"),
    (1.5, "x.isalpha()", "the input is all letters"),
    (1.5, "x.isdigit()", "the input is all digits"),
    (2.0, "x.isalnum()", "the input is all letters and digits"),
    (2.0, "x[:1] == x[-1:]", "the first and last characters are equal"),
    (2.5, "x[:1].lower() == x[-1:].lower()", "the first and last letters are equal, whatever their case"),
    (2.5, "x[:1] < x[-1:]", "the first character comes before the last"),
    (2.5, "any(a == b for a, b in zip(x, x[1:]))", "the input has a doubled character"),
    (2.5, "len(set(x)) == len(x)", "no character occurs twice"),
    (3.0, "len(set(x.lower())) == len(x)", "no letter occurs twice, whatever its case"),
    (2.5, "''.join(sorted(x)) == x", "the characters are in order"),
    (3.5, "''.join(sorted(x, reverse=True)) == x", "the characters are in falling order"),
    (2.5, f"sum(c in '{V}' for c in x) > sum(c in '{C}' for c in x)", "there are more vowels than consonants"),
    (3.0, f"sum(c in '{V}' for c in x) == sum(c in '{C}' for c in x)", "there are as many vowels as consonants"),
    (3.0, "sum(c.isupper() for c in x) > sum(c.islower() for c in x)", "there are more capitals than small letters"),
    (3.5, "sum(c.isdigit() for c in x) > sum(c.isalpha() for c in x)", "there are more digits than letters"),
    (3.0, "x[:1].lower() > 'm'", "the first letter is of the second half of the alphabet"),
    (3.5, "rank(x[:1] or ' ') % 2 == 0", "the first letter has an even place in the alphabet"),
    (3.0, "any(c in '.!?' for c in x)", "the input has a full stop, exclamation or question mark"),
    (3.5, "x.split() == sorted(x.split())", "the words are in alphabetical order"),
    (3.5, "len(x.split()) != len(set(x.split()))", "a word is repeated"),
    (3.0, "all(w[:1].isupper() for w in x.split())", "each word is capitalised"),
    (3.0, "all(c.lower() in 'aeiou' for c in x)", "the input is all vowels"),
)  # fmt: skip


def tests() -> list[Prim]:
    """Tests of a string."""
    out = [prim(*row) for row in _TESTS]
    for k, (name, test) in enumerate(CLASSES.items()):
        if "x.count" not in test:
            out.append(prim(1.5 + 0.15 * k, f"any({test} for c in x)", f"the input has {name}"))
    for c in "abcdefghijklmnopqrstuvwxyz":
        e = 0.0 if c in "aeiost" else 0.5
        out += [
            prim(2.5 + e, f"{c!r} in x", f"{c!r} is in the input"),
            prim(3.2 + e, f"{c!r} in x.lower()", f"{c!r} is in the input, whatever its case"),
            prim(3.0 + e, f"x[:1] == {c!r}", f"the input starts with {c!r}"),
            prim(
                3.5 + e,
                f"x[:1].lower() == {c!r}",
                f"the input starts with {c!r}, whatever its case",
            ),
            prim(3.0 + e, f"x[-1:] == {c!r}", f"the input ends with {c!r}"),
            prim(
                3.7 + e, f"x[-1:].lower() == {c!r}", f"the input ends with {c!r}, whatever its case"
            ),
        ]
    for c in "!?.,-_' 0123456789":
        out += [
            prim(3.0, f"{c!r} in x", f"{c!r} is in the input"),
            prim(3.2, f"x[:1] == {c!r}", f"the input starts with {c!r}"),
            prim(3.2, f"x[-1:] == {c!r}", f"the input ends with {c!r}"),
        ]
    for i, place in enumerate(("x[:1]", "x[-1:]", "x[1:2]", "x[-2:-1]", "x[2:3]")):
        where = ("first", "last", "second", "last but one", "third")[i]
        for k, (name, test) in enumerate(CLASSES.items()):
            cost = (1.6, 1.6, 2.6, 2.8, 2.8)[i] + 0.1 * k
            source = f"any({test} for c in {place})"
            out.append(prim(cost, source, f"the {where} character is one of the {name}"))
    for w in ("the", "and", "th", "er", "in", "ch", "sh", "oo", "ee", "ll", "ss", "an", "on", "qu"):
        out.append(prim(4.0, f"{w!r} in x.lower()", f"{w!r} is in the input, whatever its case"))
    for w in ("ing", "ed", "er", "ly", "es", "un", "re"):
        side, name = ("startswith", "starts") if w in ("un", "re") else ("endswith", "ends")
        out.append(prim(4.0, f"x.{side}({w!r})", f"the input {name} with {w!r}"))
    return out


def thresholds(count: Prim, values: list[int]) -> list[Prim]:
    """Tests made of a number: above each value that parts the data, parity, multiples of 3."""
    seen = sorted(set(values))
    what, source = count.noun.replace("_", "the input"), count.source
    out = []
    for low, high in itertools.pairwise(seen):
        at = high - 1 if high - low < 3 else (low + high) // 2
        out.append(
            prim(
                count.cost + 1 + 0.08 * min(abs(at), 20),
                f"{source} > {at}",
                f"{what} is above {at}",
            )
        )
    base = count.cost
    out += [
        prim(base + 1.6 + 0.1 * min(abs(v), 20), f"{source} == {v}", f"{what} is {v}")
        for v in seen[:8]
    ]
    out.append(prim(base + 0.6, f"{source} % 2 == 0", f"{what} is even"))
    out += [
        prim(base + 1.6 + 0.3 * r, f"{source} % 3 == {r}", f"{what} leaves {r} by 3")
        for r in range(3)
    ]
    return out


#: Counts that may be huge: nothing is repeated so often.
LARGE = ("int(", "sum(ord", "sum(int")


def by_number() -> list[Prim]:
    """Steps that do something as often, or as far, as a number measured on the string says."""
    out = []
    for n in counts():
        if n.source.startswith(LARGE):
            continue
        k, c, what = n.source, n.cost, n.noun.replace("_", "the input")
        out += [
            prim(c + 0.3, f"str({k})", n.noun),
            prim(c + 2.0, f"x * ({k})", f"_ as often as {what}"),
            prim(c + 2.5, f"' '.join([x] * ({k}))", f"_, spaced, as often as {what}"),
            prim(c + 2.5, f"x[:1] * ({k})", f"the first character of _ as often as {what}"),
            prim(c + 2.8, f"x[-1:] * ({k})", f"the last character of _ as often as {what}"),
            prim(c + 2.5, f"shift(x, {k})", f"_ with each letter moved on by {what}"),
            prim(c + 3.0, f"shift(x, -({k}))", f"_ with each letter moved back by {what}"),
            prim(c + 2.5, f"x[({k}) % len(x):] + x[:({k}) % len(x)]", f"_ rotated left by {what}"),
            prim(c + 3.0, f"x[-(({k}) % len(x)):] + x[:-(({k}) % len(x))]", f"_ rotated right by {what}"),
            prim(c + 2.5, f"x[({k}) % len(x)]", f"the character of _ at the place (from 0, round) of {what}"),
            prim(c + 2.8, f"x[({k}) - 1]", f"the character of _ at the place of {what}"),
            prim(c + 2.5, f"x[:{k}]", f"as many first characters of _ as {what}"),
            prim(c + 2.5, f"x[{k}:]", f"_ without as many first characters as {what}"),
            prim(c + 1.5, f"x + str({k})", f"_ followed by {what}"),
            prim(c + 2.0, f"str({k}) + x", f"{what}, then _"),
        ]  # fmt: skip
    return out
