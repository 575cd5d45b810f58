"""Expressions in ``x`` with parameters: evaluated on arrays, written as Python.

An expression is a nested tuple: ``("x",)``, ``("p", i)`` for parameter i, ``("k", value)`` for a
constant, or an operator and its arguments. Parameters may be arrays of shape (k, 1) against inputs
of shape (1, n): whole grids are then evaluated at once. Undefined values are nan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Expr = tuple[Any, ...]
X: Expr = ("x",)


def p(index: int) -> Expr:
    """A parameter."""
    return ("p", index)


def k(value: float) -> Expr:
    """A constant."""
    return ("k", float(value))


def _sigmoid(u: Any) -> Any:
    return 1 / (1 + np.exp(-u))


def _power(u: Any, v: Any) -> Any:
    return np.power(np.abs(u), v)


def _each(count: Callable[[int], int]) -> Callable[[Any], Any]:
    """A function of whole numbers, applied to each of an array."""

    def values(u: Any) -> Any:
        whole, where = np.unique(np.nan_to_num(u), return_inverse=True)
        return np.array([float(count(int(n))) for n in whole])[where].reshape(np.shape(u))

    return values


def _divisors(n: int) -> int:
    return sum(n % d == 0 for d in range(1, n + 1))


_NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": lambda u, v: np.where(v == 0, np.nan, np.divide(u, v)),
    "pow": _power,
    "int": np.power,
    "rise": np.power,
    "mod": np.mod,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan": np.arctan,
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "max": np.maximum,
    "min": np.minimum,
    "less": np.less,
    "where": np.where,
    "gcd": lambda u, v: np.gcd(np.asarray(u, dtype=np.int64), int(v)),
    "digits": _each(lambda n: sum(map(int, str(n)))),
    "ones": _each(int.bit_count),
    "divisors": _each(_divisors),
    "prime": _each(lambda n: _divisors(n) == 2),
    "between": lambda u, low, high: (u >= low) & (u <= high),
}
_CALLS = {
    "rise": "math.pow({}, {})",
    "abs": "abs({})",
    "exp": "math.exp({})",
    "log": "math.log({})",
    "sqrt": "math.sqrt({})",
    "sin": "math.sin({})",
    "cos": "math.cos({})",
    "tan": "math.tan({})",
    "atan": "math.atan({})",
    "tanh": "math.tanh({})",
    "sigmoid": "1/(1 + math.exp(-({})))",
    "floor": "math.floor({})",
    "ceil": "math.ceil({})",
    "round": "round({})",
    "gcd": "math.gcd(int({}), {})",
    "digits": "sum(map(int, str(int({}))))",
    "ones": "int({}).bit_count()",
    "divisors": "(lambda n: sum(n % d == 0 for d in range(1, n + 1)))(int({}))",
    "prime": "(lambda n: sum(n % d == 0 for d in range(1, n + 1)) == 2)(int({}))",
    "max": "max({}, {})",
    "min": "min({}, {})",
}
#: Operators between their arguments, with how tightly they bind.
_SIGNS = {"add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2), "mod": ("%", 2)}


def evaluate(expr: Expr, x: Any, params: Sequence[Any]) -> Any:
    """Values of an expression; infinite ones are undefined (nan).

    Args:
        expr: The expression.
        x: Inputs, any shape.
        params: Parameters: scalars, or arrays that broadcast against `x`.
    """
    with np.errstate(all="ignore"):
        values = np.asarray(raw(expr, x, params), dtype=float)
        return np.where(np.isfinite(values), values, np.nan)


def raw(expr: Expr, x: Any, params: Sequence[Any]) -> Any:
    """As `evaluate`, with infinite values left in and warnings let through."""
    head = expr[0]
    if head == "x":
        return x
    if head == "p":
        return params[expr[1]]
    if head == "k":
        return expr[1]
    return _NUMPY[head](*(raw(part, x, params) for part in expr[1:]))


def substitute(expr: Expr, inner: Expr, shift: int = 0) -> Expr:
    """Put an expression in the place of ``x``, and count the outer parameters up by `shift`."""
    head = expr[0]
    if head == "x":
        return inner
    if head == "p":
        return ("p", expr[1] + shift)
    if head == "k":
        return expr
    return (head, *(substitute(part, inner, shift) for part in expr[1:]))


def parameters(expr: Expr) -> set[int]:
    """Indices of the parameters that occur."""
    if expr[0] == "p":
        return {expr[1]}
    if expr[0] in ("x", "k"):
        return set()
    return set().union(*(parameters(part) for part in expr[1:]))


def uses_input(expr: Expr) -> bool:
    """Does ``x`` occur?"""
    return expr[0] == "x" or any(uses_input(part) for part in expr[1:] if isinstance(part, tuple))


def size(expr: Expr) -> int:
    """Operators in an expression."""
    return 0 if expr[0] in ("x", "k", "p") else 1 + sum(size(part) for part in expr[1:])


def smooth(expr: Expr) -> bool:
    """Does it change without jumps as its parameters change?"""
    if expr[0] in ("floor", "ceil", "round", "mod", "less", "between"):
        return False
    return all(smooth(part) for part in expr[1:] if isinstance(part, tuple))


def simplified(expr: Expr, params: Sequence[float]) -> Expr:
    """The expression with its parameters put in, without zeros and ones that do nothing."""
    head = expr[0]
    if head == "p":
        return k(params[expr[1]])
    if head in ("x", "k"):
        return expr
    parts = [simplified(part, params) for part in expr[1:]]
    if all(part[0] == "k" for part in parts):
        return k(float(evaluate((head, *parts), 0.0, ())))
    values = [part[1] if part[0] == "k" else None for part in parts]
    if head in ("add", "sub") and values[1] == 0:
        return parts[0]
    if head == "add" and values[0] == 0:
        return parts[1]
    if head == "mul" and 0 in values:
        return k(0)
    if head == "mul" and 1 in values:
        return parts[1 - values.index(1)]
    if head == "div" and values[1] == 1:
        return parts[0]
    return (head, *parts)


def written(expr: Expr) -> str:
    """Python for an expression without parameters (see `simplified`)."""
    return _written(expr)[0]


def _written(expr: Expr) -> tuple[str, int]:
    """The text, and how tightly its outermost operator binds."""
    head = expr[0]
    if head == "x":
        return "x", 9
    if head == "k":
        return number(expr[1]), 9 if expr[1] >= 0 else 1
    parts = [_written(part) for part in expr[1:]]
    if head in ("add", "sub") and expr[2][0] == "k" and expr[2][1] < 0:
        return f"{parts[0][0]} {'-' if head == 'add' else '+'} {number(-expr[2][1])}", 1
    if head in _SIGNS:
        sign, bond = _SIGNS[head]
        left = _held(parts[0], bond, leading=True)
        right = _held(parts[1], bond + (head in ("sub", "div", "mod", "mul")))
        return f"{left}{sign if bond == 2 and head == 'mul' else f' {sign} '}{right}", bond
    if head == "pow":
        return f"abs({parts[0][0]})**{_held(parts[1], 4)}", 3
    if head == "int":
        return f"{_held(parts[0], 4)}**{_held(parts[1], 4)}", 3
    if head == "less":
        return f"{_held(parts[0], 1)} < {_held(parts[1], 1)}", 0
    if head == "between":
        return f"{parts[1][0]} <= {_held(parts[0], 1)} <= {parts[2][0]}", 0
    if head == "where":
        return f"({parts[1][0]} if {parts[0][0]} else {parts[2][0]})", 9
    bond = 2 if head == "sigmoid" else 9
    return _CALLS[head].format(*(text for text, _ in parts)), bond


def _held(part: tuple[str, int], bond: int, leading: bool = False) -> str:
    text, own = part
    if leading and own == 1 and text.startswith("-") and " " not in text and bond < 3:
        return text
    return text if own >= bond else f"({text})"


def number(value: float) -> str:
    """A number as short as it can be written; small integers without a point."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value))
