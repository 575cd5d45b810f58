from hubel.evals.baselines import one_shot


def test_one_shot_names_what_most_exemplars_have():
    exemplars = [
        {"circle": 1.0, "red object": 1.0, "brightness": 0.6, "edges": 0.4},
        {"circle": 1.0, "brightness": 0.9, "edges": 0.4},
        {"circle": 1.0, "red object": 1.0, "brightness": 0.7, "text": 1.0},
    ]
    assert one_shot(exemplars).phrases == ["circle", "brightness", "red object"]


def test_one_shot_of_nothing_is_the_empty_form():
    assert one_shot([]).terms == ()
    assert one_shot([{"faint": 0.2}]).terms == ()
