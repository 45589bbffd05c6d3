import math
import warnings
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

import dnlib
from dnlib.denoiser import BLIND_SPOT, CANDIDATES, UNCHANGED, Candidate, Choice
from dnlib.denoiser.candidates import EVEN, averaged
from dnlib.denoiser.caveats import caveats_of
from dnlib.denoiser.judging import Judge, Judged
from dnlib.denoiser.strength import (
    AGREED,
    DISAGREED,
    GRAIN,
    InspectedNoise,
    WhiteNoise,
    in_doubt,
    taken_for_noise,
    trust,
)
from dnlib.filters import Risk, donut_median, median
from dnlib.images import photo, to_image, to_tensor
from dnlib.noise import CorrelatedGaussian, Gaussian
from dnlib.training import psnr

PHOTO = photo("astronaut")[60:160, 160:260]
NOISY = PHOTO + 25 / 255 * np.random.default_rng(0).standard_normal(PHOTO.shape).astype(np.float32)
GRAY = PHOTO.mean(axis=-1) + 25 / 255 * np.random.default_rng(1).standard_normal(PHOTO.shape[:2]).astype(np.float32)


@cache
def denoised(colours, factor=1, offset=0):
    """The photograph in so many colours, in other units: the result and the choice."""
    return dnlib.denoise(factor * (NOISY if colours == 3 else GRAY) + offset, return_choice=True)


def test_it_denoises_colour_and_gray_by_several_decibels():
    assert psnr(denoised(3)[0], PHOTO) > psnr(NOISY, PHOTO) + 9
    assert psnr(denoised(1)[0], PHOTO.mean(axis=-1)) > psnr(GRAY, PHOTO.mean(axis=-1)) + 4


def test_the_choice_is_the_smallest_risk_and_is_reported_in_the_units_of_the_image():
    _, choice = denoised(3, 1000, -40)
    best = min(choice.risks, key=choice.risks.get)
    assert choice.risk == choice.risks[choice.filter] and best in choice.filter.split(" and ")
    assert {"nl_means", "white_noise_network_refined", UNCHANGED} < set(choice.risks) and BLIND_SPOT not in choice.risks
    assert choice.noise == pytest.approx(98, rel=0.15) and choice.filter in choice.summary
    assert choice.risks[UNCHANGED] == pytest.approx(choice.noise**2)


def test_the_risk_is_close_to_the_true_error_which_it_never_saw():
    result, choice = denoised(1)
    assert choice.risk == pytest.approx(np.mean((result - PHOTO.mean(axis=-1)) ** 2), rel=0.4)


@pytest.mark.parametrize("name", [name for name, one in CANDIDATES.items() if not one.weights])
def test_every_filter_can_be_asked_for_and_is_applied_as_it_is(name):
    image = GRAY[:64, :64]
    result, choice = dnlib.denoise(image, filter=name, return_choice=True)
    level, span = choice.noise / np.ptp(image), np.ptp(image)
    alone = CANDIDATES[name].filter((image - image.min()) / span, **CANDIDATES[name].settings(level)[0]) * span
    assert choice.filter == name and choice.weights == (1.0,)
    if len(CANDIDATES[name].settings(level)) == 1:
        np.testing.assert_allclose(result, alone + image.min(), atol=0.05)
    assert psnr(result, PHOTO.mean(axis=-1)[:64, :64]) > psnr(image, PHOTO.mean(axis=-1)[:64, :64]) + 2


def test_units_do_not_matter():
    np.testing.assert_allclose(denoised(3, 1000, -40)[0], 1000 * denoised(3)[0] - 40, atol=0.15)


def test_a_stack_is_judged_together_and_denoised_frame_by_frame():
    frames = np.stack([GRAY, GRAY[::-1]])
    result = dnlib.denoise(frames, axes="TYX")
    assert result.shape == frames.shape
    for frame, clean in zip(result, (PHOTO.mean(axis=-1), PHOTO.mean(axis=-1)[::-1]), strict=True):
        assert psnr(frame, clean) > 27


def test_settings_follow_the_noise_from_frame_to_frame(rng):
    """The noise of a sensor is weaker where there is less light; each frame is freed of its own."""
    clean = 0.2 + 0.6 * photo("camera")[100:228, 180:308]
    lights = 1, 0.25
    frames = np.stack(
        [light * clean + np.sqrt(0.004 * light * clean) * rng.normal(size=clean.shape) for light in lights]
    )
    result, _choice = dnlib.denoise(frames, axes="TYX", return_choice=True)
    for frame, noisy, light in zip(result, frames, lights, strict=True):
        alone = psnr(dnlib.denoise(noisy), light * clean)
        assert psnr(frame, light * clean) > max(psnr(noisy, light * clean) + 3, alone - 2)


