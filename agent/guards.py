"""Guards: known ways in which agents fool themselves, each answered before it counts.

`hubel.agent.planner.problem` says what cannot be carried out; an objection says what could be, and
should not. Each is one sentence to the planner, and says what to do instead. Nothing here judges
prose: every guard reads hypotheses, predictions, calls and measured results.

A conclusion is let through when the budget leaves no room to do better: the held-out pictures
decide then, as always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hubel.agent.form import Form
from hubel.agent.planner import Call, Conclusion, Step, View
from hubel.agent.records import Experiment, Hypothesis
from hubel.agent.verdicts import fate
from hubel.agent.wording import listed

#: Pictures under which a prediction decides nothing: the fewest pairs of which a sign test can
#: reach p < 0.05.
FEWEST = 6
#: Times that a call whose result is up to chance may be made.
REPEATS = 3
#: Tools that look at a unit over its whole range.
COVERING = ("survey",)

_PICTURE = re.compile(r"[0-9a-f]{64}")

#: What a form says, without the size of its weights: (having, lacking, weight is positive).
_Terms = frozenset[tuple[tuple[str, ...], tuple[str, ...], bool]]


@dataclass(frozen=True, slots=True)
class Objection:
    """What speaks against a step.

    Attributes:
        guard: Name of the guard, for the record.
        sentence: What the planner is told.
    """

    guard: str
    sentence: str


def objection(step: Step, view: View) -> Objection | None:
    """The first thing that speaks against a step; None if nothing does.

    Args:
        step: In order, as `hubel.agent.planner.problem` has it.
        view: What the planner knew when it gave it.
    """
    for guard, check in _OF_STEPS.items():
        if sentence := check(step, view):
            return Objection(guard, sentence)
    conclusion = step.conclusion
    no_room = view.must_conclude or view.budget_left.get("rounds", 2) <= 1
    if conclusion is None or conclusion.form is None or no_room:
        return None
    for guard, judge in _OF_CONCLUSIONS.items():
        if sentence := judge(conclusion, view):
            return Objection(guard, sentence)
    return None


# Steps


def _p_hacking(step: Step, view: View) -> str | None:
    """A refuted hypothesis is not tested until it holds, under its own name or another.

    Nor is one idea registered under several names at once, for one of them to be supported.
    """
    said: dict[_Terms, str] = {}
    for claim in step.hypotheses:
        terms = _terms(claim.form)
        if terms and (other := said.setdefault(terms, claim.name)) != claim.name:
            return f"'{claim.name}' says what '{other}' says: register each idea once."
    refuted = {h.name: _refuting(h, view) for h in view.hypotheses if _fate(h, view) == "refuted"}
    for claim in step.hypotheses:
        terms = _terms(claim.form)
        for h in view.hypotheses:
            same = terms and terms == _terms(h.form)
            if same and h.name in refuted and claim.revises != h.name:
                return (
                    f"'{claim.name}' says what '{h.name}' said, which experiment "
                    f"{refuted[h.name]} refuted: change its form, or register it with "
                    f"revises '{h.name}' and test it on other pictures."
                )
    for predicted in (p for call in step.calls for p in call.predictions):
        if n := refuted.get(predicted.hypothesis):
            return (
                f"Experiment {n} refuted '{predicted.hypothesis}', and no further test will change "
                "that: register what you believe now under a new name, with revises "
                f"'{predicted.hypothesis}', and test that on other pictures."
            )
    return None


def _few_pictures(step: Step, view: View) -> str | None:  # noqa: ARG001  (all checks alike)
    """A handful of pictures shows nothing, whatever they show."""
    for call in step.calls:
        counts = [len(set(pictures)) for pictures in _picture_lists(call.args)]
        asked = [n for n in (call.args.get("n"), call.args.get("k")) if isinstance(n, int)]
        fewest = min(counts + asked, default=FEWEST)
        if call.predictions and fewest < FEWEST:
            return (
                f"A prediction about {fewest} picture{'' if fewest == 1 else 's'} decides nothing: "
                f"give {call.tool} at least {FEWEST} different ones, or leave the prediction out."
            )
    return None


def _repetition(step: Step, view: View) -> str | None:
    """A call whose answer is known is not made again; one that is up to chance may be."""
    for i, call in enumerate(step.calls):
        wanted = filled(call.tool, call.args, view.tools)
        same = [
            e
            for e in view.experiments
            if e.tool == call.tool and filled(e.tool, e.args, view.tools) == wanted
        ]
        before = sum(
            c.tool == call.tool and filled(c.tool, c.args, view.tools) == wanted
            for c in step.calls[:i]
        )
        done = [e for e in same if e.status == "done"]
        refused = [e for e in same if e.status == "refused"]
        if done and _settled(call, done, view):
            return (
                f"That was experiment {done[-1].n}: use its result, or change the arguments of "
                f"{call.tool}."
            )
        if before and (_by_pictures(call, view) or before + len(done) >= REPEATS):
            return (
                f"The step makes the same call of {call.tool} more than once: make it once, with "
                "all its predictions."
            )
        if len(refused) > 1:
            return (
                f"Experiment {refused[-1].n} was refused for the same arguments: change them. "
                f"{refused[-1].error}"
            )
    return None


def _settled(call: Call, done: list[Experiment], view: View) -> bool:
    """Whether one more call would tell nothing new: pictures settle it, or two equal results."""
    if _by_pictures(call, view):
        return True
    return len(done) >= REPEATS or (len(done) > 1 and done[-1].values == done[-2].values)


def _by_pictures(call: Call, view: View) -> bool:
    """Whether the pictures that a call names settle its result."""
    computed = any(t["kind"] == "computation" for t in view.tools if t["name"] == call.tool)
    return bool(_picture_lists(call.args)) and not computed


# Conclusions with a form


def _ignored_evidence(conclusion: Conclusion, view: View) -> str | None:
    """What was refuted is no part of the answer, unless a supported revision holds it."""
    for h in _inside(conclusion, view):
        if _fate(h, view) != "refuted":
            continue
        n = _refuting(h, view)
        after = next(e.message for e in view.experiments if e.n == n)
        mended = any(
            o.message > after and _terms(h.form) <= _terms(o.form) and _fate(o, view) == "supported"
            for o in _inside(conclusion, view)
        )
        if not mended:
            return (
                f"The form says what '{h.name}' said, which experiment {n} refuted: leave that out "
                f"of the form, or register a revision of '{h.name}' and test it first."
            )
    return None


def _unfounded(conclusion: Conclusion, view: View) -> str | None:
    """An answer rests on a result: a test that supported it, or a survey."""
    if _founding(conclusion, view):
        return None
    names = {h.name for h in _inside(conclusion, view)}
    flawed = sorted({p.experiment for p in view.predictions if p.hypothesis in names})
    if flawed:
        which = listed([str(n) for n in flawed])
        return (
            f"The tests of what the form says decided nothing (experiment {which}): test it again "
            "on more or other pictures, so that a prediction is supported or refuted."
        )
    return (
        "What the form says was never tested: register it as a hypothesis beside a rival, predict "
        "what each says of a call such as activate on pictures with and without it, then conclude."
    )


def _too_early(conclusion: Conclusion, view: View) -> str | None:
    """Said once: what an answer still lacks. Whoever cannot do it concludes again."""
    if any(m.content.get("guard") == "too early" for m in view.messages if m.role == "error"):
        return None
    lacking = []
    tested = {v.hypothesis for v in view.verdicts}
    if not tested & {h.name for h in _inside(conclusion, view)}:
        lacking.append("test a hypothesis of the form by a prediction")
    if len({_terms(h.form) for h in view.hypotheses if h.name in tested}) < 2:
        lacking.append("test a rival, another idea that would explain the same pictures")
    if not any(e.tool in COVERING and e.status == "done" for e in view.experiments):
        lacking.append("survey the unit over its whole range, for what else drives it")
    founding = _founding(conclusion, view)
    if not founding & set(conclusion.evidence):
        lacking.append(
            f"cite what it rests on, experiment {listed([str(n) for n in sorted(founding)])}"
        )
    if not lacking:
        return None
    return (
        f"Too early: {'; '.join(lacking)}. If that cannot be done here, give the same conclusion "
        "again."
    )


_OF_STEPS: dict[str, Callable[[Step, View], str | None]] = {
    "p-hacking": _p_hacking,
    "few pictures": _few_pictures,
    "repetition": _repetition,
}
_OF_CONCLUSIONS: dict[str, Callable[[Conclusion, View], str | None]] = {
    "ignored evidence": _ignored_evidence,
    "unfounded": _unfounded,
    "too early": _too_early,
}

#: The names of all guards.
GUARDS = (*_OF_STEPS, *_OF_CONCLUSIONS)


# What they read


def _terms(form: Mapping[str, Any]) -> _Terms:
    return frozenset(
        (tuple(sorted(t.having)), tuple(sorted(t.lacking)), t.weight > 0)
        for t in Form.from_json(form).terms
    )


def _inside(conclusion: Conclusion, view: View) -> list[Hypothesis]:
    """The hypotheses that a conclusion's form says, as part of it or as a whole."""
    said = _terms(conclusion.form or {"terms": []})
    return [h for h in view.hypotheses if _terms(h.form) and _terms(h.form) <= said]


