"""A box with a GPU. Skipped, and said so, where there is none."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.levels import ISOLATED

from hubel.sandbox.levels import jail_for
from hubel.sandbox.limits import Limits
from hubel.sandbox.session import LabLost, LabSession, LabSettings, ToolBroken

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
#: A kernel that ran, in a process of its own: a driver that answers proves nothing.
KERNEL = "import torch; x = torch.ones(64, 64, device='cuda'); (x @ x).sum().item()"


def has_gpu():
    if not Path("/dev/nvidiactl").exists():
        return False
    done = subprocess.run([sys.executable, "-c", KERNEL], capture_output=True, check=False)
    return done.returncode == 0


pytestmark = [
    pytest.mark.skipif(not has_gpu(), reason="NO GPU HERE: the box with a GPU is not tested"),
    pytest.mark.parametrize("level", ISOLATED),
]


def session(home, level, limits=None, target=TINY):
    jail = jail_for(level, limits)
    return LabSession(LabSettings(target, "scenes:40", home, device="cuda", jail=jail))


def test_a_kernel_runs_in_the_box_and_gives_what_the_cpu_gives(tmp_path, level):
    with session(tmp_path, level) as lab:
        assert lab.hello["target"]["device"].startswith("cuda")
        there = lab.call("exemplars", {"unit": "blocks.0:0"}, seed=0)["values"]["activation"]
    settings = LabSettings(TINY, "scenes:40", tmp_path / "cpu", jail=jail_for(level))
    with LabSession(settings) as lab:
        here = lab.call("exemplars", {"unit": "blocks.0:0"}, seed=0)["values"]["activation"]
    assert there == pytest.approx(here, rel=1e-2)


GREEDY = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3)
    def forward(self, x):
        if x.is_cuda:
            total = torch.cuda.get_device_properties(0).total_memory
            torch.empty(total // 4, dtype=torch.uint8, device=x.device)
        return self.conv(x)
def make():
    return Net()
"""


def test_a_lab_cannot_take_more_of_the_gpu_than_its_share(tmp_path, level):
    file = tmp_path / "net.py"
    file.write_text(GREEDY)
    target = f"file:{file}:make"
    with (
        session(tmp_path, level, Limits(gpu=0.1), target) as lab,
        pytest.raises(Exception, match="out of memory"),
    ):
        lab.call("exemplars", {"unit": "conv:0"}, seed=0)
    with session(tmp_path / "all", level, Limits(gpu=0.9), target) as lab:
        assert lab.call("exemplars", {"unit": "conv:0"}, seed=0)["values"]["activation"]


def test_a_killed_lab_gives_its_gpu_back_and_the_next_call_starts_a_new_one(tmp_path, level):
    with session(tmp_path, level) as lab:
        _ = lab.hello
        os.kill(lab.pid, signal.SIGKILL)
        with pytest.raises((LabLost, ToolBroken)):
            lab.call("exemplars", {"unit": "blocks.0:0"}, seed=0)
        assert lab.call("exemplars", {"unit": "blocks.0:0"}, seed=0)["values"]["activation"]
