"""The explorers of neurons over words, on a made-up vocabulary whose meanings are known."""

import subprocess
import sys

import numpy as np
import pytest

from hubel.agent.planners.lexical import entities, relations
from hubel.agent.planners.lexical.form import WordForm
from hubel.agent.planners.lexical.lexicon import Lexicon, clustered, unit
from hubel.agent.planners.lexical.pairform import PairForm

TOPICS, EACH, WIDTH = 60, 40, 48


@pytest.fixture(scope="module")
def lexicon():
    """Sixty topics of forty words; the first letter has nothing to do with the topic."""
    rng = np.random.default_rng(5)
    centres = unit(rng.normal(size=(TOPICS, WIDTH)))
    loose = rng.uniform(0.5, 1.6, (TOPICS, EACH, 1))
    vectors = centres[:, None] + loose * unit(rng.normal(size=(TOPICS, EACH, WIDTH)))
    letters = rng.choice(list("abcd"), (TOPICS, EACH))
    words = [f"{letters[t, k]}topic{t}w{k}" for t in range(TOPICS) for k in range(EACH)]
    flat = unit(vectors.reshape(-1, WIDTH))
    return Lexicon(tuple(words), flat, clustered(flat, 120))


def centre(lexicon, topic):
    return unit(lexicon.vectors[topic * EACH : (topic + 1) * EACH].sum(axis=0))


def related(lexicon, words, topic):
    return 1 / (1 + np.exp(-(lexicon.of(words) @ centre(lexicon, topic) - 0.55) / 0.06))


def explored(explorer, function):
    asked = []
    try:
        inputs = next(explorer)
        while True:
            asked += inputs
            inputs = explorer.send([None if v is None else float(v) for v in function(inputs)])
    except StopIteration as stopped:
        return stopped.value, asked


def topics_of(concepts):
    return {
        word.split("w")[0].split("topic")[1] for c in concepts for word in [c["name"].split(" ")[0]]
    }


def agreement(lexicon, finding, function):
    form = WordForm.from_json(finding.about)
    return np.corrcoef(form.predict(lexicon.words, lexicon.of), function(lexicon.words))[0, 1]


def test_one_concept_is_found_and_predicts_words_never_asked(lexicon):
    def function(words):
        return related(lexicon, words, 7)

    finding, asked = explored(entities.explore(400, 0, lexicon), function)
    assert topics_of(finding.about["concepts"]) == {"7"}
    assert len(finding.about["concepts"]) == 1
    assert agreement(lexicon, finding, function) > 0.95
    assert len(asked) <= 400
    assert "topic7" in finding.text


def test_both_parts_of_an_or_are_found(lexicon):
    def function(words):
        return np.maximum(related(lexicon, words, 3), related(lexicon, words, 44))

    finding, _ = explored(entities.explore(500, 0, lexicon), function)
    assert topics_of(finding.about["concepts"]) == {"3", "44"}
    assert agreement(lexicon, finding, function) > 0.9


@pytest.fixture(scope="module")
def nested():
    """Twenty topics of four kinds each, of thirty words a kind, and ten words of the topic as such."""
    rng = np.random.default_rng(6)
    topics = unit(rng.normal(size=(20, WIDTH)))
    kinds = unit(topics[:, None] + 0.8 * unit(rng.normal(size=(20, 4, WIDTH))))
    centres = {f"{t}{'abcd'[k]}": kinds[t, k] for t in range(20) for k in range(4)}
    centres |= {f"{t}x": topics[t] for t in range(20)}
    words, vectors = [], []
    for name, centre in centres.items():
        for k in range(10 if name.endswith("x") else 30):
            words.append(f"{rng.choice(list('pqrs'))}topic{name}w{k}")
            vectors.append(centre + rng.uniform(0.3, 1.2) * unit(rng.normal(size=WIDTH)))
    flat = unit(np.stack(vectors))
    return Lexicon(tuple(words), flat, clustered(flat, 120)), centres


def test_a_part_is_found_of_which_the_coverage_shows_a_trace_only(nested):
    """No word of the second kind, nor of its topic as such, is asked before the search begins."""
    whole, centres = nested
    sought = unit(centres["12c"][None])[0]
    near = set(whole.nearest(sought, 60).tolist())
    lexicon = Lexicon(whole.words, whole.vectors, tuple(n for n in whole.coverage if n not in near))

    def function(words):
        cosine = np.stack([lexicon.of(words) @ centres[name] for name in ("3a", "12c")])
        return 1 / (1 + np.exp(-(cosine.max(axis=0) - 0.6) / 0.06))

    finding, _ = explored(entities.explore(600, 0, lexicon), function)
    assert topics_of(finding.about["concepts"]) == {"3a", "12c"}
    assert agreement(lexicon, finding, function) > 0.9


