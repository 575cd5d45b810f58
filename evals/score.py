"""What an explanation in code is worth: it is executed, and compared with the truth.

Each score has a way to be fooled, which is said beside it; none is reported alone.
"""

from __future__ import annotations

import ast
import itertools
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.agent.planners.explorer import Finding
from hubel.evals.asking import plain
from hubel.evals.neuron import Neuron
from hubel.evals.unit_tests import CHANCE, inputs_of, reproduced, share_passed, tests_of
from hubel.sandbox.cells import CellLost, CellSession

#: Fresh inputs on which an explanation is compared with the truth, and the share that must agree.
HELD_OUT, AGREEING = 2000, 0.99
#: Overlap with the true exceptions above which they count as found.
OVERLAPPING = 0.9
#: Two numbers agree within this share of the truth's size and of its middle half's range.
RELATIVE, OF_RANGE = 0.01, 0.05

#: Inputs that one process of the code sees at most, and seconds for all of them.
HANDFUL, PATIENCE = 8, 300.0
#: Characters that code for numbers may have, without comments, to count as a law: three times those
#: of the truth, and so many in any case. What is longer may be a table of what was seen.
SHORT = 600

#: Runs before the explanation and takes away what would carry state from one process to the next:
#: times of folders, files, numbers of processes. Without Landlock, a file costs the code its box.
_ALONE = """
def _alone():
    import os, resource
    from hubel.sandbox import landlock
    for place in {os.getcwd(), os.environ["TMPDIR"], "/dev/shm"}:
        try:
            os.utime(place, ns=(0, 0))
        except OSError:
            pass
    if landlock.abi():
        landlock.restrict(["/"], [])
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
_alone()
"""
_RUN = """
import math
exec(compile(source, "<explanation>", "exec"), space)
def one(x):
    try:
        y = space["f"](x)
    except Exception:
        return None
    if isinstance(y, str):
        return y
    try:
        y = float(y)
    except (TypeError, ValueError, OverflowError):
        return None
    return y if math.isfinite(y) else None
result = [one(x) for x in inputs]
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of one explanation.

    Attributes:
        claimed: A meaning was claimed.
        recovered: It agrees with the noise-free truth on `AGREEING` of fresh inputs, drawn as the
            neuron's inputs are, exceptions apart; those it must agree with too, or name with an
            overlap of `OVERLAPPING`. Where a network stands in for a law, agreeing with the law
            counts as well. Code for numbers that is longer than `SHORT`, and than three times the
            truth, is a table. Fooled by a coarse table of a smooth law, so length is reported.
        agreement: Share of fresh inputs on which it agrees, by stratum.
        correlation: Pearson correlation with the truth over the whole range; 0 for a constant; None
            for texts. Fooled by a few huge values, so agreement stands beside it.
        ceiling: That of one draw of the neuron itself: 1 without noise.
        nmse: FIND's own: sum of squared differences over the sum of squares, at -127.5 to 127.5 in
            steps of 1; it passes below 0.1. Fooled by a constant where the range is narrow, and by
            an answer that ignores an exception; under noise the truth itself may fail.
        truth_nmse: That of the truth, under the same draw of the noise.
        overlap: Intersection over union of the claimed and the true exceptions; None without any.
        false_exception: Whether one is claimed of a neuron of numbers that has none; None where it
            has some.
        length: Characters of the code, without comments.
        why: Why the code could not be run; empty if it could.
        unit_test: Share of FIND's three-way unit tests passed; chance is .33. None where there are
            none. Fooled by an explanation that is merely vague: see `hubel.evals.unit_tests`.
        indicator: FIND's string indicator: the share of the real executions in the unit tests that
            are reproduced exactly; None where there are none.
        named: Share of the true concepts that are named; None where there are none.
        parts: Whether all of several concepts are named; None where there is one, or none.
        precision: Share of what is named that is a true concept; None where nothing is named.
    """

    claimed: bool
    recovered: bool
    agreement: dict[str, float]
    correlation: float | None
    ceiling: float | None
    nmse: float | None
    truth_nmse: float | None
    overlap: float | None
    length: int
    why: str
    unit_test: float | None = None
    indicator: float | None = None
    named: float | None = None
    parts: bool | None = None
    precision: float | None = None
    false_exception: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """For the ledger."""
        return asdict(self)


