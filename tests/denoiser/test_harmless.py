"""What is no noise, or cannot be told from it, comes back as it was: halftone, stars, clean and clipped pictures."""

import numpy as np
import pytest

import dnlib
from dnlib.denoiser import choosing
from dnlib.denoiser.candidates import CANDIDATES
from dnlib.denoiser.judging import Judge
from dnlib.denoiser.strength import WhiteNoise
from dnlib.images import Picture, photo, write
from dnlib.noise import STAND_OUT, inspect_files

SIDE = 192
LARGE = 255 * photo("camera")[100:356, 100:356]
CLEAN = LARGE[:SIDE, :SIDE]
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]


def stored(values):
    return np.rint(values.clip(0, 255)).astype(np.uint8)


def gain(noisy, clean):
    """By how many dB the result is closer to the clean picture than the input; the choice; and the result."""
    result, choice = dnlib.denoise(noisy, return_choice=True)
    errors = [np.mean((one - clean.astype(float)) ** 2) for one in (noisy, result)]
    return 10 * np.log10(errors[0] / errors[1]), choice, result


def halftone(rng):
    screen = np.sin(ROWS * np.pi / 2.5) * np.sin(COLUMNS * np.pi / 2.5) / 2 + 0.5
    return 255.0 * (screen < CLEAN / 255)


