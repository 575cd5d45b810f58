"""Programs that replace characters by a table read off the examples."""

from __future__ import annotations

from hubel.agent.planners.strings.data import Data
from hubel.agent.planners.strings.terms import Term


def char_maps(data: Data, most: int = 40) -> list[Term]:
    """Tables from character to string that meet all examples; the case of letters kept or not.

    Only characters seen at least once can be in a table; what it leaves out stays as it is.
    """
    out = []
    for fold in (False, True):
        table = _read(data, fold)
        if table is None:
            continue
        moved = {c: s for c, s in sorted(table.items()) if c != s}
        if not 0 < len(moved) <= most:
            continue
        x = "x.lower()" if fold else "x"
        noun = "_ in lower case" if fold else "_"
        if all(len(s) == 1 for s in moved.values()):
            old, new = "".join(moved), "".join(moved.values())
            source = f"{x}.translate(str.maketrans({old!r}, {new!r}))"
        else:
            source = f"{x}.translate(str.maketrans({moved!r}))"
        shown = ", ".join(f"{c!r} by {s!r}" for c, s in moved.items())
        term = Term(source, f"{noun} with {shown}", 2.5 + 0.16 * len(moved) + fold)
        if data.fits(term):
            out.append(term)
    return out


def _read(data: Data, fold: bool) -> dict[str, str] | None:
    """The table; None where the examples contradict each other.

    Examples whose characters but one are known give that one; examples as long as their outputs
    are taken to map one to one.
    """
    pairs = [
        (x.lower() if fold else x, t)
        for x, t in zip(data.inputs, data.targets, strict=True)
        if t is not None
    ]
    table: dict[str, str] = {}
    if all(len(x) == len(t) for x, t in pairs):
        pieces = [(c, d) for x, t in pairs for c, d in zip(x, t, strict=True)]
        return table if all(table.setdefault(c, d) == d for c, d in pieces) else None
    changed = True
    while changed:
        changed = False
        for x, t in pairs:
            unknown = set(x) - set(table)
            if len(unknown) == 1:
                c = unknown.pop()
                rest = len(t) - sum(len(table[d]) for d in x if d != c)
                if rest < 0 or rest % x.count(c):
                    return None
                start = sum(len(table[d]) for d in x[: x.index(c)])
                table[c] = t[start : start + rest // x.count(c)]
                changed = True
    good = all("".join(table.get(c, c) for c in x) == t for x, t in pairs)
    return table if good else None
