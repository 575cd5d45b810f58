from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hubel.evals.families.find_numeric import load_numeric
from hubel.evals.families.numbers import COMPLEXITIES, make, suite
from hubel.evals.families.numbers.laws import FAMILIES, compiled, single
from hubel.tools.data import DataError

GRID = np.linspace(-127.3, 127.3, 101).tolist()


def values(answers: list[float | None]) -> np.ndarray:
    return np.array([np.nan if y is None else y for y in answers])


def test_seeds_reproduce_and_differ() -> None:
    first, again, other = suite(3, 8), suite(3, 8), suite(4, 8)
    assert [n.function(GRID) for n in first] == [n.function(GRID) for n in again]
    assert [n.code for n in first] != [n.code for n in other]


def test_every_family_compiles_and_varies_with_its_seed() -> None:
    for kind in FAMILIES:
        laws = {single(np.random.default_rng(seed), kind).code() for seed in range(5)}
        assert len(laws) > 1
        for code in laws:
            value = compiled(code)
            assert any(value(x) is not None for x in GRID)


@pytest.mark.parametrize("complexity", ["clean", "composed"])
def test_clean_neurons_are_what_their_code_says(complexity: str) -> None:
    neuron = make(7, 1, complexity)
    assert neuron.code is not None
    value = compiled(neuron.code)
    assert neuron.function(GRID) == neuron.truth(GRID) == [value(x) for x in GRID]


def test_noise_has_the_stated_size_and_is_drawn_anew() -> None:
    neuron = make(7, 2, "noise")
    assert neuron.about is not None
    asked = [5.3] * 3000
    answers = values(neuron.function(asked)) - values(neuron.truth(asked))
    assert abs(answers.std() / neuron.about["noise_sd"] - 1) < 0.1
    assert neuron.function([5.3]) != neuron.function([5.3])


def test_only_noisy_exceptions_show_when_asked_twice() -> None:
    for complexity, same in (("corrupted", False), ("exception", True)):
        neuron = make(7, 3, complexity)
        low, high = neuron.exceptions[0]
        inside = np.linspace(low, high, 9)[1:-1].tolist()
        assert (neuron.function(inside) == neuron.function(inside)) is same
        assert neuron.code is not None
        law = compiled(neuron.code)
        apart = np.abs(values(neuron.truth(inside)) - values([law(x) for x in inside]))
        assert np.median(apart) > 0
        outside = [x for x in GRID if not low <= x <= high]
        assert neuron.truth(outside) == [law(x) for x in outside]


def test_stand_ins_come_near_their_law_without_being_it() -> None:
    neuron = make(7, 5, "approximated")
    assert neuron.about is not None
    assert 0 < neuron.about["nmse_of_law"] < 0.5
    assert neuron.function(GRID) == neuron.truth(GRID)


def test_null_units_are_marked_and_have_no_code() -> None:
    kinds = set()
    for n in range(40):
        neuron = make(7, n, "null")
        kinds.add(neuron.kind)
        assert neuron.real is False
        assert neuron.code is None
    assert kinds == {"noise", "scattered", "dead", "spikes", "moments"}


def test_held_out_inputs_reach_into_exceptions_and_to_their_borders() -> None:
    neuron = make(7, 3, "exception")
    x, strata = neuron.draw(400, np.random.default_rng(0))
    low, high = neuron.exceptions[0]
    assert all(low <= a <= high for a, s in zip(x, strata, strict=True) if s == "exception")
    border = [a for a, s in zip(x, strata, strict=True) if s == "border"]
    assert max(min(abs(a - low), abs(a - high)) for a in border) <= 2
    assert set(strata) == {"global", "exception", "border"}
    assert set(make(7, 1, "clean").draw(50, np.random.default_rng(0))[1]) == {"global"}


def test_unknown_complexity_is_refused() -> None:
    assert "clean" in COMPLEXITIES
    with pytest.raises(ValueError, match="no complexity"):
        make(1, 1, "fuzzy")


