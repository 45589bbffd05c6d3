"""What is known of noise where images are tiny, where little counts, and where values are huge or next to nothing."""

import json

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from dnlib.noise import inspect_image, inspect_pair
from dnlib.noise.figure import draw_correlation_map


@pytest.fixture
def row(rng):
    """A pair of which one row counts; its noise is that of two neighbours."""
    clean, white, inside = np.full((64, 64), 0.5), rng.normal(0, 0.05, (64, 65)), np.zeros((64, 64), bool)
    inside[20] = True
    return inspect_pair(clean + white[:, 1:] + white[:, :-1], clean, inside=inside)


@pytest.mark.parametrize("seed", range(5))
def test_of_an_image_of_8_pixels_no_correlation_is_made_up(seed):
    found = inspect_pair(0.5 + np.random.default_rng(seed).normal(0, 0.1, (8, 8)), np.full((8, 8), 0.5))
    assert found.map.shape == (5, 5) and np.abs(found.map).max() <= 1
    json.dumps(found.record, allow_nan=False)


def test_what_is_not_known_is_null_and_is_not_called_correlated(row):
    record = json.loads(json.dumps(row.record, allow_nan=False))
    assert record["lag_1"]["right"] == pytest.approx(0.5, abs=0.25) and record["lag_1"]["down"] is None
    assert record["direction"] == "rows" and "to the right, unknown down" in row.sentence
    assert np.isnan(row.map[:10]).all() and "nan" not in row.paragraph


def test_noise_is_drawn_where_some_of_its_correlation_is_not_known(row, rng):
    image = np.full((200, 200), 0.5)
    noise = row.draw(image, rng)
    assert noise.std() == pytest.approx(np.sqrt(row.variance(image).mean()), rel=0.05)
    assert np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1] == pytest.approx(row.lag_1[0], abs=0.05)


def test_what_is_not_known_is_drawn_in_a_colour_of_its_own(row):
    axes = Figure().subplots()
    draw_correlation_map(axes, row.map)
    picture = axes.images[0]
    assert tuple(picture.to_rgba(picture.get_array())[0, 0]) == to_rgba("tab:blue")
    assert tuple(picture.to_rgba(picture.get_array())[10, 11]) != to_rgba("tab:blue")


@pytest.mark.parametrize(("reach", "ticks"), [(3, [-3, 0, 3]), (6, [-6, 0, 6]), (10, [-10, -4, 0, 4, 10])])
def test_ticks_of_a_map_lie_within_it_and_apart(reach, ticks):
    axes = Figure().subplots()
    draw_correlation_map(axes, np.ones((2 * reach + 1, 2 * reach + 1)))
    assert axes.get_xticks().tolist() == axes.get_yticks().tolist() == ticks
    assert axes.get_xlim() == (-reach - 0.5, reach + 0.5)


def test_of_single_pixels_it_is_said_that_too_few_tell(rng):
    clean, inside = np.full((64, 64), 0.5), np.zeros((64, 64), bool)
    inside[::8, ::8] = True
    found = inspect_pair(clean + rng.normal(0, 0.05, clean.shape), clean, inside=inside, reach=3)
    assert "too few pixels tell whether neighbours share it" in found.sentence and found.radius == 0
    assert found.record["direction"] == "unknown" and "What fits depends" in found.paragraph


def test_images_one_pixel_high_have_no_neighbour_below_and_no_map_has_no_reach(rng):
    clean = np.full((1, 100), 0.5)
    found = inspect_pair(clean + rng.normal(0, 0.05, clean.shape), clean)
    assert np.isnan(found.lag_1).all() and found.record["lag_1"] == {"right": None, "down": None}
    with pytest.raises(ValueError, match="reach of at least 1 pixel; 0 was given"):
        inspect_pair(clean + 0.1, clean, reach=0)


@pytest.mark.parametrize("factor", [1e-25, 1.0, 1e25])
def test_variances_that_single_precision_does_not_hold_are_doubles(factor):
    image = factor * np.random.default_rng(0).normal(100, 5, (64, 64))
    found = inspect_image(image)
    variance, noise = found.variance(image), found.draw(image, np.random.default_rng(0))
    assert np.sqrt(variance.mean()) == pytest.approx(5 * factor, rel=0.1)
    assert noise.std(dtype=float) == pytest.approx(5 * factor, rel=0.1)
    assert variance.dtype == noise.dtype == (np.float32 if factor == 1 else np.float64)
