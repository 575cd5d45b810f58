"""Choosing a short weighted list of phrases that predicts a unit: forward selection.

Additive lists of up to eight terms, each a phrase or two joined by AND, AND NOT or OR, fitted by
weighted ridge regression. A step adds the phrase, or joins one to a term's, that leaves least
unexplained once all weights are fitted again (orthogonal least squares: Chen, Billings and Luo
1989). How well that generalises is told by cross-validation with the whole selection inside each
fold, so that the estimate is not flattered by it; crops of one photograph stay in one fold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubel.agent.form import Form, Term
from hubel.agent.planners.columns import RIDGE, Column, Columns, Table
from hubel.agent.score import pearson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_TERMS = 8
FOLDS = 5
#: How many times more than a phrase by itself one that is joined to another must explain.
PLAINER = 1.2
#: Phrases outside the form that are kept as rival hypotheses.
RIVALS = 2
#: Share of the variance that a step must explain.
WORTH = 0.005


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted form and how well it predicts pictures that it was not fitted on.

    Attributes:
        validated: Cross-validated weighted correlation.
        rivals: Phrases outside the form as terms beside it, those that would add most first.
    """

    form: Form
    validated: float
    rivals: list[Term]


def select(table: Table) -> Fit:
    """Choose terms for a table and say how well such a choice generalises."""
    import numpy as np

    everything = np.ones(len(table.measured), bool)
    if not table.degrees:
        return Fit(refit(table, []), 0.0, [])
    columns = Columns(table, everything)
    chosen = _choose(columns)
    form = refit(table, [c.term for c in chosen])
    fold = _folds(table)
    predicted = np.zeros(len(fold))
    for held in range(FOLDS):
        inside = fold != held
        fitted = refit(table, [c.term for c in _choose(Columns(table, inside))], inside)
        predicted[~inside] = fitted.predict(table.degrees, len(fold))[~inside]
    validated = float(pearson(predicted, table.measured, table.weights[None])[0])
    others = [c.term for c in columns.ranked(chosen) if c.term.having[0] not in form.phrases]
    rivals = [refit(table, [*form.terms, t]).terms[-1] for t in others[:RIVALS]]
    return Fit(form, validated if chosen else 0.0, [t for t in rivals if t.weight])


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


def _choose(columns: Columns) -> list[Column]:
    chosen: list[Column] = []
    explained = 0.0
    while True:
        steps: list[tuple[float, float, list[Column]]] = []
        if len(chosen) < MAX_TERMS:
            added = columns.best(chosen)
            gain = (added.explained - explained) * PLAINER
            steps.append((gain, added.explained, [*chosen, added]))
        for i, column in enumerate(chosen):
            if len(column.term.phrases) == 1:
                before, after = chosen[:i], chosen[i + 1 :]
                joined = columns.best([*before, *after], column.term.having[0])
                gain = joined.explained - explained
                steps.append((gain, joined.explained, [*before, joined, *after]))
        gain, explained, better = max(steps, key=lambda s: s[0], default=(0.0, 0.0, chosen))
        if gain < WORTH:
            return chosen
        chosen = better


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
