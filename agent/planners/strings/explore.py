"""The explorer of functions from string to string."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field

from hubel.agent.planners.explorer import Explorer, Finding
from hubel.agent.planners.strings import probes
from hubel.agent.planners.strings.chance import random_text
from hubel.agent.planners.strings.data import Data
from hubel.agent.planners.strings.doubts import parting_inputs, rarer_side
from hubel.agent.planners.strings.search import Solution, deepen, solve
from hubel.agent.planners.strings.terms import UNDERSCORE, Term, code_of

Asking = Generator[list[str], list[str | None], list[str | None]]

#: Inputs asked twice more at the start, to find chance.
_REPEATED = ("hello", "The quick brown fox jumps", "a1b2c3", "banana")
#: Searches from scratch after a program failed on a fresh input.
_ROUNDS = 6
#: Where a program meets such a share of the examples, the others are looked into: inputs like them
#: are asked about, and they themselves again.
_MOSTLY = 0.6
#: Fresh inputs that a program must meet before it is believed.
_ENOUGH = 100


@dataclass
class _Asked:
    """The answers so far, and what may still be asked."""

    left: int
    rng: random.Random
    answers: dict[str, str | None] = field(default_factory=dict)

    def ask(self, inputs: list[str]) -> Asking:
        """Ask for inputs that were not asked yet, within the budget; returns all their answers."""
        new = [x for x in dict.fromkeys(inputs) if x not in self.answers][: self.left]
        if new:
            self.left -= len(new)
            answers = yield new
            self.answers.update(zip(new, answers, strict=True))
        return [self.answers.get(x) for x in inputs]

    def missed(self, term: Term) -> list[str]:
        """Inputs of which a program says something else than was answered."""
        return [x for x, t in self.answers.items() if t is not None and term.run(x) != t]

    @property
    def data(self) -> Data:
        """All examples."""
        return Data(tuple(self.answers), tuple(self.answers.values()))


def explore(budget: int, seed: int) -> Explorer:
    """Find the program behind a function from string to string.

    Fixed probes; a few of them again, to find chance; synthesis; then inputs on which the programs
    left disagree, and fresh ones, until one program met enough of them or nothing is left to ask.

    Args:
        budget: Inputs that may be asked.
        seed: Of the fresh inputs.
    """
    state = _Asked(budget, random.Random(seed))
    yield from state.ask(list(probes.FIXED[: max(1, budget * 2 // 3)]))
    chance = yield from _chance(state)
    if chance is not None:
        return chance
    if len({t for t in state.answers.values() if t is not None}) <= 1:
        yield from state.ask(probes.cover(state.rng, min(60, state.left), set(state.answers)))
    return (yield from _synthesise(state))


def _chance(state: _Asked) -> Generator[list[str], list[str | None], Finding | None]:
    """Ask some inputs again; a finding if the output is drawn by chance."""
    again = [x for x in _REPEATED if x in state.answers]
    if state.left < 4 * len(again):
        return None
    seen = {x: [state.answers[x]] for x in again}
    for _ in range(2):
        state.left -= len(again)
        for x, t in zip(again, (yield list(again)), strict=True):
            seen[x].append(t)
    if all(len(set(ts)) == 1 for ts in seen.values()):
        return None
    return (yield from _by_majority(state, seen))


def _by_majority(
    state: _Asked, seen: dict[str, list[str | None]]
) -> Generator[list[str], list[str | None], Finding]:
    """Where the output is partly chance: the commonest output of each input, if there is one."""
    chosen = [x for x in state.answers if x not in seen][: max(0, state.left // 3)]
    for x in chosen:
        seen[x] = [state.answers[x]]
    for _ in range(2 if chosen else 0):
        state.left -= len(chosen)
        for x, t in zip(chosen, (yield list(chosen)), strict=True):
            seen[x].append(t)
    settled: dict[str, str | None] = {}
    for x, ts in seen.items():
        top, n = Counter(ts).most_common(1)[0]
        if n >= 2:
            settled[x] = top
    rest = {x: t for x, t in state.answers.items() if x not in seen}
    chance = random_text(seen)
    many = [x for x in seen if len(x) > 3]
    share = sum(x in settled for x in many) / max(len(many), 1)
    about = {"chance": True, "settled": round(share, 3)}
    if not chance and share >= 0.5:
        settled |= rest
        data = Data(tuple(settled), tuple(settled.values()))
        best = _plain(solve(data, deep=False), data)
        if best is not None and data.share(best) >= 0.8:
            return Finding(code_of(best), _sentence(best, "chance aside, "), 0.8, about=about)
    text = chance or "The output is drawn by chance: the same input gives different outputs."
    return Finding(None, text, 0.9 if chance else 0.7, outside=not chance, about=about)


def _synthesise(state: _Asked) -> Generator[list[str], list[str | None], Finding]:
    constant = {t for t in state.answers.values() if t is not None}
    if len(constant) <= 1:
        text = f"The output does not depend on the input: it is {next(iter(constant), None)!r}."
        return Finding(None, text, 0.97, about={"constant": next(iter(constant), None)})
    solution = solve(state.data, deep=False)
    if not solution.terms and (yield from _closer(state, solution)):
        solution = solve(state.data, deep=False)
    singles = False
    if not solution.terms and not _piecewise(state):
        solution = deepen(state.data, solution)
    for _ in range(_ROUNDS):
        if not solution.terms and not singles and _piecewise(state):
            singles = True
            yield from state.ask(list("abcdefghijklmnopqrstuvwxyz0123456789.,!?'-_"))
            solution = solve(state.data)
        if not solution.terms:
            break
        terms, passed = yield from _test(state, solution.terms)
        if terms:
            return _found(terms, passed)
        if state.left <= 0:
            break
        solution = solve(state.data)
    return (yield from _not_found(state, solution))


def _closer(state: _Asked, solution: Solution) -> Generator[list[str], list[str | None], bool]:
    """Ask for inputs like those that the best program misses, if it meets most; whether any were.

    What holds for few inputs is seen in one or two: too few to read off where, and what it does.
    """
    best = _best(solution, state.data)
    if best is None or state.data.share(best) < _MOSTLY:
        return False
    alike = probes.like(state.rng, state.missed(best), 24, state.answers)
    yield from state.ask(alike)
    return bool(alike)


def _piecewise(state: _Asked) -> bool:
    """Whether the output of a string seems to be those of its characters, one after the other."""
    a, b, ab = (state.answers.get(x) for x in ("a", "b", "ab"))
    return a is not None and b is not None and ab == a + b and state.left >= 40


def _test(
    state: _Asked, terms: list[Term]
) -> Generator[list[str], list[str | None], tuple[list[Term], int]]:
    """Ask where programs disagree, then fresh inputs; the programs left, and inputs they met."""
    passed = 0
    looked: set[str] = set()
    while state.left > 0 and passed < _ENOUGH:
        parting = parting_inputs(terms, state.rng, state.answers) if len(terms) > 1 else []
        rare = []
        if not parting and terms[0].key not in looked:
            rare = rarer_side(terms[0], state.rng, state.answers)
            looked.add(terms[0].key)
        batch = (parting or rare or probes.cover(state.rng, 24, set(state.answers)))[: state.left]
        if not batch:
            break
        answers = yield from state.ask(batch)
        for x, t in zip(batch, answers, strict=True):
            if t is not None:
                terms = [p for p in terms if p.run(x) == t]
                passed += not parting
        if not terms:
            break
    return terms, passed


def _found(terms: list[Term], passed: int) -> Finding:
    """The cheapest program left; sure in the measure of the fresh inputs that it met."""
    best = terms[0]
    doubt = 0.6 if best.cost < 8 else 1.2 if best.cost < 14 else 2.5
    confidence = (passed + 1.0) / (passed + 1.0 + doubt)
    about = {"cost": round(best.cost, 2), "rivals": len(terms) - 1, "fresh": passed}
    return Finding(code_of(best), _sentence(best), round(min(confidence, 0.97), 4), about=about)


def _not_found(
    state: _Asked, solution: Solution
) -> Generator[list[str], list[str | None], Finding]:
    """The best partial program, tried on fresh inputs; or nothing."""
    data = state.data
    best = _best(solution, data)
    outputs = Counter(t for t in data.targets if t is not None)
    top, often = outputs.most_common(1)[0]
    if often >= 0.85 * sum(outputs.values()):
        text = f"The output is nearly always {top!r}; when it is not follows no law that was tried."
        return Finding(None, text, 0.8, about={"constant": top})
    if best is not None and data.share(best) >= _MOSTLY:
        missed = state.missed(best)[:8]
        if missed and state.left >= 3 * len(missed):
            state.left -= len(missed)
            again = yield missed
            if again != [state.answers[x] for x in missed]:
                seen = {x: [state.answers[x], t] for x, t in zip(missed, again, strict=True)}
                return (yield from _by_majority(state, seen))
    fresh = probes.cover(state.rng, min(20, state.left), set(state.answers))
    answers = yield from state.ask(fresh)
    asked = [(x, t) for x, t in zip(fresh, answers, strict=True) if t is not None]
    if best is not None:
        met = sum(best.run(x) == t for x, t in asked)
        share = (met + data.share(best) * 10) / (len(asked) + 10)
        if share >= 0.3:
            text = f"On {share:.0%} of the inputs: " + _sentence(best)
            about = {"share": round(share, 3)}
            return Finding(code_of(best), text, round(0.1 * share**4, 4), outside=True, about=about)
    text = "No program of the language that was searched gives these outputs."
    return Finding(None, text, 0.5, outside=True)


def _best(solution: Solution, data: Data) -> Term | None:
    if solution.terms:
        return max(solution.terms, key=lambda t: (data.share(t), -t.cost))
    if not solution.partial:
        return None
    return max(solution.partial, key=lambda p: (p[1].bit_count(), -p[0].cost, p[0].source))[0]


def _plain(solution: Solution, data: Data) -> Term | None:
    """The best program where some answers are garbled: a condition must earn its place."""
    known = max(data.known.bit_count(), 1)
    rated = [(data.share(t) - 0.015 * t.cost, t) for t in solution.terms[:6]]
    rated += [(m.bit_count() / known - 0.015 * t.cost, t) for t, m in solution.partial]
    return max(rated, key=lambda p: (p[0], p[1].key))[1] if rated else None


def _sentence(term: Term, before: str = "") -> str:
    noun = term.noun.replace("_", "the input").replace(UNDERSCORE, "_")
    text = f"{before}the output is {noun}."
    return text[0].upper() + text[1:]
