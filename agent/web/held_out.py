"""The test on held-out pictures, as the report shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hubel.agent.records import Experiment
from hubel.agent.story import Story
from hubel.agent.web import plots
from hubel.agent.web.album import Album
from hubel.agent.web.cards import Row, Shot, forest_rows
from hubel.agent.web.tidy import Estimate, column, is_id, source
from hubel.agent.wording import number

#: How it is known whether a picture has a phrase.
_SOURCES = {
    "label": "from labels or captions",
    "scene": "exact, in rendered scenes",
    "statistic": "measured on the pixels",
    None: "from another judge",
}
#: What is scored, its correlation, the interval, and more numbers of it.
_Part = tuple[str, float, tuple[float, float] | None, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The test on held-out pictures.

    Attributes:
        shown: Some of the pictures, with measured and predicted activation.
        populations: Names with numbers of pictures, in the order of their colours.
    """

    experiment: Experiment
    plot: Markup | None
    shown: list[Shot]
    populations: list[tuple[str, int]]
    comparison: list[Row]
    concepts: list[dict[str, Any]]


def held_out(story: Story, album: Album) -> HeldOut | None:
    """How the explanation did on pictures that its author had not seen."""
    score, sample = story.score, story.held_out
    if score is None or sample is None:
        return None
    counts = Counter(map(str, sample.values.get("population") or ()))
    populations = sorted(counts.items())
    return HeldOut(
        experiment=sample,
        plot=_scatter(sample.values, score.detail.get("predicted"), [p for p, _ in populations]),
        shown=_shown(sample.values, score.detail.get("predicted"), album),
        populations=populations,
        comparison=_comparison(story),
        concepts=[
            {**c, "source": _SOURCES[source(c["phrase"])]}
            for c in score.detail.get("concepts") or ()
        ],
    )


def _comparison(story: Story) -> list[Row]:
    """The explanation, its parts, and what it must beat, on one axis."""
    score = story.score
    if score is None:
        return []
    detail = score.detail
    rows: list[_Part] = [("this explanation", score.pearson, (score.ci_low, score.ci_high), detail)]
    for name, part in sorted((detail.get("by_population") or {}).items()):
        rows.append((f"on {name} alone", part["pearson"], (part["low"], part["high"]), part))
    for name, other in story.scores.items():
        if name != "explanation":
            rows.append((name, other.pearson, (other.ci_low, other.ci_high), {}))
    shuffled, ceiling = detail.get("shuffled"), detail.get("ceiling")
    if shuffled is not None:
        rows.append(("shuffled predictions, 95th percentile", shuffled, None, {}))
    if ceiling is not None:
        rows.append(("ceiling: the unit against itself", ceiling, None, {}))
    found = [
        Estimate("score", name, value, ci, of.get("p"), None, None) for name, value, ci, of in rows
    ]
    return forest_rows(found, [of.get("shuffled") for *_, of in rows])


def _scatter(values: Mapping[str, Any], predicted: Any, names: list[str]) -> Markup | None:
    measured = values.get("activation")
    if not isinstance(measured, list) or not isinstance(predicted, list):
        return None
    if len(measured) != len(predicted) or not measured:
        return None
    weights = column(values.get("weight"), len(measured))
    kinds = column(values.get("population"), len(measured))
    points = [
        plots.Point(
            x, y, 1.0 if w is None else w, names.index(str(kind)) % 4 if kind is not None else 0,
            f"{kind or 'picture'}: predicted {number(x)}, measured {number(y)}",
        )
        for x, y, w, kind in zip(predicted, measured, weights, kinds, strict=True)
    ]  # fmt: skip
    label = f"Scatter plot of {len(points)} pictures: measured against predicted activation"
    return plots.scatter(points, label)


def _shown(values: Mapping[str, Any], predicted: Any, album: Album) -> list[Shot]:
    measured = values.get("activation") or []
    told = column(predicted, len(measured))
    return [
        Shot(
            [album.show(one["stimulus"])],
            "" if told[one["at"]] is None else f"predicted {number(told[one['at']])}",
            [number(measured[one["at"]])],
        )
        for one in values.get("shown") or ()
        if is_id(one.get("stimulus")) and one.get("at", len(measured)) < len(measured)
    ]
