"""FIND's neurons over words, read from a user's own copy, and their three-way unit tests.

Schwettmann et al. 2023, "FIND: A Function Description Benchmark for Evaluating Interpretability
Methods" (arXiv 2309.03886). There a served language model answers: how related a word is to a
concept, or the second word of a relation for a first one. Here a `Judge` answers; a relation takes
pairs ``"first, second"`` and says how well they fit (`Relation`).

Of the unit tests (`hubel.evals.unit_tests`) the truth itself does not pass all, since it is the
judge, not people, that says what is related: report the truth's own share beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hubel.evals.families.find_layout import not_laid_out, rows_of
from hubel.evals.families.words.encoder import Encoder
from hubel.evals.families.words.judge import EncoderJudge, Judge
from hubel.evals.families.words.neurons import Rule, neuron
from hubel.evals.families.words.truth import UNDEFINED, Entity, Relation, split_pair
from hubel.evals.neuron import Neuron
from hubel.evals.unit_tests import UnitTest


def load_entities(
    folder: Path, encoder: Encoder, judge: Judge | None = None, place: int | None = None
) -> list[Neuron]:
    """The neurons of FIND's entities: two concepts are an OR, an exception does not count.

    Args:
        folder: FIND's files.
        encoder: Gives vocabulary and vectors.
        judge: Of relatedness; the encoder unless given.
        place: Make the neuron at this place only, from 0.

    Raises:
        DataError: The file is missing or is not laid out so.
        ToolError: The encoder cannot be used.
    """
    return _load(folder, "entities", _entity, encoder, judge, place)


def load_relations(
    folder: Path, encoder: Encoder, judge: Judge | None = None, place: int | None = None
) -> list[Neuron]:
    """The neurons of FIND's relations; arguments and errors as of `load_entities`."""
    return _load(folder, "relations", _relation, encoder, judge, place)


def _load(
    folder: Path,
    kind: str,
    rule_of: Callable[[dict[str, Any]], tuple[Rule, list[list[str]]]],
    encoder: Encoder,
    judge: Judge | None,
    place: int | None,
) -> list[Neuron]:
    path, entries = rows_of(folder, kind)
    try:
        rules = [rule_of(entry) for entry in entries]
        correct = [[int(n) - 1 for n in entry["correct"]] for entry in entries]
        tests = [
            [UnitTest(tuple(i), right) for i, right in zip(inputs, rights, strict=True)]
            for (_, inputs), rights in zip(rules, correct, strict=True)
        ]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise not_laid_out(path, error) from None
    encoder.of(sorted({text for rule, inputs in rules for text in _texts(rule, inputs)}))
    judge = judge or EncoderJudge(encoder)
    pool = sorted({text for rule, _ in rules for text in rule.texts} - {UNDEFINED})
    return [
        neuron(
            f"find-{kind}/{number}",
            rule,
            float("inf"),
            np.random.default_rng(number),
            encoder.lexicon(),
            judge,
            {"unit_tests": test, "pool": pool},
        )
        for number, ((rule, _), test) in enumerate(zip(rules, tests, strict=True))
        if place is None or number == place
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
