from __future__ import annotations

import numpy as np
import pytest
from tests.agent.planners.numbers_foreign import FOREIGN, neuron

from hubel.agent.planners.numbers import explore


def test_every_foreign_function_answers_and_varies() -> None:
    x = np.linspace(-127.7, 127.9, 60).tolist()
    for index, item in enumerate(FOREIGN):
        if not item.trained:
            answers = [y for y in neuron(index).function(x) if y is not None]
            assert len(answers) > 50
            assert np.ptp(answers) > 0


@pytest.mark.slow
def test_most_foreign_functions_without_noise_are_recovered() -> None:
    right = []
    for index, item in enumerate(FOREIGN):
        if item.snr is None and item.real and not item.trained:
            unit = neuron(index)
            explorer = explore(200, index)
            inputs = next(explorer)
            while True:
                try:
                    inputs = explorer.send(unit.function(inputs))
                except StopIteration as end:
                    finding = end.value
                    break
            right.append(_agrees(finding.code, unit))
    assert np.mean(right) >= 0.7


def _agrees(code: str | None, unit: object) -> bool:
    if code is None:
        return False
    space: dict[str, object] = {}
    exec(code, space)  # noqa: S102
    x = np.random.default_rng(1).uniform(-128, 128, 400)
    truth = np.array(unit.truth(x.tolist()), dtype=float)  # type: ignore[attr-defined]
    said = np.array([space["f"](float(v)) for v in x], dtype=float)  # type: ignore[operator]
    room = 0.01 * np.abs(truth) + 0.05 * np.subtract(*np.quantile(truth, [0.75, 0.25]))
    return bool(np.mean(np.abs(said - truth) <= room) >= 0.99)
