"""`hubel serve` over HTTP: who may do what, what pages hold, what a stream tells."""

import io
import re
import socket
import sqlite3
import struct
import threading
import zlib
from itertools import takewhile

import httpx
import pytest
from PIL import Image
from tests.agent import example_study
from tests.agent.author import PLANTED, Author
from tests.agent.served import TINY, Page, served

from hubel.agent.ledger import Ledger
from hubel.agent.serve.gallery import PIXELS, uploaded
from hubel.agent.serve.guard import Gate
from hubel.agent.serve.stream import Place
from hubel.tools.stimuli import PictureStore

EVIL = "<script>window.pwned = 1</script><img src=x onerror='window.pwned=1'>\"'}}{{ 7*7 }}</svg>"
TOKEN = "a-long-enough-token"  # noqa: S105


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def studies(home):
    with Ledger(home) as ledger:
        made = {name: make(ledger) for name, make in example_study.STUDIES.items()}
        return made | {"hostile": example_study.hostile(ledger, EVIL)}


@pytest.fixture(scope="module")
def server(home, studies):
    with served(home, "--sandbox=none", "--at-once=1") as running:
        yield running


def pages_of(studies):
    """Every page that shows something of a study."""
    paths = ["/", "/recent", "/studies", "/units"]
    for n in studies.values():
        paths += [f"/studies/{n}", f"/studies/{n}/report", f"/studies/{n}/why?step=1"]
        paths += [f"/compare?a={n}&b={studies['answered']}", f"/studies/{n}/picture"]
    return paths


# What pages hold


def test_a_study_is_shown_with_all_that_the_ledger_holds(server, studies, home):
    page = Page(server.get(f"/studies/{studies['answered']}").text)
    assert "responds to red objects and, less, to striped ones" in page.text
    assert [i for i in page.ids if i.startswith("h-h")] == ["h-h1", "h-h2", "h-h3", "h-h4"]
    assert "h3 Responds to circle ✕ refuted" in page.text
    with Ledger(home) as ledger:
        numbers = [e.n for e in ledger.experiments(studies["answered"])]
    assert [int(i[1:]) for i in page.ids if re.fullmatch(r"e\d+", i)] == numbers
    assert len(page.ids) == len(set(page.ids))
    known = set(page.ids)
    cited = [a[1:] for a in page.of("a", "href") if a.startswith("#")]
    assert cited
    assert set(cited) <= known


def test_what_has_not_ended_can_be_resumed_and_what_has_ended_cannot(server, studies):
    forms = Page(server.get(f"/studies/{studies['unfinished']}").text).of("form", "action")
    assert f"/studies/{studies['unfinished']}/resume" in forms
    ended = Page(server.get(f"/studies/{studies['answered']}").text)
    assert not [a for a in ended.of("form", "action") if a.endswith(("/resume", "/stop"))]
    assert server.post(f"/studies/{studies['answered']}/resume").status_code == 409
    assert server.post(f"/studies/{studies['answered']}/stop").status_code == 409


def test_a_search_finds_studies_by_words_of_their_answers(server, studies):
    found = Page(server.get("/studies?q=STRIPED+objects").text).of("a", "href")
    assert f"/studies/{studies['answered']}" in found
    assert f"/studies/{studies['nothing found']}" not in found
    nothing = Page(server.get("/studies", params={"q": "zebra"}).text)
    assert "No study has all of these words" in nothing.text
    piece = server.get("/studies?q=striped", headers={"hx-request": "true"}).text
    assert "<html" not in piece


def test_two_explanations_stand_side_by_side_with_their_terms(server, studies):
    a, b = studies["answered"], studies["nothing found"]
    page = Page(server.get(f"/compare?a={a}&b={b}").text)
    assert "Term Study 1 Study 2 red object 1.90 – striped object 0.900 –" in page.text
    assert "purple object – 0.200" in page.text
    assert server.get(f"/compare?a={a}&b=99").status_code == 404


def test_why_is_answered_from_the_ledger(server, studies):
    n = studies["answered"]
    page = Page(server.get(f"/studies/{n}/why?experiment=7").text)
    assert "h1" in page.text
    assert "What it predicted" in page.text
    assert server.get(f"/studies/{n}/why?step=99").status_code == 400
    asked = server.post("/ask", question="Why did you believe #7?", study=str(n))
    assert asked.headers["location"] == f"/studies/{n}/why?experiment=7"
    asked = server.post("/ask", question="why did you think so?", study=str(n))
    assert asked.headers["location"] == f"/studies/{n}/why"


