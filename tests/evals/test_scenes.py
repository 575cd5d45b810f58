from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tests.sandbox.levels import ISOLATED

from hubel.agent.planners.explorer import Finding
from hubel.evals.asking import outputs
from hubel.evals.families.scenes import held_out, suite
from hubel.evals.families.scenes.baselines import BASELINES
from hubel.evals.families.scenes.drawing import COMPLEXITIES, KINDS, draw, with_noise
from hubel.evals.families.scenes.neurons import make, write
from hubel.evals.families.scenes.rules import Rule, concepts, names
from hubel.evals.families.scenes.seen import described, phrases_in, said_of
from hubel.evals.families.scenes.target import NEURON, PREPROCESS, load
from hubel.evals.families.scenes.wired import WEIGHTS, Wired, weights
from hubel.evals.families.scenes.wiring import BEYOND, NULL, Term, Wiring
from hubel.evals.neuron import Neuron
from hubel.evals.score import score
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.levels import jail_for
from hubel.sandbox.wire import WireError
from hubel.tools.imagery.pairs import differences
from hubel.tools.imagery.scenes import Scene, random_scene, render, truth
from hubel.tools.spec import ToolError
from hubel.tools.target import Edit, Target


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def scenes(count: int, seed: int = 5) -> list[Scene]:
    return [random_scene(np.random.default_rng([seed, n])) for n in range(count)]


def pixels(some: list[Scene]) -> torch.Tensor:
    return PREPROCESS([render(scene) for scene in some])


def channel(phrase: str) -> int:
    return names().index(phrase)


def opened(wiring: Wiring, tmp_path: Path, place: str = "scenes") -> Target:
    path = tmp_path / "wiring.json"
    path.write_text(json.dumps({"place": place, "wiring": wiring.to_json()}))
    return load(str(path), "cpu")


def common(factor: str, count: int = 1) -> list[str]:
    """The commonest phrases of a factor."""
    rows = [row for row in concepts()["channels"] if row["factor"] == factor]
    return [row["phrase"] for row in sorted(rows, key=lambda row: -row["share"])[:count]]


def drawn(kind: str = "", complexity: str = "") -> Iterator[tuple[int, Wiring]]:
    """Numbers and wirings of that kind."""
    for number in range(2000):
        made = draw(weights().joint, weights().things, 0, number)
        if kind in ("", made.kind) and complexity in ("", made.complexity):
            yield number, made.wiring


# --- perception


def test_channels_agree_with_the_written_phrases_and_with_no_others():
    some = scenes(80)
    network = Wired(next(drawn())[1], weights())
    with torch.inference_mode():
        batches = [pixels(some[n : n + 8]) for n in range(0, len(some), 8)]
        maps = [network.concepts(network.atoms(*network.perception(b))) for b in batches]
        on = torch.cat([network.pool(m) for m in maps]).numpy() > 0.5
    true = np.array([[name in truth(scene) for name in names()] for scene in some])
    assert (on == true).mean() > 0.995
    often = true.mean(0) > 0.05
    assert (on & true)[:, often].sum() > 0.97 * true[:, often].sum()
    assert (on == np.roll(true, 1, axis=1))[:, often].mean() < 0.9


def test_what_was_measured_is_stated_for_each_concept():
    for row in concepts()["channels"]:
        assert row["agreement"] >= 0.995
        assert row["recall"] >= 0.97
    assert all("border" in row for row in concepts()["channels"])
    assert not {row["phrase"] for row in concepts()["excluded"]} & set(names())
    assert len(names()) == len(weights().biases)


def test_the_weights_file_names_no_concept():
    with safe_open(WEIGHTS, framework="pt") as file:
        assert file.metadata() is None
    data = WEIGHTS.read_bytes()
    assert len(data) < 5_000_000
    assert not [name for name in names() if len(name) > 5 and name.encode() in data]


# --- what a lab is told


def test_opening_a_neuron_reads_no_name_of_a_concept():
    code = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda e, a: opened.append(str(a[0])) if e == 'open' else None)\n"
        "from hubel.evals.families.scenes.target import load\n"
        "load('scenes/3', 'cpu')\n"
        "print([n for n in opened if 'concepts.json' in n])\n"
        "print([m for m in sys.modules if m.startswith('hubel.evals.families.scenes.') and\n"
        "       m.rpartition('.')[2] in ('rules', 'neurons', 'held_out', 'vocabulary', 'labels')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "[]"]


