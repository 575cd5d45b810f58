"""The explorer of numbers: asks, fits, asks where the fit is loose, and says what it found.

Repeated questions come first, since what differs between two answers to one question is noise. Then
a search over forms; the rest of the questions go to the borders of what the best form explains, to
its jumps, and to the widest gaps, where its predictions are put to the test.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.agent.planners.numbers import ask
from hubel.agent.planners.numbers.ask import REACH, Interval, Record
from hubel.agent.planners.numbers.data import Data, runs
from hubel.agent.planners.numbers.outside import predictable, straight
from hubel.agent.planners.numbers.pieces import leaping, sharp
from hubel.agent.planners.numbers.posterior import posterior
from hubel.agent.planners.numbers.refine import refreshed
from hubel.agent.planners.numbers.scan import Fit
from hubel.agent.planners.numbers.search import (
    JUMPS,
    complete,
    contents,
    excepting,
    plainer,
    search,
)
from hubel.agent.planners.numbers.verdict import State, verdict

#: Questions of which an answer is asked for at a time.
BATCH = 9
#: Searches from the start, since each takes a second or more.
SEARCHES = 3
#: Stretches that a law may leave unexplained; where they are more, it is another law.
STRETCHES = 3
#: Times that the brackets of jumps are halved before a law is known.
LEAPS = 6
#: Under noise: inputs that may be asked about, and parts of the budget that are asked at a time.
CANDIDATES, ROUNDS = 193, (0.14, 0.1, 0.1, 0.1)

Ask = Generator[list[Any], list[Any], None]


@dataclass
class _Study:
    """One function under study."""

    budget: int
    seed: int
    rng: np.random.Generator
    record: Record = field(default_factory=Record)
    sigma: float = 0.0
    noisy: Interval | None = None
    fits: list[Fit] = field(default_factory=list)
    searches: int = 0
    tested: int = 0
    missed: int = 0

    @property
    def left(self) -> int:
        return self.budget - len(self.record.x)

    def ask(self, inputs: list[float]) -> Ask:
        """Ask as many as the budget allows."""
        inputs = inputs[: max(self.left, 0)]
        if inputs:
            self.record.add(inputs, (yield inputs))

    def data(self) -> Data:
        return self.record.data(self.sigma, self.noisy)


def explore(budget: int = 200, seed: int = 0) -> Explorer:
    """Explain a function of one number between -128 and 128.

    Args:
        budget: Questions at most.
        seed: Draws the design and the starts of the searches.

    Yields:
        Batches of inputs; is sent their outputs, None where undefined.

    Returns:
        What was found.
    """
    study = _Study(budget, seed, np.random.default_rng(seed))
    yield from study.ask(ask.first(max(8, int(0.45 * budget)), study.rng))
    yield from _measure_noise(study)
    if len(study.data().x) >= 4:
        _search(study, deep=False)
        yield from _under_noise(study) if study.sigma > 0 else _tighten(study)
    return _finish(study)


def _measure_noise(study: _Study) -> Ask:
    """Ask some questions again: everywhere the same, everywhere different, or here and there."""
    yield from study.ask(ask.spread(study.record, max(2, study.budget // 16), study.rng))
    x, difference = study.record.pairs()
    differs = difference != 0
    if not differs.any():
        return
    # Noise of whole numbers gives the same answer twice now and then, but not stretch by stretch.
    if differs.mean() > 0.9 or (differs.mean() > 0.4 and runs(differs) > 1):
        yield from study.ask(ask.spread(study.record, max(2, study.budget // 16), study.rng))
        study.sigma = study.record.noise()
        return
    yield from _bound_noise(study, x, differs)


def _bound_noise(study: _Study, x: Any, differs: Any) -> Ask:
    """Find the ends of a noisy stretch by asking twice ever closer to them."""
    low, high = _stretch(x, differs)
    ends: list[float] = []
    for quiet, loud in ((low[0], low[1]), (high[1], high[0])):
        for _ in range(7):
            if abs(quiet - loud) < 1 or abs(loud) == REACH:
                break
            middle = (quiet + loud) / 2
            yield from study.ask([middle, middle])
            answers = [
                b for a, b in zip(study.record.x, study.record.y, strict=True) if a == middle
            ]
            if len(set(answers)) > 1:
                loud = middle
            else:
                quiet = middle
        ends.append(loud)
    # A unit that fires at random moments is noisy at points, not over a stretch.
    inside = [d for a, d in zip(x, differs, strict=True) if ends[0] <= a <= ends[1]]
    if ends[1] - ends[0] > 4 and np.mean(inside) > 0.8:
        study.noisy = (ends[0], ends[1])


def _stretch(x: Any, differs: Any) -> tuple[Interval, Interval]:
    """Brackets (quiet, loud) of the lower and (loud, quiet) of the upper end."""
    loud = np.flatnonzero(differs)
    first, last = int(loud[0]), int(loud[-1])
    low = (float(x[first - 1]), float(x[first])) if first else (-REACH, -REACH)
    high = (float(x[last]), float(x[last + 1])) if last + 1 < len(x) else (REACH, REACH)
    return low, high


def _search(study: _Study, deep: bool) -> None:
    study.searches += 1
    data = study.data()
    found = search(data, study.seed + study.searches, deep)
    late = not deep and study.searches > 1
    if late and study.sigma == 0 and not complete(found[0], data) and sharp(data).any():
        found += excepting(data, study.seed + study.searches)
    study.fits = sorted([*refreshed(study.fits, data), *found], key=lambda fit: fit.cost)


def _leap(study: _Study) -> Ask:
    """Close in on the largest jumps, whatever the law: an exception lies between two of them."""
    data, best = study.data(), study.fits[0]
    if complete(best, data) or _bracketing(best, data):
        return
    for _ in range(LEAPS):
        yield from study.ask(leaping(study.data(), JUMPS))
    study.fits = refreshed(study.fits, study.data())


def _under_noise(study: _Study) -> Ask:
    """Ask where the laws that are left differ, and in between, lest the law be none of them."""
    grid = ask.grid(CANDIDATES, study.rng)
    for part in ROUNDS:
        count = max(1, int(part * study.budget))
        possible = posterior(study.fits, study.data(), grid, study.rng)
        between = ask.gaps(study.record, count // 3, study.rng)
        yield from study.ask([*between, *possible.loose(count - len(between))])
        study.sigma = study.record.noise()
        data = study.data()
        if part == ROUNDS[0]:
            _search(study, deep=True)
        study.fits = refreshed(study.fits, data)
    _search(study, deep=False)


def _tighten(study: _Study) -> Ask:
    """Ask where the best fit is loose, until nothing is, or nothing is left to ask."""
    yield from _leap(study)
    while study.left > 0:
        data, best = study.data(), study.fits[0]
        if not complete(best, data) and study.searches < SEARCHES and not _bracketing(best, data):
            late = study.left < study.budget // 6
            if late:
                yield from _leap(study)
            if late or (study.searches == 1 and _promising(study, data)):
                _search(study, deep=not late)
                data, best = study.data(), study.fits[0]
        wanted = ask.jumps(best, data, BATCH // 2 if ask.widest(study.record) > 4 else BATCH - 3)
        if best.exact(data):
            wanted += ask.borders(best.inside, data, BATCH // 2)
        fresh = ask.gaps(study.record, BATCH - min(len(wanted), BATCH - 3), study.rng)
        if not wanted and complete(best, data) and ask.widest(study.record) < 480 / study.budget:
            return
        yield from study.ask([*wanted, *fresh])
        _test(study, best, fresh)
        study.fits = refreshed(study.fits, study.data())
    return


def _promising(study: _Study, data: Data) -> bool:
    """Is a composed form worth its search? Not where nothing is lawful, nor in a network.

    A network of rectified units is a straight line from close by, wherever one looks.
    """
    if predictable(data, study.rng) < 0.1 and not study.fits[0].exact(data):
        around = np.abs(np.subtract.outer(data.x, data.x))
        near = np.abs(np.subtract.outer(data.y, data.y))[(around > 0) & (around < 0.3)]
        return len(near) > 0 and bool(np.median(near) < 0.3 * data.unit)
    return bool(sharp(data).any()) or not straight(data)


def _bracketing(fit: Fit, data: Data) -> bool:
    """Is what the fit leaves unexplained a stretch whose ends are still being looked for?"""
    if not fit.exact(data) or fit.inside.mean() <= 0.6 or runs(~fit.inside) > STRETCHES:
        return False
    return bool(ask.borders(fit.inside, data, 1))


def _test(study: _Study, fit: Fit, fresh: list[float]) -> None:
    """Did the fit predict answers that it had not seen?"""
    known = dict(zip(study.record.x, study.record.y, strict=True))
    asked = np.array([x for x in fresh if x in known])
    if not len(asked):
        return
    data = study.data()
    wrong = np.abs(fit(asked) - np.array([known[float(x)] for x in asked]))
    study.tested += len(asked)
    study.missed += int(np.sum(~(wrong <= 0.05 * data.unit)))


def _finish(study: _Study) -> Finding:
    data = study.data()
    fits = study.fits
    if fits and study.sigma == 0 and not complete(fits[0], data):
        fits = sorted([*fits, *contents(fits[0], data, study.seed)], key=lambda fit: fit.cost)
    if fits and study.sigma == 0:
        fits = sorted([*fits, *plainer(fits[0], data, study.seed)], key=lambda fit: fit.cost)
    state = State(
        data=data,
        everything=study.record.data(study.sigma),
        fits=fits,
        noisy=study.noisy,
        tested=study.tested,
        missed=study.missed,
        asked=len(study.record.x),
        rng=study.rng,
    )
    return verdict(state)
