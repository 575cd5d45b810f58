import numpy as np
import pytest

from hubel.agent.form import Term
from hubel.agent.planners.columns import Table
from hubel.agent.planners.fit import select
from hubel.agent.planners.words import claim_of, exceptions_of
from hubel.agent.score import pearson

N = 300


def table(measure, seed=0):
    rng = np.random.default_rng(seed)
    degrees = {f"p{i}": (rng.random(N) < 0.3).astype(float) for i in range(40)}
    degrees["graded"] = rng.random(N)
    measured = measure(degrees, rng)
    return Table(degrees, measured, rng.uniform(0.5, 2, N), [str(i // 3) for i in range(N)])


def test_finds_both_parts_of_an_or():
    fit = select(table(lambda d, rng: np.maximum(d["p3"], d["p7"]) + rng.normal(0, 0.2, N)))
    assert {"p3", "p7"} <= set(fit.form.phrases)
    assert fit.validated > 0.7


def test_finds_a_conjunction_and_an_exclusion():
    both = select(table(lambda d, rng: d["p3"] * d["p7"] + rng.normal(0, 0.1, N)))
    assert set(both.form.terms[0].having) == {"p3", "p7"}
    without = select(table(lambda d, rng: d["p3"] * (1 - d["p7"]) + rng.normal(0, 0.1, N)))
    assert (without.form.terms[0].having, without.form.terms[0].lacking) == (("p3",), ("p7",))


def test_names_a_family_in_one_term_but_not_a_sum():
    def either(d, rng):
        return 2 * np.maximum(d["p3"], d["p7"]) + rng.normal(0, 0.2, N)

    family = select(table(either)).form.terms
    assert [(t.having, set(t.lacking)) for t in family] == [((), {"p3", "p7"})]
    assert family[0].weight == pytest.approx(-2, abs=0.1)
    summed = select(table(lambda d, rng: d["p3"] + d["p7"] + rng.normal(0, 0.1, N))).form.terms
    assert {t.having for t in summed} == {("p3",), ("p7",)}


def test_many_small_causes_are_told_in_eight_terms():
    """Twelve of forty phrases drive the unit; pictures that were not fitted are foretold."""

    def measure(d, rng):
        return sum(d[f"p{i}"] for i in range(12)) + rng.normal(0, 0.5, N)

    form = select(table(measure)).form
    fresh = table(measure, seed=1)
    predicted = form.predict(fresh.degrees, N)
    assert len(form.terms) == 8
    assert pearson(predicted, fresh.measured, fresh.weights[None])[0] > 0.85


def test_a_rival_has_the_sign_that_it_has_beside_the_form():
    def measure(d, rng):
        d["shadow"] = np.where(rng.random(N) < 0.7, d["p1"], d["p2"])
        return 2 * d["p1"] - 0.12 * d["shadow"] + rng.normal(0, 0.02, N)

    fit = select(table(measure))
    assert fit.form.phrases == ["p1"]
    assert (fit.rivals[0].having, fit.rivals[0].weight < 0) == (("shadow",), True)


def test_weights_carry_signs_and_sizes():
    fit = select(table(lambda d, rng: 2 * d["graded"] - d["p1"] + rng.normal(0, 0.1, N)))
    weight = {t.having: t.weight for t in fit.form.terms}
    assert 1.8 < weight[("graded",)] < 2.2
    assert -1.2 < weight[("p1",)] < -0.8


def test_noise_does_not_validate():
    validated = [
        select(table(lambda d, rng: rng.gamma(1, 1, N), seed)).validated for seed in range(8)
    ]
    assert np.mean(validated) < 0.1
    assert max(validated) < 0.25


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (Term(1.0, ("red circle",)), "Responds to a red circle"),
        (
            Term(-1.0, (), ("a red patch", "orange object")),
            "Responds to either a red patch or an orange object",
        ),
        (Term(1.0, (), ("text", "sky")), "Is suppressed by either text or sky"),
        (Term(-1.0, ("orange object", "text")), "Is suppressed by an orange object with text"),
        (Term(1.0, ("fine texture",), ("no object",)), "Responds to fine texture with some object"),
        (
            Term(1.0, ("a red patch",), ("two objects",)),
            "Responds to a red patch without two objects",
        ),
    ],
)
def test_terms_in_words(term, words):
    assert claim_of(term) == words


def test_a_constant_unit_has_no_terms():
    fit = select(table(lambda d, rng: np.full(N, 3.0)))
    assert fit.form.terms == ()
    assert fit.form.intercept == 3.0


def test_an_exception_is_named_and_absent_where_there_is_none():
    def measure(d, rng):
        return d["p1"] + rng.normal(0, 0.1, N)

    form = select(table(measure)).form
    assert exceptions_of(form, table(measure)) == []
    odd = table(lambda d, rng: measure(d, rng) - 2 * d["p9"])
    kept = type(form)((Term(1.0, ("p1",)),))
    assert exceptions_of(kept, odd) == [
        "Where there is p9, it responds less than the form predicts."
    ]