def test_all_neurons_look_alike_from_outside():
    seen = set()
    for kind in ("one", "xor", "polysemantic", "coin", "twice"):
        number, _ = next(drawn(kind))
        target = load(f"scenes/{number}", "cpu")
        assert target.name == f"synthetic:scenes/{number}"
        seen.add((*target.sites.items(), *target.main_sites))
    number, _ = next(drawn(complexity="approximated"))
    target = load(f"scenes/{number}", "cpu")
    seen.add((*target.sites.items(), *target.main_sites))
    assert len(seen) == 1


@pytest.mark.parametrize("name", ["scenes", "scenes/x", "other/1", "no.json", ""])
def test_what_is_no_neuron_is_refused(name: str):
    with pytest.raises(ToolError, match="wiring"):
        load(name, "cpu")


def test_a_broken_wiring_is_refused(tmp_path: Path):
    path = tmp_path / "w.json"
    path.write_text('{"place": "scenes", "wiring": {"terms": 3}}')
    with pytest.raises(ToolError, match="no wiring"):
        load(str(path), "cpu")


# --- rules


def test_seeds_reproduce_bit_for_bit():
    some = scenes(4)
    for number in range(3):
        one, two = (make(11, number) for _ in range(2))
        assert one.about == two.about
        assert one.function(some) == two.function(some)
        held = [n.draw(12, np.random.default_rng(4)) for n in (one, two)]
        assert held[0] == held[1]
    wirings = {str(draw(weights().joint, weights().things, s, 0)) for s in range(20)}
    assert len(wirings) == 20


def test_every_kind_and_complexity_is_drawn():
    made = [draw(weights().joint, weights().things, 0, number) for number in range(400)]
    assert {m.kind for m in made} == set(KINDS)
    assert {m.complexity for m in made} == {*COMPLEXITIES, "null", "beyond"}
    for m in made:
        assert Wiring.from_json(m.wiring.to_json()) == m.wiring


def test_a_neuron_follows_its_own_truth_and_not_anothers():
    numbers = [next(drawn(kind, "clean"))[0] for kind in ("xor", "one")]
    neurons = [make(0, number, snr=np.inf) for number in numbers]
    held = [neuron.draw(40, np.random.default_rng(2))[0] for neuron in neurons]
    for own, some in enumerate(held):
        values = np.array(neurons[own].function(some))
        apart = [np.abs(values - neuron.truth(some)).mean() for neuron in neurons]
        assert apart[own] < 0.06
        assert apart[1 - own] > 0.2


def test_code_form_and_truth_say_the_same():
    some = scenes(60)
    for kind in ("and or", "graded", "xor", "polysemantic"):
        number, wiring = next(drawn(kind))
        neuron, rule = make(0, number), Rule(wiring)
        space: dict[str, object] = {}
        exec(neuron.code, space)  # noqa: S102
        true = [truth(scene) for scene in some]
        degrees = {p: np.array([float(p in t) for t in true]) for p in rule.phrases}
        assert neuron.truth(some) == [space["f"](set(t)) for t in true]  # type: ignore[operator]
        assert np.allclose(neuron.truth(some), rule.form.predict(degrees, 60))  # type: ignore[union-attr]


def test_held_out_scenes_are_what_their_stratum_says():
    _, wiring = next(drawn(complexity="corrupted"))
    rule = Rule(wiring)
    some, strata = held_out.draw(rule, 60, np.random.default_rng(0))
    assert len(some) == len(strata) == 60
    inside = [s for s, stratum in zip(some, strata, strict=True) if stratum == "exception"]
    assert inside
    assert all(rule.region in truth(scene) for scene in inside)
    border = [s for s, stratum in zip(some, strata, strict=True) if stratum == "border"]
    assert border
    for one, other in zip(border[::2], border[1::2], strict=True):
        assert len(differences(one, other)) == 1
        assert rule([one]) != rule([other])


def test_null_units_have_nothing_to_do_with_the_picture():
    some = scenes(8)
    for join in NULL:
        _, wiring = next(drawn(join))
        values = Wired(wiring, weights())(pixels(some))[:, 0].detach().numpy()
        if join == "dead":
            assert not values.any()
        elif join == "coin":
            assert set(values) <= {0.0, 1.0}
        elif join == "spikes":
            assert (values == np.float32(0.2)).sum() >= 7
        assert not make(0, next(drawn(join))[0]).real


# --- noise


def test_noise_is_a_function_of_the_picture_in_a_target_and_drawn_anew_for_the_evaluator(
    tmp_path: Path,
):
    (phrase,) = common("count")
    quiet = Wiring((Term(1.0, (channel(phrase),)),), "sum", seed=3)
    noisy = with_noise(quiet, 2.0)
    some = scenes(40)
    inputs = [pixels(some[n : n + 8]) for n in range(0, 40, 8)]
    targets = [opened(wiring, tmp_path) for wiring in (quiet, noisy, noisy)]
    clean, first = (torch.cat([t.forward(batch) for batch in inputs]) for t in targets[:2])
    again = torch.cat([targets[2].forward(batch) for batch in inputs[:1]])
    assert torch.equal(first[:8], again)
    scatter = float((first - clean).std())
    assert 0.7 < scatter / (0.5 / np.sqrt(2.0)) < 1.35
    number, _ = next(drawn("one", "noise"))
    neuron = make(0, number)
    one, two = neuron.function(some[:1] * 2)
    assert one != two
    assert neuron.function(some[:1]) != [one]


