"""Experiments as a page shows them: what was done, what came out, which pictures took part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from markupsafe import Markup

from hubel.agent.records import Experiment, Message
from hubel.agent.story import HELD_OUT, Story, Trial
from hubel.agent.summaries import summary_of
from hubel.agent.web import plots
from hubel.agent.web.album import Album
from hubel.agent.web.svg import Span
from hubel.agent.web.tidy import (
    Estimate,
    Node,
    estimates,
    facts,
    is_id,
    numeric,
    same_measure,
    tidy,
)
from hubel.agent.wording import number, spoken

#: Groups of pictures that are shown at once; the others wait behind a fold, up to a limit.
SHOWN, FOLDED = 6, 24

#: Samples: their pictures are too many to show, and a section of their own shows what they gave.
_SAMPLES = ("exemplars", "survey", HELD_OUT)


@dataclass(frozen=True, slots=True)
class Shot:
    """Pictures that belong together, side by side, with words below.

    Attributes:
        notes: One below each picture, or none.
    """

    pictures: list[Markup]
    caption: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a forest plot."""

    estimate: Estimate
    track: Markup


@dataclass(frozen=True, slots=True)
class Card:
    """One experiment.

    Attributes:
        forest: Estimates with intervals, as (what they are, rows).
        pairs: Plot of what was measured on two sets of pictures.
        error: What went wrong, if anything did.
        script: The code that was run, and what it printed; both empty for other tools.
        figures: What it drew, to be read.
    """

    experiment: Experiment
    summary: str
    trials: list[Trial]
    facts: list[tuple[str, str]]
    forest: list[tuple[str, list[Row]]]
    pairs: Markup | None
    shots: list[Shot]
    more: list[Shot]
    left_out: int
    values: Node
    arguments: Node
    error: str | None
    script: tuple[str, str]
    figures: list[Shot]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the planner with the experiments that it asked for; a refused one has none."""

    number: int
    role: str
    thought: str
    error: str | None
    names: list[str]
    concluded: bool
    cards: list[Card]


def steps_of(story: Story, album: Album, messages: Collection[int] | None = None) -> list[StepView]:
    """The study from its first experiment to its last, by the steps that asked for them.

    Args:
        story: The study.
        album: Its pictures.
        messages: Numbers of the steps that are wanted; all if left out.
    """
    wanted = {m.n for m in story.messages} if messages is None else set(messages)
    cards = [_card(e, story, album) for e in story.experiments if e.message in wanted]
    of_message = {m: list(c) for m, c in groupby(cards, lambda c: c.experiment.message)}
    return [
        _step(m, of_message.get(m.n, []))
        for m in story.messages
        if m.n in wanted and (m.role != "user" or m.n in of_message)
    ]


def _step(message: Message, cards: list[Card]) -> StepView:
    step = message.content.get("step") or {}
    return StepView(
        number=message.n,
        role=message.role,
        thought=step.get("thought") or "",
        error=message.content.get("error"),
        names=[h["name"] for h in step.get("hypotheses") or ()],
        concluded=step.get("conclusion") is not None,
        cards=cards,
    )


def _card(experiment: Experiment, story: Story, album: Album) -> Card:
    values, result = experiment.values, experiment.result or {}
    shots = [] if experiment.tool in _SAMPLES else _shots(experiment, album)
    return Card(
        experiment=experiment,
        summary=summary_of(experiment),
        trials=[t for t in story.trials if t.prediction.experiment == experiment.n],
        facts=_facts(experiment),
        forest=_forests(list(estimates(values)), result.get("measures") or {}),
        pairs=_pairs(values),
        shots=shots[:SHOWN],
        more=shots[SHOWN:FOLDED],
        left_out=max(0, len(shots) - FOLDED),
        values=tidy(values, result.get("measures")),
        arguments=tidy(experiment.args),
        error=experiment.error,
        script=(str(experiment.args.get("code", "")).strip(), str(values.get("printed", "")))
        if experiment.kind == "computation"
        else ("", ""),
        figures=[_shot(album, [id_], album.about(id_)) for id_ in _figures(experiment)],
    )


def _facts(experiment: Experiment) -> list[tuple[str, str]]:
    if experiment.kind == "stimulus" or experiment.tool in _SAMPLES:
        return []
    if experiment.kind == "computation":  # what it printed is shown as it is
        return facts({"result": experiment.values.get("result")})
    return facts(experiment.values)


def _figures(experiment: Experiment) -> list[str]:
    """What code drew with matplotlib; too much to read at the size of a picture."""
    made = (experiment.result or {}).get("artifacts") or ()
    return [a["id"] for a in made if a["provenance"].get("shown") == "figure"]


def forest_rows(found: Sequence[Estimate], floors: Sequence[float | None] = ()) -> list[Row]:
    """Estimates of one kind as rows on a shared axis."""
    axis = _axis(found)
    beside = floors or [e.control for e in found]
    return [
        Row(e, plots.interval(axis, e.value, e.ci, floor))
        for e, floor in zip(found, beside, strict=True)
    ]


def _forests(found: list[Estimate], measures: Mapping[str, str]) -> list[tuple[str, list[Row]]]:
    """Tables of estimates: those that share an axis by themselves, the others in one."""
    families = [list(rows) for _, rows in groupby(found, lambda e: e.family)]
    loose = [_with_family(e) for rows in families if not same_measure(rows) for e in rows]
    shared = [
        (": ".join(filter(None, [spoken(name), measures.get(name)])), forest_rows(rows))
        for name, rows in ((rows[0].family, rows) for rows in families if same_measure(rows))
    ]
    alone = [Row(e, plots.interval(_axis([e]), e.value, e.ci, e.control)) for e in loose]
    return ([("each on an axis of its own", alone)] if alone else []) + shared


def _with_family(e: Estimate) -> Estimate:
    if e.family == "contrast" and not e.label:
        return replace(e, label="difference")
    return replace(e, label=f"{spoken(e.family)}: {e.label}" if e.label else spoken(e.family))


def _axis(found: Sequence[Estimate]) -> Span:
    ends = [v for e in found for v in (e.value, *(e.ci or ()))]
    ends += [e.control for e in found if e.control is not None]
    return Span.of(ends, zero=True, pad=0.08)


def _pairs(values: Mapping[str, Any]) -> Markup | None:
    """Measured against compared with, where a result holds two lists of activations."""
    after, before = _numbers(values.get("activation")), _numbers(values.get("baseline"))
    contrast = values.get("contrast")
    if not (isinstance(contrast, Mapping) and after and before):
        return None
    return plots.pairs(before, after, joined=bool(contrast.get("paired")))


def _numbers(value: Any) -> list[float]:
    return value if isinstance(value, list) and all(map(numeric, value)) else []


def _shots(experiment: Experiment, album: Album) -> list[Shot]:
    """The pictures of an experiment, grouped: pairs together, heat-maps beside their pictures."""
    values, args = experiment.values, experiment.args
    artifacts = (experiment.result or {}).get("artifacts") or []
    maps = {a["provenance"]["of"]: a["id"] for a in artifacts if is_id(a["provenance"].get("of"))}
    stimuli = _ids(values.get("stimuli")) or _ids(args.get("stimuli"))
    parents, baseline = _ids(values.get("parents")), _ids(args.get("baseline"))
    if stimuli and len(parents) == len(stimuli):
        return [
            _shot(album, [p, s], album.change(s)) for p, s in zip(parents, stimuli, strict=True)
        ]
    measured, beside = _told(values.get("activation")), _told(values.get("baseline"))
    if (values.get("contrast") or {}).get("paired") and len(baseline) == len(stimuli):
        return [
            _shot(album, [b, s, *_map(maps, s)], "", [before, after])
            for b, s, before, after in zip(baseline, stimuli, beside, measured, strict=False)
        ]
    notes = measured if len(measured) == len(stimuli) else []
    outputs = _outputs(values, len(stimuli))
    shots = [
        _shot(
            album, [s, *_map(maps, s)], outputs[i] if outputs else album.about(s), notes[i : i + 1]
        )
        for i, s in enumerate(stimuli)
    ]
    shown = {*stimuli, *maps.values(), *_figures(experiment)}
    rest = [a["id"] for a in artifacts if a["id"] not in shown]
    made = [_shot(album, [*_parent(artifacts, a), a], album.about(a)) for a in rest]
    return shots + made if notes or outputs or maps else made or shots


def _shot(album: Album, ids: Sequence[str], caption: str, notes: Sequence[str] = ()) -> Shot:
    return Shot([album.show(i) for i in ids], caption, list(notes))


def _map(maps: Mapping[str, str], stimulus: str) -> list[str]:
    return [maps[stimulus]] if stimulus in maps else []


def _parent(artifacts: Sequence[Mapping[str, Any]], picture: str) -> list[str]:
    made = next(a["provenance"] for a in artifacts if a["id"] == picture)
    return [made["parent"]] if is_id(made.get("parent")) else []


def _ids(value: Any) -> list[str]:
    return [v for v in value if is_id(v)] if isinstance(value, list) else []


def _told(value: Any) -> list[str]:
    return [number(v) for v in _numbers(value)]


def _outputs(values: Mapping[str, Any], n: int) -> list[str]:
    """What the network says of each picture, before and after its inside was changed."""
    seen = values.get("pictures")
    top = seen.get("top") if isinstance(seen, Mapping) else None
    if not isinstance(seen, Mapping) or not isinstance(top, list) or len(top) != n:
        return []
    becomes = seen.get("becomes") or [None] * n
    return [f"{a} → {b}" if b else f"{a}, unchanged" for a, b in zip(top, becomes, strict=False)]
