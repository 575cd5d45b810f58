# ruff: noqa: E501 (tables are read by the row)
"""Steps from string to string that see words, and the making of steps on each word."""

from __future__ import annotations

from hubel.agent.planners.strings.terms import IDENTITY, Prim, Term, prim, quoted, substitute

_PLACES = (
    ("0", "first"), ("-1", "last"), ("1", "second"), ("2", "third"), ("-2", "last but one"),
    ("len(x.split()) // 2", "middle"),
)  # fmt: skip
_KEYS = {
    "len": "by length",
    "str.lower": "alphabetically, whatever their case",
    "lambda w: w[-1]": "by their last letters",
    "lambda w: w[::-1]": "by their endings",
    "lambda w: sum(c in 'aeiouAEIOU' for c in w)": "by their number of vowels",
}
_WORDS: tuple[tuple[float, str, str], ...] = (
    (1.5, "' '.join(x.split()[::-1])", "_ with its words in reverse order"),
    (2.5, "' '.join(sorted(x.split()))", "the words of _ in alphabetical order"),
    (3.0, "' '.join(sorted(x.split(), reverse=True))", "the words of _ in reverse alphabetical order"),
    (3.0, "max(x.split(), key=len)", "the longest word of _"),
    (3.0, "min(x.split(), key=len)", "the shortest word of _"),
    (3.5, "max(x.split()[::-1], key=len)", "the longest word of _ (the last of equals)"),
    (3.5, "min(x.split()[::-1], key=len)", "the shortest word of _ (the last of equals)"),
    (3.5, "max(x.split())", "the alphabetically last word of _"),
    (3.5, "min(x.split())", "the alphabetically first word of _"),
    (2.5, "''.join(w[0] for w in x.split())", "the initials of _"),
    (2.5, "''.join(w[0] for w in x.split()).upper()", "the acronym of _"),
    (3.5, "'.'.join(w[0].upper() for w in x.split()) + '.'", "the initials of _, each with a dot"),
    (3.5, "''.join(w[0].upper() + '.' for w in x.split())", "the initials of _ in capitals, each with a dot"),
    (3.5, "' '.join(w[0].upper() + '.' for w in x.split())", "the initials of _ in capitals, dotted and spaced"),
    (3.5, "' '.join(w[0] for w in x.split())", "the initials of _, spaced"),
    (3.0, "''.join(w[-1] for w in x.split())", "the last letters of the words of _"),
    (3.5, "' '.join(w[-1] for w in x.split())", "the last letters of the words of _, spaced"),
    (2.5, "''.join(x.split())", "_ without white space"),
    (2.0, "' '.join(x.split())", "_ with single spaces"),
    (3.0, "' '.join(x)", "the characters of _, spaced"),
    (3.0, "'-'.join(x)", "the characters of _, hyphenated"),
    (3.5, "', '.join(x)", "the characters of _, with commas"),
    (3.5, "','.join(x)", "the characters of _, with bare commas"),
    (4.0, "'.'.join(x)", "the characters of _, with dots"),
    (4.0, "'_'.join(x)", "the characters of _, with underscores"),
    (2.5, "'-'.join(x.split())", "the words of _, hyphenated"),
    (2.5, "'_'.join(x.split())", "the words of _, with underscores"),
    (3.0, "', '.join(x.split())", "the words of _, with commas"),
    (3.0, "'_'.join(x.lower().split())", "_ in snake case"),
    (3.0, "'-'.join(x.lower().split())", "_ in kebab case"),
    (3.0, "''.join(w.capitalize() for w in x.split())", "_ in Pascal case"),
    (3.0, "''.join(w.lower() if i == 0 else w.capitalize() for i, w in enumerate(x.split()))", "_ in camel case"),
    (3.5, "'_'.join(x.upper().split())", "_ in screaming snake case"),
    (3.5, "' '.join(x.split()[1:] + x.split()[:1])", "_ with its first word moved to the end"),
    (3.5, "' '.join(x.split()[-1:] + x.split()[:-1])", "_ with its last word moved to the front"),
    (3.5, "' '.join(x.split()[-1:] + x.split()[1:-1] + x.split()[:1]) if len(x.split()) > 1 else x",
     "_ with its first and last words swapped"),
    (3.5, "' '.join(dict.fromkeys(x.split()))", "_ without later repetitions of a word"),
    (3.5, "' '.join(x.split()[::2])", "every other word of _, from the first"),
    (3.5, "' '.join(x.split()[1::2])", "every other word of _, from the second"),
    (3.5, "' '.join(x.split()[1:])", "_ without its first word"),
    (3.5, "' '.join(x.split()[:-1])", "_ without its last word"),
    (4.0, "' '.join(x.split()[:2])", "the first two words of _"),
    (4.0, "' '.join(x.split()[-2:])", "the last two words of _"),
    (4.5, "' '.join(x.split()[i + 1] + ' ' + x.split()[i] if i + 1 < len(x.split()) else x.split()[i]"
          " for i in range(0, len(x.split()), 2))", "_ with neighbouring words swapped"),
    (3.0, "' '.join(str(len(w)) for w in x.split())", "the lengths of the words of _"),
    (3.5, "'-'.join(str(len(w)) for w in x.split())", "the lengths of the words of _, hyphenated"),
    (3.5, "''.join(str(len(w)) for w in x.split())", "the lengths of the words of _, run together"),
    (3.5, "x.split()[-1] + ', ' + ' '.join(x.split()[:-1]) if len(x.split()) > 1 else x",
     "the last word of _, a comma, and the words before it"),
    (4.5, "', '.join(x.split()[:-1]) + ' and ' + x.split()[-1] if len(x.split()) > 1 else x",
     "the words of _ as a list with and"),
    (4.0, "'\\n'.join(x.split())", "the words of _ on lines"),
    (4.0, "' '.join(w + ' ' + w for w in x.split())", "_ with each word twice"),
    (4.5, "' '.join(w.upper() if i % 2 else w for i, w in enumerate(x.split()))",
     "_ with every other word in capitals, from the second"),
    (4.5, "' '.join(w.upper() if i % 2 == 0 else w for i, w in enumerate(x.split()))",
     "_ with every other word in capitals, from the first"),
    (4.5, "' '.join(w[::-1] if i % 2 else w for i, w in enumerate(x.split()))",
     "_ with every other word reversed, from the second"),
    (4.5, "' '.join(w[::-1] if i % 2 == 0 else w for i, w in enumerate(x.split()))",
     "_ with every other word reversed, from the first"),
    (4.5, "x.title().replace(' ', '')", "_ in title case without spaces"),
    (4.5, "' '.join(str(i + 1) + w for i, w in enumerate(x.split()))", "_ with its words numbered"),
    (4.5, "' '.join(str(i + 1) + '. ' + w for i, w in enumerate(x.split()))", "_ as a numbered list"),
)  # fmt: skip

