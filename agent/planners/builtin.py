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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubel.agent.confirm import MIN_PEARSON, Sample
from hubel.agent.form import Form, Term
from hubel.agent.planner import (
    Call,
    Claim,
    Conclusion,
    Condition,
    PlannerFailed,
    Predicted,
    Step,
    View,
)
from hubel.agent.planners.fit import MAX_TERMS, Fit, Table, refit, select
from hubel.agent.planners.words import claim_of, exceptions_of, text_of
from hubel.agent.records import Experiment
from hubel.agent.verdicts import fate, is_intervention
from hubel.tools.concepts import removed_by, source_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: Pictures in the survey, and pairs per experiment.
SURVEY, PAIRS = 320, 12
#: A change smaller than this share of the unit's standard deviation refutes a term.
SMALL = 0.1


class Builtin:
    """The built-in planner."""

    name = "builtin"

    def next(self, view: View) -> Step:
        """The next step, from what the study has recorded."""
        moves: tuple[Callable[[View], Step], ...] = (
            _survey, _propose, _edit, _measure, _look_inside, _conclude
        )  # fmt: skip
        if view.must_conclude:
            return _conclude(view)
        done = sum(m.role == "planner" for m in view.messages)
        return moves[min(done, len(moves) - 1)](view)


@dataclass(frozen=True, slots=True)
class _Test:
    """A hypothesis with the phrase by which it is tested."""

    name: str
    term: Term

    @property
    def phrase(self) -> str:
        return self.term.having[0]

    @property
    def lacking(self) -> list[str]:
        return list(self.term.lacking)


def _survey(view: View) -> Step:
    return Step(
        thought="What goes with the unit's activation, over its whole range?",
        calls=(
            Call(tool="survey", args={"unit": view.unit, "n": SURVEY}),
            Call(tool="image_stats", args={"unit": view.unit}),
        ),
    )


def _propose(view: View) -> Step:
    fit = _fit(view)
    if fit.validated < MIN_PEARSON / 2:
        return _conclude(view)
    tests = _tests_of(fit)
    claims = tuple(
        Claim(name=t.name, claim=claim_of(t.term), form=Form((t.term,)).to_json()) for t in tests
    )
    return Step(
        thought=(
            f"{len(fit.form.terms)} terms predict unseen parts of the survey with a correlation of "
            f"{fit.validated:.2f}; each is tested by itself, beside its nearest rivals."
        ),
        hypotheses=claims,
        calls=tuple(_stimuli_for(t) for t in tests),
    )


def _stimuli_for(test: _Test) -> Call:
    if source_of(test.phrase) == "scene":
        having = [p for p in test.term.having if source_of(p) == "scene"]
        lacking = [p for p in test.lacking if source_of(p) == "scene"]
        return Call(
            tool="synthesize", args={"n": PAIRS, "having": having, "lacking": lacking}
        )
    return Call(tool="find", args={"phrase": test.phrase, "n": PAIRS})


def _edit(view: View) -> Step:
    calls = []
    for test, made in _tested(view, step=2):
        stimuli = made.values.get("stimuli", [])
        instruction = _instruction(test)
        if stimuli and instruction is not None:
            calls.append(
                Call(tool="edit", args={"stimuli": stimuli, "instruction": instruction})
            )
    if not calls:
        return _look_inside(view)
    return Step(thought="The same pictures, with the phrase taken away.", calls=tuple(calls))


def _instruction(test: _Test) -> dict[str, Any] | None:
    if source_of(test.phrase) == "scene":
        return {"op": "without", "phrase": test.phrase}
    return removed_by(test.phrase)


def _measure(view: View) -> Step:
    sd = _spread(view)
    tests = {t.phrase: t for t, _ in _tested(view, step=2)}
    calls = []
    for edited in _experiments(view, step=3):
        made = edited.values
        test = _test_of_edit(view, edited, tests)
        if test is None or not made.get("stimuli"):
            continue
        sign = 1.0 if test.term.weight > 0 else -1.0
        args = {"unit": view.unit, "stimuli": made["parents"], "baseline": made["stimuli"]}
        calls.append(Call(tool="activate", args=args, predictions=(_prediction(test, sign, sd),)))
    if not calls:
        return _look_inside(view)
    return Step(thought="Does taking it away change the unit as predicted?", calls=tuple(calls))


def _prediction(test: _Test, sign: float, sd: float) -> Predicted:
    low, high = "contrast.ci.0", "contrast.ci.1"
    if sign > 0:
        expects = Condition(op=">", value=0.0, path=low)
        refutes = Condition(op="<", value=SMALL * sd, path=high)
    else:
        expects = Condition(op="<", value=0.0, path=high)
        refutes = Condition(op=">", value=-SMALL * sd, path=low)
    return Predicted(
        hypothesis=test.name, path="contrast.mean", expects=expects, refutes=refutes
    )


