"""Which units respond to a concept: planted ones are found, noise is not."""

import pytest
import torch
from torch import nn

from hubel.tools.experiments.rank import rank
from hubel.tools.imagery.naming import phrase_for
from hubel.tools.spec import ToolError
from hubel.tools.target import Target

from .conftest import pixels


class Noise(nn.Module):
    """Units that depend on every pixel, and on nothing that anybody could name."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        key = (x.double().flatten(1) * torch.arange(1, x[0].numel() + 1)).sum(dim=1)
        rates = torch.arange(1, 201, dtype=torch.float64)
        return self.cells(torch.sin(key[:, None] * rates * 12.9898).float())


@pytest.mark.parametrize(
    ("concept", "unit"), [("red", 0), ("green things", 1), ("a blue object", 2)]
)
def test_rank_finds_planted_units_and_confirms_them(bench, concept, unit):
    values = rank(bench().ctx, concept, sites=["colours"], n=4, pairs=32).values
    first = max(values["units"], key=lambda one: one["in_sd"])
    assert (first["unit"], first["confirmed"]) == (f"colours:{unit}", True)
    assert first["ci"][0] > 0
    assert values["ranked"] == 8
    assert values["pairs"] == [16, 16]
    assert values["changed"] == {"colour": 32}


def test_rank_does_not_confirm_a_control_that_responds_to_something_else(bench):
    # Red less the others: that something blue loses its colour does not lower it.
    values = rank(bench().ctx, "blue object", sites=["colours"], n=8, pairs=32).values
    red = [one for one in values["units"] if one["unit"] == "colours:0"]
    assert not any(one["confirmed"] for one in red)


@pytest.mark.parametrize("concept", ["striped object", "red circle", "dog"])
def test_rank_confirms_none_of_a_control_of_noise(bench, concept):
    ctx = bench().ctx
    ctx.target = Target("noise", Noise(), pixels)
    values = rank(ctx, concept, sites=["cells"], n=10, pairs=32).values
    assert values["ranked"] == 200
    assert len(values["units"]) == 10
    assert not any(one["confirmed"] for one in values["units"])


def test_pairs_are_minimal_and_pictures_are_kept(bench):
    ctx = bench().ctx
    found = rank(ctx, "red", sites=["colours"], n=2, pairs=16)
    with_it, without = found.values["example"]
    assert ctx.store.image(with_it).size == ctx.store.image(without).size
    figures = [one["figure"] for one in found.values["units"]]
    assert figures
    assert set(figures) <= {a.id for a in found.artifacts if a.kind == "figure"}
    again = rank(ctx, "red", sites=["colours"], n=2, pairs=16)
    assert again.values == found.values


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ("stripes", "striped object"),
        ("stripy things", "striped object"),
        ("dots", "dotted object"),
        ("red", "red object"),
        ("a red circle", "red circle"),
        ("Red Circles", "red circle"),
        ("dogs", "dog"),
        ("the striped background", "striped background"),
        ("horizontally striped ring", "horizontally striped ring"),
    ],
)
def test_words_become_phrases(words, phrase):
    assert phrase_for(words) == phrase


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("faces", "may mean several things"),
        ("zebra", "cannot show"),
        ("", "cannot show"),
        ("the", "cannot"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(words, said):
    with pytest.raises(ToolError, match=said):
        phrase_for(words)


def test_a_wrong_site_is_refused_with_the_nearest(bench):
    with pytest.raises(ToolError, match="has no site"):
        rank(bench().ctx, "red", sites=["nowhere"])
