"""Requests to a server that misbehaves: real HTTP on loopback, every try counted."""

import json
import time

import pytest
from tests.agent.chat_server import Can, ChatServer, Reply

from hubel.agent.planner import PlannerFailed
from hubel.agent.planners.openai.client import BadRequest, Client, Errand, Patience
from hubel.agent.planners.openai.endpoint import Endpoint
from hubel.agent.planners.openai.failures import TooLong
from hubel.agent.planners.openai.prices import price_of

QUICK = Patience(tries=4, wait=0.01, longest_wait=0.05, silence=0.4)
HELLO = [{"role": "user", "content": "Hello, who are you?"}]
SAID = Reply(text="I am the one who was asked.", calls=(("look", {"at": [1, 2]}),))


class Watched:
    """One request to a server, and what was recorded of it."""

    def __init__(self, server, **more):
        self.calls, self.events = [], []
        given = {
            "home": None,
            "patience": QUICK,
            **{k: more.pop(k) for k in ("home",) if k in more},
        }
        self.client = Client("openai/scripted", server.url, **given)
        self.errand = Errand(
            "planner", record=self.calls.append, say=lambda *e: self.events.append(e), **more
        )

    def ask(self, **extra):
        return self.client.ask(HELLO, self.errand, **extra)

    @property
    def statuses(self):
        return [call.status for call in self.calls]


@pytest.mark.parametrize("streams", ["yes", "ignored", "no"])
@pytest.mark.parametrize("usage", ["yes", "no", "refused"])
def test_an_answer_is_the_same_however_it_comes(streams, usage):
    with ChatServer([SAID], can=Can(streams=streams, usage=usage)) as server:
        watched = Watched(server)
        answer = watched.ask()
    assert answer.text == SAID.text
    assert [(c.name, json.loads(c.arguments)) for c in answer.calls] == [("look", {"at": [1, 2]})]
    assert answer.status == watched.statuses[-1] == "ok"
    # A server that does not stream counts tokens in its one body.
    counts = usage == "yes" or (usage == "refused" and streams == "no")
    last = watched.calls[-1]
    if counts:
        assert (last.tokens_in, last.tokens_out) == (100, 20)
    elif usage == "no":
        assert (last.tokens_in, last.tokens_out) == (None, None)
    words = "".join(details["text"] for event, details in watched.events if event == "token")
    assert words == (SAID.text if streams == "yes" else "")
    assert ("first_token" in last.detail) == (streams == "yes")


PASSING = {
    "rate limit": "rate limit",
    "rate limit, no header": "rate limit",
    "500": "server error",
    "503": "server error",
    "hang": "timeout",
    "hang midway": "timeout",
    "no answer": "connection",
    "drop": "connection",
    "no end": "connection",
    "garbage": "connection",
    "html": "connection",
    "error in stream": "server error",
}


@pytest.mark.parametrize(("fault", "status"), PASSING.items())
def test_what_passes_is_tried_again_and_each_try_is_a_row(fault, status):
    with ChatServer([SAID], [fault, fault]) as server:
        watched = Watched(server)
        assert watched.ask().text == SAID.text
        assert server.faulted == [fault, fault]
    assert watched.statuses == [status, status, "ok"]
    assert [call.detail["attempt"] for call in watched.calls] == [1, 2, 3]
    assert [details["status"] for event, details in watched.events if event == "retry"] == [
        status
    ] * 2
    assert all(call.seconds > 0 for call in watched.calls)


def test_it_gives_up_in_the_end_with_one_sentence():
    with ChatServer([SAID], lambda _n: "503") as server:
        watched = Watched(server)
        with pytest.raises(
            PlannerFailed, match=r"scripted at http://127.*overloaded.*tried 4 times"
        ):
            watched.ask()
    assert watched.statuses == ["server error"] * 4


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("unauthorised", "unauthorised", "Incorrect API key"),
        ("not found", "bad request", "no such model"),
        ("quota", "rate limit", "exceeded your quota"),
    ],
)
def test_what_no_waiting_mends_is_not_tried_again(fault, status, words):
    with ChatServer([SAID], [fault]) as server:
        watched = Watched(server)
        with pytest.raises(PlannerFailed, match=words):
            watched.ask()
    assert watched.statuses == [status]


@pytest.mark.parametrize(
    ("fault", "error", "status"),
    [("overflow", TooLong, "context overflow"), ("bad request", BadRequest, "bad request")],
)
def test_a_request_that_is_itself_at_fault_is_the_caller_s_to_mend(fault, error, status):
    with ChatServer([SAID], [fault]) as server:
        watched = Watched(server)
        with pytest.raises(error):
            watched.ask()
    assert watched.statuses == [status]


def test_the_time_that_is_left_bounds_the_waiting_and_the_hanging():
    with ChatServer([SAID], ["rate limit, long"]) as server:
        watched = Watched(server, deadline=time.monotonic() + 30)
        with pytest.raises(PlannerFailed, match="No time is left to wait 3600 s"):
            watched.ask()
        assert watched.statuses == ["rate limit"]
    with ChatServer([SAID], lambda _n: "hang") as server:
        begun = time.monotonic()
        watched = Watched(server, deadline=begun + 0.3)
        with pytest.raises(PlannerFailed, match="timeout"):
            watched.ask()
    assert time.monotonic() - begun < 60


def test_retry_after_is_honoured():
    with ChatServer([SAID], ["rate limit, no header"]) as server:
        watched = Watched(server)
        watched.ask()
        waits = [details["wait"] for event, details in watched.events if event == "retry"]
        assert 0 < waits[0] <= QUICK.wait
    with ChatServer([SAID], ["rate limit"]) as server:
        watched = Watched(server)
        watched.ask()
        assert [d["wait"] for e, d in watched.events if e == "retry"] == [0.0]


