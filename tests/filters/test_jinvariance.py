import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import ndimage
from skimage.restoration import calibrate_denoiser

from dnlib.filters import (
    Calibration,
    calibrate,
    donut_median,
    grid_masks,
    invariant,
    median,
    mix,
    mixing_weight,
    neighbour_mean,
    nl_means,
    self_supervised_loss,
    total_variation,
    wavelet,
)
from dnlib.filters.classical import disk
from dnlib.filters.jinvariance import blind_pad, donut
from dnlib.images import photo

CAMERA = photo("camera")
NOISE = 0.1 * np.random.default_rng(0).standard_normal(CAMERA.shape).astype(np.float32)


def change_at_own_pixel(filter, image, place):
    changed = image.copy()
    changed[place] += 5
    return np.abs(filter(changed) - filter(image))[place].max()


@given(st.integers(1, 9))
def test_a_donut_is_a_disk_without_its_centre(radius):
    assert disk(radius).sum() == donut(radius).sum() + 1
    assert not donut(radius)[radius, radius]
    assert donut(radius).shape == (2 * radius + 1, 2 * radius + 1)


@pytest.mark.parametrize("colours", [(), (3,)])
@pytest.mark.parametrize("radius", [1, 2, 3, 5])
def test_the_donut_ignores_its_own_pixel_everywhere(rng, radius, colours):
    image = rng.standard_normal((13, 14, *colours))
    for place in np.ndindex(13, 14):
        assert change_at_own_pixel(lambda y: donut_median(y, radius), image, place) == 0, place


def test_the_disk_does_not(rng):
    image = rng.random((13, 14))
    assert max(change_at_own_pixel(lambda y: median(y, 1), image, place) for place in np.ndindex(13, 14)) > 0


def test_a_mirrored_border_would_show_the_donut_its_own_pixel(rng):
    image = rng.random((13, 14))
    leaks = [
        change_at_own_pixel(lambda y: ndimage.median_filter(y, footprint=donut(3), mode="mirror"), image, place) > 0
        for place in np.ndindex(13, 14)
    ]
    assert any(leaks)


@given(st.integers(1, 5), st.integers(6, 12), st.integers(6, 12))
def test_padding_never_brings_a_pixel_back_into_its_own_window(radius, height, width):
    places = np.arange(height * width).reshape(height, width)
    padded = blind_pad(places, radius)
    for i, j in np.ndindex(height, width):
        window = padded[i : i + 2 * radius + 1, j : j + 2 * radius + 1]
        assert (window == places[i, j]).sum() == 1 and window[radius, radius] == places[i, j]


@pytest.mark.parametrize("colours", [(), (3,)])
def test_any_filter_made_invariant_ignores_its_own_pixel_everywhere(rng, colours):
    image = rng.standard_normal((5, 6, *colours))
    for filter in (lambda y: y, lambda y: median(y, 2), lambda y: total_variation(y, 0.2)):
        for place in np.ndindex(5, 6):
            assert change_at_own_pixel(lambda y, f=filter: invariant(f, y), image, place) == 0, place


def test_holes_in_a_colour_image_are_filled_from_the_same_colour():
    image = np.zeros((12, 12, 3))
    image[..., 1] = 1
    np.testing.assert_array_equal(invariant(lambda y: y, image), image)


@given(hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30), st.integers(2, 6))
def test_the_groups_of_a_grid_hold_every_pixel_once(shape, stride):
    masks = list(grid_masks(shape, stride))
    assert len(masks) == stride**2
    np.testing.assert_array_equal(sum(mask.astype(int) for mask in masks), np.ones(shape))


def test_the_identity_made_invariant_is_the_mean_of_four_neighbours(rng):
    image = rng.random((9, 11))
    expected = (image[3, 5] + image[5, 5] + image[4, 4] + image[4, 6]) / 4
    assert neighbour_mean(image)[4, 5] == pytest.approx(expected)
    np.testing.assert_allclose(invariant(lambda y: y, image), neighbour_mean(image))


def test_the_loss_is_true_error_plus_noise_variance_for_the_donut_and_not_for_the_disk():
    noisy = CAMERA + NOISE
    for filter, ratio_is_one in ((donut_median, True), (median, False)):
        estimate = filter(noisy, 2)
        gap = self_supervised_loss(estimate, noisy) - np.mean((estimate - CAMERA) ** 2)
        assert (abs(gap / np.mean(NOISE**2) - 1) < 0.02) == ratio_is_one


