"""The sections of a report, each as what its template needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hubel.agent.form import Form, Term
from hubel.agent.story import Story
from hubel.agent.verdicts import is_intervention
from hubel.agent.web.album import Album
from hubel.agent.web.svg import Span
from hubel.agent.web.tidy import column, facts, is_id, numeric, source
from hubel.agent.wording import listed

#: Labels before what was drawn before what was measured: the rarer says more.
_RANKS = {None: 0, "label": 0, "scene": 1, "statistic": 2}
#: Words shown below an exemplar.
WORDS = 5


@dataclass(frozen=True, slots=True)
class TermRow:
    """A term of a form with its bar, in percent of the axis, and the hypothesis that it was.

    Attributes:
        words: Phrase, and whether it is negated.
    """

    weight: float
    words: list[tuple[str, bool]]
    left: float
    width: float
    hypothesis: str | None
    fate: str | None


@dataclass(frozen=True, slots=True)
class FormView:
    """A written form as rows."""

    rows: list[TermRow]
    zero: float
    join: str
    intercept: float
    written: str


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A picture with its heat-map, its activation, and words that are true of it.

    Attributes:
        share: Activation as a percentage of the strongest one shown.
        words: Phrase, and whether the explanation names it.
    """

    pictures: list[Markup]
    activation: float | None
    share: float
    words: list[tuple[str, bool]]
    about: str


def form_view(story: Story) -> FormView | None:
    """The reported form; for a study that found nothing, the candidate that failed."""
    reported = story.explanation.form if story.explanation else None
    form = reported if reported and reported["terms"] else story.candidate
    if form is None:
        return None
    read = Form.from_json(form)
    span = Span.of([t.weight for t in read.terms], zero=True, pad=0.0)
    zero = span.at(0.0)
    of = {_key(t): h for h in story.hypotheses for t in _terms(h.hypothesis.form)}
    rows = []
    for term in read.terms:
        end, known = span.at(term.weight), of.get(_key(term))
        words = [(p, False) for p in term.having] + [(p, True) for p in term.lacking]
        name, fate = (known.hypothesis.name, known.fate) if known else (None, None)
        left, width = round(min(zero, end), 2), round(abs(end - zero), 2)
        rows.append(TermRow(term.weight, words, left, width, name, fate))
    return FormView(rows, zero, read.join, read.intercept, str(read))


def exemplars(story: Story, album: Album) -> list[Exemplar]:
    """The pictures that the study began with, in the order in which they were measured."""
    done = [e for e in story.experiments if e.tool == "exemplars" and e.status == "done"]
    form = form_view(story)
    named = {p for row in form.rows for p, _ in row.words} if form else set()
    return exemplars_in((done[0].result if done else None) or {}, album, named)


def exemplars_in(
    result: Mapping[str, Any], album: Album, named: Collection[str] = ()
) -> list[Exemplar]:
    """The pictures of a result of the tool `exemplars`.

    Args:
        result: Its ``values`` and ``artifacts``; empty for none.
        album: Shows them.
        named: Phrases to set off.
    """
    values = result.get("values") or {}
    stimuli = [s for s in values.get("stimuli") or () if is_id(s)]
    activation = column(values.get("activation"), len(stimuli))
    strongest = max((a for a in activation if numeric(a)), default=0.0)
    truths, maps = _truths(values, len(stimuli)), _maps(result, values, stimuli)
    shared = Counter(p for phrases in truths for p in phrases)
    shown = []
    for stimulus, measured, phrases in zip(stimuli, activation, truths, strict=True):
        ranked = sorted(phrases, key=lambda p: (p not in named, _RANKS[source(p)], -shared[p]))[
            :WORDS
        ]
        over = [album.show(maps[stimulus], "where the unit responds")] if stimulus in maps else []
        shown.append(
            Exemplar(
                pictures=[album.show(stimulus), *over],
                activation=measured,
                share=_share(measured, strongest),
                words=[(p, p in named) for p in ranked],
                about=album.about(stimulus),
            )
        )
    return shown


def unit_range(story: Story) -> list[tuple[str, str]]:
    """The unit over all pictures that a planner may see, in a few numbers."""
    done = [e for e in story.experiments if e.tool == "exemplars" and e.status == "done"]
    return range_in(done[0].values if done else {})


def range_in(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same, from the values of the tool `exemplars`."""
    known = values.get("statistics")
    return facts({"": known}, 9) if isinstance(known, Mapping) else []


def limits(story: Story) -> list[str]:
    """What was not measured, and what the numbers do not say."""
    done = [e for e in story.experiments if e.status == "done"]
    said = []
    if not any(e.kind == "model intervention" for e in done):
        said.append(
            "Nothing was changed inside the network: what it uses the unit for was not measured."
        )
    if not any(is_intervention(e) and e.kind != "model intervention" for e in done):
        said.append("No picture was changed on purpose: the evidence is correlation only.")
    open_ones = [h.hypothesis.name for h in story.hypotheses if h.fate == "untested"]
    if open_ones:
        said.append(f"Never tested: {listed(open_ones)}.")
    failed = Counter(e.status for e in story.experiments if e.status not in ("done", "running"))
    if failed:
        counted = listed([f"{n} {status}" for status, n in sorted(failed.items())])
        said.append(f"Calls that gave no result: {counted}.")
    score, sample = story.score, story.held_out
    if score is None or sample is None:
        return [*said, "Nothing was scored on held-out pictures."]
    kinds = sorted(set(map(str, sample.values.get("population") or ())))
    said.append(
        f"The score speaks of {score.n} held-out pictures ({listed(kinds)}) from "
        f"{score.detail.get('groups', 'an unknown number of')} independent sources, and of no "
        "other kind of picture."
    )
    if score.detail.get("ceiling") is None:
        said.append("How well the unit repeats itself was not measured, so there is no ceiling.")
    return said


def _truths(values: Mapping[str, Any], n: int) -> list[list[str]]:
    """For each exemplar, the phrases that are true of it, labels first."""
    labels, concepts = (column(values.get(k), n) for k in ("labels", "concepts"))
    out = []
    for label, found in zip(labels, concepts, strict=True):
        words = [str(w) for w in label or ()] if isinstance(label, list) else []
        if isinstance(found, Mapping):
            true = {str(p): d for p, d in found.items() if numeric(d) and d >= 0.5}
            words += sorted(true, key=lambda p: -true[p])
        elif isinstance(found, list):
            words += [str(p) for p in found]
        out.append(list(dict.fromkeys(words)))
    return out


def _maps(
    result: Mapping[str, Any], values: Mapping[str, Any], stimuli: list[str]
) -> dict[str, str]:
    """Heat-map of each exemplar: by what the figure says it shows, else by its position."""
    figures = [f for f in values.get("figures") or () if is_id(f)]
    maps = dict(zip(stimuli, figures, strict=True)) if len(figures) == len(stimuli) else {}
    made = result.get("artifacts") or []
    return maps | {a["provenance"]["of"]: a["id"] for a in made if is_id(a["provenance"].get("of"))}


def _share(value: float | None, strongest: float) -> float:
    if value is None or strongest <= 0:
        return 0.0
    return round(100 * max(0.0, value) / strongest, 1)


def _terms(form: Mapping[str, Any]) -> tuple[Term, ...]:
    terms = Form.from_json(form).terms
    return terms if len(terms) == 1 else ()


def _key(term: Term) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(term.having), frozenset(term.lacking)
