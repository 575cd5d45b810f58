"""The confirm step: an explanation is executed on pictures that its author has not seen.

The rule, in one place: an explanation is reported as an answer if, on the held-out half, its
correlation with the unit is at least `MIN_PEARSON`, the lower end of its interval is above zero,
and shuffled predictions do as well in less than `MAX_P` of the cases. Otherwise the study has found
nothing, whatever the planner wrote.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hubel.agent.form import Form
from hubel.agent.planner import Conclusion, Step, View
from hubel.agent.records import Experiment, Explanation, Score
from hubel.agent.score import Correlation, correlate, precision_recall
from hubel.agent.verdicts import fate, grade

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Pictures drawn from the held-out half.
PICTURES = 320
#: What an explanation must reach to be an answer.
MIN_PEARSON = 0.2
MAX_P = 0.01

NOTHING = Form(())


def form_of(conclusion: Conclusion | None) -> Form:
    """The form that a conclusion claims; the empty one where it claims none."""
    if conclusion is None or conclusion.form is None:
        return NOTHING
    return Form.from_json(conclusion.form)


def request(unit: str, form: Form) -> dict[str, Any]:
    """Arguments of the held-out sample that scores a form."""
    return {"unit": unit, "n": PICTURES, "phrases": form.phrases}


def conclusion_of(view: View) -> Conclusion | None:
    """The conclusion of the study's last step, if it has one."""
    steps = [m for m in view.messages if m.role == "planner"]
    return Step.model_validate(steps[-1].content["step"]).conclusion if steps else None


def explain(
    view: View, conclusion: Conclusion, sample: Experiment
) -> tuple[Explanation, list[Score]]:
    """Score a conclusion on its held-out sample and decide what is reported."""
    form = form_of(conclusion)
    table = Sample(sample.values, form.phrases)
    overall = table.correlate(form, sample.seed)
    found = bool(form.terms) and is_answer(overall)
    explanation = Explanation(
        verdict="answered" if found else "nothing found",
        text=conclusion.text if found else _nothing(form, overall),
        form=form.to_json() if found else NOTHING.to_json(),
        exceptions=list(conclusion.exceptions) if found else [],
        grade=_grade(conclusion, form, view) if found else "observed",
        evidence=sorted({*conclusion.evidence, sample.n}),
    )
    detail = {
        **_columns(overall),
        "ceiling": sample.values["repeat"]["pearson"],
        "by_population": table.by_population(form, sample.seed),
        "concepts": table.concepts(form),
        "predicted": [float(f"{p:.6g}") for p in table.predicted(form)],
        "refuted": [h.name for h in view.hypotheses if fate(h.name, view.verdicts) == "refuted"],
    }
    constant = table.correlate(NOTHING, sample.seed)
    return explanation, [
        _score("explanation", overall, detail),
        _score("constant", constant, {}),
    ]


def _grade(conclusion: Conclusion, form: Form, view: View) -> str:
    """The grade of a confirmed form, from the verdicts on the hypotheses that it contains.

    Support of other hypotheses is no support of the form.
    """
    inside = {
        h.name
        for h in view.hypotheses
        if {(t.having, t.lacking) for t in Form.from_json(h.form).terms}
        <= {(t.having, t.lacking) for t in form.terms}
    }
    verdicts = [v for v in view.verdicts if v.hypothesis in inside]
    return grade(conclusion.evidence, view.experiments, verdicts, confirmed=True)


def is_answer(score: Correlation) -> bool:
    """Whether a score on held-out pictures is good enough to be reported as an answer."""
    return score.pearson >= MIN_PEARSON and score.low > 0 and score.p < MAX_P


class Sample:
    """A held-out (or discovery) sample as arrays.

    Args:
        values: Values of ``held_out_sample`` or ``survey``.
        phrases: The phrases wanted; one that no picture has is zero everywhere.
    """

    def __init__(self, values: dict[str, Any], phrases: list[str]) -> None:
        import numpy as np

        self.measured: NDArray[Any] = np.asarray(values["activation"], float)
        self.weights: NDArray[Any] = np.asarray(values["weight"], float)
        self.groups: list[str] = values["group"]
        self.populations: list[str] = values["population"]
        self.degrees = {p: self._degree(values["concepts"].get(p)) for p in phrases}

    def __len__(self) -> int:
        return len(self.measured)

    def _degree(self, stored: Any) -> NDArray[np.float64]:
        """Degrees of one phrase: a list, or the positions of the pictures that have it."""
        import numpy as np

        if isinstance(stored, list):
            return np.asarray(stored, float)
        degree = np.zeros(len(self.measured))
        if stored is not None:
            degree[stored["at"]] = 1.0
        return degree

    def predicted(self, form: Form) -> NDArray[Any]:
        """What the form predicts, [N]."""
        return form.predict(self.degrees, len(self))

    def correlate(self, form: Form, seed: int) -> Correlation:
        """Score of a form on all pictures."""
        return correlate(self.predicted(form), self.measured, self.weights, self.groups, seed)

    def by_population(self, form: Form, seed: int) -> dict[str, dict[str, Any]]:
        """Score of a form on each kind of picture alone."""
        import numpy as np

        out = {}
        predicted = self.predicted(form)
        for name in sorted(set(self.populations)):
            at = np.asarray([p == name for p in self.populations])
            groups = [g for g, inside in zip(self.groups, at, strict=True) if inside]
            score = correlate(predicted[at], self.measured[at], self.weights[at], groups, seed)
            out[name] = _columns(score)
        return out

    def concepts(self, form: Form) -> list[dict[str, Any]]:
        """Precision and recall of each phrase of the form."""
        return [
            {"phrase": p, **precision_recall(self.degrees[p], self.measured, self.weights)}
            for p in form.phrases
        ]


def _score(name: str, score: Correlation, detail: dict[str, Any]) -> Score:
    return Score(name, score.pearson, score.low, score.high, score.n, detail)


def _columns(score: Correlation) -> dict[str, Any]:
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in asdict(score).items()}


def _nothing(form: Form, score: Correlation) -> str:
    if not form.terms:
        return "No consistent meaning was found."
    return (
        "No consistent meaning was found: the best candidate predicts held-out activations with a "
        f"correlation of only {score.pearson:.2f} (95% interval {score.low:.2f} to "
        f"{score.high:.2f}; shuffled predictions reach {score.shuffled:.2f})."
    )
