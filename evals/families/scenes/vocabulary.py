"""Which atoms make a phrase: the written rule of each concept channel. Evaluator's side only."""

from __future__ import annotations

import torch
from torch import Tensor

from hubel.evals.families.scenes import labels as table
from hubel.evals.families.scenes.evidence import COUNTS, PLACES, slices
from hubel.tools.imagery.graph import COLOURS, GROUNDS, SIZES, TEXTURES
from hubel.tools.imagery.truth import Phrase, places


def wire(phrases: list[Phrase]) -> tuple[Tensor, Tensor]:
    """The layer that turns atoms into evidence for phrases.

    Each is a threshold unit: all of what a phrase needs of one part of a scene, at one cell.

    Returns:
        Weights [phrases, atoms], 0 or 1, and biases [phrases].
    """
    atoms = slices(table.classes())
    weights = torch.zeros(len(phrases), max(s.stop for s in atoms.values()))
    biases = torch.zeros(len(phrases))
    for row, phrase in enumerate(phrases):
        for attribute, values in phrase.needs:
            group, members = _members(phrase, attribute, values)
            weights[row, [atoms[group].start + m for m in members]] = 1
            biases[row] -= 1
        biases[row] = min(0.0, float(biases[row]) + 1)
        if not phrase.needs:  # text of any colour
            weights[row, atoms["text"]] = 1
    return weights, biases


def _members(phrase: Phrase, attribute: str, values: frozenset[str]) -> tuple[str, list[int]]:
    """A group of atoms and those of its members that fulfil one need."""
    if attribute == "position":
        return "place", [n for n, place in enumerate(PLACES) if places()[place] == values]
    if attribute == "count":
        return "count", [n for n, count in enumerate(COUNTS) if count[0] in values]
    names = {
        ("thing", "shape"): ("shape", table.shapes()),
        ("thing", "colour"): ("colour", COLOURS),
        ("thing", "texture"): ("texture", TEXTURES),
        ("thing", "size"): ("size", tuple(SIZES)),
        ("background", "kind"): ("kind", GROUNDS),
        ("background", "colour"): ("ground", COLOURS),
        ("text", "colour"): ("ink", COLOURS),
    }
    group, known = names[phrase.part, attribute]
    return group, [n for n, name in enumerate(known) if name in values]
