"""How far off a result may be: the spread over fresh draws of the noise."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from scipy.ndimage import uniform_filter
from scipy.stats import spearmanr

import dnlib
from dnlib.cli import main
from dnlib.denoiser import CANDIDATES, UNCHANGED, choosing, denoise_file, glances
from dnlib.denoiser.candidates import Candidate
from dnlib.denoiser.choice import Choice
from dnlib.denoiser.choosing import Chosen
from dnlib.denoiser.judging import Judged
from dnlib.denoiser.strength import WhiteNoise
from dnlib.denoiser.uncertainty import EASIER, kind_of, spread
from dnlib.filters import Risk
from dnlib.images import Range, photo, read

LEVEL, SPAN = 0.1, 20.0  # of the noise in [0, 1], and what that range is in units of the result
RANGE = Range.told(100, 100 + SPAN)
CLEAN = 0.2 + 0.6 * np.kron(np.random.default_rng(1).random((8, 8)), np.ones((12, 12)))  # squares of one gray each
NOISY = CLEAN + 25 / 255 * np.random.default_rng(0).standard_normal(CLEAN.shape)
RESULT, INSIDE = np.full((96, 96, 1), 110.0), np.ones((96, 96), bool)


def chosen(filter, weight=1.0, counts=False):
    """A filter without settings, for white noise of LEVEL; `weight`: which share of what it removes is taken off."""
    risk = Risk(*np.zeros((3, 1, 1)), np.ones((1, 1)))
    judged = Judged(Candidate(filter, lambda level: [{}]), 0, risk, np.array([weight]))
    choice = Choice("mine", {}, 0.0, LEVEL * SPAN, {})
    return Chosen(choice, judged, WhiteNoise(LEVEL), LEVEL, RANGE, weight < 1, counts, True, "cpu")


def mean_square(values):
    return float(np.mean(np.square(values, dtype=np.float64)))


def uncertain(image, **options):
    result, choice = dnlib.denoise(image, uncertainty=True, return_choice=True, **options)
    return result, choice, choice.uncertainty


def test_of_a_mean_over_nine_pixels_it_is_a_third_of_the_noise():
    found = spread(chosen(lambda image: uniform_filter(image, 3, mode="wrap")), RESULT, INSIDE)
    assert found.shape == RESULT.shape and found.dtype == np.float32
    assert mean_square(found / EASIER) == pytest.approx((LEVEL * SPAN / 3) ** 2, rel=0.05)


def test_what_a_filter_does_to_a_picture_without_noise_counts_as_well():
    found = spread(chosen(lambda image: image / 2), RESULT, INSIDE)  # 110 is 0.5 in [0, 1] and becomes 0.25
    assert mean_square(found / EASIER) == pytest.approx(SPAN**2 * (0.25**2 + (LEVEL / 2) ** 2), rel=0.02)


def test_where_nothing_is_taken_off_it_is_the_noise():
    nothing = chosen(lambda image: uniform_filter(image, 3, mode="wrap"), weight=0.0)
    assert mean_square(spread(nothing, RESULT, INSIDE)) == pytest.approx((LEVEL * SPAN) ** 2, rel=0.03)
    unchanged = replace(nothing, judged=None)
    np.testing.assert_allclose(spread(unchanged, RESULT, INSIDE), LEVEL * SPAN, rtol=1e-6)
    assert (kind_of(nothing), kind_of(unchanged)) == ("spread", "noise")


def test_of_photons_that_are_left_as_they_are_it_is_the_root_of_their_rate():
    rate = np.full((96, 96, 1), 9.0)
    counted = replace(chosen(lambda image: image, counts=True), range=Range.told(0, SPAN))
    found = spread(counted, rate, INSIDE) / spread(counted, 4 * rate, INSIDE)
    assert np.sqrt(np.mean(found**2)) == pytest.approx(1 / 2, rel=0.03)


def test_pixels_that_do_not_count_do_not_spoil_those_beside_them():
    inside = INSIDE.copy()
    inside[:, :40] = False

    def broken(image):
        return np.where(inside, uniform_filter(image, 3, mode="wrap"), 1e6)

    found = spread(chosen(broken), RESULT, inside)
    assert found[:, 50:].max() < LEVEL * SPAN and found[:, 40:].max() < LEVEL * SPAN and np.isfinite(found).all()


@pytest.mark.parametrize("filter", ["median", "total_variation", "nl_means"])
def test_errors_are_as_large_as_it_says(filter):
    result, choice, found = uncertain(NOISY, filter=filter)
    error = np.abs(result - CLEAN)
    assert 0.60 < np.mean(error < found) < 0.85 and 0.90 < np.mean(error < 1.96 * found) < 0.99
    assert 0.75 < np.sqrt(mean_square(found) / mean_square(error)) < 1.33
    assert spearmanr(found.ravel(), error.ravel())[0] > 0.1
    assert choice.uncertainty_kind == "spread" and "4 fresh draws" in choice.doubt


def test_it_is_larger_at_an_edge_than_in_flat_areas():
    step = np.where(np.arange(80) < 40, 0.2, 0.8) + 0.1 * np.random.default_rng(1).standard_normal((80, 80))
    _, _, found = uncertain(step, filter="total_variation")
    assert found[:, 37:43].mean() > 1.5 * max(found[:, 10:30].mean(), found[:, 50:70].mean())


def test_it_is_in_the_units_of_the_picture_and_the_same_every_time():
    result, _, found = uncertain(NOISY, filter="median")
    _, _, scaled = uncertain(1000 * NOISY + 7, filter="median")
    np.testing.assert_allclose(scaled, 1000 * found, rtol=2e-3)
    again, _, same = uncertain(NOISY, filter="median")
    np.testing.assert_array_equal(same, found)
    np.testing.assert_array_equal(again, result)


def test_it_costs_nothing_where_it_is_not_asked_for():
    plain, choice = dnlib.denoise(NOISY, filter="median", return_choice=True)
    assert choice.uncertainty is None and choice.uncertainty_kind == "" and choice.doubt == ""
    np.testing.assert_array_equal(plain, uncertain(NOISY, filter="median")[0])


def test_a_picture_left_as_it_is_keeps_the_noise_that_it_may_have(monkeypatch):
    monkeypatch.setattr(choosing, "CANDIDATES", {"median": CANDIDATES["median"]})
    _, choice, found = uncertain(photo("astronaut")[60:160, 160:260, 1])
    assert choice.filter == UNCHANGED and choice.uncertainty_kind == "noise"
    assert np.sqrt(mean_square(found)) == pytest.approx(choice.noise, rel=0.2)


def test_it_has_the_shape_of_any_picture():
    stack, colour = np.stack([NOISY, NOISY[::-1]]), np.stack([NOISY, NOISY[::-1], NOISY[:, ::-1]], axis=-1)
    for image, options in (
        (NOISY, {}),
        (stack, {"axes": "TYX"}),
        (colour, {}),
        (np.moveaxis(colour, -1, 0), {"axes": "CYX"}),
    ):
        _, choice, found = uncertain(image, filter="median", **options)
        assert found.shape == image.shape and found.dtype == np.float32 and (found > 0).all()
        assert not choice.parts or {one.uncertainty_kind for one in choice.parts.values()} == {"spread"}


def test_alpha_and_missing_pixels_have_none():
    alpha = np.full((*NOISY.shape, 1), 255)
    with_alpha = np.concatenate([np.rint(255 * np.repeat(NOISY[..., None], 3, axis=2)).clip(0, 255), alpha], axis=-1)
    with pytest.warns(UserWarning, match="alpha"):
        assert uncertain(with_alpha.astype(np.uint8), filter="median")[2].shape == (*NOISY.shape, 3)
    holes = NOISY.copy()
    holes[30:40, 30:40] = np.nan
    _, _, found = uncertain(holes, filter="median", ignore_nan=True)
    assert np.isfinite(found).all() and (found[30:40, 30:40] == 0).all() and (found[:30] > 0).all()


def test_photon_counts_have_it_too():
    counts = np.random.default_rng(0).poisson(8 * CLEAN)
    result, choice, found = uncertain(counts, dtype="float32")
    error = result - 8 * CLEAN
    assert choice.uncertainty_kind == "spread" and (found >= 0).all()
    assert 0.6 < np.sqrt(mean_square(found) / mean_square(error)) < 1.6


def test_tiles_say_what_the_whole_picture_says(monkeypatch):
    large = np.tile(NOISY, (2, 2))
    _, _, whole = uncertain(large, filter="median")
    monkeypatch.setattr(glances, "SIDE", 64)
    _, _, tiled = uncertain(large, filter="median")
    assert tiled.shape == whole.shape and (tiled > 0).all()
    assert mean_square(tiled) == pytest.approx(mean_square(whole), rel=0.1)


def test_a_stack_read_frame_by_frame_has_that_of_the_whole_however_many_axes_count_frames(tmp_path):
    stack = np.stack([NOISY, NOISY[::-1], NOISY.T, NOISY[:, ::-1]]).reshape(2, 2, *NOISY.shape).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", stack, photometric="minisblack", metadata={"axes": "ZTYX"})
    denoise_file(tmp_path / "in.tif", tmp_path / "out.tif", uncertainty=tmp_path / "std.tif", filter="median")
    expected = uncertain(stack, filter="median", axes="ZTYX")[2]
    np.testing.assert_array_equal(read(tmp_path / "std.tif").pixels.reshape(stack.shape), expected)


def test_the_command_writes_it_for_any_filter(tmp_path):
    image, out, deviation = tmp_path / "in.npy", tmp_path / "out.npy", tmp_path / "std.npy"
    np.save(image, np.stack([NOISY, NOISY[::-1]]))
    arguments = ["denoise", image, "-o", out, "--filter", "median", "--axes", "TYX", "--uncertainty", deviation]
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    assert "the spread over 4 fresh draws of the noise" in result.output
    found = np.load(deviation)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, uncertain(np.load(image), filter="median", axes="TYX")[2], rtol=1e-6)
