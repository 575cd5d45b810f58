"""Baselines: explanations that cost nothing, which every planner has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hubel.agent.form import Form, Term

#: Phrases that the one-shot baseline names.
NAMED = 3


def one_shot(concepts: Sequence[Mapping[str, float]]) -> Form:
    """The commonest concepts among the top exemplars, without any experiment.

    As MILAN-like describers do, it looks at the strongest pictures only, so it names what is
    common everywhere as readily as what drives the unit.

    Args:
        concepts: For each exemplar, its phrases and their degrees.

    Returns:
        The sum of the `NAMED` phrases that hold (degree at least one half) in most exemplars;
        ties go to the larger total degree, then to the alphabet.
    """
    count: Counter[str] = Counter()
    degree: Counter[str] = Counter()
    for one in concepts:
        count.update(p for p, d in one.items() if d >= 0.5)
        degree.update(one)
    ranked = sorted(count, key=lambda p: (-count[p], -degree[p], p))
    return Form(tuple(Term(1.0, (p,)) for p in ranked[:NAMED]))