PICTURES = {
    "halftone": halftone,
    "a scan of a halftone": lambda rng: 25 + 0.8 * halftone(rng) + rng.normal(0, 5, CLEAN.shape),
    "dithered": lambda rng: 255.0 * (rng.random(CLEAN.shape) < CLEAN / 255),
    "clipped": lambda rng: 20 * (LARGE - 128) + 128 + rng.normal(0, 25, LARGE.shape),
    "shaded": lambda rng: 0.8 * COLUMNS + 0.1 * ROWS,
    "clean": lambda rng: CLEAN,
    "a barcode": lambda rng: np.repeat(20 + 200.0 * (rng.random((1, SIDE // 4)) < 0.5), 4, axis=1).repeat(SIDE, axis=0),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_without_noise_to_be_told_comes_back_exactly_and_it_is_said(rng, name):
    picture = stored(PICTURES[name](rng))
    result, choice = dnlib.denoise(picture, return_choice=True)
    np.testing.assert_array_equal(result, picture)
    assert choice.filter == "unchanged" and any("returned unchanged" in note for note in choice.notes)


def test_text_with_noise_is_denoised_and_stays_text(rng):
    text = np.full((192, 256), 230.0)
    for top in range(8, 180, 18):
        for left in range(8, 240, 9):
            text[top : top + rng.integers(5, 10), left : left + rng.integers(2, 7)] = 20
    assert gain(stored(text + rng.normal(0, 5, text.shape)), text)[0] > 3


@pytest.mark.parametrize("size", [1, 2])
def test_stars_on_weak_noise_are_kept(rng, size):
    sky = np.full(CLEAN.shape, 20.0)
    for row, column in rng.integers(2, SIDE - 4, (40, 2)):
        sky[row : row + size, column : column + size] = rng.uniform(80, 250)
    noisy = stored(sky + rng.normal(0, 8, sky.shape))
    gained, choice, result = gain(noisy, sky)
    stars = sky > 60
    assert gained > 6 and np.abs(result[stars] - sky[stars]).max() < 50
    assert size == 2 or any("single pixels" in note for note in choice.notes)


@pytest.mark.parametrize("along", ["rows", "columns"])
def test_offsets_of_whole_rows_are_taken_off_and_it_is_said(rng, along):
    offsets = rng.normal(0, 12, (SIDE, 1))
    noisy = stored(CLEAN + rng.normal(0, 8, CLEAN.shape) + (offsets if along == "rows" else offsets.T))
    gained, choice, _ = gain(noisy, CLEAN)
    assert gained > 6 and any(f"whole {along}" in note for note in choice.notes)
    assert choice.summary.startswith(f"{along} levelled, then ")
    frames, _ = dnlib.denoise(np.stack([noisy, noisy]), axes="TYX", return_choice=True)
    assert np.mean((frames[1] - CLEAN) ** 2) < np.mean((noisy - CLEAN) ** 2) / 4


def test_where_only_rows_are_levelled_the_summary_says_so(rng):
    noisy = stored(CLEAN + rng.normal(0, 12, (SIDE, 1)))
    gained, choice, _ = gain(noisy, CLEAN)
    assert gained > 6 and choice.filter == "unchanged"
    assert choice.summary.startswith("rows levelled, otherwise left as it is")
    assert not any("unchanged" in note for note in choice.notes)


@pytest.mark.parametrize(("period", "sigma"), [(2, 0), (3, 10), (4, 0), (7, 10), (16, 0)])
def test_stripes_are_no_noise(rng, period, sigma):
    stripes = stored(120 + 25 * np.sign(np.sin(2 * np.pi * (ROWS + 0.25) / period)) + 0.2 * CLEAN)
    noisy = stored(stripes + sigma * rng.normal(0, 1, CLEAN.shape))
    result, choice = dnlib.denoise(noisy, return_choice=True)
    assert not any("whole rows" in note for note in choice.notes)
    errors = [np.mean((one - stripes.astype(float)) ** 2) for one in (noisy, result)]
    assert errors[1] <= errors[0] * 1.02 + 0.01


def test_two_kinds_of_noise_are_said(rng):
    noisy = CLEAN + rng.normal(0, 1, CLEAN.shape) * np.where(COLUMNS < SIDE / 2, 5, 25)
    assert any("from place to place" in note for note in gain(stored(noisy), CLEAN)[1].notes)
    noisy, drawn = CLEAN + rng.normal(0, 10, CLEAN.shape), rng.random(CLEAN.shape)
    noisy[drawn < 0.01], noisy[drawn > 0.99] = 0, 255
    gained, choice, _ = gain(stored(noisy), CLEAN)
    assert gained > 8 and any("impulses" in note for note in choice.notes)
    assert "impulses replaced, then" in choice.summary
    assert not any("single pixels stand out" in note for note in choice.notes)


@pytest.mark.parametrize(("sigma", "value"), [(25, 0), (25, 255), (50, 255), (25, None)])
def test_impulses_of_one_kind_on_strong_noise_are_named_as_by_dnlib_noise(rng, tmp_path, sigma, value):
    noisy = CLEAN + sigma * rng.normal(0, 1, CLEAN.shape)
    if value is not None:
        noisy[rng.random(CLEAN.shape) < 0.02] = value
    write(tmp_path / "a.png", Picture.of(stored(noisy)))
    notes = [] if value is None else [STAND_OUT]
    assert list(gain(stored(noisy), CLEAN)[1].notes) == notes == inspect_files(tmp_path / "a.png")[1]


def test_impulses_alone_are_replaced_and_the_rest_is_left(rng):
    noisy, drawn = CLEAN.copy(), rng.random(CLEAN.shape)
    noisy[drawn < 0.01], noisy[drawn > 0.99] = 0, 255
    result, choice = dnlib.denoise(stored(noisy), return_choice=True)
    assert "impulses replaced, otherwise left as it is" in choice.summary
    assert (result == stored(noisy)).mean() > 0.97 and np.mean((result - CLEAN) ** 2) < np.mean(
        (noisy - CLEAN) ** 2
    ) / 5


@pytest.mark.parametrize(("kept", "said"), [(6, True), (60, False)])
def test_it_is_said_where_what_can_be_seen_is_too_small_to_judge_by(rng, monkeypatch, kept, said):
    monkeypatch.setattr(choosing, "CANDIDATES", {"total_variation": CANDIDATES["total_variation"]})
    noisy = stored(CLEAN[..., None] + rng.normal(0, 15, (*CLEAN.shape, 3)))
    seen = np.maximum(ROWS % 64, COLUMNS % 64) < kept
    picture = np.dstack([noisy, 255 * seen.astype(np.uint8)])
    picture[~seen, :3] = rng.integers(0, 256, 3)
    with pytest.warns(match="alpha"):
        found, choice = dnlib.denoise(picture, return_choice=True)
    np.testing.assert_array_equal(found[~seen], picture[~seen])
    assert any("too small to judge by" in note for note in choice.notes) == said
    assert not any("hardly any noise" in note for note in choice.notes)


def test_dark_pictures_that_are_half_clipped_are_denoised_and_bright_ones_alike(rng):
    dark = photo("brick")[:128, :128] - 0.4
    noisy = stored(255 * (dark + 0.08 * rng.standard_normal(dark.shape)))
    gains = [
        gain(one, clean)[0] for one, clean in ((noisy, 255 * dark.clip(0)), (255 - noisy, 255 - 255 * dark.clip(0)))
    ]
    assert min(gains) > 2 and abs(gains[0] - gains[1]) < 1


def test_of_mostly_clipped_pictures_it_is_said_why_they_come_back():
    for clipped, words in ((0.94, "94% of the pixels are black or white"), (0.1, "fine texture")):
        judge = Judge([np.zeros((8, 8))], WhiteNoise(0.1, pure=0.0, clipped=clipped, levels=256), True, "cpu")
        assert words in choosing._why_unchanged(judge)
