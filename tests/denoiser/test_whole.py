"""What a picture holds besides noise: channels, masks, constant areas, counts, mosaics, and the types written."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import dnlib
from dnlib.denoiser import denoise_file, sampling
from dnlib.images import Picture, photo, write

CLEAN = photo("camera")[100:164, 180:260]
NOISE = np.random.default_rng(0).normal(0, 0.1, CLEAN.shape)


def denoise(image, **options):
    return dnlib.denoise(image, filter="total_variation", return_choice=True, **options)


def error(estimate, truth):
    return float(np.sqrt(np.mean((np.asarray(estimate, float) - truth) ** 2)))


def test_channels_are_denoised_as_each_would_be_alone():
    dim, bright = 100 + 80 * (CLEAN + NOISE), 5000 * (CLEAN[::-1] + NOISE)
    result, choice = denoise(np.stack([dim, bright, np.full_like(dim, 7)]), axes="CYX")
    np.testing.assert_array_equal(result[0], denoise(dim)[0])
    np.testing.assert_array_equal(result[1], denoise(bright)[0])
    assert (result[2] == 7).all() and "channel 2: constant, left alone" in choice.notes
    assert list(choice.parts) == ["channel 0", "channel 1"] and "channel 1: total_variation" in choice.summary
    last, _ = denoise(np.stack([dim, bright], axis=-1), channels=True)
    np.testing.assert_array_equal(last, np.moveaxis(result[:2], 0, -1))


def test_an_empty_colour_is_left_alone_and_changes_no_level():
    colours = np.stack([CLEAN + NOISE, CLEAN + NOISE[::-1], 0 * CLEAN + 0.3], axis=-1)
    result, choice = denoise(colours)
    assert (result[..., 2] == colours[..., 2]).all() and choice.noise == pytest.approx(0.1, rel=0.15)
    assert choice.notes == ("channel 2: constant, left alone",)


def test_colours_of_very_unlike_noise_are_taken_apart_and_equal_ones_stay_equal():
    colours = np.stack([CLEAN + NOISE / 10, CLEAN + NOISE[::-1] / 10, CLEAN + 2 * NOISE], axis=-1)
    result, choice = dnlib.denoise(colours, return_choice=True)
    assert len(choice.parts) == 3 and error(result[..., 0], CLEAN) < 1.1 * error(colours[..., 0], CLEAN)
    gray = np.repeat((CLEAN + NOISE)[..., None], 3, axis=-1)
    result, choice = denoise(gray)
    assert (result == result[..., :1]).all() and "gray" in choice.notes[0]


@pytest.mark.parametrize("fill", [0, 500, -9999])
@pytest.mark.filterwarnings("ignore:pixels of the value -9999")
def test_what_does_not_count_changes_nothing_and_stays_exact(fill):
    noisy = np.full((120, 80), float(fill))
    noisy[30:94] = 100 * (CLEAN + NOISE)
    result, choice = dnlib.denoise(noisy, filter="median", return_choice=True)
    alone, expected = dnlib.denoise(noisy[30:94], filter="median", return_choice=True)
    np.testing.assert_array_equal(result[np.r_[0:30, 94:120]], fill)
    assert (choice.noise, choice.risk, choice.setting) == (expected.noise, expected.risk, expected.setting)
    np.testing.assert_allclose(result[40:84], alone[10:-10], rtol=1e-5)


def test_masked_nan_and_invisible_pixels_are_left_alone():
    hole = np.zeros(CLEAN.shape, bool)
    hole[20:40, 30:50] = True
    noisy = CLEAN + NOISE
    masked, _ = denoise(np.ma.array(noisy, mask=hole))
    holed, _ = denoise(np.where(hole, np.nan, noisy), ignore_nan=True)
    assert (masked.mask == hole).all() and (np.isnan(holed) == hole).all()
    np.testing.assert_array_equal(masked[~hole], holed[~hole])
    pixels = np.stack([np.where(hole, 255, 200 * noisy.clip(0, 1)), np.where(hole, 0, 255)], axis=-1).astype(np.uint8)
    with pytest.warns(UserWarning, match="alpha"):
        result, _ = denoise(pixels)
    np.testing.assert_array_equal(result[hole], pixels[hole])
    np.testing.assert_array_equal(result[..., 1], pixels[..., 1])
    pixels[..., 1] = 0
    with pytest.raises(ValueError, match="transparent"):
        denoise(pixels)


def test_premultiplied_colours_never_exceed_alpha(rng):
    alpha = rng.integers(0, 255, (*CLEAN.shape, 1))
    colours = (alpha * (CLEAN + NOISE).clip(0, 1)[..., None]).repeat(3, -1)
    picture = Picture.of(np.concatenate([colours, alpha], -1).astype(np.uint8), axes="YXS", alpha="associated")
    result = dnlib.denoiser.denoise_picture(picture, filter="total_variation")[0].pixels
    assert (result[..., :3] <= result[..., 3:]).all()


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_photon_counts_ask_for_floats_and_keep_their_mean(rng, rate):
    truth = rate * (0.2 + 1.6 * gaussian_filter(CLEAN, 3))
    counts = rng.poisson(truth, (4, *CLEAN.shape))
    with pytest.raises(ValueError, match=r"photon counts.* --dtype float32"):
        dnlib.denoise(counts.astype(np.uint8), axes="TYX")
    result = dnlib.denoise(counts.astype(np.uint8), axes="TYX", dtype="float32")
    assert result.dtype == np.float32 and result.mean() == pytest.approx(counts.mean(), rel=0.01)
    rates = np.broadcast_to(truth, counts.shape).ravel()
    seen, before = (np.corrcoef(one.ravel(), rates)[0, 1] for one in (result, counts))
    assert seen > before + 0.2


def test_the_colours_of_a_mosaic_do_not_mix():
    gains = np.tile([[1, 0.7], [0.7, 0.4]], (32, 40))
    noisy = 1000 * gains * (CLEAN + NOISE)
    result, choice = denoise(noisy)
    assert "mosaic" in choice.notes[0] and len(choice.parts) == 4
    for i, j in np.ndindex(2, 2):
        assert result[i::2, j::2].mean() == pytest.approx(noisy[i::2, j::2].mean(), rel=0.01)


def test_low_bits_and_types_are_kept_or_as_told():
    counts = np.rint(4095 * (CLEAN + NOISE).clip(0, 1)).astype(np.uint16)
    shifted, _ = denoise(counts << 4)
    assert shifted.dtype == np.uint16 and not (shifted % 16).any()
    floats, _ = denoise(counts, dtype="float32")
    assert floats.dtype == np.float32 and (floats % 1).any()
    with pytest.raises(ValueError, match="cannot hold NaN"):
        denoise(np.where(np.eye(64, 80) > 0, np.nan, CLEAN + NOISE), ignore_nan=True, dtype="uint8")
    with pytest.raises(ValueError, match="the type written can be uint8, uint16, float32 or float64"):
        denoise(counts, dtype="int3")


@pytest.mark.parametrize("dtype", ["foo", "int16"])
def test_a_type_that_cannot_be_asked_for_is_refused_for_a_file_as_well(tmp_path, dtype):
    write(tmp_path / "a.png", Picture.of(np.zeros((64, 64), np.uint8)))
    with pytest.raises(ValueError, match=f"the type written can be uint8, .*'{dtype}' was given"):
        denoise_file(tmp_path / "a.png", tmp_path / "b.png", dtype=dtype)


def test_what_a_narrower_type_cannot_hold_is_cut_without_a_warning(recwarn):
    image = np.float32(255 * (CLEAN + NOISE).clip(0, 1))
    image[5, 5] = 1e12
    result, _ = denoise(image, dtype="uint8", range=(0, 255))
    assert result[5, 5] == 255 and not recwarn.list


def test_noise_finer_than_the_steps_and_shared_noise_are_told():
    steps = np.rint(40 + 12 * gaussian_filter(CLEAN, 6) + 3 * NOISE).astype(np.uint8)
    assert any("--dtype float32" in note for note in denoise(steps)[1].notes)
    rows = CLEAN + (NOISE + np.roll(NOISE, 1, axis=1) + np.roll(NOISE, 2, axis=1))
    assert any("along rows" in note for note in denoise(rows)[1].notes)
    assert any("along columns" in note for note in denoise(rows.T)[1].notes)
    assert not denoise(CLEAN + NOISE)[1].notes


def test_black_frames_are_left_alone():
    frames = np.stack([np.zeros_like(CLEAN), CLEAN + NOISE, CLEAN[::-1] + NOISE])
    result, choice = denoise(frames, axes="TYX")
    assert (result[0] == 0).all() and error(result[1], CLEAN) < error(frames[1], CLEAN)
    assert "1 of 3 frames" in choice.notes[0]
    assert Picture.of(frames, axes="TYX").shown == 1


def test_a_tensor_gives_a_tensor():
    result, _ = denoise(torch.from_numpy(CLEAN + NOISE))
    assert isinstance(result, torch.Tensor)
    assert isinstance(denoise(torch.nn.Parameter(torch.from_numpy(CLEAN + NOISE)))[0], torch.Tensor)
    np.testing.assert_array_equal(result.numpy(), denoise(CLEAN + NOISE)[0])


def test_the_largest_rectangle_is_found(rng):
    for _ in range(20):
        mask = rng.random((40, 50)) < 0.02
        top, left = rng.integers(0, 14, 2)
        mask[top : top + 26, left : left + 26] = True
        rows, columns = sampling.largest_rectangle(mask)
        assert mask[rows, columns].all() and mask[rows, columns].size >= 26**2
    assert sampling.largest_rectangle(rng.random((40, 50)) < 0.5) == (slice(0, 40), slice(0, 50))
