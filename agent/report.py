"""The report: a study as one HTML file that needs nothing else, now or in ten years."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from hubel import __version__
from hubel.agent import wording
from hubel.agent.ledger import Ledger
from hubel.agent.story import Story, read_story
from hubel.agent.web import plots
from hubel.agent.web.album import Album
from hubel.agent.web.cards import steps_of
from hubel.agent.web.held_out import held_out
from hubel.agent.web.sections import exemplars, form_view, limits, unit_range
from hubel.agent.web.svg import Span
from hubel.agent.web.tidy import word

_WEB = Path(__file__).parent / "web"

_LINK = Markup('<a class="cite" href="#e{n}" aria-label="experiment {n}">E{n}</a>')
#: An experiment named in a text.
_NAMED = re.compile(r"(?<![\w#&])(?:experiment |#|E)(?P<n>\d{1,6})\b")

#: What a grade stands for.
_GRADES = {
    "causal": "a change made on purpose had the effect that was predicted before it",
    "correlational": "confirmed on held-out pictures, without a supported intervention",
    "observed": "not confirmed on held-out pictures",
}


def write_report(ledger: Ledger, study: int, path: Path) -> Path:
    """Write the report of a study, finished or not, as one self-contained HTML file.

    The file holds its pictures, plots and style, runs no script and loads nothing. The same ledger
    gives the same file.

    Args:
        ledger: Where the study is recorded.
        study: Its number.
        path: The file to write; replaced if it is there, whole or not at all.

    Returns:
        `path`.

    Raises:
        LedgerError: There is no such study.
    """
    page = _render(read_story(ledger, study), ledger)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(page, encoding="utf-8")
    return part.replace(path)


def _render(story: Story, ledger: Ledger) -> str:
    made = {
        a["id"]: a["provenance"]
        for e in story.experiments
        for a in (e.result or {}).get("artifacts") or ()
    }
    album = Album(ledger.pictures, made)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_WEB / "templates", _WEB]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.number,
        "seconds": wording.seconds_text,
        "p": wording.p_text,
        "spoken": wording.spoken,
        "path": wording.path_text,
        "score": wording.score_text,
        "interval": wording.interval_text,
        "when": wording.when_text,
        "word": word,
        "cited": lambda text: _cited(text, {e.n for e in story.experiments}),
    }
    environment.globals |= {"condition": wording.condition_text}
    return environment.get_template("report.html").render(
        story=story,
        version=__version__,
        ruler=_ruler(story),
        grade_means=_GRADES,
        form=form_view(story),
        exemplars=exemplars(story, album),
        range=unit_range(story),
        held_out=held_out(story, album),
        steps=steps_of(story, album),
        limits=limits(story),
        site=_site(story),
        album=album,  # asked for its pictures last, when all have been shown
    )


def _cited(text: str, known: set[int]) -> Markup:
    """A text with links to the experiments that it names, as ``#7`` or ``experiment 7``."""
    parts, end = [], 0
    for match in _NAMED.finditer(text):
        if (n := int(match["n"])) in known:
            parts += [escape(text[end : match.start()]), _LINK.format(n=n)]
            end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def _ruler(story: Story) -> dict[str, Any] | None:
    """The score on its range, with the places of the labels in percent."""
    score = story.score
    if score is None:
        return None
    floor, ceiling = score.detail.get("shuffled"), score.detail.get("ceiling")
    held = [score.pearson, score.ci_low, *([floor] if floor is not None else [])]
    span = Span(math.floor(10 * min(0.0, *held)) / 10, 1.0)
    return {
        "plot": plots.ruler(span, score.pearson, (score.ci_low, score.ci_high), floor, ceiling),
        "low": span.low,
        "score": span.at(score.pearson),
        "floor": None if floor is None else {"at": span.at(floor), "value": floor},
        "ceiling": None if ceiling is None else {"at": span.at(ceiling), "value": ceiling},
    }


def _site(story: Story) -> dict[str, Any] | None:
    """What the lab said of the site that the unit belongs to."""
    target = (story.study.opened or {}).get("target") or {}
    known = [s for s in target.get("sites") or () if story.study.unit.startswith(s["name"])]
    return max(known, key=lambda s: len(s["name"]), default=None)
