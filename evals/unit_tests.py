"""FIND's three-way unit tests: which of three is a real execution of the function?

Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating Interpretability
Methods" (arXiv 2309.03886): of three pairs of input and output one is the function's, the others
are executions of other functions; of words, one of three is related to the neuron's concept. There
a language model reads a description and chooses; here the code of an explanation is executed and
chooses, so that no judge is needed. Chance is one third. How it is fooled: the wrong pairs are
executions of *other* functions, so that "it gives back its input" passes many, and a vague concept
("sports" for "golf") passes as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hubel.evals.neuron import Neuron

#: Tests of one neuron, and what there is to choose from in each.
TESTS, CHOICES = 10, 3
CHANCE = 1 / CHOICES


@dataclass(frozen=True, slots=True)
class UnitTest:
    """What there is to choose from.

    Attributes:
        inputs: One of each choice.
        correct: The right choice, from 0.
        outputs: One of each choice; none where the choice is the one with the largest value.
    """

    inputs: tuple[str, ...]
    correct: int
    outputs: tuple[str, ...] = ()


def tests_of(neuron: Neuron) -> tuple[UnitTest, ...]:
    """The unit tests of a neuron; none if it has none."""
    return tuple((neuron.about or {}).get("unit_tests", ()))


def inputs_of(tests: Sequence[UnitTest]) -> list[str]:
    """All inputs, in order."""
    return [x for test in tests for x in test.inputs]


def share_passed(tests: Sequence[UnitTest], said: Sequence[Any]) -> float:
    """The share of tests in which an explanation chooses right.

    It chooses the pair whose output is likest to its own (`difflib` ratio; 1 is equal), or the
    input of the largest value; where several are equally good, it is credited their chance.

    Args:
        tests: At least one.
        said: What it says of `inputs_of`, in that order; None where it says nothing.
    """
    values = iter(said)
    return float(np.mean([_passed(test, values) for test in tests]))


def reproduced(tests: Sequence[UnitTest], said: Sequence[Any]) -> float:
    """FIND's string indicator: the share of real executions that are reproduced exactly.

    Args:
        tests: At least one, with outputs.
        said: As of `share_passed`.
    """
    values = list(said)
    right = [
        values[n * CHOICES + test.correct] == test.outputs[test.correct]
        for n, test in enumerate(tests)
    ]
    return float(np.mean(right))


def _passed(test: UnitTest, values: Iterator[Any]) -> float:
    said = [next(values) for _ in test.inputs]
    if test.outputs:
        worth = [_likeness(s, y) for s, y in zip(said, test.outputs, strict=True)]
    else:
        worth = [s if isinstance(s, int | float) else -np.inf for s in said]
    best = [k for k, v in enumerate(worth) if v == max(worth)]
    return (test.correct in best) / len(best)


def _likeness(made: Any, given: str) -> float:
    if not isinstance(made, str):
        return 0.0
    return 1.0 if made == given else 0.999 * difflib.SequenceMatcher(None, made, given).ratio()


def drawn(neuron: Neuron, others: Sequence[Neuron], rng: np.random.Generator) -> list[UnitTest]:
    """Unit tests of a function of strings against executions of others that are none of its own.

    Args:
        neuron: Whose they are.
        others: At least two.
        rng: Draws inputs, others and places.
    """
    tests = []
    for _ in range(TESTS):
        two = rng.choice(len(others), CHOICES - 1, replace=False)
        pairs = [_execution(neuron, rng)]
        pairs += [_execution(others[int(k)], rng, neuron) for k in two]
        order = [int(k) for k in rng.permutation(CHOICES)]
        inputs, outputs = zip(*(pairs[k] for k in order), strict=True)
        tests.append(UnitTest(inputs, order.index(0), outputs))
    return tests


def _execution(
    neuron: Neuron, rng: np.random.Generator, unlike: Neuron | None = None
) -> tuple[str, str]:
    """An input with what the function gives; one where another gives otherwise, if it can be."""
    inputs, _ = neuron.draw(16, rng)
    outputs = neuron.truth(inputs)
    theirs = unlike.truth(inputs) if unlike is not None else [None] * len(inputs)
    rows = zip(inputs, outputs, theirs, strict=True)
    pairs = [(x, y) for x, y, z in rows if y is not None and y != z]
    return pairs[0] if pairs else (inputs[0], "")
