"""What the report and the pages of `hubel serve` share: templates, and a study as they show it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from hubel import __version__
from hubel.agent import wording
from hubel.agent.story import Story
from hubel.agent.web import plots
from hubel.agent.web.album import Album
from hubel.agent.web.cards import steps_of
from hubel.agent.web.held_out import held_out
from hubel.agent.web.sections import exemplars, form_view, limits, unit_range
from hubel.agent.web.svg import Span
from hubel.agent.web.tidy import word

WEB = Path(__file__).parent

_LINK = Markup('<a class="cite" href="#e{n}" aria-label="experiment {n}">E{n}</a>')
#: An experiment named in a text.
_NAMED = re.compile(r"(?<![\w#&])(?:experiment |#|E)(?P<n>\d{1,6})\b")

#: What a grade stands for.
_GRADES = {
    "causal": "a change made on purpose had the effect that was predicted before it",
    "correlational": "confirmed on held-out pictures, without a supported intervention",
    "observed": "not confirmed on held-out pictures",
}


def environment() -> jinja2.Environment:
    """The templates, with words for numbers; everything is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([WEB / "templates", WEB]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": wording.number,
        "seconds": wording.seconds_text,
        "p": wording.p_text,
        "spoken": wording.spoken,
        "path": wording.path_text,
        "score": wording.score_text,
        "interval": wording.interval_text,
        "when": wording.when_text,
        "word": word,
        "cited": _cited_here,
    }
    made.globals |= {"condition": wording.condition_text, "version": __version__}
    return made


def shown(
    story: Story, album: Album, *, live: bool = False, messages: Collection[int] | None = None
) -> dict[str, Any]:
    """A study as the templates take it.

    Args:
        story: The study.
        album: Its pictures.
        live: Whether the page changes by itself as the study goes on.
        messages: Numbers of the steps that are wanted; all if left out.
    """
    return {
        "story": story,
        "live": live,
        "ruler": _ruler(story),
        "grade_means": _GRADES,
        "form": form_view(story),
        "exemplars": exemplars(story, album),
        "range": unit_range(story),
        "held_out": held_out(story, album),
        "steps": steps_of(story, album, messages),
        "limits": limits(story),
        "site": _site(story),
        "album": album,  # asked for its pictures last, when all have been shown
    }


def provenances(story: Story) -> dict[str, dict[str, Any]]:
    """How each picture that a study made came to be, by its id."""
    made = [a for e in story.experiments for a in (e.result or {}).get("artifacts") or ()]
    return {a["id"]: a["provenance"] for a in made}


def cited(text: str, known: set[int]) -> Markup:
    """A text with links to the experiments that it names, as ``#7`` or ``experiment 7``."""
    parts, end = [], 0
    for match in _NAMED.finditer(text):
        if (n := int(match["n"])) in known:
            parts += [escape(text[end : match.start()]), _LINK.format(n=n)]
            end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


@jinja2.pass_context
def _cited_here(context: jinja2.runtime.Context, text: str) -> Markup:
    return cited(text, {e.n for e in context["story"].experiments})


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
