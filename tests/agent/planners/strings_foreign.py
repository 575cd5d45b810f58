"""Sixty string functions of another author, none of them written with the explorer's language in mind.

They are what people write for puzzles, "flash fill", code golf and text toys. `FOREIGN` keeps the order
in which they were written: the even ones were developed on, the odd ones were only looked at in the end.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import groupby

VOWELS = "aeiouAEIOU"
ROMAN = [(10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
T9 = {
    c: str(d)
    for d, cs in enumerate(["abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"], 2)
    for c in cs
}
MORSE = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        [
            ".-",
            "-...",
            "-.-.",
            "-..",
            ".",
            "..-.",
            "--.",
            "....",
            "..",
            ".---",
            "-.-",
            ".-..",
            "--",
            "-.",
            "---",
            ".--.",
            "--.-",
            ".-.",
            "...",
            "-",
            "..-",
            "...-",
            ".--",
            "-..-",
            "-.--",
            "--..",
        ],
        strict=True,
    )
)
NATO = [
    "Alpha",
    "Bravo",
    "Charlie",
    "Delta",
    "Echo",
    "Foxtrot",
    "Golf",
    "Hotel",
    "India",
    "Juliett",
    "Kilo",
    "Lima",
    "Mike",
    "November",
    "Oscar",
    "Papa",
    "Quebec",
    "Romeo",
    "Sierra",
    "Tango",
    "Uniform",
    "Victor",
    "Whiskey",
    "Xray",
    "Yankee",
    "Zulu",
]
ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def _shift(c: str, by: int) -> str:
    if not (c.isascii() and c.isalpha()):
        return c
    base = ord("a") if c.islower() else ord("A")
    return chr((ord(c) - base + by) % 26 + base)


def _roman(n: int) -> str:
    out = ""
    for value, sign in ROMAN:
        out += sign * (n // value)
        n %= value
    return out


def _pig(word: str) -> str:
    for i, c in enumerate(word):
        if c in VOWELS:
            return word + "way" if i == 0 else word[i:] + word[:i] + "ay"
    return word + "ay"


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and len(word) > 1 and word[-2] not in VOWELS:
        return word[:-1] + "ies"
    return word + "s"


FOREIGN: list[tuple[str, Callable[[str], str]]] = [
    ("pig latin word by word", lambda s: " ".join(_pig(w) for w in s.split())),
    ("run-length encoding", lambda s: "".join(c + str(len(list(g))) for c, g in groupby(s))),
    ("letters shifted by their position", lambda s: "".join(_shift(c, i) for i, c in enumerate(s))),
    ("vowels replaced by a star", lambda s: "".join("*" if c in VOWELS else c for c in s)),
    (
        "consonants doubled",
        lambda s: "".join(c * 2 if c.isalpha() and c not in VOWELS else c for c in s),
    ),
    ("letters of each word sorted", lambda s: " ".join("".join(sorted(w)) for w in s.split())),
    ("sum of the digits", lambda s: str(sum(int(c) for c in s if c in "0123456789"))),
    ("checksum: sum of codes modulo 97", lambda s: str(sum(map(ord, s)) % 97)),
    ("digits spelled out", lambda s: "".join(ONES[int(c)] if c in "0123456789" else c for c in s)),
    ("number of letters as a Roman numeral", lambda s: _roman(sum(c.isalpha() for c in s))),
    (
        "upper case for the top row of the keyboard",
        lambda s: "".join(c.upper() if c in ROWS[0] else c for c in s),
    ),
    ("phone keys", lambda s: "".join(T9.get(c, c) for c in s.lower())),
    ("morse", lambda s: " ".join(MORSE[c] for c in s.lower() if c in MORSE)),
    (
        "NATO initials spelled",
        lambda s: " ".join(NATO[ord(c) - 97] for c in s.lower() if "a" <= c <= "z"),
    ),
    ("lengths of the words", lambda s: " ".join(str(len(w)) for w in s.split())),
    ("the longest word", lambda s: max(s.split(), key=len, default="")),
    ("the shortest word in upper case", lambda s: min(s.split(), key=len, default="").upper()),
    ("acronym", lambda s: "".join(w[0] for w in s.split()).upper()),
    ("initials with dots", lambda s: "".join(w[0].upper() + "." for w in s.split())),
    (
        "camel case",
        lambda s: "".join(w.lower() if i == 0 else w.capitalize() for i, w in enumerate(s.split())),
    ),
    (
        "spongebob case",
        lambda s: "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(s)),
    ),
    ("duplicates removed, first kept", lambda s: "".join(dict.fromkeys(s))),
    ("made a palindrome", lambda s: s + s[::-1][1:]),
    ("a dash after every three", lambda s: "-".join(s[i : i + 3] for i in range(0, len(s), 3))),
    (
        "mirrored alphabet, then reversed",
        lambda s: "".join(
            chr(219 - ord(c)) if "a" <= c <= "z" else chr(155 - ord(c)) if "A" <= c <= "Z" else c
            for c in s
        )[::-1],
    ),
    ("palindrome, yes or no", lambda s: "yes" if s.lower() == s.lower()[::-1] else "no"),
    (
        "True where there are more vowels than consonants",
        lambda s: str(
            sum(c in VOWELS for c in s) > sum(c.isalpha() and c not in VOWELS for c in s)
        ),
    ),
    ("reversed where it is long", lambda s: s[::-1] if len(s) > 8 else s.upper()),
    (
        "first letter vowel: 'an ', else 'a '",
        lambda s: ("an " if s[:1] in tuple(VOWELS) else "a ") + s,
    ),
    ("first letter moved to the end", lambda s: s[1:] + s[:1]),
    ("leetspeak", lambda s: s.translate(str.maketrans("aeiostAEIOST", "431057431057"))),
    (
        "plural of the last word",
        lambda s: " ".join([*s.split()[:-1], *(_plural(w) for w in s.split()[-1:])]),
    ),
    ("codes of the characters", lambda s: " ".join(str(ord(c)) for c in s)),
    ("number of characters in binary", lambda s: bin(len(s))[2:]),
    ("hexadecimal codes", lambda s: "".join(f"{ord(c):02x}" for c in s)),
    ("words in brackets", lambda s: " ".join(f"[{w}]" for w in s.split())),
    ("words in reverse order, first capital", lambda s: " ".join(s.split()[::-1]).capitalize()),
    ("words sorted by their length", lambda s: " ".join(sorted(s.split(), key=len))),
    ("every word reversed", lambda s: " ".join(w[::-1] for w in s.split(" "))),
    ("the most frequent character", lambda s: Counter(s).most_common(1)[0][0] if s else ""),
    ("characters that occur once", lambda s: "".join(c for c in s if s.count(c) == 1)),
    ("number of distinct letters", lambda s: str(len({c.lower() for c in s if c.isalpha()}))),
    (
        "middle character",
        lambda s: (
            s[len(s) // 2 : len(s) // 2 + 1]
            if len(s) % 2
            else s[max(len(s) // 2 - 1, 0) : len(s) // 2 + 1]
        ),
    ),
    ("halves swapped", lambda s: s[len(s) // 2 :] + s[: len(s) // 2]),
    ("neighbours swapped", lambda s: "".join(s[i : i + 2][::-1] for i in range(0, len(s), 2))),
    ("even places, then odd places", lambda s: s[::2] + s[1::2]),
    (
        "each character repeated by its place",
        lambda s: "-".join(c.upper() + c.lower() * i for i, c in enumerate(s)),
    ),
    (
        "letters as places in the alphabet",
        lambda s: " ".join(str(ord(c) - 96) for c in s.lower() if "a" <= c <= "z"),
    ),
    (
        "vowels reversed in place",
        lambda s: (lambda v: "".join(v.pop() if c in VOWELS else c for c in s))(
            [c for c in s if c in VOWELS]
        ),
    ),
    ("word count and letter count", lambda s: f"{len(s.split())}:{sum(c.isalpha() for c in s)}"),
    ("snake case", lambda s: re.sub(r"[^a-z0-9]+", "_", s.lower()).strip("_")),
    ("middle masked", lambda s: s[:1] + "*" * (len(s) - 2) + s[-1:] if len(s) > 2 else s),
    ("each next vowel", lambda s: s.translate(str.maketrans("aeiouAEIOU", "eiouaEIOUA"))),
    (
        "letters sorted, digits first",
        lambda s: (
            "".join(sorted(c for c in s if c.isdigit()))
            + "".join(sorted((c for c in s if c.isalpha()), key=str.lower))
        ),
    ),
    ("grade by length", lambda s: "short" if len(s) < 5 else "medium" if len(s) < 12 else "long"),
    ("reversed if odd, doubled if even", lambda s: s[::-1] if len(s) % 2 else s + s),
    ("runs squeezed, then upper", lambda s: re.sub(r"(.)\1+", r"\1", s).upper()),
    ("first and last words", lambda s: " ".join(dict.fromkeys([*s.split()[:1], *s.split()[-1:]]))),
    (
        "alternating vowel and consonant pattern",
        lambda s: "".join("V" if c in VOWELS else "C" if c.isalpha() else c for c in s),
    ),
    ("without every other word", lambda s: " ".join(s.split()[::2])),
]
