"""Pictures for models: small, beside what they belong to, or in words where a model is blind."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hubel.agent.planners.openai.names import LENGTH
from hubel.agent.records import Experiment
from hubel.agent.wording import change_text, number, provenance_text

if TYPE_CHECKING:
    from PIL import Image

    from hubel.tools.stimuli import PictureStore

#: Longest side of a picture, in pixels, and the gap between two.
SIDE = 224
_GAP = 8
#: Panels of one experiment.
MOST = 9
#: Phrases that describe the content of a picture, and its pixels.
_PHRASES = 8


@dataclass(frozen=True, slots=True)
class Panel:
    """What is shown together: a picture, or two side by side.

    Attributes:
        pictures: Their ids.
        caption: What they are, in one line.
    """

    pictures: tuple[str, ...]
    caption: str


def panels(experiment: Experiment) -> list[Panel]:
    """What there is to see of an experiment: each picture once, beside its heat-map or parent."""
    made = (experiment.result or {}).get("artifacts", ())
    about: dict[str, Mapping[str, Any]] = {a["id"]: a["provenance"] for a in made}
    activation = _activations(experiment)
    paired = {p["of"] for p in about.values() if "of" in p}
    found = []
    for picture, provenance in about.items():
        if "of" in provenance:
            level = number(provenance.get("activation"))
            of = str(provenance["of"])
            caption = f"picture {of[:LENGTH]} and its heat-map, activation {level}"
            found.append(Panel((of, picture), caption))
        elif provenance.get("kind") == "edit":
            found.append(_edited(picture, provenance))
        elif picture not in paired:
            told = f", activation {number(activation[picture])}" if picture in activation else ""
            caption = f"picture {picture[:LENGTH]}{told}: {provenance_text(provenance)[:200]}"
            found.append(Panel((picture,), caption))
    return found[:MOST]


def _edited(picture: str, provenance: Mapping[str, Any]) -> Panel:
    parent = str(provenance["parent"])
    change = change_text(provenance.get("changed") or {})
    caption = f"picture {parent[:LENGTH]}, and {picture[:LENGTH]}: {provenance_text(provenance)}"
    return Panel((parent, picture), caption + (f" ({change})" if change else ""))


def _activations(experiment: Experiment) -> dict[str, float]:
    """Activation by picture, where the experiment measured it."""
    values = experiment.values
    stimuli = values.get("stimuli") or experiment.args.get("stimuli") or []
    levels = values.get("activation")
    if not isinstance(stimuli, list) or not isinstance(levels, list):
        return {}
    return {s: a for s, a in zip(stimuli, levels, strict=False) if isinstance(a, int | float)}


@dataclass(frozen=True, slots=True)
class Album:
    """Shows panels to a model.

    Attributes:
        store: Where the pictures lie.
        sees: Whether the model sees pictures; if not, it is told of them.
    """

    store: PictureStore
    sees: bool

    def show(self, panel: Panel) -> list[dict[str, Any]]:
        """A panel as parts of a message: its caption, and the picture."""
        if not self.sees:
            return [_text(f"[{panel.caption}. {self._in_words(panel)}]")]
        return [_text(f"[{panel.caption}]"), _image(_encoded(self.store, panel.pictures))]

    def _in_words(self, panel: Panel) -> str:
        words = {p: _described(self.store, p) for p in panel.pictures}
        told = [f"{p[:LENGTH]} has {w}" for p, w in words.items() if w]
        return "; ".join(told)


def mention(panel: Panel) -> str:
    """The one line that stands for a panel that is not shown any more."""
    return f"[not shown again: {panel.caption}]"


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


@lru_cache(maxsize=256)
def _encoded(store: PictureStore, pictures: tuple[str, ...]) -> str:
    """Pictures side by side as a data URL."""
    return data_url(beside([small(store.image(p)) for p in pictures]))


@lru_cache(maxsize=1024)
def _described(store: PictureStore, picture: str) -> str:
    """What is most true of a picture by the program's judge; nothing of a heat-map."""
    from hubel.tools.concepts import judge

    artifact = store.artifact(picture)
    if artifact.kind == "figure":
        return ""
    degrees = most_true(judge(store.image(picture), artifact.provenance))
    return ", ".join(f"{phrase} {degree:.2g}" for phrase, degree in degrees.items())


def most_true(degrees: Mapping[str, float]) -> dict[str, float]:
    """Of the phrases of a picture, those that are most true: of its content, then of its pixels."""
    from hubel.tools.concepts import source_of

    ranked = sorted(degrees.items(), key=lambda item: -item[1])
    pixels = [item for item in ranked if source_of(item[0]) == "statistic"]
    content = [item for item in ranked if item not in pixels]
    return dict(content[:_PHRASES] + pixels[:_PHRASES])


def small(picture: Image.Image, side: int = SIDE) -> Image.Image:
    """A picture scaled so that its longest side is `side` pixels."""
    from PIL import Image as Images

    scale = side / max(picture.size)
    size = tuple(max(1, round(length * scale)) for length in picture.size)
    return picture.convert("RGB").resize((size[0], size[1]), Images.Resampling.LANCZOS)


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures in a row on white."""
    from PIL import Image as Images

    width = sum(p.width for p in pictures) + _GAP * (len(pictures) - 1)
    row = Images.new("RGB", (width, max(p.height for p in pictures)), "white")
    at = 0
    for picture in pictures:
        row.paste(picture, (at, 0))
        at += picture.width + _GAP
    return row


def data_url(picture: Image.Image) -> str:
    """A picture as a data URL of a JPEG file."""
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
