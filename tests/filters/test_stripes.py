"""Offsets of rows and columns are taken off; the picture stays."""

import numpy as np
import pytest

from dnlib.filters import without_lines
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
