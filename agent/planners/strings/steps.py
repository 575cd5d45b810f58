# ruff: noqa: E501 (tables are read by the row)
"""Steps from string to string: characters, positions, order, case."""

from __future__ import annotations

from hubel.agent.planners.strings.general import GENERAL
from hubel.agent.planners.strings.terms import Prim, prim

V, C = "aeiouAEIOU", "bcdfghjklmnpqrstvwxyzBCDFGHJKLMNPQRSTVWXYZ"
#: Classes of characters: what they are called, and the test of ``c``.
CLASSES = {
    "vowels": f"c in '{V}'",
    "consonants": f"c in '{C}'",
    "letters": "c.isalpha()",
    "digits": "c.isdigit()",
    "capitals": "c.isupper()",
    "small letters": "c.islower()",
    "spaces": "c == ' '",
    "punctuation marks": "not (c.isalnum() or c.isspace())",
    "letters and digits": "c.isalnum()",
    "letters of the first half of the alphabet": "'a' <= c.lower() <= 'm'",
    "letters of the second half of the alphabet": "'n' <= c.lower() <= 'z'",
    "repeated characters": "x.count(c) > 1",
    "characters that occur once": "x.count(c) == 1",
    "small vowels": "c in 'aeiou'",
    "letters but small vowels": "c.isalpha() and c not in 'aeiou'",
    "vowels and y": "c in 'aeiouyAEIOUY'",
}
_PLACES = {
    "0": "first", "1": "second", "2": "third", "3": "fourth", "-1": "last",
    "-2": "last but one", "len(x) // 2": "middle", "(len(x) - 1) // 2": "middle (left)",
}  # fmt: skip


def class_steps() -> list[Prim]:
    """What can be done with one class of characters."""
    out = []
    for k, (name, test) in enumerate(CLASSES.items()):
        extra = 0.12 * k

        def add(cost: float, source: str, noun: str, e: float = extra, t: str = test) -> None:
            out.append(prim(cost + e, source.replace("TEST", t), noun))

        kept = "''.join(c for c in x if TEST)"
        gone = "''.join(c for c in x if not (TEST))"
        found = "[c for c in x if TEST]"
        add(2.5, kept, f"the {name} of _")
        add(2.5, gone, f"_ without its {name}")
        add(4.0, f"{kept} + {gone}", f"the {name} of _, then the rest")
        add(4.0, f"{gone} + {kept}", f"_ with its {name} moved to the end")
        add(3.5, "''.join(c * 2 if TEST else c for c in x)", f"_ with its {name} doubled")
        add(4.5, "''.join(c * 3 if TEST else c for c in x)", f"_ with its {name} tripled")
        add(3.2, "''.join(c.upper() if TEST else c for c in x)", f"_ with its {name} in capitals")
        add(4.0, "''.join(c.upper() if TEST else c.lower() for c in x)",
            f"_ with its {name} in capitals and the rest small")  # fmt: skip
        add(4.0, "''.join(c.lower() if TEST else c.upper() for c in x)",
            f"_ with its {name} small and the rest in capitals")  # fmt: skip
        add(4.0, "''.join(c.swapcase() if TEST else c for c in x)",
            f"_ with the case of its {name} swapped")  # fmt: skip
        add(3.5, f"{found}[0]", f"the first of the {name} of _")
        add(3.5, f"{found}[-1]", f"the last of the {name} of _")
        add(3.9, f"''.join({found}[:1])", f"the first of the {name} of _, if any")
        add(3.9, f"''.join({found}[-1:])", f"the last of the {name} of _, if any")
        s = f"''.join(c for c in x if {test})"
        f = f"[c for c in x if {test}]"
        add(4.5, f"refill(x, {s}, {f}[::-1])", f"_ with its {name} in reverse order")
        add(4.5, f"refill(x, {s}, sorted({f}))", f"_ with its {name} sorted")
        add(5.0, f"x.replace({f}[0], '', 1) if {f} else x", f"_ without the first of its {name}")
        add(5.0, f"x[:next((i for i, c in enumerate(x) if {test}), len(x))]",
            f"_ up to the first of its {name}")  # fmt: skip
        add(5.0, f"x[next((i for i, c in enumerate(x) if {test}), len(x)):]",
            f"_ from the first of its {name} on")  # fmt: skip
    return out


