"""The search for hypotheses: pairs at a glance, then one phrase changed, added or left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubel.agent.planners.scenes.fit import Data, Fitted, Pairs, Short, fit, scan
from hubel.agent.planners.scenes.grammar import BASES, Hypothesis
from hubel.agent.planners.scenes.words import Floats, costs, usable

#: Hypotheses that are kept.
KEPT = 80
_SEEDS = 10  # of each base, from the table of pairs
_GROWN = 5  # best phrases of a scan that are fitted
_EXPANDED = 3  # hypotheses expanded in a step
_STEPS = 5
_PAIRED = 4  # best pairs of each base that are put beside the rest
_REST = 2


class Beam:
    """The best hypotheses about the answers so far."""

    def __init__(self) -> None:
        self.best: list[Fitted] = []
        self._expanded: set[Hypothesis] = set()
        self._widened: set[frozenset[int]] = set()
        self._fitted: dict[Hypothesis, Fitted] = {}

    def update(self, data: Data, *, search: bool) -> None:
        """Weigh what is kept by new answers, and search for better ones.

        Args:
            data: All answers.
            search: Whether to look for new hypotheses; otherwise what is kept is weighed again.
        """
        kept = [f.hypothesis for f in self.best]
        self._fitted, self._expanded, self._widened = {}, set(), set()
        self._add(kept, data)
        if search:
            pairs = Pairs(data)
            self._add(_seeds(data, pairs), data)
            for _ in range(_STEPS):
                self._widen(data, pairs)
                before = self._order()[0].score
                self._step(data)
                if self._order()[0].score <= before + 1e-9:
                    break
        self.best = self._order()[:KEPT]

    def _order(self) -> list[Fitted]:
        return sorted(self._fitted.values(), key=lambda f: (-f.score, f.hypothesis.slots))

    def _widen(self, data: Data, pairs: Pairs) -> None:
        """Look at the best hypothesis in other ways, once for each set of phrases."""
        best = self._order()[0]
        phrases = frozenset(best.hypothesis.slots)
        if phrases not in self._widened:
            self._widened.add(phrases)
            self._add(_with_pairs(best, data, pairs), data)
            self._add(list(best.hypothesis.rearranged()), data)

    def _step(self, data: Data) -> None:
        left = [f for f in self._order() if f.hypothesis not in self._expanded][:_EXPANDED]
        for fitted in left:
            self._expanded.add(fitted.hypothesis)
            self._add(_around(fitted, data), data)

    def _add(self, hypotheses: list[Hypothesis], data: Data) -> None:
        for hypothesis in hypotheses:
            same = hypothesis.canonical()
            if same is not None and same not in self._fitted:
                self._fitted[same] = fit(same, data)


def _seeds(data: Data, pairs: Pairs) -> list[Hypothesis]:
    """What single phrases and pairs suggest."""
    one = scan(Hypothesis("one", "", (0,)), 0, data, data.worth)
    found = [Hypothesis("one", "", (n,)) for n in _best(one, data)[: 2 * _SEEDS]]
    for base, gain in pairs.explained(data).items():
        found += [Hypothesis(base, "", two) for two in _highest(gain, data, _SEEDS)]
    return found


def _with_pairs(fitted: Fitted, data: Data, pairs: Pairs) -> list[Hypothesis]:
    """Two phrases at once, in the place of each one of a hypothesis and beside all of them.

    What single phrases do not show, a conjunction may: pairs are looked for in what is left when
    the rest of the hypothesis is taken away.
    """
    found: list[Hypothesis] = []
    slots = fitted.hypothesis.slots
    rests = [slots[:n] + slots[n + 1 :] for n in range(len(slots))] + [slots]
    for rest in dict.fromkeys(r for r in rests if 0 < len(r) <= _REST):
        best = max((fit(h, data) for h in _simple(rest)), key=lambda f: f.score)
        left = replace(data, answers=data.answers - best.predict(data.bits))
        for base, gain in pairs.explained(left).items():
            for two in _highest(gain, left, _PAIRED):
                found.append(Hypothesis(base, "cue", (*two, rest[0])))
                if base == "and":
                    found.append(Hypothesis("and or", "", (*two, rest[0])))
                    if len(rest) == _REST:
                        found.append(Hypothesis("and or", "cue", (*two, *rest)))
                        found.append(Hypothesis("and or", "cue", (*two, *rest[::-1])))
                        found.append(Hypothesis("and or", "silent", (*two, *rest)))
    return found


def _simple(slots: tuple[int, ...]) -> list[Hypothesis]:
    """Hypotheses over one or two phrases."""
    if len(slots) == 1:
        return [Hypothesis("one", "", slots)]
    return [Hypothesis(name, "", slots) for name, base in BASES.items() if base.slots == 2]


def _highest(gain: Short, data: Data, count: int) -> list[tuple[int, int]]:
    """The pairs that explain most for what they cost."""
    said = costs()[usable()]
    worth = gain - 2 * data.sigma**2 * (said[:, None] + said[None, :])
    best = worth.max(axis=1)  # the best of so many phrases are among the best of all
    top = np.flatnonzero(worth >= np.partition(best, -count)[-count])
    order = sorted(top, key=lambda n: (-worth.flat[n], n))[:count]
    places = (divmod(int(n), gain.shape[1]) for n in order)
    return [(int(usable()[one]), int(usable()[other])) for one, other in places]


def _around(fitted: Fitted, data: Data) -> list[Hypothesis]:
    """One phrase changed, added or left out, or the same phrases joined in another way."""
    hypothesis = fitted.hypothesis
    found = list(hypothesis.nearby())
    spots = [(hypothesis, slot) for slot in range(len(hypothesis.slots))]
    for base, slot in (*spots, *hypothesis.grown()):
        squares = scan(base, slot, data, fitted.trust)
        found += [base.at(slot, n) for n in _best(squares, data)[:_GROWN]]
    return found


def _best(squares: Floats, data: Data) -> list[int]:
    """Phrases by the sum of squares that they leave and what they cost."""
    worth = squares / (2 * data.sigma**2) + costs()
    return [int(n) for n in np.argsort(worth, kind="stable")[: 2 * _SEEDS]]
