"""What a box shows of the host: Python, hubel, the system's libraries, and what it was given."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime")
#: What numerical libraries ask the kernel about the processor.
ABOUT_CPU = ("/sys/devices/system/cpu", "/sys/devices/system/node")
#: File systems of the box's own, in memory.
WRITABLE = ("/tmp", "/dev/shm")  # noqa: S108
#: Not zero: mapped shared, it is memory that no accounting finds.
DEVICES = ("null", "full", "random", "urandom")


def python_folders() -> list[Path]:
    """Folders that Python and hubel need: the interpreter, the packages, the rooms."""
    import hubel

    found = [Path(sys.base_prefix), Path(sys.base_exec_prefix), Path(sys.prefix)]
    found += [Path(sysconfig.get_paths()[name]) for name in ("stdlib", "platstdlib")]
    source = Path(str(hubel.__file__)).parent
    found += [source, *(room.resolve() for room in source.iterdir() if room.is_symlink())]
    found += map(Path, python_path())
    return [path for path in found if path.exists()]


def python_path() -> list[str]:
    """Where Python looks for modules, without the working folder, which anybody may fill.

    A folder that a home lies in is left out: what it holds is not meant for a box.
    """
    out = []
    for entry in dict.fromkeys(sys.path):
        path = Path(entry).absolute()
        if entry and path.exists() and path != Path.cwd() and not _too_wide(path):
            out.append(str(path))
    user = site.getusersitepackages()
    if site.ENABLE_USER_SITE and Path(user).exists() and user not in out:
        out.append(user)
    return out


def _too_wide(path: Path) -> bool:
    """Whether a home, or a place of the box's own, lies in a folder."""
    real = path.resolve()
    places = [Path.home(), Path.home().resolve(), *map(Path, WRITABLE)]
    return path.is_dir() and any(p.is_relative_to(f) for p in places for f in (path, real))


def shown(given: Iterable[Path]) -> list[Path]:
    """Paths to show in a box, parents first, without those that a parent shows already.

    Args:
        given: What the box is given to read, besides Python and hubel.

    Raises:
        ValueError: One of them is not there, or holds more than a box may see.
    """
    out: list[Path] = []
    for path in sorted({*python_folders(), *map(_absolute, given)}):
        if _too_wide(path):
            raise ValueError(f"No box may see the whole of '{path}': name a folder in it.")
        if any(path.is_relative_to(there) for there in (*map(Path, SYSTEM), *out)):
            continue
        out.append(path)
    return out


def _absolute(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"There is no '{path}' for the box to read.")
    return path.absolute()


def system() -> list[str]:
    """Folders and files of the system's libraries that are there."""
    return [name for name in (*SYSTEM, *(f"/etc/{n}" for n in SETTINGS)) if Path(name).exists()]


def devices() -> list[str]:
    """Devices that every box has."""
    return [f"/dev/{name}" for name in DEVICES]