def broad_but(nested, narrow, noise=0.0, joined=np.multiply):
    """Related to topic 7, but not to one of its kinds."""
    lexicon, centres = nested
    rng = np.random.default_rng(4)

    def near(words, name, half):
        return 1 / (1 + np.exp(-(lexicon.of(words) @ centres[name] - half) / 0.06))

    def function(words):
        left = 1 - near(words, narrow, 0.55) if narrow else np.ones(len(words))
        return joined(near(words, "7x", 0.42), left) + rng.normal(0, noise, len(words))

    return function


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_what_is_taken_out_of_a_concept_is_found(nested, noise):
    lexicon = nested[0]
    finding, _ = explored(entities.explore(600, 0, lexicon), broad_but(nested, "7c", noise))
    assert topics_of(finding.about["unless"]) == {"7c"}
    assert len(finding.about["concepts"]) == 1
    assert finding.about["begins"] == ""
    assert "but not to" in finding.text
    assert agreement(lexicon, finding, broad_but(nested, "7c")) > (0.85 if noise else 0.9)


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_nothing_is_taken_out_where_nothing_is(nested, noise):
    finding, _ = explored(entities.explore(600, 0, nested[0]), broad_but(nested, None, noise))
    assert finding.about["unless"] == []
    assert len(finding.about["concepts"]) == 1
    assert finding.about["begins"] == ""


def test_a_letter_that_is_excepted_is_found(lexicon):
    def function(words):
        return related(lexicon, words, 9) * [w[0] != "c" for w in words]

    finding, _ = explored(entities.explore(500, 0, lexicon), function)
    assert finding.about["begins"] == "c"
    assert "begin with 'c'" in finding.text
    assert agreement(lexicon, finding, function) > 0.9


def test_noise_is_measured_and_borne(lexicon):
    rng = np.random.default_rng(1)

    def function(words):
        return related(lexicon, words, 20) + rng.normal(0, 0.1, len(words))

    finding, _ = explored(entities.explore(500, 0, lexicon), function)
    assert topics_of(finding.about["concepts"]) == {"20"}
    assert finding.about["noise"] == pytest.approx(0.1, rel=0.6)


@pytest.mark.parametrize("kind", ["constant", "noise", "by word", "undefined"])
def test_nothing_is_found_where_there_is_nothing(lexicon, kind):
    rng = np.random.default_rng(2)
    fixed = dict(zip(lexicon.words, rng.random(len(lexicon.words)) ** 3, strict=True))

    def function(words):
        return {
            "constant": [0.3] * len(words),
            "noise": rng.normal(size=len(words)),
            "by word": [fixed[w] for w in words],
            "undefined": [None] * len(words),
        }[kind]

    finding, _ = explored(entities.explore(400, 0, lexicon), function)
    assert finding.code is None
    assert finding.confidence == 0


def test_the_same_answers_lead_to_the_same_questions(lexicon):
    def run(seed):
        return explored(
            entities.explore(300, seed, lexicon), lambda words: related(lexicon, words, 11)
        )

    first = run(1)
    assert run(1) == first
    assert run(2)[1] != first[1]


@pytest.mark.parametrize("budget", [10, 90, 160, 250])
@pytest.mark.parametrize("module", [entities, relations])
def test_a_budget_is_never_exceeded(lexicon, module, budget):
    answers = np.random.default_rng(0).random(4 * budget)
    _, asked = explored(
        module.explore(budget, 0, lexicon), lambda words: answers[: len(words)] * len(words[0])
    )
    assert len(asked) <= budget


def executed(code, lexicon, inputs):
    """What code says, where it finds nothing but `related`, as in the benchmark's cell."""

    def cosine(word, words):
        given = {words: 1.0} if isinstance(words, str) else words
        mixed = unit(np.array(list(given.values()), np.float32) @ lexicon.of(list(given)))
        return float(lexicon.of([word])[0] @ mixed)

    scope = {"related": cosine}
    exec(code, scope)  # noqa: S102
    return [scope["f"](x) for x in inputs]


@pytest.mark.parametrize("letter", ["", "c"])
def test_the_code_says_what_the_form_says(lexicon, letter):
    def function(words):
        return related(lexicon, words, 9) * [w[0] != letter for w in words]

    finding, _ = explored(entities.explore(500, 0, lexicon), function)
    assert finding.about["begins"] == letter
    words = list(lexicon.words[::37])
    by_form = WordForm.from_json(finding.about).predict(words, lexicon.of)
    assert executed(finding.code, lexicon, words) == pytest.approx(list(by_form), abs=0.01)


