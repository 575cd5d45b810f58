# ruff: noqa: E501 (tables are read by the row)
"""What can become of a character, and the tests by which characters are told apart."""

from __future__ import annotations

from hubel.agent.planners.strings.steps import CLASSES, V

#: What can become of the character ``c`` at place ``i`` of ``x``: cost, source, words.
BECOMES: list[tuple[float, str, str]] = [
    (0.2, "c", "kept"), (0.5, "''", "left out"), (1.0, "c * 2", "doubled"), (1.5, "c * 3", "tripled"),
    (0.8, "c.upper()", "in upper case"), (0.8, "c.lower()", "in lower case"),
    (1.0, "c.swapcase()", "with its case swapped"), (2.0, "mirror(c)", "mirrored in the alphabet"),
    (2.0, "next_in(c, 'aeiou', 1)", "as the next vowel"),
    (2.5, "next_in(c, 'aeiou', -1)", "as the vowel before"),
    (2.0, "str(ord(c))", "as its code"), (2.0, "str(rank(c))", "as its place in the alphabet"),
    (2.0, "str(i)", "as its place from 0"), (2.0, "str(i + 1)", "as its place"),
    (2.5, "str(len(x) - i)", "as its place from the end"),
    (2.5, "str(x.count(c))", "as its count"),
    (2.5, "c + str(x.count(c))", "with its count"),
    (2.5, "c + str(i)", "with its place from 0"), (2.5, "c + str(i + 1)", "with its place"),
    (2.5, "str(i) + c", "after its place from 0"), (2.5, "str(i + 1) + c", "after its place"),
    (2.5, "c * (i + 1)", "repeated by its place"), (2.5, "c * i", "repeated by its place from 0"),
    (2.5, "c * x.count(c)", "repeated by its count"),
    (2.0, "x[-1 - i]", "replaced by its opposite"), (2.0, "x[i - 1]", "replaced by the one before"),
    (2.0, "x[(i + 1) % len(x)]", "replaced by the next"), (2.2, "x[0]", "replaced by the first character"),
    (2.2, "x[-1]", "replaced by the last character"), (2.5, "x[i + 1:i + 2]", "replaced by the next, if any"),
    (2.5, "x[i - 1:i]", "replaced by the one before, if any"),
    (2.5, "x[:i + 1]", "replaced by all up to it"), (2.5, "x[i:]", "replaced by all from it on"),
    (2.5, "c.upper() + c.lower()", "in both cases"), (2.5, "c.lower() + c.upper()", "in both cases, small first"),
    (2.5, "chr(ord(c) + 1)", "as the next code"), (2.5, "chr(ord(c) - 1)", "as the code before"),
    (2.5, "next_in(c, '0123456789', 1)", "as the next digit"),
    (2.5, "next_in(c, '0123456789', -1)", "as the digit before"),
    (3.0, "str(9 - int(c))", "as its difference from 9"), (3.0, "str(int(c) * 2)", "as twice itself"),
    (2.5, "spell_digits(c)", "in words"), (3.0, "next_in(c, 'bcdfghjklmnpqrstvwxyz', 1)", "as the next consonant"),
    (3.0, "next_in(c, 'bcdfghjklmnpqrstvwxyz', -1)", "as the consonant before"),
    (2.5, "shift(c, i)", "moved on by its place from 0"), (2.5, "shift(c, i + 1)", "moved on by its place"),
    (3.0, "shift(c, -i)", "moved back by its place from 0"), (3.0, "shift(c, -i - 1)", "moved back by its place"),
    (3.0, "shift(c, len(x))", "moved on by the length"),
    *((1.6 + 0.1 * abs(k), f"shift(c, {k})", f"moved by {k:+d}") for k in range(-12, 14) if k),
]  # fmt: skip

