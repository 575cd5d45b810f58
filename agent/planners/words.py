"""Sentences for forms. The form is what counts; these are for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hubel.agent.form import Form, Term
from hubel.agent.planners.columns import Table
from hubel.agent.score import pearson
from hubel.tools.concepts import vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Phrases of scenes that take no article.
_UNCOUNTED = ("text", "food", "clothing", "sky")
#: A phrase outside the form that goes with what it misses this strongly is an exception.
EXCEPTION = 0.35


def phrase_of(term: Term) -> str:
    """A conjunction in words; one that only lacks phrases speaks of where any of them is."""
    if not term.having:
        named = [noun_of(p) for p in term.lacking]
        return f"either {' or '.join(named)}" if len(named) > 1 else named[0]
    words = " with ".join(noun_of(p) for p in term.having)
    for phrase in term.lacking:
        negated = phrase.startswith("no ")
        words += f" with some {phrase[3:]}" if negated else f" without {noun_of(phrase)}"
    return words


def drives(term: Term) -> bool:
    """Whether what `phrase_of` speaks of raises the unit."""
    return (term.weight > 0) == bool(term.having)


def noun_of(phrase: str) -> str:
    """A phrase with its article: those of scenes lack it, the others have one where they need."""
    counted = phrase.split()[0] in ("no", "one", "two", "three")
    if vocabulary().get(phrase) != "scene" or counted or phrase in _UNCOUNTED:
        return phrase
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def claim_of(term: Term) -> str:
    """A hypothesis in words."""
    verb = "Responds to" if drives(term) else "Is suppressed by"
    return f"{verb} {phrase_of(term)}"


def text_of(
    form: Form,
    degrees: Mapping[str, NDArray[Any]],
    fates: Mapping[str, str],
    tested: Mapping[str, Term],
) -> str:
    """An explanation in words: what drives the unit most comes first.

    Args:
        form: The explanation.
        degrees: Of each phrase on the surveyed pictures.
        fates: What became of each hypothesis.
        tested: The term of each hypothesis.
    """
    supported = {
        (t.having, t.lacking) for name, t in tested.items() if fates.get(name) == "supported"
    }
    ranked = sorted(form.terms, key=lambda t: -abs(t.weight) * float(t.degree(degrees).std()))
    parts = []
    for verb, sign in (("responds to", True), ("is suppressed by", False)):
        if so := [phrase_of(t) for t in ranked if drives(t) == sign]:
            parts.append(f"{verb} {_listed(so)}")
    sentence = "The unit " + " and ".join(parts) + "."
    tested_terms = [t for t in ranked if (t.having, t.lacking) in supported]
    if tested_terms:
        named = _listed([phrase_of(t) for t in tested_terms])
        sentence += f" Taking away {named} changed it as predicted."
    return sentence


def exceptions_of(form: Form, table: Table) -> list[str]:
    """The phrase that goes best with what the form misses, if it goes with it strongly."""
    residual = table.measured - form.predict(table.degrees, len(table.measured))
    others = [p for p in sorted(table.degrees) if p not in form.phrases]
    if not others:
        return []
    strength = [float(pearson(table.degrees[p], residual, table.weights[None])[0]) for p in others]
    most = max(range(len(others)), key=lambda i: abs(strength[i]))
    if abs(strength[most]) < EXCEPTION:
        return []
    more = "more" if strength[most] > 0 else "less"
    return [f"Where there is {noun_of(others[most])}, it responds {more} than the form predicts."]


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return ", ".join(words[:-1]) + " and " + words[-1]