def test_empty_and_wrong_have_pages_too(server, tmp_path):
    for path, status in (
        ("/nowhere", 404),
        ("/studies/99", 404),
        ("/studies/x", 404),
        ("/compare?a=1", 404),
    ):
        answer = server.get(path)
        assert answer.status_code == status
        assert "Ask something" in answer.text
    with served(tmp_path) as fresh:
        assert "Nothing was asked yet" in fresh.get("/").text
        assert "Nothing was asked yet" in fresh.get("/studies").text


# What models wrote


def test_what_models_wrote_is_shown_as_text_wherever_it_stands(server, studies):
    n = studies["hostile"]
    texts = [server.get(path).text for path in pages_of(studies) if "report" not in path]
    stream = server.events(f"/studies/{n}/events")
    puts = takewhile(lambda e: e[2]["id"] != "held-out", stream)
    texts += [data["html"] for _, _, data in puts]
    stream.close()
    texts += [server.get("/studies", params={"q": EVIL}).text]
    texts += [server.get("/", params={"question": EVIL, "unit": EVIL, "model": EVIL}).text]
    texts += [server.post("/ask", question=EVIL, unit=EVIL, seed=EVIL).text]
    shown = 0
    for text in texts:
        page = Page(text)
        assert not [t for t, given in page.tags if any(k.startswith("on") for k in given)]
        scripts = [given.get("src") for t, given in page.tags if t == "script"]
        assert scripts in ([], ["/static/htmx.min.js", "/static/app.js"])
        assert not [src for src in page.of("img", "src") if not src.startswith("/")]
        assert "javascript:" not in str(page.tags)
        assert "}}49" not in text  # a template in a text is no template
        shown += "window.pwned = 1" in page.text
    assert shown > 8  # it was there to be shown


# Who may do what


def test_pages_run_no_script_but_the_files_of_the_server(server, studies):
    for path in ("/", f"/studies/{studies['answered']}", "/nowhere", "/static/app.js"):
        headers = server.get(path).headers
        policy = dict(
            p.strip().split(" ", 1) for p in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
    report = server.get(f"/studies/{studies['answered']}/report").headers
    assert "script" not in report["content-security-policy"]
    assert report["content-security-policy"].startswith("default-src 'none'; ")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8765", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("LOCALHOST", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("", 421), ("10.1.2.3", 421),
        ("localhost.evil.example:8765", 421),
    ],
)  # fmt: skip
def test_other_names_of_the_host_are_refused(server, host, status):
    assert server.get("/", headers={"host": host}).status_code == status


def test_only_pages_of_the_server_may_change_anything(server, studies, home):
    csrf = re.search(r'name="csrf" content="([^"]+)"', server.get("/").text)[1]
    address = f"{server.address}/studies/{studies['unfinished']}/cancel"
    own = {"origin": server.address}
    evil = {"origin": "http://evil.example"}
    wrong = [
        ({}, {}), ({"csrf": csrf}, {}), ({"csrf": csrf}, evil), ({"csrf": csrf}, {"origin": "null"}),
        ({}, own), ({"csrf": "x" + csrf[1:]}, own), ({}, own | {"x-csrf": "wrong"}),
        ({"csrf": csrf}, {"origin": server.address.replace("127.0.0.1", "localhost")}),
        ({"csrf": csrf}, {"origin": server.address + ".evil.example"}),
    ]  # fmt: skip
    for fields, headers in wrong:
        assert httpx.post(address, data=fields, headers=headers).status_code == 403, headers
        assert httpx.post(f"{server.address}/ask", data=fields, headers=headers).status_code == 403
    with Ledger(home) as ledger:
        assert ledger.study(studies["unfinished"]).finished is None
    assert server.get("/runs/1").status_code == 404  # nothing was started


def test_other_sites_may_link_here_but_not_ask(server):
    ask = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert server.get("/", headers=ask).status_code == 403
    assert server.get("/", headers=ask | {"sec-fetch-mode": "navigate"}).status_code == 200


def test_a_body_is_no_larger_than_a_form_or_a_picture(server):
    headers = {"origin": server.address, "content-type": "application/x-www-form-urlencoded"}
    too_large = httpx.post(server.address + "/ask", content=b"x" * (65 << 10), headers=headers)
    assert too_large.status_code == 413
    unknown = httpx.post(server.address + "/ask", content=iter([b"x"]), headers=headers)
    assert unknown.status_code == 411


def test_without_its_token_nobody_comes_in(home, studies):
    with served(home, token=TOKEN) as server:
        for path in (*pages_of(studies), "/static/app.js", f"/pictures/{'0' * 64}"):
            assert httpx.get(server.address + path).status_code == 401, path
        assert httpx.get(f"{server.address}/?token={TOKEN}x").status_code == 401
        forged = {"cookie": f"hubel={TOKEN}"}
        assert httpx.get(server.address + "/", headers=forged).status_code == 401
        entry = server.get(f"/studies?q=red&token={TOKEN}")
        assert entry.headers["location"] == "/studies?q=red"
        cookie = entry.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert server.get("/studies").status_code == 200
        away = server.get(f"//evil.example/?token={TOKEN}").headers.get("location", "/")
        assert not away.startswith("//")


