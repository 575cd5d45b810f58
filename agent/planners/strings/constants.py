# ruff: noqa: E501 (tables are read by the row)
"""Constants that the outputs show, and the steps that use them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hubel.agent.planners.strings.data import Data
from hubel.agent.planners.strings.steps import CLASSES, GROUPS
from hubel.agent.planners.strings.terms import Prim, Term, constant, prim, quoted


def shown(data: Data, most: int = 5) -> list[str]:
    """Strings that the outputs have of their own: shared ends, and runs foreign to the input."""
    pairs = [(x, t) for x, t in zip(data.inputs, data.targets, strict=True) if t]
    if len(pairs) < 3:
        return []
    found: Counter[str] = Counter()
    for x, t in pairs:
        low = set(x.lower())
        foreign = "".join(c if c.lower() not in low else "\0" for c in t)
        found.update({k for k in re.split("\0+", foreign) if k and len(k) <= 20})
        found.update({c for k in re.split("\0+", foreign) for c in set(k)})
    often = [k for k, n in sorted(found.items(), key=lambda p: (-p[1] * len(p[0]) ** 0.5, p[0]))
             if n >= max(3, len(pairs) // 6)]  # fmt: skip
    return list(dict.fromkeys([*ends(data), *often]))[:most]


def between(data: Data) -> list[str]:
    """What outputs have between two words that follow each other in the input, if mostly one text.

    It may be made of letters that the input has too.
    """
    found: Counter[str] = Counter()
    for x, t in zip(data.inputs, data.targets, strict=True):
        for one, other in pairwise(x.split()):
            _, _, rest = (t or "").partition(one)
            middle, there, _ = rest.partition(other)
            if there:
                found[middle] += 1
    return [k for k, n in found.most_common(1) if n >= 3 and 1 < len(k) <= 20]


def common_start(texts: Sequence[str]) -> str:
    """What all the strings start with."""
    first, last = min(texts), max(texts)
    same = next((i for i, c in enumerate(first) if last[i : i + 1] != c), len(first))
    return first[:same]


def ends(data: Data) -> list[str]:
    """What all outputs start with, and what all end with, where they have more than that."""
    texts = [t for t in data.targets if t]
    if len(set(texts)) < 2:
        return []
    head = common_start(texts)
    tail = common_start([t[::-1] for t in texts])[::-1]
    return [k for k in (head, tail) if k]


def gone(data: Data, most: int = 6) -> list[str]:
    """Characters of inputs that no output has."""
    pairs = [(x, t) for x, t in zip(data.inputs, data.targets, strict=True) if t is not None]
    left = {c for _, t in pairs for c in t}
    count = Counter(c for x, _ in pairs for c in set(x) if c not in left)
    return [c for c, n in sorted(count.items(), key=lambda p: (-p[1], p[0])) if n >= 2][:most]


def without(data: Data) -> list[Prim]:
    """Steps that take away, or replace by a constant, characters that the outputs lack."""
    lost = gone(data)
    if len(lost) >= 6:
        return []
    out = [prim(3.0, f"x.replace({c!r}, '')", f"_ without {quoted(c)}") for c in lost]
    out += [
        prim(3.0 + 0.4 * len(k), f"x.replace({c!r}, {k!r})", f"_ with {quoted(k)} for {quoted(c)}")
        for c in lost
        for k in [*shown(data), " "]
    ]
    return out


def usual(data: Data) -> list[Term]:
    """Outputs given more than once, as programs; the commonest first."""
    count = Counter(t for t in data.targets if t is not None)
    return [constant(k) for k, n in count.most_common(12) if n > 1 and len(k) <= 40]


_WITH: tuple[tuple[float, str, str], ...] = (
    (1.0, "x + K", "_ followed by K"), (1.0, "K + x", "_ after K"), (1.5, "K + x + K", "_ between K and K"),
    (2.5, "x if x.endswith(K) else x + K", "_ ending with K"),
    (2.5, "x if x.startswith(K) else K + x", "_ starting with K"),
    (2.0, "x.strip(K)", "_ without K at its ends"), (2.5, "x.rstrip(K)", "_ without K at its end"),
    (2.5, "x.lstrip(K)", "_ without K at its start"),
    (1.5, "K.join(x)", "the characters of _ joined by K"),
    (2.5, "''.join(c + K for c in x)", "_ with K after each character"),
    (2.5, "''.join(K + c for c in x)", "_ with K before each character"),
    (1.5, "K.join(x.split())", "the words of _ joined by K"),
    (2.0, "K.join(x.split()[::-1])", "the words of _ in reverse, joined by K"),
    (2.5, "K.join(sorted(x.split()))", "the words of _ sorted, joined by K"),
    (2.0, "K.join(w[0] for w in x.split())", "the initials of _ joined by K"),
    (2.5, "''.join(w[0] + K for w in x.split())", "the initials of _, each with K"),
    (2.0, "K.join(w.capitalize() for w in x.split())", "the words of _ capitalised and joined by K"),
    (2.5, "' '.join(w + K for w in x.split())", "_ with K after each word"),
    (2.5, "' '.join(K + w for w in x.split())", "_ with K before each word"),
    (3.0, "' '.join(K + w + K for w in x.split())", "_ with each word between K and K"),
    (1.5, "K * len(x)", "as many K as _ is long"), (2.0, "K * len(x.split())", "as many K as _ has words"),
    (2.0, "x + K * len(x)", "_, then as many K"), (2.0, "K * len(x) + x", "as many K as _ is long, then _"),
    (2.5, "K.join([x, x])", "_ twice with K between"), (2.5, "K.join([x, x[::-1]])", "_, K, and its reverse"),
    (2.5, "K.join([x] * 3)", "_ three times with K between"),
    (2.0, "x[:1] + K * (len(x) - 1)", "_ with all but its first character made K"),
    (2.5, "x[:1] + K * (len(x) - 2) + x[1:][-1:]", "_ with its inside made K"),
    (2.5, "K * (len(x) - 1) + x[-1:]", "_ with all but its last character made K"),
    (2.5, "x[:2] + K * (len(x) - 2)", "_ with all but its first two characters made K"),
    (2.5, "K * (len(x) - 4) + x[-4:]", "_ with all but its last four characters made K"),
    (2.5, "x[:len(x) // 2] + K + x[len(x) // 2:]", "_ with K in the middle"),
    (3.0, "x[:(len(x) + 1) // 2] + K + x[(len(x) + 1) // 2:]", "_ with K in the middle (long half first)"),
    (2.0, "x[:1] + K + x[1:]", "_ with K after its first character"),
    (2.0, "x[:-1] + K + x[-1:]", "_ with K before its last character"),
    (2.5, "x[:2] + K + x[2:]", "_ with K after its second character"),
    (3.0, "x[:3] + K + x[3:]", "_ with K after its third character"),
    (2.5, "place(x, 0, K)", "_ with its first character made K"),
    (2.5, "place(x, -1, K)", "_ with its last character made K"),
    (3.0, "place(x, 1, K)", "_ with its second character made K"),
    (3.0, "place(x, 2, K)", "_ with its third character made K"),
    (3.0, "place(x, len(x) // 2, K)", "_ with its middle character made K"),
    (2.5, "x.replace(x[0], K)", "_ with K for its first character wherever it is"),
    (3.0, "x.replace(x[-1], K)", "_ with K for its last character wherever it is"),
    (3.0, "x[0] + x[1:].replace(x[0], K)", "_ with K for later occurrences of its first character"),
    (3.5, "K.join(x[i:i + 2] for i in range(0, len(x), 2))", "_ in pairs joined by K"),
    (3.5, "K.join(x[i:i + 3] for i in range(0, len(x), 3))", "_ in threes joined by K"),
    (3.0, "''.join(K if i and c == x[i - 1] else c for i, c in enumerate(x))", "_ with K for repeats"),
    (3.0, "''.join(K if c in x[:i] else c for i, c in enumerate(x))", "_ with K for what came before"),
    (3.0, "''.join(K + c if c.isupper() else c for c in x)", "_ with K before each capital"),
    (3.0, "K.join(runs(x))", "the runs of _ joined by K"),
    (3.0, "K.join(str(ord(c)) for c in x)", "the codes of _ joined by K"),
    (3.0, "K.join(str(rank(c)) for c in x if rank(c))", "the alphabet places of _ joined by K"),
    (3.0, "K.join(str(len(w)) for w in x.split())", "the word lengths of _ joined by K"),
    (3.5, "K.join(x[:i + 1] for i in range(len(x)))", "the beginnings of _ joined by K"),
    (3.0, "' '.join(K if i % 2 else w for i, w in enumerate(x.split()))", "_ with K for every second word"),
    (3.0, "' '.join([K, *x.split()[1:]])", "_ with K for its first word"),
    (3.0, "' '.join([*x.split()[:-1], K])", "_ with K for its last word"),
    (3.0, "' '.join(K for w in x.split())", "K for each word of _"),
    *((2.5 + n * 0.1, f"x.{how}({n}, K)", f"_ padded with K to {n} ({how})")
      for n in (3, 4, 5, 6, 8, 10, 12, 15, 16, 20, 30) for how in ("ljust", "rjust", "center")),
)  # fmt: skip


def with_constant(text: str) -> list[Prim]:
    """The steps that use one constant."""
    k, said, cost, one = repr(text), quoted(text), 0.4 * len(text), len(text) == 1
    out = [
        prim(c + cost, s.replace("K", k), n.replace("K", said))
        for c, s, n in _WITH
        if one or ("ljust" not in s and "rjust" not in s and "center" not in s)
    ]
    out += [
        prim(4.0 + cost + 0.2 * i, f"re.sub(r'{pattern}', {k}, x)", f"_ with {said} for its {name}")
        for i, (pattern, name) in enumerate(GROUPS)
    ]
    for i, (name, test) in enumerate(CLASSES.items()):
        e = 2.5 + cost + 0.15 * i
        first = f"next((i for i, c in enumerate(x) if {test}), len(x))"
        out += [
            prim(e, f"''.join({k} if {test} else c for c in x)", f"_ with {said} for {name}"),
            prim(
                e, f"''.join(c if {test} else {k} for c in x)", f"_ with {said} for all but {name}"
            ),
            prim(
                e + 0.5,
                f"''.join(c + {k} if {test} else c for c in x)",
                f"_ with {said} after {name}",
            ),
            prim(
                e + 0.5,
                f"''.join({k} + c if {test} else c for c in x)",
                f"_ with {said} before {name}",
            ),
            prim(e, f"{k}.join(c for c in x if {test})", f"the {name} of _ joined by {said}"),
            prim(e + 1, f"{k} * sum({test} for c in x)", f"as many {said} as _ has {name}"),
            prim(e + 1.5, f"place(x, {first}, {k})", f"_ with {said} for the first of its {name}"),
        ]
    return out