def _look_inside(view: View) -> Step:
    opening = next((e for e in view.experiments if e.tool == "exemplars"), None)
    stimuli = opening.values.get("stimuli", []) if opening else []
    seen = {e.tool for e in view.experiments}
    if not stimuli or "ablate" in seen:
        return _conclude(view)
    return Step(
        thought="What does the network lose without the unit, and which edits move it?",
        calls=(
            Call(tool="ablate", args={"unit": view.unit, "stimuli": stimuli, "mode": "mean"}),
            Call(tool="profile", args={"unit": view.unit, "stimuli": stimuli[:4]}),
        ),
    )


def _conclude(view: View) -> Step:
    survey = _survey_result(view)
    if survey is None:
        return _nothing("There was no time to survey the unit.")
    table = _table(survey)
    fit = _fit(view)
    fates = {h.name: fate(h.name, view.verdicts) for h in view.hypotheses}
    by_name = {t.name: t.term for t in _tests_of(fit)}
    kept = [
        by_name[name]
        for name, became in fates.items()
        if became == "supported" or (became != "refuted" and by_name[name] in fit.form.terms)
    ]
    if not fates and fit.validated >= MIN_PEARSON / 2:
        kept = list(fit.form.terms)
    if not kept:
        return _nothing(
            "No phrase predicts the unit on unseen parts of the survey."
            if not fates
            else "Every hypothesis was refuted."
        )
    form = refit(table, kept[:MAX_TERMS])
    evidence = _evidence(view)
    return Step(
        thought="What was not refuted, with its weights fitted again.",
        conclusion=Conclusion(
            text=text_of(form, table.degrees, fates, by_name),
            form=form.to_json(),
            exceptions=tuple(exceptions_of(form, table)),
            evidence=evidence,
        ),
    )


def _nothing(why: str) -> Step:
    return Step(thought=why, conclusion=Conclusion(text=why, form=None))


# Reading the record


def _survey_result(view: View) -> Experiment | None:
    return next((e for e in view.experiments if e.tool == "survey" and e.status == "done"), None)


def _table(survey: Experiment) -> Table:
    sample = Sample(survey.values, sorted(survey.values["concepts"]))
    return Table(sample.degrees, sample.measured, sample.weights, sample.groups)


def _fit(view: View) -> Fit:
    survey = _survey_result(view)
    if survey is None:
        errors = [e.error for e in view.experiments if e.error]
        raise PlannerFailed(f"The survey did not succeed: {errors[-1] if errors else 'no result'}")
    return select(_table(survey))


def _tests_of(fit: Fit) -> list[_Test]:
    """One hypothesis per term with a phrase to test it by, then the rivals."""
    terms = (*fit.form.terms, *fit.rivals)
    return [_Test(f"h{i}", term) for i, term in enumerate(terms, start=1)]


def _experiments(view: View, step: int) -> list[Experiment]:
    """The experiments of the planner's nth step."""
    said = [m for m in view.messages if m.role == "planner"]
    if len(said) < step:
        return []
    return [
        e for e in view.experiments if e.message == said[step - 1].n and e.asked_by == "planner"
    ]


def _tested(view: View, step: int) -> list[tuple[_Test, Experiment]]:
    """The hypotheses with the experiments that made their stimuli."""
    made = _experiments(view, step)
    return [
        (t, e) for t, e in zip(_tests_of(_fit(view)), made, strict=False) if e.status == "done"
    ]


def _test_of_edit(
    view: View, edited: Experiment, tests: dict[str, _Test]
) -> _Test | None:
    """The hypothesis whose stimuli an edit was made from."""
    for test, made in _tested(view, step=2):
        if made.values.get("stimuli") == edited.args["stimuli"] and (
            _instruction(test) == edited.args.get("instruction")
        ):
            return tests[test.phrase]
    return None


def _spread(view: View) -> float:
    """Standard deviation of the unit over the discovery half."""
    import numpy as np

    survey = _survey_result(view)
    if survey is None:
        raise PlannerFailed("The survey did not succeed.")
    table = _table(survey)
    w = table.weights / table.weights.sum()
    return float(np.sqrt(w @ (table.measured - w @ table.measured) ** 2))


def _evidence(view: View) -> tuple[int, ...]:
    """What the conclusion rests on: the survey, and the interventions."""
    return tuple(
        e.n
        for e in view.experiments
        if e.status == "done" and (e.tool in ("exemplars", "survey") or is_intervention(e))
    )
