import re
from html.parser import HTMLParser

import pytest
from tests.agent.browser import browser as real_browser
from tests.evals.bench_rows import null, row, wrong
from tests.sandbox.levels import ISOLATED
from typer.testing import CliRunner

from hubel.cli import app
from hubel.evals import bench
from hubel.evals.bench import Plan
from hubel.evals.report import write_report
from hubel.evals.report.failures import CLASSES, SHOWN, counts, examples, failure
from hubel.evals.report.figures import calibration, costs
from hubel.evals.report.pictures import pictures

EVIL = "<script>window.pwned = 1</script><img src=x onerror='window.pwned=1'>\"'}}{{ 7*7 }}</svg>"
#: One failure of each class.
FAILED = {
    "false discovery": null(20, claimed=True),
    "broke off": wrong(21, failed="Traceback: it fell over", claimed=False),
    "outside": wrong(22, outside=True),
    "abstained": wrong(23, claimed=False, code=None),
    "does not run": wrong(24, why="SyntaxError: line 1"),
    "exception missed": wrong(25, agreement={"global": 0.9, "exception": 0.0}, overlap=0.0),
    "nearly right": wrong(26, agreement={"global": 0.97, "exception": 0.95}),
    "right shape": wrong(27, correlation=0.99),
    "wrong form": wrong(28),
}