# --- causal tools


def test_ablating_the_channel_that_drives_it_silences_a_neuron_and_another_does_not(tmp_path: Path):
    phrase, other = common("count", 2)
    target = opened(Wiring((Term(1.0, (channel(phrase),)),), "sum"), tmp_path)
    inputs = pixels([s for s in scenes(60) if phrase in truth(s)][:6])
    assert target.forward(inputs).min() > 0.9
    unit = target.unit(NEURON)
    for ablated, left in ((channel(phrase), False), (channel(other), True)):
        run = target.intervene(inputs, [Edit("concepts", 0.0, ablated)], ["neuron"])
        activation = target.read(run.sites["neuron"], unit).amax((1, 2))
        assert torch.equal(activation, run.logits[:, 0])
        assert bool((activation > 0.9).all()) is left
        assert bool((activation < 0.1).all()) is not left


def test_the_map_is_highest_where_the_thing_is(tmp_path: Path):
    (phrase,) = common("position")
    place = {
        "left": (0, 0, 0.42),
        "right": (0, 0.58, 1),
        "top": (1, 0, 0.42),
        "bottom": (1, 0.58, 1),
    }
    axis, low, high = place[phrase.rpartition(" ")[2]]
    target = opened(Wiring((Term(1.0, (channel(phrase),)),), "sum"), tmp_path)
    inputs = pixels([s for s in scenes(60) if phrase in truth(s)][:8])
    for found in target.maps(inputs, [target.unit(NEURON)])[0]:
        row, column = np.unravel_index(int(found.argmax()), found.shape)
        assert low <= ((column, row)[axis] + 0.5) / 28 <= high


# --- planted


def test_a_planted_neuron_follows_its_rule_and_looks_like_its_neighbours(tmp_path: Path):
    (phrase,) = common("count")
    wiring = Wiring((Term(1.0, (channel(phrase),)),), "sum", seed=1)
    target = opened(wiring, tmp_path, "planted")
    (site,) = target.planted
    some = scenes(40, seed=9)
    runs = [target.batch([render(s) for s in some[n : n + 8]]) for n in range(0, 40, 8)]
    seen = torch.cat([target.capture(r, [site]).sites[site].amax((2, 3)) for r in runs]).numpy()
    own, others = seen[:, -1], seen[:, :-1]
    true = np.array(Rule(wiring)(some))
    assert np.corrcoef(own, true)[0, 1] > 0.8
    assert np.corrcoef(own, np.roll(true, 1))[0, 1] < 0.5
    for statistic in (np.mean, np.std, np.min, np.max):
        around = np.apply_along_axis(statistic, 0, others)
        assert around.min() <= statistic(own) <= around.max()
    assert len(np.unique(own)) == 40
    inputs = runs[0]
    last = target.site(site).units - 1
    assert torch.equal(
        target.intervene(inputs, [Edit(site, 9.0, last)]).logits, target.forward(inputs)
    )


def test_a_neuron_written_to_a_file_is_the_same_neuron(tmp_path: Path):
    number, _ = next(drawn("one", "clean"))
    neuron, some = make(0, number), scenes(4)
    name = write(neuron, tmp_path / "n.json")
    text = (tmp_path / "n.json").read_text()
    assert not [phrase for phrase in neuron.about["phrases"] if phrase in text]  # type: ignore[index]
    target = load(name.removeprefix("synthetic:"), "cpu")
    assert np.allclose(target.forward(pixels(some))[:, 0], neuron.function(some), atol=1e-5)


# --- the suite of the benchmark


@pytest.fixture(scope="module", params=ISOLATED)
def cells(request: pytest.FixtureRequest) -> Iterator[CellSession]:
    with CellSession(jail_for(request.param), warm=SCORED) as session:
        yield session


def in_suite(kind: str = "", complexity: str = "") -> Neuron:
    return suite.make(0, next(drawn(kind, complexity))[0])


def said(code: str | None, text: str = "some words") -> Finding:
    return Finding(code, text, 0.9)


