from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hubel.tools.heatmap import grid, overlay

GREY = Image.new("RGB", (96, 64), (128, 128, 128))


def change(image):
    return np.abs(np.asarray(image, dtype=int) - np.asarray(GREY, dtype=int)).sum(axis=2)


def warm(image):
    rgb = np.asarray(image, dtype=int)
    return rgb[..., 0] - rgb[..., 2]


def test_overlay_glows_where_the_map_is_high_and_dims_elsewhere():
    activation = np.zeros((4, 6))
    activation[1, 4] = 2.0
    shown = overlay(GREY, activation)
    assert shown.size == GREY.size
    row, column = np.unravel_index(warm(shown).argmax(), (64, 96))
    assert row // 16 == 1
    assert column // 16 == 4
    assert np.asarray(shown)[60, 4].max() < 100


def test_overlay_with_a_common_span_shows_a_weak_map_weakly():
    weak = np.zeros((4, 6))
    weak[1, 4] = 0.1
    assert warm(overlay(GREY, weak, (0.0, 2.0))).max() < 25 < warm(overlay(GREY, weak)).max()


@pytest.mark.parametrize("flat", [np.zeros((3, 3)), np.full((3, 3), 7.0), np.float32(1.0)])
def test_overlay_of_a_map_without_differences_is_the_picture(flat):
    assert change(overlay(GREY, flat)).max() == 0


def test_tokens_become_a_square_without_the_class_token():
    square = grid(np.arange(50))
    assert square.shape == (7, 7)
    assert square[0, 0] == 1
    assert grid(np.arange(49)).shape == (7, 7)
    assert grid(np.arange(7)) is None


def test_overlay_takes_tiny_pictures_and_maps():
    assert overlay(Image.new("L", (1, 1)), np.array([[0.0, 1.0]])).size == (1, 1)