def score(neuron: Neuron, finding: Finding | None, cells: CellSession, seed: int) -> Scored:
    """Execute an explanation in a cell and compare it with the truth.

    Args:
        neuron: What it explains.
        finding: The explanation; None, or one without code, claims nothing.
        cells: Where code runs.
        seed: Of the held-out inputs.
    """
    if neuron.domain in ("words", "pairs"):
        from hubel.evals.families.words.score import score as score_words

        return score_words(neuron, finding, cells, seed)
    if neuron.domain == "scenes":
        from hubel.evals.families.scenes.score import score as score_scenes

        return score_scenes(neuron, finding, cells, seed)
    numeric = neuron.domain == "numbers"
    code = finding.code if finding is not None else None
    inputs, strata = neuron.draw(HELD_OUT, np.random.default_rng([seed, 0x5C0]))
    truth = [plain(y) for y in neuron.truth(inputs)]
    grid = [x - 127.5 for x in range(256)] if numeric else []
    tests = tests_of(neuron)
    asked = [*inputs, *grid, *inputs_of(tests)]
    made = [s != "global" for s in strata] + [False] * (len(asked) - len(strata))
    said, why = run(cells, code, asked, made)
    of_tests = said[len(inputs) + len(grid) :]
    said = said[: len(inputs) + len(grid)]
    agree = _agree(said[: len(inputs)], truth, numeric=numeric)
    by = {
        name: float(np.mean([a for a, s in zip(agree, strata, strict=True) if s == name]))
        for name in sorted(set(strata))
    }
    seen = [plain(y) for y in neuron.function(inputs)] if numeric else []
    overlap = _overlap(finding, neuron)
    recovered = _recovered(neuron, inputs, strata, agree, overlap)
    if not recovered and neuron.complexity == "approximated":
        law, _ = run(cells, neuron.code, inputs, made[: len(inputs)])
        agree_with_law = _agree(said[: len(inputs)], law, numeric=numeric)
        recovered = _recovered(neuron, inputs, strata, agree_with_law, overlap)
    real_grid = [plain(y) for y in neuron.function(grid)]
    length = length_of(code)
    if numeric:
        recovered = recovered and length <= max(SHORT, 3 * length_of(neuron.code))
    return Scored(
        claimed=code is not None,
        recovered=code is not None and neuron.real and recovered,
        agreement=by,
        correlation=correlation(said[: len(inputs)], truth) if numeric else None,
        ceiling=correlation(seen, truth) if numeric else None,
        nmse=nmse(said[len(inputs) :], real_grid) if numeric else None,
        truth_nmse=nmse([plain(y) for y in neuron.truth(grid)], real_grid) if numeric else None,
        overlap=overlap,
        length=length,
        why=why,
        false_exception=bool(finding and finding.exceptions)
        if numeric and not neuron.exceptions
        else None,
        unit_test=(share_passed(tests, of_tests) if code else CHANCE) if tests else None,
        indicator=reproduced(tests, of_tests) if tests else None,
    )


def length_of(code: str | None) -> int:
    """Characters of code without comments and descriptions; as it stands if it is no Python."""
    try:
        tree = ast.parse(code or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return len(code or "")
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_description(one)] or body  # type: ignore[attr-defined]
    return len(ast.unparse(tree))


def _is_description(node: ast.AST) -> bool:
    constant = node.value if isinstance(node, ast.Expr) else None
    return isinstance(constant, ast.Constant) and isinstance(constant.value, str)


def _recovered(
    neuron: Neuron,
    inputs: Sequence[Any],
    strata: Sequence[str],
    agree: Sequence[bool],
    overlap: float | None,
) -> bool:
    """Whether the law was found, and where it does not hold."""
    rows = [(x, a) for x, s, a in zip(inputs, strata, agree, strict=True) if s == "global"]
    if not neuron.exceptions:
        return _enough([a for _, a in rows])
    inside = [any(low <= x <= high for low, high in neuron.exceptions) for x, _ in rows]
    law = [a for (_, a), where in zip(rows, inside, strict=True) if not where]
    rest = [a for (_, a), where in zip(rows, inside, strict=True) if where]
    named = overlap is not None and overlap >= OVERLAPPING
    return _enough(law) and (named or _enough(rest))


def _enough(agree: Sequence[bool]) -> bool:
    return bool(agree) and float(np.mean(agree)) >= AGREEING


def nmse(said: Sequence[Any], seen: Sequence[Any]) -> float:
    """FIND's normalised error (Schwettmann et al. 2023); a missing answer counts as 0."""
    pairs = [(p if isinstance(p, float) else 0.0, s) for p, s in zip(said, seen, strict=True)]
    pairs = [(p, s) for p, s in pairs if isinstance(s, float)]
    total = sum(s * s for _, s in pairs)
    off = sum((p - s) ** 2 for p, s in pairs)
    if total == 0:
        return 0.0 if off == 0 else math.inf
    return float(min(off / total, 1e9))


