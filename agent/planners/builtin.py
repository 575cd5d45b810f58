"""The built-in planner: a programmatic scientist that needs no language model.

1. Survey the discovery half: activations over the whole range with the concepts of each picture.
2. Choose a short weighted list of phrases; every term is a hypothesis, and so are the phrases that
   would explain the unit next best.
3. For each, make minimal pairs: scenes with and without the phrase, or pictures with the measured
   quality edited away.
4. Predict the sign of the change, then measure it.
5. Look at what the unit does for the classes, and at which edits of its exemplars move it.
6. Keep the terms that were not refuted, fit their weights again, and conclude.

It is a function of the study's record alone, so a study that was cut off goes on the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

from hubel.agent.confirm import Sample
from hubel.agent.form import Form, Term
from hubel.agent.planner import (
    Call,
    Claim,
    Conclusion,
    PlannerFailed,
    Step,
    View,
)
from hubel.agent.planners.columns import Table
from hubel.agent.planners.fit import MAX_TERMS, Fit, refit, select
from hubel.agent.planners.minimal_pairs import Test, edits_of, key_of
from hubel.agent.planners.words import claim_of, exceptions_of, text_of
from hubel.agent.records import Experiment
from hubel.agent.verdicts import fate, is_intervention

#: Pictures in the survey, exemplars whose profile is taken.
SURVEY, PROFILED = 1024, 4
#: Cross-validated correlation under which no experiment is worth its time; above, the held-out
#: pictures decide.
WORTH_TESTING = 0.05


class Builtin:
    """The built-in planner."""

    name = "builtin"

    def next(self, view: View) -> Step:
        """The next step, from what the study has recorded."""
        record = _Record(view)
        if view.must_conclude:
            return _conclude(record)
        return _MOVES[min(len(record.said), len(_MOVES) - 1)](record)


class _Record:
    """What a study has recorded, as the planner reads it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.said = [m for m in view.messages if m.role == "planner"]
        self.survey = next(
            (e for e in view.experiments if e.tool == "survey" and e.status == "done"), None
        )

    @property
    def table(self) -> Table:
        """The survey.

        Raises:
            PlannerFailed: It did not succeed.
        """
        return self._chosen[0]

    @property
    def fit(self) -> Fit:
        """The terms that the survey suggests."""
        return self._chosen[1]

    @cached_property
    def _chosen(self) -> tuple[Table, Fit]:
        if self.survey is None:
            errors = [e.error for e in self.view.experiments if e.error]
            last = errors[-1] if errors else "it has not been made"
            raise PlannerFailed(f"There is no survey of the unit: {last}")
        return _chosen(json.dumps(self.survey.values))

    @cached_property
    def tests(self) -> list[Test]:
        """One hypothesis for each term, then for each rival."""
        terms = (*self.fit.form.terms, *self.fit.rivals)
        return [Test(f"h{i}", term) for i, term in enumerate(terms, start=1)]

    @property
    def spread(self) -> float:
        """Standard deviation of the unit over the discovery half."""
        import numpy as np

        w = self.table.weights / self.table.weights.sum()
        measured = self.table.measured
        return float(np.sqrt(w @ (measured - w @ measured) ** 2))

    def experiments(self, step: int) -> list[Experiment]:
        """The experiments of the planner's nth step that ended well."""
        if len(self.said) < step:
            return []
        n = self.said[step - 1].n
        return [
            e
            for e in self.view.experiments
            if e.message == n and e.asked_by == "planner" and e.status == "done"
        ]

    def stimuli(self) -> list[tuple[Test, dict[str, list[str]]]]:
        """The hypotheses that have pictures to be tested on, with the pictures of each phrase."""
        made = {key_of(e.tool, e.args): e.values["stimuli"] for e in self.experiments(2)}
        found = []
        for test in self.tests:
            calls = {p: test.pictures(p) for p in test.phrases}
            pictures = {p: made.get(key_of(c.tool, c.args), []) for p, c in calls.items()}
            if all(pictures.values()):
                found.append((test, pictures))
        return found


@lru_cache(maxsize=4)
def _chosen(survey: str) -> tuple[Table, Fit]:
    """What each step of a study asks for again."""
    values = json.loads(survey)
    sample = Sample(values, sorted(values["concepts"]))
    table = Table(sample.degrees, sample.measured, sample.weights, sample.groups)
    return table, select(table)