@pytest.mark.parametrize("sigma", [0, 0.5, 1, 2])
@pytest.mark.parametrize("name", ["coins", "astronaut"])
def test_sharp_pictures_with_hardly_any_noise_come_back_no_worse(name, sigma):
    clean = photo(name)[:160, :160]
    noisy = np.rint(255 * (clean + np.random.default_rng(1).normal(0, sigma / 255, clean.shape)).clip(0, 1)).astype(
        np.uint8
    )
    result, choice = dnlib.denoise(noisy, return_choice=True)
    if sigma == 0:
        assert psnr(result / 255, clean) > 50
    else:
        assert psnr(result / 255, clean) > psnr(noisy / 255, clean) - 0.1
    assert choice.filter != UNCHANGED or any("unchanged" in note for note in choice.notes)


def test_a_picture_that_is_all_texture_is_left_as_it_is():
    clean = photo("grass")[:160, :160]
    noisy = np.rint(255 * (clean + np.random.default_rng(1).normal(0, 2 / 255, clean.shape)).clip(0, 1)).astype(
        np.uint8
    )
    np.testing.assert_array_equal(dnlib.denoise(noisy), noisy)


def test_single_pixels_that_stand_out_are_kept_and_told_of(rng):
    sky = 0.2 + 0.02 * rng.standard_normal((128, 128))
    stars = tuple(rng.integers(8, 120, (2, 40)))
    sky[stars] = 0.9
    result, choice = dnlib.denoise(sky, return_choice=True)
    assert (result[stars] > 0.75).all() and any("single pixels stand out" in note for note in choice.notes)
    assert np.delete(result, np.ravel_multi_index(stars, sky.shape)).std() < 0.01
    assert (dnlib.denoise(sky, filter="median")[stars] < 0.3).mean() > 0.9


def test_what_takes_too_long_is_not_tried():
    _, choice = dnlib.denoise(GRAY, patience=0.01, return_choice=True)
    assert "ridge" not in choice.risks and choice.filter in choice.risks
    assert "not tried, for they may take 1 minute: " in choice.notes[0]


def test_for_a_blind_filter_the_blend_is_that_of_sigma_squared_and_loss():
    """Chapter 01's mixing is a case of Stein's: what is blind answers to no noise in the pixel itself."""
    level = 25 / 255
    donut = Candidate(donut_median, lambda level: [{"radius": 1}])
    judged = Judge([GRAY], WhiteNoise(level), harmless=True, device="cpu").one(donut)
    loss = np.mean((donut_median(GRAY, radius=1) - GRAY) ** 2)
    assert judged.weight[0] == pytest.approx(1.1 * trust(level, WhiteNoise(level)) * level**2 / loss, rel=0.05)


@pytest.mark.parametrize(
    ("risk", "error", "said"),
    [
        (4, 0.2, "about 2 is left: nearly all of it removed, about 14.0 dB better, give or take 0.4, if the noise"),
        (16, 0.8, "about 4 is left: most of it removed, about 8.0 dB better, give or take 0.4"),
        (36, 0, "about half of it removed, about 4.4 dB better, give or take 0.0"),
        (81, 81, "some of it removed, about 0.9 dB better, give or take 4.8"),
        (99, math.inf, "hardly any of it removed, if the noise is as estimated"),
        (144, 1, "about 12 is left: more than before, about 1.6 dB worse, give or take 0.1"),
        (-1, 1, "next to nothing is left: nearly all of it removed, if the noise is as estimated"),
    ],
)
def test_the_summary_says_in_words_how_much_was_removed_and_how_sure_that_is(risk, error, said):
    assert said in Choice("median", {}, risk, 10.0, {}, risk_error=error).summary


def test_the_stated_gain_is_the_true_one_give_or_take_what_is_said_where_the_noise_is_known_well():
    result, choice = denoised(3)
    gain = psnr(result, PHOTO) - psnr(NOISY, PHOTO)
    assert choice.gain == pytest.approx(gain, abs=choice.doubt_of_gain) and 0.1 < choice.doubt_of_gain < 2


def test_where_noise_differs_from_place_to_place_no_number_is_said_to_be_true_of_it(rng):
    levels = np.where(np.arange(256) < 128, 5 / 255, 18 / 255)
    noisy = photo("camera")[:256, 128:384] + levels * rng.standard_normal((256, 256))
    _, choice = dnlib.denoise(noisy, filter="median", return_choice=True)
    assert choice.uneven and choice.summary.endswith("true of neither part, for the noise differs from place to place")
    assert "dB" not in choice.summary and any("are true of neither part" in one for one in caveats_of(choice))
    assert not denoised(1)[1].uneven and "neither part" not in " ".join(caveats_of(denoised(1)[1]))


