import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import dnlib
from dnlib.denoiser import choice
from dnlib.denoiser.choice import BLIND_SPOT, CANDIDATES
from dnlib.images import photo, to_image, to_tensor
from dnlib.noise import CorrelatedGaussian
from dnlib.training import psnr

PHOTO = photo("astronaut")[60:160, 160:260]
NOISY = PHOTO + 25 / 255 * np.random.default_rng(0).standard_normal(PHOTO.shape).astype(np.float32)


def test_it_denoises_colour_and_gray_by_several_decibels():
    assert psnr(dnlib.denoise(NOISY), PHOTO) > psnr(NOISY, PHOTO) + 5
    assert (
        psnr(dnlib.denoise(NOISY.mean(axis=-1)), PHOTO.mean(axis=-1))
        > psnr(NOISY.mean(axis=-1), PHOTO.mean(axis=-1)) + 2
    )


def test_the_choice_is_the_smallest_loss_and_is_reported_in_the_units_of_the_image():
    _, choice = dnlib.denoise(NOISY * 1000, return_choice=True)
    assert choice.loss == min(choice.losses.values()) == choice.losses[choice.filter]
    assert set(choice.losses) == {*CANDIDATES, BLIND_SPOT}
    assert choice.noise == pytest.approx(98, rel=0.15)
    assert choice.filter in choice.summary


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_filter_can_be_asked_for(name):
    result, choice = dnlib.denoise(NOISY, filter=name, return_choice=True)
    assert choice.filter == name and psnr(result, PHOTO) > psnr(NOISY, PHOTO) + 2


def test_units_do_not_matter():
    np.testing.assert_allclose(dnlib.denoise(300 * NOISY - 40), 300 * dnlib.denoise(NOISY) - 40, atol=0.05)


def test_a_stack_is_calibrated_together_and_denoised_frame_by_frame():
    frames = np.stack([NOISY, NOISY[::-1]])
    result = dnlib.denoise(frames)
    assert result.shape == frames.shape
    for frame, clean in zip(result, (PHOTO, PHOTO[::-1]), strict=True):
        assert psnr(frame, clean) > 25


def test_candidates_are_compared_on_the_same_pixels(monkeypatch):
    seen = set()
    original = choice.calibrate

    def spy(filter, tile, settings, **options):
        seen.add(options["all_masks"])
        return original(filter, tile, settings, **options)

    monkeypatch.setattr(choice, "calibrate", spy)
    dnlib.denoise(NOISY)
    assert seen == {False}


def test_alpha_is_left_alone(rng):
    rgba = np.dstack([np.clip(NOISY, 0, 1) * 255, rng.integers(0, 255, PHOTO.shape[:2])]).astype(np.uint8)
    result = dnlib.denoise(rgba)
    np.testing.assert_array_equal(result[..., 3], rgba[..., 3])
    assert result.dtype == np.uint8 and (result[..., :3] != rgba[..., :3]).any()


def test_correlated_noise_fools_it_as_the_theory_says():
    noisy = to_image(CorrelatedGaussian(25, 3).sample(to_tensor(PHOTO)).image)
    assert psnr(dnlib.denoise(noisy), PHOTO) < psnr(noisy, PHOTO) + 2


small = st.tuples(st.integers(8, 17), st.integers(8, 17))
shapes = st.one_of(
    small,
    st.tuples(small, st.integers(1, 4)).map(lambda t: (*t[0], t[1])),
    st.tuples(st.integers(5, 6), small).map(lambda t: (t[0], *t[1])),
)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_image_keeps_its_type_shape_and_range_or_is_refused_in_one_line(data):
    dtype = data.draw(st.sampled_from(["uint8", ">u2", "int16", "uint32", "int64", "float16", "float32", "float64"]))
    elements = {"min_value": -1000, "max_value": 1000} if dtype.startswith("float") else None
    image = data.draw(hnp.arrays(dtype, data.draw(shapes), elements=elements))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = dnlib.denoise(image)
        except ValueError as error:
            assert "\n" not in str(error) and any(word in str(error) for word in ("constant", "8x8", "without loss"))
        else:
            assert result.dtype == image.dtype.newbyteorder("=") and result.shape == image.shape
            assert np.isfinite(result).all()
            if np.issubdtype(image.dtype, np.integer):
                assert image.min() <= result.min() and result.max() <= image.max()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 0)), "8x8"),
        (np.ones((1, 1)), "8x8"),
        (np.full((20, 20), 7), "constant .*7"),
        (np.full((20, 20), np.nan), "NaN"),
        (np.array([[1.0, np.inf] * 8] * 16), "infinite"),
        (np.zeros(20), "shape"),
        (np.zeros((20, 20), dtype=bool), "bool"),
    ],
)
def test_images_that_cannot_be_denoised_are_named(image, message):
    with pytest.raises(ValueError, match=message):
        dnlib.denoise(image)


def test_an_unknown_filter_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'bm4d'.*nl_means"):
        dnlib.denoise(NOISY, filter="bm4d")
