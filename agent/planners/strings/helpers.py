# ruff: noqa: SIM905 (lists of words are read as text)
"""Named steps of string programs that are too long for one expression.

Each is plain Python without imports, so that `code.py` can copy it, stripped of its docstring and
types, into the code of a finding: what was searched and what is reported are the same text.
"""

from __future__ import annotations


def number_words(n: int) -> str:
    """A whole number in English words."""
    small = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen"
    ).split()
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    if n < 0:
        return "minus " + number_words(-n)
    if n < 20:
        return small[n]
    if n < 100:
        return tens[n // 10 - 2] + ("-" + small[n % 10] if n % 10 else "")
    if n < 1000:
        rest = " " + number_words(n % 100) if n % 100 else ""
        return small[n // 100] + " hundred" + rest
    if n < 1000000:
        rest = " " + number_words(n % 1000) if n % 1000 else ""
        return number_words(n // 1000) + " thousand" + rest
    return str(n)


def ordinal(n: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``."""
    teen = 10 <= abs(n) % 100 <= 20
    return str(n) + ("th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(abs(n) % 10, "th"))


def ordinal_word(n: int) -> str:
    """``first``, ``second``, ... ``twentieth``; further on ``21st``."""
    names = (
        "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
        "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth "
        "twentieth"
    ).split()
    return names[n] if 0 <= n <= 20 else ordinal(n)


def roman(n: int) -> str:
    """A Roman numeral; empty for zero.

    Raises:
        ValueError: The number is above 9,999, of which it would be one M for each thousand.
    """
    if n > 9999:
        raise ValueError(n)
    out = ""
    for v, s in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        "M CM D CD C XC L XL X IX V IV I".split(),
        strict=True,
    ):
        out += s * (n // v)
        n %= v
    return out


def shift(s: str, k: int) -> str:
    """Every letter moved ``k`` places round the alphabet, its case kept."""
    out = ""
    for c in s:
        if "a" <= c <= "z":
            c = chr((ord(c) - 97 + k) % 26 + 97)
        elif "A" <= c <= "Z":
            c = chr((ord(c) - 65 + k) % 26 + 65)
        out += c
    return out


def mirror(s: str) -> str:
    """Every letter replaced by its opposite in the alphabet (atbash)."""
    out = ""
    for c in s:
        if "a" <= c <= "z":
            c = chr(219 - ord(c))
        elif "A" <= c <= "Z":
            c = chr(155 - ord(c))
        out += c
    return out


def next_in(s: str, ring: str, k: int) -> str:
    """Every character that stands in ``ring`` moved ``k`` places round it, its case kept."""
    out = ""
    for c in s:
        if c.lower() in ring:
            d = ring[(ring.index(c.lower()) + k) % len(ring)]
            c = d.upper() if c.isupper() else d
        out += c
    return out


def pig_latin(w: str) -> str:
    """The leading consonants moved to the end, then ``ay``."""
    i = 0
    while i < len(w) and w[i] not in "aeiouAEIOU":
        i += 1
    return w[i:] + w[:i] + "ay"


def runs(s: str) -> list[str]:
    """The string cut into runs of one repeated character."""
    out: list[str] = []
    for c in s:
        if out and out[-1][0] == c:
            out[-1] += c
        else:
            out.append(c)
    return out


def rank(c: str) -> int:
    """The place of a letter in the alphabet, from 1; 0 for what is no English letter."""
    return ord(c.lower()) - 96 if "a" <= c.lower() <= "z" else 0


def refill(s: str, chars: str, new: list[str]) -> str:
    """The characters of ``s`` that are in ``chars``, replaced in order by those of ``new``."""
    rest = iter(new)
    return "".join(next(rest) if c in chars else c for c in s)


def plural(w: str) -> str:
    """The regular English plural."""
    if w.endswith(("s", "x", "z", "ch", "sh")):
        return w + "es"
    if w.endswith("y") and w[-2:-1] not in ("a", "e", "i", "o", "u"):
        return w[:-1] + "ies"
    return w + "s"


def ing(w: str) -> str:
    """The English present participle by its plain rules."""
    if w.endswith("e") and not w.endswith("ee"):
        return w[:-1] + "ing"
    return w + "ing"


def past(w: str) -> str:
    """The regular English past tense."""
    if w.endswith("e"):
        return w + "d"
    if w.endswith("y") and w[-2:-1] not in ("a", "e", "i", "o", "u"):
        return w[:-1] + "ied"
    return w + "ed"


def morse(s: str) -> str:
    """Morse code, a space between letters; what has no code is left out."""
    table = (
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
        ".-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
    ).split()
    keys = "abcdefghijklmnopqrstuvwxyz0123456789"
    return " ".join(table[keys.index(c)] for c in s.lower() if c in keys)


def spell_digits(s: str) -> str:
    """Every digit replaced by its English word."""
    names = "zero one two three four five six seven eight nine".split()
    return "".join(names[int(c)] if c in "0123456789" else c for c in s)


def place(s: str, i: int, new: str) -> str:
    """The string with character ``i`` replaced; unchanged where there is none."""
    if not -len(s) <= i < len(s):
        return s
    i %= len(s)
    return s[:i] + new + s[i + 1 :]


def swap(s: str, i: int, j: int) -> str:
    """The string with characters ``i`` and ``j`` exchanged; unchanged where one is missing."""
    if not (-len(s) <= i < len(s) and -len(s) <= j < len(s)):
        return s
    return place(place(s, i, s[j]), j, s[i])


def at(s: str, i: int) -> str:
    """Character ``i``; empty where there is none."""
    return s[i] if -len(s) <= i < len(s) else ""


def longest_palindrome(s: str) -> str:
    """The longest stretch that reads the same both ways; the first of equals."""
    best = s[:1]
    for i in range(len(s)):
        for j in range(i + len(best) + 1, len(s) + 1):
            if s[i:j] == s[i:j][::-1]:
                best = s[i:j]
    return best
