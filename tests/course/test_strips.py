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


def test_what_an_answer_does_not_see_is_black_and_its_strongest_pixel_brightest():
    fig, axes = plots.figure(1, 2)
    fields = {"faint": np.array([[0, 1e-9, 2.0]]), "strong": np.full((3, 3), 50.0)}
    strips.sensitivity_maps(axes, fields, weakest=1e-4, unit="of the strongest")
    assert axes[0].images[0].get_array().tolist() == [[-4, -4, 0]] and not axes[1].images[0].get_array().any()
    assert [tuple(ax.images[0].get_extent()) for ax in axes] == [(-1.5, 1.5, 0.5, -0.5), (-1.5, 1.5, 1.5, -1.5)]
    assert {ax.images[0].get_clim() for ax in axes} == {(-4, 0)} and fig.axes[-1].get_ylabel() == "of the strongest"
    assert [ax.get_ylabel() for ax in axes] == ["rows away", ""]
    assert [ax.get_xlabel() for ax in axes] == ["columns away"] * 2
