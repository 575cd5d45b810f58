import subprocess
import sys

import pytest
from tests.sandbox.levels import ISOLATED

from hubel.sandbox.cells import CellSession
from hubel.sandbox.cgroups import Group
from hubel.sandbox.levels import jail_for
from hubel.sandbox.limits import MIB, Limits

TAKE = "x = bytearray(200 << 20)\nprint(len(x))"


@pytest.fixture
def group():
    made = Group.make()
    if made is None:
        pytest.skip("this user may make no control group here")
    yield made
    made.remove()
    assert not made.folder.exists()


def take(group, nbytes):
    group.limit(nbytes)
    command = [*group.entering(), sys.executable, "-c", TAKE]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_kernel_ends_what_passes_the_limit(group):
    assert take(group, 100 * MIB).returncode != 0
    assert group.killed()


def test_what_stays_below_lives(group):
    assert take(group, 400 * MIB).stdout.strip() == str(200 * MIB)
    assert not group.killed()


@pytest.mark.parametrize("level", ISOLATED)
def test_many_processes_that_fill_memory_at_once_are_held(level, group):
    code = (
        "import os, time\n"
        "for _ in range(15):\n"
        "    if os.fork() == 0:\n"
        "        break\n"
        "hoard = [bytearray(b'x' * (8 << 20)) for _ in range(64)]\n"
        "time.sleep(5)\n"
    )
    limits = Limits(wall=20, memory=300 * MIB, processes=64)
    with CellSession(jail_for(level, limits)) as cells:
        cells.run("result = 1")
        ran = cells.run(code)
        assert ran.status == "limit"
        assert "memory" in ran.why
        assert cells.run("result = 1").value == 1
