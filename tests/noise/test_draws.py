"""Fresh noise has the properties that an inspection states: measured by the tools for noise that is known."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dnlib.images import Range
from dnlib.noise import Inspection, correlation_map, inspect_image, inspect_pair
from dnlib.noise.draws import draw_standard, possible_powers, root_of

APART = np.eye(3)  # colours that share nothing


def inspection(*, slope=0.0, colours=APART, width=3, units=(0.0, 1.0, 255.0)):
    away = np.maximum(0, 1 - abs(np.arange(-4, 5)) / width)
    light = np.linspace(0, 1, 12)
    curve = np.stack([light, units[2] * (0.05 + slope * light)])
    return Inspection(
        level=units[2] * 0.05,
        brightness=light,
        deviation=curve[1],
        map=np.outer(away, away),
        exact=False,
        saturated=0.0,
        curves=np.stack([curve] * len(colours)),
        covariance=colours,
        range=Range(*units),
    )


def test_the_variance_follows_the_brightness_of_each_colour():
    image = np.broadcast_to(np.linspace(0.1, 0.9, 200, dtype=np.float32)[:, None], (200, 64))
    image = np.stack([image, 1 - image, np.full_like(image, 0.5)], axis=2)
    found = np.sqrt(inspection(slope=0.1).variance(image))
    assert found.shape == image.shape and np.allclose(found[5:-5], 0.05 + 0.1 * image[5:-5], atol=1e-3)


def test_the_variance_is_in_the_units_of_the_image():
    eight = np.full((20, 20), 100, np.uint8)
    one = np.eye(1)
    assert np.allclose(inspection(colours=one, units=(0.0, 255.0, 255.0)).variance(eight), (0.05 * 255) ** 2)
    assert np.allclose(inspection(colours=one, units=(-1.0, 1.0, 2.0)).variance(np.zeros((20, 20))), 0.1**2)


def test_fresh_noise_has_the_stated_variance_correlation_and_covariance():
    colours = np.array([[1, 0.6, 0.2], [0.6, 1, 0.4], [0.2, 0.4, 1]])
    stated, image = inspection(colours=colours, slope=0.1), np.full((300, 300, 3), 0.5, np.float32)
    image[..., 2] = 0.1
    noise = stated.draw(image, np.random.default_rng(0))
    assert noise.std(axis=(0, 1)) == pytest.approx([0.1, 0.1, 0.06], rel=0.03)
    assert np.abs(np.corrcoef(noise.reshape(-1, 3).T) - colours).max() < 0.03
    assert np.abs(correlation_map(noise / noise.std(axis=(0, 1)), 6)[2:-2, 2:-2] - stated.map).max() < 0.03


def test_draws_are_fresh_and_repeatable():
    image, stated = np.full((40, 50), 0.5), inspection(colours=np.eye(1))
    first, again, other = (stated.draw(image, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other) and first.shape == image.shape


@settings(max_examples=30)
@given(st.integers(0, 1000), st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_impossible_correlations_become_possible_ones(seed, size):
    """The powers are none of them negative and their mean, which is the variance, is 1; so is that of every colour."""
    rng = np.random.default_rng(seed)
    impossible = rng.uniform(-1, 1, (9, 9))
    impossible = (impossible + impossible[::-1, ::-1]) / 2
    impossible[4, 4] = 1
    matrix = rng.uniform(-1, 1, (3, 3))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1)
    assert (possible_powers(impossible, [32, 32]) >= 0).all()
    root = root_of(matrix)
    assert (root @ root.T).diagonal() == pytest.approx(np.ones(3))
    drawn = draw_standard((*size, 3), impossible, matrix, rng)
    assert drawn.shape == (*size, 3) and np.isfinite(drawn).all()


def test_a_possible_covariance_is_kept():
    matrix = np.array([[1, 0.9, 0.5], [0.9, 1, 0.6], [0.5, 0.6, 1]])
    assert np.allclose(root_of(matrix) @ root_of(matrix).T, matrix)
    away = np.maximum(0, 1 - abs(np.arange(-4, 5)) / 3)
    powers = possible_powers(np.outer(away, away), [64, 64])
    assert np.allclose(np.fft.irfft2(powers, (64, 64))[:3, :3], np.outer(away, away)[4:7, 4:7])


def test_shared_colours_are_estimated_and_measured(rng):
    mix = np.linalg.cholesky([[1, 0.7, 0.2], [0.7, 1, 0.4], [0.2, 0.4, 1]])
    clean = np.full((100, 100, 3), 0.5)
    noise = 0.1 * rng.standard_normal(clean.shape) @ mix.T
    noise = (noise + np.roll(noise, 1, axis=0)) / np.sqrt(2)  # what neighbours share is not taken for white
    truth = mix @ mix.T
    assert np.abs(inspect_pair(clean + noise, clean).covariance - truth).max() < 0.03
    assert np.abs(inspect_image(clean + noise).covariance - truth).max() < 0.06


def test_another_number_of_colours_is_refused():
    with pytest.raises(ValueError, match=r"noise of 3 colours was inspected.*\[20, 20\] was given"):
        inspection().draw(np.zeros((20, 20)), np.random.default_rng(0))
