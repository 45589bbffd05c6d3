"""Which values make the range, which range and which type are refused, and pictures that were drawn."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

import dnlib
from dnlib.denoiser import choosing
from dnlib.denoiser.candidates import CANDIDATES
from dnlib.denoiser.drawn import has_soft_edges, is_drawn
from dnlib.images import photo
from dnlib.noise import inspect_image

SIDE = 128
CLEAN = photo("camera").reshape(SIDE, 4, SIDE, 4).mean(axis=(1, 3))
NOISE = np.random.default_rng(1).normal(0, 0.06, CLEAN.shape)
TWELVE_BITS = np.rint(4095 * (CLEAN + NOISE).clip(0, 1)).astype(np.uint16)
HOT = ([40, 90], [40, 20])


def error(found, clean=CLEAN, white=1.0):
    squares = (np.asarray(found, float) / white - clean) ** 2
    squares[HOT] = 0
    return np.sqrt(squares.mean())


@pytest.mark.parametrize(
    ("noisy", "hot", "white"), [(TWELVE_BITS, 65535, 4095), ((CLEAN + NOISE).astype(np.float32), 1e6, 1)]
)
def test_hot_pixels_do_not_make_the_range(noisy, hot, white):
    spoilt = noisy.copy()
    spoilt[HOT] = hot
    found = dnlib.denoise(spoilt)
    assert error(found, white=white) < 1.2 * error(dnlib.denoise(noisy), white=white) < 0.6 * NOISE.std()
    assert (found[HOT] > 0.9 * hot).all()


def test_a_range_that_is_told_holds_for_integers_too():
    beyond = np.rint(4095 * (CLEAN + NOISE).clip(0, None)).astype(np.uint16)
    assert beyond.max() > 4095
    told = [dnlib.denoise(beyond.astype(kind), range=(0, 4095)) for kind in (np.uint16, np.float32)]
    assert error(told[0], white=4095) == pytest.approx(error(told[1], white=4095), rel=0.02)
    assert error(told[0], white=4095) < 0.6 * NOISE.std()


def test_values_beyond_a_range_that_is_told_are_not_pulled_into_it():
    found = dnlib.denoise(TWELVE_BITS, range=(500, 3800), filter="median")
    assert found.min() < 500


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((5000, 9000), "0% of the values lie in the range from 5000 to 9000"),
        ((0, 1), "of the values lie in the range from 0 to 1"),
        ((5, 5), "from black up to white"),
        ((255, 0), "from black up to white"),
        ((0, np.nan), "from black up to white"),
        ((0,), r"black and white, as \(0, 4095\)"),
        ("ab", r"black and white, as \(0, 4095\)"),
    ],
)
def test_a_range_that_does_not_fit_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        dnlib.denoise(TWELVE_BITS, range=given, filter="median")


@pytest.mark.parametrize(
    ("image", "dtype"),
    [
        (TWELVE_BITS, "uint8"),
        ((CLEAN + NOISE).astype(np.float32), "uint8"),
        ((CLEAN + NOISE).astype(np.float32), "uint16"),
        (np.rint(300 * NOISE).astype(np.int16), "uint16"),
    ],
)
def test_a_type_that_does_not_hold_the_values_is_refused(image, dtype):
    with pytest.raises(ValueError, match=f"{dtype} holds whole numbers from 0 to .*nothing is rescaled"):
        dnlib.denoise(image, dtype=dtype, filter="median")


def test_types_come_by_name_or_as_numpy_has_them():
    noisy = np.rint(255 * (CLEAN + NOISE)).astype(np.float32)  # a few values beyond 255 are noise
    assert dnlib.denoise(noisy, dtype=np.uint8, filter="median").dtype == np.uint8
    exactly = np.rint(255 * (CLEAN + NOISE).clip(0, 1)).astype(np.float32)
    assert np.ptp(exactly) == 255 and dnlib.denoise(exactly, dtype="uint8", filter="median").dtype == np.uint8
    half = torch.rand(16, 16).bfloat16()
    assert dnlib.denoise(half, filter="median").dtype == torch.bfloat16
    assert dnlib.denoise(half, filter="median", dtype="float32").dtype == torch.float32
    with pytest.raises(ValueError, match="the filter can be auto, median"):
        dnlib.denoise(noisy, filter=None)


def drawn_pictures():
    rng = np.random.default_rng(0)
    bars = np.full((190, 190), 26)
    for number in range(9):
        bars[:, 20 * number + 5 : 20 * number + 15] = 51 + 20 * number
    labels = np.rint(np.kron(rng.random((24, 24)), np.ones((8, 8))) * 6) * 40
    code = np.kron(rng.random((40, 40)) < 0.5, np.ones((4, 4))) * 200 + 27
    return {"bars": bars, "labels": labels, "code": code}


@pytest.mark.parametrize("name", drawn_pictures())
def test_what_was_drawn_comes_back_exactly_and_it_is_said(name):
    drawn = drawn_pictures()[name].astype(np.uint8)
    found, choice = dnlib.denoise(drawn, return_choice=True)
    assert np.array_equal(found, drawn) and any("drawn, not taken" in note for note in choice.notes)


def test_noisy_pictures_of_any_kind_were_not_drawn():
    inside, dark = np.ones(CLEAN.shape, bool), (0.02 * CLEAN + NOISE).clip(0, 1)
    drawn = np.random.default_rng(2).random(CLEAN.shape)
    impulses = [np.where(drawn < share / 2, 0, np.where(drawn > 1 - share / 2, 1, CLEAN)) for share in (0.6, 0.9)]
    for noisy in (*impulses, CLEAN + 0.01 * NOISE, dark, np.round(CLEAN + NOISE, 2), (CLEAN + 8 * NOISE).clip(0, 1)):
        assert not is_drawn(np.rint(255 * noisy)[..., None] / 255, inside)


def soft_pictures():
    page = Image.new("RGB", (192, 192), "white")
    for line in range(12):
        text = "what is printed here has no noise"[line:]
        ImageDraw.Draw(page).text((4 + line, 4 + 15 * line), text, "black", ImageFont.load_default(12))
    large = Image.new("L", (768, 768), 235)
    for turn in range(12):
        curve = [(40 * k, int(384 + 30 * turn * np.sin(k / 2 + turn))) for k in range(20)]
        ImageDraw.Draw(large).line(curve, fill=25, width=6)
    colours, letters = np.array([[250, 240, 215], [40, 30, 20]]), np.asarray(page) / 255
    return {
        "print": np.asarray(page.convert("L")),
        "print on cream": np.rint(colours[1] + (colours[0] - colours[1]) * letters).astype(np.uint8),
        "curves": np.asarray(large.resize((192, 192), Image.Resampling.LANCZOS)),
    }


@pytest.mark.parametrize("name", soft_pictures())
def test_soft_edges_between_areas_are_no_noise(name):
    drawn = soft_pictures()[name]
    found, choice = dnlib.denoise(drawn, return_choice=True)
    assert np.array_equal(found, drawn) and any("drawn, not taken" in note for note in choice.notes)


@pytest.mark.parametrize("exposure", [1, 2, 4])
def test_photographs_that_are_overexposed_have_no_soft_edges(exposure):
    noisy = np.rint(255 * (exposure * CLEAN + NOISE / 2).clip(0, 1))[..., None] / 255
    assert not has_soft_edges(noisy, np.ones(CLEAN.shape, bool), inspect_image(noisy))


def test_a_median_that_was_asked_for_is_not_advised():
    spoilt = CLEAN + NOISE / 4 + (np.random.default_rng(2).random(CLEAN.shape) < 0.02)
    assert not dnlib.denoise(spoilt, filter="median", return_choice=True)[1].notes


def test_three_pixels_that_count_are_denoised_as_before():
    spread = np.full((100, 100), np.nan)
    spread[20, 20], spread[50, 80], spread[90, 10] = 0.2, 0.5, 0.9
    assert np.isfinite(dnlib.denoise(spread, ignore_nan=True, filter="median")).sum() == 3


def test_smooth_shading_is_no_noise():
    field = gaussian_filter(np.random.default_rng(0).normal(size=(128, 128)), 4)
    smooth = np.rint(255 * (field - field.min()) / np.ptp(field)).astype(np.uint8)
    assert np.array_equal(dnlib.denoise(smooth), smooth)


@pytest.mark.parametrize(("dither", "kind"), [(0, "uint8"), (0.5, "uint8"), (0, "float32")])
def test_rounding_and_dither_are_no_noise_however_narrow_the_range(rng, dither, kind):
    ramp = 40 + np.tile(np.arange(SIDE) / 12, (SIDE, 1))
    stored = np.rint(ramp + rng.uniform(-dither, dither, ramp.shape)).astype(kind)
    assert np.array_equal(dnlib.denoise(stored), stored)


@pytest.mark.parametrize(("sigma", "dtype"), [(0.4, None), (0.5, "uint8"), (0.4, "float32")])
def test_noise_that_dithers_coarse_steps_is_taken_off_where_finer_ones_are_written(rng, sigma, dtype, monkeypatch):
    """Rounded to steps of 17, but for float32, of whole numbers that are as coarse in the picture."""
    monkeypatch.setattr(choosing, "CANDIDATES", {"total_variation": CANDIDATES["total_variation"]})
    step = 1 if dtype == "float32" else 17
    clean = 255 / 17 * step * photo("camera")[100:292, 100:292]
    steps = np.rint(clean / step + sigma * rng.standard_normal(clean.shape))
    noisy = (step * steps).clip(0, 255).astype(np.uint8)
    found = dnlib.denoise(noisy, dtype=dtype)
    assert np.sqrt(np.mean((found - clean) ** 2)) < 0.6 * np.sqrt(np.mean((noisy - clean) ** 2))


@pytest.mark.parametrize("name", ["camera", "coins", "moon"])
@pytest.mark.parametrize("step", [17, 36])
def test_posterised_pictures_come_back_exactly(name, step):
    posterised = (step * np.rint(255 * photo(name)[:192, :192] / step)).clip(0, 255).astype(np.uint8)
    np.testing.assert_array_equal(dnlib.denoise(posterised), posterised)


def diffused(clean, step):
    """Floyd and Steinberg's dither."""
    values = np.pad(clean, ((0, 1), (1, 1)))
    for row, column in np.ndindex(clean.shape):
        place = row, column + 1
        rounded = step * np.rint(values[place] / step)
        wrong, values[place] = values[place] - rounded, rounded
        values[row, column + 2] += 7 / 16 * wrong
        values[row + 1, column : column + 3] += np.array([3, 5, 1]) / 16 * wrong
    return values[:-1, 1:-1].clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(("name", "step"), [("camera", 255), ("camera", 85), ("moon", 51), ("coins", 51)])
def test_diffused_dither_comes_back_exactly_and_it_is_said(name, step):
    dithered = diffused(255 * photo(name)[:192, :192], step)
    found, choice = dnlib.denoise(dithered, return_choice=True)
    np.testing.assert_array_equal(found, dithered)
    assert any("dither" in note or "drawn" in note for note in choice.notes)


@pytest.mark.parametrize("gain", [0.1, 20])
def test_photon_counts_in_another_unit_are_no_rounding(rng, gain, monkeypatch):
    monkeypatch.setattr(choosing, "CANDIDATES", {"total_variation": CANDIDATES["total_variation"]})
    noisy = (gain * rng.poisson(0.6 * CLEAN)).astype(np.float32)
    assert error(dnlib.denoise(noisy), 0.6 * CLEAN * gain) < 0.7 * error(noisy, 0.6 * CLEAN * gain)


def test_thumbnails_have_too_few_rows_to_tell_noise_of_whole_rows():
    small = photo("camera").reshape(64, 8, 64, 8).mean(axis=(1, 3))
    assert not dnlib.denoise(small, return_choice=True)[1].beforehand
