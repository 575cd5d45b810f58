"""Which parameters of an expression stand in a jump, which in a wave, and which are smooth."""

from __future__ import annotations

from hubel.agent.planners.numbers.expr import Expr, parameters


def smooth_parameters(expr: Expr) -> list[int]:
    """Parameters that stand nowhere inside a jump."""
    return sorted(parameters(expr) - jumping(expr))


def jumping(expr: Expr) -> set[int]:
    """Parameters of jumps."""
    head = expr[0]
    if head in ("x", "p", "k"):
        return set()
    if head in ("floor", "ceil", "round", "less", "between", "mod"):
        return parameters(expr)
    if head == "abs" and expr[1][0] == "sub" and expr[1][1][0] == "mod":
        return jumping(expr[1][1][1])  # A triangle wave has no jumps.
    return set().union(*(jumping(part) for part in expr[1:]))


def turning(expr: Expr) -> set[int]:
    """Parameters inside a wave, and periods."""
    if expr[0] in ("x", "p", "k"):
        return set()
    if expr[0] == "mod":
        return parameters(expr[2])
    if expr[0] in ("sin", "cos", "tan"):
        return parameters(expr)
    return set().union(*(turning(part) for part in expr[1:]))
