import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubel.agent.form import MOST_TERMS, Form, Term

phrases = st.sampled_from(["circle", "red object", "a patch of red", "text"])
weights = st.integers(-999, 999).filter(bool).map(lambda n: n / 100)
terms = st.builds(
    lambda w, a, b: Term(w, (a,), (b,) if b and b != a else ()),
    weights,
    phrases,
    st.none() | phrases,
)
forms = st.builds(
    lambda ts, join: Form(tuple(ts), join),
    st.lists(terms, min_size=1, max_size=4),
    st.sampled_from(["sum", "max"]),
)


@given(forms)
def test_written_form_reads_back(form):
    assert Form.parse(str(form)) == form
    assert Form.from_json(form.to_json()) == form


def test_execution_follows_the_grammar():
    concepts = {"a": np.array([0.0, 1.0, 1.0, 0.5]), "b": np.array([1.0, 0.0, 1.0, 0.25])}
    form = Form.parse("2*[a AND NOT b] - 1*[b]")
    assert form.predict(concepts, 4).tolist() == [-1.0, 2.0, -1.0, 0.75]
    largest = Form.parse("max(2*[a], 3*[b])")
    assert largest.predict(concepts, 4).tolist() == [3.0, 2.0, 3.0, 1.0]


def test_empty_form_predicts_a_constant():
    assert Form((), intercept=2.0).predict({}, 3).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("text", ["", "circle", "0.9*[]", "0.9*[a] 0.3", "x*[a]", "max(0.9*[a]"])
def test_what_is_not_a_form_is_refused(text):
    with pytest.raises(ValueError, match="not a form"):
        Form.parse(text)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"terms": [{"weight": "much", "having": ["a"]}]},
        {"terms": [{"weight": 1, "having": []}]},
        {"terms": [], "join": "product"},
        {"terms": [{"weight": 1, "having": [3]}]},
        {"terms": None},
    ],
)
def test_wrong_json_is_refused(data):
    with pytest.raises(ValueError, match=r"form|could not convert"):
        Form.from_json(data)


@pytest.mark.parametrize("weight", ["nan", "inf", float("nan"), float("-inf")])
def test_weights_that_are_not_finite_are_refused(weight):
    with pytest.raises(ValueError, match="finite"):
        Form.from_json({"terms": [{"weight": weight, "having": ["red"]}]})


def test_a_long_list_of_terms_is_no_explanation():
    def data(n):
        return {"terms": [{"weight": 1.0, "having": [f"phrase {i}"]} for i in range(n)]}

    assert len(Form.from_json(data(MOST_TERMS)).terms) == MOST_TERMS
    with pytest.raises(ValueError, match=f"at most {MOST_TERMS} terms"):
        Form.from_json(data(MOST_TERMS + 1))