def test_the_code_of_a_relation_says_what_its_form_says(lexicon):
    function = pair_function(lexicon, 15, 52)
    finding, _ = explored(relations.explore(900, 0, lexicon), function)
    pairs = [f"{a}, {b}" for a, b in zip(lexicon.words[::41], lexicon.words[1::41], strict=False)]
    by_form = PairForm.from_json(finding.about).predict(pairs, lexicon.of)
    assert executed(finding.code, lexicon, pairs) == pytest.approx(list(by_form), abs=0.02)


def test_a_letter_is_excepted_only_where_its_words_answer_nothing(lexicon):
    """Weaker answers to one letter, and a letter that drives nothing anyway, are no exceptions."""

    def weaker(words):
        return related(lexicon, words, 9) * [0.7 if w[0] == "c" else 1.0 for w in words]

    finding, _ = explored(entities.explore(500, 0, lexicon), weaker)
    assert finding.about["begins"] == ""


def pair_function(lexicon, first, second, outside=None):
    def function(pairs):
        sides = [pair.split(", ") for pair in pairs]
        inside = related(lexicon, [a for a, _ in sides], first)
        if outside is not None:
            inside = inside * (1 - related(lexicon, [a for a, _ in sides], outside))
        known = [b if b in lexicon.numbers else lexicon.words[0] for _, b in sides]
        fits = inside * related(lexicon, known, second)
        return np.where([b == "undefined" for _, b in sides], 1 - inside, fits)

    return function


def test_both_sides_of_a_relation_are_found(lexicon):
    function = pair_function(lexicon, 15, 52)
    finding, asked = explored(relations.explore(900, 0, lexicon), function)
    assert topics_of(finding.about["first"]["concepts"]) == {"15"}
    assert topics_of(finding.about["second"]["concepts"]) == {"52"}
    assert len(asked) <= 900
    form = PairForm.from_json(finding.about)
    right = f"{lexicon.words[15 * EACH + 1]}, {lexicon.words[52 * EACH + 1]}"
    turned = f"{lexicon.words[52 * EACH + 1]}, {lexicon.words[15 * EACH + 1]}"
    fit = dict(zip((right, turned), form.predict([right, turned], lexicon.of), strict=True))
    assert fit[right] > fit[turned] + 0.2


@pytest.mark.parametrize("narrow", ["7c", None])
def test_an_exception_to_a_relation_is_found_where_there_is_one(nested, narrow):
    lexicon, centres = nested
    inside = broad_but(nested, narrow, joined=np.minimum)

    def function(pairs):
        firsts, seconds = zip(*(pair.split(", ") for pair in pairs), strict=True)
        known = [b if b in lexicon.numbers else lexicon.words[0] for b in seconds]
        fits = inside(firsts) / (1 + np.exp((0.5 - lexicon.of(known) @ centres["12x"]) / 0.06))
        return np.where([b == "undefined" for b in seconds], 1 - inside(firsts), fits)

    finding, _ = explored(relations.explore(1000, 0, lexicon), function)
    assert topics_of(finding.about["first"]["unless"]) == ({"7c"} if narrow else set())
    second = topics_of(finding.about["second"]["concepts"])
    assert {name[:-1] for name in second} == {"12"}
    pairs = [f"{a}, {b}" for a, b in zip(lexicon.words[840::2], lexicon.words[1500:], strict=False)]
    by_form = PairForm.from_json(finding.about).predict(pairs, lexicon.of)
    assert executed(finding.code, lexicon, pairs) == pytest.approx(list(by_form), abs=0.03)
    asks = [f"{a}, undefined" for a in lexicon.words[::19]]
    outside = PairForm.from_json(finding.about).predict(asks, lexicon_of(lexicon))
    assert np.corrcoef(outside, function(asks))[0, 1] > 0.9


def lexicon_of(lexicon):
    """Vectors of words, with one for what is not in a lexicon."""
    return lambda words: lexicon.of(
        [w if w in lexicon.numbers else lexicon.words[0] for w in words]
    )


def test_no_relation_is_found_in_noise(lexicon):
    rng = np.random.default_rng(3)
    finding, _ = explored(relations.explore(600, 0, lexicon), lambda p: rng.random(len(p)))
    assert finding.code is None


def test_a_lexicon_survives_its_file(lexicon, tmp_path):
    lexicon.save(tmp_path / "words.npz")
    read = Lexicon.load(tmp_path / "words.npz")
    assert (read.words, read.coverage) == (lexicon.words, lexicon.coverage)
    assert np.abs(read.vectors - lexicon.vectors).max() < 1e-3


def test_the_explorers_never_import_torch():
    code = "import sys, hubel.agent.planners.lexical.relations; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "transformers"} & set(done.stdout.split())
