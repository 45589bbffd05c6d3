import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import dnlib
from dnlib.denoiser import BLIND_SPOT, CANDIDATES, Candidate, network, noise_level, sampling
from dnlib.filters import donut_median, invariant, single_mask
from dnlib.images import photo, to_image, to_tensor
from dnlib.noise import CorrelatedGaussian
from dnlib.training import psnr
from dnlib.zoo import load_method

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


@pytest.mark.parametrize("side", [256, 48])
def test_candidates_are_compared_on_the_same_pixels(monkeypatch, side):
    """Every loss is that of one pixel in 16 of one tile, or of four, worked out here without looking at them."""
    monkeypatch.setattr(sampling, "TILE", side)
    _, choice = dnlib.denoise(NOISY, return_choice=True)
    low, span = NOISY.min(), np.ptp(NOISY)
    tiles = sampling.sample_tiles([((NOISY.astype(np.float64) - low) / span).astype(np.float32)])
    assert [tile.shape for tile in tiles] == ([(100, 100, 3)] if side == 256 else [(48, 48, 3)] * 4)
    mask, sigma = single_mask(tiles[0].shape[:2]), noise_level(tiles)

    def loss(estimate):
        pairs = [(estimate(tile)[mask], tile[mask]) for tile in tiles]
        return np.mean([(a.astype(float) - b) ** 2 for a, b in pairs]) * span**2

    def blindly(candidate, setting):
        if candidate.blind_twin:
            return lambda tile: candidate.blind_twin(tile, **setting)
        return lambda tile: invariant(candidate.filter, tile, masks=[mask, ~mask], **setting)

    for name, candidate in CANDIDATES.items():
        losses = [loss(blindly(candidate, setting)) for setting in candidate.settings(sigma)]
        assert choice.losses[name] == pytest.approx(min(losses), rel=1e-4), name
    belief = load_method(network.NAME).belief
    mean = loss(lambda tile: to_image(belief(to_tensor(tile)).mean.detach().float()))
    assert choice.losses[BLIND_SPOT] == pytest.approx(mean, rel=1e-4)


def test_what_fails_is_never_chosen(monkeypatch):
    def half(image, good):
        return donut_median(image, radius=1) if good else image * np.nan

    def broken(image):
        return image * np.nan

    monkeypatch.setitem(CANDIDATES, "broken", Candidate(broken, lambda sigma: [{}], broken))
    monkeypatch.setitem(CANDIDATES, "half", Candidate(half, lambda sigma: [{"good": k} for k in (False, True)], half))
    with pytest.raises(ValueError, match="no loss of broken is a finite number"):
        dnlib.denoise(NOISY, filter="broken")
    result, choice = dnlib.denoise(NOISY, filter="half", return_choice=True)
    assert choice.setting == {"good": True} and np.isfinite(result).all()
    result, choice = dnlib.denoise(NOISY[..., 0], return_choice=True)
    assert set(choice.losses) == set(CANDIDATES) - {"broken"} and np.isfinite(result).all()
    assert choice.loss == choice.losses[choice.filter] == min(choice.losses.values())


def test_a_setting_is_scaled_if_its_candidate_says_so(monkeypatch):
    def shift(image, amount, rounds):
        return np.roll(image, rounds, axis=0) + 0 * amount

    candidate = Candidate(shift, lambda sigma: [{"amount": 0.5, "rounds": 2}], in_image_units=frozenset({"amount"}))
    monkeypatch.setitem(CANDIDATES, "shift", candidate)
    _, choice = dnlib.denoise(1000 * NOISY, filter="shift", return_choice=True)
    assert choice.setting == {"amount": pytest.approx(500 * np.ptp(NOISY)), "rounds": 2}
    for name in ("median", "total_variation", "nl_means"):
        small, large = (dnlib.denoise(k * NOISY, filter=name, return_choice=True)[1].setting for k in (1, 1000))
        factor = {"radius": 1}
        assert large == {key: pytest.approx(factor.get(key, 1000) * value, rel=1e-3) for key, value in small.items()}


def test_alpha_is_left_alone(rng):
    rgba = np.dstack([np.clip(NOISY, 0, 1) * 255, rng.integers(0, 255, PHOTO.shape[:2])]).astype(np.uint8)
    with pytest.warns(UserWarning, match="the last of 4 samples is taken for alpha"):
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
        warnings.filterwarnings("ignore", "the last of|pixels of the value", UserWarning)
        try:
            result = dnlib.denoise(image)
        except ValueError as error:
            assert "\n" not in str(error) and any(
                word in str(error) for word in ("constant", "8x8", "without loss", "--axes", "transparent", "float32")
            )
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
        (np.zeros((20, 20), dtype=complex), "complex"),
        (np.zeros((20, 20), dtype=object), "object"),
    ],
)
def test_images_that_cannot_be_denoised_are_named(image, message):
    with pytest.raises(ValueError, match=message):
        dnlib.denoise(image)


def test_an_unknown_filter_names_the_known_ones():
    with pytest.raises(ValueError, match=r"nl_means; 'bm4d' was given"):
        dnlib.denoise(NOISY, filter="bm4d")
