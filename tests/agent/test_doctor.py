import subprocess
import sys

from hubel.agent.doctor import examine


def test_everything_needed_works_here_and_what_is_missing_has_a_mend(tmp_path):
    checks = examine(tmp_path / "new" / "home")
    assert {"Python", "SQLite", "torch", "CUDA", "timm", "photos"} <= {c.name for c in checks}
    assert [c.name for c in checks if c.needed and not c.ok] == []
    assert all(c.mend for c in checks if not c.ok)
    assert not (tmp_path / "new" / "home" / ".probe").exists()


def test_a_folder_that_cannot_be_written_is_a_failure():
    words = [sys.executable, "-m", "hubel", "doctor", "--home", "/proc/nowhere"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "FAIL ledger folder: /proc/nowhere" in done.stdout
    assert "--home" in done.stdout


def test_a_torchvision_that_cannot_load_is_named(tmp_path, monkeypatch):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    broken = next(c for c in examine(tmp_path) if c.name.startswith("torchvision"))
    assert not broken.ok
    assert "nms does not exist" in broken.found
    assert "pip uninstall torchvision" in broken.mend
