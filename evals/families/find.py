"""FIND's own functions as suites of the benchmark, from a user's copy (`--find-dir`).

Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating Interpretability
Methods" (arXiv 2309.03886). Which functions come first is drawn by the seed, so that fewer than all
are a fair sample.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from hubel.evals.families import find_numeric, find_strings, find_words
from hubel.evals.families.find_layout import rows_of
from hubel.evals.families.words.encoder import shared
from hubel.evals.neuron import Neuron
from hubel.sandbox.cells import CellSession
from hubel.tools.data import DataError

#: The suites, each with the name of its kind of file.
SUITES = {
    "find-numbers": "numeric",
    "find-strings": "strings",
    "find-entities": "entities",
    "find-relations": "relations",
}


@cache
def count(suite: str, folder: Path) -> int:
    """How many functions a copy has.

    Raises:
        DataError: The file is missing or is not laid out so, or what it has cannot be asked.
    """
    if suite == "find-strings" and not find_strings.has_sources(folder):
        raise DataError(
            f"{folder} has no strings/f00000/function_code.py and the like: functions of strings "
            "without their source cannot be asked. Leave out find-strings, or give a full copy."
        )
    return len(rows_of(folder, SUITES[suite])[1])


@cache
def digest(suite: str, folder: Path) -> str:
    """Eight characters that tell one copy's file from another's."""
    path, _ = rows_of(folder, SUITES[suite])
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def make(suite: str, folder: Path, seed: int, number: int, cells: CellSession | None) -> Neuron:
    """The neuron at a place of the order that a seed draws.

    Args:
        suite: One of `SUITES`.
        folder: FIND's files.
        seed: Draws the order, the noise and what is corrupted.
        number: The place, from 0 to `count` - 1.
        cells: Where sources of functions of strings are run; the other suites need none.

    Raises:
        DataError: The file is missing or is not laid out so, or what it has cannot be asked.
        ToolError: Words need an encoder that cannot be used.
    """
    place = int(np.random.default_rng(seed).permutation(count(suite, folder))[number])
    if suite == "find-numbers":
        found = _numbers(folder)
        complexity = find_numeric.complexities(found, seed)[place]
        return find_numeric.make(found[place], complexity, seed)
    if suite == "find-strings":
        if cells is None:
            raise DataError("FIND's functions of strings run in a cell, and there is none here.")
        return find_strings.make(_strings(folder)[place], cells)
    load = find_words.load_entities if suite == "find-entities" else find_words.load_relations
    return load(folder, shared(), place=place)[0]


@cache
def _numbers(folder: Path) -> list[find_numeric.Definition]:
    return find_numeric.definitions(folder)


@cache
def _strings(folder: Path) -> list[find_strings.FindString]:
    return find_strings.load_strings(folder)
