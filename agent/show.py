"""A study for the terminal (``hubel show``) and for programs (``ask --json``)."""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hubel.agent.ledger import Ledger
from hubel.agent.records import Experiment
from hubel.agent.story import Story, Tried, read_story
from hubel.agent.summaries import summary_of
from hubel.agent.wording import prediction_text, score_text, seconds_text

_STYLES = {
    "answered": "green", "supported": "green", "refuted": "red", "inconclusive": "yellow",
    "untested": "dim", "done": "dim", "refused": "yellow", "broken": "red", "lost": "red",
    "running": "cyan",
}  # fmt: skip


def list_studies(ledger: Ledger, console: Console) -> None:
    """Print the studies, newest first: for ``hubel studies``."""
    table = Table(box=None, pad_edge=False)
    for column in ("study", "unit", "network", "pictures", "stop", "correlation", "question"):
        table.add_column(column, overflow="fold")
    for one in studies_json(ledger)["studies"]:
        score = one["pearson"]
        table.add_row(
            str(one["study"]),
            Text(one["unit"]),
            Text(one["model"]),
            Text(one["data"]),
            _coloured(one["stop"] or "not ended"),
            "" if score is None else f"{score:.2f}",
            Text(one["question"]),
        )
    console.print(table)


def studies_json(ledger: Ledger) -> dict[str, Any]:
    """The studies, newest first, as an object: for ``hubel studies --json``."""
    listed = []
    for study in ledger.studies():
        score = ledger.scores(study.id).get("explanation")
        one = {
            "study": study.id,
            "question": study.question,
            "model": study.model,
            "unit": study.unit,
            "data": study.data,
            "planner": study.planner,
            "created": study.created,
            "stop": study.stop,
            "pearson": score.pearson if score else None,
        }
        listed.append(one)
    return {"studies": listed}


def show_study(ledger: Ledger, study: int, console: Console) -> None:
    """Print a study: verdict, score, hypotheses with their fates, experiments, cost.

    Raises:
        LedgerError: There is no such study.
    """
    story = read_story(ledger, study)
    console.print(_verdict(story))
    if story.hypotheses:
        console.print(_hypotheses(story.hypotheses))
    if story.experiments:
        console.print(_experiments(story.experiments))
    console.print(Text(_cost(story), "dim"))
    if story.preflight:
        console.print(Text(story.preflight, "dim"))


def study_json(ledger: Ledger, study: int) -> dict[str, Any]:
    """What ``ask --json`` prints of a study. What there is none of is null, or an empty list.

    Raises:
        LedgerError: There is no such study.
    """
    story = read_story(ledger, study)
    row, found, score = story.study, story.explanation, story.score
    return {
        "study": row.id,
        "model": row.model,
        "unit": row.unit,
        "text": found.text if found else None,
        "form": found.form if found else None,
        "exceptions": found.exceptions if found else [],
        "grade": found.grade if found else None,
        "score": score
        and {
            "pearson": score.pearson,
            "ci": [score.ci_low, score.ci_high],
            "floor": score.detail.get("shuffled"),
            "ceiling": score.detail.get("ceiling"),
            "n": score.n,
        },
        "concepts": [
            {key: concept.get(key) for key in ("phrase", "precision", "recall")}
            for concept in (score.detail.get("concepts", []) if score else [])
        ],
        "evidence": found.evidence if found else [],
        "verdict": found.verdict if found else None,
        "sandbox": ((row.opened or {}).get("sandbox") or {}).get("level"),
        "stop": row.stop,
        "cost": {cost.name: round(cost.spent, 3) for cost in story.costs},
    }


def _verdict(story: Story) -> RenderableType:
    """The answer with its score, grade and form, in a frame."""
    row, found, score = story.study, story.explanation, story.score
    lines: list[Text] = [Text(row.question, "italic dim"), Text(story.text, "bold")]
    if story.unguarded:
        lines.append(Text("no sandbox: planner-written code ran unguarded", "yellow"))
    if story.unsupported:
        lines.append(Text("unsupported: the text cites no experiment", "yellow"))
    if found is None and row.stop_detail:
        lines.append(Text(row.stop_detail, "yellow"))
    if found is not None and found.form["terms"]:
        lines.append(Text(str(found.form.get("written", ""))))
    if score is not None:
        floor, ceiling = score.detail.get("shuffled"), score.detail.get("ceiling")
        lines.append(
            Text.assemble(
                "correlation on held-out pictures ",
                (score_text(score.pearson), "bold"),
                f"  95% interval {score_text(score.ci_low)} to {score_text(score.ci_high)}"
                f"  floor {score_text(floor)}  ceiling {score_text(ceiling)}  n {score.n}",
            )
        )
    if found is not None:
        cited = ", ".join(f"#{n}" for n in found.evidence) or "none"
        lines.append(Text(f"grade {found.grade}  evidence {cited}"))
        lines += [Text(f"except: {exception}") for exception in found.exceptions]
    title = Text(f"study {row.id}: {row.unit} in {row.model}, on {row.data}")
    style = _STYLES.get(story.verdict, "blue")
    return Panel(Group(*lines), title=title, title_align="left", border_style=style, padding=(1, 2))


def _hypotheses(tested: list[Tried]) -> Table:
    table = Table(title="Hypotheses", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("", "fate", "claim", "decided by"):
        table.add_column(name, header_style="dim")
    for t in tested:
        decided = [prediction_text(d, with_experiment=True) for d in t.deciding]
        table.add_row(
            Text(t.hypothesis.name),
            _coloured(t.fate),
            Text(t.hypothesis.claim),
            Text("\n".join(decided)),
        )
    return table


def _experiments(experiments: list[Experiment]) -> Table:
    table = Table(title="Experiments", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("", "tool", "kind", "status", "time", "what"):
        table.add_column(name, header_style="dim", justify="right" if name == "time" else "left")
    for e in experiments:
        error = e.error.strip().splitlines()[-1] if e.error and e.error.strip() else None
        table.add_row(
            f"#{e.n}",
            Text(e.tool),
            Text(e.kind, "dim"),
            _coloured(e.status),
            seconds_text(e.seconds),
            Text(error or summary_of(e)),
        )
    return table


def _cost(story: Story) -> str:
    parts = []
    for cost in story.costs:
        spent = f"{cost.spent:.1f}" if cost.name == "seconds" else f"{cost.spent:.0f}"
        of = "" if cost.limit is None else f" of {cost.limit:g}"
        parts.append(f"{spent}{of} {cost.name}")
    return f"cost: {', '.join(parts)}; stop: {story.study.stop or 'not ended'}"


def _coloured(word: str) -> Text:
    return Text(word, _STYLES.get(word, ""))