@pytest.mark.parametrize("kind", ["xor", "larger"])
def test_the_truth_scores_one_and_words_do_not_count(cells: CellSession, kind: str):
    neuron = in_suite(kind)
    found = score(neuron, said(neuron.code), cells, 0)
    assert found.recovered
    assert found.agreement["global"] == found.agreement["composed"] == 1.0
    assert found.named == found.precision == 1.0
    assert found.correlation == pytest.approx(found.ceiling)
    assert score(neuron, said(neuron.code, "other words"), cells, 0) == found


@pytest.mark.parametrize("kind", BEYOND)
def test_the_code_of_a_law_that_is_no_list_says_what_it_does(cells: CellSession, kind: str):
    neuron = in_suite(kind)
    asked, _ = neuron.draw(60, np.random.default_rng(3))
    found, why = said_of(cells, neuron.code, [described(suite.opened(one)) for one in asked])
    assert why == ""
    assert found == neuron.truth(asked)


def test_a_wrong_rule_a_constant_and_nothing_are_low(cells: CellSession):
    neuron, other = in_suite("xor", "clean"), in_suite("one", "clean")
    wrong = score(neuron, said(other.code), cells, 0)
    assert not wrong.recovered
    assert wrong.named == wrong.precision == 0.0
    assert abs(wrong.correlation) < 0.5
    constant = score(neuron, said("def f(x):\n    return 0.3\n"), cells, 0)
    assert (constant.recovered, constant.correlation) == (False, 0.0)
    nothing = score(neuron, said(None), cells, 0)
    assert (nothing.claimed, nothing.recovered, nothing.correlation) == (False, False, 0.0)
    broken = score(neuron, said("def f(x)\n"), cells, 0)
    assert not broken.recovered
    assert "SyntaxError" in broken.why


def test_a_rule_without_its_exception_fails_there(cells: CellSession):
    neuron = in_suite(complexity="corrupted")
    rule = Rule(Wiring.from_json(neuron.about["wiring"]))  # type: ignore[index]
    first = rule.form.terms[0].having  # type: ignore[union-attr]
    held = " and ".join(f"{p!r} in x" for p in first)
    found = score(neuron, said(f"def f(x):\n    return {held}\n"), cells, 0)
    assert not found.recovered
    assert found.agreement["exception"] < 0.99
    assert found.overlap is not None
    assert found.overlap < 0.9
    assert score(neuron, said(neuron.code), cells, 0).overlap == 1.0


def test_null_units_are_never_recovered_and_have_no_code(cells: CellSession):
    neuron = in_suite("coin")
    assert (neuron.code, neuron.real) == (None, False)
    assert not score(neuron, said("def f(x):\n    return 0.25\n"), cells, 0).recovered


@pytest.mark.parametrize("kind", BEYOND)
def test_laws_that_are_no_lists_are_computed_from_pixels(kind: str):
    neuron = in_suite(kind)
    asked, _ = neuron.draw(40, np.random.default_rng(0))
    true, seen = np.array(neuron.truth(asked)), np.array(neuron.function(asked))
    assert 0 < true.mean() < 1
    assert (np.abs(true - seen) < 0.15).mean() >= 0.95
    assert (np.abs(np.roll(true, 1) - seen) < 0.15).mean() < 0.95


@pytest.mark.parametrize("asked", [3, {"things": 1}, {"background": {"kind": "plain"}}])
def test_what_is_no_scene_is_refused(asked: object):
    with pytest.raises(WireError, match="no scene"):
        outputs(in_suite("one", "clean"), [asked])


def test_pictures_of_another_size_are_refused():
    asked = random_scene(np.random.default_rng(0), size=1024).to_json()
    with pytest.raises(WireError, match="224 pixels"):
        outputs(in_suite("one", "clean"), [asked])


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_ask_within_their_budget_and_write_code_that_runs(name: str):
    neuron = in_suite("or", "clean")
    steps = BASELINES[name](60, 0)
    asked = next(steps)
    assert len(asked) <= 60
    with pytest.raises(StopIteration) as end:
        steps.send(neuron.truth(asked))
    space: dict[str, Callable[[object], float]] = {}
    exec(end.value.value.code, space)  # noqa: S102
    assert isinstance(float(space["f"]({"star"})), float)


def test_looking_at_exemplars_finds_what_is_common_and_not_a_rare_pair():
    phrase = common("background")[0]
    answers = {}
    for name in ("lift", "observation", "best-of", "random"):
        steps = BASELINES[name](120, 0)
        asked = next(steps)
        true = [float(phrase in truth(Scene.from_json(one))) for one in asked]
        with pytest.raises(StopIteration) as end:
            steps.send(true)
        answers[name] = phrases_in(end.value.value.code)
    assert answers["observation"] == {phrase}
    assert phrase in answers["lift"] & answers["best-of"]
    assert phrase not in answers["random"]
