"""FIND's string functions, read from a user's own copy, and their three-way unit tests.

Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating Interpretability
Methods" (arXiv 2309.03886). What the published layout holds of a string function is its description
in words, test inputs, and unit tests: three inputs with three outputs, of which one pair is a real
execution. The functions themselves are not in it, so they cannot be asked: an explanation made
elsewhere is scored here on what is known of each function.

Two scores, each with its failure mode:

- `unit_tests`: the share of tests in which the code picks the real execution; chance is .33. The
  wrong pairs are executions of *other* functions, so that "it gives back the input" passes many.
- `executions`: the share of the real executions that the code reproduces exactly. There are ten or
  fewer of each function; a function that is random by construction fails it whatever is said.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubel.tools.data import DataError

#: Outputs for inputs; None where the explanation is undefined.
Run = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class UnitTest:
    """Three inputs with outputs; the pair at `correct`, from 0, is a real execution."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    correct: int


@dataclass(frozen=True, slots=True)
class FindString:
    """What the layout holds of one string function.

    Attributes:
        name: Its directory, ``f00000``.
        description: In words, by the benchmark's authors.
        inputs: Test inputs.
        tests: The three-way unit tests.
    """

    name: str
    description: str
    inputs: tuple[str, ...]
    tests: tuple[UnitTest, ...]

    @property
    def executions(self) -> dict[str, str]:
        """Inputs with the outputs that the function is known to have given."""
        return {t.inputs[t.correct]: t.outputs[t.correct] for t in self.tests}


def load_strings(folder: Path) -> list[FindString]:
    """The functions of ``strings.json``.

    Args:
        folder: Holds the file.

    Raises:
        DataError: The file is missing or is not laid out so.
    """
    path = folder / "strings.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [_read(row) for row in rows]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}). Give FIND's folder.") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError(f"{path} is not in FIND's layout ({error!r}).") from None


def _read(row: dict[str, Any]) -> FindString:
    tests = []
    for (inputs, outputs), correct in zip(row["unit_tests"], row["correct"], strict=True):
        if len(inputs) != len(outputs) or not 1 <= correct <= len(inputs):
            raise ValueError(f"unit test of {row['dir']}")
        tests.append(UnitTest(tuple(inputs), tuple(outputs), int(correct) - 1))
    given = row["test_inputs"].lstrip(": ").split(", ")
    return FindString(row["dir"], row["description"], tuple(given), tuple(tests))


def unit_tests(function: FindString, explanation: Run) -> float:
    """The share of the unit tests in which an explanation picks the real execution.

    It picks the pair whose output is likest to its own (`difflib` ratio; 1 is equal); where several
    are equally like, it is credited their chance.
    """
    won = 0.0
    for test in function.tests:
        likeness = [
            _likeness(explanation(x), y) for x, y in zip(test.inputs, test.outputs, strict=True)
        ]
        best = [k for k, v in enumerate(likeness) if v == max(likeness)]
        won += (test.correct in best) / len(best)
    return won / max(len(function.tests), 1)


def executions(function: FindString, explanation: Run) -> float:
    """The share of the known executions that an explanation reproduces exactly."""
    known = function.executions
    return sum(explanation(x) == y for x, y in known.items()) / max(len(known), 1)


def _likeness(made: str | None, given: str) -> float:
    if made is None:
        return 0.0
    return 1.0 if made == given else 0.999 * difflib.SequenceMatcher(None, made, given).ratio()
