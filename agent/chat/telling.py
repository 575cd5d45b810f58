"""Answers of the chat, written for people: why a step was taken, what a study found."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from hubel.agent.evidence import Finding, Held, Tested, Turn, Why
from hubel.agent.ledger import Ledger
from hubel.agent.records import Study
from hubel.agent.story import Story, read_story
from hubel.agent.wording import interval_text, number, score_text

#: Experiments that are named one by one; of more, the latest.
_NAMED = 10
#: Numbers that are shown of an experiment.
_NUMBERS = 4

_STYLES = {"supported": "green", "refuted": "red", "inconclusive": "yellow", "untested": "dim"}


def why_text(why: Why) -> Text:
    """A step, what was known before it, and what came of it."""
    out = _Lines()
    out.add(f"Step {why.step} of {why.steps}, study {why.study}: {why.unit}", "bold")
    if why.thought:
        out.add(f"It said: {why.thought}", "italic")
    if why.error:
        out.add(f"The step was refused: {why.error}", "yellow")
    _before(why, out)
    _step(why, out)
    _after(why, out)
    return out.text


def found_text(ledger: Ledger, study: int) -> Text:
    """What a study came to, in a few lines.

    Raises:
        LedgerError: There is no such study.
    """
    story = read_story(ledger, study)
    out = _Lines()
    out.add(story.text, "bold")
    if story.explanation is None and story.study.stop_detail:
        out.add(story.study.stop_detail, "yellow")
    if score := story.score:
        interval = f"{score_text(score.ci_low)} to {score_text(score.ci_high)}"
        floor, ceiling = (score_text(score.detail.get(k)) for k in ("shuffled", "ceiling"))
        out.add(
            f"correlation {score_text(score.pearson)} on {score.n} held-out pictures "
            f"(95% interval {interval}; floor {floor}, ceiling {ceiling})"
        )
    if found := story.explanation:
        for exception in found.exceptions:
            out.add(f"except: {exception}")
        cited = ", ".join(f"#{n}" for n in found.evidence) or "none"
        out.add(f"grade {found.grade}, evidence {cited}")
    if story.unguarded:
        out.add("no sandbox: planner-written code ran unguarded", "yellow")
    if story.hypotheses:
        out.add(f"hypotheses: {story.tally}")
    out.add(_spent(story, ledger), "dim")
    return out.text


def network_text(target: dict[str, Any], studies: list[Study]) -> Text:
    """What there is in a network, and what has been studied of it.

    Args:
        target: What the lab said of the network.
        studies: The studies of it.
    """
    out = _Lines()
    total = sum(s["units"] for s in target["sites"])
    classes = f", {target['classes']:,} classes" if target["classes"] else ""
    out.add(
        f"{target['name']} on {target['device']}: {total:,} units at {len(target['sites'])} "
        f"sites{classes}. Its main sites:"
    )
    for site in target["sites"]:
        if site["name"] in target["main_sites"]:
            shape = "x".join(map(str, site["shape"]))
            out.add(f"  {site['name']}  {site['units']:,} units  {site['layout']} {shape}")
    done = [f"{s.unit} ({s.stop})" for s in studies if s.finished]
    out.add(f"Studied so far: {', '.join(done)}." if done else "None has been studied yet.")
    return out.text


class _Lines:
    """Lines with styles, put together."""

    def __init__(self) -> None:
        self.text = Text()

    def add(self, line: str, style: str = "") -> None:
        self.text.append(("\n" if self.text else "") + line, style)

    def more(self, words: str, style: str = "") -> None:
        """Words at the end of the last line."""
        self.text.append(words, style)


def _before(why: Why, out: _Lines) -> None:
    done = [f for f in why.known if f.status == "done"]
    failed = len(why.known) - len(done)
    others = f", and {failed} had failed" if failed else ""
    out.add(f"By then {_counted(len(done), 'experiment')} had been made{others}.")
    for finding in done[-_NAMED:]:
        _finding(finding, out)
    if len(done) > _NAMED:
        out.add(f"  and {len(done) - _NAMED} before these", "dim")
    if not why.held:
        out.add("No hypothesis had been registered yet.")
        return
    if not any(h.tests for h in why.held):
        out.add("No hypothesis had been tested: what it believed rested on no test.", "yellow")
    out.add("Hypotheses, as they stood:")
    for held in why.held:
        _held(held, out)


def _step(why: Why, out: _Lines) -> None:
    for held in why.registered:
        out.add(f"It put forward {held.name}: {held.claim}")
        out.more(f" (instead of {held.revises})" if held.revises else "")
    if why.conclusion is not None:
        out.add(f"It concluded: {why.conclusion['text']}")
        cited = ", ".join(f"#{n}" for n in why.conclusion["evidence"])
        out.add(f"It cited {cited or 'no experiment'}.")
    if why.asked:
        out.add("Then:")
    for finding in why.asked:
        _finding(finding, out)
        for tested in why.predicted:
            if tested.experiment == finding.experiment:
                _outcome(f"      {tested.hypothesis}", tested, out)


def _after(why: Why, out: _Lines) -> None:
    for turn in why.turns:
        out.add("So " + _turn(turn))
    later = [t for h in (*why.held, *why.registered) for t in h.later if t.step > why.step]
    for turn in later:
        out.add(f"Later, in step {turn.step}, {_turn(turn)}", "dim")
    if why.next_thought:
        out.add(f"Step {why.step + 1} said: {why.next_thought}", "dim italic")


def _held(held: Held, out: _Lines) -> None:
    out.add(f"  {held.name} ")
    out.more(held.fate, _STYLES.get(held.fate, ""))
    out.more(f": {held.claim} (since step {held.since})")
    for tested in held.tests:
        _outcome(f"      #{tested.experiment}", tested, out)


def _outcome(what: str, tested: Tested, out: _Lines) -> None:
    refuting = f", refuted by {tested.refuting}" if tested.outcome == "refuted" else ""
    out.add(f"{what} expected {tested.expected}{refuting}: ")
    if tested.measured is not None:
        out.more(f"{tested.number} {number(tested.measured)}, ")
    out.more(tested.outcome, _STYLES.get(tested.outcome, ""))


def _finding(finding: Finding, out: _Lines) -> None:
    out.add(f"  #{finding.experiment} {finding.tool}", "dim")
    out.more(f" {finding.what}")
    if finding.status != "done":
        out.more(f" {finding.status}: {finding.error or 'it has no result'}", "yellow")
    for measured in finding.numbers[:_NUMBERS]:
        ci = f" (95% interval {interval_text(measured.ci)})" if measured.ci else ""
        out.add(f"      {measured.label} {number(measured.value)}{ci}", "dim")


def _turn(turn: Turn) -> str:
    return f"{turn.hypothesis} went from {turn.before} to {turn.after}, by #{turn.experiment}."


def _spent(story: Story, ledger: Ledger) -> str:
    seconds = next(cost.spent for cost in story.costs if cost.name == "seconds")
    parts = [_counted(round(cost.spent), cost.name[:-1]) for cost in story.costs[:2]]
    parts.append(f"{seconds:.1f} seconds")
    if asked := ledger.llm_calls(story.study.id):
        parts.append(f"{sum((c.tokens_in or 0) + (c.tokens_out or 0) for c in asked):,} tokens")
    prices = [c.dollars for c in asked if c.dollars is not None]
    parts += [f"{sum(prices):.4f} dollars"] if prices else []
    return f"study {story.study.id}, {story.study.stop or 'not ended'}: {', '.join(parts)}"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")
