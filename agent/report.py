"""The report: a study as one HTML file that needs nothing else, now or in ten years."""

from __future__ import annotations

from pathlib import Path

from hubel.agent.ledger import Ledger
from hubel.agent.story import read_story
from hubel.agent.web.album import Album
from hubel.agent.web.page import environment, provenances, shown


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
    page = report_of(ledger, study)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(page, encoding="utf-8")
    return part.replace(path)


def report_of(ledger: Ledger, study: int) -> str:
    """The report of a study as HTML.

    Raises:
        LedgerError: There is no such study.
    """
    story = read_story(ledger, study)
    album = Album(ledger.pictures, provenances(story))
    return environment().get_template("report.html").render(shown(story, album))
