"""What an explanation of a neuron over words is worth.

Its code is executed in a cell. There it finds ``related(text, words)``: the cosine, by the sentence
encoder, of a text to another one or to a weighted sum of texts (``{"sea": 0.7, "ship": 0.4}``).
Which texts code may speak of are the inputs (of pairs the two sides), and the texts that stand in
the code itself.
"""

from __future__ import annotations

import ast
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.explorer import Finding
from hubel.evals.asking import plain
from hubel.evals.families.words.encoder import Encoder, shared
from hubel.evals.neuron import Neuron
from hubel.evals.score import Scored, correlation, length_of, run
from hubel.evals.unit_tests import CHANCE, inputs_of, share_passed, tests_of
from hubel.sandbox.cells import CellSession

#: Held-out inputs, and how near to the truth is agreement; outputs lie between 0 and 1.
HELD_OUT, NEAR = 1000, 0.2
#: A word drives the neuron above this; code has to correlate so with the truth to be right.
DRIVES, AGREEING = 0.2, 0.8
#: Texts of one piece of code that ``related`` may be asked about, and their characters.
TEXTS, LONGEST = 4000, 100

_RELATED = """
import base64
import numpy as np
_rows = np.frombuffer(base64.b64decode(vectors), np.float32).reshape(len(texts), -1)
_place = {text: k for k, text in enumerate(texts)}
_known = {}
def _row(text):
    place = _place.get(text.strip().lower())
    if place is None:
        raise ValueError(f"related() knows a word, a side of a pair, a text in the code: {text!r}")
    return _rows[place]
def related(text, words):
    given = {words: 1.0} if isinstance(words, str) else words
    key = tuple(given.items())
    if key not in _known:
        mixed = sum(w * _row(t) for t, w in key)
        _known[key] = mixed / max(np.linalg.norm(mixed), 1e-12)
    return float(_row(text) @ _known[key])
space = {"related": related}
"""


@dataclass(frozen=True)
class Named:
    """What an explanation names, for comparison with the truth.

    Attributes:
        concepts: Names of each side: one side for words, two for pairs.
        unless: Names of what is taken out.
        begins: The letter with which exceptions begin; empty without.
    """

    concepts: tuple[tuple[str, ...], ...] = ()
    unless: tuple[str, ...] = ()
    begins: str = ""

    @classmethod
    def of(cls, about: Any) -> Named:
        """What `Finding.about` says; nothing if it is not laid out so.

        ``{"concepts": [{"name": ...}], "unless": [{"name": ...}], "begins": ""}``, and for pairs
        ``{"first": {...}, "second": {...}}`` with one such object each.
        """
        try:
            sides = [about["first"], about["second"]] if "first" in about else [about]
            concepts = tuple(tuple(str(c["name"]) for c in s["concepts"]) for s in sides)
            unless = tuple(str(c["name"]) for c in sides[0].get("unless", ()))
            return cls(concepts, unless, str(sides[0].get("begins", "")))
        except (KeyError, TypeError, AttributeError):
            return cls()


def score(
    neuron: Neuron,
    finding: Finding | None,
    cells: CellSession,
    seed: int,
    encoder: Encoder | None = None,
) -> Scored:
    """Execute an explanation in a cell and compare it with the truth.

    Args:
        neuron: What it explains.
        finding: The explanation; what it names is in `Finding.about`, see `Named.of`.
        cells: Where code runs.
        seed: Of the held-out inputs.
        encoder: Says how related texts are; that of this process unless given.
    """
    encoder = encoder or shared()
    code = finding.code if finding is not None else None
    inputs, strata = neuron.draw(HELD_OUT, np.random.default_rng([seed, 0x5C0]))
    truth = [plain(y) for y in neuron.truth(inputs)]
    tests = tests_of(neuron)
    asked = [*inputs, *inputs_of(tests)]
    # What drives the neuron was looked for, among the tests too: together they name the concept.
    made = [y > DRIVES for y in _numbers(truth)] + [True] * (len(asked) - len(inputs))
    said, why = _executed(cells, code, asked, made, encoder)
    near = np.abs(_numbers(said[: len(inputs)]) - _numbers(truth)) <= NEAR
    near &= np.array([s is not None for s in said[: len(inputs)]])
    named, others, excepted = named_right(neuron, finding, encoder)
    fits = _correlated(said[: len(inputs)], truth)
    found = bool(named) and all(named) and not others and excepted and fits >= AGREEING
    return Scored(
        claimed=code is not None,
        recovered=neuron.real and code is not None and found,
        agreement={
            name: float(near[np.array(strata) == name].mean()) for name in sorted(set(strata))
        },
        correlation=fits,
        ceiling=_correlated([plain(y) for y in neuron.function(inputs)], truth),
        nmse=None,
        truth_nmse=None,
        overlap=None,
        length=length_of(code),
        why=why,
        unit_test=_passed(said[len(inputs) :], tests, code is not None),
        named=float(np.mean(named)) if named else None,
        parts=all(named) if len(named) > 1 else None,
    )


