"""Noise of other kinds is named: whole rows, unlike places, impulses; and photographs are not accused of it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from dnlib.images import Picture, photo, write
from dnlib.noise import ISOLATED, STAND_OUT, inspect_files, inspect_image, isolated_pixels, line_noise, other_noise

CLEAN = 255 * photo("camera")[100:356, 100:356]
RANDOM = np.random.default_rng(5)
PHOTOS = ("camera", "astronaut", "coffee", "brick", "grass", "coins", "moon")


def said_of(noisy):
    image = noisy.clip(0, 255).round() / 255
    variance = inspect_image(image).variance(image)
    found = other_noise(image, variance, np.ones(image.shape[:2], bool), lambda level: f"{255 * level:.0f}")
    return list(found.values())


@pytest.mark.parametrize("white", [0, 10])
@pytest.mark.parametrize("along", ["rows", "columns"])
def test_offsets_of_whole_rows_are_named_with_their_strength(rng, white, along):
    offsets = rng.normal(0, 10, (256, 1))
    noisy = CLEAN + rng.normal(0, 1, CLEAN.shape) * white + (offsets if along == "rows" else offsets.T)
    (sentence,) = said_of(noisy)
    assert f"whole {along}" in sentence and any(f"by {level}:" in sentence for level in (9, 10, 11))


@pytest.mark.parametrize("width", [8, 16, 32, 64])
@pytest.mark.parametrize("turned", [False, True])
def test_noise_that_neighbours_share_along_rows_is_no_offset_of_the_row(rng, width, turned):
    shared = gaussian_filter1d(rng.normal(0, 1, (256, 256 + 8 * width)), width, axis=1)[:, 4 * width :][:, :256]
    noisy = CLEAN + 15 / shared.std() * (shared.T if turned else shared)
    assert line_noise(noisy / 255, np.full(noisy.shape, (15 / 255) ** 2)) == {}


@pytest.mark.parametrize("white", [3, 5])
@pytest.mark.parametrize("depth", [20, 40])
def test_lines_between_tiles_are_no_offsets_of_rows_and_hide_none(rng, white, depth):
    lines = np.cumsum(np.linspace(11, 24, 40)).astype(int)
    distance = np.abs(np.arange(256)[:, None] - lines).min(axis=1, keepdims=True)
    tiles = 120 - depth * np.exp(-(distance**2) / 2) + rng.normal(0, white, (256, 256))
    variance = np.full(tiles.shape, (white / 255) ** 2)
    assert line_noise(tiles.round() / 255, variance) == {}
    found = line_noise((tiles + rng.normal(0, 5, (256, 1))).round() / 255, variance)
    assert found == {"rows": pytest.approx(5 / 255, rel=0.25)}


def test_two_strengths_in_one_picture_are_named(rng):
    noisy = CLEAN + rng.normal(0, 1, CLEAN.shape) * np.where(np.arange(256) < 128, 5, 25)
    assert said_of(noisy) == [
        "the noise differs from place to place, 5 to 26, and not by brightness: denoise the parts one by one"
    ]


@pytest.mark.parametrize("sigma", [0, 5, 15])
@pytest.mark.parametrize("value", [0, 255])
def test_single_pixels_of_one_kind_are_named(rng, sigma, value):
    noisy = 30 + 0.6 * CLEAN + sigma * rng.normal(0, 1, CLEAN.shape)
    assert said_of(noisy) == []
    noisy[rng.random(CLEAN.shape) < 0.03] = value
    assert said_of(noisy) == [STAND_OUT]


@pytest.mark.parametrize("sigma", [30, 50])
@pytest.mark.parametrize("share", [(0.04, 0), (0, 0.04), (0.03, 0.03)], ids=["pepper", "salt", "both"])
def test_strong_noise_hides_no_impulses(rng, sigma, share):
    noisy = CLEAN + sigma * rng.normal(0, 1, CLEAN.shape)
    assert said_of(noisy) == []
    (sentence,) = said_of(salted(noisy, share, rng))
    assert sentence == STAND_OUT or "impulses" in sentence


@pytest.mark.parametrize("values", [(0, 255), (60, 200)])
def test_of_impulses_that_are_told_by_their_number_that_is_right(rng, values):
    noisy, drawn = CLEAN + 50 * rng.normal(0, 1, CLEAN.shape), rng.random(CLEAN.shape)
    noisy[drawn < 0.02], noisy[drawn > 0.98] = values
    found = isolated_pixels(noisy.clip(0, 255).round() / 255, np.ones(CLEAN.shape, bool))
    assert (0.01 < found < 0.04) if values == (0, 255) else found < ISOLATED


def test_impulses_are_named_and_stars_are_none(rng):
    noisy, drawn = CLEAN + rng.normal(0, 10, CLEAN.shape), rng.random(CLEAN.shape)
    noisy[drawn < 0.01], noisy[drawn > 0.99] = 0, 255
    assert "impulses" in said_of(noisy)[-1]
    sky = np.where(drawn < 0.002, 200.0, 20.0) + rng.normal(0, 3, CLEAN.shape)
    assert said_of(sky) == [STAND_OUT]


@pytest.mark.parametrize("mean", [0, 10, 50])
@pytest.mark.parametrize("sigma", [5, 15, 40])
def test_in_clipped_noise_no_single_pixels_stand_out(rng, mean, sigma):
    assert said_of(mean + rng.normal(0, 1, CLEAN.shape) * sigma) == []


@pytest.mark.parametrize("sigma", [15, 25])
@pytest.mark.parametrize("turned", [False, True], ids=["white", "black"])
@pytest.mark.parametrize(
    "bright", [255 * (np.linspace(0.8, 1.2, 256)[:, None] + 0 * CLEAN), CLEAN + 76], ids=["sky", "photograph"]
)
def test_where_places_are_clipped_no_noise_stands_out_but_single_pixels_do(rng, bright, turned, sigma):
    noisy, drawn = bright + rng.normal(0, sigma, bright.shape), rng.random(bright.shape) < 0.01
    images = [one.clip(0, 255).round() / 255 for one in (noisy, np.where(drawn, 10, noisy))]
    none, some = (isolated_pixels(1 - one if turned else one, np.ones(one.shape, bool)) for one in images)
    assert none < ISOLATED / 4 and some > 3 * ISOLATED


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("sigma", [0, 5, 25, 50, 80])
def test_photographs_are_not_accused(rng, name, sigma):
    clean = 255 * photo(name)[:256, :256]
    assert said_of(clean + rng.normal(0, 1, clean.shape) * sigma) == []


SHADOWS, CORNERS = (1.8 * CLEAN - 200).clip(0), np.where(gaussian_filter(RANDOM.normal(size=(192, 192)), 3) > 0, 255, 0)


@pytest.mark.parametrize("sigma", [0, 3, 10, 40])
@pytest.mark.parametrize("clean", [SHADOWS, CORNERS], ids=["clipped shadows", "corners of black and white"])
def test_corners_of_what_is_black_are_no_single_pixels(rng, clean, sigma):
    noisy = clean + sigma * rng.normal(0, 1, clean.shape)
    assert isolated_pixels(noisy.clip(0, 255).round() / 255, np.ones(clean.shape, bool)) < ISOLATED


@pytest.mark.parametrize("levels", [8, 16])
def test_noise_in_few_levels_hides_no_single_pixels(rng, levels):
    noisy = ((levels - 1) * CLEAN / 255 + 0.7 * rng.normal(0, 1, CLEAN.shape)).round() / (levels - 1)
    assert isolated_pixels(noisy.clip(0, 1), np.ones(CLEAN.shape, bool)) < ISOLATED


def test_the_command_names_them(tmp_path, rng):
    noisy = (CLEAN + rng.normal(0, 10, (256, 1))).clip(0, 255).round().astype(np.uint8)
    write(tmp_path / "rows.png", Picture.of(noisy))
    assert "whole rows" in inspect_files(tmp_path / "rows.png")[1][-1]
    small = np.ones((32, 32), bool)
    assert other_noise(small * 0.5, small * 0.1, small, str) == {} and line_noise(np.zeros((70, 70)), np.ones(1)) == {}


def salted(shot, share, rng):
    drawn = rng.random(shot.shape)
    return np.where(drawn < share[0], 0, np.where(drawn > 1 - share[1], 255, shot))


NOISES = {
    "": lambda shot, rng: shot,
    "whole rows": lambda shot, rng: shot + rng.normal(0, 10, (256, 1)),
    "whole columns": lambda shot, rng: shot + rng.normal(0, 10, 256),
    "impulses": lambda shot, rng: salted(shot, (0.01, 0.01), rng),
    "single pixels stand out": lambda shot, rng: salted(shot, (0, 0.02), rng),
}


@pytest.mark.parametrize("words", NOISES)
@pytest.mark.parametrize("second", ["another shot", "the clean one"])
def test_of_a_pair_the_same_is_said_but_not_of_what_both_show(tmp_path, rng, words, second):
    scene = np.where(rng.random(CLEAN.shape) < 0.01, 255, 30 + 0.6 * CLEAN)  # with stars
    shots = [NOISES[words](scene + rng.normal(0, 10, CLEAN.shape), rng) for _ in range(2)]
    for name, shot in zip("ab", (shots[0], shots[1] if second == "another shot" else scene), strict=True):
        write(tmp_path / f"{name}.png", Picture.of(shot.clip(0, 255).round().astype(np.uint8)))
    _, notes = inspect_files(tmp_path / "a.png", tmp_path / "b.png")
    others = [note for note in notes if "as noisy as the first" not in note]
    assert len(others) == bool(words) and all(words in note for note in others)


def test_a_halftone_is_no_noise(rng):
    rows, columns = np.mgrid[:256, :256]
    screen = np.sin(rows * np.pi / 2.5) * np.sin(columns * np.pi / 2.5) / 2 + 0.5
    printed = 25 + 200 * (screen < CLEAN / 255) + rng.normal(0, 5, CLEAN.shape)
    with pytest.raises(ValueError, match="halftone"):
        inspect_image(printed.clip(0, 255).round().astype(np.uint8))


@pytest.mark.parametrize("words", [word for word in NOISES if word])
@pytest.mark.parametrize("kind", ["tif", "npy"])
def test_what_only_later_frames_of_a_stack_show_is_said_once_with_the_first_of_them(tmp_path, rng, words, kind):
    calm = [30 + 0.6 * CLEAN + rng.normal(0, 10, CLEAN.shape) for _ in range(5)]
    frames = np.stack([NOISES[words](shot, rng) if number > 2 else shot for number, shot in enumerate(calm)])
    for name, stack in (("calm", np.stack(calm)), ("some", frames)):
        pixels = stack.clip(0, 255).round().astype(np.uint8)
        write(tmp_path / f"{name}.{kind}", Picture.of(pixels, axes="TYX"))
    assert inspect_files(tmp_path / f"calm.{kind}", axes="TYX")[1] == ["frame 0 of 5 is inspected"]
    found, notes = inspect_files(tmp_path / f"some.{kind}", axes="TYX")
    assert len(notes) == 2 and notes[1].startswith("frame 3: ") and words in notes[1]
    assert found[""].level == pytest.approx(10, rel=0.1)


def test_the_first_frame_of_each_channel_that_holds_something_is_inspected_and_those_after_it_looked_at(tmp_path, rng):
    frames = rng.normal(100, 10, (4, 2, 128, 128))
    frames[:2, 0] = 100
    frames[1, 1] += rng.normal(0, 10, (128, 1))
    np.save(tmp_path / "channels.npy", frames.clip(0, 255).round().astype(np.uint8).swapaxes(0, 1))
    _, notes = inspect_files(tmp_path / "channels.npy", axes="CTYX")
    assert notes[:2] == ["frame 0 of 4 is inspected", "frame 2 of 4 is inspected"]
    assert len(notes) == 3 and notes[2].startswith("channel 1: frame 1: whole rows")


@pytest.mark.parametrize(("axes", "channels"), [("TCYX", ["channel 0", "channel 1"]), ("TYXS", [""])])
def test_a_channel_that_is_constant_in_the_first_frame_alone_is_inspected(tmp_path, rng, axes, channels):
    frames = rng.normal(100, 10, (3, 128, 128, 2 if "C" in axes else 3)).round().astype(np.uint8)
    frames[0, ..., 0], last = 7, frames.copy()
    last[..., 0] = 7
    for name, stack in (("some", frames), ("all", last)):
        write(tmp_path / f"{name}.tif", Picture.of(np.moveaxis(stack, -1, axes.lower().find("c")), axes=axes))
    found, notes = inspect_files(tmp_path / "some.tif")
    assert list(found) == channels and not any("constant" in note for note in notes)
    assert all(one.curves[:, 1].min() > 5 for one in found.values())
    assert any("constant, left alone" in note for note in inspect_files(tmp_path / "all.tif")[1])


@pytest.mark.parametrize(("sigma", "said"), [(0.4, True), (1, False)])
def test_noise_that_may_be_the_dither_of_coarse_steps_is_said(tmp_path, rng, sigma, said):
    steps = np.rint(CLEAN / 17 + sigma * rng.standard_normal(CLEAN.shape))
    write(tmp_path / "a.png", Picture.of((17 * steps).clip(0, 255).astype(np.uint8)))
    assert any("steps of 17" in note and "dither" in note for note in inspect_files(tmp_path / "a.png")[1]) == said