def many(planner, right):
    """Rows of a planner that recovers some of twelve neurons, and claims one of two null units."""
    kinds = ("wave", "step", "linear")
    rows = [
        (row if n < right else wrong)(
            n, planner, kind=kinds[n % 3], complexity="noise" if n % 2 else "clean",
            snr=5.0 if n % 2 else None, confidence=0.3 + 0.05 * n, queries=50 + n,
        )
        for n in range(12)
    ]  # fmt: skip
    return [*rows, null(12, planner), null(13, planner, claimed=True)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    home = tmp_path_factory.mktemp("bench")
    planners = ("builtin", "constant", "oracle", "submitted:someone-with-quite-a-long-name/v2")
    two = [r for p, right in zip(planners, (9, 0, 12, 5), strict=True) for r in many(p, right)]
    two += [{**r, "suite": "strings", "correlation": None, "ceiling": None} for r in two]
    classes = list(FAILED.values())
    said = {"text": EVIL, "code": EVIL, "truth": EVIL, "why": EVIL, "kind": EVIL}
    hostile = [
        wrong(0, EVIL, complexity=EVIL, budget=50, **said),
        null(1, EVIL, claimed=True, **said),
        wrong(2, EVIL, failed=EVIL, claimed=False),
        row(0, "mine"),
    ]

    def page(name, rows, plan):
        return write_report(rows, plan, home / "reports" / f"{name}.html")

    return {
        "two suites": page("two", two, Plan(("numbers", "strings"), planners, 14, 7)),
        "classes": page("classes", classes, Plan(("numbers",), ("mine",), 9, 7)),
        "hostile": page("hostile", hostile, Plan(("numbers",), (EVIL, "mine"), 3, 7)),
        "nothing real": page("null", [null(0)], Plan(("numbers",), ("mine",), 1, 7)),
    }


@pytest.fixture(scope="module")
def browser():
    with real_browser() as opened:
        yield opened


class Page(HTMLParser):
    """A page as text, and the tags that it has."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text()
        self.tags, self.handlers, words = [], [], []
        self.handle_data = words.append
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", " ".join(words))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attributes if name.startswith("on")]


@pytest.mark.parametrize(("kind", "one"), FAILED.items())
def test_failures_are_classified(kind, one):
    assert failure(one) == kind
    assert [*FAILED] == [*CLASSES]


def test_what_is_right_is_no_failure():
    assert failure(row()) is None
    assert failure(null()) is None


def test_the_most_confident_failures_of_each_class_are_shown():
    rows = [wrong(n, confidence=n / 100) for n in range(30)] + [null(30, claimed=True)]
    shown = examples(rows, 7)
    assert len(shown) == SHOWN
    assert shown[0].kind == "false discovery"
    assert [f.row["number"] for f in shown[1:]] == [29, 28, 27, 26, 25]
    assert counts(rows) == {"wrong form": 30, "false discovery": 1}


def test_the_page_says_what_was_measured(pages):
    page = Page(pages["two suites"])
    assert "builtin recovers 75% of numbers; builtin recovers 75% of strings." in page.text
    assert "14 neurons, 2 of which have no meaning" in page.text
    assert "0.75 0.47 to 0.91" in page.text  # Wilson's interval of 9 of 12
    assert "wave" in page.text
    assert "by signal-to-noise ratio" in page.text
    assert "hubel bench --suite numbers,strings --planner builtin,constant,oracle," in page.text
    assert "Budgets are not matched" not in page.text


def test_failures_stand_beside_the_truth(pages):
    page = Page(pages["classes"])
    for name, meaning in CLASSES.items():
        assert f"{name} : {meaning}" in page.text
    assert page.text.count("Truth") == SHOWN
    assert "it fell over" in page.text


def test_a_long_table_of_code_is_cut(tmp_path):
    long = "T = {" + "1.0: 2.0, " * 4000 + "}"
    path = write_report([wrong(0, code=long)], Plan(("numbers",), ("mine",), 1, 0), tmp_path / "x")
    assert "characters more" in Page(path).text
    assert len(path.read_text()) < 80_000


def test_text_from_planners_is_only_ever_text(pages):
    page = Page(pages["hostile"])
    assert "script" not in page.tags
    assert page.handlers == []
    assert "img" not in page.tags
    assert "<script>window.pwned = 1</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "Budgets are not matched" in page.text


def test_the_same_rows_give_the_same_file(tmp_path):
    plan = Plan(("numbers",), ("mine",), 14, 7)
    one, two = (write_report(many("mine", 6), plan, tmp_path / name) for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["two suites", "classes", "hostile", "nothing real"])
def test_pages_open_in_a_browser_without_a_fault(pages, browser, name, width, theme):
    with browser.open(pages[name], width, theme) as seen:
        seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert seen.problems() == []
        assert seen.page.evaluate("window.pwned") is None
        assert seen.page.locator("h1").is_visible()


def test_stronger_colour_is_more(pages, browser):
    with browser.open(pages["two suites"]) as seen:
        alphas = seen.page.evaluate(
            """[...document.querySelectorAll('.heat td.on')].map(c => [parseFloat(c.textContent),
            parseFloat(getComputedStyle(c).backgroundColor.split(',')[3] ?? 1)])"""
        )
    assert len({a for _, a in alphas}) > 3
    for share, alpha in alphas:
        assert alpha == pytest.approx(0.62 * share, abs=0.01)


def test_failures_over_scenes_are_shown_with_pictures_of_both_ends(tmp_path, browser):
    number = next(k for k in range(20) if bench.neuron("scenes", 5, k).real)
    shown = pictures(5, number)
    values = [float(words.removeprefix("truth ").replace("−", "-")) for _, words in shown]
    assert len(shown) == 4
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]
    rows = [wrong(number, suite="scenes")]
    path = write_report(rows, Plan(("scenes",), ("mine",), 1, 5), tmp_path / "scenes.html")
    with browser.open(path) as seen:
        assert seen.problems() == []
        sizes = seen.page.evaluate("[...document.images].map(i => i.width / i.height)")
    assert sizes == [1, 1, 1, 1]


def test_plots_are_there_where_there_is_something_to_plot():
    assert calibration({"mine": many("mine", 6)}) is not None
    assert calibration({"silent": [null(0)]}) is None
    assert calibration({"sure of nothing": [row(0, confidence=0.0)]}) is None
    scores = {"recovered": 0.5, "recovered_ci": [0.2, 0.8], "seconds": 2.0, "dollars": None}
    assert [p.across for p in costs([("mine", scores | {"queries": 0})])] == [
        "seconds, mean of a neuron"
    ]
    assert costs([("oracle", scores | {"queries": 5})]) == []


@pytest.mark.parametrize("level", ISOLATED)
def test_the_command_writes_a_report_and_says_where(tmp_path, level):
    words = ["bench", "--suite", "numbers", "--planner", "empty,oracle", "--n", "2"]
    where = ["--home", str(tmp_path), "--sandbox", level]
    done = CliRunner().invoke(app, [*words, *where])
    beside = tmp_path / "reports" / "bench-numbers-seed0-n2.html"
    assert f"Report: {beside}" in done.stderr
    assert "2 neurons" in Page(beside).text
    done = CliRunner().invoke(app, [*words, *where, "--json", "--report", str(tmp_path / "r.html")])
    assert (tmp_path / "r.html").read_bytes() == beside.read_bytes()
    assert done.stdout.startswith("{")
