"""Any JSON value as a small tree that a template can show: what third-party tools return, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from markupsafe import Markup

from hubel.agent.web import plots
from hubel.agent.wording import MISSING, number, spoken
from hubel.tools.concepts import source_of
from hubel.tools.spec import ToolError

#: How much of a long value is shown: entries of an object, rows of a table, words of a list.
ENTRIES, ROWS, WORDS = 40, 16, 12
#: So many different words in a long list are counted instead.
FEW = 6
#: Lists of numbers from this length on are drawn instead of written.
MANY = 13
#: Characters of a list or an object that is written in one line.
LONGEST = 240
#: Deeper values are written as JSON would name them, without their inside.
DEEPEST = 5

#: Keys under which an estimate stands beside its interval ``ci``, and keys that name it.
_ESTIMATES = ("mean", "change", "effect", "delta", "difference", "pearson", "correlation", "r2")
_LABELS = ("label", "name", "output", "edit", "statistic", "phrase", "class", "unit", "tool")


@dataclass(frozen=True, slots=True)
class Node:
    """A shown value.

    Attributes:
        kind: Which of the fields below counts.
        text: Of a ``text``; what is said beside a plot or under a cut table.
        entries: Key, explanation and value, of a ``group``.
        head: Columns of a ``table``.
        rows: Cells of a ``table``.
    """

    kind: Literal["text", "numbers", "group", "table"]
    text: str = ""
    plot: Markup | None = None
    entries: list[tuple[str, str, Node]] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, with its interval if it has one, found anywhere in a result.

    Attributes:
        family: Estimates of the same family are of the same measure and share an axis.
        control: The same number for something that should do nothing.
    """

    family: str
    label: str
    value: float
    ci: tuple[float, float] | None
    p: float | None
    d: float | None
    control: float | None


def tidy(value: Any, measures: Mapping[str, str] | None = None, depth: int = 0) -> Node:
    """A JSON value as a tree.

    Args:
        value: The value.
        measures: What its keys mean, at the top.
        depth: How deep it lies.
    """
    if isinstance(value, Mapping) and value and depth < DEEPEST:
        said = measures or {}
        entries = [
            (spoken(str(k)), said.get(str(k), ""), tidy(v, None, depth + 1))
            for k, v in list(value.items())[:ENTRIES]
        ]
        more = len(value) - ENTRIES
        return Node("group", f"and {more} more" if more > 0 else "", entries=entries)
    if isinstance(value, list) and value and depth < DEEPEST:
        return _list(value)
    return Node("text", word(value))


def word(value: Any) -> str:
    """A value in a line. Ids of pictures are cut to their first eight digits."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: MISSING}[value]
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return f"{value[:8]}…" if is_id(value) else value
    if isinstance(value, Mapping):
        parts = [f"{spoken(str(k))} {word(v)}" for k, v in list(value.items())[:WORDS]]
    elif len(value) > WORDS and len(kinds := Counter(map(word, value))) <= FEW:
        return ", ".join(f"{n} × {kind}" for kind, n in kinds.items())
    else:
        parts = [word(v) for v in value[:WORDS]]
    more = len(value) - WORDS
    told = ", ".join(parts)
    return _cut(told) + (f" … and {more} more" if more > 0 else "")


def is_id(value: object) -> bool:
    """Whether a value is the id of a picture, or another hash."""
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def numeric(value: object) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def source(phrase: str) -> str | None:
    """Where the knowledge about a phrase comes from; None where our own judge has none."""
    try:
        return source_of(phrase)
    except ToolError:
        return None


def column(value: Any, n: int) -> list[Any]:
    """A list of that length; where a result has none, as many times None."""
    return value if isinstance(value, list) and len(value) == n else [None] * n


def estimates(values: Any, path: tuple[str, ...] = ()) -> Iterator[Estimate]:
    """Every number that comes with an interval or in a list of named ones, wherever it stands."""
    if isinstance(values, Mapping):
        key = next((k for k in _ESTIMATES if numeric(values.get(k))), None)
        # In a list a name is enough: the entries are compared with each other.
        listed = len(path) > 1 and path[-1] == _name(values)
        if key is not None and ("ci" in values or listed):
            yield _estimate(values, key, path)
            return
        for name, inner in values.items():
            yield from estimates(inner, (*path, str(name)))
    elif isinstance(values, list):
        for i, inner in enumerate(values):
            if isinstance(inner, Mapping):
                yield from estimates(inner, (*path, _name(inner) or str(i)))


def facts(values: Mapping[str, Any], most: int = 10) -> list[tuple[str, str]]:
    """The single numbers and words of a result, which are what it comes to."""
    found = []
    for key, value in values.items():
        inner = value.items() if isinstance(value, Mapping) and "ci" not in value else ()
        of = f"{spoken(key)}: " if key else ""
        found += [(of + spoken(str(k)), word(v)) for k, v in inner if _single(v)]
        if _single(value):
            found.append((spoken(key), word(value)))
    return found[:most]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _single(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _estimate(values: Mapping[str, Any], key: str, path: tuple[str, ...]) -> Estimate:
    ci = values.get("ci")
    # What an entry of a list is called says more than that it holds a contrast.
    inner = path[:-1] if len(path) > 2 and path[-1] == "contrast" else path
    label = " · ".join(spoken(part) for part in inner[1:]) or _name(values) or ""
    ends = ci if isinstance(ci, list) and len(ci) == 2 and all(map(numeric, ci)) else None
    return Estimate(
        family=path[0] if path else "",
        label=label,
        value=float(values[key]),
        ci=(float(ends[0]), float(ends[1])) if ends else None,
        p=_float(values.get("p_holm", values.get("p"))),
        d=_float(values.get("d")),
        control=_float(values.get("control")),
    )


def _float(value: Any) -> float | None:
    return float(value) if numeric(value) else None


def _name(values: Mapping[str, Any]) -> str | None:
    return next((str(values[k]) for k in _LABELS if isinstance(values.get(k), str)), None)


def _list(value: list[Any]) -> Node:
    if all(map(numeric, value)) and len(value) >= MANY:
        mean = sum(value) / len(value)
        told = (
            f"{len(value)} numbers from {number(min(value))} to {number(max(value))}, "
            f"mean {number(mean)}"
        )
        return Node("numbers", told, plots.histogram(value))
    if all(isinstance(v, Mapping) for v in value):
        head = list(dict.fromkeys(str(k) for v in value for k in v))
        rows = [[word(v.get(k)) for k in head] for v in value[:ROWS]]
        more = len(value) - ROWS
        told = f"and {more} more" if more > 0 else ""
        return Node("table", told, head=[spoken(h) for h in head], rows=rows)
    return Node("text", word(value))


def same_measure(found: Sequence[Estimate]) -> bool:
    """Whether estimates of one family may share an axis: many of a kind, not two of two kinds."""
    return len(found) > 2
