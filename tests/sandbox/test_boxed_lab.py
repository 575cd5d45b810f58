"""A lab in a box: what a network that somebody else wrote can reach, and what it cannot."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.sandbox.levels import BOTH, ISOLATED

from hubel.sandbox.jail import Jail
from hubel.sandbox.levels import jail_for
from hubel.sandbox.limits import MIB, Limits
from hubel.sandbox.session import LabLost, LabRefused, LabSession, LabSettings
from hubel.sandbox.visible import visible

TINY = Path(__file__).parents[1] / "tiny.py"
SMALL = Limits(memory=300 * MIB)

#: A network that does something when it is made, and tells of it in the error that it raises.
NOSY = """
def make():
    {action}
    raise RuntimeError("got: " + str(found))
"""


def network(folder, text, name="net.py"):
    path = folder / name
    path.write_text(text)
    return f"file:{path}:make"


def opened(tmp_path, target, jail, reads=()):
    """What opening a target is refused with."""
    settings = LabSettings(target, "scenes:4", tmp_path / "home", reads=reads, jail=jail)
    with LabSession(settings) as lab, pytest.raises(LabRefused) as refusal:
        _ = lab.hello
    return str(refusal.value)


@pytest.fixture
def outside(tmp_path):
    """A secret in a folder that no name speaks of."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    secret = folder / "secret.txt"
    secret.write_text("swordfish")
    return secret


@pytest.fixture(params=BOTH)
def jail(request):
    return jail_for(request.param)


def test_a_network_cannot_read_what_no_name_speaks_of(tmp_path, jail, outside):
    folder = tmp_path / "model"
    folder.mkdir()
    target = network(folder, NOSY.format(action=f"found = open({str(outside)!r}).read()"))
    assert "got: swordfish" in opened(tmp_path, target, Jail("none"))
    assert "swordfish" not in opened(tmp_path, target, jail)
    assert "got: swordfish" in opened(tmp_path, target, jail, reads=(outside,))


def test_a_network_sees_modules_and_weights_beside_it_and_no_hidden_or_other_file(tmp_path, jail):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("helper.py", "weights.safetensors", ".env", "notes.txt"):
        (folder / name).write_text("x = 1")
    look = f"import os; found = [n for n in os.listdir({str(folder)!r})]"
    read = "import os; found = []\n"
    for name in ("helper.py", "weights.safetensors", ".env", "notes.txt"):
        path = str(folder / name)
        read += f"    if os.path.exists({path!r}) and os.access({path!r}, os.R_OK):\n"
        read += f"        try: open({path!r}).read(); found.append({name!r})\n"
        read += "        except OSError: pass\n"
    assert "notes.txt" in opened(tmp_path, network(folder, NOSY.format(action=look)), Jail("none"))
    told = opened(tmp_path, network(folder, NOSY.format(action=read)), jail)
    assert "got: ['helper.py', 'weights.safetensors']" in told


def test_a_network_cannot_change_its_own_file_or_the_pictures(tmp_path, jail, outside):
    folder = tmp_path / "model"
    folder.mkdir()
    places = [folder / "net.py", tmp_path / "home" / "pictures" / "x.png", outside]
    action = "found = []\n"
    for place in places:
        action += f"    try: open({str(place)!r}, 'a').close(); found.append({place.name!r})\n"
        action += "    except OSError: pass\n"
    target = network(folder, NOSY.format(action=action))
    assert "got: ['net.py', 'x.png', 'secret.txt']" in opened(tmp_path, target, Jail("none"))
    assert "got: []" in opened(tmp_path, target, jail)


def test_what_one_target_caches_no_other_reads(tmp_path):
    settings = [LabSettings(name, "scenes:4", tmp_path) for name in ("file:a.py:make", "demo")]
    assert settings[0].cache != settings[1].cache


def test_a_boxed_lab_works_like_a_bare_one(tmp_path, jail):
    results = []
    for how in (Jail("none"), jail):
        settings = LabSettings(f"file:{TINY}:make", "scenes:40", tmp_path / how.level, jail=how)
        with LabSession(settings) as lab:
            results.append(
                [
                    lab.hello["target"],
                    lab.call("exemplars", {"unit": "blocks.0:0"}, seed=0),
                    lab.call("synthesize", {"n": 2}, seed=3),
                ]
            )
    assert results[0] == results[1]


