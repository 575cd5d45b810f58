"""FIND's string functions, read from a user's own copy.

Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating Interpretability
Methods" (arXiv 2309.03886). Of a string function there is its description in words, test inputs,
unit tests (`hubel.evals.unit_tests`), and in the published layout its source, which is run in a
cell. Where there is no source a function cannot be asked, and only what was explained elsewhere can
be scored.

Two scores, each with its failure mode:

- `unit_tests`: the share of tests in which the code picks the real execution; chance is .33. The
  wrong pairs are executions of *other* functions, so that "it gives back the input" passes many.
- `executions`: FIND's string indicator, the share of the real executions that the code reproduces
  exactly. There are ten or fewer of each function; a function that is random by construction fails
  it whatever is said.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hubel.evals.families.find_layout import not_laid_out, path_of, rows_of
from hubel.evals.families.strings.inputs import draw_one
from hubel.evals.neuron import Neuron
from hubel.evals.unit_tests import UnitTest, inputs_of, share_passed
from hubel.sandbox.cells import CellSession
from hubel.tools.data import DataError

#: Outputs for inputs; None where the explanation is undefined.
Run = Callable[[str], str | None]

_RUN = """
space = {"__name__": "function"}
exec(compile(source, "<function>", "exec"), space)
def one(x):
    try:
        return str(space["function"](x))
    except Exception:
        return None
result = [one(x) for x in inputs]
"""


@dataclass(frozen=True, slots=True)
class FindString:
    """What the layout holds of one string function.

    Attributes:
        name: Its directory, ``f00000``.
        description: In words, by the benchmark's authors.
        inputs: Test inputs.
        tests: The three-way unit tests.
        source: Python that defines ``function``; empty where the copy has none.
    """

    name: str
    description: str
    inputs: tuple[str, ...]
    tests: tuple[UnitTest, ...]
    source: str = ""

    @property
    def executions(self) -> dict[str, str]:
        """Inputs with the outputs that the function is known to have given."""
        return {t.inputs[t.correct]: t.outputs[t.correct] for t in self.tests}

    def code(self) -> str:
        """The source as code of an explanation, which defines ``f``."""
        return f"{self.source}\nf = function\n"


def load_strings(folder: Path) -> list[FindString]:
    """The functions of strings.

    Args:
        folder: FIND's files.

    Raises:
        DataError: The file is missing or is not laid out so.
    """
    path, rows = rows_of(folder, "strings")
    try:
        return [_read(row, path.parent) for row in rows]
    except (
        ValueError, KeyError, TypeError, IndexError, AttributeError, OSError, SyntaxError,
    ) as error:  # fmt: skip
        raise not_laid_out(path, error) from None


def has_sources(folder: Path) -> bool:
    """Whether the copy has the functions themselves."""
    path = path_of(folder, "strings")
    return path is not None and next(_sources(path.parent), None) is not None


def _sources(folder: Path) -> Any:
    return (path for place in (folder, folder / "strings") for path in place.glob(_SOURCE))


_SOURCE = "f*/function_code.py"


def _read(row: dict[str, Any], folder: Path) -> FindString:
    tests = []
    for (inputs, outputs), correct in zip(row["unit_tests"], row["correct"], strict=True):
        if len(inputs) != len(outputs) or not 1 <= correct <= len(inputs):
            raise ValueError(f"unit test of {row['dir']}")
        tests.append(UnitTest(tuple(inputs), int(correct) - 1, tuple(outputs)))
    given = row["test_inputs"].lstrip(": ").split(", ")
    name = str(row["dir"])
    places = [folder / name / "function_code.py", folder / "strings" / name / "function_code.py"]
    source = next((p.read_text(encoding="utf-8") for p in places if p.exists()), "")
    described = row["description"].lstrip(": ").strip()
    return FindString(name, described, tuple(given), tuple(tests), source and trimmed(source))


def trimmed(source: str) -> str:
    """A source without the modules that it imports and never uses, which take seconds to load.

    Raises:
        SyntaxError: It is no Python.
    """
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    kept: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [a for a in node.names if (a.asname or a.name).split(".")[0] in used]
            if not node.names:
                continue
        elif isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            continue
        kept.append(node)
    tree.body = kept
    return ast.unparse(tree)


def make(function: FindString, cells: CellSession) -> Neuron:
    """The neuron of a function whose source is there.

    Args:
        function: The definition.
        cells: Where its source runs: it is a program of somebody else's.

    Raises:
        DataError: There is no source.
    """
    if not function.source:
        raise DataError(
            f"FIND's copy has no {function.name}/function_code.py: a function of strings "
            "without its source cannot be asked."
        )

    def run(inputs: Sequence[Any]) -> list[Any]:
        names = {"source": function.source, "inputs": list(inputs)}
        ran = cells.run(_RUN, names=names)
        if ran.status != "done" or not isinstance(ran.value, list):
            raise DataError(f"FIND's {function.name} could not be run: {ran.why}")
        return ran.value

    def draw(n: int, rng: np.random.Generator) -> tuple[list[Any], list[str]]:
        return [draw_one(rng) for _ in range(n)], ["global"] * n

    return Neuron(
        name=f"find-strings/{function.name}",
        domain="strings",
        kind="published",
        complexity="published",
        function=run,
        truth=run,
        draw=draw,
        description=function.description,
        code=function.code(),
        about={"unit_tests": function.tests},
    )


def unit_tests(function: FindString, explanation: Run) -> float:
    """The share of the unit tests in which an explanation picks the real execution."""
    return share_passed(function.tests, [explanation(x) for x in inputs_of(function.tests)])


def executions(function: FindString, explanation: Run) -> float:
    """The share of the known executions that an explanation reproduces exactly."""
    known = function.executions
    return sum(explanation(x) == y for x, y in known.items()) / max(len(known), 1)
