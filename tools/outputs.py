"""What is measured at the outputs of a network: their names, and metrics of logits."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hubel.tools.spec import ToolError
from hubel.tools.target import Target
from hubel.tools.units import nearest

Floats = NDArray[np.float64]
Metric = Literal["logit difference", "probability", "kl"]

METRICS: tuple[Metric, ...] = ("logit difference", "probability", "kl")


def output_name(target: Target, index: int) -> str:
    """Name of one of the network's outputs: its class, or ``output 7`` where it has no names."""
    return f"output {index}" if target.labels is None else target.labels[index]


def output_index(target: Target, name: str, outputs: int) -> int:
    """The output of that name, letter case aside.

    Args:
        target: The network.
        name: A class, or ``output 7``.
        outputs: How many outputs the network has.

    Raises:
        ToolError: No such output, or several.
    """
    plain = [f"output {i}" for i in range(outputs)]
    labels = target.labels or []
    wanted = name.strip().casefold()
    if wanted in plain:
        return plain.index(wanted)
    found = [i for i, label in enumerate(labels) if label.casefold() == wanted]
    if len(found) > 1:
        raise ToolError(
            f"{target.name} has {len(found)} classes '{name}': write "
            + " or ".join(f"'{plain[i]}'" for i in found)
            + "."
        )
    if not found:
        raise ToolError(f"{target.name} has no class '{name}'. {nearest(name, labels or plain)}")
    return found[0]


def log_probabilities(logits: Floats) -> Floats:
    """Log of the softmax, [N, classes]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def divergence(clean: Floats, changed: Floats) -> Floats:
    """Kullback-Leibler divergence KL(clean || changed) of the softmax, in nats, [N].

    Args:
        clean: Logits [N, classes].
        changed: Logits [N, classes].
    """
    p, q = log_probabilities(clean), log_probabilities(changed)
    return np.asarray(np.maximum((np.exp(p) * (p - q)).sum(axis=1), 0.0))


def pair_of_outputs(
    clean: Floats, corrupted: Floats, answer: int | None, other: int | None
) -> tuple[int, int]:
    """The two outputs whose difference tells a clean from a corrupted run.

    By default the clean run's top output and the corrupted run's; where both are the same, the
    output whose logit changed most against it.

    Args:
        clean: Logits of one run, [classes], at least two.
        corrupted: Logits of the other, [classes].
        answer: The first output, if it is given.
        other: The second output, if it is given; not the same.
    """
    first = int(clean.argmax()) if answer is None else answer
    second = int(corrupted.argmax()) if other is None else other
    if first != second:
        return first, second
    change = corrupted - clean
    moved = np.abs(change - change[first])
    moved[first] = -1.0
    if answer is None and other is not None:
        return int(moved.argmax()), second
    return first, int(moved.argmax())


def run_metric(
    logits: Floats, clean: Floats, answers: list[tuple[int, int]], metric: Metric
) -> Floats:
    """The metric of each run, [N].

    Args:
        logits: Of the runs, [N, classes].
        clean: Of their clean runs, [N, classes].
        answers: For each run, the answer and the output it is compared with.
        metric: Logit difference answer less other; probability of the answer; or -KL(clean || run)
            of the softmax in nats.
    """
    rows, pairs = np.arange(len(logits)), np.array(answers)
    if metric == "kl":
        return -divergence(clean, logits)
    if metric == "probability":
        return np.asarray(np.exp(log_probabilities(logits))[rows, pairs[:, 0]])
    return np.asarray(logits[rows, pairs[:, 0]] - logits[rows, pairs[:, 1]])
