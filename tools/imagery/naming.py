"""From the words that people type to a phrase that can be drawn: stripes, a red circle, dogs."""

from __future__ import annotations

import re

from hubel.tools.imagery.truth import phrases
from hubel.tools.spec import ToolError

#: Words that say nothing about what is meant, and those that mean any thing.
_EMPTY = frozenset({"a", "an", "the", "some", "any", "of", "with", "in", "at", "on", "its"})
_ANYTHING = {
    "thing": "object",
    "something": "object",
    "shape": "object",
    "background": "background",
}
#: What is said where no phrase shares a word with what was asked.
_KINDS = (
    "They show shapes and pictographs (circle, dog, cup), with colours, textures, sizes and places "
    "(red object, striped circle, large object, object at the left), backgrounds and text."
)


def phrase_for(words: str) -> str:
    """The phrase of scenes that words name: themselves, or the most general one that holds them.

    Endings do not count, so ``stripes`` are a ``striped object``.

    Raises:
        ToolError: No phrase holds all of the words, or several do and none is more general.
    """
    known = {p.phrase: _stems(p.phrase) for p in phrases()}
    wanted = _stems(words)
    found = {p: len(stems - wanted) for p, stems in known.items() if wanted and wanted <= stems}
    least = min(found.values(), default=0)
    best = [p for p, extra in found.items() if extra == least]
    general = [p for p in best if least == 0 or "object" in p.split()]
    if len(best) == 1 or len(general) == 1:
        return (general or best)[0]
    if best:
        some = ", ".join(repr(p) for p in sorted(best, key=len)[:5])
        raise ToolError(f"'{words}' may mean several things: {some}. Name one of them.")
    near = [p for p, stems in known.items() if stems & wanted][:5]
    some = f"Near it: {', '.join(map(repr, near))}." if near else _KINDS
    raise ToolError(f"Scenes cannot show '{words}'. {some}")


def _stems(text: str) -> frozenset[str]:
    said: list[str] = re.findall(r"[a-z]+", text.lower())
    return frozenset(_stem(_ANYTHING.get(w.rstrip("s"), w)) for w in said if w not in _EMPTY)


def _stem(word: str) -> str:
    """A word without its ending: stripes, striped and stripe are one, dots and dotted too."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3]
    for ending in ("ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) > 2:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
