"""`hf:REPOSITORY` or `hf:FOLDER`: a transformers image classifier or CLIP-like vision tower.

The checkpoint says what it is: one with a classification head is opened with it; of a two-tower
model the vision tower is opened, for CLIP with its projection into the joint space; a bare vision
encoder is opened as it is, its pooled output standing for logits. Nothing is run that a checkpoint
brings along: weights are read from safetensors only, remote code is refused, and nothing is
fetched here (see `hubel.tools.targets.fetch`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor, nn

from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.targets.fetch import folder
from hubel.tools.targets.preprocessing import squash

#: What a checkpoint that is broken, of another kind, or not ours to run makes transformers raise.
_REFUSALS = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError)


def load(argument: str, device: str) -> Target:
    """Open a checkpoint that lies on this machine.

    Args:
        argument: A repository of the hub that was fetched, or a folder.
        device: Where it runs.

    Raises:
        ToolError: There is no such checkpoint, it is no vision model, weights are missing or are
            there only as pickles, or there is no preprocessing.
    """
    if not argument:
        raise ToolError("'hf' needs a repository or folder: 'hf:google/vit-base-patch16-224'.")
    path = folder(argument)
    _check_weights(path, argument)
    with _quiet():
        model, labels = _model(path, argument)
        preprocess = _Preprocess(_processor(path, argument), argument)
    return Target(
        f"hf:{argument}",
        model,
        preprocess,
        labels=labels,
        logits=_logits,
        device=device,
    )


class _Preprocess:
    """A checkpoint's own normalisation, on the whole picture at the checkpoint's input size.

    Its processor's cropping and padding are left out, for the reason given in `Squash`.
    """

    def __init__(self, processor: Any, name: str) -> None:
        self._processor = processor
        probe = processor(images=[Image.new("RGB", (256, 256))], return_tensors="pt")
        shape = tuple(probe["pixel_values"].shape)
        if len(shape) != 4 or shape[:2] != (1, 3):
            raise ToolError(f"'{name}' takes inputs of shape {shape}; only [N, 3, H, W] is read.")
        self._size = shape[2:]

    def __call__(self, images: Sequence[Image.Image]) -> Tensor:
        pixels: Tensor = self._processor(
            images=[squash(image, *self._size) for image in images],
            return_tensors="pt",
            do_resize=False,
            do_center_crop=False,
        )["pixel_values"]
        return pixels


def _check_weights(path: Path, name: str) -> None:
    if any(path.glob("*.safetensors")):
        return
    pickles = sorted(f.name for f in path.iterdir() if f.suffix in (".bin", ".pt", ".pth", ".pkl"))
    if pickles:
        raise ToolError(
            f"'{name}' has its weights only as pickles ({pickles[0]}), which can run code when "
            "they are read: save it again with save_pretrained(..., safe_serialization=True)."
        )
    raise ToolError(f"'{name}' holds no weights: there is no .safetensors file in {path}.")


def _model(path: Path, name: str) -> tuple[nn.Module, list[str] | None]:
    """The network and, for a classifier, the names of its classes."""
    from transformers import (
        AutoConfig,
        AutoModel,
        AutoModelForImageClassification,
        CLIPVisionModelWithProjection,
    )

    here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    labels: list[str] | None = None
    try:
        config: Any = AutoConfig.from_pretrained(path, **here)
        opener: Any = AutoModel
        if any(a.endswith("ForImageClassification") for a in config.architectures or ()):
            opener = AutoModelForImageClassification
            labels = [config.id2label[number] for number in range(config.num_labels)]
        elif config.model_type in ("clip", "clip_vision_model"):
            opener = CLIPVisionModelWithProjection
        if labels is None:
            config = getattr(config, "vision_config", config)
        model, found = opener.from_pretrained(
            path,
            config=config,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            **({} if opener is CLIPVisionModelWithProjection else here),
        )
    except _REFUSALS as error:
        raise ToolError(f"'{name}' cannot be opened as a vision model: {_line(error)}") from None
    if model.main_input_name != "pixel_values":
        raise ToolError(
            f"'{name}' is no vision model: {type(model).__name__} takes {model.main_input_name}."
        )
    absent = sorted(map(str, [*found["missing_keys"], *found["mismatched_keys"]]))
    if absent:
        raise ToolError(
            f"'{name}' lacks weights of {type(model).__name__} ({len(absent)}, {absent[0]} among "
            "them): they would be random."
        )
    return model, labels


def _processor(path: Path, name: str) -> Any:
    import transformers

    opener: Any = transformers.AutoImageProcessor
    try:
        return opener.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except _REFUSALS as error:
        raise ToolError(
            f"'{name}' does not say how pictures are prepared for it (preprocessor_config.json): "
            f"{_line(error)}"
        ) from None


def _logits(output: Any) -> Tensor:
    """Class scores, the embedding in the joint space, or the pooled output: [N, features]."""
    for part in ("logits", "image_embeds", "pooler_output"):
        found = getattr(output, part, None)
        if found is not None:
            features: Tensor = found.flatten(1)
            return features
    raise ToolError("The model gives neither class scores nor a pooled output.")


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bars and reports on unused weights: they are checked here."""
    import transformers

    logging: Any = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
