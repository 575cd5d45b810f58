"""What a study did, read from the ledger and put together for people.

The report, ``hubel show`` and ``ask --json`` all tell it from here, so that they cannot differ.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from hubel.agent.ledger import Ledger
from hubel.agent.preflight.summary import line
from hubel.agent.records import (
    Experiment,
    Explanation,
    Hypothesis,
    Message,
    Prediction,
    Score,
    Study,
    Verdict,
)
from hubel.agent.verdicts import fate
from hubel.agent.wording import listed

#: The sample that the program draws to score an explanation.
HELD_OUT = "held_out_sample"

#: What is said in place of an answer, by the reason why a study stopped without one.
_WITHOUT_ANSWER = {
    None: "This study has not ended yet.",
    "cancelled": "This study was cancelled before it came to a conclusion.",
    "budget": "The budget was spent before this study came to a conclusion.",
    "planner failed": "The planner failed before this study came to a conclusion.",
    "refused": "This study could not begin: its unit or its pictures were refused.",
    "lab failed": "The lab failed before this study came to a conclusion.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A registered prediction and what became of it; the verdict is None until it is measured."""

    prediction: Prediction
    verdict: Verdict | None

    @property
    def outcome(self) -> str:
        """supported, refuted, inconclusive or untested."""
        return self.verdict.outcome if self.verdict else "untested"


@dataclass(frozen=True, slots=True)
class Tried:
    """A hypothesis with its fate and its tests, in order."""

    hypothesis: Hypothesis
    fate: str
    trials: list[Trial]

    @property
    def deciding(self) -> list[Trial]:
        """The tests whose outcome is the fate."""
        return [t for t in self.trials if t.verdict and t.outcome == self.fate]


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent of a part of the budget; None as the limit means that it had none."""

    name: str
    spent: float
    limit: float | None


@dataclass(frozen=True, slots=True)
class Story:
    """A study with everything that is recorded of it.

    Attributes:
        costs: Rounds, calls and seconds, in this order.
    """

    study: Study
    messages: list[Message]
    experiments: list[Experiment]
    hypotheses: list[Tried]
    trials: list[Trial]
    explanation: Explanation | None
    scores: dict[str, Score]
    costs: list[Cost]

    @property
    def verdict(self) -> str:
        """answered, nothing found, or where there is no explanation why not."""
        if self.explanation is not None:
            return self.explanation.verdict
        return self.study.stop or "not ended"

    @property
    def text(self) -> str:
        """The answer, or a sentence that says why there is none."""
        if self.explanation is not None:
            return self.explanation.text
        stop = self.study.stop
        return _WITHOUT_ANSWER.get(stop, f"This study stopped without a conclusion: {stop}.")

    @property
    def score(self) -> Score | None:
        """The score of the explanation."""
        return self.scores.get("explanation")

    @property
    def held_out(self) -> Experiment | None:
        """The sample on which the explanation was scored."""
        done = [e for e in self.experiments if e.tool == HELD_OUT and e.status == "done"]
        return done[-1] if done else None

    @property
    def outcomes(self) -> dict[int, str]:
        """Outcome of each experiment that tested a hypothesis; a refutation counts most."""
        ranks = {"untested": 0, "inconclusive": 1, "supported": 2, "refuted": 3}
        out: dict[int, str] = {}
        for trial in sorted(self.trials, key=lambda t: ranks[t.outcome]):
            out[trial.prediction.experiment] = trial.outcome
        return out

    @property
    def tally(self) -> str:
        """How many hypotheses met which fate: ``2 refuted and 1 untested``."""
        counts = Counter(h.fate for h in self.hypotheses)
        return listed([f"{n} {fate}" for fate, n in sorted(counts.items())])

    @property
    def unguarded(self) -> bool:
        """Whether planner-written code could run without a sandbox, by the user's choice."""
        return any(e.sandbox == "unsafe" for e in self.experiments)

    @property
    def preflight(self) -> str | None:
        """What the planner's model was measured to be capable of, in a line; None if it was not."""
        measured = (self.study.opened or {}).get("preflight")
        return line(measured) if measured else None

    @property
    def unsupported(self) -> bool:
        """Whether an answer cites no experiment besides the sample that scored it."""
        if self.explanation is None or self.explanation.verdict != "answered":
            return False
        sample = self.held_out
        return not [n for n in self.explanation.evidence if sample is None or n != sample.n]

    @property
    def candidate(self) -> dict[str, Any] | None:
        """The form that the planner put forward last, reported or not; None if it had none."""
        steps = [m.content["step"] for m in self.messages if m.role == "planner"]
        concluded = steps[-1].get("conclusion") if steps else None
        form: dict[str, Any] | None = concluded.get("form") if concluded else None
        return form if form and form["terms"] else None


def read_story(ledger: Ledger, study: int) -> Story:
    """Everything recorded of a study, finished or not.

    Raises:
        LedgerError: There is no such study.
    """
    row = ledger.study(study)
    messages = ledger.messages(study)
    experiments = ledger.experiments(study)
    verdicts = ledger.verdicts(study)
    of = {(v.experiment, v.hypothesis): v for v in verdicts}
    trials = [Trial(p, of.get((p.experiment, p.hypothesis))) for p in ledger.predictions(study)]
    spent = {
        "rounds": sum(m.role != "user" for m in messages),
        "calls": sum(e.asked_by == "planner" and e.status != "running" for e in experiments),
        "seconds": ledger.seconds(study),
    }
    return Story(
        study=row,
        messages=messages,
        experiments=experiments,
        hypotheses=[
            Tried(
                h, fate(h.name, verdicts), [t for t in trials if t.prediction.hypothesis == h.name]
            )
            for h in ledger.hypotheses(study)
        ],
        trials=trials,
        explanation=ledger.explanation(study),
        scores=ledger.scores(study),
        costs=[Cost(name, value, row.budget.get(name)) for name, value in spent.items()],
    )