def test_what_fails_is_never_chosen(monkeypatch):
    def half(image, good):
        return median(image, radius=1) if good else image * np.nan

    monkeypatch.setitem(CANDIDATES, "broken", Candidate(lambda image: image * np.nan, lambda level: [{}]))
    monkeypatch.setitem(CANDIDATES, "half", Candidate(half, lambda level: [{"good": k} for k in (False, True)]))
    with pytest.raises(ValueError, match="no result of broken is a finite number"):
        dnlib.denoise(NOISY, filter="broken")
    result, choice = dnlib.denoise(NOISY, filter="half", return_choice=True)
    assert choice.setting == {"good": True} and np.isfinite(result).all()
    result, choice = dnlib.denoise(GRAY, return_choice=True)
    assert "broken" not in choice.risks and np.isfinite(result).all()


def test_floats_of_a_setting_are_in_units_of_the_image(monkeypatch):
    def shift(image, amount, rounds):
        return np.roll(image, rounds, axis=0) + 0 * amount

    candidate = Candidate(shift, lambda level: [{"amount": 0.5, "rounds": 2}])
    monkeypatch.setitem(CANDIDATES, "shift", candidate)
    _, choice = dnlib.denoise(1000 * NOISY, filter="shift", return_choice=True)
    assert choice.setting == {"amount": pytest.approx(500 * np.ptp(NOISY)), "rounds": 2}
    for name in ("median", "total_variation", "nl_means"):
        small, large = (dnlib.denoise(k * GRAY, filter=name, return_choice=True)[1].setting for k in (1, 1000))
        factor = {"radius": 1}
        assert large == {key: pytest.approx(factor.get(key, 1000) * value, rel=1e-3) for key, value in small.items()}


def test_alpha_is_left_alone(rng):
    rgba = np.dstack([np.clip(NOISY, 0, 1) * 255, rng.integers(0, 255, PHOTO.shape[:2])]).astype(np.uint8)
    with pytest.warns(UserWarning, match="the last of 4 samples is taken for alpha"):
        result = dnlib.denoise(rgba)
    np.testing.assert_array_equal(result[..., 3], rgba[..., 3])
    assert result.dtype == np.uint8 and (result[..., :3] != rgba[..., :3]).any()


def test_noise_that_neighbours_share_is_removed_too():
    clean = photo("astronaut")[:128, 100:228]
    noisy = to_image(CorrelatedGaussian(25, 3).sample(to_tensor(clean), torch.Generator().manual_seed(0)).image)
    result, choice = dnlib.denoise(noisy, return_choice=True)
    assert psnr(result, clean) > psnr(noisy, clean) + 4 and "ridge_cascade" in choice.risks


small = st.tuples(st.integers(8, 17), st.integers(8, 17))
shapes = st.one_of(
    small,
    st.tuples(small, st.integers(1, 4)).map(lambda t: (*t[0], t[1])),
    st.tuples(st.integers(5, 6), small).map(lambda t: (t[0], *t[1])),
)


@given(st.data())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
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


def test_two_that_are_hardly_apart_are_averaged_and_what_was_chosen_can_be_asked_for_by_name():
    first, second = (judged_as(change) for change in (-0.9, -0.81))
    network = replace(second, candidate=CANDIDATES["white_noise_network"])

    def together(judged, level=1.0, white=False, most_seconds=math.inf):
        noise = SimpleNamespace(white=white, variance=WhiteNoise(level).variance)
        return Judge([GRAY], noise, harmless=True, device="cpu")._hardly_apart(judged, most_seconds)

    assert together({"ridge": first, "network": network}) == ["ridge", "network"]
    assert not together({"ridge": first, "network": network}, level=0.9)  # the noise is weaker
    assert not together({"ridge": first, "network": network}, white=True)  # it is known well
    assert not together({"ridge": first, "network": network}, most_seconds=0.1)  # they would take too long
    assert together({"ridge": first, "median": second}) == ["ridge"]  # no network
    pair = [dnlib.denoise(NOISY, filter=name) for name in ("ridge", "white_noise_network")]
    both, choice = dnlib.denoise(NOISY, filter="ridge and white_noise_network", return_choice=True)
    level = choice.noise / np.ptp(NOISY)
    share = level**3 / (level**3 + EVEN**3)
    assert 0.5 < share < 0.9  # the noise is strong
    np.testing.assert_allclose(both, pair[0] + share * (pair[1] - pair[0]), atol=1e-4)
    assert psnr(both, PHOTO) > min(
        psnr(one, PHOTO) for one in pair
    )  # the square of a mean is no more than that of both