def named_right(
    neuron: Neuron, finding: Finding | None, encoder: Encoder
) -> tuple[list[bool], int, bool]:
    """Whether the names are the right ones.

    A name counts as the concept of the neuron's pool that is nearest to it, by the encoder. Its
    failure mode: a pool of few or unlike concepts makes this easy, so its size is to be stated.

    Returns:
        For each true concept whether it is named; how many other concepts are named; whether the
        exception is named, or there is none and none is named.
    """
    about = neuron.about or {}
    concepts, pool = list(about.get("concepts", ())), list(about.get("pool", ()))
    if not concepts:
        return [], 0, True
    said = Named.of(finding.about) if finding is not None and finding.code else Named()
    sides = [_nearest(names, pool, encoder) for names in said.concepts]
    true = [[c] for c in concepts] if neuron.domain == "pairs" else [concepts]
    sides += [[]] * (len(true) - len(sides))
    named = [c in side for side, cs in zip(sides, true, strict=False) for c in cs]
    others = sum(c not in cs for side, cs in zip(sides, true, strict=False) for c in side)
    taken = [about["without"]] if about.get("without") else []
    excepted = sorted(set(_nearest(said.unless, pool, encoder))) == taken
    return named, others, excepted and said.begins == (about.get("begins") or "")


def _nearest(names: Sequence[str], pool: Sequence[str], encoder: Encoder) -> list[str]:
    if not names:
        return []
    return [pool[int(k)] for k in (encoder.of(names) @ encoder.of(pool).T).argmax(axis=1)]


def _executed(
    cells: CellSession,
    code: str | None,
    inputs: list[str],
    made: list[bool],
    encoder: Encoder,
) -> tuple[list[Any], str]:
    """What code says of inputs, and why it could not be run if it could not.

    Inputs that come several times are run once: held-out words are drawn with replacement.
    """
    constants = _texts_in(code or "")
    once: dict[str, bool] = {}
    for text, chosen in zip(inputs, made, strict=True):
        once[text] = once.get(text, False) or chosen
    if code:
        encoder.of(_spoken_of(inputs, constants))  # at once: below they are known

    def related(few: list[Any]) -> dict[str, Any]:
        texts = _spoken_of(few, constants)
        vectors = base64.b64encode(encoder.of(texts).tobytes()).decode()
        return {"texts": texts, "vectors": vectors}

    answers, why = run(cells, code, list(once), list(once.values()), _RELATED, related)
    said = dict(zip(once, answers, strict=True))
    return [said[text] for text in inputs], why


def _spoken_of(inputs: Sequence[str], constants: Sequence[str]) -> list[str]:
    """What code may ask `related` about: a word, each side of a pair, a text of its own."""
    sides = [side for text in (*inputs, *constants) for side in text.split(",", 1)]
    return sorted({text.strip().lower() for text in (*sides, *constants)})


def _texts_in(code: str) -> list[str]:
    """The texts that stand in code; none if it is no Python, which running it will say."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [t for t in dict.fromkeys(texts) if len(t) <= LONGEST][:TEXTS]


def _passed(said: Sequence[Any], tests: Sequence[Any], claimed: bool) -> float | None:
    if not tests:
        return None
    return share_passed(tests, said) if claimed else CHANCE


def _numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    """As numbers; what is missing counts as 0."""
    return np.array([float(v) if isinstance(v, int | float) else 0.0 for v in values])


def _correlated(said: Sequence[Any], truth: Sequence[Any]) -> float:
    return correlation(_numbers(said).tolist(), _numbers(truth).tolist())
