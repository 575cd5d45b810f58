"""Plain words for what the ledger holds in structured form: numbers, conditions, tool calls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubel.agent.story import Trial

#: What stands where nothing was measured.
MISSING = "–"

_PATHS = {
    "contrast.mean": "mean difference",
    "contrast.ci.0": "lower end of the 95% interval of the mean difference",
    "contrast.ci.1": "upper end of the 95% interval of the mean difference",
    "contrast.d": "effect size d",
    "contrast.p": "p value",
    "contrast.in_sd": "mean difference in standard deviations",
}
_SIGNS = {">=": "≥", "<=": "≤"}
#: Conditions on one end of an interval that say where the whole of it lies.
_WHOLE = {
    ("contrast.ci.0", ">"): "95% interval of the mean difference above",
    ("contrast.ci.1", "<"): "95% interval of the mean difference below",
}


def number(value: float | None) -> str:
    """A number at three significant digits, with a true minus sign."""
    if value is None:
        return MISSING
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{mantissa}×10{power}".replace("-", "−")
    digits = 2 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 6)}f}".replace("-", "−")


def score_text(value: float | None) -> str:
    """A correlation or a share, at two decimals."""
    return MISSING if value is None else f"{value:.2f}".replace("-", "−")


def interval_text(ci: Sequence[float] | None) -> str:
    """An interval, both ends at the precision of the larger one."""
    if ci is None:
        return MISSING
    largest = max(abs(ci[0]), abs(ci[1]))
    if not 1e-3 <= largest < 1e5:
        return f"{number(ci[0])} to {number(ci[1])}"
    digits = max(0, 2 - math.floor(math.log10(largest)))
    return f"{ci[0]:,.{digits}f} to {ci[1]:,.{digits}f}".replace("-", "−")


def p_text(value: float | None) -> str:
    """A p value with its sign: ``= 0.04`` or ``< 0.001``."""
    if value is None:
        return f"= {MISSING}"
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"


def seconds_text(value: float | None) -> str:
    """A time; minutes where there are some."""
    if value is None:
        return MISSING
    if value >= 100:
        return f"{int(value // 60)} min {value % 60:.0f} s"
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def spoken(key: str) -> str:
    """A key of a result as words."""
    return key.replace("_", " ")


def path_text(path: str) -> str:
    """What a dotted path of a measured number stands for."""
    return _PATHS.get(path, path)


def condition_text(condition: Mapping[str, Any], path: str) -> str:
    """A condition of a prediction, as in ``mean difference > 0.5``."""
    where, op = condition.get("path") or path, condition["op"]
    shown = f"{condition['value']:.3g}".replace("-", "−")
    if (where, op) in _WHOLE:
        return f"{_WHOLE[where, op]} {shown}"
    return f"{path_text(where)} {_SIGNS.get(op, op)} {shown}"


def prediction_text(trial: Trial, *, with_experiment: bool = False) -> str:
    """What was expected and what was measured, in one line."""
    p = trial.prediction
    measured = trial.verdict.measured if trial.verdict else None
    line = f"{path_text(p.path)} {number(measured)}, expected {condition_text(p.expects, p.path)}"
    return f"#{p.experiment}: {line}" if with_experiment else line


def instruction_text(instruction: Any) -> str:
    """An edit in words: ``without ‘red object’``, ``blur radius 4``."""
    if not isinstance(instruction, Mapping):
        return _short(instruction)
    op = spoken(str(instruction.get("op", "edited")))
    rest = [
        f"‘{v}’" if k == "phrase" else f"{spoken(str(k))} {_short(v)}"
        for k, v in instruction.items()
        if k != "op"
    ]
    return " ".join([op, *rest])


def change_text(changed: Mapping[str, Any]) -> str:
    """What an edit changed, where it was one factor of a scene: ``colour: red → white``."""
    factor = changed.get("factor")
    if not factor:
        return ""
    was, now = changed.get("from"), changed.get("to")
    if isinstance(was, str) and isinstance(now, str):
        return f"{factor}: {was} → {now}"
    return f"{factor} {'removed' if now is None else 'added' if was is None else 'changed'}"


def when_text(date: str) -> str:
    """A date of the ledger for people."""
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%-d %B %Y, %H:%M UTC")


def provenance_text(provenance: Mapping[str, Any]) -> str:
    """How a picture came to be, in a few words."""
    kind = provenance.get("kind")
    if kind == "edit":
        return f"edited: {instruction_text(provenance.get('instruction') or {})}"
    if kind == "scene" and isinstance(provenance.get("scene"), Mapping):
        return f"rendered scene: {_scene(provenance['scene'])}"
    if kind == "picture":
        labels = ", ".join(map(str, provenance.get("labels") or ()))
        return str(provenance.get("caption") or labels or provenance.get("item") or "picture")
    if kind == "code":
        return str(provenance.get("caption") or "made by code")
    return str(kind or "picture")


def _scene(scene: Mapping[str, Any]) -> str:
    things = [
        " ".join(str(t[k]) for k in ("colour", "texture", "shape") if t.get(k) and t[k] != "plain")
        for t in scene.get("things") or ()
    ]
    text = scene.get("text") or {}
    words = [*things, f"the word {text['word']}"] if text.get("word") else things
    return listed(words) or "background only"


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if not isinstance(value, list | dict) or len(str(value)) < 40 else "…"
