"""Why a planner believed what it did at a step: answered from the ledger alone.

The ledger is a log of who held what, on what evidence, and when. What was known at a step is what
had been measured before it; so the same log gives the same answer, whoever asks and whenever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hubel.agent.evidence import Finding, Held, Measured, Tested, Turn, Why
from hubel.agent.ledger import Ledger
from hubel.agent.records import Experiment, Message, Verdict
from hubel.agent.story import Story, Trial, read_story
from hubel.agent.summaries import summary_of
from hubel.agent.verdicts import fate
from hubel.agent.web.tidy import estimates
from hubel.agent.wording import condition_text, path_text, spoken

#: Numbers of one experiment that are kept.
_NUMBERS = 8


def why(ledger: Ledger, study: int, step: int) -> Why:
    """What was known at a step, what the step did with it, and what came of it.

    Args:
        ledger: Where the study is recorded.
        study: Its number.
        step: Number of the step, from 1.

    Raises:
        LedgerError: There is no such study.
        ValueError: It has no such step.
    """
    story = read_story(ledger, study)
    said = {m.n: m for m in story.messages if m.role != "user"}
    if step not in said:
        last = f"it has the steps 1 to {max(said)}" if said else "it has made no step yet"
        raise ValueError(f"study {study} has no step {step}: {last}")
    message, turns = said[step], _turns(story)
    content = _step_of(message)
    of_step = {e.n: e.message for e in story.experiments}
    return Why(
        study=study,
        unit=story.study.unit,
        step=step,
        steps=max(said),
        role=message.role,
        thought=content.get("thought") or str(message.content.get("said", "")),
        error=message.content.get("error"),
        held=_held(story, turns, step, range(1, step)),
        known=[_finding(e) for e in story.experiments if e.message < step],
        registered=_held(story, turns, step, [step]),
        asked=[_finding(e) for e in story.experiments if e.message == step],
        predicted=[_tested(t) for t in story.trials if t.prediction.message == step],
        conclusion=content.get("conclusion"),
        turns=[t for t in turns if of_step[t.experiment] == step],
        next_thought=_step_of(said[step + 1]).get("thought", "") if step + 1 in said else None,
    )


def step_named(ledger: Ledger, study: int, name: str) -> int:
    """Number of a step: ``7``, ``#7`` for the step that asked for experiment 7, else the last.

    Args:
        ledger: Where the study is recorded.
        study: Its number.
        name: What was typed; empty for the last step.

    Raises:
        LedgerError: There is no such study.
        ValueError: It has no such experiment or no step at all, or the text is no number.
    """
    ledger.study(study)
    if not name:
        last = max(m.n for m in ledger.messages(study))
        if last == 0:
            raise ValueError(f"study {study} has made no step yet")
        return last
    digits = name.removeprefix("#")
    if not digits.isdecimal():
        raise ValueError(f"'{name}' is no step: write its number, or #N for that of experiment N")
    return step_of(ledger, study, int(digits)) if name.startswith("#") else int(digits)


def step_of(ledger: Ledger, study: int, experiment: int) -> int:
    """Number of the step that asked for an experiment.

    Raises:
        ValueError: The study has no such experiment, or the program made it before the first step.
    """
    found = {e.n: e.message for e in ledger.experiments(study)}
    if experiment not in found:
        last = f"it has #1 to #{max(found)}" if found else "it has none yet"
        raise ValueError(f"study {study} has no experiment #{experiment}: {last}")
    if found[experiment] == 0:
        raise ValueError(
            f"the program made experiment #{experiment} before the first step: "
            "nobody believed anything yet"
        )
    return found[experiment]


def _step_of(message: Message) -> dict[str, Any]:
    """The step of a message, as its planner gave it; empty where it could not be read."""
    return dict(message.content.get("step") or {})


def _held(story: Story, turns: list[Turn], step: int, since: Iterable[int]) -> list[Held]:
    """The hypotheses registered at some steps, as they stood before a step."""
    before = {e.n for e in story.experiments if e.message < step}
    found = []
    for tried in story.hypotheses:
        h = tried.hypothesis
        if h.message not in since:
            continue
        ended = [t for t in tried.trials if t.verdict and t.prediction.experiment in before]
        verdicts = [t.verdict for t in ended if t.verdict]
        later = [t for t in turns if t.hypothesis == h.name and t.experiment not in before]
        tests = [_tested(t) for t in ended]
        found.append(
            Held(h.name, h.claim, h.message, h.revises, fate(h.name, verdicts), tests, later)
        )
    return found


def _turns(story: Story) -> list[Turn]:
    """Every change of a hypothesis's fate, in the order of the experiments."""
    of_step = {e.n: e.message for e in story.experiments}
    seen: list[Verdict] = []
    turns: list[Turn] = []
    for trial in story.trials:
        if trial.verdict is None:
            continue
        name, n = trial.prediction.hypothesis, trial.prediction.experiment
        before = fate(name, seen)
        seen.append(trial.verdict)
        if (after := fate(name, seen)) != before:
            turns.append(Turn(of_step[n], n, name, before, after))
    return turns


def _tested(trial: Trial) -> Tested:
    p = trial.prediction
    return Tested(
        experiment=p.experiment,
        hypothesis=p.hypothesis,
        number=path_text(p.path),
        expected=condition_text(p.expects, p.path),
        refuting=condition_text(p.refutes, p.path),
        outcome=trial.outcome,
        measured=trial.verdict.measured if trial.verdict else None,
    )


def _finding(e: Experiment) -> Finding:
    numbers: dict[str, Measured] = {}
    for m in estimates(e.values):
        label = " ".join(filter(None, (spoken(m.family), m.label)))
        numbers.setdefault(label, Measured(label, m.value, m.ci))
    error = (e.error or "").strip().splitlines()
    return Finding(
        experiment=e.n,
        step=e.message,
        tool=e.tool,
        kind=e.kind,
        asked_by=e.asked_by,
        status=e.status,
        what=summary_of(e) if e.status == "done" else f"Called {e.tool}.",
        numbers=list(numbers.values())[:_NUMBERS],
        error=error[-1] if error else None,
    )