#: What is done with each word, as sources of `steps` (or `x` alone in them) with a noun.
_EACH: tuple[tuple[float, str, str], ...] = (
    (1.5, "x[::-1]", "reversed"),
    (1.5, "x.capitalize()", "capitalised"),
    (2.0, "x[:1].upper() + x[1:]", "with a capital"),
    (2.5, "x[:-1] + x[-1:].upper()", "with a capital last letter"),
    (3.0, "x[:-1].lower() + x[-1:].upper()", "small but for its last letter"),
    (3.0, "x[:1].lower() + x[1:].upper()", "in capitals but for its first letter"),
    (3.0, "x[:1].upper() + x[1:-1] + x[1:][-1:].upper()", "with capitals at both ends"),
    (2.5, "''.join(sorted(x))", "with its letters sorted"),
    (3.0, "''.join(dict.fromkeys(x))", "without repeated letters"),
    (2.5, "x[1:]", "without its first letter"),
    (2.5, "x[:-1]", "without its last letter"),
    (3.0, "x[1:-1]", "without its ends"),
    (3.0, "x[1:] + x[:1]", "rotated left"),
    (3.0, "x[-1:] + x[:-1]", "rotated right"),
    (3.0, "x[-1:] + x[1:-1] + x[0] if len(x) > 1 else x", "with its ends swapped"),
    (2.5, "x[:2]", "cut to two letters"),
    (2.5, "x[:3]", "cut to three letters"),
    (3.0, "x[-2:]", "cut to its last two letters"),
    (3.0, "x[-3:]", "cut to its last three letters"),
    (3.0, "x[:1] + x[-1:]", "cut to its ends"),
    (2.5, "x + x", "doubled"),
    (3.0, "x + x[::-1]", "followed by its reverse"),
    (3.0, "x[::2]", "cut to every other letter"),
    (3.0, "x[:1] + x", "with its first letter doubled"),
    (3.0, "x + x[-1:]", "with its last letter doubled"),
    (3.0, "x[0] if x[0] in 'aeiouAEIOU' else x", "cut to its first letter if a vowel"),
    (3.0, "pig_latin(x)", "in pig Latin"),
    (3.5, "x[1:] + x[0] + 'ay'", "in plain pig Latin"),
    (4.0, "(x[1:] + x[0] if x[0] not in 'aeiouAEIOU' else x) + 'ay'", "in one-letter pig Latin"),
    (4.0, "x[1:] + x[0] + 'ay' if x[0] not in 'aeiouAEIOU' else x + 'way'", "in pig Latin with way"),
    (4.0, "pig_latin(x) if x[0] not in 'aeiouAEIOU' else x + 'way'", "in full pig Latin with way"),
    (4.0, "pig_latin(x) if x[0] not in 'aeiouAEIOU' else x + 'yay'", "in full pig Latin with yay"),
    (4.0, "x[:1] + x[1:-1][::-1] + x[1:][-1:]", "with its inside reversed"),
    (4.0, "x[:1] + ''.join(sorted(x[1:-1])) + x[1:][-1:]", "with its inside sorted"),
    (4.0, "x[:1] + ''.join(c for c in x[1:] if c not in 'aeiouAEIOU')", "without later vowels"),
    (4.0, "x + str(len(x))", "with its length"),
    (4.0, "x.upper() if len(x) % 2 == 0 else x", "in capitals if its length is even"),
    (4.0, "x.upper() if len(x) % 2 else x", "in capitals if its length is odd"),
    (4.0, "x[::-1] if len(x) % 2 == 0 else x", "reversed if its length is even"),
    (4.0, "x[::-1] if len(x) % 2 else x", "reversed if its length is odd"),
    (3.5, "''.join(c.upper() if i % 2 == 0 else c.lower() for i, c in enumerate(x))", "in alternating case"),
    (4.0, "plural(x)", "in the plural"),
    (3.0, "x[len(x) // 2:] + x[:len(x) // 2]", "with its halves swapped"),
)  # fmt: skip

