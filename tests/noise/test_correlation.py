"""Maps against direct sums, known noise against its theory."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from dnlib.noise import chroma_correlation_map, correlation_map, lag_sums, lags as lag_module, radius, survey
from dnlib.noise.correlation import FEW


def overlap(noise, dy, dx):
    """The pixels that have a partner at the lag, and their partners."""
    h, w = noise.shape[:2]
    x = noise[max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)]
    y = noise[max(0, dy) : h - max(0, -dy), max(0, dx) : w - max(0, -dx)]
    return x, y


def lags(reach):
    return itertools.product(range(-reach, reach + 1), repeat=2)


@pytest.fixture
def noise(rng):
    """Correlated, with a mean, not the same in its colours."""
    white = rng.standard_normal((45, 37, 3))
    return white[:-2, :-1] + 0.5 * white[2:, 1:] + 0.4 * white[:-2, :-1, :1] + 0.3


@pytest.mark.parametrize("strip", [5, 16, 200])
def test_the_map_is_pearson_s_correlation_of_every_overlap(noise, strip, monkeypatch):
    monkeypatch.setattr(lag_module, "STRIP", strip)
    assert correlation_map(noise, reach=0) == pytest.approx(1)
    found = correlation_map(noise, reach=7)
    for dy, dx in lags(7):
        x, y = overlap(noise, dy, dx)
        assert found[7 + dy, 7 + dx] == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1], abs=1e-12)


def test_invalid_pixels_take_no_part(noise, rng):
    everywhere = np.ones(noise.shape[:2], bool)
    assert np.allclose(correlation_map(noise, 4, valid=everywhere), correlation_map(noise, 4))
    valid = rng.random(noise.shape[:2]) < 0.7
    spoilt = np.where(valid[..., None], noise, 1e3)
    assert np.allclose(correlation_map(spoilt, 4, valid=valid), correlation_map(noise, 4, valid=valid))
    x, y = overlap(noise, 1, -2)
    both = np.logical_and(*overlap(valid, 1, -2))
    direct = np.corrcoef(x[both].ravel(), y[both].ravel())[0, 1]
    assert correlation_map(noise, 4, valid=valid)[5, 2] == pytest.approx(direct, abs=1e-12)


def test_the_report_s_formula_by_fft_is_its_quadruple_loop(rng):
    noise = rng.standard_normal((11, 9, 3))
    noise[3, 4] = 0.5  # a gray pixel has no correlation
    found = chroma_correlation_map(noise, reach=4)
    for dy, dx in lags(4):
        x, y = (part.reshape(-1, 3) for part in overlap(noise, dy, dx))
        triples = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True) if np.ptp(a) and np.ptp(b)]
        assert found[4 + dy, 4 + dx] == pytest.approx(np.mean(triples), abs=1e-12)


def test_gray_noise_is_invisible_to_the_report_s_formula(rng):
    blurred = rng.standard_normal((80, 80))
    blurred = blurred + np.roll(blurred, 1, axis=0)
    colour = rng.standard_normal((80, 80, 3))
    noise = 5 * blurred[..., None] + colour
    assert correlation_map(noise, 1)[2, 1] > 0.4
    assert np.abs(chroma_correlation_map(noise, 1)[2, 1] - chroma_correlation_map(colour, 1)[2, 1]) < 1e-9


@pytest.mark.parametrize("width", [2, 3, 5])
def test_box_noise_gives_the_triangle(rng, width):
    white = rng.standard_normal((400 + width - 1, 400 + width - 1))
    noise = sum(white[i : i + 400, j : j + 400] for i in range(width) for j in range(width))
    one_way = np.clip(1 - np.abs(np.arange(-6, 7)) / width, 0, None)
    assert np.abs(correlation_map(noise, 6) - np.outer(one_way, one_way)).max() < 6 * width / 400


def test_independent_noise_stays_below_three_deviations(rng):
    noise = rng.standard_normal((200, 300, 3)).astype(np.float32)
    found = correlation_map(noise, 10)
    assert found[10, 10] == pytest.approx(1)
    assert np.allclose(found, found[::-1, ::-1])  # point symmetry
    outside = np.delete(found.ravel(), 220)
    assert np.mean(np.abs(outside) < 3 / np.sqrt(noise.size)) >= 0.99


def test_single_precision_is_exact_to_a_millionth(rng):
    white = rng.standard_normal((513, 515, 3))
    noise = (white + np.roll(white, 1, axis=1)) / 255 + 0.02
    assert np.abs(correlation_map(noise.astype(np.float32), 10) - correlation_map(noise, 10)).max() < 1e-6


def test_sums_of_images_add_up(noise):
    sums = lag_sums(noise, 2) + lag_sums(noise, 2)
    assert np.allclose(sums.correlation, correlation_map(noise, 2))
    other = 3 * noise[:20] + 5
    parts = survey([("a", noise), ("b", other)], 2)
    centred = [image - image.mean() for image in (noise, other)]  # each image's own mean is taken off
    x, y = (np.concatenate([overlap(image, 0, 1)[side].ravel() for image in centred]) for side in (0, 1))
    assert parts.pooled[2, 3] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-12)
    assert parts.at((0, 1))["a"] == pytest.approx(correlation_map(noise, 2)[2, 3])


def test_outliers_are_listed_by_name(rng):
    white = {f"image {i}": rng.standard_normal((40, 40)) for i in range(12)}
    rows = {"striped": np.repeat(rng.standard_normal((40, 1)), 40, axis=1) + 0.1 * rng.standard_normal((40, 40))}
    assert list(survey((white | rows).items(), 3).outliers((0, 3))) == ["striped"]


def test_the_radius_is_where_correlation_stays_small():
    values = np.zeros((11, 11))
    values[5, 5], values[5, 7], values[2, 5] = 1, 0.3, -0.2
    assert (radius(values, 0.25), radius(values, 0.1), radius(values, 1)) == (2, 3, 0)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 11))
@settings(max_examples=25)
def test_any_size_and_reach(height, width, reach):
    noise = np.random.default_rng(0).standard_normal((height, width))
    if reach >= min(height, width):
        with pytest.raises(ValueError, match="do not fit into an image"):
            correlation_map(noise, reach)
        return
    found = correlation_map(noise, reach)
    for dy, dx in lags(reach):
        x, y = overlap(noise, dy, dx)
        if x.size < FEW:
            assert np.isnan(found[reach + dy, reach + dx])
        else:
            assert found[reach + dy, reach + dx] == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1], abs=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: correlation_map(np.zeros((8, 8), np.uint8)), "a float array"),
        (lambda: correlation_map(np.full((30, 30), np.nan)), "NaN or infinite"),
        (lambda: correlation_map(np.ones((30, 30)), valid=np.ones((3, 3))), "height and width"),
        (lambda: correlation_map(np.ones((30, 30)), valid=np.zeros((30, 30))), "no pixel is valid"),
        (lambda: chroma_correlation_map(np.ones((30, 30))), r"needs noise \[H, W, 3\]"),
        (lambda: survey([]), "at least one image"),
        (lambda: survey([("x.png", np.ones((3, 3)))]), r"x\.png: lags up to 10"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_map_holds_no_correlation_of_rounding_errors():
    """Beyond 5 columns of noise nothing varies; 1846 was found in the corner of a map of few pairs."""
    noise = np.zeros((64, 64), np.float32)
    noise[:, :5] = np.random.default_rng(0).standard_normal((64, 5))
    for valid in (None, np.ones(noise.shape, bool)):
        found = correlation_map(noise, 10, valid=valid)
        assert np.isnan(found[:, 15:]).all() and np.isnan(found[:, :6]).all()
        assert np.nanmax(np.abs(found)) <= 1 and found[10, 10] == pytest.approx(1)


def test_sums_of_unlike_reaches_add_up_to_the_larger(noise):
    near, far = lag_sums(noise, 2), lag_sums(noise, 5)
    for both in (near + far, far + near):
        assert np.allclose(both.pairs[3:8, 3:8], 2 * near.pairs)
        assert np.array_equal(both.pairs[:3], far.pairs[:3])
        assert np.allclose(both.correlation, far.correlation)


def test_a_lag_beyond_a_survey_is_refused_in_either_direction(noise):
    found = survey([("a", noise)], 2)
    assert found.at((-2, 2))["a"] == found.maps["a"][0, 4]
    for lag in ((0, 3), (-3, 0)):
        with pytest.raises(ValueError, match=r"lags up to 2 pixels; .* was given"):
            found.at(lag)


def test_constant_noise_has_no_correlation():
    assert np.isnan(correlation_map(np.ones((30, 30)), 2)).all()
    assert np.isnan(chroma_correlation_map(np.ones((30, 30, 3)), 2)).all()


@pytest.mark.parametrize("valid", [None, np.ones((45, 37), bool)], ids=["all", "masked"])
def test_half_precision_is_computed_in_single(noise, valid):
    half = noise[:45, :37].astype(np.float16)
    valid = None if valid is None else valid[: len(half), : half.shape[1]]
    found = correlation_map(half, 3, valid=valid)
    exact = correlation_map(half.astype(np.float64), 3, valid=valid)
    assert np.abs(found - exact).max() < 1e-5
    assert np.abs(chroma_correlation_map(half, 2) - chroma_correlation_map(half.astype(float), 2)).max() < 1e-4


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.complex64, object])
@pytest.mark.parametrize("function", [correlation_map, lag_sums, chroma_correlation_map])
def test_what_is_no_float_is_refused_by_name(function, dtype):
    with pytest.raises(ValueError, match=f"a float array .*; {np.dtype(dtype)} of shape"):
        function(np.ones((30, 30, 3), dtype))
