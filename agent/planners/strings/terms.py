"""Programs: primitives, terms built of them, and their Python and their English."""

from __future__ import annotations

import ast
import inspect
import math
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from hubel.agent.planners.strings import helpers

#: The longest string that a program may make: longer ones are refused, and so is what made them.
LONGEST = 2000
HELPERS: dict[str, Any] = {
    name: value for name, value in vars(helpers).items() if inspect.isfunction(value)
}
SCOPE: dict[str, Any] = {"re": re, "math": math, "string": string, **HELPERS}
#: What a call of a candidate may raise: then its output is undefined.
ERRORS = (
    ValueError, TypeError, IndexError, KeyError, ZeroDivisionError, AttributeError, OverflowError,
    StopIteration, RuntimeError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prim:
    """One step.

    Attributes:
        source: A Python expression of ``x``.
        noun: What it gives, in words, of ``_``.
        cost: How unlikely it is to be part of a function, in bits or so.
        function: The expression as a function.
    """

    source: str
    noun: str
    cost: float
    function: Callable[[Any], Any]


def prim(cost: float, source: str, noun: str) -> Prim:
    """A step from its source."""
    return Prim(source, noun, cost, compiled(source))


@lru_cache(maxsize=20_000)
def compiled(source: str) -> Callable[[Any], Any]:
    """The function ``lambda x: source``, with the helpers in scope."""
    function: Callable[[Any], Any] = eval(  # noqa: S307 (the project's own tables)
        compile(f"lambda x: {source}", "<step>", "eval"), dict(SCOPE)
    )
    return function


def call(function: Callable[[Any], Any], value: Any) -> Any:
    """The output, or None where it is undefined or beyond all measure."""
    if value is None:
        return None
    try:
        out = function(value)
    except ERRORS:
        return None
    return None if isinstance(out, str) and len(out) > LONGEST else out


class Term:
    """A program of ``x``: an expression, its noun phrase and its cost.

    Programs made by `then` are written out only when they are looked at: most never are.
    """

    __slots__ = ("_chain", "_noun", "_source", "cost", "key")

    def __init__(self, source: str, noun: str, cost: float) -> None:
        self._source, self._noun, self.cost = source, noun, cost
        self._chain: tuple[Term, Prim] | None = None
        self.key = source

    def then(self, step: Prim) -> Term:
        """This program, followed by a step."""
        if self.key == "x":
            return Term(step.source, step.noun, step.cost)
        out = Term("", "", self.cost + step.cost)
        out._chain = (self, step)
        out.key = f"{self.key}|{step.source}"
        return out

    def of(self, first: Term) -> Term:
        """This program, after another one."""
        return Term(
            substitute(self.source, first.source),
            self.noun.replace("_", first.noun),
            self.cost + first.cost,
        )

    @property
    def source(self) -> str:
        """The Python expression of ``x``."""
        if self._chain is not None:
            first, step = self._chain
            self._source = substitute(step.source, first.source)
            self._noun = step.noun.replace("_", first.noun)
            self._chain = None
        return self._source

    @property
    def noun(self) -> str:
        """What it gives, in words, of ``_``."""
        _ = self.source
        return self._noun

    def run(self, value: Any) -> Any:
        """The output for one input."""
        return call(compiled(self.source), value)

    @property
    def order(self) -> tuple[float, str]:
        """The simplest first; the same in every run."""
        return (round(self.cost, 6), self.key)

    def __repr__(self) -> str:
        return f"Term({self.source!r}, {self.cost:.1f})"


IDENTITY = Term("x", "_", 0.0)


#: Stands for an underscore of the data in nouns, where ``_`` is the input.
UNDERSCORE = "\0"


def quoted(text: str) -> str:
    """A text of the data as it stands in a noun."""
    return repr(text).replace("_", UNDERSCORE)


def constant(text: str) -> Term:
    """A program that always gives the same."""
    return Term(repr(text), quoted(text), 1.5 + 0.6 * len(text))


def joined(parts: list[Term], cost: float = 1.0) -> Term:
    """The outputs of programs one after the other."""
    source = " + ".join(
        p.source if isinstance(expression(p.source), _TIGHT) else f"({p.source})" for p in parts
    )
    noun = " followed by ".join(p.noun for p in parts)
    return Term(source, noun, sum(p.cost for p in parts) + cost * (len(parts) - 1))


def either(test: Prim, yes: Term, no: Term) -> Term:
    """One program where a test holds, another where it does not."""
    return Term(
        f"({yes.source}) if ({test.source}) else ({no.source})",
        f"{yes.noun} if {test.noun}, otherwise {no.noun}",
        test.cost + yes.cost + no.cost + 1.5,
    )


_TIGHT = (ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.Constant, ast.BinOp)


@lru_cache(maxsize=20_000)
def expression(source: str) -> ast.expr:
    """The syntax tree of an expression; not to be changed."""
    return ast.parse(source, mode="eval").body


class _Put(ast.NodeTransformer):
    def __init__(self, new: ast.expr, name: str) -> None:
        self.new, self.name = new, name

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.new if node.id == self.name else node


@lru_cache(maxsize=20_000)
def substitute(source: str, argument: str, name: str = "x") -> str:
    """The source with an expression in place of a name."""
    tree = ast.parse(source, mode="eval")
    return ast.unparse(_Put(expression(argument), name).visit(tree))


def code_of(term: Term) -> str:
    """Python source that defines ``f(x)``, with the helpers that it calls and no others."""
    body = ast.unparse(ast.parse(term.source, mode="eval"))
    names = {n.id for n in ast.walk(ast.parse(body)) if isinstance(n, ast.Name)}
    lines = [f"import {name}" for name in ("math", "re", "string") if name in names]
    lines += [_bare(name) for name in _needed(names)]
    return "\n\n".join([*lines, f"def f(x):\n    return {body}"]) + "\n"


def _needed(names: set[str]) -> list[str]:
    """The helpers among names, with those that they call."""
    found = {n for n in names if n in HELPERS}
    while True:
        more = {c for n in found for c in HELPERS[n].__code__.co_names if c in HELPERS} - found
        if not more:
            return sorted(found)
        found |= more


@cache
def _bare(name: str) -> str:
    """The source of a helper, without docstring and types."""
    tree = ast.parse(inspect.getsource(HELPERS[name]))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = node.body[1:]
            node.returns = None
            for arg in node.args.args:
                arg.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("object")
    return re.sub(r"^(\s*\w+): object =", r"\1 =", ast.unparse(tree), flags=re.M)