#: Ways to cut a string into pieces: cost, source, words.
CUTS: tuple[tuple[float, str, str], ...] = (
    (0.0, "x.split()", "the words of _"),
    (0.5, "x.split(' ')", "the words of _ (between single spaces)"),
    (1.0, "x.split()[::-1]", "the words of _ in reverse order"),
    (1.5, "sorted(x.split())", "the sorted words of _"),
    (2.0, "sorted(x.split(), key=len)", "the words of _ sorted by length"),
    (2.0, "list(dict.fromkeys(x.split()))", "the different words of _"),
    (2.0, "x.split()[::2]", "every other word of _"),
    (2.0, "x.split()[1:]", "the words of _ after the first"),
    (2.0, "x.split()[:-1]", "the words of _ before the last"),
    (1.5, "re.findall('[A-Za-z]+', x)", "the groups of letters of _"),
    (2.0, "re.findall('[A-Za-z0-9]+', x)", "the groups of letters and digits of _"),
    (1.0, "list(x)", "the characters of _"),
    (1.5, "list(x[::-1])", "the characters of _ in reverse order"),
    (1.5, "[c for c in x if c.isalpha()]", "the letters of _"),
    (2.0, "[c for c in x if c != ' ']", "the characters of _ but spaces"),
    (2.0, "list(dict.fromkeys(x))", "the different characters of _"),
    (2.0, "sorted(set(x))", "the different characters of _ in order"),
    (1.5, "runs(x)", "the runs of _"),
    *((1.1 + 0.2 * n, f"[x[i:i + {n}] for i in range(0, len(x), {n})]", f"the pieces of {n} of _")
      for n in (2, 3, 4, 5)),
    *((1.2 + 0.2 * n, f"[x[i:i + {n}] for i in range(len(x) - {n - 1})]", f"each {n} neighbours in _")
      for n in (2, 3)),
    (2.0, "[x[:i + 1] for i in range(len(x))]", "the beginnings of _"),
    (2.5, "[x[i:] for i in range(len(x))]", "the endings of _"),
)  # fmt: skip


