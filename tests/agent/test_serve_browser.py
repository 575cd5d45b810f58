"""`hubel serve` from end to end in a real browser: ask, watch, reload, stop, resume, report."""

import json

import pytest
from tests.agent import example_study
from tests.agent.browser import BROKEN, FAINT, WIDE
from tests.agent.browser import browser as real_browser
from tests.agent.chat_server import ChatServer, step
from tests.agent.served import TINY, served

from hubel.agent.ledger import Ledger

#: Milliseconds that anything may take on a busy machine.
PATIENCE = 120_000


@pytest.fixture(scope="module")
def chromium():
    with real_browser() as opened:
        yield opened._chromium


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """A planner of many quick steps, so that there is a middle to stop in."""
    red = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
    draw = {"tool": "synthesize", "args": {"n": 4, "having": ["red object"]}}
    steps = [{"thought": f"Red scenes, {i}.", "calls": [draw, draw, draw]} for i in range(12)]
    steps[0]["hypotheses"] = [{"name": "h1", "claim": "Responds to red objects", "form": red}]
    steps.append({"conclusion": {"text": "It responds to red (#2).", "form": red, "evidence": [2]}})
    path = tmp_path_factory.mktemp("script") / "steps.json"
    path.write_text(json.dumps(steps))
    return f"scripted:{path}"


@pytest.fixture(scope="module")
def server(home, script):
    with Ledger(home) as ledger:
        example_study.answered(ledger)
        example_study.hostile(ledger, "<img src=x onerror='window.pwned=1'><b>bold</b>")
    with served(home, "--sandbox=none", f"--planner={script}") as running:
        yield running


class Window:
    """A window whose complaints are kept."""

    def __init__(self, chromium, address, width=1280, theme="light"):
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme
        )
        self.context.set_default_timeout(PATIENCE)
        self.address, self.wrong = address, []

    def tab(self, path):
        page = self.context.new_page()
        page.on("console", lambda m: self.wrong.append(f"console: {m.text}"))
        page.on("pageerror", lambda e: self.wrong.append(f"error: {e}"))
        page.on(
            "request",
            lambda r: r.url.startswith(self.address) or self.wrong.append(f"loads {r.url}"),
        )
        page.goto(self.address + path)
        return page

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.context.close()


def state(page, *wanted):
    page.wait_for_selector(", ".join(f"#head[data-state='{w}']" for w in wanted))


def seen(page):
    """The experiments that a page shows, in order."""
    return page.eval_on_selector_all(".experiment", "all => all.map(e => e.id)")


def test_ask_watch_reload_stop_resume_and_read_the_report(chromium, server, home, script):
    with Window(chromium, server.address) as window:
        page = window.tab("/")
        page.keyboard.press("/")
        page.keyboard.type("What does this unit respond to?")
        asked = {"unit": "blocks.0:0", "model": TINY, "data": "scenes:80", "planner": script}
        for name, value in asked.items():
            page.fill(f"[name={name}]", value)
        page.focus("textarea")
        page.keyboard.press("Enter")
        page.wait_for_url("**/studies/3")
        # Watch it, and load the page again in the middle.
        page.wait_for_selector("#e2")
        page.reload()
        assert seen(page)[:2] == ["e1", "e2"]
        page.wait_for_selector("#h-h1")
        # A second tab shows the same, and goes on beside the first.
        second = window.tab("/studies/3")
        second.wait_for_selector("#h-h1")
        page.click("button:has-text('Stop')")
        for tab in (page, second):
            state(tab, "interrupted")
            assert tab.is_visible("button:has-text('Resume')")
            assert tab.locator("[role=alert]").count() == 0
        with Ledger(home) as ledger:
            stopped = ledger.study(3)
            before = [e.n for e in ledger.experiments(3) if e.status == "done"]
        assert stopped.finished is None
        second.click("button:has-text('Resume')")
        for tab in (page, second):
            state(tab, "answered", "nothing found")
            tab.wait_for_selector("section#held-out")
        with Ledger(home) as ledger:
            numbers = [f"e{e.n}" for e in ledger.experiments(3)]
        assert seen(page) == seen(second) == numbers
        assert len(numbers) > len(before)
        # From a sentence to the experiment behind it.
        cite = page.locator("#head .cite").last
        number = cite.inner_text()
        cite.click()
        assert page.url.endswith(f"#{number.lower()}")
        page.click("#head .button")
        assert page.locator("h1").inner_text() == second.locator("h1").inner_text()
        assert window.wrong == []


def test_a_button_that_is_held_while_its_surroundings_change_is_still_pressed(
    chromium, server, script
):
    with Window(chromium, server.address) as window:
        page = window.tab("/")
        asked = {"unit": "blocks.0:0", "model": TINY, "data": "scenes:80", "planner": script}
        for name, value in asked.items():
            page.fill(f"[name={name}]", value)
        page.click("button.go")
        page.wait_for_url("**/studies/*")
        before = page.inner_text("h1")
        page.hover("button:has-text('Stop')")
        page.mouse.down()
        page.wait_for_function("was => document.querySelector('h1').innerText !== was", arg=before)
        page.mouse.up()
        state(page, "interrupted")
        assert window.wrong == []


