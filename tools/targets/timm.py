"""`timm:NAME`: a pretrained network of timm, as in 'timm:resnet50'; needs the extra 'timm'.

An extra outside the default install, since timm pulls torchvision: one built for another torch
(the registry's is built for CUDA, and cannot load beside a CPU torch) breaks not only timm but
every image processor of transformers. `hubel doctor` finds that out and names the mend.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import nn

from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.targets.preprocessing import Squash
from hubel.tools.units import nearest


def load(argument: str, device: str) -> Target:
    """Open a network of timm with its pretrained weights.

    The weights come from timm's cache, or from the hub the first time.

    Args:
        argument: Its name in timm, with or without the tag of its weights.
        device: Where it runs.

    Raises:
        ToolError: timm is missing or cannot load, it has no such network, or the weights cannot
            be had.
    """
    timm = _timm()
    if not argument or not timm.is_model(argument.partition(".")[0]):
        known = nearest(argument, timm.list_models(pretrained=True))
        raise ToolError(f"timm has no network '{argument}'. {known}")
    try:
        model: nn.Module = timm.create_model(argument, pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ToolError(f"The weights of 'timm:{argument}' cannot be had: {why}") from None
    settings: dict[str, Any] = timm.data.resolve_model_data_config(model)
    _, height, width = settings["input_size"]
    scaled = [tuple(255.0 * part for part in settings[key]) for key in ("mean", "std")]
    return Target(
        f"timm:{argument}",
        model,
        Squash(height, width, scaled[0], scaled[1]),
        labels=_labels(timm, model),
        device=device,
    )


def _timm() -> Any:
    try:
        timm = import_module("timm")
        import_module("timm.data")
    except ModuleNotFoundError as error:
        raise ToolError(
            f"'timm:' needs the package '{error.name}': pip install 'hubel[timm]'. It brings "
            "torchvision, which must be built for the installed torch, or it breaks the models of "
            "transformers too: 'hubel doctor' checks that."
        ) from None
    except (ImportError, RuntimeError, OSError) as error:
        raise ToolError(
            f"timm cannot load ({str(error).splitlines()[0]}): torchvision was built for another "
            "torch. Install the pair from one source, or remove timm and torchvision; "
            "'hubel doctor' names the commands."
        ) from None
    return timm


def _labels(timm: Any, model: Any) -> list[str] | None:
    """Names of the classes, where the weights say which set of ImageNet's they are for."""
    if not model.num_classes:
        return None
    subset = timm.data.infer_imagenet_subset(model)
    if subset is None:
        return None
    info = timm.data.ImageNetInfo(subset)
    return [info.index_to_description(number) for number in range(model.num_classes)]
