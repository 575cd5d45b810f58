# ruff: noqa: E501 (tables are read by the row)
"""What string neurons are made of: laws, tests and rarer laws, as Python of ``x`` with parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Law:
    """One law drawn: its body in Python (statements that end in ``return``) and its words."""

    name: str
    body: str
    words: str


Draw = Callable[[np.random.Generator], dict[str, str]]
_MARKS = ("*", "-", "#", "@", "_", "+", "~", "!", "%", ":")
_TAILS = ("ing", "ness", "!", "...", "-o", "ish", "ly", " ok", "s", "(end)")
_HEADS = ("re", "un", "the ", "Mr. ", ">> ", "pre-", "my ", "#", "no ")
_SETS = {
    "vowels": "c in 'aeiouAEIOU'",
    "consonants": "c.isalpha() and c not in 'aeiouAEIOU'",
    "digits": "c in '0123456789'",
    "capitals": "'A' <= c <= 'Z'",
    "letters": "c.isalpha()",
    "small letters": "c.islower()",
    "characters other than letters": "not c.isalpha()",
}

#: Name, body, words; in braces what is drawn.
COMMON: tuple[tuple[str, str, str], ...] = (
    ("reverse", "return ''.join(reversed(x))", "the input backwards"),
    ("upper", "return x.upper()", "upper case"),
    ("lower", "return x.lower()", "lower case"),
    ("swapcase", "return x.swapcase()", "case swapped"),
    ("title", "return x.title()", "title case"),
    ("capitalize", "return x.capitalize()", "capitalised"),
    ("prefix", "return {head} + x", "{head} in front"),
    ("suffix", "return x + {tail}", "{tail} at the end"),
    ("wrap", "return {mark} + x + {mark}", "between two {mark}"),
    ("twice", "return x + x", "twice"),
    ("times", "return x * {small}", "{small} times"),
    ("palindrome", "return x + x[::-1]", "followed by its reverse"),
    ("keep", "return ''.join(c for c in x if {set})", "only the {set_name}"),
    ("drop", "return ''.join(c for c in x if not ({set}))", "without the {set_name}"),
    ("mask", "return ''.join({mark} if {set} else c for c in x)", "{mark} for the {set_name}"),
    ("double kind", "return ''.join(c + c if {set} else c for c in x)", "the {set_name} doubled"),
    ("upper kind", "return ''.join(c.upper() if {set} else c for c in x)", "the {set_name} in capitals"),
    ("spell out", "return {mark}.join(x)", "characters joined by {mark}"),
    ("caesar", "out = ''\nfor c in x:\n    if c.isalpha() and c.isascii():\n"
     "        base = 65 if c.isupper() else 97\n        c = chr((ord(c) - base + {shift}) % 26 + base)\n"
     "    out += c\nreturn out", "letters moved by {shift}"),
    ("replace", "return x.replace({letter}, {other})", "{other} for {letter}"),
    ("head", "return x[:{small}]", "the first {small}"),
    ("tail", "return x[-{small}:]", "the last {small}"),
    ("behead", "return x[{small}:]", "without the first {small}"),
    ("curtail", "return x[:-{small}]", "without the last {small}"),
    ("rotate", "k = {small}\nreturn x[k:] + x[:k]", "rotated by {small}"),
    ("length", "return str(len(x))", "its length"),
    ("count", "return str(sum(1 for c in x if {set}))", "the number of {set_name}"),
    ("words count", "return str(len(x.split()))", "the number of words"),
    ("sort", "return ''.join(sorted(x))", "sorted"),
    ("unique", "out = ''\nfor c in x:\n    if c not in out:\n        out += c\nreturn out", "no repetitions"),
    ("every other", "return x[::2]", "every other character"),
    ("words reversed", "return ' '.join(reversed(x.split()))", "words in reverse order"),
    ("each word reversed", "return ' '.join(w[::-1] for w in x.split())", "each word backwards"),
    ("initials", "return ''.join(w[0] for w in x.split())", "initials"),
    ("join words", "return {mark}.join(x.split())", "words joined by {mark}"),
    ("first word", "return x.split()[0] if x.split() else ''", "first word"),
    ("last word", "return x.split()[-1] if x.split() else ''", "last word"),
    ("longest word", "return max(x.split(), key=len) if x.split() else ''", "longest word"),
    ("sort words", "return ' '.join(sorted(x.split()))", "words sorted"),
    ("alternating case", "return ''.join(c.upper() if i % 2 == 0 else c.lower() for i, c in enumerate(x))",
     "alternating case"),
    ("doubled characters", "return ''.join(2 * c for c in x)", "each character doubled"),
    ("swap ends", "return x[-1] + x[1:-1] + x[0] if len(x) > 1 else x", "ends swapped"),
    ("with length", "return x + str(len(x))", "its length appended"),
    ("codes", "return ' '.join(str(ord(c)) for c in x)", "character codes"),
    ("pig", "return ' '.join(w[1:] + w[0] + 'ay' for w in x.split())", "first letters moved, ay"),
    ("half", "return x[:len(x) // 2]", "first half"),
    ("halves swapped", "h = len(x) // 2\nreturn x[h:] + x[:h]", "halves swapped"),
)  # fmt: skip

#: Laws of another build than single expressions over characters, words and slices.
RARE: tuple[tuple[str, str, str], ...] = (
    ("toggle at", "out, up = '', False\nfor c in x:\n    if c == {letter}:\n        up = not up\n"
     "    out += c.upper() if up else c\nreturn out", "capitals switched on and off by {letter}"),
    ("caps lock", "i = x.find({letter})\nreturn x if i < 0 else x[:i] + x[i:].upper()", "capitals from {letter} on"),
    ("cut at", "i = x.find({letter})\nreturn x if i < 0 else x[:i]", "cut at the first {letter}"),
    ("after", "i = x.find({letter})\nreturn x if i < 0 else x[i + 1:]", "what follows the first {letter}"),
    ("zigzag", "return x[::2] + x[1::2][::-1]", "even places, then odd ones backwards"),
    ("ladder", "return ''.join(c * (1 + i % 3) for i, c in enumerate(x))", "1, 2, 3, 1, 2, 3 of each"),
    ("letters by word", "return ' '.join(w * (1 + i % 2) for i, w in enumerate(x.split()))",
     "every second word twice"),
    ("grow", "return ' '.join(w[:i + 1] for i, w in enumerate(x.split()))", "ever more of each word"),
    ("bigrams", "return ' '.join(x[i:i + 2] for i in range(len(x) - 1))", "all pairs of neighbours"),
    ("vowel pattern", "return ''.join('o' if c in 'aeiouAEIOU' else '.' for c in x if c.isalpha())",
     "o for vowels, a dot for consonants"),
    ("alphabet pair", "return ''.join(c + chr(219 - ord(c)) if 'a' <= c <= 'z' else c for c in x)",
     "each letter with its mirror"),
    ("rank words", "return ' '.join(str(sorted(x.split()).index(w) + 1) for w in x.split())",
     "each word's place in order"),
    ("sum of digits", "return str(sum(int(c) for c in x if c in '0123456789'))", "sum of digits"),
    ("gaps", "return ''.join(c + ' ' * (i % 2) for i, c in enumerate(x))", "a space after every second"),
    ("runs", "out = []\nfor c in x:\n    if out and out[-1][0] == c:\n        out[-1] = (c, out[-1][1] + 1)\n"
     "    else:\n        out.append((c, 1))\nreturn ''.join(f'{{n}}{{c}}' for c, n in out)", "run lengths"),
    ("cons cluster", "import re\nreturn re.sub('[^aeiouAEIOU ]+', {mark}, x)", "{mark} for clusters of consonants"),
    ("vowel groups", "import re\nreturn re.sub('[aeiou]+', lambda m: m.group()[::-1], x)", "groups of vowels reversed"),
    ("split at vowels", "import re\nreturn re.sub('([aeiou])', r'\\1-', x)", "a hyphen after each vowel"),
    ("frame", "return {mark} * len(x) + x + {mark} * len(x)", "between as many {mark} as it is long"),
    ("counter", "return ' '.join(f'{{w}}{{len(w)}}' for w in x.split())", "each word with its length"),
    ("greeting", "return 'Hello, ' + (x.split()[0] if x.split() else '') + '!'", "greets the first word"),
    ("name", "w = x.split()\nreturn w[-1] + ', ' + ' '.join(w[:-1]) if len(w) > 1 else x", "last word first, with a comma"),
    ("plus one", "return ''.join(str((int(c) + 1) % 10) if c in '0123456789' else c for c in x)", "digits raised by one"),
    ("dot middle", "return x[0] + '.' * (len(x) - 2) + x[-1] if len(x) > 2 else x", "inside dotted out"),
    ("sorted capitals", "return ''.join(sorted(c for c in x if c.isalpha())).upper()", "letters sorted, capitals"),
    ("even words", "return ' '.join(w for w in x.split() if len(w) % 2 == 0)", "words of even length"),
    ("long words", "return ' '.join(w.upper() if len(w) > {size} else w for w in x.split())", "words above {size} in capitals"),
    ("short words", "return ' '.join(w for w in x.split() if len(w) <= {size})", "words up to {size}"),
    ("hide words", "return ' '.join({mark} * len(w) if {letter} in w else w for w in x.split())",
     "words with {letter} masked"),
    ("ends match", "return 'same' if x[:1].lower() == x[-1:].lower() else 'different'", "whether the ends match"),
    ("vowel share", "n = sum(c in 'aeiouAEIOU' for c in x)\nreturn f'{{n}}/{{len(x)}}'", "vowels out of length"),
    ("telegram", "return ' stop '.join(x.split())", "words joined by stop"),
    ("echo", "return ' '.join([x, x[-3:], x[-2:]])", "the input with a dying echo"),
    ("stutter", "return ' '.join(w[0] + '-' + w for w in x.split())", "stuttered words"),
    ("next vowel", "ring = 'aeiou'\nreturn ''.join(ring[(ring.index(c) + 1) % 5] if c in ring else c for c in x)",
     "each vowel becomes the next"),
    ("unequal pairs", "return ''.join(c for i, c in enumerate(x) if i == 0 or c != x[i - 1])", "runs squeezed"),
)  # fmt: skip

#: Tests of the input: Python and words.
TESTS: tuple[tuple[str, str], ...] = (
    ("len(x) > {size}", "longer than {size}"), ("len(x) % 2 == 0", "of even length"),
    ("x[:1].isupper()", "starting with a capital"), ("{letter} in x", "containing {letter}"),
    ("' ' in x", "containing a space"), ("any(c.isdigit() for c in x)", "containing a digit"),
    ("x[:1] in tuple('aeiou')", "starting with a small vowel"),
    ("x[-1:] in tuple('aeiou')", "ending with a small vowel"),
    ("sum(c in 'aeiouAEIOU' for c in x) > {few}", "with more than {few} vowels"),
    ("len(x.split()) > {few}", "of more than {few} words"),
    ("x.endswith({letter})", "ending with {letter}"), ("x.startswith({letter})", "starting with {letter}"),
    ("len(set(x)) < len(x)", "with a repeated character"), ("x.islower()", "all small"),
)  # fmt: skip

#: Tests that hold for few inputs.
RARE_TESTS: tuple[tuple[str, str], ...] = (
    ("x.isdigit()", "all digits"), ("x.isupper()", "all capitals"), ("len(x) < 3", "shorter than 3"),
    ("len(x) > 25", "longer than 25"), ("x != '' and x == x[::-1]", "the same both ways"),
    ("x.endswith(('!', '?'))", "ending with ! or ?"), ("x[:1].isdigit()", "starting with a digit"),
    ("x.startswith({rare})", "starting with {rare}"), ("x.endswith({rare})", "ending with {rare}"),
    ("len(x) == 4", "of length 4"), ("len(x.split()) == 3", "of three words"),
    ("any(a == b for a, b in zip(x, x[1:]))", "with a doubled character"),
)  # fmt: skip


def parameters(rng: np.random.Generator) -> dict[str, str]:
    """One value of everything that a law or a test may draw, as Python source."""

    def one(options: tuple[str, ...]) -> str:
        return repr(str(rng.choice(options)))

    name = str(rng.choice(list(_SETS)))
    return {
        "mark": one(_MARKS), "head": one(_HEADS), "tail": one(_TAILS), "set": _SETS[name], "set_name": name,
        "small": str(rng.integers(2, 5)), "size": str(rng.integers(3, 9)), "few": str(rng.integers(1, 4)),
        "shift": str(rng.choice([1, 2, 3, 5, 7, 13, 25])), "letter": one(tuple("aeiostrnl")),
        "other": one(tuple("xz4#*03")), "rare": one(tuple("bcdfghmptw")),
    }  # fmt: skip


def law(row: tuple[str, str, str], rng: np.random.Generator) -> Law:
    """A law with its parameters drawn."""
    values = parameters(rng)
    name, body, words = row
    return Law(name, body.format(**values), words.format(**values))


def test(row: tuple[str, str], rng: np.random.Generator) -> tuple[str, str]:
    """A test with its parameters drawn."""
    values = parameters(rng)
    return row[0].format(**values), row[1].format(**values)
