"""What must hold of a study in the ledger, however it was planned and however it ended."""

import sqlite3

import numpy as np

from hubel.agent.confirm import MIN_PEARSON, Sample
from hubel.agent.form import Form
from hubel.agent.verdicts import judge_predictions

STOPS = (
    "answered", "nothing found", "budget", "cancelled", "planner failed", "lab failed", "refused"
)  # fmt: skip
#: Stops that have come to an explanation.
EXPLAINED = ("answered", "nothing found")


def flaws(ledger, number):
    """Everything that is wrong with a study that has ended; empty if nothing is."""
    found = [*_rows(ledger, number), *_budget(ledger, number), *_explanation(ledger, number)]
    connection = sqlite3.connect(ledger.path)
    try:
        found += map(str, connection.execute("PRAGMA foreign_key_check").fetchall())
        (whole,) = connection.execute("PRAGMA quick_check").fetchone()
    finally:
        connection.close()
    return found if whole == "ok" else [*found, whole]


def _rows(ledger, number):
    study, messages = ledger.study(number), ledger.messages(number)
    experiments, verdicts = ledger.experiments(number), ledger.verdicts(number)
    if study.stop not in STOPS or not study.finished:
        yield f"it stopped by {study.stop!r}"
    if [m.n for m in messages] != list(range(len(messages))) or messages[0].role != "user":
        yield "messages are missing"
    steps = {m.n for m in messages if m.role == "planner"}
    for hypothesis in ledger.hypotheses(number):
        if hypothesis.message not in steps:
            yield f"hypothesis {hypothesis.name} is of no step that was accepted"
    numbers = [e.n for e in experiments]
    if len(set(numbers)) < len(numbers) or any(e.status == "running" for e in experiments):
        yield "an experiment runs still, or was made twice"
    expected = []
    for e in experiments:
        if e.asked_by == "planner" and e.message not in steps:
            yield f"experiment {e.n} was asked for by no step"
        if (e.result is not None) != (e.status == "done"):
            yield f"experiment {e.n} is {e.status}, and its result says otherwise"
        mine = [p for p in ledger.predictions(number) if p.experiment == e.n]
        if any(p.message > e.message for p in mine):
            yield f"experiment {e.n} is older than what was predicted of it"
        expected += judge_predictions(mine, e.values) if e.status == "done" else []
    if expected != verdicts:
        yield "verdicts are not what the results say"
    for m in messages:
        if m.role == "error" and not m.content["error"].strip():
            yield f"message {m.n} says nothing"


def _budget(ledger, number):
    budget = ledger.study(number).budget
    asked = [e for e in ledger.experiments(number) if e.asked_by == "planner"]
    if len(asked) > budget["calls"]:
        yield f"{len(asked)} calls of {budget['calls']}"
    rounds = sum(m.role != "user" for m in ledger.messages(number))
    if rounds > budget["rounds"] + 1:  # one more, to conclude
        yield f"{rounds} rounds of {budget['rounds']}"
    if budget.get("tokens") is not None:
        spent = [(c.tokens_in or 0) + (c.tokens_out or 0) for c in ledger.llm_calls(number)]
        if sum(spent) > budget["tokens"] + 2 * max(spent, default=0):  # the last, and to conclude
            yield f"{sum(spent)} tokens of {budget['tokens']}"


def _explanation(ledger, number):
    study, explanation = ledger.study(number), ledger.explanation(number)
    score = ledger.scores(number).get("explanation")
    if (explanation is None) != (score is None):
        yield "an explanation has no score, or a score no explanation"
    if (study.stop in EXPLAINED) != (explanation is not None) and study.stop != "budget":
        yield f"it stopped by {study.stop} and {'has no' if score is None else 'has an'} explanation"
    if explanation is None:
        return
    if study.stop in EXPLAINED and study.stop != explanation.verdict:
        yield f"it stopped by {study.stop}, and its verdict is {explanation.verdict}"
    sample = ledger.experiments(number)[-1]
    if (sample.tool, sample.asked_by, sample.status) != ("held_out_sample", "program", "done"):
        yield "nothing confirmed the explanation"
        return
    form = Form.from_json(explanation.form)
    if explanation.verdict == "nothing found":
        if form.terms:
            yield "it found nothing and claims something"
        return
    reached = correlation(form, sample.values)
    if not reached >= MIN_PEARSON:
        yield f"it claims an answer that reaches {reached:.3f} on held-out pictures"
    if abs(reached - score.pearson) > 1e-4:
        yield f"its score is {score.pearson:.4f}, and should be {reached:.4f}"


def correlation(form, values):
    """Weighted correlation of a form with the unit, by numpy."""
    sample = Sample(values, form.phrases)
    predicted, measured, w = sample.predicted(form), sample.measured, sample.weights
    if not np.ptp(predicted) or not np.ptp(measured):
        return 0.0
    covariance = np.cov(predicted, measured, aweights=w, bias=True)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
