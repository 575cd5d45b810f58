"""What a tool has at hand: the target, the pictures, the index, a place for what it makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pydantic

from hubel.tools.stimuli import PictureStore
from hubel.tools.target import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor

    from hubel.tools.data import Dataset
    from hubel.tools.exemplars import Index

UnitName = Annotated[str, pydantic.Field(description="name of a unit, SITE:INDEX")]
StimulusId = Annotated[str, pydantic.Field(description="id of a picture")]

#: Pictures per forward pass. Small batches are the fastest on a CPU; see docs/benchmarks.md.
BATCH = 4


@dataclass
class Context:
    """The surroundings of a tool call.

    Attributes:
        seed: Seeds everything random in the call.
        cache: Folder for what can be computed again (the exemplar index).
        report: Called with (done, total, what) during long work.
    """

    target: Target
    data: Dataset
    store: PictureStore
    cache: Path
    seed: int = 0
    report: Callable[[int, int, str], None] = lambda _done, _total, _what: None
    _index: dict[str, Index] = field(default_factory=dict)

    def rng(self) -> np.random.Generator:
        """A fresh generator, seeded by the call's seed."""
        return np.random.default_rng(self.seed)

    def batches(self, images: Sequence[Image.Image]) -> list[Tensor]:
        """Pictures as input batches of at most `BATCH`."""
        return [self.target.batch(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]

    def maps(self, unit: str, images: Sequence[Image.Image]) -> list[NDArray[Any]]:
        """Activation map of a unit on each picture: float32, [H, W], [T] or scalar."""
        parsed = self.target.unit(unit)
        out: list[NDArray[Any]] = []
        for batch in self.batches(images):
            out += list(self.target.maps(batch, [parsed])[0].float().cpu().numpy())
        return out

    def activations(self, unit: str, images: Sequence[Image.Image]) -> NDArray[Any]:
        """Activation of a unit on each picture: its maximum over positions, float32 [N]."""
        return np.array([m.max() for m in self.maps(unit, images)], dtype=np.float32)

    def images(self, stimuli: Sequence[str]) -> list[Image.Image]:
        """The pictures of stimulus ids.

        Raises:
            ToolError: No such stimulus.
        """
        return [self.store.image(s) for s in stimuli]
