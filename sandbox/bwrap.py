"""The options of bubblewrap, which make the namespaces of a box and what is seen in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hubel.sandbox.limits import Limits
from hubel.sandbox.view import ABOUT_CPU, DEVICES, SETTINGS, SYSTEM, WRITABLE


def options(
    read: Sequence[Path],
    write: Sequence[Path],
    variables: dict[str, str],
    limits: Limits,
    *,
    folder: str,
    as_root: bool,
    gpu: bool,
) -> list[str]:
    """The options for a box. Order matters: later mounts lie over earlier ones.

    Args:
        read: What it is shown, parents first (`hubel.sandbox.view.shown`).
        write: Folders that it may write to.
        variables: Its environment.
        limits: Of which the size of file systems is set here.
        folder: A folder that must be there, to start in.
        as_root: The host is root, and needs no user namespace.
        gpu: Whether it sees the NVIDIA devices.
    """
    out = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    out += ["--unshare-cgroup-try", "--as-pid-1", "--cap-drop", "ALL"]
    # Kept until the launcher has sized the file systems and left root, a millisecond later.
    out += ["--cap-add", "CAP_SYS_ADMIN"]
    if not as_root:
        out += ["--unshare-user"]
    else:
        out += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    for name in SYSTEM:
        path = Path(name)
        if path.is_symlink():
            out += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            out += ["--ro-bind", name, name]
    for name in SETTINGS:
        out += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for name in ABOUT_CPU:
        out += ["--ro-bind-try", name, name]
    # Not bwrap's --dev: its terminals need a second user namespace, in which ours could not size
    # the file systems below.
    out += ["--proc", "/proc", "--perms", "0755", "--size", "65536", "--tmpfs", "/dev"]
    for name in DEVICES:
        out += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        out += ["--symlink", f"/proc/self/fd{target}", f"/dev/{name}"]
    for place in WRITABLE:
        out += ["--perms", "1777", "--size", str(limits.tmpfs), "--tmpfs", place]
    if gpu:
        out += ["--ro-bind", "/sys", "/sys"]
        for device in sorted(Path("/dev").glob("nvidia*")):
            out += ["--dev-bind", str(device), str(device)]
    shown: list[tuple[str, Path]] = [("--ro-bind", path) for path in read] + [
        ("--bind", path) for path in write
    ]
    # bwrap makes the folders above for root alone.
    above = {parent for _, path in shown for parent in path.parents} | {Path(folder)}
    hidden = [Path(name) for name in SYSTEM] + [*read, *write]
    for path in sorted(above - {Path("/"), *map(Path, WRITABLE)}):
        if not any(path.is_relative_to(there) for there in hidden):
            out += ["--perms", "0755", "--dir", str(path)]
    for how, path in shown:
        out += [how, str(path), str(path)]
    out += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in variables.items():
        out += ["--setenv", name, value]
    return out