def test_an_open_address_needs_a_token_and_a_good_one():
    with pytest.raises(ValueError, match="give a --token"):
        Gate("0.0.0.0", None)  # noqa: S104
    with pytest.raises(ValueError, match="8 characters"):
        Gate("0.0.0.0", "short")  # noqa: S104
    gate = Gate("0.0.0.0", TOKEN)  # noqa: S104
    assert gate.knows("192.168.0.7:8765")
    assert gate.knows(socket.gethostname())
    assert not gate.knows("evil.example")
    assert not Gate("127.0.0.1", TOKEN).knows("192.168.0.7:8765")


# Pictures


def test_pictures_are_served_by_their_content_alone(server, studies, home):
    page = Page(server.get(f"/studies/{studies['answered']}").text)
    sources = [src for src in page.of("img", "src") if src.startswith("/pictures/")]
    assert len(sources) > 10
    answer = server.get(sources[0])
    assert answer.headers["content-type"] in ("image/png", "image/webp")
    assert "immutable" in answer.headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert max(image.size) <= 480
    (home / "secret.png").write_bytes((home / "pictures").glob("*/*.png").__next__().read_bytes())
    for wrong in (
        "../secret", "..%2fsecret", "%2e%2e/secret.png", "..%5csecret", "secret", "0" * 64,
        "0" * 63, "A" * 64, "/etc/passwd", "..%2f..%2fledger.db", "0" * 64 + ".json",
    ):  # fmt: skip
        raw = socket.create_connection((server.address[7:].partition(":")[0], _port(server)))
        with raw, raw.makefile("rb") as lines:
            raw.sendall(f"GET /pictures/{wrong} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert lines.readline().split()[1] in (b"404", b"400"), wrong


def _port(server):
    return int(server.address.rpartition(":")[2])


def _bomb():
    """A PNG of a few bytes that says that it is 40,000 by 40,000 pixels large."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_an_uploaded_picture_is_checked_and_written_anew(tmp_path):
    store = PictureStore(tmp_path)
    good = io.BytesIO()
    Image.new("RGB", (3000, 1500), "teal").save(good, "JPEG", comment=b"<script>kept?</script>")
    picture = uploaded(good.getvalue(), EVIL, store)
    assert store.image(picture).size == (1024, 512)
    assert b"kept?" not in store.path(picture).read_bytes()
    assert store.artifact(picture).provenance["data"] == "uploaded"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
    for bad in (b"", b"GIF89a", svg, good.getvalue()[:500], b"%PDF-1.4", b"P6 9 9 255 "):
        with pytest.raises(ValueError, match="no picture that can be read"):
            uploaded(bad, "x", store)
    assert PIXELS < 40_000 * 40_000
    with pytest.raises(ValueError, match="picture"):
        uploaded(_bomb(), "x", store)


# Read-only


def dump(home):
    with sqlite3.connect(home / "ledger.db") as connection:
        return "\n".join(connection.iterdump())


def test_browsing_writes_nothing(server, studies, home):
    before = dump(home)
    for path in pages_of(studies):
        server.get(path, follow_redirects=True).raise_for_status()
    list(server.events(f"/studies/{studies['answered']}/events"))
    assert dump(home) == before


# The stream


def ids(events):
    return [data["id"] for _, name, data in events if name == "put"]


def test_a_stream_begins_where_its_reader_was(server, studies, home):
    path = f"/studies/{studies['answered']}/events"
    whole = list(server.events(path))
    assert whole[-1][1] == "over"
    with Ledger(home) as ledger:
        steps = [f"s{m.n}" for m in ledger.messages(studies["answered"])]
    assert [i for i in ids(whole) if i[0] == "s" and i != "side"] == steps
    places = [place for place, _, _ in whole if place]
    rest = list(server.events(path, last_event_id=places[2]))
    assert [i for i in ids(rest) if i[0] == "s" and i != "side"] == steps[3:]
    assert ids(rest)[-4:] == ["head", "exemplars", "side", "held-out"]
    assert ids(list(server.events(f"{path}?after={places[-1]}"))) == ids(rest)[-4:]
    # What is no place of ours is the beginning.
    assert ids(list(server.events(path, last_event_id="m1.e'; DROP"))) == ids(whole)


def test_places_are_read_as_they_are_written():
    for place in (
        Place(),
        Place(3, 9),
        Place(3, 9, frozenset({7, 8})),
        Place(0, 1, frozenset({1})),
    ):
        assert Place.read(str(place)) == place
    assert Place.read("") == Place.read("m1.e2") == Place.read("m1.e2.r1_") == Place()


def test_what_another_process_writes_arrives_as_it_is_written(server, home):
    with Ledger(home) as ledger:
        author = Author(ledger, PLANTED, pictures=24)
        author.exemplars()
        stream = server.events(f"/studies/{author.study}/events")
        first = [next(stream) for _ in range(5)]
        assert ids(first) == ["s0", "head", "exemplars", "side", "held-out"]
        author.step("What goes with it?", {"red object": 1.0})
        assert [next(stream)[2]["id"] for _ in range(2)] == ["s1", "side"]
        author.call("survey", "observation", {"unit": "x"}, status="running")
        place, _, put = next(stream)
        assert (put["id"], put["into"]) == ("e2", "s1")
        assert "It had begun" in put["html"]
        assert place.endswith("e2.r2")
        ledger.end(author.study, "cancelled", "enough")
        rest = list(stream)
        assert rest[-1][1] == "over"
        # Who comes back to a running experiment is told what became of it.
        ledger.finish(author.study, 2, "refused", 1.0, error="no")
        back = list(server.events(f"/studies/{author.study}/events", last_event_id=place))
        assert ids(back)[0] == "e2"


# Studies that run


def ask(server, **fields):
    given = {"model": TINY, "data": "scenes:60", "unit": "blocks.0:0", "question": "what?"}
    answer = server.post("/ask", **given | fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def until(server, path, done, tries=600):
    """Ask for a page until it is as wanted; the server makes us wait, not a clock."""
    wait = threading.Event()
    for _ in range(tries):
        answer = server.get(path)
        if done(answer):
            return answer
        wait.wait(0.1)
    raise AssertionError(answer.text)


def test_what_cannot_be_asked_is_said_at_once_and_the_form_is_kept(server):
    for fields, said in (
        ({"planner": "stdio"}, "reads from a terminal"),
        ({"planner": "bultin"}, "Did you mean &#39;builtin&#39;"),
        ({"rounds": "none"}, "over zero"),
        ({"seed": "-1"}, "whole number"),
        ({"unit": "", "model": "hf:x"}, "Name a unit"),
        ({"unit": "x" * 500}, "too long"),
    ):
        given = {"question": "what <b>?", "unit": "a.b:1", "model": TINY}
        answer = server.post("/ask", **given | fields)
        assert answer.status_code == 400
        assert said in answer.text
        assert TINY in answer.text or fields.get("model")


def test_a_study_that_cannot_begin_says_why(server):
    path = ask(server, unit="blocks.0:99")
    shown = until(server, path, lambda a: "could not begin" in a.text)
    assert "has the units 0 to 5" in shown.text
    assert "Change the question" in shown.text


def test_one_runs_the_other_waits_and_both_can_be_ended(server, home):
    first = ask(server)
    second = ask(server, question="and then?")
    assert "Waiting for a place" in server.get(second).text
    assert "and then?" in server.get("/recent").text
    begun = until(server, first, lambda a: a.status_code == 303)
    study = begun.headers["location"]
    assert server.post(f"{second}/stop").status_code == 303
    until(server, second, lambda a: "did not begin" in a.text)
    stream = server.events(f"{study}/events")
    next(e for e in stream if e[1] == "put" and e[2]["id"].startswith("s"))
    assert server.post(f"{study}/cancel").status_code == 303
    assert list(stream)[-1][1] == "over"
    with Ledger(home) as ledger:
        ended = ledger.study(int(study.rpartition("/")[2]))
    assert (ended.stop, ended.stop_detail) == ("cancelled", "It was ended in the browser.")
    page = Page(server.get(study).text)
    assert "was cancelled before it came to a conclusion" in page.text


def test_a_server_that_goes_leaves_its_studies_to_be_resumed(home, tmp_path):
    with served(tmp_path, "--sandbox=none") as server:
        begun = until(server, ask(server, rounds="2"), lambda a: a.status_code == 303)
        stream = server.events(f"{begun.headers['location']}/events")
        next(e for e in stream if e[1] == "put" and e[2]["id"] == "s0")
        stream.close()
    with Ledger(tmp_path) as ledger:
        assert ledger.study(1).finished is None
        assert ledger.experiments(1)[0].tool == "exemplars"
    with served(tmp_path, "--sandbox=none") as server:
        assert "interrupted" in server.get("/studies").text
        assert server.post("/studies/1/resume").status_code == 303
        list(server.events("/studies/1/events"))
    with Ledger(tmp_path) as ledger:
        assert ledger.study(1).finished is not None
        assert len([e for e in ledger.experiments(1) if e.tool == "exemplars"]) == 1