def definition(name: str, params: object, **other: object) -> dict[str, object]:
    row: dict[str, object] = {
        "name": name,
        "params": params,
        "type": "simple",
        "domain": [-100, 100],
        "approx_mse_error": "not trained",
        "corruption_type": "interval_inside",
        "corruption_params": {"std": 3.0, "boundary": [10.0, 20.0]},
        "noise_type": "normal",
        "noise_params": 1,
    }
    return row | other


def folder(tmp_path: Path, *rows: dict[str, object]) -> Path:
    (tmp_path / "numeric.json").write_text(json.dumps(rows))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "params", "x", "y"),
    [
        ("linear", [2.0, 1.0], 3.0, 7.0),
        ("absolute", [2.0, 1.0], -3.0, 7.0),
        ("relu", [4.0, 1.0, 0.5], -3.0, -5.0),
        ("relu", [-4.0, 1.0, 0.5], -3.0, 7.0),
        ("polynomial", [1.0, 0.0, 2.0], 3.0, 11.0),
        ("rational", [[1.0, 2.0], [0.0, 1.0]], 4.0, 2.25),
        ("square_wave", [4.0, 1.0], 2.5, 1.0),
        ("square_wave", [4.0, 1.0], 3.5, -1.0),
        ("rectangle", [4.0], 1.9, 1.0),
        ("rectangle", [4.0], 2.1, 0.0),
        ("logarithm", [2.0, 1.0, 2.0], 8.0, 7.0),
        ("root", [2.0, 1.0, 2.0], 9.0, 7.0),
        ("sin", [2.0, 4.0, 1.0, 5.0], 2.0, 7.0),
        ("constant", 4, 2.0, 4.0),
        ("ceil;linear;sum_two", [None, [2.0, 0.0]], 1.5, 5.0),
        ("floor;ceil;multiply_two", [None, None], 1.5, 2.0),
    ],
)
def test_definitions_of_find_mean_what_their_parameters_say(
    tmp_path: Path, name: str, params: object, x: float, y: float
) -> None:
    row = definition(f"{name}({params})", params)
    neuron = load_numeric(folder(tmp_path, row), "clean")[0]
    assert neuron.truth([x]) == [pytest.approx(y)]


def test_undefined_and_complex_values_are_none(tmp_path: Path) -> None:
    rows = (
        definition("root((1.0, 0.0, 2))", [1.0, 0.0, 2]),
        definition("logarithm(1)", [1.0, 0.0, 2.0]),
    )
    for neuron in load_numeric(folder(tmp_path, *rows), "clean"):
        assert neuron.truth([-4.0]) == [None]


def test_find_corruption_and_noise(tmp_path: Path) -> None:
    row = definition("linear((2.0, 1.0))", [2.0, 1.0])
    inside = definition("linear((2.0, 1.0))", [2.0, 1.0], corruption_type="interval_smaller")
    where = folder(tmp_path, row, inside)
    corrupted = load_numeric(where, "corrupted")
    assert corrupted[0].exceptions == ((10.0, 20.0),)
    assert corrupted[1].exceptions == ((-128.0, 10.0),)
    assert corrupted[0].truth([9.0, 15.0]) == [19.0, 3.0]
    assert corrupted[0].function([15.0]) != corrupted[0].function([15.0])
    noisy = values(load_numeric(where, "noise")[0].function([1.0] * 2000))
    assert abs(noisy.mean() - 3) < 0.15
    assert abs(noisy.std() - 1) < 0.1
    assert load_numeric(where, "approximated") == []


def test_find_trained_definitions_are_approximated(tmp_path: Path) -> None:
    row = definition("absolute((2.0, 1.0))", [2.0, 1.0], approx_mse_error=0.1)
    neuron = load_numeric(folder(tmp_path, row))[0]
    assert neuron.complexity == "approximated"
    answer = neuron.truth([50.0])[0]
    assert answer != 101.0
    assert abs(answer - 101.0) < 10


def test_what_is_not_finds_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_numeric(tmp_path)
    with pytest.raises(DataError, match="layout"):
        load_numeric(folder(tmp_path, definition("mystery(1)", [1.0])))
