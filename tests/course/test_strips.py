import numpy as np
import pytest

from dnlib.course import plots, strips


@pytest.fixture(autouse=True)
def closed():
    yield
    plots.plt.close("all")


def test_what_was_removed_stands_behind_the_result_with_its_unit(rng):
    noisy, result, clean = rng.random((3, 8, 10, 3))
    fig = strips.with_removed({"noisy": noisy, "denoised": result, "clean": clean}, limit=0.2, unit="of light")
    drawn = [axes.images[0].get_array() for axes in fig.axes[:4]]
    for pixels, array in zip((noisy, result, (noisy - result).mean(axis=-1), clean), drawn, strict=True):
        np.testing.assert_allclose(array, pixels)
    assert fig.axes[2].images[0].get_clim() == (-0.2, 0.2) and fig.axes[-1].get_ylabel() == "of light"


def test_black_and_white_of_a_strip_are_those_that_were_named():
    fig = strips.with_removed({"noisy": np.full((2, 2), 3.0), "denoised": np.full((2, 2), 2.0)}, low=1, high=5)
    assert [axes.images[0].get_clim() for axes in fig.axes[:2]] == [(1, 5), (1, 5)]


def test_correlation_maps_are_labelled_at_the_edges_and_places_left_over_stay_empty():
    fig, axes = plots.figure(2, 2)
    strips.correlation_maps(axes, {name: np.eye(3) for name in "abc"}, "correlation")
    assert [ax.get_ylabel() for ax in axes.flat] == ["lag in rows", "", "lag in rows", ""]
    assert [ax.get_xlabel() for ax in axes.flat] == ["", "", "lag in columns", ""]
    assert not axes[1, 1].images and fig.axes[-1].get_ylabel() == "correlation"
