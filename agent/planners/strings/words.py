"""Programs that treat words one by one, read off examples whose words match one to one."""

from __future__ import annotations

from functools import cache

from hubel.agent.planners.strings.among import among, matched
from hubel.agent.planners.strings.charwise import charwise
from hubel.agent.planners.strings.conditions import conditional
from hubel.agent.planners.strings.constants import between, shown
from hubel.agent.planners.strings.data import Data, Pool, vector
from hubel.agent.planners.strings.numbers import counts
from hubel.agent.planners.strings.steps import char_steps
from hubel.agent.planners.strings.terms import IDENTITY, Prim, Term, call, either, prim
from hubel.agent.planners.strings.wordsteps import CUTS, each_among, each_word, joined_pieces


@cache
def _steps() -> tuple[Prim, ...]:
    counted = [prim(n.cost + 0.5, f"str({n.source})", n.noun) for n in counts()]
    cheap = [s for s in (*char_steps(), *counted) if s.cost <= 5]
    return tuple(sorted(cheap, key=lambda s: (s.cost, s.source)))


#: Tests of the place ``i`` of a word among ``n``.
_PLACES = (
    ("i % 2 == 0", "at even places from 0"), ("i == 0", "first"), ("i == n - 1", "last"),
    ("i in (0, n - 1)", "at the ends"), ("i % 3 == 2", "at every third place"),
)  # fmt: skip


_JOINS = (" ", "", "-", ",", ", ", "_", ".", "/", "|", "\n")


@cache
def _cuts() -> tuple[Prim, ...]:
    return tuple(prim(*row) for row in CUTS)


def piecewise(data: Data) -> list[Term]:
    """Programs ``K.join(g(w) for w in pieces(x))`` that meet all examples.

    The output is cut at K; where there are as many parts as pieces, what becomes of a piece is
    read off the pairs.
    """
    pairs = [(x, t) for x, t in zip(data.inputs, data.targets, strict=True) if t is not None]
    joins = dict.fromkeys([*_JOINS, *shown(data, 3), *between(data)])
    found: list[Term] = []
    for k, cut in enumerate(_cuts()):
        for join in joins:
            table = _pieces(pairs, cut, join)
            if table is None or len(table) < 6 or (k == 0 and join == " "):
                continue
            words = Data(tuple(table), tuple(table.values()))
            rules = _word_rules(words, simple=True) if len(table) < 600 else []
            found += [t for r in rules[:3] if data.fits(t := joined_pieces(r, CUTS[k], join))]
        if found and min(t.cost for t in found) < 7:
            break
    return found


def _pieces(pairs: list[tuple[str, str]], cut: Prim, join: str) -> dict[str, str] | None:
    """What becomes of each piece; None where the parts are not as many, or contradict."""
    table: dict[str, str] = {}
    for x, t in pairs:
        old = call(cut.function, x)
        if old is None:
            return None
        new = list(t) if join == "" else t.split(join) if t or old else []
        if len(old) != len(new):
            return None
        for w, v in zip(old, new, strict=True):
            if table.setdefault(w, v) != v:
                return None
    return table


def wordwise(data: Data) -> list[Term]:
    """Programs ``' '.join(g(w) for w in x.split())`` that meet all examples.

    Where there are none, those in which a word becomes something of its place or of the others.
    """
    pairs = matched(data)
    return [] if pairs is None else _alone(pairs, data) or among(data)


def _alone(pairs: list[tuple[list[str], list[str]]], data: Data) -> list[Term]:
    """Programs that look at a word alone, or besides at which of a few places it is."""
    items: dict[tuple[str, int, int], str] = {}
    for old, new in pairs:
        for i, (w, v) in enumerate(zip(old, new, strict=True)):
            if items.setdefault((w, i, len(old)), v) != v:
                return []
    flat: dict[str, str] = {}
    if all(flat.setdefault(w, v) == v for (w, _, _), v in items.items()):
        rules = _word_rules(Data(tuple(flat), tuple(flat.values())))
        both = [each_word(r, None, cut) for r in rules for cut in ("x.split()", "x.split(' ')")]
        return [t for t in both if data.fits(t)]
    return [t for t in _by_place(items) if data.fits(t)]


def _word_rules(words: Data, simple: bool = False) -> list[Term]:
    pool = Pool(words.inputs)
    pool.add(IDENTITY, words.inputs)
    pool.extend(IDENTITY, words.inputs, _steps())
    met = [(t, m) for t, v in pool.ordered() if (m := words.mask(v))]
    found = [t for t, m in met if m == words.known]
    found += charwise(words, limit=4)
    if not found and simple:
        return []
    if not found:
        for term, values in [p for p in pool.ordered() if p[0].cost <= 2.5][1:16]:
            if all(isinstance(v, str) for v in values):
                found += [t.of(term) for t in charwise(Data(values, words.targets), limit=2)]
    if not found:
        met += _pairs(words, pool)
        found += [t for t, m in met if m == words.known]
    return found or conditional(words, met, lambda rest, _: charwise(rest, 2), depth=1)


def _pairs(words: Data, pool: Pool) -> list[tuple[Term, int]]:
    keys, out = words.keys[:4], []
    for term, values in pool.ordered():
        if term.cost > 3.0:
            break
        for step in _steps():
            if term.cost + step.cost > 7.0:
                break
            if any(call(step.function, values[k]) == words.targets[k] for k in keys):
                mask = words.mask(vector(step, values))
                if mask:
                    out.append((term.then(step), mask))
    return out


def _by_place(items: dict[tuple[str, int, int], str]) -> list[Term]:
    out = []
    for source, noun in _PLACES:
        test = eval(compile(f"lambda i, n: {source}", "<place>", "eval"))  # noqa: S307
        sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
        if any(sides[bool(test(i, n))].setdefault(w, v) != v for (w, i, n), v in items.items()):
            continue
        no, yes = (_word_rules(Data(tuple(s), tuple(s.values())), simple=True) for s in sides)
        if no and yes:
            place = prim(2.0, source.replace("n - 1", "len(words) - 1"), f"it is {noun}")
            out.append(each_among(either(place, yes[0], no[0])))
    return out
