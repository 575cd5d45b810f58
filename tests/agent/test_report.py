import base64
import io
import re
import shutil
from html.parser import HTMLParser

import pytest
from PIL import Image
from tests.agent import example_study
from tests.agent.author import PLANTED, Author
from tests.agent.browser import browser as real_browser

from hubel.agent.ledger import Ledger, LedgerError
from hubel.agent.report import write_report

EVIL = "<script>window.pwned = 1</script><img src=x onerror='window.pwned=1'>\"'}}{{ 7*7 }}</svg>"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ledger(home):
    with Ledger(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def studies(ledger):
    made = {name: make(ledger) for name, make in example_study.STUDIES.items()}
    return made | {"hostile": example_study.hostile(ledger, EVIL)}


@pytest.fixture(scope="module")
def pages(ledger, studies, home):
    return {
        name: write_report(ledger, study, home / "reports" / f"{name}.html")
        for name, study in studies.items()
    }


@pytest.fixture(scope="module")
def answered(pages):
    return Page(pages["answered"])


@pytest.fixture(scope="module")
def browser():
    with real_browser() as opened:
        yield opened


class Page(HTMLParser):
    """A page as text, with its links, ids and tags."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text()
        self.words, self.tags, self.ids, self.links = [], [], [], []
        self._silent = 0
        self.feed(self.source)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[k] for k in ("href", "src") if k in given]
        self._silent += tag in ("style", "script")

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "script")

    def handle_data(self, data):
        if not self._silent:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def pictures(self):
        return [
            base64.b64decode(given["href"].partition("base64,")[2])
            for tag, given in self.tags
            if tag == "image"
        ]


def test_it_says_what_was_found_how_well_and_on_what_grounds(answered, studies):
    assert "responds to red objects and, less, to striped ones" in answered.text
    assert "causal" in answered.text
    assert re.search(r"0\.\d\d correlation with the unit on 80 pictures", answered.text)
    assert "floor 0." in answered.text
    assert "ceiling 0.96" in answered.text
    assert f"hubel replay {studies['answered']}" in answered.text
    assert "unsupported" not in answered.text


def test_hypotheses_keep_their_fates_and_the_experiments_that_decided(answered, ledger, studies):
    fates = {}
    for row in re.findall(r'<li class="\w+" id="h-\w+">.*?</li>', answered.source, re.S):
        name = re.search(r'id="h-(\w+)"', row)[1]
        fates[name] = re.search(r'class="fate (\w+)"', row)[1], re.findall(r'href="#e(\d+)"', row)
    assert fates == {
        "h1": ("supported", ["7"]),
        "h2": ("supported", ["10"]),
        "h3": ("refuted", ["13"]),
        "h4": ("untested", []),
    }
    assert {v.hypothesis: v.outcome for v in ledger.verdicts(studies["answered"])} == {
        name: fate for name, (fate, _) in fates.items() if fate != "untested"
    }


def test_each_experiment_stands_in_its_order_with_its_anchor(answered, ledger, studies):
    numbers = [e.n for e in ledger.experiments(studies["answered"])]
    shown = [int(i[1:]) for i in answered.ids if re.fullmatch(r"e\d+", i)]
    assert shown == numbers
    assert "the other side closed the channel" in answered.text
    assert "Did you mean 'a red patch'?" in answered.text


def test_predictions_stand_beside_what_was_measured(answered, ledger, studies):
    seventh = answered.source.split('id="e7"')[1].split("</article>")[0]
    assert "95% interval of the mean difference above 0" in seventh
    assert "95% interval of the mean difference below 0.08" in seventh
    measured = next(v.measured for v in ledger.verdicts(studies["answered"]) if v.experiment == 7)
    assert f"<b>{measured:.2f}</b>" in seventh


def test_experiments_named_in_the_text_are_links_and_unknown_ones_are_not(ledger, tmp_path):
    author = Author(ledger, PLANTED, pictures=32)
    author.exemplars()
    author.conclude("As #1 and experiment 2 show, not #99.", PLANTED, [1])
    page = Page(write_report(ledger, author.study, tmp_path / "r.html"))
    heading = page.source.split("<h1")[1].split("</h1>")[0]
    assert re.findall(r'href="#e(\d+)"', heading) == ["1", "2"]
    assert "#99" in heading


@pytest.mark.parametrize("name", ["answered", "nothing found", "unfinished", "hostile"])
def test_it_holds_all_it_needs(pages, name):
    page = Page(pages[name])
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert {"script", "iframe", "object", "embed", "form"}.isdisjoint(tag for tag, _ in page.tags)
    assert not [k for _, given in page.tags for k in given if k.startswith("on")]
    assert not re.search(r"https?://|url\(|@import", page.source)
    assert {h[1:] for h in page.links if h.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_what_others_wrote_is_text(pages):
    page = Page(pages["hostile"])
    assert "<script" not in page.source
    assert "<img" not in page.source
    assert "{{ 7*7 }}" in page.text
    assert page.text.count("window.pwned = 1") > 20


def test_nothing_found_is_told_as_a_result(pages):
    page = Page(pages["nothing found"])
    heading = page.source.split("<h1")[1].split("</h1>")[0]
    assert "No consistent meaning was found" in heading
    assert "purple" not in heading
    assert "not reported as an answer" in page.text
    assert "1 hypothesis was put to the test" in page.text


@pytest.mark.parametrize(
    ("stop", "detail", "said"),
    [
        (None, None, "This study has not ended yet. "),
        ("cancelled", None, "cancelled before it came to a conclusion"),
        ("budget", "malformed steps used it up", "malformed steps used it up"),
        ("lab failed", "2 calls in a row lost their lab", "The lab failed"),
        ("struck by lightning", None, "struck by lightning"),
    ],
)
def test_a_study_without_an_answer_has_a_report_too(ledger, tmp_path, stop, detail, said):
    study = example_study.unfinished(ledger, stop, detail)
    page = Page(write_report(ledger, study, tmp_path / "r.html"))
    assert said in page.text + " "
    assert "It had begun and has no result yet." in page.text
    assert "Nothing was scored on held-out pictures." in page.text
    assert "hubel resume" in page.text or stop


def test_a_study_of_nothing_but_a_question_has_a_report(ledger, tmp_path):
    study = Author(ledger, {}).study
    assert "has not ended yet" in Page(write_report(ledger, study, tmp_path / "r.html")).text


@pytest.mark.parametrize(("evidence", "marked"), [([], True), ([1], False)])
def test_an_answer_that_cites_nothing_is_marked(ledger, tmp_path, evidence, marked):
    author = Author(ledger, PLANTED, pictures=32)
    author.exemplars()
    author.conclude("It responds to red.", PLANTED, evidence)
    page = Page(write_report(ledger, author.study, tmp_path / "r.html"))
    assert ledger.explanation(author.study).verdict == "answered"
    assert ("unsupported" in page.text) == marked


def test_a_picture_that_is_gone_or_broken_leaves_a_note(ledger, studies, home, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    with Ledger(copy) as damaged:
        study = studies["unfinished"]
        ids = damaged.experiments(study)[0].values["stimuli"]
        damaged.pictures.path(ids[0]).unlink()
        damaged.pictures.path(ids[1]).write_bytes(damaged.pictures.path(ids[2]).read_bytes()[:200])
        page = Page(write_report(damaged, study, tmp_path / "r.html"))
    assert page.text.count("picture missing") == 1
    assert page.text.count("picture unreadable") == 1
    whole = Page(write_report(ledger, study, tmp_path / "whole.html"))
    assert len(whole.pictures()) == len(page.pictures()) + 2
    assert "picture missing" not in whole.text


def test_pictures_are_small_and_embedded_once(answered):
    pictures = answered.pictures()
    assert len(pictures) > 50
    assert len(set(pictures)) == len(pictures)
    assert all(max(Image.open(io.BytesIO(p)).size) <= 224 for p in pictures)
    used = [given["href"] for tag, given in answered.tags if tag == "use"]
    assert len(used) > len(set(used)) == len(pictures)
    assert len(answered.source) < 5_000_000


def test_the_same_ledger_gives_the_same_report(ledger, studies, pages, tmp_path):
    again = write_report(ledger, studies["answered"], tmp_path / "again.html")
    assert again.read_bytes() == pages["answered"].read_bytes()


def test_a_result_of_a_tool_that_it_does_not_know_is_shown(ledger, tmp_path):
    author = Author(ledger, {})
    values = {
        "tuning": {"peak": 41.5, "width": {"mean": 12.25, "ci": [9.5, 15.0]}},
        "curve": [0.25 * i for i in range(20)],
        "cells": [{"name": "left", "hits": 3}, {"name": "right", "hits": 4}],
        "deep": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}},
        "empty": [],
        "unknown": None,
    }
    said = {"tuning": "where the response peaks, in degrees"}
    author.call("gabor_sweep", "observation", {"steps": 20}, values, measures=said, metric="tuning")
    text = Page(write_report(ledger, author.study, tmp_path / "r.html")).text
    for shown in ("gabor_sweep", "Measured: tuning.", "41.5", "12.2", "9.5 to 15.0", "right",
                  "20 numbers from 0.00 to 4.75, mean 2.38", said["tuning"]):  # fmt: skip
        assert shown in text


def test_there_is_no_report_of_no_study(ledger, tmp_path):
    with pytest.raises(LedgerError, match="no study 999"):
        write_report(ledger, 999, tmp_path / "r.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark"), (320, "light")])
@pytest.mark.parametrize("name", ["answered", "nothing found", "unfinished", "hostile"])
def test_a_browser_shows_it_whole(browser, pages, name, width, theme):
    with browser.open(pages[name], width, theme) as seen:
        assert seen.problems() == []
        assert seen.page.evaluate("window.pwned") is None
        seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert seen.problems() == []


def test_links_lead_to_experiments_by_keyboard(browser, pages):
    with browser.open(pages["answered"]) as seen:
        seen.page.focus(".evidence a[href='#e7']")
        seen.page.keyboard.press("Enter")
        assert seen.page.evaluate("document.querySelector(':target').id") == "e7"
        seen.page.keyboard.press("Tab")
        width = "getComputedStyle(document.activeElement).outlineWidth"
        assert seen.page.evaluate(width) == "3px"


def test_the_browser_notices_what_is_wrong(browser, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<body style='background:#fff'><img src='gone.png'><a href='#nowhere'>x</a>"
        "<p style='color:#bbb'>faint</p><div style='width:3000px'>wide</div>"
        "<svg><use href='#none'/></svg><script>window.pwned = 1; throw new Error('oh')</script>"
    )
    with browser.open(bad, 390) as seen:
        found = "\n".join(seen.problems())
    for what in ("error: oh", "loads", "broken img", "broken use", "dangling", "faint", "sideways"):
        assert what in found