def test_the_stronger_the_noise_the_more_a_network_counts_beside_a_filter():
    pair, one, two = [CANDIDATES["ridge"], CANDIDATES["photographs_network"]], np.zeros((2, 2)), np.ones((2, 2))
    shares = [float(averaged(pair, [one, two], level)[0, 0]) for level in (EVEN / 2, EVEN, 2 * EVEN)]
    np.testing.assert_allclose(shares, [1 / 9, 1 / 2, 8 / 9], rtol=1e-6)


@pytest.mark.parametrize(("noise", "more"), [(Gaussian(25), 1.1), (CorrelatedGaussian(25, 3), 1.5)])
def test_of_noise_that_neighbours_share_half_as_much_again_is_allowed_for(monkeypatch, noise, more):
    """And what is said to be left is what is left by the share that is taken off."""
    noisy, judged = to_image(noise.sample(to_tensor(PHOTO), torch.Generator().manual_seed(0)).image), {}
    judge_all = Judge.all
    monkeypatch.setattr(Judge, "all", lambda *given, **named: judged.update(judge_all(*given, **named)) or judged)
    _, choice = dnlib.denoise(noisy, return_choice=True)
    risk = judged[choice.filter].risk
    np.testing.assert_allclose(choice.weights, risk.with_noise(more).best_weight)
    change = risk.change(np.array(choice.weights))
    assert choice.risk == pytest.approx(choice.noise**2 + np.ptp(noisy) ** 2 * change, rel=1e-4)  # a difference


def test_the_share_is_that_for_so_much_more_noise():
    weak, strong = (replace(judged_as(-1), risk=Risk(*np.array([p, 1, 1, 1]).reshape(4, 1, 1))) for p in (-0.5, -0.9))
    shares = [[one.with_more_noise(more).weight.item() for more in (1, 1.5)] for one in (weak, strong)]
    assert shares == [[0.5, 0.75], [0.9, 1]]


def test_a_noise_that_is_estimated_a_tenth_too_weak_leaves_nothing_behind():
    """Its variance is known to a tenth; a good denoiser's own share is 1, and with less of it noise stays."""
    estimated = WhiteNoise(25 / 255 * math.sqrt(1 / 1.1))
    one = Judge([NOISY], estimated, harmless=True, device="cpu").one(CANDIDATES["white_noise_network"])
    assert one.risk.best_weight.mean() < 0.95 < 0.97 < one.weight.mean()


def judged_as(change):
    """A candidate that would lower the error of noise of variance 1 by so much."""
    risk = Risk(*np.array([[[change]], [[-change]], [[1.0]], [[1.0]]]).repeat(4, axis=1))  # in four blocks
    return Judged(CANDIDATES["ridge"], 0, risk, np.ones(1))


def test_an_unknown_filter_names_the_known_ones():
    with pytest.raises(ValueError, match=r"nl_means.*ridge.*'bm4d' was given"):
        dnlib.denoise(NOISY, filter="bm4d")


def test_a_network_that_takes_it_for_noise_too_lends_trust_where_all_is_texture():
    level, noise = 12 / 255, 12 / 255 * np.random.default_rng(2).standard_normal(PHOTO.shape).astype(np.float32)
    textured = WhiteNoise(level, pure=0.1)
    shares = [taken_for_noise(network, [PHOTO + noise], textured) for network in (lambda y: y, lambda y: y - noise)]
    assert shares[0] == 0 and shares[1] == pytest.approx(1, rel=0.05)
    trusts = [trust(level, replace(textured, agreed=agreed)) for agreed in (0, DISAGREED, AGREED, 1)]
    assert trusts == [0, 0, pytest.approx(1 - (GRAIN / level) ** 2), trusts[2]]
    assert trust(GRAIN, replace(textured, agreed=1)) == 0  # finer than that no network can tell
    assert trust(2 * GRAIN, replace(textured, pure=0.01, agreed=1)) == 0  # what repeats all over may be a pattern


@pytest.mark.parametrize(("shared", "asked"), [(0.2, True), (0.9, False)])
def test_a_network_is_asked_only_where_colours_do_not_share_what_may_be_noise(shared, asked):
    covariance = np.full((3, 3), shared) + (1 - shared) * np.eye(3)
    known = SimpleNamespace(
        covariance=covariance, pure=0.1, map=np.ones((3, 3)), lag_1=(0.5, 0.5), saturated=0.0, radius=1, level=10.0
    )
    for level in (6 / 255, 12 / 255):
        assert in_doubt(level, InspectedNoise(known, known)) == asked
    assert not in_doubt(GRAIN, InspectedNoise(known, known)) and not in_doubt(12 / 255, WhiteNoise(12 / 255, pure=0.1))