def place_steps() -> list[Prim]:
    """What can be done at one place, and slices."""
    out = []
    for k, (i, name) in enumerate(_PLACES.items()):
        e = 0.2 * k
        out += [
            prim(2.0 + e, f"x[{i}]", f"the {name} character of _"),
            prim(2.5 + e, f"at(x, {i})", f"the {name} character of _, if any"),
            prim(3.0 + e, f"place(x, {i}, '')", f"_ without its {name} character"),
            prim(3.5 + e, f"place(x, {i}, at(x, {i}).upper())",
                 f"_ with its {name} character in upper case"),
            prim(4.0 + e, f"place(x, {i}, at(x, {i}).lower())",
                 f"_ with its {name} character in lower case"),
            prim(4.0 + e, f"place(x, {i}, at(x, {i}).swapcase())",
                 f"_ with the case of its {name} character swapped"),
            prim(4.0 + e, f"place(x, {i}, at(x, {i}) * 2)", f"_ with its {name} character doubled"),
            prim(4.5 + e, f"place(x, {i}, at(x, {i}) * 3)", f"_ with its {name} character tripled"),
            prim(4.5 + e, f"x.replace(x[{i}], '')", f"_ without any {name} character"),
            prim(5.0 + e, f"x.replace(at(x, {i}), at(x, {i}).upper())",
                 f"_ with its {name} character in capitals wherever it occurs"),
            prim(4.0 + e, f"at(x, {i}) * len(x)", f"the {name} character of _, as often as _ is long"),
        ]  # fmt: skip
    for n in range(2, 8):
        e = 0.18 * n
        out += [
            prim(1.6 + e, f"x[:{n}]", f"the first {n} characters of _"),
            prim(1.6 + e, f"x[-{n}:]", f"the last {n} characters of _"),
            prim(1.6 + e, f"x[{n}:]", f"_ without its first {n} characters"),
            prim(1.6 + e, f"x[:-{n}]", f"_ without its last {n} characters"),
            prim(1.6 + e, f"x[::{n}]", f"every {ORDER[n]} character of _, from the first on"),
            prim(2.0 + e, f"x[{n - 1}::{n}]", f"every {ORDER[n]} character of _"),
            prim(2.0 + e, f"x[{n}:] + x[:{n}]", f"_ rotated left by {n}"),
            prim(2.0 + e, f"x[-{n}:] + x[:-{n}]", f"_ rotated right by {n}"),
            prim(1.8 + e, f"x * {n}", f"_ repeated {n} times"),
            prim(2.8 + e, f"' '.join([x] * {n})", f"_ repeated {n} times with spaces"),
            prim(2.0 + e, f"''.join(c * {n} for c in x)", f"_ with each character {n} times"),
            prim(3.0 + e, f"''.join(c for i, c in enumerate(x) if (i + 1) % {n})",
                 f"_ without every {ORDER[n]} character"),
            prim(4.0 + e, f"''.join(x[i:i + {n}][::-1] for i in range(0, len(x), {n}))",
                 f"_ with each group of {n} characters reversed"),
            prim(4.0 + e, f"' '.join(x[i:i + {n}] for i in range(0, len(x), {n}))",
                 f"_ in groups of {n} characters"),
            prim(3.5 + e, f"x[:{n}][::-1] + x[{n}:]", f"_ with its first {n} characters reversed"),
            prim(3.5 + e, f"x[:-{n}] + x[-{n}:][::-1]", f"_ with its last {n} characters reversed"),
            prim(3.5 + e, f"x[:{n}].upper() + x[{n}:]", f"_ with its first {n} characters in capitals"),
            prim(4.0 + e, f"x[:-{n}] + x[-{n}:].upper()", f"_ with its last {n} characters in capitals"),
        ]  # fmt: skip
        if n < 6:
            out.append(
                prim(2.2 + e, f"x[{n - 1}:-{n - 1}]", f"_ without {n - 1} characters at each end")
            )
    return out


