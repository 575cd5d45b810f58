"""What a server is found to be capable of, by asking it."""

import json

import pytest
from tests.agent.chat_server import Can, ChatServer, Reply, count_images, is_probe

from hubel.agent.planner import PlannerFailed
from hubel.agent.planners.openai.client import Client, Errand, Patience
from hubel.agent.planners.openai.modes import Way, find_way

QUICK = Patience(tries=3, wait=0.01, silence=5)


def found(can, faults=()):
    """The way that is found, and the rows of the probes."""
    rows, said = [], []
    with ChatServer([], faults, can) as server:
        errand = Errand("planner", record=rows.append, say=lambda *event: said.append(event))
        way = find_way(Client("openai/scripted", server.url, patience=QUICK), errand)
    assert all(map(is_probe, server.requests))
    assert len(rows) == len(server.requests)
    assert {row.role for row in rows} == {"probe"}
    assert not [event for event in said if event[0] == "token"]
    return way, rows


@pytest.mark.parametrize(
    ("can", "way", "probes"),
    [
        (Can(), Way("tools", True), 1),
        (Can(images="no"), Way("tools", False), 2),
        (Can(images="ignored"), Way("tools", False), 1),
        (Can(tools="no"), Way("json", True, "json_schema"), 3),
        (Can(tools="ignored"), Way("json", True, "json_schema"), 2),
        (Can(tools="ignored", images="no"), Way("json", False, "json_schema"), 3),
        (Can(tools="ignored", response_format="json_object"), Way("json", True, "json_object"), 4),
        (Can(tools="ignored", response_format="no"), Way("text", True), 6),
        (Can(tools="no", response_format="no", images="no"), Way("text", False), 8),
        (Can(streams="no", usage="refused"), Way("tools", True), 2),
    ],
)
def test_the_best_way_that_works_is_found(can, way, probes):
    got, rows = found(can)
    assert got == way
    assert len(rows) == probes
    assert (rows[-1].status, rows[-1].mode) == ("ok", way.mode)
    assert all(row.status in ("ok", "bad request") for row in rows)


def test_a_server_that_refuses_everything_fails_by_name_with_its_words():
    rows = []
    with ChatServer([], can=Can()) as server:
        server.fault_for = lambda _body: "bad request"
        with pytest.raises(
            PlannerFailed, match="refuses even the simplest request: messages: some"
        ):
            find_way(
                Client("openai/m", server.url, patience=QUICK),
                Errand("planner", record=rows.append),
            )
    assert {row.status for row in rows} == {"bad request"}
    assert {row.mode for row in rows} == {"tools", "json", "text"}


@pytest.mark.parametrize("colour", ["blue", "", "I cannot see pictures"])
def test_a_model_that_names_another_colour_is_taken_to_be_blind(colour):
    class Blind(ChatServer):
        def answer(self, body, *, keep=False):
            return Reply(calls=(("ready", {"colour": colour}),))

    with Blind([]) as server:
        way = find_way(Client("openai/m", server.url, patience=QUICK), Errand("planner"))
        assert count_images(server.requests[0]) == 1
    assert way == Way("tools", False)


@pytest.mark.parametrize("said", ["Ready!", '{"ready": ', "[]", "```json\n{}\n```"])
def test_json_that_is_none_leaves_text(said):
    class Rambling(ChatServer):
        def answer(self, body, *, keep=False):
            return Reply(text=said)

    with Rambling([]) as server:
        way = find_way(Client("openai/m", server.url, patience=QUICK), Errand("planner"))
    assert way == Way("text", False)
    modes = [(r.get("response_format") or {}).get("type", "tools" in r) for r in server.requests]
    assert modes == [True, "json_schema", "json_object", False]


def test_probes_are_tiny():
    with ChatServer([]) as server:
        find_way(Client("openai/m", server.url, patience=QUICK), Errand("planner"))
        assert len(json.dumps(server.requests[0])) < 3000
