"""String neurons: functions from string to string, as Bau and others' FIND has them (2023).

Clean laws; compositions of two or three; conditions on a property of the input; exceptions for few
inputs; rare laws of another build; laws whose outputs are garbled at times, or that are chance by
construction; and null units. Seeded: the same seed makes the same neuron.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hubel.evals.families.strings import laws
from hubel.evals.families.strings.inputs import draw_one, strata
from hubel.evals.neuron import Neuron

#: Complexities with their shares of a suite.
SHARES = {
    "clean": 0.22, "rare": 0.16, "composed": 0.20, "conditional": 0.16, "exception": 0.10,
    "noise": 0.08, "null": 0.08,
}  # fmt: skip
_ERRORS = (ValueError, TypeError, IndexError, KeyError)


def make(seed: int, n: int) -> Neuron:
    """Neuron ``n`` of the suite of a seed."""
    rng = np.random.default_rng([seed, n, 0x57])
    names, shares = list(SHARES), list(SHARES.values())
    for tries in range(200):
        complexity = names[int(rng.choice(len(names), p=shares))]
        if n % 2 == 0 and tries == 0:  # every second one goes round, so that none is missing
            complexity = names[(n // 2) % len(names)]
        neuron = _BUILDERS[complexity](f"strings{seed}/{n}", rng)
        if not neuron.real or (neuron.about or {}).get("chance") or _telling(neuron):
            return neuron
    raise RuntimeError(f"no telling string function in 200 tries (seed {seed}, {n})")


def suite(seed: int, count: int) -> list[Neuron]:
    """The first neurons of a seed."""
    return [make(seed, n) for n in range(count)]


def run(code: str) -> Callable[[str], str | None]:
    """The function ``f`` of a source; None where it raises."""
    scope: dict[str, Any] = {}
    exec(compile(code, "<neuron>", "exec"), scope)  # noqa: S102 (our own laws)
    f = scope["f"]

    def safe(x: str) -> str | None:
        try:
            return str(f(x))
        except _ERRORS:
            return None

    return safe


def _many(f: Callable[[str], str | None]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda inputs: [f(str(x)) for x in inputs]


def _telling(neuron: Neuron) -> bool:
    """Not constant, not the identity, defined almost everywhere, its exception seen."""
    inputs, _ = neuron.draw(120, np.random.default_rng(1))
    if len(inputs) < 120:
        return False
    outputs = neuron.truth(inputs)
    given = [y for y in outputs if y is not None]
    same = sum(x == y for x, y in zip(inputs, outputs, strict=True))
    least = (neuron.about or {}).get("least", 2)
    return (
        len(given) > 100 and same < 90 and len(set(given)) >= least and max(map(len, given)) < 2000
    )


def _neuron(
    name: str, complexity: str, kind: str, code: str, words: str, test: str | None = None
) -> Neuron:
    inside: Callable[[str], bool] | None = None
    if test is not None:
        check = run(f"def f(x):\n    return int(bool({test}))")
        inside = lambda x: check(x) == "1"  # noqa: E731
    f = run(code)
    return Neuron(
        name, "strings", kind, complexity, _many(f), _many(f), strata(inside), words, code
    )


def _indented(body: str, by: str = "    ") -> str:
    return "\n".join(by + line for line in body.splitlines())


def _single(name: str, rng: np.random.Generator, rows: Any, complexity: str) -> Neuron:
    law = laws.law(rows[int(rng.integers(len(rows)))], rng)
    return _neuron(name, complexity, law.name, f"def f(x):\n{_indented(law.body)}\n", law.words)


def _clean(name: str, rng: np.random.Generator) -> Neuron:
    return _single(name, rng, laws.COMMON, "clean")


def _rare(name: str, rng: np.random.Generator) -> Neuron:
    return _single(name, rng, laws.RARE, "rare")


def _chain(rng: np.random.Generator, count: int, rare: float = 0.1) -> tuple[str, str, str]:
    """Steps in a row: names, functions ``f0``, ``f1`` ... with the call of them, words."""
    rows = [laws.RARE if rng.random() < rare else laws.COMMON for _ in range(count)]
    chosen = [laws.law(r[int(rng.integers(len(r)))], rng) for r in rows]
    body = ""
    for k, law in enumerate(chosen):
        body += f"def step{k}(x):\n{_indented(law.body)}\n"
    call = "x"
    for k in range(count):
        call = f"step{k}({call})"
    return (
        " > ".join(c.name for c in chosen),
        f"{body}return {call}",
        ", then ".join(c.words for c in chosen),
    )


def _composed(name: str, rng: np.random.Generator) -> Neuron:
    kind, body, words = _chain(rng, 2 if rng.random() < 0.7 else 3)
    return _neuron(name, "composed", kind, f"def f(x):\n{_indented(body)}\n", words)


def _forked(name: str, rng: np.random.Generator, rows: Any, complexity: str) -> Neuron:
    test, which = laws.test(rows[int(rng.integers(len(rows)))], rng)
    kind_a, yes, words_a = _chain(rng, 1)
    kind_b, no, words_b = _chain(rng, 1)
    sides = _indented(yes, " " * 8), _indented(no, " " * 8)
    code = f"def f(x):\n    if {test}:\n{sides[0]}\n    else:\n{sides[1]}\n"
    words = f"for inputs {which}: {words_a}; for others: {words_b}"
    exception = test if complexity == "exception" else None
    return _neuron(name, complexity, f"{kind_a} / {kind_b}", code, words, exception)


def _conditional(name: str, rng: np.random.Generator) -> Neuron:
    return _forked(name, rng, laws.TESTS, "conditional")


def _exception(name: str, rng: np.random.Generator) -> Neuron:
    return _forked(name, rng, laws.RARE_TESTS, "exception")


def _noise(name: str, rng: np.random.Generator) -> Neuron:
    if rng.random() < 0.5:
        return _chance(name, rng)
    clean = _clean(name, rng)
    state = np.random.default_rng(int(rng.integers(1 << 31)))

    def garbled(inputs: Sequence[Any]) -> list[Any]:
        return [_garble(y, state) if state.random() < 0.15 else y for y in clean.truth(inputs)]

    return Neuron(
        name, "strings", clean.kind, "noise", garbled, clean.truth, clean.draw,
        clean.description + ", garbled in 15% of the calls", clean.code, about={"share": 0.15},
    )  # fmt: skip


def _garble(y: str | None, rng: np.random.Generator) -> str | None:
    if not y:
        return y
    at = int(rng.integers(len(y)))
    return y[:at] + str(rng.choice(list("qwxz#"))) + y[at + 1 :]


def _chance(name: str, rng: np.random.Generator) -> Neuron:
    """Laws that are chance by construction; no output is the right one."""
    state = np.random.default_rng(int(rng.integers(1 << 31)))
    kind = str(
        rng.choice(["characters shuffled", "one character", "words shuffled", "case by chance"])
    )

    def f(x: str) -> str | None:
        if kind == "characters shuffled":
            return "".join(state.permutation(list(x))) if x else ""
        if kind == "one character":
            return str(state.choice(list(x))) if x else None
        if kind == "words shuffled":
            return " ".join(state.permutation(x.split())) if x.split() else ""
        return "".join(c.upper() if state.random() < 0.5 else c.lower() for c in x)

    none = lambda inputs: [None for _ in inputs]  # noqa: E731
    return Neuron(
        name,
        "strings",
        kind,
        "noise",
        _many(f),
        none,
        strata(None),
        kind,
        None,
        about={"chance": True},
    )


def _null(name: str, rng: np.random.Generator) -> Neuron:
    kind = str(rng.choice(["unrelated", "random", "constant", "constant with spikes"]))
    salt, state = int(rng.integers(1 << 31)), np.random.default_rng(int(rng.integers(1 << 31)))
    fixed = draw_one(np.random.default_rng(salt)) or "null"

    def f(x: str) -> str:
        code = zlib.crc32(f"{salt}:{x}".encode())
        if kind == "constant" or (kind == "constant with spikes" and code % 60):
            return fixed
        source = state if kind == "random" else np.random.default_rng([salt, code])
        return draw_one(source) or "null"

    return Neuron(
        name, "strings", kind, "null", _many(f), _many(f), strata(None),
        f"nothing: {kind}", None, real=False,
    )  # fmt: skip


_BUILDERS: dict[str, Callable[[str, np.random.Generator], Neuron]] = {
    "clean": _clean,
    "rare": _rare,
    "composed": _composed,
    "conditional": _conditional,
    "exception": _exception,
    "noise": _noise,
    "null": _null,
}
