"""Choosing a short weighted list of phrases that predicts a unit: forward selection.

Additive lists of up to eight terms, each a phrase or a conjunction of two, fitted by weighted ridge
regression. How many terms is decided by cross-validation with the whole selection inside each fold,
so that the estimate is not flattered by it; crops of one photograph stay in one fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubel.agent.form import Form, Term
from hubel.agent.score import pearson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_TERMS = 8
FOLDS = 5
#: Ridge penalty, as a share of the weighted sum of squares of a standardised phrase.
RIDGE = 0.01
#: Phrases that may be joined in a conjunction: those that go best with the residual.
JOINABLE = 8
#: How much better a conjunction must go with the residual than a phrase alone (a correlation).
PLAINER = 0.05
#: Phrases outside the form that are kept as rival hypotheses.
RIVALS = 2
#: A further term must raise the cross-validated correlation by this much.
WORTH = 0.005


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted form and how well it predicts pictures that it was not fitted on.

    Attributes:
        validated: Cross-validated weighted correlation.
        rivals: Phrases outside the form as terms, those that explain most on their own first.
    """

    form: Form
    validated: float
    rivals: list[Term]


@dataclass(frozen=True, slots=True)
class Table:
    """A sample to fit: degrees of phrases, activations and what they stand for.

    Attributes:
        degrees: Of each phrase on each picture, [N] in [0, 1].
        measured: Activation, [N].
        weights: [N].
        groups: [N].
    """

    degrees: Mapping[str, NDArray[Any]]
    measured: NDArray[Any]
    weights: NDArray[Any]
    groups: Sequence[str]


def select(table: Table) -> Fit:
    """Choose terms for a table and say how well such a choice generalises."""
    import numpy as np

    everything = np.ones(len(table.measured), bool)
    path = _forward(table, everything)
    fold = _folds(table)
    predictions = np.zeros((len(path), len(table.measured)))
    for held in range(FOLDS):
        inside = fold != held
        for size, terms in enumerate(_forward(table, inside)[: len(path)]):
            form = refit(table, terms, inside)
            predictions[size:, ~inside] = form.predict(table.degrees, len(fold))[~inside]
    scores = [float(pearson(p, table.measured, table.weights[None])[0]) for p in predictions]
    best = 0
    for size in range(1, len(scores)):
        if scores[size] > scores[best] + WORTH:
            best = size
    terms = path[best] if path else []
    form = refit(table, terms, everything)
    return Fit(form, scores[best] if scores else 0.0, _rivals(table, form))


def refit(table: Table, terms: Iterable[Term], inside: NDArray[np.bool_] | None = None) -> Form:
    """Weights and intercept for given terms, by weighted ridge regression."""
    import numpy as np

    listed = list(terms)
    if inside is None:
        inside = np.ones(len(table.measured), bool)
    w = np.where(inside, table.weights, 0.0)
    w = w / w.sum()
    y = table.measured
    if not listed:
        return Form((), intercept=float(w @ y))
    x = np.stack([t.degree(table.degrees) for t in listed], axis=1)
    mean_x, mean_y = w @ x, float(w @ y)
    centred = x - mean_x
    gram = (centred * w[:, None]).T @ centred
    gram += np.diag(RIDGE * np.maximum(np.diag(gram), 1e-12))
    beta = np.linalg.solve(gram, (centred * w[:, None]).T @ (y - mean_y))
    fitted = [
        Term(float(f"{b:.6g}"), t.having, t.lacking) for b, t in zip(beta, listed, strict=True)
    ]
    return Form(tuple(fitted), intercept=float(f"{mean_y - mean_x @ beta:.6g}"))


def _forward(table: Table, inside: NDArray[np.bool_]) -> list[list[Term]]:
    """The chosen terms after one, two, ... steps of forward selection."""
    import numpy as np

    w = np.where(inside, table.weights, 0.0)
    phrases = sorted(table.degrees)
    chosen: list[Term] = []
    path: list[list[Term]] = []
    residual = table.measured - float(w @ table.measured) / w.sum()
    for _ in range(MAX_TERMS):
        single = [Term(1.0, (p,)) for p in phrases]
        ranked = sorted(
            zip(_association(single, residual, w, table), single, strict=True),
            key=lambda pair: -pair[0],
        )
        options = ranked[:JOINABLE]
        pairs = _conjunctions([t.having[0] for _, t in options])
        options += list(zip(_association(pairs, residual, w, table), pairs, strict=True))
        taken = {(t.having, t.lacking) for t in chosen}
        fresh = [(r, t) for r, t in options if (t.having, t.lacking) not in taken and r > 0]
        if not fresh:
            break
        # A conjunction must be clearly better than a phrase alone.
        _, best = max(fresh, key=lambda pair: pair[0] - PLAINER * (len(pair[1].phrases) - 1))
        chosen = [*chosen, best]
        form = refit(table, chosen, inside)
        residual = table.measured - form.predict(table.degrees, len(residual))
        path.append(list(form.terms))
    return path


def _association(
    terms: Sequence[Term], residual: NDArray[Any], w: NDArray[Any], table: Table
) -> list[float]:
    """Absolute weighted correlation of each term with the residual."""
    import numpy as np

    if not terms:
        return []
    x = np.stack([t.degree(table.degrees) for t in terms])
    w = w / w.sum()
    x = x - (x @ w)[:, None]
    y = residual - w @ residual
    spread = np.sqrt((x**2 @ w) * (w @ y**2))
    covariance = np.abs(x @ (w * y))
    # Rounding leaves constants a spread of about 1e-17: they go with nothing.
    varies = spread > 1e-9 * max(float(np.abs(residual).max()), 1e-30)
    return [float(c) for c in np.where(varies, covariance / np.where(varies, spread, 1.0), 0.0)]


def _conjunctions(phrases: Sequence[str]) -> list[Term]:
    both = [Term(1.0, (a, b)) for i, a in enumerate(phrases) for b in phrases[i + 1 :]]
    without = [Term(1.0, (a,), (b,)) for a in phrases for b in phrases if a != b]
    return both + without


def _folds(table: Table) -> NDArray[np.int64]:
    """Fold of each picture: groups, largest first, each to the lightest fold so far."""
    import numpy as np

    names, member, sizes = np.unique(
        np.asarray(table.groups), return_inverse=True, return_counts=True
    )
    load = np.zeros(FOLDS, int)
    fold_of = np.zeros(len(names), int)
    for group in np.argsort(-sizes, kind="stable"):
        lightest = int(np.argmin(load))
        fold_of[group] = lightest
        load[lightest] += sizes[group]
    return np.asarray(fold_of[member])


def _rivals(table: Table, form: Form) -> list[Term]:
    """Phrases outside the form, by their correlation with the activation."""
    others = [Term(1.0, (p,)) for p in sorted(table.degrees) if p not in form.phrases]
    strength = _association(others, table.measured, table.weights, table)
    ranked = sorted(zip(strength, others, strict=True), key=lambda pair: -pair[0])
    return [refit(table, [t]).terms[0] for r, t in ranked[:RIVALS] if r > 0]