def run(
    cells: CellSession,
    code: str | None,
    inputs: list[Any],
    made: Sequence[bool] = (),
    space: str = "space = {}",
    names: Callable[[list[Any]], dict[str, Any]] = lambda _: {},
) -> tuple[list[Any], str]:
    """What code says of inputs, and why it could not be run if it could not.

    Held-out inputs tell the truth where they are many: those made for a rule hold its phrases more
    often. So a process of the code gets `HANDFUL` of them at most, one that was made for the neuron
    at most, in no order, and no file, folder or process that outlives it. (When it ends it can time
    itself, and so tell the next one a few bits.)

    Args:
        cells: Where it runs.
        code: Defines ``f``; None says nothing.
        inputs: Of ``f``.
        made: Whether each input was chosen because of what the neuron is; none by default.
        space: A script that sets `space`, the names that code finds.
        names: What that script finds, for the inputs of one process.
    """
    nothing: list[Any] = [None] * len(inputs)
    if code is None:
        return nothing, ""
    said, begun = list(nothing), time.monotonic()
    for places in _handfuls(len(inputs), made, random.Random(json.dumps(inputs))):
        few = [inputs[k] for k in places]
        given = {"source": code, "inputs": few} | names(few)
        try:
            ran = cells.run(_ALONE + space + _RUN, names=given)
        except CellLost as error:
            return nothing, str(error)
        if ran.status != "done" or not isinstance(ran.value, list) or len(ran.value) != len(few):
            return nothing, ran.why or "it gave no list of answers"
        if time.monotonic() > begun + PATIENCE:
            return nothing, f"it took longer than {PATIENCE:g} seconds for all inputs"
        for k, y in zip(places, ran.value, strict=True):
            said[k] = y
    return said, ""


def _handfuls(n: int, made: Sequence[bool], rng: random.Random) -> list[list[int]]:
    """Inputs by process: what was made for the neuron is in as many as there is of it."""
    order = list(range(n))
    rng.shuffle(order)
    order.sort(key=lambda k: not (made and made[k]))
    count = max(sum(made), -(-n // HANDFUL))
    held = [order[first::count] for first in range(count)]
    for places in held:
        rng.shuffle(places)
    rng.shuffle(held)
    return held


def _agree(said: Sequence[Any], truth: Sequence[Any], *, numeric: bool) -> list[bool]:
    """Where two lists of outputs agree; where both are undefined they do."""
    if not numeric:
        return [s == t for s, t in zip(said, truth, strict=True)]
    known = [t for t in truth if isinstance(t, float)]
    low, high = np.quantile(known, [0.25, 0.75]) if known else (0.0, 0.0)
    room = OF_RANGE * float(high - low) + 1e-9
    return [
        (s is None and t is None)
        or (
            isinstance(s, int | float)
            and isinstance(t, float)
            and abs(s - t) <= RELATIVE * abs(t) + room
        )
        for s, t in zip(said, truth, strict=True)
    ]


def correlation(said: Sequence[Any], truth: Sequence[Any]) -> float:
    """Pearson correlation where both are numbers; 0 for a constant."""
    pairs = [
        (float(s), t)
        for s, t in zip(said, truth, strict=True)
        if isinstance(s, int | float) and isinstance(t, float)
    ]
    if len(pairs) < 3:
        return 0.0
    a, b = np.array(pairs).T
    if not (_varies(a) and _varies(b)):
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        r = float(np.corrcoef(a, b)[0, 1])
    return r if math.isfinite(r) else 0.0


def _varies(values: NDArray[Any]) -> bool:
    return bool(np.ptp(values) > 1e-12 * (np.abs(values).max() + 1e-300))


def _overlap(finding: Finding | None, neuron: Neuron) -> float | None:
    """Intersection over union of two sets of intervals."""
    claimed = finding.exceptions if finding is not None else ()
    if not neuron.exceptions:
        return None
    ends = sorted({end for pair in (*claimed, *neuron.exceptions) for end in pair})
    both = either = 0.0
    for low, high in itertools.pairwise(ends):
        middle = (low + high) / 2
        inside = [any(a <= middle <= b for a, b in many) for many in (claimed, neuron.exceptions)]
        both += (high - low) * all(inside)
        either += (high - low) * any(inside)
    return both / either if either else 0.0
