"""Programs that make each word something of its place and of the other words."""

from __future__ import annotations

from hubel.agent.planners.strings.data import Data, Pool
from hubel.agent.planners.strings.parts import concatenations
from hubel.agent.planners.strings.terms import Term, call, compiled
from hubel.agent.planners.strings.wordsteps import each_among

#: Words in the examples below which nothing is read off them.
_FEWEST = 6

#: What a word is among all: cost, source of ``(w, i, words)``, words for it.
_RELATED: tuple[tuple[float, str, str], ...] = (
    (0.5, "w", "the word"),
    (1.5, "str(i + 1)", "its place"),
    (1.8, "str(i)", "its place from 0"),
    (2.0, "str(len(words) - i)", "its place from the end"),
    (2.0, "str(len(words))", "how many there are"),
    (2.0, "str(words.count(w))", "how often it comes"),
    (2.5, "str(sorted(words).index(w) + 1)", "its place in alphabetical order"),
    (2.8, "str(sorted(words).index(w))", "its place in alphabetical order from 0"),
    (3.0, "str(sorted(words)[::-1].index(w) + 1)", "its place in reverse alphabetical order"),
    (2.5, "str(sorted(words, key=len).index(w) + 1)", "its place by length"),
    (2.8, "str(sorted(words, key=len)[::-1].index(w) + 1)", "its place by length, downwards"),
    (1.8, "words[i - 1]", "the word before it, around"),
    (1.8, "words[(i + 1) % len(words)]", "the word after it, around"),
    (2.0, "''.join(words[i - 1:i])", "the word before it, if any"),
    (2.0, "''.join(words[i + 1:i + 2])", "the word after it, if any"),
    (2.0, "words[-1 - i]", "its opposite"),
    (2.0, "words[0]", "the first word"),
    (2.0, "words[-1]", "the last word"),
    (2.5, "words[i - 1][0]", "the initial of the word before it, around"),
    (2.5, "words[(i + 1) % len(words)][0]", "the initial of the word after it, around"),
    (2.5, "''.join(words[:i + 1])", "all words up to it"),
    (2.5, "''.join(v[0] for v in words[:i + 1])", "the initials up to it"),
    (2.0, "w * (i + 1)", "the word as often as its place says"),
    (2.0, "w * (len(words) - i)", "the word as often as its place from the end says"),
    (2.0, "w[:i + 1]", "as many of its characters as its place says"),
    (2.0, "w[i:]", "the word from the character at its own place on"),
    (2.5, "w[i:i + 1]", "the character at its own place"),
    (2.5, "w[i % len(w):] + w[:i % len(w)]", "the word rotated left by its place from 0"),
    (2.5, "shift(w, i)", "the word with each letter moved by its place from 0"),
    (2.5, "shift(w, i + 1)", "the word with each letter moved by its place"),
    (1.5, "w[0]", "its first character"),
    (1.5, "w[-1]", "its last character"),
    (1.5, "w[1:]", "the word without its first character"),
    (1.5, "w[:-1]", "the word without its last character"),
    (1.5, "w[::-1]", "the word reversed"),
    (1.5, "w.upper()", "the word in capitals"),
    (1.5, "w.lower()", "the word in small letters"),
    (1.5, "w.capitalize()", "the word capitalised"),
    (2.0, "str(len(w))", "its length"),
)  # fmt: skip


def among(data: Data) -> list[Term]:
    """Programs ``' '.join(g(w, i, words) for i, w in enumerate(words))`` that meet all examples.

    What a word becomes is one thing of it, or up to three joined, with constants between.
    """
    pairs = matched(data)
    if pairs is None or sum(len(old) for old, _ in pairs) < _FEWEST:
        return []
    given = [(w, i, old) for old, _ in pairs for i, w in enumerate(old)]
    words = Data(tuple(w for w, _, _ in given), tuple(v for _, new in pairs for v in new))
    pool = Pool(words.inputs)
    for cost, source, noun in _RELATED:
        function = compiled(f"(lambda w, i, words: {source})(*x)")
        pool.add(Term(source, noun, cost), tuple(call(function, one) for one in given))
    return [t for t in map(each_among, concatenations(words, pool, 3)) if data.fits(t)]


def matched(data: Data) -> list[tuple[list[str], list[str]]] | None:
    """Words of the inputs with those of the outputs; None where they are not as many."""
    told = zip(data.inputs, data.targets, strict=True)
    pairs = [(x.split(), t.split(" ")) for x, t in told if t is not None and x.split()]
    return pairs if all(len(old) == len(new) for old, new in pairs) else None
