"""Offsets of rows and columns are taken off; the picture stays."""

import numpy as np
import pytest

from dnlib.filters import line_offsets, stripes, without_lines
from dnlib.images import photo


@pytest.mark.parametrize("name", ["camera", "coffee"])
@pytest.mark.parametrize("white", [0.0, 0.04])
def test_two_thirds_of_the_offsets_are_taken_off(rng, name, white):
    clean = photo(name)[:200, :256]
    offsets = rng.normal(0, 0.06, (200, 1, *clean.shape[2:]))
    noisy = clean + rng.normal(0, 1, clean.shape) * white + offsets
    left = without_lines(noisy) - noisy + offsets
    assert np.std(left) < 0.35 * np.std(offsets)
    turned = without_lines(noisy.swapaxes(0, 1), "columns")
    np.testing.assert_allclose(turned.swapaxes(0, 1), without_lines(noisy), atol=1e-12)


def test_shading_stays_and_other_directions_are_refused():
    ramp = np.add.outer(np.arange(100.0), np.zeros(100))
    np.testing.assert_allclose(without_lines(ramp)[30:-30], ramp[30:-30], atol=1e-3)
    with pytest.raises(ValueError, match="rows or columns; 'diagonals'"):
        without_lines(ramp, "diagonals")


@pytest.mark.parametrize("shape", [(70, 50), (70, 50, 3)])
def test_offsets_in_pieces_are_those_of_the_whole_and_what_does_not_count_changes_nothing(rng, shape, monkeypatch):
    image = rng.normal(0, 1, shape)
    whole = line_offsets(image)
    np.testing.assert_array_equal(image - whole, without_lines(image))
    monkeypatch.setattr(stripes, "AT_ONCE", 400)
    np.testing.assert_array_equal(line_offsets(image), whole)
    np.testing.assert_array_equal(line_offsets(image.swapaxes(0, 1), "columns"), whole.swapaxes(0, 1))
    inside = np.ones(shape[:2], bool)
    inside[:, 40:], inside[30] = False, False
    cut = line_offsets(image[:, :40], inside=inside[:, :40])
    image[~inside] = np.nan
    np.testing.assert_array_equal(line_offsets(image, inside=inside), cut)
    assert np.isfinite(cut).all()
    for wrong in (inside.astype(int), inside[1:], np.zeros_like(inside)):
        with pytest.raises(ValueError, match="a mask is boolean"):
            line_offsets(image, inside=wrong)


def test_lines_that_are_drawn_stay_in_the_picture(rng):
    """Joints between tiles and a horizon, whole rows all of them, under noise of rows that is far weaker."""
    clean = np.full((120, 80), 0.5)
    clean[::17] = 0.3
    clean[:40] += 0.2
    noisy = clean + rng.normal(0, 0.01, (120, 1)) + rng.normal(0, 0.01, clean.shape)
    left = without_lines(noisy) - clean
    assert np.abs(left.mean(axis=1)).max() < 0.05 and left.std() < 0.9 * (noisy - clean).std()