def test_why_is_answered_beside_the_study_and_by_its_box(chromium, server):
    with Window(chromium, server.address) as window:
        page = window.tab("/studies/1")
        page.click("#s2 .ask-why")
        page.wait_for_selector("#why h2:has-text('at step 2')")
        page.keyboard.press("Escape")
        assert page.is_hidden("#why")
        assert page.evaluate("document.activeElement.closest('.step').id") == "s2"
        page.keyboard.press("/")
        page.keyboard.type("Why did you believe that at step 2?")
        page.keyboard.press("Enter")
        page.wait_for_url("**/studies/1/why?step=2")
        cited = page.locator(".because .cite").first
        assert cited.get_attribute("href").startswith("/studies/1#e")
        cited.click()
        page.wait_for_url("**/studies/1#e*")
        assert window.wrong == []


def test_units_are_browsed_and_tried_on_a_picture(chromium, server, home):
    with Window(chromium, server.address) as window:
        page = window.tab("/units")
        page.fill("[name=model]", TINY)
        page.fill("[name=data]", "scenes:80")
        page.click("button.go")
        page.click("table.sites a >> nth=0")
        page.wait_for_selector(".quad .pic")
        page.wait_for_selector("text=constant")  # the second unit is
        page.click(".grid a >> nth=0")
        page.wait_for_selector("section#exemplars .pic")
        red = Ledger(home)
        with red:
            picture = next(red.pictures.root.glob("*/*.png"))
        page.set_input_files("[data-try] input", str(picture))
        page.wait_for_selector(".tried figcaption b")
        page.set_input_files(
            "[data-try] input",
            files=[{"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"}],
        )
        page.wait_for_selector("#tried >> text=no picture that can be read")
        assert [w for w in window.wrong if "400" not in w] == []  # the refusal, in the console


def test_the_words_of_a_model_appear_while_it_still_speaks(chromium, tmp_path):
    words = "First I look at what drives the unit, and then at what leaves it cold, one by one."
    with (
        ChatServer([step(words)], faults=lambda _number: "hang midway") as model,
        served(
            tmp_path, "--sandbox=none", "--planner=openai/slow", f"--base-url={model.url}"
        ) as server,
        Window(chromium, server.address) as window,
    ):
        page = window.tab("/")
        asked = {"unit": "blocks.0:0", "model": TINY, "data": "scenes:40"}
        for name, value in asked.items():
            page.fill(f"[name={name}]", value)
        page.click("button.go")
        page.wait_for_url("**/studies/1")
        page.wait_for_selector("#now .thinking:has-text('First I look')")
        assert "one by one" not in page.inner_text("#now .thinking")  # it has not said that yet
        with Ledger(tmp_path) as ledger:
            assert [m.role for m in ledger.messages(1)] == ["user"]
        page.click("button:has-text('Stop')")
        state(page, "interrupted")
        assert window.wrong == []


def test_which_units_respond_to_something_is_asked_in_the_box(chromium, server):
    with Window(chromium, server.address) as window:
        page = window.tab("/")
        page.fill("textarea", "Which units respond to red?")
        page.fill("[name=model]", TINY)
        page.fill("[name=data]", "scenes:80")
        page.click("button.go")
        page.wait_for_selector(".ranked li .pic")
        red = page.locator(".ranked li:has-text('blocks.0:0')").inner_text()
        assert "may be chance" not in red
        page.fill("[name=what]", "a <b>zebra</b>")
        page.click("button.go")
        page.wait_for_selector("[role=alert] >> text=Scenes cannot show")
        page.go_back()
        page.click(".ranked a:has-text('blocks.0:0')")
        page.wait_for_selector("h1:has-text('blocks.0:0')")
        assert window.wrong == []


PAGES = ("/", "/studies", "/studies/1", "/studies/2", "/compare?a=1&b=2", "/units", "/studies/9")


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_pages_are_whole_legible_and_as_wide_as_the_window(chromium, server, width, theme):
    with Window(chromium, server.address, width, theme) as window:
        for path in PAGES:
            page = window.tab(path)
            page.wait_for_load_state("load")
            assert page.evaluate(FAINT) == [], path
            assert page.evaluate(WIDE) <= 0, path
            # Pictures load as they come into view.
            page.evaluate("document.querySelectorAll('img').forEach(i => { i.loading = 'eager' })")
            page.evaluate("Promise.all([...document.images].map(i => i.decode().catch(() => 0)))")
            assert page.evaluate(BROKEN) == [], path
            assert page.evaluate("window.pwned") is None
            unnamed = page.eval_on_selector_all(
                "button, a, input:not([type=hidden]), textarea",
                """all => all.filter(e => !(e.textContent.trim() || e.getAttribute('aria-label')
                || e.labels?.[0]?.textContent.trim() || e.querySelector('img[alt]')))
                .map(e => e.outerHTML)""",
            )
            assert unnamed == [], path
        assert [w for w in window.wrong if "404" not in w] == []
