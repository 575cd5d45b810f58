import os
import signal
import threading
import time
from pathlib import Path

import pytest

from hubel.sandbox.session import LabLost, LabRefused, LabSession, LabSettings

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
UNIT = "blocks.0:0"


def session(home, target=TINY, data="scenes:40"):
    return LabSession(LabSettings(target, data, home))


def until_lost(lab):
    while True:
        lab.call("exemplars", {"unit": UNIT}, seed=0)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with session(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def test_a_lab_says_what_it_opened(lab):
    hello = lab.hello
    assert {s["name"] for s in hello["target"]["sites"]} >= {"blocks.0", "blocks.1", "head"}
    assert hello["target"]["main_sites"] == ["blocks.0", "blocks.1"]
    assert hello["data"]["pictures"] == 40
    assert {t["name"] for t in hello["tools"]} >= {"activate", "exemplars", "ablate", "patch"}
    assert hello["versions"]["torch"]


def test_the_same_call_with_the_same_seed_is_the_same(lab):
    first = lab.call("synthesize", {"n": 3}, seed=5)
    assert lab.call("synthesize", {"n": 3}, seed=5) == first
    assert lab.call("synthesize", {"n": 3}, seed=6)["values"] != first["values"]


def test_wrong_calls_are_refused_in_a_sentence_and_the_lab_lives_on(lab):
    pid = lab.pid
    for tool, args, words in [
        ("exemplar", {}, "Did you mean 'exemplars'"),
        ("exemplars", {}, "needs the argument 'unit'"),
        ("exemplars", {"unit": UNIT, "many": 3}, "no argument 'many'"),
        ("exemplars", {"unit": "blocks.0:99"}, "numbered 0 to 5"),
        ("activate", {"unit": UNIT, "stimuli": ["nothing"]}, "no picture 'nothing'"),
    ]:
        with pytest.raises(LabRefused, match=words):
            lab.call(tool, args, seed=0)
    assert lab.pid == pid


def test_a_killed_lab_is_a_clear_error_and_the_next_call_starts_a_new_one(tmp_path):
    with session(tmp_path) as lab:
        stimuli = lab.call("synthesize", {"n": 2}, seed=0)["values"]["stimuli"]
        pid = lab.pid
        killer = threading.Timer(0.05, os.kill, (pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(LabLost, match=r"lost during 'exemplars'.*Exit status -9"):
            until_lost(lab)
        assert lab.pid is None
        assert lab.call("exemplars", {"unit": UNIT}, seed=0)["values"]["stimuli"]
        assert lab.pid != pid
        # Pictures that the host has not adopted went with the old lab's word, not its files.
        assert lab.call("activate", {"unit": UNIT, "stimuli": stimuli}, seed=0)["values"]


def test_a_lab_that_does_not_answer_in_time_is_stopped(tmp_path):
    with session(tmp_path) as lab:
        _ = lab.hello
        os.kill(lab.pid, signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(LabLost, match="no answer in time"):
            lab.call("exemplars", {"unit": UNIT}, seed=0, seconds=0.3)
        assert time.monotonic() - begun < 60
        assert lab.pid is None


@pytest.mark.parametrize(
    ("target", "data", "words"),
    [
        ("dem", "scenes:4", "Did you mean 'demo'"),
        ("file:/nowhere.py:make", "scenes:4", "nowhere.py"),
        (TINY, "/nowhere", "neither a folder"),
        (TINY, "scenes:none", "scenes"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_a_sentence(tmp_path, target, data, words):
    with session(tmp_path, target, data) as lab, pytest.raises(LabRefused, match=words):
        _ = lab.hello


def test_a_lab_without_data_lists_units_and_refuses_tools(tmp_path):
    with session(tmp_path, data=None) as lab:
        assert lab.hello["data"] is None
        with pytest.raises(LabRefused, match="without data"):
            lab.call("exemplars", {"unit": UNIT}, seed=0)


def test_what_a_users_network_prints_is_no_data(tmp_path):
    chatty = tmp_path / "chatty.py"
    text = Path(__file__).parents[1].joinpath("tiny.py").read_text()
    chatty.write_text(text + "\nprint('hello from the factory')\n")
    with session(tmp_path, f"file:{chatty}:make") as lab:
        assert lab.hello["target"]["sites"]
    # Without a lab, nothing is left behind.
    assert not lab.scratch.exists()


def test_secrets_of_the_host_do_not_reach_the_lab(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    monkeypatch.setenv("HARMLESS", "yes")
    with session(tmp_path) as lab:
        _ = lab.hello
        seen = Path(f"/proc/{lab.pid}/environ").read_bytes()
    assert b"sk-planted" not in seen
    assert b"HARMLESS=yes" in seen