def each_word(term: Term, test: Prim | None = None, cut: str = "x.split()") -> Term:
    """The program done with each word (that passes a test), and the words joined again."""
    inner = substitute(term.source, "w")
    if test is not None:
        chosen = substitute(test.source, "w")
        source = f"' '.join({inner} for w in {cut} if {chosen})"
        noun = f"the words of _ for which {test.noun.replace('the input', 'the word')}, each "
    else:
        source, noun = f"' '.join({inner} for w in {cut})", "the words of _, each "
    noun += "made " + term.noun.replace("_", "the word")
    cost = term.cost + 1.5 + (test.cost if test else 0) + (0.5 if cut != "x.split()" else 0)
    return Term(source, noun, cost)


def each_among(term: Term) -> Term:
    """The program of a word ``x``, its place ``i`` and all ``words``, done with each word."""
    inner = substitute(substitute(term.source, "w"), "x.split()", "words")
    source = f"' '.join({inner} for i, w in enumerate(x.split()))"
    noun = f"the words of _, each made {term.noun.replace('_', 'the word')}"
    return Term(source, noun, term.cost + 1.5)


def joined_pieces(term: Term, cut: tuple[float, str, str], join: str) -> Term:
    """The program done with each piece of a cut (cost, source, words), and the pieces joined."""
    cost, pieces, noun = cut
    inner = substitute(term.source, "w")
    each = pieces if inner == "w" else f"({inner} for w in {pieces})"
    if inner != "w":
        noun += ", each made " + term.noun.replace("_", "the piece") + ","
    return Term(
        f"{join!r}.join{each if each.startswith('(') else f'({each})'}",
        f"{noun} joined by {quoted(join)}" if join else f"{noun} run together",
        term.cost + cost + 1.5 + (0.0 if join in ("", " ") else 0.4 + 0.4 * len(join)),
    )


def word_steps() -> list[Prim]:
    """Steps on the words as a list, and on each word."""
    out = [prim(*row) for row in _WORDS]
    for k, (i, name) in enumerate(_PLACES):
        e = 0.3 * k
        out.append(prim(2.5 + e, f"x.split()[{i}]", f"the {name} word of _"))
        if k < 4:
            inside = f"i == {i}" if int(i) >= 0 else f"i == len(x.split()) {i}"
            for change, how in (
                ("w.upper()", "in capitals"), ("w[::-1]", "reversed"), ("w.capitalize()", "capitalised")
            ):  # fmt: skip
                source = f"' '.join({change} if {inside} else w for i, w in enumerate(x.split()))"
                out.append(prim(4.5 + e, source, f"_ with its {name} word {how}"))
    for n, (key, how) in enumerate(_KEYS.items()):
        e = 0.4 * n
        out += [
            prim(3.0 + e, f"' '.join(sorted(x.split(), key={key}))", f"the words of _ sorted {how}"),
            prim(3.5 + e, f"' '.join(sorted(x.split(), key={key}, reverse=True))",
                 f"the words of _ sorted {how}, downwards"),
        ]  # fmt: skip
    for cost, pieces, noun in CUTS[4:]:
        out += [
            prim(t.cost + 1.0 + cost, t.source, t.noun)
            for t in (joined_pieces(IDENTITY, (0.0, pieces, noun), j) for j in (" ", "", "-"))
        ]
    for cost, source, how in _EACH:
        inner = substitute(source, "w")
        out.append(
            prim(cost + 1, f"' '.join({inner} for w in x.split())", f"the words of _, each {how}")
        )
    return out
