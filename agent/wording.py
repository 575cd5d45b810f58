"""Plain words for what the ledger holds in structured form: numbers, conditions, tool calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubel.agent.records import Experiment
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


def instruction_text(instruction: Mapping[str, Any]) -> str:
    """An edit in words: ``without ‘red object’``, ``blur radius 4``."""
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
    return str(kind or "picture")


def summary_of(experiment: Experiment) -> str:
    """One plain sentence: what was done and, where it ended well, what came out."""
    say = _SUMMARIES.get(experiment.tool)
    told = say(experiment.args, experiment.values) if say else ""
    if told:
        return told
    metric = (experiment.result or {}).get("metric")
    return f"Measured: {metric}." if metric else f"Called {experiment.tool}."


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
        return number(value)
    return str(value) if not isinstance(value, list | dict) or len(str(value)) < 40 else "…"


def _count(args: Mapping[str, Any], values: Mapping[str, Any], noun: str = "picture") -> str:
    stimuli = values.get("stimuli") or args.get("stimuli") or values.get("activation") or ()
    n = len(stimuli) or args.get("n", 0)
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _quoted(phrases: Sequence[Any]) -> str:
    return listed([f"‘{p}’" for p in phrases])


def _activate(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    contrast = values.get("contrast") or {}
    told = f"Measured the unit on {_count(args, {})}"
    if contrast.get("counterfactual") == "minimal pairs":
        told += ", each beside the same picture with one thing changed"
    elif args.get("baseline"):
        told += f" and on {len(args['baseline'])} others"
    if contrast.get("mean") is None:
        return told + "."
    more = "more" if contrast["mean"] > 0 else "less"
    return f"{told}: it responds {more}, by {number(abs(contrast['mean']))} on average."


def _synthesize(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    having, lacking = args.get("having") or (), args.get("lacking") or ()
    told = f"Drew {_count(args, values, 'scene')}"
    told += f" with {_quoted(having)}" if having else ""
    return told + (f" and without {_quoted(lacking)}." if lacking else ".")


def _ablate(args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    mode = {"zero": "zero", "mean": "its mean", "resample": "its map on other pictures"}
    filler = mode.get(args.get("mode", "mean"), "another value")
    told = f"Put {filler} in the unit's place on {_count(args, {})}"
    kl = (values.get("effect") or {}).get("kl")
    control = ((values.get("control") or {}).get("effect") or {}).get("kl")
    if kl is None:
        return told + "."
    told += f": the outputs move by {number(kl)} nats"
    return told + (f", for control units by {number(control)}." if control is not None else ".")


def _held_out(_args: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    n = len(values.get("activation", ()))
    which = f"{n} held-out pictures" if n else "held-out pictures"
    return f"Drew {which}, over the whole range of the unit, which no planner has seen."


_SUMMARIES: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], str]] = {
    "exemplars": lambda a, v: (
        f"Looked at the {_count(a, v)} to which the unit responds most."
    ),
    "survey": lambda a, v: (
        f"Measured the unit on {_count(a, {'activation': v.get('activation')})} of the discovery "
        "half, over its whole range, with the concepts of each."
    ),
    "image_stats": lambda _a, _v: (
        "Asked whether a plain statistic of the image explains the unit already."
    ),
    "synthesize": _synthesize,
    "find": lambda a, v: (
        f"Looked for pictures with ‘{a.get('phrase')}’"
        + (f": {_count({}, v)}." if v.get("stimuli") else ".")
    ),
    "edit": lambda a, v: f"Edited {_count(a, v)}: {instruction_text(a.get('instruction') or {})}.",
    "activate": _activate,
    "ablate": _ablate,
    "profile": lambda a, _v: f"Tried the standard edits on {_count(a, {})}.",
    "held_out_sample": _held_out,
}
