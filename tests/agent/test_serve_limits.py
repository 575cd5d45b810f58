"""What a page cannot make `hubel serve` do: hang, run on, fill the memory, fall over."""

import asyncio
import os
import socket
import threading

import httpx
import pytest
from tests.agent import example_study
from tests.agent.served import TINY, Page, served

from hubel.agent.ledger import Ledger
from hubel.agent.lock import running
from hubel.agent.serve.asking import BUDGET, FIELDS, words_of
from hubel.agent.serve.labs import MOST, Labs
from hubel.agent.serve.runs import Runs
from hubel.agent.where import Where
from hubel.sandbox.limits import Limits

TOKEN = "a-long-enough-token"  # noqa: S105


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def study(home):
    with Ledger(home) as ledger:
        return example_study.STUDIES["unfinished"](ledger)


@pytest.fixture(scope="module")
def server(home, study):
    with served(home, "--sandbox=none") as running_server:
        yield running_server


def test_a_page_names_no_file_for_the_server_to_read(server, tmp_path):
    os.mkfifo(tmp_path / "never")
    for kind in ("replay", "scripted"):
        given = {"unit": "blocks.0:0", "model": TINY, "planner": f"{kind}:{tmp_path / 'never'}"}
        answer = server.post("/ask", question="what?", **given)
        assert answer.status_code == 400
        assert "planner that is read from a file" in answer.text
    given = dict.fromkeys((*FIELDS, *BUDGET), "") | {"unit": "a:0", "question": "what?"}
    usual = given | {"planner": "replay:given-at-start"}
    assert "--planner=replay:given-at-start" in words_of(usual, "replay:given-at-start")
    with pytest.raises(ValueError, match="read from a file"):
        words_of(usual, "replay:another")
    assert "--planner=builtin" in words_of(given | {"planner": "builtin"}, "stdio")


@pytest.mark.parametrize("end", ["stop", "close"])
def test_what_is_stopped_while_its_process_starts_does_not_begin(tmp_path, end):
    async def work():
        runs = Runs(1, str(tmp_path))
        words = ["--sandbox=none", f"--model={TINY}", "--data=scenes:60", "--unit=blocks.0:0"]
        run = runs.ask([*words, "--", "what?"], {})
        assert run.process is None
        await (runs.stop(run) if end == "stop" else runs.close())
        return run

    run = asyncio.run(asyncio.wait_for(work(), 60))
    assert (run.state, run.study, run.problem) == ("ended", None, "")
    with Ledger(tmp_path) as ledger:
        assert ledger.studies() == []


@pytest.fixture
def slow(tmp_path):
    """Networks that open no sooner than their `gate` does."""

    def network(name):
        gate, code = tmp_path / f"{name}.gate", tmp_path / f"{name}.py"
        os.mkfifo(gate)
        code.write_text(
            f"import sys\nsys.path.insert(0, {str(TINY[5:].rpartition('/')[0])!r})\n"
            f"def make():\n    open({str(gate)!r}).read()\n    import tiny\n    return tiny.make()\n"
        )
        return f"file:{code}:make", gate

    return network


def test_labs_that_are_being_opened_count_and_one_that_was_closed_stays_closed(tmp_path, slow):
    labs = Labs(Where("none", False, (), Limits.parse("")), tmp_path, "cpu")
    networks = [slow(f"n{i}") for i in range(MOST)]
    benches = [labs.open(model, "scenes:60") for model, _ in networks]
    with pytest.raises(ValueError, match="networks are being opened"):
        labs.open("demo", "demo")
    assert labs.open(networks[0][0], "scenes:60") is benches[0]
    closing = threading.Thread(target=labs.close)
    closing.start()
    for _, gate in networks:
        gate.write_text("open")
    closing.join(60)
    assert not closing.is_alive()
    assert [bench.state for bench in benches] == ["closed"] * MOST
    assert all(bench.target is not None for bench in benches)  # they did open, too late


def test_a_lab_that_opens_in_time_is_open(tmp_path):
    labs = Labs(Where("none", False, (), Limits.parse("")), tmp_path, "cpu")
    bench = labs.open(TINY, "scenes:60")
    bench.call(tmp_path, "sites", {}).exception(60)  # whatever comes of it: it has been opened
    assert bench.state == "open", bench.problem
    labs.close()


def test_numbers_without_a_row_are_no_pages(server):
    huge = "9" * 20
    for path in (f"/studies/{huge}", f"/studies/{huge}/report", f"/compare?a={huge}&b=1"):
        assert server.get(path).status_code == 404, path
    assert server.post(f"/studies/{huge}/resume").status_code == 404
    assert server.get("/runs/" + huge).status_code == 404


def test_headers_that_are_none_are_refused(server, tmp_path):
    assert server.get("/", headers={"host": "[::1"}).status_code == 421
    origin = {"origin": "http://[::1"}
    assert httpx.post(server.address + "/ask", data={"a": "b"}, headers=origin).status_code == 403
    with served(tmp_path, token=TOKEN) as closed:
        cookie = {b"cookie": "hubel=schlüssel".encode("latin-1")}
        assert httpx.get(closed.address + "/", headers=cookie).status_code == 401


def test_a_body_in_chunks_is_refused_before_it_is_read(server):
    host, _, port = server.address[7:].partition(":")
    with socket.create_connection((host, int(port)), 10) as raw, raw.makefile("rb") as lines:
        raw.sendall(
            f"POST /ask HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {server.address}\r\n"
            "Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        assert lines.readline().split()[1] in (b"411", b"400")


def test_a_study_that_another_process_runs_is_left_to_it(server, home, study):
    path = f"/studies/{study}"
    with running(home, study):
        page = Page(server.get(path).text)
        assert "Runs elsewhere" in page.text
        assert not [a for a in page.of("form", "action") if a.endswith(("/resume", "/cancel"))]
        assert "runs elsewhere" in server.get("/studies").text
        for act in ("resume", "cancel"):
            answer = server.post(f"{path}/{act}")
            assert answer.status_code == 409
            assert "Another process runs study" in answer.text
    page = Page(server.get(path).text)
    assert "Interrupted" in page.text
    assert [a for a in page.of("form", "action") if a.endswith("/resume")]
    with Ledger(home) as ledger:
        assert ledger.study(study).finished is None