def test_calibration_finds_the_radius_that_the_clean_image_would_choose():
    clean, noisy = CAMERA[:256, :256], (CAMERA + NOISE)[:256, :256]
    settings_ = [{"radius": r} for r in range(1, 7)]
    found = calibrate(donut_median, noisy, settings_, blind=True)
    truth = [np.mean((donut_median(noisy, **s) - clean) ** 2) for s in settings_]
    assert found.best == settings_[int(np.argmin(truth))] == {"radius": 3}
    assert found.loss == min(found.losses)


def test_calibration_agrees_with_scikit_image():
    noisy = (CAMERA + NOISE)[:64, :64]
    for all_masks in (False, True):
        _, (_, expected) = calibrate_denoiser(
            noisy, median, {"radius": [1, 2, 3]}, approximate_loss=not all_masks, extra_output=True
        )
        found = calibrate(median, noisy, [{"radius": r} for r in (1, 2, 3)], all_masks=all_masks)
        np.testing.assert_allclose(found.losses, expected)


def test_one_mask_measures_the_same_loss_as_all_of_them():
    noisy = (CAMERA + NOISE)[:128, :128]
    one, every = (calibrate(nl_means, noisy, [{"h": 0.08}], all_masks=flag).loss for flag in (False, True))
    assert one == pytest.approx(every, rel=0.05)


def test_mixing_with_lambda_is_better_than_either_estimate_and_than_other_weights():
    noisy = CAMERA + NOISE
    blind = donut_median(noisy, 3)
    best = mixing_weight(0.01, self_supervised_loss(blind, noisy))
    error = {w: np.mean((mix(blind, noisy, w) - CAMERA) ** 2) for w in (0, best - 0.1, best, best + 0.1, 1)}
    assert min(error, key=error.get) == best


def test_the_weight_belongs_to_the_estimate():
    assert mixing_weight(0.01, 0.011) == pytest.approx(10 / 11)
    assert mixing_weight(0.02, 0.01) == 1  # a loss below the noise variance: correlated noise


@pytest.mark.parametrize("arguments", [(0, 1), (1, 0), (-1, 1), (float("nan"), 1)])
def test_impossible_variances_are_refused(arguments):
    with pytest.raises(ValueError, match="> 0"):
        mixing_weight(*arguments)


FILTERS = {
    "median": lambda y: median(y, 1),
    "donut": lambda y: donut_median(y, 1),
    "nl_means": lambda y: nl_means(y, h=0.1, sigma=0.1),
    "wavelet": lambda y: wavelet(y, sigma=0.1),
    "total_variation": lambda y: total_variation(y, weight=0.1),
    "neighbours": neighbour_mean,
    "invariant": lambda y: invariant(neighbour_mean, y),
}


@pytest.mark.parametrize("colours", [(), (3,)])
@pytest.mark.parametrize("name", FILTERS)
def test_filters_take_every_real_type_in_its_own_units(rng, name, colours):
    image = rng.integers(0, 100, (12, 13, *colours))
    expected = FILTERS[name](image.astype(np.float64))
    for dtype in ("uint8", "int16", "int64", "float16", "float32", "longdouble", ">f8"):
        found = FILTERS[name](image.astype(dtype))
        assert found.dtype in (np.float32, np.float64) and found.shape == image.shape
        np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((9, 9), bool), "bool"),
        (np.zeros((9, 9), complex), "complex128"),
        (np.zeros((9, 9), object), "object"),
        (np.zeros(9), r"shape \[9\]"),
        (np.zeros((2, 9, 9, 3)), r"shape \[2, 9, 9, 3\]"),
        (np.zeros((0, 9)), r"shape \[0, 9\]"),
        (np.full((9, 9), np.nan), "NaN"),
        (np.full((9, 9), np.inf), "infinite"),
    ],
)
def test_what_is_no_image_is_refused(name, image, message):
    with pytest.raises(ValueError, match=message):
        FILTERS[name](image)
    with pytest.raises(ValueError, match=message):
        calibrate(median, image, [{"radius": 1}])


