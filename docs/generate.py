"""Write the parts of the documentation that follow from the code. `make docs` runs it.

With ``--check`` nothing is written; the exit status says whether the files are up to date.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hubel.agent.catalogue import kinds, tools
from hubel.agent.ledger import Ledger

DOCS = Path(__file__).parent


def ledger_schema() -> str:
    """The schema as a new ledger has it."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        schema = ledger.schema().strip()
    return (
        "# The ledger\n\n"
        "One SQLite file, `ledger.db`, in write-ahead mode, with the pictures beside it in\n"
        "`pictures/`, named by the hash of their content. It opens in any SQLite browser.\n"
        "Evidence is append-only: the triggers below refuse to change or delete it, to take a\n"
        "prediction after its experiment has begun, and to take a verdict without a result.\n"
        "The tables `checkpoints` and `writes` in the same file belong to LangGraph; they hold\n"
        "numbers only, and a study can be gone on with from the tables below alone.\n\n"
        "This page is generated from a new ledger by `make docs`; a test compares the two.\n\n"
        f"```sql\n{schema}\n```\n"
    )


def tool_reference() -> str:
    """Every tool with its arguments."""
    parts = [
        "# Tools\n\n"
        "What planners call. A tool is a typed function with a docstring; its JSON schema is made\n"
        "from them. Those for the host serve the loop alone and are never shown to a planner.\n\n"
        "This page is generated from the registry by `make docs`; a test compares the two.\n"
    ]
    for one in tools():
        parts.append(f"\n## {one['name']}\n\n*{one['kind']}, for the {one['audience']}*\n")
        parts.append(f"\n{one['doc']}\n")
        schema = one["parameters"]
        required = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            need = "required" if name in required else f"default `{field.get('default')}`"
            parts.append(f"\n- `{name}` ({need}): {field.get('description', '')}")
        parts.append("\n")
    return "".join(parts)


def command_line() -> str:
    """The help texts, as a terminal of 80 columns shows them."""
    parts = ["# The command line\n\nThis page is generated from the program by `make docs`.\n"]
    commands = [
        "", "ask", "resume", "studies", "show", "why", "report", "replay", "chat", "serve", "mcp",
        "index", "units", "models", "tools", "doctor", "demo", "bench", "bench submit-format",
        "bench export", "bench answer", "bench score",
    ]  # fmt: skip
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}
    for command in commands:
        words = [sys.executable, "-m", "hubel", *command.split(), "--help"]
        said = subprocess.run(  # noqa: S603  (our own program)
            words, capture_output=True, text=True, check=True, env=environment
        ).stdout
        lines = "\n".join(line.rstrip() for line in said.strip().splitlines())
        parts.append(f"\n## hubel {command}".rstrip() + f"\n\n```\n{lines}\n```\n")
    parts.append("\n## Networks and pictures\n\n")
    for option, group in (("--model", "hubel.targets"), ("--data", "hubel.data")):
        parts += [f"- `{option} {name}`: {what}\n" for name, what in kinds(group).items()]
    parts.append(
        "\n## Exit status\n\n0 done; 1 a planner or lab failed, or a replay differs; 2 wrong use;\n"
        "3 the budget ended the study, what there was is saved; 4 the environment (disk, lab);\n"
        "130 interrupted.\n"
    )
    return "".join(parts)


PAGES = {"ledger.md": ledger_schema, "tools.md": tool_reference, "cli.md": command_line}


def main() -> None:
    """Write the pages, or compare them."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, page in PAGES.items():
        path = DOCS / name
        text = page()
        if check and (not path.exists() or path.read_text() != text):
            stale.append(name)
        elif not check:
            path.write_text(text)
    if stale:
        sys.exit(f"out of date: {', '.join(stale)}; run `make docs`")


if __name__ == "__main__":
    main()