def _survey(record: _Record) -> Step:
    unit = record.view.unit
    return Step(
        thought="What goes with the unit's activation, over its whole range?",
        calls=(
            Call(tool="survey", args={"unit": unit, "n": SURVEY}),
            Call(tool="image_stats", args={"unit": unit}),
        ),
    )


def _propose(record: _Record) -> Step:
    fit = record.fit
    if fit.validated < WORTH_TESTING:
        return _conclude(record)
    return Step(
        thought=(
            "Short lists of phrases predict unseen parts of the survey with a correlation of "
            f"{fit.validated:.2f}. Each phrase is tested by itself, beside its nearest rivals."
        ),
        hypotheses=tuple(
            Claim(name=t.name, claim=claim_of(t.term), form=Form((t.term,)).to_json())
            for t in record.tests
        ),
        calls=tuple(t.pictures(p) for t in record.tests for p in t.phrases),
    )


def _edit(record: _Record) -> Step:
    calls = tuple(call for _, pictures in record.stimuli() for call in edits_of(pictures))
    if not calls:
        return _look_inside(record)
    return Step(thought="The same pictures, with the phrase taken away.", calls=calls)


def _measure(record: _Record) -> Step:
    made = {key_of("edit", e.args): e.values for e in record.experiments(3)}
    calls = []
    for test, pictures in record.stimuli():
        edits = [made.get(key_of("edit", call.args), _NO_PAIRS) for call in edits_of(pictures)]
        call = test.contrast(record.view.unit, edits, record.spread)
        calls += [] if call is None else [call]
    if not calls:
        return _look_inside(record)
    return Step(thought="Does taking it away change the unit as predicted?", calls=tuple(calls))


def _look_inside(record: _Record) -> Step:
    view = record.view
    opening = next((e for e in view.experiments if e.tool == "exemplars"), None)
    stimuli = opening.values.get("stimuli", []) if opening else []
    if not stimuli or any(e.tool == "ablate" for e in view.experiments):
        return _conclude(record)
    return Step(
        thought="What does the network lose without the unit, and which edits move it?",
        calls=(
            Call(tool="ablate", args={"unit": view.unit, "stimuli": stimuli, "mode": "mean"}),
            Call(tool="profile", args={"unit": view.unit, "stimuli": stimuli[:PROFILED]}),
        ),
    )


def _conclude(record: _Record) -> Step:
    view = record.view
    if record.survey is None and view.must_conclude:
        return _nothing("There was no time to survey the unit.")
    fates = {h.name: fate(h.name, view.verdicts) for h in view.hypotheses}
    if not fates and record.fit.validated < WORTH_TESTING:
        return _nothing("No phrase predicts the unit on unseen parts of the survey.")
    form = refit(record.table, _kept(record, fates))
    if not form.terms:
        return _nothing("Every hypothesis was refuted.")
    terms = {t.name: t.term for t in record.tests}
    return Step(
        thought="What was not refuted, with its weights fitted again.",
        conclusion=Conclusion(
            text=text_of(form, record.table.degrees, fates, terms),
            form=form.to_json(),
            exceptions=tuple(exceptions_of(form, record.table)),
            evidence=tuple(
                e.n
                for e in view.experiments
                if e.status == "done" and (e.tool in _OBSERVED or is_intervention(e))
            ),
        ),
    )


def _kept(record: _Record, fates: dict[str, str]) -> list[Term]:
    """The chosen terms that were not refuted, and the rivals that were supported.

    A term that turns its sign once the others are fitted beside it is dropped: it would contradict
    what was predicted of it.
    """
    chosen = [t for t in record.tests if t.term in record.fit.form.terms]
    kept = [t.term for t in chosen if fates.get(t.name) != "refuted"]
    rivals = [t.term for t in record.tests if t not in chosen and fates.get(t.name) == "supported"]
    kept = (kept + rivals)[:MAX_TERMS]
    while kept:
        fitted = refit(record.table, kept).terms
        same = [t for t, f in zip(kept, fitted, strict=True) if t.weight * f.weight > 0]
        if len(same) == len(kept):
            break
        kept = same
    return kept


def _nothing(why: str) -> Step:
    return Step(thought=why, conclusion=Conclusion(text=why, form=None))


#: An edit that came to nothing.
_NO_PAIRS: dict[str, Any] = {"parents": [], "stimuli": []}

#: Observations that a conclusion rests on, beside its interventions.
_OBSERVED = ("exemplars", "survey", "image_stats")

_MOVES: tuple[Callable[[_Record], Step], ...] = (
    _survey,
    _propose,
    _edit,
    _measure,
    _look_inside,
    _conclude,
)