def _founding(conclusion: Conclusion, view: View) -> set[int]:
    """The experiments that a conclusion may rest on: surveys, and tests that supported it."""
    names = {h.name for h in _inside(conclusion, view)}
    supporting = (v for v in view.verdicts if v.outcome == "supported" and v.hypothesis in names)
    covering = {e.n for e in view.experiments if e.tool in COVERING and e.status == "done"}
    return covering | {v.experiment for v in supporting}


def _fate(hypothesis: Hypothesis, view: View) -> str:
    return fate(hypothesis.name, view.verdicts)


def _refuting(hypothesis: Hypothesis, view: View) -> int:
    return next(
        v.experiment
        for v in view.verdicts
        if (v.hypothesis, v.outcome) == (hypothesis.name, "refuted")
    )


def _picture_lists(args: Mapping[str, Any]) -> list[list[str]]:
    """The arguments that name pictures, by the ids that tools give them."""
    lists: Iterable[Any] = (v for v in args.values() if isinstance(v, list) and v)
    return [v for v in lists if all(isinstance(p, str) and _PICTURE.fullmatch(p) for p in v)]


def filled(
    tool: str, args: Mapping[str, Any], tools: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Arguments with the defaults that the tool announces, so that equal calls look equal."""
    announced = next((t for t in tools if t["name"] == tool), None)
    properties = announced["parameters"].get("properties", {}) if announced else {}
    defaults = {name: p["default"] for name, p in properties.items() if "default" in p}
    return {**defaults, **args}
