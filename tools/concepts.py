"""Is a concept in a picture? The judge that needs no model.

A concept is a phrase; the judge gives each a degree in 0 to 1. Every phrase has one source:

- **scene**: exact truth, for pictures that were drawn from a scene (``red circle``);
- **label**: what a data set says of its pictures: ``labelled X`` for each class, ``caption
  mentions X`` for each content word of the caption, lower case, as it stands there;
- **statistic**: measured on the pixels of every picture (``a red patch``), see `statistics`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from hubel.tools.imagery.scenes import Scene, phrases, truth
from hubel.tools.spec import ToolError
from hubel.tools.statistics import STATISTICS, statistics
from hubel.tools.units import nearest

if TYPE_CHECKING:
    from PIL import Image

Source = Literal["scene", "label", "statistic"]

_LABELLED = "labelled "
_MENTIONS = "caption mentions "
_DIGITS = 3

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

#: Words that say nothing about a picture's content.
_EMPTY = frozenset(
    _WORD.findall("""
    a about above across after against all along also am among an and another any are around as at
    be been before behind being below beneath beside between both but by can could did do does down
    each either every few for from had has have having he her hers here him his how i if in inside
    into is it it's its itself just like many me more most much my near next no nor not of off on
    one onto or other our out outside over own same she should so some such than that the their
    them then there these they this those through to too toward towards two under underneath until
    up upon us very was we were what when where which while who whom whose why will with within
    without would you your
    image photo photograph picture
    """)
)


def judge(image: Image.Image, provenance: Mapping[str, Any]) -> dict[str, float]:
    """Every phrase that is to any degree true of a picture; one that is absent has degree 0.

    Args:
        image: The picture.
        provenance: How it was made. Truth comes from its ``scene``, labels from its ``labels`` and
            ``caption``.

    Returns:
        Phrase -> degree in (0, 1], to three digits.
    """
    found = dict(statistics(image))
    found |= {f"{_LABELLED}{label}": 1.0 for label in provenance.get("labels") or ()}
    found |= {f"{_MENTIONS}{word}": 1.0 for word in content_words(provenance.get("caption") or "")}
    if "scene" in provenance:
        found |= truth(Scene.from_json(provenance["scene"]))
    rounded = {phrase: round(degree, _DIGITS) for phrase, degree in found.items()}
    return {phrase: degree for phrase, degree in rounded.items() if degree > 0}


def source_of(phrase: str) -> Source:
    """Where the judge's knowledge about a phrase comes from.

    Raises:
        ToolError: No source knows it; the message names the nearest phrases.
    """
    if phrase.startswith((_LABELLED, _MENTIONS)):
        return "label"
    known = vocabulary()
    if phrase not in known:
        raise ToolError(f"No picture can be judged for '{phrase}'. {nearest(phrase, known)}")
    return known[phrase]


@cache
def vocabulary() -> Mapping[str, Source]:
    """Every phrase that is known without a data set, with its source; labels come with the data."""
    known: dict[str, Source] = {p.phrase: "scene" for p in phrases()}
    known |= dict.fromkeys(STATISTICS, "statistic")
    return known


def removed_by(phrase: str) -> dict[str, Any] | None:
    """Instruction of the Pillow edit that takes a concept out of any picture.

    Returns:
        None if no such edit is known: scene phrases are taken out by edits of the scene, and
        what makes a picture deserve its label is not known.

    Raises:
        ToolError: No source knows the phrase.
    """
    source_of(phrase)
    statistic = STATISTICS.get(phrase)
    return dict(statistic.removed_by) if statistic and statistic.removed_by else None


def content_words(caption: str) -> list[str]:
    """The words of a caption that can speak of its content, each once, in their order.

    A word is a run of letters, hyphens and apostrophes inside it included, in lower case. Words
    of one letter and common function words are left out; plurals stay as they are.
    """
    words = (word.lower().replace("’", "'") for word in _WORD.findall(caption))
    return list(dict.fromkeys(w for w in words if len(w) > 1 and w not in _EMPTY))
