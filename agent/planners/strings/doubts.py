"""Inputs that could refute a program: where rivals disagree, or few examples speak for it."""

from __future__ import annotations

import ast
import builtins
import random
from collections import Counter
from collections.abc import Container
from itertools import pairwise

from hubel.agent.planners.strings import probes
from hubel.agent.planners.strings.terms import SCOPE, Term, call, compiled, expression


def parting_inputs(terms: list[Term], rng: random.Random, asked: Container[str]) -> list[str]:
    """Up to four inputs on which programs disagree most evenly."""
    drawn = [probes.fresh(rng) for _ in range(120)] + list(probes.WORDS[::9])
    scored = []
    for x in dict.fromkeys(drawn):
        if x not in asked and len(x) < 60:
            count = Counter(p.run(x) for p in terms[:12])
            if len(count) > 1:
                scored.append((max(count.values()), len(x), x))
    return [x for _, _, x in sorted(scored)[:4]]


def rarer_side(term: Term, rng: random.Random, asked: Container[str]) -> list[str]:
    """Up to 16 inputs on the rarer side of a program's condition, half of them of several words.

    Few examples speak for that side, so that what it does is the least certain.
    """
    test = _condition(term)
    if not test:
        return []
    holds = compiled(test)
    drawn = [probes.fresh(rng) for _ in range(400)]
    drawn += [a + gap + b for a, b in pairwise(drawn[:200]) for gap in ("", " ")]
    sides: tuple[list[str], list[str]] = ([], [])
    for x in dict.fromkeys(drawn):
        if x not in asked and len(x) < 40:
            sides[bool(call(holds, x))].append(x)
    few = min(sides, key=len)
    spaced = [x for x in few if " " in x][:8]
    return [*spaced, *(x for x in few if " " not in x)][:16]


def _condition(term: Term) -> str:
    """The first condition on the input, or on any of its words; empty without one."""
    for node in ast.walk(expression(term.source)):
        if isinstance(node, ast.IfExp):
            names = [n for n in ast.walk(node.test) if isinstance(n, ast.Name)]
            bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
            free = {n.id for n in names} - bound - set(SCOPE) - set(dir(builtins))
            test = ast.unparse(node.test)
            if free and free <= {"x", "w"}:
                return f"any({test} for w in x.split())" if "w" in free else test
    return ""