@given(
    hnp.array_shapes(min_dims=0, max_dims=4, max_side=9), st.sampled_from("?bHlQefdFOU"), st.sampled_from([*FILTERS])
)
@settings(max_examples=80)
@pytest.mark.filterwarnings("ignore")  # wavelets of few pixels
def test_any_array_is_filtered_or_refused_in_one_line(shape, dtype, name):
    try:
        assert FILTERS[name](np.zeros(shape, dtype)).shape == shape
    except ValueError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "call",
    [
        lambda: nl_means(CAMERA, h=0),
        lambda: nl_means(CAMERA, h=1, sigma=-1),
        lambda: wavelet(CAMERA, sigma=0),
        lambda: total_variation(CAMERA, weight=float("nan")),
    ],
)
def test_impossible_strengths_are_refused(call):
    with pytest.raises(ValueError, match=r"> 0.*given"):
        call()


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="radius >= 1"):
        donut(0)
    with pytest.raises(ValueError, match="stride >= 2"):
        list(grid_masks((9, 9), 1))
    with pytest.raises(ValueError, match="no settings"):
        calibrate(median, CAMERA, [])
    assert calibrate(median, CAMERA, ({"radius": radius} for radius in (1, 2))).settings == (
        {"radius": 1},
        {"radius": 2},
    )
    with pytest.raises(ValueError, match=r"at least 4x4 pixels; \[3, 9\]"):
        calibrate(median, np.zeros((3, 9)), [{"radius": 1}])
    for masks in ([], list(grid_masks((9, 9)))[1:], [np.ones((9, 9), bool)] * 2, list(grid_masks((9, 8)))):
        with pytest.raises(ValueError, match=r"\[9, 9\] that together hold every pixel once"):
            invariant(neighbour_mean, np.zeros((9, 9)), masks=masks)
    for function in (self_supervised_loss, lambda a, b: mix(a, b, 0.5)):
        with pytest.raises(ValueError, match=r"one shape; \[9, 9, 1\] and \[9, 9\]"):
            function(np.zeros((9, 9, 1)), np.zeros((9, 9)))
    for mask in (np.zeros(CAMERA.shape, bool), np.ones(CAMERA.shape, int), np.ones((2, 2), bool)):
        with pytest.raises(ValueError, match="a mask is boolean"):
            self_supervised_loss(CAMERA, CAMERA, mask)


def test_the_loss_of_bytes_does_not_wrap_around():
    estimate, noisy = np.full((4, 4), 3, np.uint8), np.full((4, 4), 5, np.uint8)
    assert self_supervised_loss(estimate, noisy) == 4


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("losses", [(NAN, 0.3, 0.2), (INF, 0.2, NAN), (0.2, NAN, 0.3), (-INF, NAN, 0.2)])
def test_a_setting_without_a_finite_loss_is_never_chosen(losses):
    found = Calibration(tuple({"radius": r} for r in (1, 2, 3)), losses)
    assert found.loss == 0.2 and found.best == found.settings[losses.index(0.2)]


def test_no_finite_loss_at_all_is_an_error():
    found = Calibration(({"radius": 1},), (NAN,))
    for name in ("best", "loss"):
        with pytest.raises(ValueError, match=r"no setting has a finite loss: \{'radius': 1\}"):
            getattr(found, name)


def test_a_filter_that_answers_nan_is_not_calibrated_to_it():
    def fragile(image, strength):
        return image * np.nan if strength == 1 else np.full_like(image, 0.5)

    settings_ = [{"strength": 1}, {"strength": 2}]
    assert calibrate(fragile, CAMERA[:32, :32], settings_, blind=True).best == {"strength": 2}


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3))
def test_filters_take_any_size(height, width, radius):
    image = np.random.default_rng(0).random((height, width)).astype(np.float32)
    assert median(image, radius).shape == image.shape
    if min(height, width) > radius:
        assert donut_median(image, radius).shape == image.shape
    else:
        with pytest.raises(ValueError, match="too small"):
            donut_median(image, radius)


def test_the_claims_of_chapter_01_in_small():
    noisy = (CAMERA + NOISE)[100:356, 100:356]
    clean = CAMERA[100:356, 100:356]
    classic = [np.mean((median(noisy, r) - noisy) ** 2) for r in range(1, 7)]
    assert np.all(np.diff(classic) > 0)
    blind = invariant(nl_means, noisy, h=0.08)
    mixed = mix(blind, noisy, mixing_weight(0.01, self_supervised_loss(blind, noisy)))
    assert np.mean((mixed - clean) ** 2) < np.mean((blind - clean) ** 2) * 10 ** (-0.03)  # 0.3 dB
