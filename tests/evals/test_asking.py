import socket
from contextlib import contextmanager
from threading import Thread
from types import SimpleNamespace

import pytest

from hubel.evals import bench
from hubel.evals.asking import Worker
from hubel.sandbox import wire
from hubel.sandbox.limits import Limits


@contextmanager
def says(frame):
    """A box whose planner answers its order with one frame."""
    here, there = socket.socketpair()

    def plan():
        wire.receive(there)
        wire.send(there, frame)

    thread = Thread(target=plan)
    box = SimpleNamespace(channel=here, opened=lambda _limits: None, end=here.close)
    thread.start()
    yield SimpleNamespace(limits=Limits(), start=lambda *_a, **_k: box)
    thread.join()
    here.close()
    there.close()


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ({"ask": 5}, "no list"),
        ({"ask": [10**400]}, "401 digits"),
        ({"found": "x"}, "no finding"),
        ({"found": {"exceptions": 5}}, "no finding"),
    ],
)
def test_what_breaks_the_protocol_fails_the_planner_and_not_the_run(frame, why):
    with says(frame) as jail, Worker(jail, "empty") as worker:
        explained = worker.explain(bench.neuron("numbers", 3, 0), 10, 1)
    assert explained.finding is None
    assert why in explained.failed