def test_a_model_that_never_ends_is_cut_off():
    with ChatServer([Reply(text="on and " * 20_000)]) as server:
        client = Client("openai/scripted", server.url)
        answer = client.ask(HELLO, Errand("planner"))
    assert answer.status == "truncated"
    assert len(answer.text) < 100_000


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(), "empty"),
        (Reply(refusal="I cannot."), "refusal"),
        (Reply(text="I", finish="content_filter"), "refusal"),
        (Reply(text="Once upon", finish="length"), "truncated"),
        (Reply(reasoning="Hm."), "empty"),
    ],
)
@pytest.mark.parametrize("streams", ["yes", "ignored"])
def test_an_answer_that_is_none_has_a_name_in_the_ledger(reply, status, streams):
    with ChatServer([reply], can=Can(streams=streams)) as server:
        watched = Watched(server)
        assert watched.ask().status == status
    assert watched.statuses == [status]


def test_tokens_are_estimated_and_flagged_only_where_they_are_limited():
    for counted in (False, True):
        with ChatServer([SAID], can=Can(usage="no")) as server:
            watched = Watched(server, counted=counted)
            watched.ask()
        (call,) = watched.calls
        assert (call.tokens_in is not None) == counted
        assert call.detail.get("estimated", False) == counted
    with ChatServer([SAID]) as server:
        watched = Watched(server, counted=True)
        watched.ask()
    assert "estimated" not in watched.calls[0].detail


def test_dollars_follow_the_user_s_prices_and_are_unknown_without(tmp_path):
    (tmp_path / "prices.json").write_text(
        json.dumps({"scripted": {"in": 2.0, "out": 10.0, "source": "a page"}})
    )
    with ChatServer([SAID, SAID]) as server:
        priced = Watched(server, home=tmp_path)
        priced.ask()
        unpriced = Watched(server)
        unpriced.ask()
    assert priced.calls[0].dollars == pytest.approx((100 * 2 + 20 * 10) / 1e6)
    assert unpriced.calls[0].dollars is None
    assert unpriced.calls[0].tokens_in == 100


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "3", '{"m": 3}', '{"m": {"in": "1", "out": 2}}', '{"m": {"in": -1, "out": 2}}',
     '{"m": {"in": 1}}', '{"m": {"in": NaN, "out": 2}}', '{"m": {"in": true, "out": 2}}'],
)  # fmt: skip
def test_a_malformed_file_of_prices_is_refused_in_one_sentence(tmp_path, text):
    (tmp_path / "prices.json").write_text(text)
    with pytest.raises(ValueError, match=r"prices\.json"):
        price_of("m", tmp_path)


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    with ChatServer([SAID], can=Can(key="sk-very-secret")) as server:
        watched = Watched(server)
        watched.ask()
        assert server.headers[0]["authorization"] == "Bearer sk-very-secret"
        assert "sk-very-secret" not in json.dumps(server.requests)
        assert "sk-very-secret" not in repr(watched.client.endpoint)
    # A server that repeats a wrong key in its error.
    with ChatServer([SAID], can=Can(key="another")) as server:
        watched = Watched(server)
        with pytest.raises(PlannerFailed) as failed:
            watched.ask()
    assert "Incorrect API key provided" in str(failed.value)
    assert "sk-very-secret" not in str(failed.value) + repr(watched.calls)


def test_a_server_on_this_machine_needs_no_key_and_others_do(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for url in ("http://127.0.0.1:1/v1", "http://localhost:1234/v1", "http://[::1]:8080/v1/"):
        assert Endpoint.of("openai/m", url).loopback
    for url in (None, "http://192.168.1.5:8000/v1", "https://127.0.0.1.example.org/v1"):
        with pytest.raises(ValueError, match="OPENAI_API_KEY"):
            Endpoint.of("openai/m", url)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert Endpoint.of("openai/org/m:7b").model == "org/m:7b"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert not Endpoint.of("openai/m", "https://example.org/v1").loopback


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://me:pass@127.0.0.1/v1", "OPENAI_API_KEY"),
        ("http://127.0.0.1/v1?key=hunter2", "OPENAI_API_KEY"),
        ("ftp://127.0.0.1/v1", "no base URL"),
        ("127.0.0.1:8000", "no base URL"),
        ("http://", "no base URL"),
        ("http://127.0.0.1:99999/v1", "no base URL"),
        ("http://[::1/v1", "no base URL"),
    ],
)
def test_a_url_that_is_none_or_holds_a_secret_is_refused_in_one_sentence(url, words):
    with pytest.raises(ValueError, match=words) as refused:
        Endpoint.of("openai/m", url)
    assert "pass" not in str(refused.value).replace("password", "")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("key", ["sk-clé", "sk\nX-Header: 1"])
def test_a_key_that_is_none_is_refused_without_being_repeated(monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ValueError, match="OPENAI_API_KEY holds") as refused:
        Endpoint.of("openai/m")
    assert key not in str(refused.value)


@pytest.mark.parametrize("name", ["openai/", "openai/ ", "gpt"])
def test_a_name_without_a_model_is_refused(name):
    with pytest.raises(ValueError, match="openai/MODEL"):
        Endpoint.of(name, "http://127.0.0.1:1/v1")


def test_nothing_listens():
    with ChatServer([]) as server:
        url = server.url
    calls = []
    client = Client("openai/m", url, patience=QUICK)
    with pytest.raises(PlannerFailed, match="connection"):
        client.ask(HELLO, Errand("planner", record=calls.append))
    assert [c.status for c in calls] == ["connection"] * 4