ORDER = {2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh"}


def general_steps() -> list[Prim]:
    """What is done with a string as a whole."""
    out = [prim(*row) for row in GENERAL[1:]]
    out += [
        prim(3.0 + 0.15 * abs(k), f"shift(x, {k})", f"_ with each letter moved by {k:+d}")
        for k in range(-12, 13)
        if k
    ]
    return out


def _found_steps() -> list[Prim]:
    """What is done up to, from and after the first or last occurrence of one character."""
    out = []
    for c in "aeiostrnl bcdfghjkmpquvwxyz-.,'":
        k, e = repr(c), 0.0 if c in "aeio " else 0.6 if c in "strnl" else 1.2
        out += [
            prim(3.0 + e, f"x.partition({k})[0]", f"_ up to the first {k}"),
            prim(3.2 + e, f"x.partition({k})[2]", f"what follows the first {k} in _"),
            prim(3.8 + e, f"x.split({k})[-1]", f"what follows the last {k} in _, or all"),
            prim(3.8 + e, f"x[x.find({k}):] if {k} in x else x", f"_ from the first {k} on"),
            prim(4.0 + e, f"x[x.find({k}) + 1:]", f"what follows the first {k} in _, or all"),
            prim(3.2 + e, f"x.replace({k}, '')", f"_ without {k}"),
            prim(3.5 + e, f"x.replace({k}, {k} * 2)", f"_ with {k} doubled"),
            prim(3.5 + e, f"x.replace({k}, {k.upper()})", f"_ with {k} in capitals"),
            prim(4.0 + e, f"x.replace({k}, '', 1)", f"_ without the first {k}"),
            prim(4.0 + e, f"{k}.join(x.split({k})[::-1])", f"_ cut at each {k}, the pieces in reverse order"),
        ]  # fmt: skip
    return out


GROUPS = (("[aeiouAEIOU]+", "groups of vowels"), ("[^aeiouAEIOU\\W\\d_]+", "groups of consonants"),
           ("[aeiou]+", "groups of small vowels"), ("\\d+", "numbers"), ("[A-Z]+", "groups of capitals"),
           ("[A-Za-z]+", "groups of letters"), ("[^A-Za-z0-9]+", "groups of spaces and marks"),
           ("[^A-Za-z]+", "groups of what is no letter"), ("[^aeiouAEIOU\\s]+", "groups of what is no vowel and no space"))  # fmt: skip


def _group_steps() -> list[Prim]:
    """What is done with groups of neighbours of one class."""
    out = []
    for n, (pattern, name) in enumerate(GROUPS):
        p, e = f"r'{pattern}'", 0.2 * n
        out += [
            prim(4.5 + e, f"re.sub({p}, lambda m: m.group()[::-1], x)", f"_ with its {name} reversed"),
            prim(4.5 + e, f"re.sub({p}, lambda m: m.group()[0], x)", f"_ with its {name} cut to one character"),
            prim(5.0 + e, f"re.sub({p}, lambda m: str(len(m.group())), x)", f"_ with its {name} as their lengths"),
            prim(4.0 + e, f"''.join(re.findall({p}, x)[:1])", f"the first of the {name} of _"),
            prim(4.0 + e, f"''.join(re.findall({p}, x)[-1:])", f"the last of the {name} of _"),
            prim(4.0 + e, f"max(re.findall({p}, x), key=len)", f"the longest of the {name} of _"),
            prim(4.5 + e, f"' '.join(re.findall({p}, x))", f"the {name} of _, spaced"),
        ]  # fmt: skip
    return out


def char_steps() -> list[Prim]:
    """All steps of this file."""
    return general_steps() + class_steps() + place_steps() + _found_steps() + _group_steps()
