"""The house rules: which room may import which, and what the package says of itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hubel

ROOT = Path(__file__).parents[1]
#: Each room with those it may import from.
ROOMS = {
    "tools": {"tools"},
    "sandbox": {"tools", "sandbox"},
    "agent": {"tools", "sandbox", "agent"},
    "evals": {"tools", "sandbox", "agent", "evals"},
}
#: What may not be imported at start-up, or in the host at all.
HEAVY = {"torch", "transformers", "langgraph", "openai", "diffusers", "numpy", "scipy", "pydantic"}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room):
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        for name in imports_of(path):
            parts = name.split(".")
            assert parts[0] not in ROOMS, f"{path} imports the room {parts[0]} by its bare name"
            if parts[0] == "hubel" and len(parts) > 1:
                assert parts[1] in ROOMS[room], f"{path} imports {name}"


def test_rooms_are_links_into_the_package():
    for room in ROOMS:
        link = ROOT / "src" / "hubel" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


def test_all_is_exact():
    tree = ast.parse(Path(hubel.__file__).read_text())
    guarded = next(n for n in tree.body if isinstance(n, ast.If))
    imported = {a.name for n in guarded.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert set(hubel.__all__) == imported | {"__version__"} == set(hubel._HOMES) | {"__version__"}
    for name in hubel.__all__:
        assert getattr(hubel, name) is not None
    with pytest.raises(AttributeError, match="no attribute"):
        _ = hubel.nothing_of_the_kind


def modules_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_help_imports_nothing_heavy():
    help_of = (
        "from hubel.cli import app\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    app(['--help'], standalone_mode=False)"
    )
    loaded = modules_after(help_of)
    assert "typer" in loaded
    assert loaded & HEAVY == set()
    assert len(loaded) < 450  # bare Python and typer are 300 or so


@pytest.mark.parametrize(
    "module",
    ["agent.loop", "agent.report", "agent.show", "agent.planners.builtin", "sandbox.session"],
)
def test_the_host_never_imports_torch(module):
    import pandas  # noqa: F401  (it is there, and sqlite-utils would import it)

    assert not modules_after(f"import hubel.{module}") & {"torch", "transformers", "pandas"}


def test_only_the_ledger_speaks_sql():
    for path in sorted(ROOT.glob("[ates]*/**/*.py")):
        if path.parts[len(ROOT.parts)] not in ROOMS or path.name in ("ledger.py", "migrations.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "INSERT INTO" not in node.value, path
                assert "SELECT " not in node.value, path