GREEDY = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
        self.hoard = []
    def forward(self, x):
        if len(x) > 1:
            self.hoard += [torch.ones(50_000_000) for _ in range(5)]
        return self.conv(x)
def make():
    return Net()
"""


@pytest.mark.parametrize("level", ISOLATED)
def test_a_lab_that_takes_too_much_memory_is_ended_and_says_why(tmp_path, level):
    target = network(tmp_path, GREEDY)
    settings = LabSettings(target, "scenes:40", tmp_path / "home", jail=jail_for(level, SMALL))
    with LabSession(settings) as lab:
        with pytest.raises(LabLost, match=r"\d+ MiB of memory"):
            lab.call("exemplars", {"unit": "conv:0"}, seed=0)
        assert lab.pid is None


HOST = """
import sys, time
from pathlib import Path
from hubel.sandbox.levels import jail_for
from hubel.sandbox.session import LabSession, LabSettings
jail = jail_for(sys.argv[1])
with LabSession(LabSettings(sys.argv[2], "scenes:4", Path(sys.argv[3]), jail=jail)) as lab:
    _ = lab.hello
    print("open", flush=True)
    time.sleep(1000)
"""


@pytest.mark.parametrize("level", BOTH)
def test_a_host_that_is_killed_takes_its_boxes_along(tmp_path, level):
    words = [sys.executable, "-c", HOST, level, f"file:{TINY}:make", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as host:
        try:
            assert host.stdout.readline()
            boxed = started_by(host.pid)
            assert boxed
        finally:
            host.kill()
    for _ in range(100):
        if not boxed & processes().keys():
            return
        time.sleep(0.1)
    pytest.fail("a box outlives its host")


def processes():
    """Parent of each process that runs."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    return {int(pid): int(parent) for pid, parent in map(str.split, listed.stdout.splitlines())}


def started_by(ancestor):
    """Everything that came from a process."""
    parents = processes()
    found = {ancestor}
    for _ in parents:
        found |= {pid for pid, parent in parents.items() if parent in found}
    return found - {ancestor}


def test_a_link_that_a_network_brings_along_shows_nothing(tmp_path, outside):
    folder = tmp_path / "model"
    folder.mkdir()
    target = network(folder, "def make(): ...")
    (folder / "weights.pt").symlink_to(outside.parent)
    (folder / "helper.py").symlink_to(outside)
    (folder / "own.pt").symlink_to(folder / "net.py")
    seen = {path.name for path in visible(target)}
    assert seen == {"net.py", "own.pt"}


TRAP = """
import os, sys
def make():
    for name in ("lab.log", "pictures"):
        path = os.path.join({scratch}, name)
        os.path.lexists(path) and os.path.isfile(path) and os.unlink(path)
        os.path.lexists(path) or os.symlink({victim!r}, path)
    print("PAYLOAD", flush=True)
    os._exit(3)
"""


def test_what_a_lab_leaves_in_its_scratch_leads_the_host_nowhere(tmp_path, jail, outside):
    home = tmp_path / "home"
    scratch = "os.path.dirname(os.environ['XDG_CACHE_HOME'])"
    target = network(tmp_path, TRAP.format(scratch=scratch, victim=str(outside)))
    with LabSession(LabSettings(target, "scenes:4", home, jail=jail)) as lab:
        for _ in range(2):
            with pytest.raises(LabLost) as loss:
                _ = lab.hello
            assert "swordfish" not in str(loss.value)
            assert "PAYLOAD" in str(loss.value)
        assert (lab.scratch / "lab.log").is_symlink()
    assert outside.read_text() == "swordfish"


LIAR = """
import json, os, struct, sys
def make():
    body = json.dumps({frame}).encode()
    os.write(int(sys.argv[1]), struct.pack(">I", len(body)) + body)
    import time
    time.sleep(60)
"""


@pytest.mark.parametrize(
    "frame",
    [{"progress": ["x"]}, {"progress": 3}, {"hello": 7}, {"hello": {"tools": []}}, {"other": 1}],
)
@pytest.mark.parametrize("level", ISOLATED)
def test_a_lab_that_says_something_else_is_lost_and_no_more(tmp_path, level, frame):
    target = network(tmp_path, LIAR.format(frame=frame))
    settings = LabSettings(target, "scenes:4", tmp_path / "home", jail=jail_for(level))
    with LabSession(settings) as lab, pytest.raises(LabLost):
        _ = lab.hello