#: Tests of the character ``c`` at place ``i`` of ``x``: cost, source, words.
WHERE: list[tuple[float, str, str]] = [
    *((1.0 + 0.1 * k, t, f"of the {n}") for k, (n, t) in enumerate(CLASSES.items())),
    (1.5, "i % 2 == 0", "at even places from 0"), (1.5, "i == 0", "at the start"),
    (1.5, "i == len(x) - 1", "at the end"), (2.0, "i in (0, len(x) - 1)", "at both ends"),
    (2.0, "i % 3 == 0", "at every third place from the first"),
    (2.2, "i % 3 == 1", "at every third place from the second"),
    (2.0, "i % 3 == 2", "at every third place"), (2.5, "i % 4 == 3", "at every fourth place"),
    (2.0, "i < len(x) // 2", "in the first half"), (2.2, "i < (len(x) + 1) // 2", "in the first half and the middle"),
    (2.5, "i == len(x) // 2", "in the middle"), (2.5, "i == (len(x) - 1) // 2", "in the middle (left)"),
    (2.5, "i < 2", "among the first two"), (2.5, "i < 3", "among the first three"),
    (2.5, "i >= len(x) - 2", "among the last two"), (2.5, "i >= len(x) - 3", "among the last three"),
    (2.5, "len(x) % 2 and i == len(x) // 2", "in the very middle"),
    (3.0, "len(x) % 2 and len(x) > 1 and i == len(x) // 2", "in the very middle of more than one"),
    (2.5, "len(x) % 2 == 0 and i == len(x) // 2", "in the middle of even lengths"),
    (2.5, "i == 1", "second"), (2.7, "i == 2", "third"), (2.7, "i == len(x) - 2", "last but one"),
    (2.5, "c in x[:i]", "that came before"), (2.5, "c in x[i + 1:]", "that come again"),
    (2.5, "x[i - 1:i] == c", "equal to the one before"), (2.5, "x[i + 1:i + 2] == c", "equal to the next"),
    (2.2, "i == 0 or x[i - 1] == ' '", "at the start of a word"),
    (2.5, "x[i + 1:i + 2] in ('', ' ')", "at the end of a word"),
    (2.5, f"i > 0 and x[i - 1] in '{V}'", "after a vowel"),
    (2.8, f"i > 0 and x[i - 1].isalpha() and x[i - 1] not in '{V}'", "after a consonant"),
    (2.5, f"x[i + 1:i + 2] != '' and x[i + 1] in '{V}'", "before a vowel"),
    (2.8, f"x[i + 1:i + 2].isalpha() and x[i + 1] not in '{V}'", "before a consonant"),
    (2.8, "i > 0 and c > x[i - 1]", "greater than the one before"),
    (2.8, "x[i + 1:i + 2] > c", "less than the next"),
    (2.5, "rank(c) % 2 == 0", "with even places in the alphabet"), (2.5, "ord(c) % 2 == 0", "with even codes"),
    (2.5, "rank(c) % 2 == 1", "with odd places in the alphabet"),
    (2.5, "c == x[0]", "equal to the first"), (2.5, "c == x[-1]", "equal to the last"),
    (3.0, "c in '02468'", "even digits"), (3.0, "c in '13579'", "odd digits"),
    (2.5, "c.lower() in 'aeiouy'", "of the vowels with y"),
    (2.5, f"c in '{V}' and i % 2 == 0", "vowels at even places"),
    (3.0, "sum(d == ' ' for d in x[:i]) % 2 == 1", "in every second word"),
    *((2.5 if c in "aeiost" else 3.0, f"c == {c!r}", f"equal to {c!r}") for c in "abcdefghijklmnopqrstuvwxyz"),
    *((3.2, f"c.lower() == {c!r}", f"equal to {c!r} in any case") for c in "aeiost"),
]  # fmt: skip
THREE = (
    (f"c in '{V}'", "c.isalpha()"), ("c.isupper()", "c.islower()"), ("c.isalpha()", "c.isdigit()"),
    ("c.isdigit()", f"c in '{V}'"), ("i == 0", "i == len(x) - 1"), ("i % 3 == 0", "i % 3 == 1"),
    ("c == ' '", "i % 2 == 0"), ("not c.isalpha()", "i % 2 == 0"),
    ("c == ' '", f"c in '{V}'"), ("c.isdigit()", "c.isupper()"), ("not c.isalpha()", "c.lower() <= 'm'"),
)  # fmt: skip
