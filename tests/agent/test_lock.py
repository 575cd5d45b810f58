"""One runner for a study."""

import subprocess
import sys

import pytest

from hubel.agent.lock import StudyRuns, held, running


def other(home):
    """A process that holds study 3, and says so."""
    code = (
        "import sys; from pathlib import Path; from hubel.agent.lock import running\n"
        f"with running(Path({str(home)!r}), 3):\n    print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_study_that_runs_elsewhere_is_refused_and_others_are_not(tmp_path):
    with other(tmp_path) as process:
        assert held(tmp_path, 3)
        refused = pytest.raises(StudyRuns, match="Study 3 is running in another process")
        with refused, running(tmp_path, 3):
            pass
        with running(tmp_path, 4):
            assert not held(tmp_path, 5)
        process.stdin.close()
    assert not held(tmp_path, 3)


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path):
    with other(tmp_path) as process:
        process.kill()
    with running(tmp_path, 3):
        assert held(tmp_path, 3)
    assert not held(tmp_path, 3)
