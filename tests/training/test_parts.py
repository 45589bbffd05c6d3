"""Colour, flat areas, texture: what an error is made of."""

import numpy as np
import pytest
import torch

from dnlib.images import Example
from dnlib.images.arrays import photo, to_tensor
from dnlib.noise import Gaussian
from dnlib.training import evaluate, psnr, score_pairs, take_apart

CLEAN = photo("astronaut")[40:168, 100:228].astype(float)
GRAIN = 0.05 * np.random.default_rng(0).standard_normal(CLEAN.shape)


@pytest.mark.parametrize("protocol", ["float", "real_srgb"])
@pytest.mark.parametrize("shape", [(128, 128), (97, 120), (40, 33)])
def test_the_parts_add_up_to_the_whole(shape, protocol):
    clean, cast = CLEAN[: shape[0], : shape[1]], np.array([0.05, 0, -0.02])
    estimate = clean + GRAIN[: shape[0], : shape[1]] + cast
    found = take_apart(estimate, clean, protocol)
    squares = [(1 - found.share) * 10 ** (-found.flat / 10), found.share * 10 ** (-found.texture / 10)]
    whole = -10 * np.log10((found.colour / 255) ** 2 + np.nansum(squares))  # NaN stands where there are no such pixels
    assert whole == pytest.approx(psnr(estimate, clean, protocol), abs=1e-9)


def test_a_cast_is_colour_and_nothing_else():
    cast = np.array([6, 0, -3]) / 255
    found = take_apart(CLEAN + cast, CLEAN)
    assert found.colour == pytest.approx(np.sqrt((36 + 9) / 3))
    assert min(found.flat, found.texture) > 200  # but for rounding


def test_grain_of_mean_zero_is_no_colour_and_the_same_everywhere():
    found = take_apart(CLEAN + GRAIN, CLEAN)
    expected = -20 * np.log10(0.05)
    assert found.colour < 0.3  # 12.75 over the root of 64x64 pixels
    assert found.flat == pytest.approx(expected, abs=0.1) and found.texture == pytest.approx(expected, abs=0.1)


def test_a_blur_costs_texture_and_an_edge_decides_what_is_textured():
    step = np.zeros((64, 64, 3))
    step[:, 32:] = 0.5
    found = take_apart(np.where(step > 0, 0.45, 0.05), step)
    assert found.share == 6 / 64  # the columns whose 7x7 pixels hold both sides
    soft = step.copy()
    soft[:, 31:33] = 0.25
    blurred = take_apart(soft, step)
    assert blurred.texture < 25 < 200 < blurred.flat


def test_blocks_share_the_sides_so_that_none_is_a_single_row():
    rng = np.random.default_rng(1)
    noisy = CLEAN[:65] + 0.1 * rng.standard_normal((65, 128, 3))
    assert take_apart(noisy, CLEAN[:65]).colour < 1.0  # 25.5 over the root of 65x64; a row of 64 alone would add 0.4


def test_tensors_and_gray_arrays_are_taken_and_stacks_refused():
    one = to_tensor(CLEAN.astype(np.float32))
    assert take_apart(one + 0.1, one).colour == pytest.approx(25.5, abs=1e-4)
    assert take_apart(CLEAN[..., 0] + 0.1, CLEAN[..., 0]).colour == pytest.approx(25.5)
    with pytest.raises(ValueError, match="the error of one image is taken apart; 2 were given"):
        take_apart(torch.cat([one, one]), torch.cat([one, one]))


def test_a_picture_without_texture_has_no_number_for_it():
    flat = np.full((40, 40, 3), 128, np.uint8)
    scores = score_pairs(lambda y: y + 0.1, [Example("flat", clean=flat, noisy=flat)])
    assert np.isnan(scores.mean_parts["texture"]) and scores.parts_by_image["texture"] == {}
    assert scores.mean_parts["colour"] == pytest.approx(26)  # rounded to 8 bits
    astronaut = (255 * CLEAN).astype(np.uint8)
    both = evaluate(lambda y: y, [Example("a", clean=astronaut), Example("flat", clean=flat)], Gaussian(25), draws=2)
    assert list(both.parts_by_image["texture"]) == ["a"] and both.mean_parts["texture"] == pytest.approx(20.4, abs=0.3)
    assert set(both.parts_by_image["flat"]) == {"a", "flat"}
