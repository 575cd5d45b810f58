"""FIND's neurons over words, read from a user's own copy, and their three-way unit tests.

Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating Interpretability
Methods" (arXiv 2309.03886). There a served language model answers: how related a word is to a
concept, or the second word of a relation for a first one. Here a `Judge` answers; a relation takes
pairs ``"first, second"`` and says how well they fit (`Relation`).

A unit test shows three words (or pairs) of which one is related; an explanation passes if it
prefers that one. Chance is .33. Its failure mode: the other two are drawn from other neurons, so a
vague explanation ("sports" for "golf") passes as well, and the truth itself does not always, since
it is the judge, not people, that says what is related: report the truth's own share beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hubel.evals.families.words.encoder import Encoder
from hubel.evals.families.words.judge import EncoderJudge, Judge
from hubel.evals.families.words.neurons import Rule, neuron
from hubel.evals.families.words.truth import Entity, Relation, split_pair
from hubel.evals.neuron import Neuron
from hubel.tools.data import DataError

#: Values for inputs: what an explanation expects, or what the truth answers.
Predict = Callable[[Sequence[str]], Sequence[float]]


def load_entities(folder: Path, encoder: Encoder, judge: Judge | None = None) -> list[Neuron]:
    """The neurons of ``entities.json``: two concepts are an OR, an exception does not count.

    Args:
        folder: Holds the file.
        encoder: Gives vocabulary and vectors.
        judge: Of relatedness; the encoder unless given.

    Raises:
        DataError: The file is missing or is not laid out so.
        ToolError: The encoder cannot be used.
    """
    return _load(folder / "entities.json", _entity, encoder, judge)


def load_relations(folder: Path, encoder: Encoder, judge: Judge | None = None) -> list[Neuron]:
    """The neurons of ``relations.json``; arguments and errors as of `load_entities`."""
    return _load(folder / "relations.json", _relation, encoder, judge)


def unit_tests(neuron: Neuron, predict: Predict) -> float:
    """The share of a neuron's unit tests in which the right one of three gets the largest value."""
    tests = (neuron.about or {})["unit_tests"]
    values = np.array(predict([x for test in tests for x in test["inputs"]])).reshape(-1, 3)
    right = np.array([test["correct"] for test in tests])
    return float(np.mean(values.argmax(axis=1) == right))


def _load(
    path: Path,
    rule_of: Callable[[dict[str, Any]], tuple[Rule, list[list[str]]]],
    encoder: Encoder,
    judge: Judge | None,
) -> list[Neuron]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        rules = [rule_of(entry) for entry in entries]
        correct = [[int(n) - 1 for n in entry["correct"]] for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"{path} is not laid out as FIND's neurons over words: {error!r}."
        ) from None
    encoder.of(sorted({text for rule, tests in rules for text in _texts(rule, tests)}))
    judge = judge or EncoderJudge(encoder)
    return [
        neuron(
            f"{path.stem}/{number}",
            rule,
            float("inf"),
            np.random.default_rng(number),
            encoder.lexicon(),
            judge,
            {
                "unit_tests": [
                    {"inputs": inputs, "correct": right}
                    for inputs, right in zip(tests, rights, strict=True)
                ]
            },
        )
        for number, ((rule, tests), rights) in enumerate(zip(rules, correct, strict=True))
    ]


def _entity(entry: dict[str, Any]) -> tuple[Rule, list[list[str]]]:
    concepts = tuple(c for c in (entry["concept1"], entry["concept2"]) if c)
    tests = [[word.strip() for word in test] for test in entry["unit_tests"]]
    return Entity(concepts, **_exception(entry, "without")), tests


def _relation(entry: dict[str, Any]) -> tuple[Rule, list[list[str]]]:
    rule = Relation(
        kind_of(entry["concept1"]), kind_of(entry["concept2"]), **_exception(entry, "unless")
    )
    tests = [
        [f"{one.replace(',', ' ').strip()}, {two.strip()}" for one, two in zip(*test, strict=True)]
        for test in entry["unit_tests"]
    ]
    return rule, tests


def _exception(entry: dict[str, Any], field: str) -> dict[str, str]:
    text = entry.get("exception") or entry.get("exeption")
    if not text:
        return {}
    begins = re.search(r"begins? with (?:the letter )?['\"]?(\w)\b", text)
    if begins:
        return {"begins": begins[1].lower()}
    return {field: re.sub(r"^the input (\w+ )?(is|was|are|lives|has) ?", r"\1", text).strip()}


def kind_of(text: str) -> str:
    """The kind of thing that a description of one word names: ``the capital of that country``."""
    head = re.split(
        r" (?:of|in|where|on|at|for|to) (?:which |the )?(?:that|its|their|this)\b", text
    )[0]
    head = re.sub(r", in \w+$", "", head)
    return re.sub(r"^(?:the|an?|another)\s+(?:most likely |main |typical )?", "", head)


def _texts(rule: Rule, tests: list[list[str]]) -> list[str]:
    inputs = [text for test in tests for text in test]
    if isinstance(rule, Relation):
        inputs = [side for pair in inputs for side in split_pair(pair)]
    return [*rule.texts, *inputs]
