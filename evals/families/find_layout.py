"""Where FIND's definitions lie in a user's copy, in either of two layouts.

- As published (github.com/multimodal-interpretability/FIND, and the archive that it names):
  ``numeric/data.json``, ``strings/test_data.json``, ``neurons_entities/data.json`` and
  ``neurons_relations/data.json``, the unit tests beside them in ``unit_test_data.json``, and the
  functions of strings as ``strings/f00000/function_code.py``.
- One file for each kind: ``numeric.json``, ``strings.json``, ``entities.json``, ``relations.json``,
  with ``unit_tests`` and ``correct`` in each row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubel.tools.data import DataError

#: Name of the one file of a kind, and where the published layout has the same.
_FILES = {
    "numeric": "numeric/data.json",
    "strings": "strings/test_data.json",
    "entities": "neurons_entities/data.json",
    "relations": "neurons_relations/data.json",
}
_TESTS = "unit_test_data.json"


def path_of(folder: Path, kind: str) -> Path | None:
    """The file of a kind; None if the folder has none."""
    candidates = (Path(folder) / f"{kind}.json", Path(folder) / _FILES[kind])
    return next((path for path in candidates if path.exists()), None)


def rows_of(folder: Path, kind: str) -> tuple[Path, list[dict[str, Any]]]:
    """The rows of a kind, with their unit tests, and the file that they are from.

    Args:
        folder: A copy of FIND's definitions.
        kind: ``numeric``, ``strings``, ``entities`` or ``relations``.

    Raises:
        DataError: The folder has no such file, or it is not laid out so.
    """
    path = path_of(folder, kind)
    if path is None:
        raise DataError(
            f"{Path(folder) / f'{kind}.json'} cannot be read, nor {_FILES[kind]}: "
            "give the folder of FIND's files."
        )
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        tests = path.parent / _TESTS
        if path.name != f"{kind}.json" and tests.exists():
            rows = _joined(rows, json.loads(tests.read_text(encoding="utf-8")))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise TypeError("no list of objects")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}).") from None
    except (ValueError, KeyError, TypeError) as error:
        raise not_laid_out(path, error) from None
    return path, rows


def not_laid_out(path: Path, error: Exception) -> DataError:
    """What to raise where a file is not in FIND's layout."""
    return DataError(f"{path} is not laid out as FIND's layout has it ({error!r}).")


def _joined(rows: Any, tests: Any) -> list[dict[str, Any]]:
    """Definitions with the unit tests of the same function, by its name."""
    known = {test["name"]: test for test in tests}
    out = []
    for row in rows:
        name = str(row.get("dir") or row["name"]).rstrip("/").rsplit("/", 1)[-1]
        test = known[name]
        tested = {"unit_tests": test["test_vec"], "correct": test["correct_inx"]}
        out.append({**row, "dir": name, **tested})
    return out
